/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/net_contract.c - the contract of net/net.h, case by case. */
#include "tests/support/net_contract.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "net/shared.h"
#include "tests/support/links_case.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

enum { MAX_NODES = 9, MAX_SEEN = 64, FEW = 3, NUMBERS = 1000 };

enum { TYPE_NUMBER = 1, TYPE_GO, TYPE_STOP };

/* To another service than TYPE_NUMBER, and to none. */
enum { TYPE_ANSWER = NET_SERVICE_TYPES, TYPE_STRAY = NET_SERVICE_TYPES * NET_N_SERVICES };

/* What went wrong in handlers: CUnit counts on one thread only. */
static _Atomic uint32_t n_wrong;

static void expect(bool holds)
{
    atomic_fetch_add(&n_wrong, holds ? 0 : 1);
}

/* What a node of a test is told to do, and what it saw. */
typedef struct script script;
struct script {
    void (*on_event)(script *self, net_node *node, const net_event *event);
    uint32_t n_nodes;
    uint32_t seen[MAX_SEEN];
    uint32_t n_seen, n_lost;
    strads_status status;
    pthread_t thread;
    double vector[NUMBERS], base[NUMBERS];
    double extra[FEW];
    uint32_t votes;
    bool by_base;
    net *network;
    uint32_t told[MAX_NODES];    /* by the service, of each sender */
    _Atomic uint32_t n_answered; /* what this node has asked */
};

static void handle(void *state, net_node *node, const net_event *event)
{
    script *self = state;
    self->thread = pthread_self();
    self->on_event(self, node, event);
}

static strads_status send_number(net_node *node, net_id to, net_lane lane, uint32_t type,
                                 uint32_t number)
{
    net_message *message = net_message_create(type, lane, sizeof(number));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(message->body, &number, sizeof(number));
    const strads_status status = net_send(node, to, message);
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    return status;
}

static uint32_t number_of(const net_event *event)
{
    uint32_t number = 0;
    expect(event->message->bytes == sizeof(number));
    memcpy(&number, event->message->body, sizeof(number));
    return number;
}

static void serve(void *state, net_node *node, net_message *message);
static void serve_answer(void *state, net_node *node, net_message *message);

/* A process of the run, on a thread of its own. */
typedef struct process {
    net *network;
    strads_status status;
    pthread_t thread;
} process;

static void *run_process(void *argument)
{
    process *self = argument;
    self->status = net_run(self->network);
    return NULL;
}

static void make_process(process *self, const net_options *options, script *scripts, net_id first,
                         net_id end)
{
    REQUIRE_OK(net_create(&self->network, net_contract_driver, options));
    for (net_id id = first; id < end; id++) {
        net_attach(self->network, id, handle, &scripts[id]);
        net_serve(self->network, id, 0, serve, &scripts[id]);
        net_serve(self->network, id, TYPE_ANSWER, serve_answer, &scripts[id]);
        scripts[id].network = self->network;
    }
}

/* In as many processes as there are, each with a share of the nodes. */
static void run_in_processes(script *scripts, net_options options)
{
    net_links_options linked = {.queue_messages = FEW, .heartbeat = 1.0, .timeout = 60.0};
    const uint32_t n_nodes = options.n_nodes;
    const uint32_t n = net_contract_processes < n_nodes ? net_contract_processes : n_nodes;
    net_links *links[MAX_NODES];
    process processes[MAX_NODES];
    strads_status ends[MAX_NODES];
    if (net_contract_shares) {
        REQUIRE_OK(net_shared_create(&linked.shared, n_nodes - 1));
    }
    links_case_make(links, n, n_nodes, &linked);
    for (uint32_t p = 0; p < n; p++) {
        options.links = links[p];
        make_process(&processes[p], &options, scripts, n_nodes * p / n, n_nodes * (p + 1) / n);
    }
    for (uint32_t p = 0; p < n; p++) {
        pthread_create(&processes[p].thread, NULL, run_process, &processes[p]);
    }
    for (uint32_t p = 0; p < n; p++) {
        pthread_join(processes[p].thread, NULL);
        CHECK_STATUS(processes[p].status, STRADS_OK);
        net_destroy(processes[p].network);
    }
    links_case_end(links, n, ends);
    net_shared_destroy(linked.shared);
    for (uint32_t p = 0; p < n; p++) {
        CHECK_STATUS(ends[p], STRADS_OK);
    }
}

static void run(script *scripts, uint32_t n_nodes)
{
    const net_cluster cluster = sim_case_cluster(n_nodes - 1);
    const net_options options = {.n_nodes = n_nodes, .queue_messages = FEW, .cluster = &cluster};
    const size_t live_before = strads_mem_live();
    atomic_store(&n_wrong, 0);
    for (net_id id = 0; id < n_nodes; id++) {
        scripts[id].n_nodes = n_nodes;
    }
    if (net_contract_processes > 1) {
        run_in_processes(scripts, options);
    } else {
        process one;
        make_process(&one, &options, scripts, 0, n_nodes);
        REQUIRE_OK(net_run(one.network));
        net_destroy(one.network);
    }
    CHECK(atomic_load(&n_wrong) == 0);
    CHECK(strads_mem_live() == live_before);
}

static void leave_when_all_are_lost(script *self, net_node *node, const net_event *event)
{
    self->n_lost += event->kind == NET_LOST;
    if (self->n_lost == self->n_nodes - 1) {
        net_leave(node);
    }
}

/* ---- order ---- */

static void send_three_then_one_in_control(script *self, net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED) {
        for (uint32_t i = 0; i < FEW; i++) {
            expect(send_number(node, 1, NET_DATA, TYPE_NUMBER, i) == STRADS_OK);
        }
        expect(send_number(node, 1, NET_DATA, TYPE_NUMBER, 9) == STRADS_ERR_AGAIN);
        expect(send_number(node, 1, NET_CONTROL, TYPE_NUMBER, 100) == STRADS_OK);
    }
    leave_when_all_are_lost(self, node, event);
}

static void note_four(script *self, net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED) {
        net_work(node, 1e3); /* all come in meanwhile, where time is virtual */
    }
    if (event->kind == NET_MESSAGE) {
        expect(event->peer == NET_COORDINATOR && event->message->from == NET_COORDINATOR);
        self->seen[self->n_seen++] = number_of(event);
    }
    if (self->n_seen == FEW + 1) {
        net_leave(node);
    }
}

/* With one worker all is on this thread, so the order is known. */
void net_contract_order(void)
{
    script scripts[2] = {{.on_event = send_three_then_one_in_control}, {.on_event = note_four}};
    run(scripts, 2);
    const uint32_t expected[FEW + 1] = {100, 0, 1, 2};
    CHECK(memcmp(scripts[1].seen, expected, sizeof(expected)) == 0);
    if (net_contract_processes == 1) {
        CHECK(pthread_equal(scripts[0].thread, pthread_self()));
        CHECK(pthread_equal(scripts[1].thread, pthread_self()));
    }
}

/* ---- credits ---- */

static void count_to_fifty(script *self, net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED ||
        (event->kind == NET_MESSAGE && event->message->type == TYPE_GO)) {
        while (self->n_seen < 50 &&
               send_number(node, 1, NET_DATA, TYPE_NUMBER, self->n_seen) == STRADS_OK) {
            self->n_seen++;
        }
    }
    leave_when_all_are_lost(self, node, event);
}

static void expect_fifty(script *self, net_node *node, const net_event *event)
{
    if (event->kind != NET_MESSAGE) {
        return;
    }
    expect(number_of(event) == self->n_seen);
    self->n_seen++;
    if (self->n_seen == 50) {
        net_leave(node);
    } else {
        /* The credit of this message may be later there than this; those before are not. */
        const strads_status status = send_number(node, 0, NET_CONTROL, TYPE_GO, 0);
        expect(status == STRADS_OK || status == STRADS_ERR_AGAIN);
    }
}

void net_contract_credits(void)
{
    script scripts[2] = {{.on_event = count_to_fifty}, {.on_event = expect_fifty}};
    run(scripts, 2);
    CHECK(scripts[1].n_seen == 50);
}

/* ---- leaving ---- */

static void say_two_and_leave(script *self, net_node *node, const net_event *event)
{
    (void) self;
    if (event->kind == NET_STARTED) {
        expect(send_number(node, 0, NET_DATA, TYPE_NUMBER, 1) == STRADS_OK);
        expect(send_number(node, 0, NET_DATA, TYPE_NUMBER, 2) == STRADS_OK);
        net_leave(node);
    }
}

static void expect_loss_last(script *self, net_node *node, const net_event *event)
{
    if (event->kind == NET_MESSAGE) {
        self->seen[event->peer]++;
    } else if (event->kind == NET_LOST) {
        expect(self->seen[event->peer] == 2);
        expect(send_number(node, event->peer, NET_DATA, TYPE_NUMBER, 0) == STRADS_ERR_CLOSED);
    }
    leave_when_all_are_lost(self, node, event);
}

void net_contract_losses(void)
{
    for (uint32_t n_nodes = 2; n_nodes <= MAX_NODES; n_nodes++) {
        script scripts[MAX_NODES] = {{.on_event = expect_loss_last}};
        for (net_id id = 1; id < n_nodes; id++) {
            scripts[id].on_event = say_two_and_leave;
        }
        run(scripts, n_nodes);
        CHECK(scripts[0].n_lost == n_nodes - 1);
    }
}

/* ---- exchanges ---- */

static void exchange_and_leave(script *self, net_node *node, const net_event *event)
{
    if (event->kind != NET_STARTED) {
        return;
    }
    const net_exchange exchange = {.n_members = self->n_nodes - 1,
                                   .vector = self->vector,
                                   .base = self->by_base ? self->base : NULL,
                                   .n = NUMBERS,
                                   .extra = self->extra,
                                   .n_extra = FEW,
                                   .votes = &self->votes};
    self->status = net_exchange_sum(node, &exchange);
    expect(send_number(node, 0, NET_DATA, TYPE_STOP, 0) == STRADS_OK);
}

static void leave_on_loss(script *self, net_node *node, const net_event *event)
{
    exchange_and_leave(self, node, event);
    if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        net_leave(node);
    }
}

static void leave_when_all_have_stopped(script *self, net_node *node, const net_event *event)
{
    self->n_seen += event->kind == NET_MESSAGE;
    if (self->n_seen == self->n_nodes - 1) {
        net_leave(node);
    }
}

static void check_sums(uint32_t n_members, bool by_base)
{
    script *scripts = strads_calloc(MAX_NODES, sizeof(*scripts));
    double expected[NUMBERS];
    double expected_extra[FEW] = {0.0};
    REQUIRE(scripts != NULL);
    scripts[0].on_event = leave_when_all_have_stopped;
    for (size_t i = 0; i < NUMBERS; i++) {
        const double base = by_base ? 0.1 * (double) i : 0.0;
        expected[i] = base;
        for (uint32_t k = 1; k <= n_members; k++) {
            scripts[k].on_event = leave_on_loss;
            scripts[k].by_base = by_base;
            scripts[k].votes = UINT32_C(1) << k;
            scripts[k].base[i] = base;
            scripts[k].vector[i] = sin((double) (k * NUMBERS + i));
            expected[i] += scripts[k].vector[i] - base; /* in order of rank */
        }
    }
    for (uint32_t k = 1; k <= n_members; k++) {
        for (uint32_t i = 0; i < FEW; i++) {
            scripts[k].extra[i] = cos((double) (k * FEW + i));
            expected_extra[i] += scripts[k].extra[i];
        }
    }
    run(scripts, n_members + 1);
    for (uint32_t k = 1; k <= n_members; k++) {
        CHECK_STATUS(scripts[k].status, STRADS_OK);
        CHECK(scripts[k].votes == (UINT32_C(1) << (n_members + 1)) - 2);
        if (n_members > 1) {
            CHECK(memcmp(scripts[k].vector, expected, sizeof(expected)) == 0);
            CHECK(memcmp(scripts[k].extra, expected_extra, sizeof(expected_extra)) == 0);
        }
    }
    strads_free(scripts);
}

void net_contract_sums(void)
{
    for (uint32_t n_members = 1; n_members < MAX_NODES; n_members++) {
        check_sums(n_members, false);
        check_sums(n_members, true);
    }
}

static void leave_at_once(script *self, net_node *node, const net_event *event)
{
    (void) self;
    if (event->kind == NET_STARTED) {
        net_leave(node);
    }
}

static void leave_when_told_by_all(script *self, net_node *node, const net_event *event)
{
    self->n_seen += event->kind != NET_STARTED;
    if (self->n_seen == self->n_nodes - 1) { /* one loss, the others' messages */
        net_leave(node);
    }
}

void net_contract_closed_exchange(void)
{
    script *scripts = strads_calloc(MAX_NODES, sizeof(*scripts));
    REQUIRE(scripts != NULL);
    scripts[0].on_event = leave_when_told_by_all;
    scripts[1].on_event = leave_at_once;
    scripts[2].on_event = leave_on_loss;
    scripts[3].on_event = leave_on_loss;
    run(scripts, 4);
    CHECK_STATUS(scripts[2].status, STRADS_ERR_CLOSED);
    CHECK_STATUS(scripts[3].status, STRADS_ERR_CLOSED);
    strads_free(scripts);
}

/* ---- services ---- */

static strads_status tell_number(script *self, net_id id, net_id to, uint32_t type, uint32_t number)
{
    net_message *message = net_message_create(type, NET_DATA, sizeof(number));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(message->body, &number, sizeof(number));
    return net_tell(self->network, id, to, message);
}

/* Numbers of a sender come in order; each is answered. */
static void serve(void *state, net_node *node, net_message *message)
{
    script *self = state;
    const net_event event = {.message = message};
    const net_id id = net_node_id(node);
    expect(message->type == TYPE_NUMBER);
    expect(number_of(&event) == self->told[message->from]++);
    net_work(node, 1.0);
    expect(tell_number(self, id, message->from, TYPE_STRAY, 0) == STRADS_OK);
    expect(tell_number(self, id, message->from, TYPE_ANSWER, 0) == STRADS_OK);
    net_message_destroy(message);
}

static void serve_answer(void *state, net_node *node, net_message *message)
{
    script *self = state;
    expect(message->type == TYPE_ANSWER);
    atomic_fetch_add(&self->n_answered, 1);
    net_wake(self->network, net_node_id(node));
    net_message_destroy(message);
}

static bool all_have_answered(void *context)
{
    script *self = context;
    return atomic_load(&self->n_answered) == FEW * (self->n_nodes - 2);
}

static bool never(void *context)
{
    (void) context;
    return false;
}

static void ask_all(script *self, net_node *node, const net_event *event)
{
    const net_id me = net_node_id(node);
    if (event->kind == NET_STARTED) {
        for (uint32_t i = 0; i < FEW; i++) {
            for (net_id id = 1; id < self->n_nodes; id++) {
                expect(id == me || tell_number(self, me, id, TYPE_NUMBER, i) == STRADS_OK);
            }
        }
        expect(net_wait_until(self->network, me, INFINITY, all_have_answered, self) == STRADS_OK);
        expect(net_wait_until(self->network, me, 0.001, never, self) == STRADS_ERR_AGAIN);
        expect(send_number(node, 0, NET_DATA, TYPE_STOP, 0) == STRADS_OK);
    }
    if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        net_leave(node);
    }
}

void net_contract_services(void)
{
    for (uint32_t n_nodes = 2; n_nodes <= MAX_NODES; n_nodes++) {
        script scripts[MAX_NODES] = {{.on_event = leave_when_all_have_stopped}};
        for (net_id id = 1; id < n_nodes; id++) {
            scripts[id].on_event = ask_all;
        }
        run(scripts, n_nodes);
        for (net_id id = 1; id < n_nodes; id++) {
            CHECK(atomic_load(&scripts[id].n_answered) == FEW * (n_nodes - 2));
        }
    }
}

/* The first leaves; the others, which wait for what never comes, hear of it. */
static void wait_in_vain(script *self, net_node *node, const net_event *event)
{
    const net_id me = net_node_id(node);
    if (event->kind == NET_STARTED && me == 1) {
        net_leave(node);
    } else if (event->kind == NET_STARTED) {
        self->status = net_wait_until(self->network, me, INFINITY, never, self);
        const strads_status told = tell_number(self, me, 1, TYPE_NUMBER, 0);
        /* Of many, another that has heard of it and left too may be heard of first. */
        expect(told == STRADS_ERR_CLOSED || (told == STRADS_OK && self->n_nodes > 3));
        net_leave(node);
    }
}

void net_contract_closed_wait(void)
{
    for (uint32_t n_nodes = 2; n_nodes <= MAX_NODES; n_nodes++) {
        script scripts[MAX_NODES] = {{.on_event = leave_when_all_are_lost}};
        for (net_id id = 1; id < n_nodes; id++) {
            scripts[id].on_event = wait_in_vain;
        }
        run(scripts, n_nodes);
        for (net_id id = 2; id < n_nodes; id++) {
            CHECK_STATUS(scripts[id].status, STRADS_ERR_CLOSED);
        }
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_worker.c - a worker's answers, to a coordinator of the test. */
#include "strads/worker.h"

#include <stdatomic.h>
#include <string.h>

#include "strads/protocol.h"
#include "tests/support/message_case.h"
#include "tests/support/suite.h"
#include "tests/unit/strads/one_worker.h"

enum { MAX_VARS = 64, MAX_EDGES = MAX_VARS * MAX_VARS };

/* One question to one worker, both on this thread. */
typedef struct dialogue {
    net_message *question; /* sent, and owned by the net, once the worker is ready */
    strads_status failed;  /* what MSG_FAILED said */
    uint32_t answer;       /* its type */
    msg_edge edges[MAX_EDGES];
    size_t n_edges;
    msg_done done;
} dialogue;

/* What the program of the test answers. */
static double (*cosine_of)(uint32_t a, uint32_t b);
static strads_status open_status;

static void listen_in(void *state, net_node *node, const net_event *event)
{
    dialogue *self = state;
    if (event->kind == NET_LOST) {
        net_leave(node);
        return;
    }
    if (event->kind != NET_MESSAGE) {
        return;
    }
    self->answer = event->message->type;
    const void *body = event->message->body;
    if (self->answer == MSG_READY) {
        CHECK_STATUS(net_send(node, 1, self->question), STRADS_OK);
        self->question = NULL;
        return;
    }
    if (self->answer == MSG_FAILED) {
        self->failed = (strads_status) ((const msg_failed *) body)->status;
        return; /* the worker leaves by itself */
    }
    if (self->answer == MSG_EDGES) {
        self->n_edges = ((const msg_edges *) body)->n_edges;
        REQUIRE(self->n_edges <= MAX_EDGES);
        memcpy(self->edges, (const msg_edges *) body + 1, self->n_edges * sizeof(msg_edge));
    } else if (self->answer == MSG_DONE) {
        self->done = *(const msg_done *) body;
    }
    net_message *close = net_message_create(MSG_CLOSE, NET_DATA, sizeof(msg_close));
    *(msg_close *) close->body = (msg_close){.give = 1};
    CHECK_STATUS(net_send(node, 1, close), STRADS_OK);
}

static strads_status test_open(const void *site, strads_worker *worker, void **state)
{
    (void) site;
    *state = worker;
    return open_status;
}

static void test_close(void *state)
{
    (void) state;
}

static strads_status test_correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state;
    for (uint32_t a = pairs->first_new; a < pairs->n; a++) {
        for (uint32_t b = 0; b < a; b++) {
            strads_gram_add(gram, a, b, cosine_of(a, b));
        }
    }
    return STRADS_OK;
}

static strads_status test_push(void *state, const strads_block *block, double *partial)
{
    for (uint32_t i = 0; i < block->n_vars; i++) {
        partial[i] = block->values[i] + 1.0;
    }
    CHECK(strads_worker_rank(state) == 0 && strads_worker_members(state) == 1);
    return STRADS_OK;
}

/* Puts the question to a worker; nothing may be left. */
static void put(dialogue *self)
{
    const strads_app app = {.name = "test",
                            .open_worker = test_open,
                            .close_worker = test_close,
                            .correlate = test_correlate,
                            .push = test_push};
    static const _Atomic bool signal;
    const worker_options options = {.app = &app,
                                    .n_workers = 1,
                                    .n_vars = MAX_VARS,
                                    .structure = {.n_vars = MAX_VARS, .partial_width = 1},
                                    .limits = {.deadline = INFINITY, .signal = &signal}};
    one_worker_run(&options, listen_in, self);
    net_message_destroy(self->question);
}

/* Asks about all pairs of MAX_VARS variables. */
static void ask(dialogue *self, double rho, uint64_t max_edges)
{
    *self = (dialogue){.failed = STRADS_OK};
    self->question = net_message_create(MSG_CORRELATE, NET_CONTROL,
                                        sizeof(msg_correlate) + MAX_VARS * sizeof(uint32_t));
    REQUIRE(self->question != NULL);
    msg_correlate *head = (msg_correlate *) self->question->body;
    *head = (msg_correlate){.rho = rho, .max_edges = max_edges, .n_vars = MAX_VARS};
    memset(head + 1, 0, MAX_VARS * sizeof(uint32_t));
    put(self);
}

static double always_one(uint32_t a, uint32_t b)
{
    (void) a;
    (void) b;
    return 1.0;
}

/* Different for each pair, of either sign. */
static double by_pair(uint32_t a, uint32_t b)
{
    const double size = (a * (a - 1) / 2 + b + 1) / (MAX_VARS * (MAX_VARS - 1) / 2.0);
    return (a + b) % 2 == 0 ? size : -size;
}

static void an_answer_holds_the_pairs_above_rho_by_their_size(void)
{
    static dialogue self;
    size_t expected = 0;
    cosine_of = by_pair;
    ask(&self, 0.5, 0);
    for (uint32_t a = 1; a < MAX_VARS; a++) {
        for (uint32_t b = 0; b < a; b++) {
            expected += fabs(by_pair(a, b)) > 0.5;
        }
    }
    CHECK(self.n_edges == expected);
    for (size_t i = 0; i < self.n_edges; i++) {
        const msg_edge *edge = &self.edges[i];
        CHECK(edge->b < edge->a);
        CHECK(edge->cosine > 0.5 && edge->cosine == fabs(by_pair(edge->a, edge->b)));
    }
}

static void a_bounded_answer_holds_the_strongest_pairs(void)
{
    static dialogue self;
    double weakest = 1.0;
    cosine_of = by_pair;
    ask(&self, 0.1, 100);
    CHECK(self.n_edges > 0 && self.n_edges <= 100);
    for (size_t i = 0; i < self.n_edges; i++) {
        weakest = fmin(weakest, self.edges[i].cosine);
    }
    for (uint32_t a = 1; a < MAX_VARS; a++) {
        for (uint32_t b = 0; b < a; b++) {
            self.n_edges -= fabs(by_pair(a, b)) >= weakest;
        }
    }
    CHECK(self.n_edges == 0); /* all that are as strong as the weakest are there */
}

/* Copies of one column: no bar is between them. */
static void a_bounded_answer_about_copies_ends(void)
{
    static const uint64_t bounds[] = {1, 3, 4, 100};
    static dialogue self;
    cosine_of = always_one;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        ask(&self, 0.2, bounds[i]);
        CHECK(self.answer == MSG_EDGES);
        CHECK(self.n_edges > 0 && self.n_edges <= bounds[i]);
    }
}

static void a_push_without_steps_counts_each_variable_once(void)
{
    static dialogue self;
    enum { N = 3 };
    self = (dialogue){.failed = STRADS_OK};
    self.question =
        net_message_create(MSG_PUSH, NET_DATA, sizeof(msg_push) + N * (sizeof(double) + 8));
    REQUIRE(self.question != NULL);
    memset(self.question->body, 0, self.question->bytes);
    *(msg_push *) self.question->body = (msg_push){.round = 7, .n_members = 1, .n_vars = N};
    put(&self);
    CHECK(self.answer == MSG_DONE);
    CHECK(self.done.round == 7);
    CHECK(self.done.n_updates == N && self.done.n_doubles == N);
    CHECK(self.done.n_steps == 0 && self.done.n_guarded == 0);
}

static void a_worker_that_cannot_open_says_why_and_leaves(void)
{
    static dialogue self;
    open_status = STRADS_ERR_DATA;
    ask(&self, 0.2, 0);
    CHECK(self.answer == MSG_FAILED);
    CHECK_STATUS(self.failed, STRADS_ERR_DATA);
    open_status = STRADS_OK;
}

/* ---- a coordinator in another process ---- */

/* A net with a worker alone on it. */
typedef struct lonely {
    net head;
    net_node node;
    strads_worker *worker;
    const net_message *message; /* from the coordinator */
    strads_status failed;
    bool left;
} lonely;

static strads_status lonely_send(net_node *node, net_id to, net_message *message)
{
    lonely *self = (lonely *) node->network;
    CHECK(to == NET_COORDINATOR && message->type == MSG_FAILED);
    self->failed = (strads_status) ((const msg_failed *) message->body)->status;
    net_message_destroy(message);
    return STRADS_OK;
}

static void lonely_leave(net_node *node)
{
    ((lonely *) node->network)->left = true;
}

static strads_status lonely_sync(void *state, const uint32_t *vars, size_t n, const double *values)
{
    (void) state, (void) vars, (void) values;
    CHECK(n == 3);
    return STRADS_OK;
}

static void hand_over(void *context)
{
    lonely *self = context;
    const net_event event = {
        .kind = NET_MESSAGE, .peer = self->message->from, .message = self->message};
    worker_handle(self->worker, &self->node, &event);
}

/* What a worker says of a message to worker 1, whose program has just the callbacks that
 * every program has, and sync; for strads_free. */
static char *words_of(lonely *self, const net_message *message)
{
    static const net_driver driver = {.name = "lonely", .send = lonely_send, .leave = lonely_leave};
    static const strads_app app = {.name = "test", .sync = lonely_sync};
    static const _Atomic bool signal;
    const worker_options options = {.app = &app,
                                    .rank = 1,
                                    .n_workers = MESSAGE_WORKERS,
                                    .first = MESSAGE_FIRST,
                                    .n_vars = MESSAGE_RANGE,
                                    .structure = {.n_vars = MESSAGE_J, .partial_width = 1},
                                    .limits = {.deadline = INFINITY, .signal = &signal}};
    *self = (lonely){.head = {.driver = &driver, .options.n_nodes = MESSAGE_WORKERS + 1},
                     .message = message};
    self->node = (net_node){.network = &self->head, .id = 2};
    REQUIRE_OK(worker_create(&self->worker, &options));
    char *words = suite_stderr_of(hand_over, self);
    worker_destroy(self->worker);
    return words;
}

static void a_sound_message_of_another_process_is_taken(void)
{
    unsigned char body[MESSAGE_BODY];
    net_message *message = message_of(MSG_SYNC, body, message_sound(MSG_SYNC, body));
    lonely self;
    char *words = words_of(&self, message);
    CHECK_TEXT(words, "");
    CHECK(!self.left);
    strads_free(words);
    net_message_destroy(message);
}

/* Takes the message. */
static void is_refused(net_message *message, const char *expected)
{
    lonely self;
    char *words = words_of(&self, message);
    CHECK(strstr(words, expected) != NULL);
    CHECK_STATUS(self.failed, STRADS_ERR_DATA);
    CHECK(self.left);
    strads_free(words);
    net_message_destroy(message);
}

static void a_bad_message_of_another_process_ends_the_worker(void)
{
    unsigned char body[MESSAGE_BODY];
    const size_t bytes = message_sound(MSG_SYNC, body);
    is_refused(message_of(MSG_SYNC, body, bytes - 1),
               "the coordinator sent worker 1 a bad SYNC: 47 bytes; it takes 48");
    net_message *from_other = message_of(MSG_SYNC, body, bytes);
    from_other->from = 3;
    is_refused(from_other, "worker 2 sent worker 1 a bad SYNC: it is not due");
    is_refused(message_of(MSG_DONE, body, bytes), "a bad DONE: it is not due");
}

static void what_the_program_has_no_callback_for_is_refused(void)
{
    unsigned char body[MESSAGE_BODY];
    is_refused(message_of(MSG_STAGE, body, message_sound(MSG_STAGE, body)),
               "a bad STAGE: it is not due");
    is_refused(message_of(MSG_CORRELATE, body, message_sound(MSG_CORRELATE, body)),
               "a bad CORRELATE: it is not due");
    is_refused(message_of(MSG_LEND, body, message_sound(MSG_LEND, body)),
               "a bad LEND: it is not due");
}

SUITE("strads/worker",
      {"an answer holds the pairs above rho by their size",
       an_answer_holds_the_pairs_above_rho_by_their_size},
      {"a bounded answer holds the strongest pairs", a_bounded_answer_holds_the_strongest_pairs},
      {"a bounded answer about copies ends", a_bounded_answer_about_copies_ends},
      {"a push without steps counts each variable once",
       a_push_without_steps_counts_each_variable_once},
      {"a worker that cannot open says why and leaves",
       a_worker_that_cannot_open_says_why_and_leaves},
      {"a sound message of another process is taken", a_sound_message_of_another_process_is_taken},
      {"a bad message of another process ends the worker",
       a_bad_message_of_another_process_ends_the_worker},
      {"what the program has no callback for is refused",
       what_the_program_has_no_callback_for_is_refused})

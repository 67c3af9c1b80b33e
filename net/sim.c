/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim.c - the driver whose nodes are simulated machines: one at a time, on one
 * thread, in virtual time, the same from the same seed.
 *
 * One loop takes events in order of time. The coordinator's handler runs on the
 * caller's stack, that of each worker on a fiber, where it may wait in an exchange or for
 * a service.
 */
#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "net/sim_state.h"

/* ---- time ---- */

void sim_advance(sim_node *node, double seconds)
{
    double *clock = node->serving ? &node->service_clock : &node->clock;
    const double done = sim_pace_after(&node->pace, *clock, seconds);
    assert(done >= *clock);
    *(node->serving ? &node->account.serving : &node->account.computing) += done - *clock;
    *clock = done;
}

static bool costs_by_clock(const sim_node *node)
{
    return sim_net_of(&node->head)->cluster->costing == NET_COST_CLOCK;
}

void sim_enter_driver(sim_node *node)
{
    if (costs_by_clock(node)) {
        sim_advance(node, strads_thread_seconds() - node->thread_mark);
    }
}

void sim_leave_driver(sim_node *node)
{
    if (costs_by_clock(node)) {
        node->thread_mark = strads_thread_seconds();
    }
}

static void sim_work(net_node *base, double units)
{
    sim_advance((sim_node *) base, 1e-9 * sim_net_of(base)->cluster->unit_ns * units);
}

/* What strads_now says. */
static double virtual_now(void *context)
{
    sim_net *network = context;
    sim_node *node = network->running;
    if (node == NULL) {
        return network->now;
    }
    sim_enter_driver(node);
    sim_leave_driver(node);
    return node->clock;
}

/* ---- running ---- */

void sim_post(sim_net *network, sim_event event)
{
    if (sim_queue_reserve(&network->queue) == STRADS_OK) {
        sim_queue_put(&network->queue, event);
        return;
    }
    network->failure = STRADS_ERR_NOMEM;
    if (event.kind == SIM_ARRIVE) {
        net_message_destroy(event.message);
    }
}

/* Its handler waits in the middle. */
static bool is_in_wait(const sim_node *node)
{
    return node->exchange != NULL || node->waits;
}

void sim_wake(sim_net *network, sim_node *node)
{
    if (!node->ready && !node->left && !is_in_wait(node)) {
        node->ready = true;
        sim_post(network, (sim_event){.kind = SIM_READY,
                                      .time = fmax(network->now, node->clock),
                                      .node = node->head.id});
    }
}

bool sim_is_out(const sim_node *node)
{
    return node->left || node->clock >= node->lose_at ||
           sim_net_of(&node->head)->failure != STRADS_OK;
}

static void sim_leave(net_node *base)
{
    sim_node *node = (sim_node *) base;
    sim_net *network = sim_net_of(base);
    assert(!node->left || node->lose_at <= node->left_at); /* left twice */
    sim_enter_driver(node);
    if (!sim_is_out(node)) {
        node->left = true;
        node->left_at = node->clock;
        network->n_left++;
        sim_post(network, (sim_event){.kind = SIM_LEFT,
                                      .time = node->clock + network->cluster->link.latency,
                                      .node = base->id});
    }
    sim_leave_driver(node);
}

static void call_handler(void *context)
{
    sim_node *node = context;
    const net_event event = node->event;
    sim_leave_driver(node);
    node->handler(node->self, &node->head, &event);
    sim_enter_driver(node);
}

/* Runs the node until its handler returns (true) or waits. */
static bool step(sim_net *network, sim_node *node)
{
    bool returned = true;
    network->running = node;
    if (is_in_wait(node)) {
        returned = net_fiber_resume(node->fiber);
    } else if (node->fiber != NULL) {
        returned = net_fiber_call(node->fiber, call_handler, node);
    } else {
        call_handler(node);
    }
    network->running = NULL;
    return returned;
}

/* The handler is done at node->clock: only then its message gives its credit back, and
 * the node takes its next event. */
static void finish(sim_net *network, sim_node *node)
{
    const bool ahead = node->clock > network->now && !node->left;
    if (!ahead) {
        sim_release(network, node);
    }
    if (ahead || sim_has_work(node)) {
        sim_wake(network, node);
    }
}

static void take_turn(sim_net *network, sim_node *node)
{
    if (!is_in_wait(node)) {
        sim_release(network, node);
        node->ready = false;
        if (node->left || !sim_take(node)) {
            return;
        }
    }
    assert(network->now >= node->clock);
    node->ready = false;
    *(node->waits ? &node->account.waiting : &node->account.idle) += network->now - node->clock;
    node->clock = network->now;
    if (step(network, node)) {
        finish(network, node);
    }
}

static void die(sim_net *network, sim_node *node)
{
    if (node->left) {
        return;
    }
    node->left = true;
    node->left_at = network->now;
    network->n_left++;
    sim_close_exchange(network, node);
    sim_close_wait(network, node);
    sim_post(network, (sim_event){.kind = SIM_MISSED,
                                  .time = network->now + network->cluster->timeout,
                                  .node = node->head.id});
}

static void happen(sim_net *network, const sim_event *event)
{
    sim_node *node = &network->nodes[event->node];
    assert(event->time >= network->now);
    network->now = event->time;
    switch (event->kind) {
    case SIM_READY:
        take_turn(network, node);
        break;
    case SIM_REACH:
        sim_message_reaches(network, node, event->message);
        break;
    case SIM_ARRIVE:
        sim_message_arrives(network, node, event->message);
        break;
    case SIM_LEFT:
        sim_tell_left(network, node);
        break;
    case SIM_LOST:
        sim_lose_peer(network, node, (net_id) event->peer);
        break;
    case SIM_DIE:
        die(network, node);
        break;
    case SIM_MISSED:
        sim_tell_missed(network, node);
        break;
    case SIM_SEVER:
        sim_sever(network, &network->cluster->faults[event->peer]);
        break;
    case SIM_LIMIT:
        if (node->n_waits == event->peer) {
            sim_wake_waiter(&network->head, event->node);
        }
        break;
    }
}

/* Faults come first, so that a machine that is lost at 0 never starts. */
static void post_all(sim_net *network)
{
    const net_cluster *cluster = network->cluster;
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        if (network->nodes[id].lose_at < INFINITY) {
            sim_post(network,
                     (sim_event){.kind = SIM_DIE, .time = network->nodes[id].lose_at, .node = id});
        }
    }
    for (size_t i = 0; i < cluster->n_faults; i++) {
        const net_fault *fault = &cluster->faults[i];
        if (fault->kind == NET_FAULT_CUT && sim_cut_is_final(cluster, fault)) {
            sim_post(
                network,
                (sim_event){.kind = SIM_SEVER, .time = fault->from + cluster->timeout, .peer = i});
        }
    }
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        sim_wake(network, &network->nodes[id]);
    }
}

/* Nothing is going to happen, and some have not left. */
static void say_who_waits(const sim_net *network)
{
    enum { MAX_NAMED = 8 };
    char text[1024] = "";
    int length = 0;
    uint32_t n_waiting = 0;
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        const sim_node *node = &network->nodes[id];
        if (node->left || ++n_waiting > MAX_NAMED) {
            continue;
        }
        length += snprintf(text + length, sizeof(text) - (size_t) length, "%smachine %u waits for ",
                           n_waiting > 1 ? ", " : "", id);
        if (node->exchange == NULL) {
            length += snprintf(text + length, sizeof(text) - (size_t) length,
                               node->waits ? "an answer" : "a message");
        } else {
            length += snprintf(text + length, sizeof(text) - (size_t) length,
                               "an exchange of %u with %u there", node->exchange->n_members,
                               network->n_waiting[node->exchange->n_members]);
        }
    }
    strads_error("the simulated cluster stands still at %.9g seconds: %s%s", network->now, text,
                 n_waiting > MAX_NAMED ? ", and so on" : "");
}

/* Takes those who wait out of their exchange, so that they give back what they hold. */
static void unwind(sim_net *network)
{
    for (net_id id = 1; id < network->head.options.n_nodes; id++) {
        sim_node *node = &network->nodes[id];
        if (is_in_wait(node)) {
            if (node->exchange != NULL && !node->resolved) {
                network->n_waiting[node->exchange->n_members]--;
                node->outcome = STRADS_ERR_CLOSED;
            }
            const bool returned = step(network, node);
            assert(returned);
        }
    }
}

/* What a run comes to is in the coordinator. */
static void check_coordinator(sim_net *network)
{
    const sim_node *coordinator = &network->nodes[NET_COORDINATOR];
    if (network->failure == STRADS_OK && coordinator->left_at >= coordinator->lose_at) {
        strads_error("the coordinator's machine was lost at %.9g seconds", coordinator->lose_at);
        network->failure = STRADS_ERR_CLOSED;
    }
}

static strads_status sim_run(net *base)
{
    sim_net *network = (sim_net *) base;
    post_all(network);
    while (network->n_left < base->options.n_nodes && network->failure == STRADS_OK) {
        sim_event event;
        if (sim_queue_take(&network->queue, &event)) {
            happen(network, &event);
        } else {
            say_who_waits(network);
            network->failure = STRADS_ERR_CLOSED;
        }
    }
    check_coordinator(network);
    unwind(network);
    for (net_id id = 0; id < base->options.n_nodes; id++) {
        network->now = fmax(network->now, network->nodes[id].clock);
    }
    return network->failure;
}

net_sim_account net_sim_report(const net *network, net_id machine)
{
    assert(network->driver == &net_sim && machine < network->options.n_nodes);
    return ((const sim_net *) network)->nodes[machine].account;
}

/* ---- life ---- */

static double lose_time(const net_cluster *cluster, net_id machine)
{
    double first = INFINITY;
    for (size_t i = 0; i < cluster->n_faults; i++) {
        const net_fault *fault = &cluster->faults[i];
        if (fault->kind == NET_FAULT_LOSE && fault->first <= machine && machine <= fault->last) {
            first = fmin(first, fault->from);
        }
    }
    return first;
}

static void fini_node(sim_node *node)
{
    sim_drop_messages(node);
    net_fiber_destroy(node->fiber);
    sim_pace_fini(&node->pace);
}

static strads_status init_node(sim_net *network, net_id id)
{
    sim_node *node = &network->nodes[id];
    *node = (sim_node){.head = {.network = &network->head, .id = id},
                       .lose_at = lose_time(network->cluster, id),
                       .jitter = strads_random_start(network->cluster->seed, id),
                       .gone = network->sets + 2 * id * network->n_words,
                       .untold = network->sets + (2 * id + 1) * network->n_words};
    strads_status status = sim_pace_init(&node->pace, network->cluster, id);
    if (status == STRADS_OK && id != NET_COORDINATOR) {
        status = net_fiber_create(&node->fiber);
        if (status != STRADS_OK) {
            sim_pace_fini(&node->pace);
        }
    }
    return status;
}

static void free_arrays(sim_net *network)
{
    strads_free(network->extras);
    strads_free(network->vectors);
    strads_free(network->n_waiting);
    strads_free(network->sets);
    strads_free(network->nodes);
}

static strads_status alloc_arrays(sim_net *network)
{
    const uint32_t n_nodes = network->head.options.n_nodes;
    network->n_words = (n_nodes + 63) / 64;
    network->nodes = strads_calloc(n_nodes, sizeof(*network->nodes));
    network->sets = strads_calloc(2 * n_nodes * network->n_words, sizeof(*network->sets));
    network->n_waiting = strads_calloc(n_nodes, sizeof(*network->n_waiting));
    network->vectors = strads_calloc(n_nodes, sizeof(*network->vectors));
    network->extras = strads_calloc(n_nodes, sizeof(*network->extras));
    if (network->nodes == NULL || network->sets == NULL || network->n_waiting == NULL ||
        network->vectors == NULL || network->extras == NULL) {
        free_arrays(network);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

static void fini_nodes(sim_net *network, uint32_t n_nodes)
{
    for (net_id id = 0; id < n_nodes; id++) {
        fini_node(&network->nodes[id]);
    }
}

static void sim_destroy(net *base)
{
    sim_net *network = (sim_net *) base;
    sim_event event;
    strads_clock_set_source(NULL, NULL);
    while (sim_queue_take(&network->queue, &event)) {
        if (event.kind == SIM_REACH || event.kind == SIM_ARRIVE) {
            net_message_destroy(event.message);
        }
    }
    fini_nodes(network, base->options.n_nodes);
    sim_links_fini(&network->links);
    sim_queue_fini(&network->queue);
    free_arrays(network);
    strads_free(network);
}

static strads_status sim_create(net **out, const net_options *options)
{
    assert(options->cluster != NULL && options->n_nodes == options->cluster->n_workers + 1);
    sim_net *network = strads_calloc(1, sizeof(*network));
    if (network == NULL) {
        return STRADS_ERR_NOMEM;
    }
    network->head = (net){.driver = &net_sim, .options = *options};
    network->head.counts_work = options->cluster->costing == NET_COST_UNITS;
    network->cluster = options->cluster;
    strads_status status = alloc_arrays(network);
    if (status != STRADS_OK) {
        goto err_free;
    }
    status = sim_links_init(&network->links, options->cluster);
    if (status != STRADS_OK) {
        goto err_free_arrays;
    }
    uint32_t n_ready = 0;
    while (n_ready < options->n_nodes && status == STRADS_OK) {
        status = init_node(network, n_ready);
        n_ready += status == STRADS_OK ? 1 : 0;
    }
    if (status != STRADS_OK) {
        goto err_fini_nodes;
    }
    strads_clock_set_source(virtual_now, network);
    *out = &network->head;
    return STRADS_OK;

err_fini_nodes:
    fini_nodes(network, n_ready);
    sim_links_fini(&network->links);
err_free_arrays:
    free_arrays(network);
err_free:
    strads_free(network);
    return status;
}

static void sim_attach(net *base, net_id id, net_handler handler, void *self)
{
    sim_net *network = (sim_net *) base;
    network->nodes[id].handler = handler;
    network->nodes[id].self = self;
}

const net_driver net_sim = {
    .name = "sim",
    .create = sim_create,
    .destroy = sim_destroy,
    .attach = sim_attach,
    .run = sim_run,
    .send = sim_send,
    .leave = sim_leave,
    .exchange = sim_exchange,
    .exchange_units = sim_exchange_units,
    .work = sim_work,
    .node_of = sim_node_of,
    .tell = sim_tell,
    .wait = sim_wait,
    .wake = sim_wake_waiter,
};

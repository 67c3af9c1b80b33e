/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/watch.c - the calls of net/net.h, watched: order, credits, ends, time. */
#include "tests/support/watch_state.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/sim_state.h"

enum { MAX_QUEUE = 64 }; /* messages under way from one node to another in a watched run */

/* From one node to another. */
typedef struct line {
    const net_message *sent[MAX_QUEUE]; /* ring: those that did not arrive yet */
    uint32_t first, n;
    uint32_t n_held; /* with those that are being handled */
} line;

typedef struct watched_node {
    net_handler handler;
    void *self;
    bool started, left;
    const net_message *reading; /* what its handler was called with; NULL: no message */
    uint64_t trail;             /* the exchanges of this call */
    double time;
} watched_node;

watch_terms watch_held_to;
watch_report watch_found;
uint32_t watch_n_workers;

static bool watching;
static uint32_t n_credits;
static watched_node nodes[WATCH_WORKERS + 1];
static line lines[WATCH_WORKERS + 1][WATCH_WORKERS + 1][NET_N_LANES];

/* ---- what was found ---- */

void watch_complain(const char *format, ...)
{
    if (watch_found.complaint[0] == '\0') {
        va_list list;
        va_start(list, format);
        vsnprintf(watch_found.complaint, WATCH_TEXT, format, list);
        va_end(list);
    }
}

uint64_t watch_mix(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void note(uint64_t what)
{
    watch_found.hash = watch_mix(watch_found.hash, &what, sizeof(what));
}

/* The node's clock stands at now; `begins`: so does that of the whole. */
static void look_at_clock(net_id id, bool begins)
{
    const double now = strads_now();
    if (now < nodes[id].time) {
        watch_complain("the clock of node %u went back from %.17g to %.17g", id, nodes[id].time,
                       now);
    }
    if (begins && now < watch_found.end) {
        watch_complain("node %u goes on at %.17g, after %.17g", id, now, watch_found.end);
    }
    nodes[id].time = now;
    watch_found.end = begins ? now : watch_found.end;
    watch_found.hash = watch_mix(watch_found.hash, &now, sizeof(now));
}

void watch_begin(const watch_terms *terms)
{
    assert(terms->n_vars <= WATCH_VARS);
    watch_held_to = *terms;
    watch_found = (watch_report){.hash = UINT64_C(0xcbf29ce484222325)};
    memset(nodes, 0, sizeof(nodes));
    memset(lines, 0, sizeof(lines));
    watching = true;
}

const char *watch_complaint(void)
{
    return watch_found.complaint;
}

watch_report watch_end(bool completed)
{
    watching = false;
    if (completed) {
        watch_rounds_end();
    }
    for (net_id id = 0; completed && id <= watch_n_workers; id++) {
        if (!nodes[id].left) {
            watch_complain("node %u has not left", id);
        }
    }
    return watch_found;
}

/* ---- messages ---- */

/* A round's PUSH and SYNC for each in flight, a DRAW, a SCAN, a STAGE and a CLOSE. */
static uint32_t explained(net_lane lane)
{
    return lane == NET_CONTROL ? 2 : 2 * (watch_held_to.pipeline + 1) + 4;
}

/* message: a copy of `sent`. */
static void look_at_sent(net_id from, net_id to, const net_message *message,
                         const net_message *sent)
{
    line *on = &lines[from][to][message->lane];
    if (nodes[from].left) {
        watch_complain("node %u sends %u to %u after it has left", from, message->type, to);
    }
    on->n_held++;
    if (on->n_held > n_credits || on->n_held > explained(message->lane)) {
        watch_complain("%u messages from %u to %u on lane %d, %u credits", on->n_held, from, to,
                       (int) message->lane, n_credits);
    }
    assert(on->n < MAX_QUEUE);
    on->sent[(on->first + on->n++) % MAX_QUEUE] = sent;
    watch_found.n_messages++;
    note(from);
    note(to);
    note(message->type);
    note(watch_rounds_hash(message));
}

static void look_at_arrival(net_id to, const net_message *message)
{
    line *on = &lines[message->from][to][message->lane];
    if (on->n == 0 || on->sent[on->first] != message) {
        watch_complain("a message %u from %u to %u on lane %d is out of order", message->type,
                       message->from, to, (int) message->lane);
        watching = false; /* what follows from it is no news */
        return;
    }
    on->first = (on->first + 1) % MAX_QUEUE;
    on->n--;
}

/* ---- the calls; __real_ is what net.c has ---- */

strads_status __real_net_create(net **out, const char *driver, const net_options *options);
void __real_net_attach(net *network, net_id id, net_handler handler, void *self);
strads_status __real_net_send(net_node *node, net_id to, net_message *message);
void __real_net_leave(net_node *node);
strads_status __real_net_exchange_sum(net_node *node, const net_exchange *exchange);
void __real_net_destroy(net *network);

strads_status __wrap_net_create(net **out, const char *driver, const net_options *options);
void __wrap_net_attach(net *network, net_id id, net_handler handler, void *self);
strads_status __wrap_net_send(net_node *node, net_id to, net_message *message);
void __wrap_net_leave(net_node *node);
strads_status __wrap_net_exchange_sum(net_node *node, const net_exchange *exchange);
void __wrap_net_destroy(net *network);

strads_status __wrap_net_create(net **out, const char *driver, const net_options *options)
{
    if (watching) {
        assert(options->n_nodes <= WATCH_WORKERS + 1);
        watch_n_workers = options->n_nodes - 1;
        n_credits = options->queue_messages;
        watch_rounds_start();
    }
    return __real_net_create(out, driver, options);
}

/* Time ends here. */
void __wrap_net_destroy(net *network)
{
    watch_found.end = fmax(watch_found.end, network == NULL ? 0.0 : strads_now());
    __real_net_destroy(network);
}

static void look_at_event(net_id id, const net_event *event)
{
    watched_node *of = &nodes[id];
    look_at_clock(id, true);
    note(id);
    note((uint64_t) event->kind);
    note(event->peer);
    if (of->left) {
        watch_complain("node %u is called after it has left", id);
    }
    if (of->started == (event->kind == NET_STARTED)) {
        watch_complain("node %u starts %s", id, of->started ? "twice" : "with another event");
    }
    of->started = true;
    of->trail = 0;
    of->reading = event->kind == NET_MESSAGE ? event->message : NULL;
    if (of->reading != NULL) {
        look_at_arrival(id, of->reading);
    }
}

/* Which messages have come, only the driver knows. */
static void look_at_lanes(const net_node *node, const net_event *event)
{
    const sim_node *machine = (const sim_node *) node;
    if (event->kind == NET_MESSAGE && event->message->lane == NET_DATA &&
        machine->lanes[NET_CONTROL].first != NULL) {
        watch_complain("node %u takes data message %u with a control message waiting",
                       net_node_id(node), event->message->type);
    }
}

static void watched_handler(void *self, net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    watched_node *of = self;
    look_at_event(id, event);
    look_at_lanes(node, event);
    of->handler(of->self, node, event);
    look_at_clock(id, false);
    if (of->reading != NULL) {
        lines[of->reading->from][id][of->reading->lane].n_held--;
    }
    if (event->kind != NET_LOST) {
        watch_rounds_handled(id, of->reading, of->left);
    }
    of->reading = NULL;
}

void __wrap_net_attach(net *network, net_id id, net_handler handler, void *self)
{
    if (watching) {
        nodes[id].handler = handler;
        nodes[id].self = self;
        __real_net_attach(network, id, watched_handler, &nodes[id]);
    } else {
        __real_net_attach(network, id, handler, self);
    }
}

/* The message is the driver's, and may be gone, once it is sent: what is looked at is a
 * copy. */
strads_status __wrap_net_send(net_node *node, net_id to, net_message *message)
{
    if (!watching) {
        return __real_net_send(node, to, message);
    }
    const net_id from = net_node_id(node);
    net_message *copy = malloc(sizeof(*message) + message->bytes);
    if (copy == NULL) {
        perror("watch");
        exit(2);
    }
    memcpy(copy, message, sizeof(*message) + message->bytes);
    const strads_status status = __real_net_send(node, to, message);
    look_at_clock(from, false);
    if (status == STRADS_OK) {
        look_at_sent(from, to, copy, message);
        watch_rounds_sent(from, to, copy, nodes[from].reading, nodes[from].trail);
    }
    free(copy);
    return status;
}

void __wrap_net_leave(net_node *node)
{
    const net_id id = net_node_id(node);
    if (watching && nodes[id].left) {
        watch_complain("node %u leaves twice", id);
    }
    nodes[id].left = true;
    __real_net_leave(node);
}

strads_status __wrap_net_exchange_sum(net_node *node, const net_exchange *exchange)
{
    if (!watching) {
        return __real_net_exchange_sum(node, exchange);
    }
    const net_id id = net_node_id(node);
    watched_node *of = &nodes[id];
    const uint64_t shape[] = {exchange->n_members, exchange->n, exchange->base != NULL};
    watch_rounds_exchange(id, of->reading, exchange);
    look_at_clock(id, false);
    const strads_status status = __real_net_exchange_sum(node, exchange);
    look_at_clock(id, status == STRADS_OK);
    of->trail = watch_mix(of->trail, shape, sizeof(shape));
    if (status == STRADS_OK) {
        of->trail = watch_mix(of->trail, exchange->vector, exchange->n * sizeof(double));
        of->trail = watch_mix(of->trail, exchange->votes, sizeof(*exchange->votes));
    }
    watch_found.n_exchanges++;
    note((uint64_t) status);
    note(of->trail);
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_exchange.c - the exchange of a simulated cluster.
 *
 * It begins when the last member has come, and ends for all of them
 *
 *     2 ceil(log2 P) latency + 2 (P - 1) / P bytes / bandwidth
 *
 * later: an all-reduce by recursive halving and doubling, over the worst link among the
 * members. It does not contend with messages.
 */
#include <assert.h>
#include <math.h>

#include "net/sim_state.h"
#include "net/sum.h"

/* The outcome is known, and the node goes on at `time`. */
static void resolve(sim_net *network, sim_node *node, strads_status outcome, double time)
{
    assert(!node->ready);
    network->n_waiting[node->exchange->n_members]--;
    node->resolved = true;
    node->outcome = outcome;
    node->ready = true;
    sim_post(network, (sim_event){.kind = SIM_READY, .time = time, .node = node->head.id});
}

void sim_close_exchange(sim_net *network, sim_node *node)
{
    if (node->exchange != NULL && !node->resolved) {
        const double time = fmax(network->now, node->clock);
        node->account.waiting += time - node->clock;
        node->clock = time;
        resolve(network, node, STRADS_ERR_CLOSED, time);
    }
}

static double ceil_log2(uint32_t n)
{
    return (double) (32 - __builtin_clz(n - 1));
}

/* What the network takes for n numbers of each member. */
static double seconds_of(sim_net *network, uint32_t n_members, size_t n)
{
    const net_link link = sim_links_worst(&network->links, n_members);
    const double share = 2.0 * (n_members - 1) / n_members;
    return 2.0 * ceil_log2(n_members) * link.latency +
           share * (double) (n * sizeof(double)) / link.bandwidth;
}

double sim_exchange_units(const net *network, uint32_t n_members, size_t n)
{
    sim_net *self = (sim_net *) network; /* whose worst link is found once */
    return seconds_of(self, n_members, n) / (1e-9 * self->cluster->unit_ns);
}

/* When the exchange of the members nodes[0 .. n_members-1] begins and ends; false: a
 * member is cut off or ends before that, so that all are to hear of a loss. */
static bool plan(sim_net *network, const sim_node *nodes, uint32_t n_members, double *start,
                 double *end)
{
    double last = 0.0;
    double first_loss = INFINITY;
    for (uint32_t k = 0; k < n_members; k++) {
        last = fmax(last, nodes[k].entered);
        first_loss = fmin(first_loss, nodes[k].lose_at);
    }
    *start = sim_cuts_clear_all(network->cluster, n_members, last);
    const net_exchange *exchange = nodes[0].exchange;
    *end = *start + seconds_of(network, n_members, exchange->n + exchange->n_extra);
    return *end < first_loss && *end < INFINITY;
}

static void account(sim_node *node, double start, double end)
{
    const uint32_t n_members = node->exchange->n_members;
    const double share = 2.0 * (n_members - 1) / n_members;
    node->account.waiting += start - node->clock;
    node->account.exchanging += end - start;
    node->account.n_messages += 2 * (uint64_t) ceil_log2(n_members);
    const size_t n = node->exchange->n + node->exchange->n_extra;
    node->account.n_bytes += (uint64_t) (share * (double) n * sizeof(double));
    node->clock = end;
}

static void complete(sim_net *network, uint32_t n_members)
{
    sim_node *members = &network->nodes[1];
    const net_exchange *first = members[0].exchange;
    double start = 0.0, end = 0.0;
    if (!plan(network, members, n_members, &start, &end)) {
        return;
    }
    uint32_t votes = 0;
    for (uint32_t k = 0; k < n_members; k++) {
        const net_exchange *exchange = members[k].exchange;
        assert(exchange->n == first->n && exchange->n_extra == first->n_extra &&
               (exchange->base == NULL) == (first->base == NULL));
        network->vectors[k] = exchange->vector;
        network->extras[k] = exchange->extra;
        votes |= *exchange->votes;
    }
    const net_summands vectors = {
        .vectors = network->vectors, .n = n_members, .end = n_members, .base = first->base};
    const net_summands extras = {.vectors = network->extras, .n = n_members, .end = n_members};
    net_sum_vectors(&vectors, 0, first->n);
    net_sum_vectors(&extras, 0, first->n_extra);
    for (uint32_t k = 0; k < n_members; k++) {
        *members[k].exchange->votes = votes;
        account(&members[k], start, end);
        resolve(network, &members[k], STRADS_OK, end);
    }
}

static bool misses_a_member(const sim_node *node, uint32_t n_members)
{
    for (net_id id = 1; id <= n_members; id++) {
        if (sim_set_has(node->gone, id)) {
            return true;
        }
    }
    return false;
}

static strads_status meet(sim_node *node, const net_exchange *exchange)
{
    sim_net *network = sim_net_of(&node->head);
    const uint32_t n_members = exchange->n_members;
    if (sim_is_out(node) || misses_a_member(node, n_members)) {
        return STRADS_ERR_CLOSED;
    }
    node->exchange = exchange;
    node->entered = node->clock;
    node->resolved = false;
    if (++network->n_waiting[n_members] == n_members) {
        complete(network, n_members);
    }
    net_fiber_wait(node->fiber);
    node->exchange = NULL;
    return node->outcome;
}

strads_status sim_exchange(net_node *base, const net_exchange *exchange)
{
    sim_node *node = (sim_node *) base;
    if (exchange->n_members == 1) {
        return STRADS_OK; /* the sum over one is what it has */
    }
    sim_enter_driver(node);
    const strads_status status = meet(node, exchange);
    sim_leave_driver(node);
    return status;
}

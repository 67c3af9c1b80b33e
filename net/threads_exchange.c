/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/threads_exchange.c - the exchange of the driver `threads`.
 *
 * The members of a process lend their vectors to each other, and every one adds up its
 * share of the elements. With members in other processes too the first one here trades
 * with them (net/trade.h), before and after.
 */
#include <assert.h>

#include "net/sum.h"
#include "net/threads_state.h"

/* Among the members of this process. */
typedef struct place {
    uint32_t mine, n; /* I am the mine-th of n */
    uint32_t first;   /* the rank of the 0-th */
} place;

static place place_of(const threads_net *network, net_id id, uint32_t n_members)
{
    const net_id first = network->first == NET_COORDINATOR ? 1 : network->first;
    const net_id end = network->end - 1 < n_members ? network->end : n_members + 1;
    return (place){.mine = id - first, .n = end - first, .first = first - 1};
}

/* Nobody leaves between entry and exit: whoever entered gets there. */
static void meet(net_barrier *barrier, uint32_t n)
{
    const bool met = n == 1 || net_barrier_wait(barrier, n);
    assert(met);
}

static uint32_t or_all(const uint32_t *votes, uint32_t n_members)
{
    uint32_t all = 0;
    for (uint32_t k = 0; k < n_members; k++) {
        all |= votes[k];
    }
    return all;
}

/* Few numbers: the first member here adds them up, for all. */
static void add_extras(double *const *extras, const net_exchange *exchange, place at)
{
    const net_summands of = {
        .vectors = extras, .n = exchange->n_members, .first = at.first, .end = at.first + at.n};
    if (at.mine == 0) {
        net_sum_vectors(&of, 0, exchange->n_extra);
    }
}

/* This member's share of n elements, for all members here. */
static void add_share(double *const *vectors, const net_exchange *exchange, const double *base,
                      size_t n, place at)
{
    const net_summands of = {.vectors = vectors,
                             .n = exchange->n_members,
                             .first = at.first,
                             .end = at.first + at.n,
                             .base = base};
    net_sum_vectors(&of, n * at.mine / at.n, n * (at.mine + 1) / at.n);
}

static void exchange_here(threads_net *network, const net_exchange *exchange, place at)
{
    add_extras(network->extras, exchange, at);
    *exchange->votes = or_all(network->votes, exchange->n_members);
    add_share(network->vectors, exchange, exchange->base, exchange->n, at);
    meet(&network->exit, at.n);
}

static strads_status exchange_across(threads_net *network, const net_exchange *exchange, place at)
{
    net_trade *trade = &network->trade;
    if (at.mine == 0) {
        const net_lent lent = {network->vectors, network->extras, network->votes};
        network->traded = net_trade_vectors(trade, exchange, &lent);
    }
    meet(&network->middle, at.n);
    if (network->traded != STRADS_OK) {
        return network->traded;
    }
    add_extras(trade->extras, exchange, at);
    const double *base = exchange->base == NULL ? NULL : exchange->base + trade->first;
    *exchange->votes = or_all(network->votes, exchange->n_members);
    add_share(trade->slices, exchange, base, trade->n, at);
    meet(&network->exit, at.n);
    if (trade->whole) {
        return STRADS_OK;
    }
    if (at.mine == 0) {
        network->traded = net_trade_sums(trade, exchange, network->vectors);
    }
    meet(&network->middle, at.n);
    return network->traded;
}

strads_status threads_exchange(net_node *node, const net_exchange *exchange)
{
    threads_net *network = threads_net_of(node);
    const uint32_t n_members = exchange->n_members;
    if (n_members == 1) {
        return STRADS_OK; /* the sum over one is what it has */
    }
    const place at = place_of(network, node->id, n_members);
    network->vectors[node->id - 1] = exchange->vector;
    network->extras[node->id - 1] = exchange->extra;
    network->votes[node->id - 1] = *exchange->votes;
    if (at.n > 1 && !net_barrier_wait(&network->entry, at.n)) {
        return STRADS_ERR_CLOSED; /* for all members here, so nobody reads another's vector */
    }
    if (net_trade_needed(&network->trade, n_members)) {
        return exchange_across(network, exchange, at);
    }
    exchange_here(network, exchange, at);
    return STRADS_OK;
}

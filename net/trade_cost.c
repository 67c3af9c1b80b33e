/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/trade_cost.c - what an exchange between processes takes, timed when they meet. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "net/shared.h"
#include "net/trade_state.h"

static strads_status post(net_links *links, uint32_t process, size_t bytes)
{
    net_message *part = net_message_create(TRADE_VECTORS, NET_DATA, bytes);
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memset(part->body, 0, bytes);
    return net_links_post(links, process, part);
}

static strads_status drop(net_links *links, uint32_t process)
{
    net_message *part = NULL;
    const strads_status status = net_links_take(links, process, &part);
    if (status == STRADS_OK) {
        net_message_destroy(part);
    }
    return status;
}

/* Parts of so many bytes from all to all. */
static strads_status trade_directly(net_links *links, size_t bytes)
{
    const uint32_t n = net_links_count(links);
    const uint32_t me = net_links_me(links);
    net_shared *shared = net_links_shared(links);
    strads_status status = STRADS_OK;
    if (shared != NULL) {
        memset(net_shared_slot(shared, me, net_shared_turn(shared)), 0, bytes);
        return net_shared_meet(shared, n, net_links_broken(links)) ? STRADS_OK : STRADS_ERR_CLOSED;
    }
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        status = post(links, (me + i) % n, bytes);
    }
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        status = drop(links, (me + i) % n);
    }
    return status;
}

/* A part a hop, as net/trade_relay.c does. */
static strads_status trade_by_hops(net_links *links, size_t bytes)
{
    const uint32_t n = net_links_count(links);
    const uint32_t me = net_links_me(links);
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < n && status == STRADS_OK; i *= 2) {
        status = post(links, (me + n - i) % n, bytes);
        if (status == STRADS_OK) {
            status = drop(links, (me + i) % n);
        }
    }
    return status;
}

/* The least of the means of some exchanges, for in a single one the others may have begun
 * before. Those in memory are quick, and one that lost its core takes a hundred times as long:
 * there are more of them. */
static strads_status time_parts(net_links *links, size_t bytes,
                                strads_status (*way)(net_links *, size_t), double *seconds)
{
    enum { MEANS = 4, MEANS_IN_MEMORY = 100, OF = 4 };
    const int n_means = net_links_shared(links) == NULL ? MEANS : MEANS_IN_MEMORY;
    strads_status status = STRADS_OK;
    *seconds = INFINITY;
    for (int i = 0; i < n_means && status == STRADS_OK; i++) {
        const double started = strads_now();
        for (int k = 0; k < OF && status == STRADS_OK; k++) {
            status = way(links, bytes);
        }
        *seconds = fmin(*seconds, (strads_now() - started) / OF);
    }
    return status;
}

/* All processes have to go the same way: that which the first has found the faster. */
static strads_status agree(net_links *links, bool *relays)
{
    strads_status status = STRADS_OK;
    if (net_links_me(links) > 0) {
        net_message *part = NULL;
        status = net_links_take(links, 0, &part);
        if (status == STRADS_OK) {
            *relays = part->bytes > 0;
            net_message_destroy(part);
        }
        return status;
    }
    for (uint32_t p = 1; p < net_links_count(links) && status == STRADS_OK; p++) {
        status = post(links, p, *relays ? 1 : 0);
    }
    return status;
}

/* Whether the tree is faster: with two processes it is the same, in memory there is no need. */
static strads_status compare(net_links *links, net_links_cost *cost)
{
    double relayed = 0.0;
    if (net_links_count(links) == 2 || net_links_shared(links) != NULL) {
        return STRADS_OK;
    }
    strads_status status = time_parts(links, 0, trade_by_hops, &relayed);
    cost->relays = relayed < cost->hop;
    if (status == STRADS_OK) {
        status = agree(links, &cost->relays);
    }
    strads_debug("a small exchange takes %.1f us directly, %.1f us by hops", 1e6 * cost->hop,
                 1e6 * relayed);
    cost->hop = cost->relays ? relayed : cost->hop;
    return status;
}

strads_status net_trade_measure(net_links *links)
{
    enum { BYTES = 1 << 16 };
    net_links_cost cost = {.relays = false};
    double more = 0.0;
    strads_status status = time_parts(links, 0, trade_directly, &cost.hop);
    if (status == STRADS_OK) {
        status = time_parts(links, BYTES, trade_directly, &more);
    }
    if (status == STRADS_OK) {
        cost.byte = fmax(0.0, more - cost.hop) / ((double) BYTES * (net_links_count(links) - 1));
        status = compare(links, &cost);
    }
    if (status == STRADS_OK) {
        net_links_set_cost(links, &cost);
        strads_debug("an exchange between processes takes %.1f us, and %.2f ns a byte",
                     1e6 * cost.hop, 1e9 * cost.byte);
    }
    return status;
}

double net_trade_seconds(const net_trade *trade, uint32_t n_members, size_t n)
{
    if (!net_trade_needed(trade, n_members)) {
        return 0.0;
    }
    const net_links_cost *cost = net_links_cost_of(trade->links);
    uint32_t first = 0;
    uint32_t n_in = 0;
    trade_find_processes(trade, n_members, &first, &n_in);
    const double bytes = trade_bytes_of_one_hop(trade, n_members, n);
    return trade_fits_memory(trade, n, 0) || n_in == 2 || bytes <= TRADE_ONE_HOP_BYTES
               ? cost->hop + cost->byte * bytes
               : 2.0 * (cost->hop + cost->byte * bytes / n_in);
}

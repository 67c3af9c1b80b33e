/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_links.c - links, cuts and channels. Channels are made when a pair first
 * talks: a thousand machines have a million pairs, few of which do.
 */
#include "net/sim_links.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

/* ---- links ---- */

static int by_pair(const void *a, const void *b)
{
    const net_special_link *x = a;
    const net_special_link *y = b;
    const uint64_t pair_x = (uint64_t) x->a << 32 | x->b;
    const uint64_t pair_y = (uint64_t) y->a << 32 | y->b;
    return (pair_x > pair_y) - (pair_x < pair_y);
}

/* There may be a hundred thousand of them. */
static strads_status sort_special(sim_links *links)
{
    const size_t n = links->cluster->n_special;
    links->special = strads_alloc_array(n, sizeof(*links->special));
    if (links->special == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const net_special_link *given = &links->cluster->special[i];
        links->special[i] = (net_special_link){.a = given->a < given->b ? given->a : given->b,
                                               .b = given->a < given->b ? given->b : given->a,
                                               .link = given->link};
    }
    qsort(links->special, n, sizeof(*links->special), by_pair);
    return STRADS_OK;
}

static net_link link_between(const sim_links *links, net_id a, net_id b)
{
    const net_special_link pair = {.a = a < b ? a : b, .b = a < b ? b : a};
    const net_special_link *special =
        bsearch(&pair, links->special, links->cluster->n_special, sizeof(pair), by_pair);
    return special != NULL ? special->link : links->cluster->link;
}

static net_link worse(net_link a, net_link b)
{
    return (net_link){.latency = fmax(a.latency, b.latency),
                      .bandwidth = fmin(a.bandwidth, b.bandwidth)};
}

net_link sim_links_worst(sim_links *links, uint32_t n_members)
{
    if (n_members == links->n_worst) {
        return links->worst;
    }
    net_link worst = {.latency = 0.0, .bandwidth = INFINITY};
    size_t n_pairs = (size_t) n_members * (n_members - 1) / 2;
    for (size_t i = 0; i < links->cluster->n_special; i++) {
        const net_special_link *special = &links->special[i];
        if (special->a > NET_COORDINATOR && special->b <= n_members) {
            worst = worse(worst, special->link);
            n_pairs--;
        }
    }
    links->worst = n_pairs > 0 ? worse(worst, links->cluster->link) : worst;
    links->n_worst = n_members;
    return links->worst;
}

/* ---- cuts ---- */

bool sim_cut_is_final(const net_cluster *cluster, const net_fault *cut)
{
    return cut->to - cut->from > cluster->timeout;
}

static bool within(const net_fault *cut, net_id machine)
{
    return cut->first <= machine && machine <= cut->last;
}

static bool parts_pair(const net_fault *cut, net_id a, net_id b)
{
    return within(cut, a) != within(cut, b);
}

/* Whether it parts the workers first .. last. */
static bool parts_range(const net_fault *cut, net_id first, net_id last)
{
    const bool meets = cut->first <= last && first <= cut->last;
    return meets && (first < cut->first || cut->last < last);
}

static double clear(const net_cluster *cluster,
                    bool (*parts)(const net_fault *cut, net_id a, net_id b), net_id a, net_id b,
                    double time)
{
    bool moved = cluster->n_faults > 0;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < cluster->n_faults; i++) {
            const net_fault *fault = &cluster->faults[i];
            const bool cuts = fault->kind == NET_FAULT_CUT && parts(fault, a, b);
            if (cuts && sim_cut_is_final(cluster, fault) && fault->from <= time) {
                return INFINITY;
            }
            if (cuts && fault->from <= time && time < fault->to) {
                time = fault->to;
                moved = true;
            }
        }
    }
    return time;
}

double sim_cuts_clear(const net_cluster *cluster, net_id a, net_id b, double time)
{
    return clear(cluster, parts_pair, a, b, time);
}

double sim_cuts_clear_all(const net_cluster *cluster, uint32_t n_members, double time)
{
    return clear(cluster, parts_range, 1, n_members, time);
}

/* ---- channels ---- */

/* Where the channel is or would be (Fibonacci hashing, linear probing). */
static size_t slot_of(sim_channel *const *slots, size_t n_slots, net_id from, net_id to)
{
    const uint64_t key = (uint64_t) from << 32 | to;
    size_t at = (size_t) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (n_slots - 1);
    while (slots[at] != NULL && (slots[at]->from != from || slots[at]->to != to)) {
        at = (at + 1) & (n_slots - 1);
    }
    return at;
}

static strads_status grow(sim_links *links)
{
    const size_t n_slots = 2 * links->n_slots;
    sim_channel **slots = strads_calloc(n_slots, sizeof(sim_channel *));
    if (slots == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < links->n_slots; i++) {
        sim_channel *channel = links->slots[i];
        if (channel != NULL) {
            slots[slot_of(slots, n_slots, channel->from, channel->to)] = channel;
        }
    }
    strads_free(links->slots);
    links->slots = slots;
    links->n_slots = n_slots;
    return STRADS_OK;
}

sim_channel *sim_links_find(const sim_links *links, net_id from, net_id to)
{
    return links->slots[slot_of(links->slots, links->n_slots, from, to)];
}

sim_channel *sim_links_open(sim_links *links, net_id from, net_id to)
{
    sim_channel *channel = sim_links_find(links, from, to);
    if (channel != NULL) {
        return channel;
    }
    if (2 * (links->n_channels + 1) > links->n_slots && grow(links) != STRADS_OK) {
        return NULL;
    }
    channel = strads_alloc(sizeof(*channel));
    if (channel != NULL) {
        *channel = (sim_channel){.from = from, .to = to, .link = link_between(links, from, to)};
        links->slots[slot_of(links->slots, links->n_slots, from, to)] = channel;
        links->n_channels++;
    }
    return channel;
}

/* ---- life ---- */

strads_status sim_links_init(sim_links *links, const net_cluster *cluster)
{
    *links = (sim_links){.cluster = cluster, .n_slots = FIRST_SLOTS};
    strads_status status = sort_special(links);
    if (status == STRADS_OK) {
        links->slots = strads_calloc(FIRST_SLOTS, sizeof(sim_channel *));
        if (links->slots == NULL) {
            strads_free(links->special);
            status = STRADS_ERR_NOMEM;
        }
    }
    return status;
}

void sim_links_fini(sim_links *links)
{
    for (size_t i = 0; i < links->n_slots; i++) {
        strads_free(links->slots[i]);
    }
    strads_free(links->slots);
    strads_free(links->special);
}

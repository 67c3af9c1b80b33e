/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/trade.c - vectors go out, vectors come in. */
#include "net/trade_state.h"

#include <string.h>

#include "net/shared.h"

strads_status net_trade_init(net_trade *trade, net_links *links, uint32_t n_nodes)
{
    *trade = (net_trade){.links = links};
    if (links == NULL) {
        return STRADS_OK;
    }
    trade->parts = strads_calloc(net_links_count(links), sizeof(net_message *));
    trade->slices = strads_calloc(n_nodes, sizeof(double *));
    trade->extras = strads_calloc(n_nodes, sizeof(double *));
    if (trade->parts == NULL || trade->slices == NULL || trade->extras == NULL) {
        net_trade_fini(trade);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

static void release(net_trade *trade)
{
    for (uint32_t p = 0; p < net_links_count(trade->links); p++) {
        net_message_destroy(trade->parts[p]);
        trade->parts[p] = NULL;
    }
}

void net_trade_fini(net_trade *trade)
{
    if (trade->parts != NULL) {
        release(trade);
    }
    strads_free(trade->parts);
    strads_free(trade->slices);
    strads_free(trade->extras);
    *trade = (net_trade){.links = NULL};
}

bool net_trade_needed(const net_trade *trade, uint32_t n_members)
{
    if (trade->links == NULL) {
        return false;
    }
    const trade_ranks here = trade_members(trade, net_links_me(trade->links), n_members);
    return here.end - here.first < n_members;
}

/* ---- the first hop ---- */

/* Takes the next part of a process, which must be this. */
static strads_status take(net_trade *trade, uint32_t process, uint32_t type, const trade_head *head)
{
    net_message *part = NULL;
    const strads_status status = net_links_take(trade->links, process, &part);
    if (status != STRADS_OK) {
        return status;
    }
    if (part->type != type || part->bytes != trade_bytes_of(head) ||
        memcmp(part->body, head, sizeof(*head)) != 0) {
        strads_error("process %u sent %zu bytes for an exchange of %llu and %llu numbers of %llu "
                     "members, which take %zu: the members do not make the same exchanges",
                     process, part->bytes, (unsigned long long) head->n,
                     (unsigned long long) head->n_extra, (unsigned long long) head->n_members,
                     trade_bytes_of(head));
        net_message_destroy(part);
        return STRADS_ERR_APP;
    }
    net_message_destroy(trade->parts[process]);
    trade->parts[process] = part;
    return STRADS_OK;
}

/* The elements that a process adds up. */
static size_t slice_first(const net_trade *trade, size_t n, uint32_t process)
{
    return trade->whole ? 0 : n * (process - trade->first_in) / trade->n_in;
}

static size_t slice_end(const net_trade *trade, size_t n, uint32_t process)
{
    return trade->whole ? n : n * (process - trade->first_in + 1) / trade->n_in;
}

/* Sends a process what it adds up of the vectors of the members here. */
static strads_status post_vectors(net_trade *trade, uint32_t process, const net_exchange *exchange,
                                  const net_lent *lent)
{
    const size_t first = slice_first(trade, exchange->n, process);
    const size_t n = slice_end(trade, exchange->n, process) - first;
    const uint32_t me = net_links_me(trade->links);
    const trade_head head = trade_head_of(trade, me, exchange, n);
    net_message *part = net_message_create(TRADE_VECTORS, NET_DATA, trade_bytes_of(&head));
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    trade_write(trade, exchange, lent, first, n, part->body);
    return net_links_post(trade->links, process, part);
}

static strads_status take_vectors(net_trade *trade, uint32_t process, const net_exchange *exchange,
                                  uint32_t *votes)
{
    const trade_head head = trade_head_of(trade, process, exchange, trade->n);
    const strads_status status = take(trade, process, TRADE_VECTORS, &head);
    if (status == STRADS_OK) {
        trade_read(trade, process, exchange, votes, trade->parts[process]->body);
    }
    return status;
}

/* ---- by memory ---- */

/* What a slot begins with; then extra[n_extra] and vector[n]. */
typedef struct slot_head {
    uint64_t n, n_extra;
    uint64_t votes;
} slot_head;

enum { SLOT_HEAD = sizeof(slot_head) / sizeof(double) };

bool trade_fits_memory(const net_trade *trade, size_t n, size_t n_extra)
{
    const net_shared *shared = net_links_shared(trade->links);
    return shared != NULL && SLOT_HEAD + n_extra + n <= net_shared_room(shared);
}

static void write_slot(double *slot, const net_exchange *exchange, const net_lent *lent,
                       uint32_t rank)
{
    const slot_head head = {
        .n = exchange->n, .n_extra = exchange->n_extra, .votes = lent->votes[rank]};
    double *to = slot + SLOT_HEAD;
    memcpy(slot, &head, sizeof(head));
    trade_put(&to, lent->extras[rank], exchange->n_extra);
    trade_put(&to, lent->vectors[rank], exchange->n);
}

static strads_status read_slot(net_trade *trade, double *slot, const net_exchange *exchange,
                               uint32_t *votes, uint32_t rank)
{
    slot_head head;
    memcpy(&head, slot, sizeof(head));
    if (head.n != exchange->n || head.n_extra != exchange->n_extra) {
        strads_error("worker %u has %llu and %llu numbers for an exchange of %zu and %zu: the "
                     "members do not make the same exchanges",
                     rank, (unsigned long long) head.n, (unsigned long long) head.n_extra,
                     exchange->n, exchange->n_extra);
        return STRADS_ERR_APP;
    }
    votes[rank] = (uint32_t) head.votes;
    trade->extras[rank] = slot + SLOT_HEAD;
    trade->slices[rank] = slot + SLOT_HEAD + exchange->n_extra;
    return STRADS_OK;
}

static strads_status trade_by_memory(net_trade *trade, const net_exchange *exchange,
                                     const net_lent *lent)
{
    net_shared *shared = net_links_shared(trade->links);
    const trade_ranks here = trade_members(trade, net_links_me(trade->links), exchange->n_members);
    const uint64_t turn = net_shared_turn(shared);
    for (uint32_t k = here.first; k < here.end; k++) {
        write_slot(net_shared_slot(shared, k, turn), exchange, lent, k);
    }
    if (!net_shared_meet(shared, trade->n_in, net_links_broken(trade->links))) {
        return STRADS_ERR_CLOSED;
    }
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < exchange->n_members && status == STRADS_OK; k++) {
        if (k < here.first || k >= here.end) {
            status = read_slot(trade, net_shared_slot(shared, k, turn), exchange, lent->votes, k);
        }
    }
    return status;
}

/* ---- either way ---- */

static void choose(net_trade *trade, const net_exchange *exchange)
{
    const uint32_t me = net_links_me(trade->links);
    trade_find_processes(trade, exchange->n_members, &trade->first_in, &trade->n_in);
    trade->by_memory = trade_fits_memory(trade, exchange->n, exchange->n_extra);
    trade->whole =
        trade->by_memory || trade->n_in == 2 ||
        trade_bytes_of_one_hop(trade, exchange->n_members, exchange->n) <= TRADE_ONE_HOP_BYTES;
    trade->by_relay = trade->whole && !trade->by_memory && trade->n_in > 2 &&
                      net_links_cost_of(trade->links)->relays;
    trade->first = slice_first(trade, exchange->n, me);
    trade->n = slice_end(trade, exchange->n, me) - trade->first;
}

static strads_status trade_by_links(net_trade *trade, const net_exchange *exchange,
                                    const net_lent *lent)
{
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = post_vectors(trade, trade_peer(trade, i), exchange, lent);
    }
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = take_vectors(trade, trade_peer(trade, i), exchange, lent->votes);
    }
    return status;
}

strads_status net_trade_vectors(net_trade *trade, const net_exchange *exchange,
                                const net_lent *lent)
{
    choose(trade, exchange);
    const strads_status status = trade->by_memory  ? trade_by_memory(trade, exchange, lent)
                                 : trade->by_relay ? trade_by_relay(trade, exchange, lent)
                                                   : trade_by_links(trade, exchange, lent);
    const trade_ranks here = trade_members(trade, net_links_me(trade->links), exchange->n_members);
    for (uint32_t k = here.first; k < here.end; k++) {
        trade->slices[k] = lent->vectors[k] + trade->first;
        trade->extras[k] = lent->extras[k];
    }
    return status;
}

/* ---- the second hop ---- */

static strads_status post_sums(net_trade *trade, uint32_t process, const double *sums)
{
    const trade_head head = {.n = trade->n};
    net_message *part = net_message_create(TRADE_SUMS, NET_DATA, trade_bytes_of(&head));
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(part->body, &head, sizeof(head));
    if (trade->n > 0) {
        memcpy(part->body + sizeof(head), sums, trade->n * sizeof(*sums));
    }
    return net_links_post(trade->links, process, part);
}

strads_status net_trade_sums(net_trade *trade, const net_exchange *exchange, double *const *vectors)
{
    if (trade->whole) {
        return STRADS_OK;
    }
    const uint32_t me = net_links_me(trade->links);
    const trade_ranks here = trade_members(trade, me, exchange->n_members);
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = post_sums(trade, trade_peer(trade, i), trade->slices[here.first]);
    }
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        const uint32_t process = trade_peer(trade, i);
        const size_t first = slice_first(trade, exchange->n, process);
        const size_t n = slice_end(trade, exchange->n, process) - first;
        status = take(trade, process, TRADE_SUMS, &(trade_head){.n = n});
        for (uint32_t k = here.first; k < here.end && status == STRADS_OK && n > 0; k++) {
            memcpy(vectors[k] + first, trade->parts[process]->body + sizeof(trade_head),
                   n * sizeof(double));
        }
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/trade.c - vectors go out, vectors come in. */
#include "net/trade.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "net/shared.h"

/* Where all processes add up everything though there are more than two: bytes that one
 * sends. A second hop costs about as much. */
enum { ONE_HOP_BYTES = 32 * 1024 };

/* What a part begins with; then uint32_t votes[n_members], and for each member double
 * extra[n_extra] and vector[n], all aligned to 8. A part of sums has no members and no
 * votes, and one vector. */
typedef struct part_head {
    uint64_t n, n_extra;
    uint64_t n_members;
} part_head;

/* The type of a part, for net_message. */
enum { PART_VECTORS, PART_SUMS };

typedef struct ranks {
    uint32_t first, end;
} ranks;

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

/* The members in a process: none where first is end. Node 0 is not a worker. */
static ranks members_of(const net_trade *trade, uint32_t process, uint32_t n_members)
{
    net_id node = 0;
    net_id n = 0;
    net_links_nodes(trade->links, process, &node, &n);
    const uint32_t first = node == NET_COORDINATOR ? 0 : node - 1;
    const uint32_t end = node + n - 1;
    return (ranks){first < n_members ? first : n_members, end < n_members ? end : n_members};
}

static bool takes_part(const net_trade *trade, uint32_t process, uint32_t n_members)
{
    const ranks members = members_of(trade, process, n_members);
    return members.first < members.end;
}

bool net_trade_needed(const net_trade *trade, uint32_t n_members)
{
    if (trade->links == NULL) {
        return false;
    }
    const ranks here = members_of(trade, net_links_me(trade->links), n_members);
    return here.end - here.first < n_members;
}

/* ---- parts ---- */

static size_t padded(size_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

static double *numbers_of(net_message *part)
{
    const part_head *head = (const part_head *) part->body;
    return (double *) (part->body + sizeof(*head) + padded(head->n_members * sizeof(uint32_t)));
}

static size_t bytes_of(const part_head *head)
{
    const uint64_t n_rows = head->n_members > 0 ? head->n_members : 1;
    return sizeof(*head) + padded(head->n_members * sizeof(uint32_t)) +
           n_rows * (head->n + head->n_extra) * sizeof(double);
}

static net_message *create_part(uint32_t type, const part_head *head)
{
    net_message *part = net_message_create(type, NET_DATA, bytes_of(head));
    if (part != NULL) {
        *(part_head *) part->body = *head;
    }
    return part;
}

/* Takes the next part of a process, which must be this. */
static strads_status take(net_trade *trade, uint32_t process, uint32_t type, const part_head *head)
{
    net_message *part = NULL;
    const strads_status status = net_links_take(trade->links, process, &part);
    if (status != STRADS_OK) {
        return status;
    }
    if (part->type != type || part->bytes != bytes_of(head) ||
        memcmp(part->body, head, sizeof(*head)) != 0) {
        strads_error("process %u sent %zu bytes for an exchange of %llu and %llu numbers of %llu "
                     "members, which take %zu: the members do not make the same exchanges",
                     process, part->bytes, (unsigned long long) head->n,
                     (unsigned long long) head->n_extra, (unsigned long long) head->n_members,
                     bytes_of(head));
        net_message_destroy(part);
        return STRADS_ERR_APP;
    }
    net_message_destroy(trade->parts[process]);
    trade->parts[process] = part;
    return STRADS_OK;
}

/* ---- the first hop ---- */

/* The elements that a process adds up. */
static size_t slice_first(const net_trade *trade, size_t n, uint32_t process)
{
    return trade->whole ? 0 : n * (process - trade->first_in) / trade->n_in;
}

static size_t slice_end(const net_trade *trade, size_t n, uint32_t process)
{
    return trade->whole ? n : n * (process - trade->first_in + 1) / trade->n_in;
}

/* Of the processes that take part, the i-th after this one. */
static uint32_t peer_at(const net_trade *trade, uint32_t i)
{
    const uint32_t mine = net_links_me(trade->links) - trade->first_in;
    return trade->first_in + (mine + i) % trade->n_in;
}

static void put(double **to, const double *from, size_t n)
{
    if (n > 0) {
        memcpy(*to, from, n * sizeof(**to));
        *to += n;
    }
}

/* Sends a process what it adds up of the vectors of the members here. */
static strads_status post_vectors(net_trade *trade, uint32_t process, const net_exchange *exchange,
                                  const net_lent *lent)
{
    const ranks here = members_of(trade, net_links_me(trade->links), exchange->n_members);
    const size_t first = slice_first(trade, exchange->n, process);
    const size_t n = slice_end(trade, exchange->n, process) - first;
    const part_head head = {
        .n = n, .n_extra = exchange->n_extra, .n_members = here.end - here.first};
    net_message *part = create_part(PART_VECTORS, &head);
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(part->body + sizeof(head), lent->votes + here.first,
           head.n_members * sizeof(*lent->votes));
    double *to = numbers_of(part);
    for (uint32_t k = here.first; k < here.end; k++) {
        put(&to, lent->extras[k], exchange->n_extra);
        put(&to, lent->vectors[k] + first, n);
    }
    return net_links_post(trade->links, process, part);
}

static strads_status take_vectors(net_trade *trade, uint32_t process, const net_exchange *exchange,
                                  uint32_t *votes)
{
    const ranks there = members_of(trade, process, exchange->n_members);
    const uint32_t n_there = there.end - there.first;
    const part_head head = {.n = trade->n, .n_extra = exchange->n_extra, .n_members = n_there};
    const strads_status status = take(trade, process, PART_VECTORS, &head);
    if (status != STRADS_OK) {
        return status;
    }
    net_message *part = trade->parts[process];
    memcpy(votes + there.first, part->body + sizeof(head), n_there * sizeof(*votes));
    double *at = numbers_of(part);
    for (uint32_t k = there.first; k < there.end; k++) {
        trade->extras[k] = at;
        trade->slices[k] = at + exchange->n_extra;
        at += exchange->n_extra + trade->n;
    }
    return STRADS_OK;
}

/* Which processes take part: all in a row; that of the coordinator may have no worker. */
static void find_processes(const net_trade *trade, uint32_t n_members, uint32_t *first, uint32_t *n)
{
    *first = takes_part(trade, 0, n_members) ? 0 : 1;
    *n = 0;
    while (*first + *n < net_links_count(trade->links) &&
           takes_part(trade, *first + *n, n_members)) {
        *n += 1;
    }
}

/* Bytes that a process sends when all add up everything; by the members of the first, so
 * that all processes choose alike. */
static double bytes_of_one_hop(const net_trade *trade, uint32_t n_members, size_t n)
{
    uint32_t first = 0;
    uint32_t n_in = 0;
    find_processes(trade, n_members, &first, &n_in);
    const ranks some = members_of(trade, first, n_members);
    return (double) (n_in - 1) * (some.end - some.first) * (double) n * sizeof(double);
}

/* ---- by memory ---- */

/* What a slot begins with; then extra[n_extra] and vector[n]. */
typedef struct slot_head {
    uint64_t n, n_extra;
    uint64_t votes;
} slot_head;

enum { SLOT_HEAD = sizeof(slot_head) / sizeof(double) };

static bool fits_memory(const net_trade *trade, size_t n, size_t n_extra)
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
    put(&to, lent->extras[rank], exchange->n_extra);
    put(&to, lent->vectors[rank], exchange->n);
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
    const ranks here = members_of(trade, net_links_me(trade->links), exchange->n_members);
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
    find_processes(trade, exchange->n_members, &trade->first_in, &trade->n_in);
    trade->by_memory = fits_memory(trade, exchange->n, exchange->n_extra);
    trade->whole = trade->by_memory || trade->n_in == 2 ||
                   bytes_of_one_hop(trade, exchange->n_members, exchange->n) <= ONE_HOP_BYTES;
    trade->first = slice_first(trade, exchange->n, me);
    trade->n = slice_end(trade, exchange->n, me) - trade->first;
}

static strads_status trade_by_links(net_trade *trade, const net_exchange *exchange,
                                    const net_lent *lent)
{
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = post_vectors(trade, peer_at(trade, i), exchange, lent);
    }
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = take_vectors(trade, peer_at(trade, i), exchange, lent->votes);
    }
    return status;
}

strads_status net_trade_vectors(net_trade *trade, const net_exchange *exchange,
                                const net_lent *lent)
{
    choose(trade, exchange);
    const strads_status status = trade->by_memory ? trade_by_memory(trade, exchange, lent)
                                                  : trade_by_links(trade, exchange, lent);
    const ranks here = members_of(trade, net_links_me(trade->links), exchange->n_members);
    for (uint32_t k = here.first; k < here.end; k++) {
        trade->slices[k] = lent->vectors[k] + trade->first;
        trade->extras[k] = lent->extras[k];
    }
    return status;
}

/* ---- the second hop ---- */

static strads_status post_sums(net_trade *trade, uint32_t process, const double *sums)
{
    const part_head head = {.n = trade->n};
    net_message *part = create_part(PART_SUMS, &head);
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (trade->n > 0) {
        memcpy(numbers_of(part), sums, trade->n * sizeof(*sums));
    }
    return net_links_post(trade->links, process, part);
}

strads_status net_trade_sums(net_trade *trade, const net_exchange *exchange, double *const *vectors)
{
    if (trade->whole) {
        return STRADS_OK;
    }
    const uint32_t me = net_links_me(trade->links);
    const ranks here = members_of(trade, me, exchange->n_members);
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        status = post_sums(trade, peer_at(trade, i), trade->slices[here.first]);
    }
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i++) {
        const uint32_t process = peer_at(trade, i);
        const size_t first = slice_first(trade, exchange->n, process);
        const size_t n = slice_end(trade, exchange->n, process) - first;
        status = take(trade, process, PART_SUMS, &(part_head){.n = n});
        for (uint32_t k = here.first; k < here.end && status == STRADS_OK && n > 0; k++) {
            memcpy(vectors[k] + first, numbers_of(trade->parts[process]), n * sizeof(double));
        }
    }
    return status;
}

/* ---- what it costs ---- */

static strads_status trade_bytes(net_links *links, size_t bytes)
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
        net_message *part = net_message_create(PART_VECTORS, NET_DATA, bytes);
        if (part == NULL) {
            return STRADS_ERR_NOMEM;
        }
        memset(part->body, 0, bytes);
        status = net_links_post(links, (me + i) % n, part);
    }
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        net_message *part = NULL;
        status = net_links_take(links, (me + i) % n, &part);
        if (status == STRADS_OK) {
            net_message_destroy(part);
        }
    }
    return status;
}

/* The time of an exchange of parts of so many bytes: the least of the means of some, for
 * in a single one the others may have begun before. */
static strads_status time_parts(net_links *links, size_t bytes, double *seconds)
{
    enum { MEANS = 4, OF = 4 };
    strads_status status = STRADS_OK;
    *seconds = INFINITY;
    for (int i = 0; i < MEANS && status == STRADS_OK; i++) {
        const double started = strads_now();
        for (int k = 0; k < OF && status == STRADS_OK; k++) {
            status = trade_bytes(links, bytes);
        }
        *seconds = fmin(*seconds, (strads_now() - started) / OF);
    }
    return status;
}

strads_status net_trade_measure(net_links *links)
{
    enum { BYTES = 1 << 16 };
    double least = 0.0;
    double more = 0.0;
    strads_status status = time_parts(links, 0, &least);
    if (status == STRADS_OK) {
        status = time_parts(links, BYTES, &more);
    }
    if (status == STRADS_OK) {
        const double n_bytes = (double) BYTES * (net_links_count(links) - 1);
        net_links_set_cost(links, least, fmax(0.0, more - least) / n_bytes);
        strads_debug("an exchange between processes takes %.1f us, and %.2f ns a byte", 1e6 * least,
                     1e9 * fmax(0.0, more - least) / n_bytes);
    }
    return status;
}

double net_trade_seconds(const net_trade *trade, uint32_t n_members, size_t n)
{
    if (!net_trade_needed(trade, n_members)) {
        return 0.0;
    }
    double hop = 0.0;
    double byte = 0.0;
    net_links_cost(trade->links, &hop, &byte);
    uint32_t first = 0;
    uint32_t n_in = 0;
    find_processes(trade, n_members, &first, &n_in);
    const double bytes = bytes_of_one_hop(trade, n_members, n);
    return fits_memory(trade, n, 0) || n_in == 2 || bytes <= ONE_HOP_BYTES
               ? hop + byte * bytes
               : 2.0 * (hop + byte * bytes / n_in);
}

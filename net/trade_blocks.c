/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/trade_blocks.c - who takes part, and what the members of a process send. */
#include <string.h>

#include "net/trade_state.h"

/* Node 0 is not a worker. */
trade_ranks trade_members(const net_trade *trade, uint32_t process, uint32_t n_members)
{
    net_id node = 0;
    net_id n = 0;
    net_links_nodes(trade->links, process, &node, &n);
    const uint32_t first = node == NET_COORDINATOR ? 0 : node - 1;
    const uint32_t end = node + n - 1;
    return (trade_ranks){first < n_members ? first : n_members, end < n_members ? end : n_members};
}

static bool takes_part(const net_trade *trade, uint32_t process, uint32_t n_members)
{
    const trade_ranks members = trade_members(trade, process, n_members);
    return members.first < members.end;
}

/* That of the coordinator may have no worker. */
void trade_find_processes(const net_trade *trade, uint32_t n_members, uint32_t *first, uint32_t *n)
{
    *first = takes_part(trade, 0, n_members) ? 0 : 1;
    *n = 0;
    while (*first + *n < net_links_count(trade->links) &&
           takes_part(trade, *first + *n, n_members)) {
        *n += 1;
    }
}

uint32_t trade_peer(const net_trade *trade, uint32_t i)
{
    const uint32_t mine = net_links_me(trade->links) - trade->first_in;
    return trade->first_in + (mine + i) % trade->n_in;
}

double trade_bytes_of_one_hop(const net_trade *trade, uint32_t n_members, size_t n)
{
    uint32_t first = 0;
    uint32_t n_in = 0;
    trade_find_processes(trade, n_members, &first, &n_in);
    const trade_ranks some = trade_members(trade, first, n_members);
    return (double) (n_in - 1) * (some.end - some.first) * (double) n * sizeof(double);
}

trade_head trade_head_of(const net_trade *trade, uint32_t process, const net_exchange *exchange,
                         size_t n)
{
    const trade_ranks members = trade_members(trade, process, exchange->n_members);
    return (trade_head){
        .n = n, .n_extra = exchange->n_extra, .n_members = members.end - members.first};
}

static size_t bytes_of_votes(const trade_head *head)
{
    return (head->n_members * sizeof(uint32_t) + 7) / 8 * 8;
}

size_t trade_bytes_of(const trade_head *head)
{
    const uint64_t n_rows = head->n_members > 0 ? head->n_members : 1;
    return sizeof(*head) + bytes_of_votes(head) +
           n_rows * (head->n + head->n_extra) * sizeof(double);
}

void trade_put(double **to, const double *from, size_t n)
{
    if (n > 0) {
        memcpy(*to, from, n * sizeof(**to));
        *to += n;
    }
}

void trade_write(const net_trade *trade, const net_exchange *exchange, const net_lent *lent,
                 size_t first, size_t n, unsigned char *block)
{
    const uint32_t me = net_links_me(trade->links);
    const trade_ranks here = trade_members(trade, me, exchange->n_members);
    const trade_head head = trade_head_of(trade, me, exchange, n);
    double *to = (double *) (block + sizeof(head) + bytes_of_votes(&head));
    memcpy(block, &head, sizeof(head));
    memcpy(block + sizeof(head), lent->votes + here.first, head.n_members * sizeof(*lent->votes));
    for (uint32_t k = here.first; k < here.end; k++) {
        trade_put(&to, lent->extras[k], exchange->n_extra);
        trade_put(&to, n > 0 ? lent->vectors[k] + first : NULL, n);
    }
}

void trade_read(net_trade *trade, uint32_t process, const net_exchange *exchange, uint32_t *votes,
                unsigned char *block)
{
    const trade_ranks there = trade_members(trade, process, exchange->n_members);
    const trade_head head = trade_head_of(trade, process, exchange, trade->n);
    double *at = (double *) (block + sizeof(head) + bytes_of_votes(&head));
    memcpy(votes + there.first, block + sizeof(head), head.n_members * sizeof(*votes));
    for (uint32_t k = there.first; k < there.end; k++) {
        trade->extras[k] = at;
        trade->slices[k] = at + exchange->n_extra;
        at += exchange->n_extra + trade->n;
    }
}

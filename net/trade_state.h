/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/trade_state.h - what the parts of net/trade.h share. trade.c chooses the way and knows
 * the direct ones, trade_relay.c has the tree, trade_blocks.c what is sent, trade_cost.c what
 * it takes.
 */
#ifndef STRADS_NET_TRADE_STATE_H
#define STRADS_NET_TRADE_STATE_H

#include "net/trade.h"

/* Where all processes add up everything though there are more than two: bytes that one
 * sends. A second hop costs about as much. */
enum { TRADE_ONE_HOP_BYTES = 32 * 1024 };

/* The type of a part, for net_message: a block, several, or sums. */
enum { TRADE_VECTORS, TRADE_RELAYED, TRADE_SUMS };

/* What the members of a process have, a block: this, then uint32_t votes[n_members], and for
 * each member double extra[n_extra] and vector[n], all aligned to 8. A part of sums has no
 * members and no votes, and one vector. */
typedef struct trade_head {
    uint64_t n, n_extra;
    uint64_t n_members;
} trade_head;

typedef struct trade_ranks {
    uint32_t first, end;
} trade_ranks;

/* ---- trade_blocks.c ---- */

/* The members in a process: none where first is end. */
trade_ranks trade_members(const net_trade *trade, uint32_t process, uint32_t n_members);

/* Which processes take part: all in a row. */
void trade_find_processes(const net_trade *trade, uint32_t n_members, uint32_t *first, uint32_t *n);

/* Of the processes that take part, the i-th after this one. */
uint32_t trade_peer(const net_trade *trade, uint32_t i);

/* Bytes that a process sends when all add up everything; by the members of the first, so
 * that all processes choose alike. */
double trade_bytes_of_one_hop(const net_trade *trade, uint32_t n_members, size_t n);

/* The head of a process's block with n elements of each vector, and the bytes of a block. */
trade_head trade_head_of(const net_trade *trade, uint32_t process, const net_exchange *exchange,
                         size_t n);
size_t trade_bytes_of(const trade_head *head);

/* Appends n numbers. */
void trade_put(double **to, const double *from, size_t n);

/* The block of this process, with the elements first .. first+n-1. */
void trade_write(const net_trade *trade, const net_exchange *exchange, const net_lent *lent,
                 size_t first, size_t n, unsigned char *block);

/* Leads to what a block, whose head is right, holds. */
void trade_read(net_trade *trade, uint32_t process, const net_exchange *exchange, uint32_t *votes,
                unsigned char *block);

/* ---- trade.c ---- */

bool trade_fits_memory(const net_trade *trade, size_t n, size_t n_extra);

/* ---- trade_relay.c ---- */

/* Leads to the vectors of all members, in ceil(log2 P) hops. */
STRADS_MUST_CHECK strads_status trade_by_relay(net_trade *trade, const net_exchange *exchange,
                                               const net_lent *lent);

#endif

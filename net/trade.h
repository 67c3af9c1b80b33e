/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/trade.h - an exchange whose members are in several processes.
 *
 * Few numbers, or two processes: each process sends the vectors of its members to the
 * others, and adds up all of them: one hop. Where there are many processes these come by a
 * tree, in log P hops but as few messages, if that was found to be faster. Otherwise each adds up a
 * slice of the elements, of which it is sent the vectors, and sends the sums on: two hops, and 2 /
 * P of the bytes. Either way each number is added up in order of rank, as in one process, so the
 * bits are the same. Processes that share memory (net/shared.h) write their vectors there instead,
 * for as many numbers as it has room for.
 */
#ifndef STRADS_NET_TRADE_H
#define STRADS_NET_TRADE_H

#include "net/links.h"

/* What the members of this process lend to an exchange, by rank. */
typedef struct net_lent {
    double *const *vectors;
    double *const *extras;
    uint32_t *votes; /* takes those of the others too */
} net_lent;

typedef struct net_trade {
    net_links *links;
    net_message **parts;     /* [n_processes] of the running exchange; NULL: not held */
    double **slices;         /* [n_nodes] the elements that are added up here, a member each */
    double **extras;         /* [n_nodes] all of these are added up here */
    size_t first, n;         /* these are first .. first + n - 1 */
    uint32_t first_in, n_in; /* processes that take part: first_in and those after it */
    bool by_memory;          /* the members' vectors are in shared memory */
    bool by_relay;           /* they come by way of other processes */
    bool whole;              /* all processes add up everything */
} net_trade;

/* For a net of n_nodes. */
STRADS_MUST_CHECK strads_status net_trade_init(net_trade *trade, net_links *links,
                                               uint32_t n_nodes);
void net_trade_fini(net_trade *trade);

/* Times some exchanges between processes, so that net_trade_seconds can tell; all of
 * them must call, before anything else is exchanged. CLOSED: one is lost. */
STRADS_MUST_CHECK strads_status net_trade_measure(net_links *links);

/* What an exchange of n numbers takes, beside the summing; 0 where it was not measured, or
 * all members are in one process. */
double net_trade_seconds(const net_trade *trade, uint32_t n_members, size_t n);

/* Whether members are in other processes. */
bool net_trade_needed(const net_trade *trade, uint32_t n_members);

/* Sends what the members here have, and waits for the others': then the votes are
 * complete, and slices and extras [n_members] lead to what has to be added up. CLOSED: a
 * member has left. */
STRADS_MUST_CHECK strads_status net_trade_vectors(net_trade *trade, const net_exchange *exchange,
                                                  const net_lent *lent);

/* The slices are added up: spreads the sums, so that vectors have all of them. */
STRADS_MUST_CHECK strads_status net_trade_sums(net_trade *trade, const net_exchange *exchange,
                                               double *const *vectors);

#endif

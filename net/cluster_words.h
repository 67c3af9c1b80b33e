/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/cluster_words.h - the sentences of cluster.faults and cluster.links.
 *
 *   lose WHO at T
 *   slow WHO by F [from T] [to T]
 *   cut WHO [from T] [to T]
 *   straggle WHO by F every T for T [from T] [to T]
 *   WHO to WHO [latency T] [bandwidth G]    (one of the two at least)
 *
 * WHO is `coordinator`, `worker 3`, `workers 0-2`, or `workers` for all of them;
 * workers are numbered as in the journal, from 0. What follows WHO may come in any
 * order. Without `from` a fault begins with the run, without `to` it has no end.
 */
#ifndef STRADS_NET_CLUSTER_WORDS_H
#define STRADS_NET_CLUSTER_WORDS_H

#include "net/cluster.h"

/* A sentence, and what it is about. */
typedef struct net_sentence {
    const char *place, *key; /* for messages */
    const char *text;
    uint32_t n_workers;
} net_sentence;

/* Machines first .. last. */
typedef struct net_machines {
    net_id first, last;
} net_machines;

/* Links between each of `a` and each of `b`. */
typedef struct net_link_rule {
    net_machines a, b;
    net_link link;
} net_link_rule;

/* USAGE, with the place, the sentence and the word that is wrong, for what is none. */
STRADS_MUST_CHECK strads_status net_fault_read(net_fault *out, const net_sentence *sentence);

/* `usual` is what the sentence does not name. */
STRADS_MUST_CHECK strads_status net_link_rule_read(net_link_rule *out, const net_sentence *sentence,
                                                   net_link usual);

/* Says what is wrong with the sentence; always USAGE. */
STRADS_MUST_CHECK strads_status net_sentence_refuse(const net_sentence *sentence,
                                                    const char *format, ...) STRADS_PRINTF(2, 3);

#endif

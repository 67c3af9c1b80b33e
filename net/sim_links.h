/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_links.h - the wires of a simulated cluster: links, cuts, and for each pair
 * of machines that has talked what is under way.
 */
#ifndef STRADS_NET_SIM_LINKS_H
#define STRADS_NET_SIM_LINKS_H

#include "net/cluster.h"

/* From one machine to another, in this direction. */
typedef struct sim_channel {
    net_id from, to;
    net_link link;
    uint32_t used[NET_N_LANES];         /* credits that are out */
    double last_reach[NET_N_LANES + 1]; /* when the last message reaches the other side */
    size_t n_live;                      /* messages that the receiver has not handled, but will */
    bool lost; /* the receiver is to hear, once these are handled, that `from` left */
} sim_channel;

typedef struct sim_links {
    const net_cluster *cluster;
    net_special_link *special; /* [cluster->n_special] in order of (a, b), a < b */
    sim_channel **slots;       /* [n_slots] a hash table, of open addressing; a power of two */
    size_t n_slots, n_channels;
    net_link worst; /* among the first n_worst workers */
    uint32_t n_worst;
} sim_links;

STRADS_MUST_CHECK strads_status sim_links_init(sim_links *links, const net_cluster *cluster);
void sim_links_fini(sim_links *links);

/* NULL: `from` has never sent anything to `to`. */
sim_channel *sim_links_find(const sim_links *links, net_id from, net_id to);

/* The same, made if need be; NULL: no memory. */
sim_channel *sim_links_open(sim_links *links, net_id from, net_id to) STRADS_MUST_CHECK;

/* The largest latency and the smallest bandwidth between any two of the workers
 * 1 .. n_members, n_members >= 2. */
net_link sim_links_worst(sim_links *links, uint32_t n_members);

/* A cut that lasts longer than the cluster's timeout never heals: it is given up. */
bool sim_cut_is_final(const net_cluster *cluster, const net_fault *cut);

/* The earliest time, `time` or later, at which no cut parts a from b, or some of the
 * workers 1 .. n_members from others; INFINITY: never again. */
double sim_cuts_clear(const net_cluster *cluster, net_id a, net_id b, double time);
double sim_cuts_clear_all(const net_cluster *cluster, uint32_t n_members, double time);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/cluster.h - the machines that the driver `sim` simulates, as the section
 * `cluster` of a configuration describes them.
 *
 * Machine 0 is the coordinator's, machine k the one of worker k - 1. Times are
 * seconds of virtual time since the run began.
 */
#ifndef STRADS_NET_CLUSTER_H
#define STRADS_NET_CLUSTER_H

#include "net/net.h"

/* Bytes a second of a Gbit/s, the unit of the configuration. */
#define NET_GBIT 1.25e8

/* From one machine to another, both ways. */
typedef struct net_link {
    double latency;   /* seconds, >= 0 */
    double bandwidth; /* bytes a second, > 0 */
} net_link;

/* A link that differs from the others. */
typedef struct net_special_link {
    net_id a, b; /* a != b */
    net_link link;
} net_special_link;

typedef enum net_fault_kind {
    NET_FAULT_LOSE,    /* the machine ends at `from` */
    NET_FAULT_SLOW,    /* its speed is divided by `factor` between `from` and `to` */
    NET_FAULT_CUT,     /* between `from` and `to` it reaches, and is reached by, only those
                        * that are cut off by the same fault */
    NET_FAULT_STRAGGLE /* each of them, at random, on average once every `every` seconds, is
                        * slower by `factor` for `span` seconds */
} net_fault_kind;

typedef struct net_fault {
    net_fault_kind kind;
    net_id first, last; /* the machines first .. last */
    double from, to;    /* from <= to; to may be INFINITY */
    double factor;      /* >= 1 */
    double every, span; /* of STRAGGLE: 0 < span <= every */
} net_fault;

typedef enum net_costing {
    NET_COST_UNITS, /* a callback takes the units of work that it states: replayable */
    NET_COST_CLOCK  /* ... the time that its thread took */
} net_costing;

typedef struct net_cluster {
    uint32_t n_workers;        /* > 0 */
    uint64_t seed;             /* of jitter and stragglers */
    net_link link;             /* between any two machines */
    net_special_link *special; /* no pair twice */
    size_t n_special;
    double *speed;  /* [n_workers + 1] of each machine, > 0; 1: as this one */
    double jitter;  /* >= 0: a message takes up to this share of the latency longer */
    double timeout; /* seconds after which a machine that is not heard of is given up */
    double unit_ns; /* nanoseconds a unit of work takes at speed 1 */
    net_costing costing;
    net_fault *faults;
    size_t n_faults;
} net_cluster;

/* The options of the section `cluster`. */
const strads_option *net_cluster_options(size_t *n);

/* Reads the section; *out is owned by the caller, for destroy. n_workers: how many
 * run.workers asks for, 0 when it leaves it open; the cluster's own number is in
 * out->n_workers. USAGE, with the place, for a cluster that cannot be. */
STRADS_MUST_CHECK strads_status net_cluster_read(net_cluster **out, const strads_config *config,
                                                 uint32_t n_workers, uint64_t seed);
void net_cluster_destroy(net_cluster *cluster);

#endif

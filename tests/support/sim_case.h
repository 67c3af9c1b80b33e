/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/sim_case.h - a small simulated cluster for a test, and what happened
 * in it.
 *
 * A unit of work is a second, a message of 100 bytes takes a tenth of one on an
 * interface, and a second on the link.
 */
#ifndef STRADS_TESTS_SIM_CASE_H
#define STRADS_TESTS_SIM_CASE_H

#include "net/cluster.h"
#include "net/sim.h"

enum { SIM_BODY = 100 - sizeof(net_message), SIM_MAX_NODES = 1025 };

/* latency 1, bandwidth 1000, all speeds 1, timeout 10, no jitter, no faults. The
 * speeds are the case's own and may be written. */
net_cluster sim_case_cluster(uint32_t n_workers);

/* One call of a handler. */
typedef struct sim_seen {
    double time; /* when it began, on its node's clock */
    net_id node;
    net_event_kind kind;
    net_id peer;
    uint32_t type; /* of the message; else 0 */
} sim_seen;

typedef void (*sim_act)(net_node *node, const net_event *event);

/* Runs the cluster, all nodes by `act`; checks that nothing leaks. Afterwards the
 * functions below tell of this run. queue_messages is 4. */
strads_status sim_case_run(const net_cluster *cluster, sim_act act);

/* When `node` was first told `kind` of `peer` (by a message of `type`); NAN: never. */
double sim_case_time(net_id node, net_event_kind kind, net_id peer, uint32_t type);

/* How often. */
size_t sim_case_count(net_id node, net_event_kind kind, net_id peer, uint32_t type);

/* What strads_now said between net_run and net_destroy. */
double sim_case_end(void);
net_sim_account sim_case_account(net_id machine);

/* A hash of all that happened, in its order, times to the last bit. */
uint64_t sim_case_hash(void);

/* Sends SIM_BODY bytes; what is not taken is destroyed. */
strads_status sim_case_send(net_node *node, net_id to, net_lane lane, uint32_t type);

/* Leaves if this is the end of node 0. */
void sim_case_leave_with_0(net_node *node, const net_event *event);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_queue.h - what is going to happen in a simulated cluster, in order of
 * virtual time; at the same time, what was put first comes first.
 */
#ifndef STRADS_NET_SIM_QUEUE_H
#define STRADS_NET_SIM_QUEUE_H

#include "net/net.h"

typedef enum sim_kind {
    SIM_READY,  /* `node` takes its next event, or goes on after its exchange */
    SIM_REACH,  /* `message` reaches the incoming interface of `node` */
    SIM_ARRIVE, /* `message` has come in at `node` */
    SIM_LEFT,   /* all hear that `node` has left */
    SIM_LOST,   /* `node` hears that `peer` has left */
    SIM_DIE,    /* machine `node` ends */
    SIM_MISSED, /* all give up machine `node` */
    SIM_SEVER,  /* both sides of the cut faults[peer] give each other up */
    SIM_LIMIT   /* the time of `node` in its wait number `peer` is over */
} sim_kind;

typedef struct sim_event {
    double time;
    uint64_t sequence; /* the queue's */
    sim_kind kind;
    net_id node;
    union {
        net_message *message;
        size_t peer;
    };
} sim_event;

typedef struct sim_queue {
    sim_event *heap; /* [n] each no earlier than its parent, (i - 1) / 2 */
    size_t n, capacity;
    uint64_t n_put;
} sim_queue;

void sim_queue_fini(sim_queue *queue);

/* Makes room for one more, so that the next put cannot fail. */
STRADS_MUST_CHECK strads_status sim_queue_reserve(sim_queue *queue);

void sim_queue_put(sim_queue *queue, sim_event event);

/* False: it is empty. */
STRADS_MUST_CHECK bool sim_queue_take(sim_queue *queue, sim_event *event);

#endif

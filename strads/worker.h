/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/worker.h - a worker: a node that owns a range of variables and answers the
 * coordinator by calling the model program.
 */
#ifndef STRADS_STRADS_WORKER_H
#define STRADS_STRADS_WORKER_H

#include "net/net.h"
#include "prioritizer/prioritizer.h"
#include "strads/grid_worker.h"
#include "strads/tables.h"

/* Ends of a run that a worker sees for itself. */
typedef struct worker_limits {
    double deadline;            /* on strads_now's clock; INFINITY: none */
    const _Atomic bool *signal; /* Ctrl-C */
    bool alone; /* the coordinator is in another process, and must be told of the signal */
} worker_limits;

typedef struct worker_options {
    const strads_app *app;
    const void *site; /* lent for the worker's life */
    uint32_t rank, n_workers;
    uint32_t first, n_vars; /* its range */
    bool draws;           /* candidates, by their scores, from its shard: shard.n_vars variables */
    uint32_t shard_first; /* from here on */
    prio_options shard;
    strads_structure structure;
    bool deterministic; /* no decision goes by the network */
    bool unguarded;     /* not schedule.guard */
    worker_limits limits;
    const table_stores *tables; /* NULL: there are none */
    grid_worker *grid;          /* taken over; NULL: there is none */
} worker_options;

/* Takes options->grid, also when it fails. */
STRADS_MUST_CHECK strads_status worker_create(strads_worker **out, const worker_options *options);
void worker_destroy(strads_worker *worker);

/* The handler to attach; self is the strads_worker. */
void worker_handle(void *self, net_node *node, const net_event *event);

#endif

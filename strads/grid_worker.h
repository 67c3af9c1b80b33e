/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/grid_worker.h - a worker's part of passes over a grid: its columns come, are worked on
 * and go on. schedule.kind: rotation and free.
 */
#ifndef STRADS_STRADS_GRID_WORKER_H
#define STRADS_STRADS_GRID_WORKER_H

#include "net/net.h"
#include "ssp/ssp.h"
#include "strads/options.h"

typedef struct grid_worker grid_worker;

typedef struct grid_options {
    const strads_app *app;
    const void *site;
    net *network;
    ssp_store *store; /* of the worker's tables, lent; NULL: the program has none */
    uint32_t rank, n_workers, n_columns;
    schedule_kind kind;
    bool agnostic; /* schedule.slow_worker_agnostic */
} grid_options;

/* Between net_create and net_run: the node of the worker gets a service. */
STRADS_MUST_CHECK strads_status grid_worker_create(grid_worker **out, const grid_options *options);
/* After net_run. NULL: nothing. */
void grid_worker_destroy(grid_worker *self);

/* ---- in the worker's handler ---- */

/* A pass in which all cells are worked on. */
STRADS_MUST_CHECK strads_status grid_train(grid_worker *self, strads_worker *worker);
/* A pass that adds to measures[n_measures]. */
STRADS_MUST_CHECK strads_status grid_measure(grid_worker *self, strads_worker *worker,
                                             double *measures);
/* Sends the columns that are here to the coordinator, at the end. */
STRADS_MUST_CHECK strads_status grid_give(grid_worker *self, strads_worker *worker);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/coordinator.h - the node that runs the rounds: scan, plan, dispatch, pull,
 * commit, until the goal or a limit is met.
 */
#ifndef STRADS_STRADS_COORDINATOR_H
#define STRADS_STRADS_COORDINATOR_H

#include "net/net.h"
#include "strads/journal.h"
#include "strads/options.h"

typedef struct coordinator_options {
    const strads_app *app;
    const void *site;
    void *model; /* the program's; may be NULL */
    strads_structure structure;
    run_options run;
    const uint32_t *firsts;     /* [n_workers + 1] ranges of variables, lent */
    const _Atomic bool *signal; /* Ctrl-C */
    double started, deadline;   /* on strads_now's clock; INFINITY: none */
    size_t n_errors;            /* logged before the run */
    journal *book;
    const table_totals *tables; /* lent; NULL: there are none */
    void (*listen)(void *context, const strads_progress *progress);
    void *context;
} coordinator_options;

typedef struct coordinator coordinator;

STRADS_MUST_CHECK strads_status coordinator_create(coordinator **out,
                                                   const coordinator_options *options);
void coordinator_destroy(coordinator *self);

/* The handler to attach; self is the coordinator. */
void coordinator_handle(void *self, net_node *node, const net_event *event);

typedef struct coordinator_outcome {
    strads_status status; /* of the first thing that failed; CLOSED only when nothing else did */
    strads_verdict verdict;
    strads_progress last;
    const double *values; /* [n_vars], lent until destroy */
    double busy_seconds;  /* in the program's callbacks, on the critical path */
    uint64_t guarded;
} coordinator_outcome;

/* After the run. */
void coordinator_finish(const coordinator *self, coordinator_outcome *outcome);

#endif

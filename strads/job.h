/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/job.h - what this process does of a run: it opens its part of the data, makes
 * the nodes that it hosts, and solves. run.c is the coordinator's process, member.c
 * another's.
 */
#ifndef STRADS_STRADS_JOB_H
#define STRADS_STRADS_JOB_H

#include "strads/coordinator.h"
#include "strads/processes.h"
#include "strads/round.h"
#include "strads/tables.h"
#include "strads/worker.h"

typedef struct job {
    const strads_app *app;
    const strads_config *config;
    run_options run;
    net_cluster *cluster; /* to simulate; NULL: none */
    net_sim_account machines;
    processes *team; /* NULL: this process is alone */
    void *site, *model;
    strads_structure structure;
    uint32_t *firsts; /* [n_workers + 1] ranges of variables */
    net *network;
    coordinator *head;       /* NULL: in another process */
    strads_worker **workers; /* [n_workers] NULL: in another process */
    table_stores tables;
    table_totals table_totals; /* they outlive the nodes */
    double started;
    double solve_seconds;
    double callback_seconds; /* in the program's callbacks, on the critical path */
} job;

/* Loads, unless the run is to stop; *stopped: it is, before or since. */
STRADS_MUST_CHECK strads_status job_load(job *self, bool *stopped);

/* Solves with the nodes of this process; `options` of the coordinator are filled in but
 * for its journal and listener; NULL: it is another's. */
STRADS_MUST_CHECK strads_status job_solve(job *self, coordinator_options *options);

/* Frees what the job holds, but its team. */
void job_fini(job *self);

extern _Atomic bool job_stop_requested;   /* set by strads_stop_all */
extern _Atomic bool job_report_requested; /* set by strads_report_all */

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/cluster_case.h - from a seed: a small problem, a cluster to simulate with
 * what goes wrong in it, a schedule and rules to stop by; and the verdict on such a run.
 */
#ifndef STRADS_TESTS_CLUSTER_CASE_H
#define STRADS_TESTS_CLUSTER_CASE_H

#include "strads/run.h"
#include "tests/support/watch.h"

enum { CLUSTER_SETTINGS = 32, CLUSTER_TEXT = 400 };

typedef struct cluster_case {
    uint64_t seed;
    bool lasso, sparse; /* the program: Lasso, or the toy */
    bool columns, rows; /* its data are partitioned */
    uint32_t n_rows, n_vars;
    uint32_t n_workers, pipeline;
    double rho;     /* 1: the schedule checks nothing */
    bool in_flight; /* what it checks */
    bool solve;     /* rounds are working sets */
    double gap;     /* 0: no goal */
    double rounds;  /* limit */
    double seconds; /* limit; INFINITY: none */
    double fatal;   /* when the first machine is lost or cut off for good; INFINITY: never */
    size_t n_settings;
    char settings[CLUSTER_SETTINGS][CLUSTER_TEXT]; /* "key=value" */
} cluster_case;

/* The same for the same seed. From CLUSTER_WIDE on problems have 160 variables more, so that stocks
 * of what shards draw run low between scans. */
#define CLUSTER_WIDE (UINT64_C(1) << 32)
cluster_case cluster_case_draw(uint64_t seed);

/* What came of it. */
typedef struct cluster_outcome {
    strads_status status;
    strads_result result;
    watch_report seen;
    char *said;               /* on stderr; for strads_free */
    char wrong[WATCH_TEXT];   /* "": all is well */
    const char *verdict_text; /* of the run, or its status */
} cluster_outcome;

/* Runs it. Wrong is: a promise of watch.h that was broken, memory that was not given
 * back, an objective that rose from scan to scan, an end that is not the optimum of an
 * independent oracle, within what the goal leaves, a limit that was reached, or the
 * documented error after a machine was lost. A hang or an abort ends the program
 * after a message that names the seed. */
cluster_outcome cluster_case_run(const cluster_case *drawn);

#endif

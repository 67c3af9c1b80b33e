/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/data_parallel.h - schedule.kind: data_parallel. Nothing is scheduled: in a round all
 * workers run the program's step for some periods, each on its own samples, and share their
 * state through tables (ssp/ssp.h). A round ends in a barrier; then all is scanned as ever.
 */
#ifndef STRADS_STRADS_DATA_PARALLEL_H
#define STRADS_STRADS_DATA_PARALLEL_H

#include "net/net.h"
#include "ssp/place.h"
#include "strads/options.h"

/* The options of the section `ssp`. */
const strads_option *data_parallel_options(size_t *n);

/* USAGE for a staleness that is none. */
STRADS_MUST_CHECK strads_status data_parallel_staleness(const strads_config *config,
                                                        uint32_t *staleness);

/* What the tables of all workers came to. */
typedef struct data_parallel_totals {
    ssp_stats sum;
    double *waited_for; /* [n_workers] seconds, by all; NULL before the first round */
} data_parallel_totals;

void data_parallel_totals_fini(data_parallel_totals *totals);

/* The stores of this process: one, or of sim one for each machine. */
typedef struct data_parallel {
    ssp_store **of;   /* [n_workers] that of each worker; NULL: it is in another process */
    uint32_t *firsts; /* [n_workers + 1] of the parts */
    uint32_t n_workers;
    uint32_t n_periods;
    ssp_table_options tables; /* as ssp.* say */
    size_t cache_bytes;
    double bandwidth;             /* of ssp_place */
    uint32_t first;               /* worker of the process: it keeps the totals of each round */
    data_parallel_totals *totals; /* lent; set by the caller */
} data_parallel;

/* Between net_create and net_run; part: of several processes, this one's; NULL: there is one. */
STRADS_MUST_CHECK strads_status data_parallel_init(data_parallel *self, const strads_config *config,
                                                   net *network, const run_options *run,
                                                   const strads_part *part);
/* After net_run, once the workers are destroyed. */
void data_parallel_fini(data_parallel *self);

/* A worker's part in it. */
typedef struct data_parallel_session {
    ssp_session *session; /* NULL before the first round */
    double *waited_for;   /* [n_workers] scratch */
} data_parallel_session;

/* The push of a worker. */
STRADS_MUST_CHECK strads_status data_parallel_push(strads_worker *worker, const strads_block *block,
                                                   double *partial);
void data_parallel_close(data_parallel_session *self);

/* For whom all waited longest. */
uint32_t data_parallel_waited_most(const data_parallel_totals *totals, uint32_t n_workers);

/* What the tables came to, into summary.json. */
STRADS_MUST_CHECK strads_status data_parallel_summarize(const data_parallel_totals *totals,
                                                        uint32_t n_workers,
                                                        strads_summary *summary);

#endif

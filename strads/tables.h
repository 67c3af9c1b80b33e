/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/tables.h - what ssp/ssp.h lends to the schedules that share state through tables: the
 * stores of a process, a session a worker, and what these come to.
 */
#ifndef STRADS_STRADS_TABLES_H
#define STRADS_STRADS_TABLES_H

#include "net/net.h"
#include "ssp/place.h"
#include "strads/options.h"

/* The options of the section `ssp`. */
const strads_option *table_options(size_t *n);

/* USAGE for a staleness that is none. */
STRADS_MUST_CHECK strads_status table_staleness(const strads_config *config, uint32_t *staleness);

/* What the tables of all workers came to. */
typedef struct table_totals {
    ssp_stats sum;
    double *waited_for; /* [n_workers] seconds, by all; NULL before the first round */
} table_totals;

void table_totals_fini(table_totals *totals);

/* The stores of this process: one, or of sim one for each machine. */
typedef struct table_stores {
    ssp_store **of;   /* [n_workers] that of each worker; NULL: it is in another process */
    uint32_t *firsts; /* [n_workers + 1] of the parts */
    uint32_t n_workers;
    uint32_t n_periods;       /* of data_parallel: of a round */
    ssp_table_options tables; /* as ssp.* say */
    size_t cache_bytes;
    double bandwidth;     /* of ssp_place */
    uint32_t first;       /* worker of the process: it keeps the totals of each round */
    table_totals *totals; /* lent; set by the caller */
} table_stores;

/* Between net_create and net_run; part: of several processes, this one's; NULL: there is one. */
STRADS_MUST_CHECK strads_status table_stores_init(table_stores *self, const strads_config *config,
                                                  net *network, const run_options *run,
                                                  const strads_part *part);
/* After net_run, once the workers are destroyed. */
void table_stores_fini(table_stores *self);

/* A worker's part in it. */
typedef struct table_session {
    ssp_session *session; /* NULL before the first round */
    double *waited_for;   /* [n_workers] scratch */
} table_session;

/* Opens the worker's, once. */
STRADS_MUST_CHECK strads_status table_session_open(strads_worker *worker);
/* Adds up over all workers what each has counted; by an exchange, for the coordinator's
 * process has but one of them. */
STRADS_MUST_CHECK strads_status table_session_add_up(strads_worker *worker);
void table_session_close(table_session *self);

/* For whom all waited longest. */
uint32_t table_totals_waited_most(const table_totals *totals, uint32_t n_workers);

/* What the tables came to, into summary.json. */
STRADS_MUST_CHECK strads_status table_totals_summarize(const table_totals *totals,
                                                       uint32_t n_workers, strads_summary *summary);

#endif

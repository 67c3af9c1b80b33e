/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/journal.h - what a run leaves in its folder: config.yaml and journal.jsonl
 * (a line a measurement, written as it happens), and summary.json at the end.
 */
#ifndef STRADS_STRADS_JOURNAL_H
#define STRADS_STRADS_JOURNAL_H

#include "net/sim.h"
#include "strads/options.h"
#include "strads/tables.h"

typedef struct journal journal;

/* Makes the folder, removes what an earlier run left under the names above, and
 * writes config.yaml. */
STRADS_MUST_CHECK strads_status journal_open(journal **out, const char *folder,
                                             const strads_config *config);
void journal_close(journal *book);

/* What a line says. */
typedef struct journal_entry {
    const strads_progress *progress;
    const strads_app *app;
    const double *measures;     /* [app->n_measures] */
    const table_totals *tables; /* what came of them so far; NULL: there are none */
    uint32_t n_workers;
} journal_entry;

STRADS_MUST_CHECK strads_status journal_add(journal *book, const journal_entry *entry);

typedef struct summary_facts {
    const strads_app *app;
    const run_options *run;
    const strads_result *result;
    const net_sim_account *machines; /* the mean of the workers'; NULL: not simulated */
} summary_facts;

/* Takes the keys of the facts, so that a program cannot; their values come later. */
STRADS_MUST_CHECK strads_status strads_summary_create(strads_summary **out,
                                                      const summary_facts *facts);
void strads_summary_destroy(strads_summary *summary);

/* Writes summary.json, with the facts as they are now, into the journal's folder, whole
 * or not at all. */
STRADS_MUST_CHECK strads_status journal_summarize(journal *book, const summary_facts *facts,
                                                  strads_summary *summary);

#endif

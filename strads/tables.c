/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/tables.c - the tables of a run: its stores, a session a worker, what they came to. */
#include "strads/tables.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/part.h"
#include "strads/worker_state.h"

static const strads_option table[] = {
    {.key = "ssp.staleness",
     .type = STRADS_TEXT,
     .fallback = "1",
     .help =
         "Of tables, which data_parallel has, and rotation and free where the program keeps some "
         "beside its columns: by how many periods the slowest worker may be behind one that "
         "reads a table; 0 keeps all in step, inf never waits."},
    {.key = "ssp.eager",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Of tables: whether rows that have changed are sent to the processes that have read "
             "them, before they ask."},
    {.key = "ssp.periods",
     .type = STRADS_INT,
     .fallback = "32",
     .min = 1,
     .max = 1e6,
     .unit = "periods",
     .help = "Of data_parallel: the periods of a round, which ends with a barrier and a scan."},
    {.key = "ssp.bandwidth_mbps",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .unit = "Mbit/s",
     .help = "Of tables: what a worker's increments may take of the way to another process before "
             "their clock, while it is idle; those go first that change a row the most. 0: all "
             "wait for the clock."},
    {.key = "ssp.cache_mb",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .unit = "MB",
     .help = "Of tables: memory for a worker's copies of rows, beyond those of the running period. "
             "0: no bound."},
};

const strads_option *table_options(size_t *n)
{
    *n = sizeof(table) / sizeof(table[0]);
    return table;
}

/* ---- the stores ---- */

strads_status table_staleness(const strads_config *config, uint32_t *staleness)
{
    const char *text = strads_config_text(config, "ssp.staleness");
    double number = 0.0;
    if (strcmp(text, "inf") == 0) {
        *staleness = SSP_ASYNC;
        return STRADS_OK;
    }
    if (!strads_parse_number(text, &number) || number < 0.0 || number > 1e6 ||
        number != floor(number)) {
        strads_error("%s: ssp.staleness: %s is not a whole number from 0 to 1000000, or inf",
                     strads_config_place(config, "ssp.staleness"), text);
        return STRADS_ERR_USAGE;
    }
    *staleness = (uint32_t) number;
    return STRADS_OK;
}

static strads_status create_store(table_stores *self, net *network, uint32_t n_parts, uint32_t me)
{
    const ssp_place place = {.network = network,
                             .n_parts = n_parts,
                             .me = me,
                             .firsts = self->firsts,
                             .bandwidth = self->bandwidth};
    ssp_store *store = NULL;
    const strads_status status = ssp_store_create_at(&store, &place);
    for (uint32_t k = self->firsts[me]; k < self->firsts[me + 1] && status == STRADS_OK; k++) {
        self->of[k] = store;
    }
    return status;
}

strads_status table_stores_init(table_stores *self, const strads_config *config, net *network,
                                const run_options *run, const strads_part *part)
{
    const uint32_t n = run->n_workers;
    const uint32_t me = part == NULL ? 0 : part->index;
    const bool simulated = strcmp(run->driver, "sim") == 0;
    *self =
        (table_stores){.n_workers = n,
                       .n_periods = (uint32_t) strads_config_int(config, "ssp.periods"),
                       .tables.eager = strads_config_bool(config, "ssp.eager"),
                       .bandwidth = strads_config_real(config, "ssp.bandwidth_mbps") * 1e6 / 8.0,
                       .cache_bytes = (size_t) (1e6 * strads_config_real(config, "ssp.cache_mb")),
                       .first = part == NULL ? 0 : part->ranks[me]};
    strads_status status = table_staleness(config, &self->tables.staleness);
    if (status != STRADS_OK) {
        return status;
    }
    self->of = strads_calloc(n, sizeof(ssp_store *));
    self->firsts = strads_calloc(n + 1, sizeof(*self->firsts));
    if (self->of == NULL || self->firsts == NULL) {
        table_stores_fini(self);
        return STRADS_ERR_NOMEM;
    }
    const uint32_t n_parts = simulated ? n : part == NULL ? 1 : part->count;
    for (uint32_t p = 0; p <= n_parts; p++) {
        self->firsts[p] = simulated ? p : part != NULL ? part->ranks[p] : p * n;
    }
    for (uint32_t p = simulated ? 0 : me; p <= (simulated ? n - 1 : me) && status == STRADS_OK;
         p++) {
        status = create_store(self, network, n_parts, p);
    }
    if (status != STRADS_OK) {
        table_stores_fini(self);
    }
    return status;
}

void table_stores_fini(table_stores *self)
{
    for (uint32_t k = 0; k < self->n_workers && self->of != NULL; k++) {
        if (k == 0 || self->of[k] != self->of[k - 1]) {
            ssp_store_destroy(self->of[k]);
        }
    }
    strads_free(self->of);
    strads_free(self->firsts);
    *self = (table_stores){.n_workers = 0};
}

/* ---- a worker's session ---- */

strads_status table_session_open(strads_worker *worker)
{
    if (worker->tables.session != NULL) {
        return STRADS_OK;
    }
    const table_stores *tables = worker->options.tables;
    table_session *self = &worker->tables;
    const uint32_t rank = worker->options.rank;
    self->waited_for = strads_calloc(tables->n_workers, sizeof(*self->waited_for));
    if (self->waited_for == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = ssp_session_open(&self->session, tables->of[rank], rank);
    if (status == STRADS_OK) {
        ssp_session_bound(self->session, tables->cache_bytes);
        ssp_session_suggest(self->session, &tables->tables);
    }
    return status;
}

/* The coordinator reads them between rounds, while no worker of its process is in one. */
static strads_status keep_waits(table_totals *totals, const double *waited_for, uint32_t n)
{
    if (totals->waited_for == NULL) {
        totals->waited_for = strads_calloc(n, sizeof(*totals->waited_for));
    }
    if (totals->waited_for == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(totals->waited_for, waited_for, n * sizeof(*waited_for));
    return STRADS_OK;
}

strads_status table_session_add_up(strads_worker *worker)
{
    enum { COPIED = SSP_BINS, FETCHED, FORGOTTEN, WAITS, SECONDS, OUT, IN, N };
    table_session *self = &worker->tables;
    const uint32_t n_workers = worker->options.n_workers;
    const ssp_stats mine = ssp_session_stats(self->session);
    double sums[N] = {[COPIED] = (double) mine.n_copied,
                      [FETCHED] = (double) mine.n_fetched,
                      [FORGOTTEN] = (double) mine.n_forgotten,
                      [WAITS] = (double) mine.n_waits,
                      [SECONDS] = mine.wait_seconds,
                      [OUT] = (double) mine.bytes_out,
                      [IN] = (double) mine.bytes_in};
    for (uint32_t i = 0; i < SSP_BINS; i++) {
        sums[i] = (double) mine.seen[i];
    }
    for (uint32_t k = 0; k < n_workers; k++) {
        self->waited_for[k] = ssp_session_waited_for(self->session, k);
    }
    strads_status status = strads_exchange(worker, sums, NULL, N);
    if (status == STRADS_OK) {
        status = strads_exchange(worker, self->waited_for, NULL, n_workers);
    }
    if (status == STRADS_OK && worker->options.rank == worker->options.tables->first) {
        table_totals *totals = worker->options.tables->totals;
        totals->sum = (ssp_stats){.n_copied = (uint64_t) sums[COPIED],
                                  .n_fetched = (uint64_t) sums[FETCHED],
                                  .n_forgotten = (uint64_t) sums[FORGOTTEN],
                                  .n_waits = (uint64_t) sums[WAITS],
                                  .wait_seconds = sums[SECONDS],
                                  .bytes_out = (uint64_t) sums[OUT],
                                  .bytes_in = (uint64_t) sums[IN]};
        for (uint32_t i = 0; i < SSP_BINS; i++) {
            totals->sum.seen[i] = (uint64_t) sums[i];
        }
        status = keep_waits(totals, self->waited_for, n_workers);
    }
    return status;
}

void table_session_close(table_session *self)
{
    ssp_session_close(self->session);
    strads_free(self->waited_for);
    *self = (table_session){.session = NULL};
}

/* ---- what it came to ---- */

void table_totals_fini(table_totals *totals)
{
    strads_free(totals->waited_for);
    *totals = (table_totals){.waited_for = NULL};
}

uint32_t table_totals_waited_most(const table_totals *totals, uint32_t n_workers)
{
    uint32_t worst = 0;
    for (uint32_t k = 1; k < n_workers && totals->waited_for != NULL; k++) {
        worst = totals->waited_for[k] > totals->waited_for[worst] ? k : worst;
    }
    return worst;
}

strads_status table_totals_summarize(const table_totals *totals, uint32_t n_workers,
                                     strads_summary *summary)
{
    static const char *const bins[SSP_BINS] = {
        "ssp_reads_behind_0",  "ssp_reads_behind_1",  "ssp_reads_behind_2",  "ssp_reads_behind_3",
        "ssp_reads_behind_4",  "ssp_reads_behind_5",  "ssp_reads_behind_6",  "ssp_reads_behind_7",
        "ssp_reads_behind_8",  "ssp_reads_behind_9",  "ssp_reads_behind_10", "ssp_reads_behind_11",
        "ssp_reads_behind_12", "ssp_reads_behind_13", "ssp_reads_behind_14", "ssp_reads_behind_15"};
    const uint32_t worst = table_totals_waited_most(totals, n_workers);
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"ssp_copied", (double) totals->sum.n_copied},
        {"ssp_fetched", (double) totals->sum.n_fetched},
        {"ssp_forgotten", (double) totals->sum.n_forgotten},
        {"ssp_waits", (double) totals->sum.n_waits},
        {"ssp_wait_seconds", totals->sum.wait_seconds},
        {"ssp_bytes", (double) totals->sum.bytes_out},
        {"ssp_bytes_in", (double) totals->sum.bytes_in},
        {"ssp_waited_most_for", worst},
        {"ssp_waited_most_seconds", totals->waited_for == NULL ? 0.0 : totals->waited_for[worst]},
    };
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && status == STRADS_OK; i++) {
        status = strads_summary_add(summary, facts[i].name, facts[i].value);
    }
    for (uint32_t i = 0; i < SSP_BINS && status == STRADS_OK; i++) {
        status = totals->sum.seen[i] == 0
                     ? STRADS_OK
                     : strads_summary_add(summary, bins[i], (double) totals->sum.seen[i]);
    }
    return status;
}

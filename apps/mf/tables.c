/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/tables.c - matrix factorisation by data parallelism: the steps of the grid, with items
 * in a table.
 *
 * A row of the table has an item's factors, bias and AdaGrad sum, less what they were at first,
 * which all workers know: so it begins as zeros, as rows of tables do. Lambda does not change, and
 * squared norms are made of the factors. A worker reads a block of items at once, trains all its
 * users on it as if it were alone, and adds what has changed.
 *
 * A round is a pass, made of trips: on each a worker visits all columns, and works on some of its
 * users there. A period is a visit, or several. The more trips, the sooner users and items follow
 * each other, and the more has to be sent. Each worker begins with another column, so that with
 * little staleness hardly any rating is trained on items that another worker changes at that time,
 * and what comes of it is about as good as on the grid.
 */
#include "apps/mf/tables.h"

#include <math.h>
#include <string.h>

#include "apps/mf/worker.h"
#include "base/clock.h"
#include "ssp/ssp.h"

enum { ALIGN = 64, BEHIND = 2 }; /* numbers of a row behind its factors */

struct mf_tables {
    const mf_site *site;
    ssp_table *table;           /* NULL: to be opened */
    uint32_t n_periods, period; /* of a round; the next */
    uint32_t n_trips;           /* of a round over all columns, each with some of the users */
    bool asks_ahead;            /* what is asked for in a visit may do in the next */
    bool diverged;              /* in this pass: nothing more of it goes into the table */
    void *memory;               /* of all that follows */
    float *base;                /* [n_columns][n_each + 1][stride] what the table counts from */
    float *columns;             /* alike: as read last, or trained since */
    float *good;                /* alike, as of the last pass that was kept */
    float *before;              /* [n_each + 1][stride] a column before it is trained on */
    double *deltas;             /* [n_each][rank + BEHIND] */
    uint64_t *keys, *changed;   /* [n_columns * n_each], [n_each] */
    const double **views;       /* [n_each] */
};

/* ---- life ---- */

bool mf_uses_tables(const mf_site *site)
{
    return strcmp(strads_config_text(site->config, "schedule.kind"), "data_parallel") == 0;
}

size_t mf_tables_floats(const mf_site *site)
{
    return site->items.n_blocks * mf_block_floats(site, &site->items);
}

const float *mf_tables_columns(const mf_tables *self)
{
    return self->columns;
}

static float *column_of(const mf_tables *self, float *columns, uint32_t column)
{
    return columns + column * mf_block_floats(self->site, &self->site->items);
}

/* A visit to a column for each period, if there are enough of these. */
static uint32_t n_trips_of(const mf_site *site, uint32_t n_periods)
{
    const uint32_t n = n_periods / site->items.n_blocks;
    return n < 1 ? 1 : n < site->user_blocks ? n : site->user_blocks;
}

strads_status mf_tables_create(mf_tables **out, const mf_site *site)
{
    mf_tables *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const mf_cut *items = &site->items;
    const size_t n_floats = mf_tables_floats(site);
    const size_t n_keys = (size_t) items->n_blocks * items->n_each;
    self->site = site;
    self->n_periods = (uint32_t) strads_config_int(site->config, "ssp.periods");
    self->n_trips = n_trips_of(site, self->n_periods);
    self->memory =
        strads_calloc(3 * n_floats + mf_block_floats(site, items) + ALIGN, sizeof(float));
    self->keys = strads_alloc_array(n_keys, sizeof(*self->keys));
    self->changed = strads_alloc_array(items->n_each, sizeof(*self->changed));
    self->views = strads_calloc(items->n_each, sizeof(*self->views));
    self->deltas =
        strads_alloc_array(items->n_each, (site->layout.rank + BEHIND) * sizeof(*self->deltas));
    if (self->memory == NULL || self->keys == NULL || self->changed == NULL ||
        self->views == NULL || self->deltas == NULL) {
        mf_tables_destroy(self);
        return STRADS_ERR_NOMEM;
    }
    self->base = (void *) ((unsigned char *) self->memory + (-(uintptr_t) self->memory % ALIGN));
    self->columns = self->base + n_floats;
    self->good = self->columns + n_floats;
    self->before = self->good + n_floats;
    for (uint32_t c = 0; c < items->n_blocks; c++) {
        mf_start_block(site, items, c, column_of(self, self->base, c));
    }
    memcpy(self->columns, self->base, n_floats * sizeof(float));
    for (size_t i = 0; i < n_keys; i++) {
        self->keys[i] = i;
    }
    *out = self;
    return STRADS_OK;
}

void mf_tables_destroy(mf_tables *self)
{
    if (self == NULL) {
        return;
    }
    strads_free(self->memory);
    strads_free(self->keys);
    strads_free(self->changed);
    strads_free(self->views);
    strads_free(self->deltas);
    strads_free(self);
}

/* The table that was used has what diverged: another takes its place, and counts from what was
 * good. */
void mf_tables_go_back(mf_tables *self)
{
    const size_t bytes = mf_tables_floats(self->site) * sizeof(float);
    memcpy(self->base, self->good, bytes);
    memcpy(self->columns, self->good, bytes);
    self->table = NULL;
}

static strads_status open_table(mf_tables *self, ssp_session *session, uint32_t n_back)
{
    char name[32];
    ssp_table_options options = ssp_session_options(session);
    options.columns = self->site->layout.rank + BEHIND;
    self->asks_ahead = options.staleness > 0;
    snprintf(name, sizeof(name), "mf.items.%u", n_back);
    return ssp_table_open(&self->table, session, name, &options);
}

/* ---- a column ---- */

static const uint64_t *keys_of(const mf_tables *self, uint32_t column)
{
    return self->keys + (size_t) column * self->site->items.n_each;
}

static strads_status read_column(mf_worker *worker, uint32_t column, uint32_t staleness)
{
    mf_tables *self = worker->tables;
    const mf_layout *layout = &self->site->layout;
    const uint32_t n = self->site->items.n_each;
    float *row = column_of(self, self->columns, column);
    const float *from = column_of(self, self->base, column);
    const strads_status status =
        ssp_read_rows_within(self->table, keys_of(self, column), n, staleness, self->views);
    for (uint32_t k = 0; k < n && status == STRADS_OK; k++) {
        const double *view = self->views[k];
        row += layout->stride;
        from += layout->stride;
        for (uint32_t f = 0; f < layout->rank; f++) {
            row[f] = (float) ((double) from[f] + view[f]);
        }
        for (uint32_t i = 0; i < BEHIND; i++) {
            row[layout->width + i] =
                (float) ((double) from[layout->width + i] + view[layout->rank + i]);
        }
        row[layout->width + MF_SCALE] = 1.0F;
    }
    strads_worker_count(worker->worker, 0.0, 2.0 * layout->width * n);
    return status;
}

/* deltas := row - before; false: one is not finite. */
static bool subtract(const mf_layout *layout, const float *row, const float *before, double *deltas)
{
    double zero = 0.0; /* or not a number */
    for (uint32_t f = 0; f < layout->rank; f++) {
        deltas[f] = (double) row[f] - (double) before[f];
        zero += 0.0 * deltas[f];
    }
    for (uint32_t i = 0; i < BEHIND; i++) {
        deltas[layout->rank + i] =
            (double) row[layout->width + i] - (double) before[layout->width + i];
        zero += 0.0 * deltas[layout->rank + i];
    }
    return zero == 0.0;
}

/* Adds what has changed of the column since `before`, unless that diverged. */
static strads_status add_column(mf_worker *worker, uint32_t column)
{
    mf_tables *self = worker->tables;
    const mf_layout *layout = &self->site->layout;
    const uint32_t n = self->site->items.n_each;
    const float *row = column_of(self, self->columns, column);
    const float *before = self->before;
    size_t n_changed = 0;
    for (uint32_t k = 0; k < n && !self->diverged; k++) {
        row += layout->stride;
        before += layout->stride;
        if (memcmp(row, before, layout->stride * sizeof(*row)) != 0) {
            double *deltas = self->deltas + n_changed * (layout->rank + BEHIND);
            self->diverged = !subtract(layout, row, before, deltas);
            self->changed[n_changed++] = keys_of(self, column)[k];
        }
    }
    if (self->diverged) {
        worker->fitted = INFINITY;
        return STRADS_OK;
    }
    strads_worker_count(worker->worker, 0.0, 2.0 * layout->width * n);
    return ssp_inc_rows(self->table, self->changed, n_changed, self->deltas);
}

/* ---- a period ---- */

/* Of a pass. */
static uint64_t n_visits(const mf_tables *self)
{
    return (uint64_t) self->n_trips * self->site->items.n_blocks;
}

/* The column of visit `at` of a pass. Trips go up and down in turn: columns that are always met
 * in the same order are fitted worse, for the first ones are forgotten. */
static uint32_t column_at(const mf_worker *worker, uint64_t at)
{
    const uint64_t n = worker->site->items.n_blocks;
    const uint64_t first = n * strads_worker_rank(worker->worker) / worker->site->n_workers;
    const bool down = (at / n + worker->pass) % 2 == 0;
    return (uint32_t) ((first + (down ? n - 1 - at % n : at % n)) % n);
}

/* Visit `at` of a pass: a column, and a part of the users. */
static strads_status visit(mf_worker *worker, uint64_t at)
{
    mf_tables *self = worker->tables;
    const mf_site *site = self->site;
    const strads_cell cell = {.column = column_at(worker, at), .n_parts = 1};
    const uint32_t trip = (uint32_t) (at / site->items.n_blocks);
    const uint32_t first = (uint32_t) ((uint64_t) site->user_blocks * trip / self->n_trips);
    const uint32_t end = (uint32_t) ((uint64_t) site->user_blocks * (trip + 1) / self->n_trips);
    float *columns = column_of(self, self->columns, cell.column);
    const mf_step step = mf_step_of(worker, 0);
    strads_status status = read_column(worker, cell.column, SSP_ASYNC);
    if (status == STRADS_OK && self->asks_ahead && at + 1 < n_visits(self)) {
        status =
            ssp_prefetch(self->table, keys_of(self, column_at(worker, at + 1)), site->items.n_each);
    }
    if (status != STRADS_OK) {
        return status;
    }
    (void) site->kernels->norms(&site->layout, columns, site->items.n_each + 1);
    memcpy(self->before, columns, mf_block_floats(site, &site->items) * sizeof(float));
    for (uint32_t b = first; b < end; b++) { /* to and fro: the last block is still in the cache */
        mf_work_block(worker, &cell, at % 2 == 0 ? b : first + end - 1 - b, columns, &step);
    }
    (void) site->kernels->norms(&site->layout, columns, site->items.n_each + 1);
    return add_column(worker, cell.column);
}

static void begin_round(mf_worker *worker, uint64_t round)
{
    mf_tables *self = worker->tables;
    self->diverged = false;
    if (mf_is_kept(worker->n_scans - 1)) {
        memcpy(self->good, self->columns, mf_tables_floats(self->site) * sizeof(float));
    }
    mf_begin_pass(worker, round);
}

static strads_status work_period(mf_worker *worker)
{
    mf_tables *self = worker->tables;
    const uint64_t first = n_visits(self) * self->period / self->n_periods;
    const uint64_t end = n_visits(self) * (self->period + 1) / self->n_periods;
    strads_status status = STRADS_OK;
    self->period++;
    for (uint64_t at = first; at < end && status == STRADS_OK && !self->diverged; at++) {
        status = visit(worker, at);
    }
    return status;
}

/* All columns, the same for all workers: nobody works on them now. */
static strads_status read_all(mf_worker *worker)
{
    mf_tables *self = worker->tables;
    strads_status status = STRADS_OK;
    self->period = 0;
    worker->ended = strads_now();
    for (uint32_t c = 0; c < self->site->items.n_blocks && status == STRADS_OK; c++) {
        status = read_column(worker, c, 0);
    }
    return status;
}

/* ---- callbacks ---- */

strads_status mf_step_by_tables(void *state, ssp_session *session, const strads_block *block,
                                double *partial)
{
    mf_worker *worker = state;
    mf_tables *self = worker->tables;
    if (partial != NULL) {
        return read_all(worker);
    }
    strads_status status = STRADS_OK;
    if (self->period == 0) {
        begin_round(worker, block->round);
    }
    if (self->table == NULL) {
        status = open_table(self, session, worker->n_back);
    }
    return status == STRADS_OK ? work_period(worker) : status;
}

strads_status mf_measure_by_tables(void *state, double *measures)
{
    mf_worker *worker = state;
    for (uint32_t c = 0; c < worker->site->items.n_blocks; c++) {
        mf_add_errors(worker, c, column_of(worker->tables, worker->tables->columns, c), measures);
    }
    mf_end_scan(worker, measures);
    return STRADS_OK;
}

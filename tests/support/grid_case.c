/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/grid_case.c - counting on a grid. */
#include "tests/support/grid_case.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/grid_tally.h"
#include "tests/support/suite.h"

grid_case grid_in_use;

static _Atomic uint32_t calls[GRID_CALL_N];
static _Atomic bool shared;
static int site;

typedef struct counter {
    strads_worker *worker;
    grid_rows rows;
    uint32_t n_visits;
} counter;

static strads_status call(grid_callback callback)
{
    const uint32_t now = atomic_fetch_add(&calls[callback], 1) + 1;
    const bool fails = grid_in_use.fails == callback && grid_in_use.call == now;
    return fails ? STRADS_ERR_APP : STRADS_OK;
}

/* Where the order of things matters. */
static uint64_t add(uint64_t order, uint64_t what)
{
    return order * UINT64_C(6364136223846793005) + what + 1;
}

static strads_status open_site(const strads_config *config, strads_part *part, void **out)
{
    (void) config;
    (void) part;
    *out = &site;
    return STRADS_OK;
}

static void close_site(void *unused)
{
    (void) unused;
}

static strads_status describe(const void *unused, strads_structure *structure)
{
    (void) unused;
    structure->n_vars = grid_in_use.n_columns;
    structure->split = STRADS_SPLIT_SAMPLES;
    return STRADS_OK;
}

static strads_status open_worker(const void *unused, strads_worker *worker, void **state)
{
    (void) unused;
    counter *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->worker = worker;
    *state = self;
    return STRADS_OK;
}

static void close_worker(void *state)
{
    strads_free(state);
}

static strads_status open_model(const strads_config *config, const void *unused, void **model)
{
    (void) config;
    (void) unused;
    *model = &grid_in_use;
    return STRADS_OK;
}

static void close_model(void *unused)
{
    (void) unused;
}

static strads_status next_stage(void *model, const strads_view *view, strads_stage *stage)
{
    grid_case *self = model;
    self->measured = view->measures[0];
    self->n_measured = view->measures[1];
    stage->done = view->round == self->n_passes;
    return STRADS_OK;
}

/* ---- the grid ---- */

static uint32_t n_rows(const void *unused)
{
    (void) unused;
    return grid_in_use.n_rows;
}

/* Where there is a table. */
static strads_status tally(const counter *self)
{
    ssp_session *session = strads_grid_session(self->worker);
    if ((session != NULL) != grid_in_use.tables) {
        atomic_store(&shared, true);
    }
    return session == NULL ? STRADS_OK
                           : grid_tally_count(session, strads_worker_rank(self->worker));
}

static strads_status open_column(void *state, uint32_t column, strads_buffer *buffer)
{
    strads_status status = call(GRID_CALL_OPEN_COLUMN);
    if (status == STRADS_OK) {
        status = tally(state);
    }
    if (status == STRADS_OK) {
        status = strads_buffer_resize(buffer, sizeof(grid_column));
    }
    if (status == STRADS_OK) {
        grid_column *it = strads_buffer_data(buffer);
        memset(it, 0, sizeof(*it));
        it->column = column;
    }
    return status;
}

static bool is_sound(const strads_buffer *buffer, uint32_t column)
{
    const grid_column *it = strads_buffer_data(buffer);
    return strads_buffer_bytes(buffer) >= sizeof(*it) && it->column == column &&
           (uintptr_t) it % 64 == 0;
}

static strads_status work(void *state, const strads_cell *cell, strads_buffer *buffer)
{
    counter *self = state;
    const uint32_t rank = strads_worker_rank(self->worker);
    strads_status status = call(GRID_CALL_WORK);
    if (status == STRADS_OK && !is_sound(buffer, cell->column)) {
        atomic_store(&shared, true);
        return STRADS_ERR_DATA;
    }
    if (status == STRADS_OK && cell->part == 0) { /* it grows, and what it has stays */
        status = strads_buffer_resize(buffer, strads_buffer_bytes(buffer) + 1);
    }
    if (status != STRADS_OK) {
        return status;
    }
    grid_column *it = strads_buffer_data(buffer);
    const uint64_t what = cell->pass * 1000 + cell->row * 100 + cell->part;
    if (it->in_use++ != 0) {
        atomic_store(&shared, true);
    }
    sched_yield();
    it->order = add(it->order, what * GRID_WORKERS + rank);
    self->rows.order = add(self->rows.order, what * GRID_COLUMNS + cell->column);
    if (cell->visit > 0) {
        it->extras[rank]++;
    } else {
        it->visits[rank][cell->row]++;
    }
    it->in_use--;
    strads_worker_count(self->worker, 1.0, grid_in_use.units / cell->n_parts);
    if (++self->n_visits == grid_in_use.visit && rank == grid_in_use.actor) {
        grid_in_use.act();
    }
    return tally(self);
}

static strads_status measure(void *state, uint32_t column, strads_buffer *buffer, double *measures)
{
    counter *self = state;
    const grid_column *it = strads_buffer_data(buffer);
    ssp_session *session = strads_grid_session(self->worker);
    strads_status status = call(GRID_CALL_MEASURE);
    if (!is_sound(buffer, column)) {
        atomic_store(&shared, true);
    }
    for (uint32_t r = 0; r < GRID_ROWS; r++) {
        measures[0] += it->visits[strads_worker_rank(self->worker)][r];
    }
    measures[1] += 1.0;
    if (status == STRADS_OK && session != NULL) {
        status = grid_tally_look(session);
        self->rows.clock = ssp_clock_own(session);
    }
    return status;
}

static strads_status give_rows(void *state, strads_buffer *buffer)
{
    const counter *self = state;
    strads_status status = call(GRID_CALL_GIVE_ROWS);
    if (status == STRADS_OK) {
        status = strads_buffer_resize(buffer, sizeof(self->rows));
    }
    if (status == STRADS_OK) {
        memcpy(strads_buffer_data(buffer), &self->rows, sizeof(self->rows));
    }
    return status;
}

static strads_status take_rows(void *model, uint32_t rank, const void *data, size_t bytes)
{
    grid_case *self = model;
    if (bytes != sizeof(grid_rows)) {
        return STRADS_ERR_DATA;
    }
    memcpy(&self->rows[rank], data, bytes);
    self->n_rows_taken++;
    return call(GRID_CALL_TAKE_ROWS);
}

static strads_status take_column(void *model, uint32_t column, const void *data, size_t bytes)
{
    grid_case *self = model;
    if (bytes < sizeof(grid_column)) {
        return STRADS_ERR_DATA;
    }
    memcpy(&self->columns[column], data, sizeof(grid_column));
    self->n_columns_taken++;
    return call(GRID_CALL_TAKE_COLUMN);
}

static strads_grid grid = {.n_rows = n_rows,
                           .open_column = open_column,
                           .work = work,
                           .measure = measure,
                           .give_rows = give_rows,
                           .take_rows = take_rows,
                           .take_column = take_column};

const strads_app *grid_app(void)
{
    static const strads_measure measures[] = {{.name = "visits", .reduction = STRADS_SUM},
                                              {.name = "columns", .reduction = STRADS_SUM}};
    static const strads_app app = {.struct_size = sizeof(app),
                                   .abi = STRADS_APP_ABI,
                                   .name = "grid_case",
                                   .help = "Counts on a grid.",
                                   .measures = measures,
                                   .n_measures = sizeof(measures) / sizeof(measures[0]),
                                   .open_site = open_site,
                                   .close_site = close_site,
                                   .describe = describe,
                                   .open_worker = open_worker,
                                   .close_worker = close_worker,
                                   .open_model = open_model,
                                   .close_model = close_model,
                                   .next_stage = next_stage,
                                   .grid = &grid};
    return &app;
}

/* ---- a run ---- */

static strads_status configure(strads_config *config, const char *const *settings, size_t n)
{
    char out[200];
    size_t n_options = 0;
    const strads_option *options = strads_options(&n_options);
    snprintf(out, sizeof(out), "run.out=%s/run", suite_folder());
    strads_status status = strads_config_set(config, out);
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        status = strads_config_set(config, settings[i]);
    }
    if (status == STRADS_OK) {
        status = strads_config_declare(config, options, n_options);
    }
    return status == STRADS_OK ? strads_config_resolve(config) : status;
}

strads_status grid_run(const char *const *settings, size_t n, strads_result *result)
{
    grid_case *self = &grid_in_use;
    strads_config *config = NULL;
    memset(self->columns, 0, sizeof(self->columns));
    memset(self->rows, 0, sizeof(self->rows));
    self->n_columns_taken = self->n_rows_taken = 0;
    grid.tables = self->tables;
    grid_tally_begin();
    atomic_store(&shared, false);
    for (int i = 0; i < GRID_CALL_N; i++) {
        atomic_store(&calls[i], 0);
    }
    strads_status status = strads_config_create(&config);
    if (status == STRADS_OK) {
        status = configure(config, settings, n);
    }
    if (status == STRADS_OK) {
        strads_mem_fail_after(self->fail_allocation);
        status = strads_run(grid_app(), config, NULL, NULL, result);
        strads_mem_fail_after(0);
    }
    strads_config_destroy(config);
    strads_stop_clear();
    self->shared = atomic_load(&shared);
    return status;
}

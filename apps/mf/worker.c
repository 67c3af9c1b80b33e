/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/worker.c - the rows of a worker, and what is done with columns that come by. */
#include <math.h>
#include <string.h>

#include "apps/mf/ccd.h"
#include "apps/mf/tables.h"
#include "apps/mf/worker.h"
#include "base/clock.h"

enum { ALIGN = 64 };

/* Streams of run.seed; users' begin here, then the items'. */
enum { STREAM_ROWS = 1 << 20 };

static size_t floats_of_rows(const mf_site *site)
{
    return site->user_blocks * mf_block_floats(site, &site->users);
}

static size_t bytes_of_column(const mf_site *site)
{
    return sizeof(mf_column) + mf_block_floats(site, &site->items) * sizeof(float);
}

static float *rows_in(const strads_buffer *buffer)
{
    return (float *) ((mf_column *) strads_buffer_data(buffer) + 1);
}

/* ---- how it begins ---- */

void mf_start_block(const mf_site *site, const mf_cut *cut, uint32_t block, float *rows)
{
    const uint64_t first = STREAM_ROWS + (cut == &site->items ? (uint64_t) site->users.n : 0);
    mf_row_padding(&site->layout, rows);
    for (uint32_t k = 0; k < cut->n_each; k++) {
        const uint32_t place = block * cut->n_each + k;
        float *row = rows + (size_t) (k + 1) * site->layout.stride;
        if (cut->index[place] == UINT32_MAX || cut->count[cut->index[place]] == 0) {
            mf_row_padding(&site->layout, row);
        } else {
            mf_row_start(&site->layout, row, mf_lambda_of(site, cut, place), site->seed,
                         first + cut->index[place]);
        }
    }
}

/* Now, for the first pass would wait for each of its pages. */
static strads_status make_kept_rows(mf_worker *self)
{
    const size_t bytes = floats_of_rows(self->site) * sizeof(float);
    self->kept_rows = strads_alloc(bytes);
    if (self->kept_rows == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_populate(self->kept_rows, bytes);
    return STRADS_OK;
}

strads_status mf_open_worker(const void *site, strads_worker *worker, void **out)
{
    mf_worker *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->site = site;
    self->worker = worker;
    self->factor = 1.0;
    self->memory = strads_alloc(floats_of_rows(self->site) * sizeof(float) + ALIGN);
    self->kept = strads_calloc(self->site->items.n_blocks, sizeof(*self->kept));
    self->begun_blocks = strads_calloc(self->site->user_blocks, sizeof(*self->begun_blocks));
    if (self->memory == NULL || self->kept == NULL || self->begun_blocks == NULL) {
        mf_close_worker(self);
        return STRADS_ERR_NOMEM;
    }
    self->rows = (void *) ((unsigned char *) self->memory + (-(uintptr_t) self->memory % ALIGN));
    const uint32_t first = strads_worker_rank(worker) * self->site->user_blocks;
    for (uint32_t b = 0; b < self->site->user_blocks; b++) {
        mf_start_block(self->site, &self->site->users, first + b,
                       self->rows + b * mf_block_floats(self->site, &self->site->users));
    }
    strads_status status = STRADS_OK;
    if (mf_uses_tables(self->site)) {
        status = mf_tables_create(&self->tables, self->site);
    } else if (mf_ccd_is_on(self->site->config)) {
        status = mf_ccd_create(&self->ccd, self);
    }
    if (status == STRADS_OK && self->ccd == NULL) {
        status = make_kept_rows(self);
    }
    if (status != STRADS_OK) {
        mf_close_worker(self);
        return status;
    }
    *out = self;
    return STRADS_OK;
}

void mf_close_worker(void *state)
{
    mf_worker *self = state;
    for (uint32_t c = 0; c < self->site->items.n_blocks && self->kept != NULL; c++) {
        strads_free(self->kept[c].last);
        strads_free(self->kept[c].good);
    }
    strads_free(self->kept);
    strads_free(self->begun_blocks);
    strads_free(self->kept_rows);
    strads_free(self->memory);
    mf_tables_destroy(self->tables);
    mf_ccd_destroy(self->ccd);
    strads_free(self);
}

strads_status mf_open_column(void *state, uint32_t column, strads_buffer *buffer)
{
    mf_worker *self = state;
    const strads_status status = strads_buffer_resize(buffer, bytes_of_column(self->site));
    if (status == STRADS_OK) {
        *(mf_column *) strads_buffer_data(buffer) = (mf_column){.column = column};
        mf_start_block(self->site, &self->site->items, column, rows_in(buffer));
        self->kept[column].mine = true;
    }
    return status;
}

static strads_status check_column(const mf_worker *self, uint32_t column,
                                  const strads_buffer *buffer)
{
    if (strads_buffer_bytes(buffer) == bytes_of_column(self->site) &&
        ((const mf_column *) strads_buffer_data(buffer))->column == column) {
        return STRADS_OK;
    }
    strads_error("mf: column %u came with %zu bytes; it has %zu", column,
                 strads_buffer_bytes(buffer), bytes_of_column(self->site));
    return STRADS_ERR_DATA;
}

/* ---- going back ---- */

strads_status mf_keep(float **to, const float *from, size_t n)
{
    if (*to == NULL) {
        *to = strads_alloc_array(n, sizeof(**to));
    }
    if (*to == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(*to, from, n * sizeof(**to));
    return STRADS_OK;
}

/* A pass diverged: goes back to what was kept, with a smaller step. Columns that travel follow
 * when the scan that comes meets them here, before any other worker. */
strads_status mf_begin_stage(void *state, const strads_stage *stage)
{
    mf_worker *self = state;
    const uint32_t n_back = (uint32_t) stage->params[MF_BACK];
    if (n_back == self->n_back) {
        return STRADS_OK;
    }
    self->n_back = n_back;
    self->factor = stage->params[MF_FACTOR];
    self->n_scans = (uint64_t) stage->params[MF_EPOCH] + 1;
    self->puts_back = true;
    const size_t n = mf_block_floats(self->site, &self->site->users);
    for (uint32_t b = 0; b < self->site->user_blocks; b++) {
        if (self->begun_blocks[b] > 0) { /* else it is as it was */
            memcpy(self->rows + b * n, self->kept_rows + b * n, n * sizeof(float));
        }
    }
    if (self->tables != NULL) {
        mf_tables_go_back(self->tables);
    }
    return STRADS_OK;
}

/* ---- a pass ---- */

void mf_begin_pass(mf_worker *self, uint64_t pass)
{
    self->pass = pass + 1;
    self->fitted = self->n_steps = 0.0;
    self->begun = strads_now();
}

/* When the pass first comes to a block, and so has it in the cache anyway. */
static void begin_block(mf_worker *self, uint32_t b)
{
    const mf_site *site = self->site;
    const size_t n = mf_block_floats(site, &site->users);
    float *rows = self->rows + b * n;
    if (self->begun_blocks[b] == self->pass) {
        return;
    }
    (void) site->kernels->norms(&site->layout, rows, n / site->layout.stride);
    if (self->begun_blocks[b] == 0 || mf_is_kept(self->n_scans - 1)) {
        memcpy(self->kept_rows + b * n, rows, n * sizeof(float));
    }
    self->begun_blocks[b] = self->pass;
}

static void begin_column(mf_worker *self, uint64_t pass, strads_buffer *buffer)
{
    const mf_site *site = self->site;
    mf_column *head = strads_buffer_data(buffer);
    if (head->normed != pass + 1) {
        head->normed = pass + 1;
        (void) site->kernels->norms(&site->layout, rows_in(buffer), site->items.n_each + 1);
    }
}

void mf_work_block(mf_worker *self, const strads_cell *cell, uint32_t b, float *columns,
                   const mf_step *step)
{
    const mf_site *site = self->site;
    const uint32_t rank = strads_worker_rank(self->worker);
    const mf_cells *cells = &site->cells[(rank - site->first) * site->user_blocks + b];
    const size_t all = cells->starts[cell->column + 1] - cells->starts[cell->column];
    const size_t first = cells->starts[cell->column] + all * cell->part / cell->n_parts;
    const size_t end = cells->starts[cell->column] + all * (cell->part + 1) / cell->n_parts;
    if (first == end) {
        return; /* there may be no groups at all */
    }
    begin_block(self, b);
    const double n =
        (double) cells->n_ratings[cell->column] * (double) (end - first) / (double) all;
    self->fitted +=
        site->kernels->train(&site->layout, cells->groups + first, end - first,
                             self->rows + b * mf_block_floats(site, &site->users), columns, step);
    self->n_steps += n;
    strads_worker_count(self->worker, n, 4.0 * site->layout.width * n);
}

/* Visits on top of the first are worth less than it all together, or a worker that waits long
 * would fit its cell alone. */
mf_step mf_step_of(const mf_worker *self, uint32_t visit)
{
    const mf_site *site = self->site;
    const double epoch = (double) (self->n_scans - 1);
    const double again = (1.0 + visit) * (1.0 + visit);
    return (mf_step){.eta = (float) (site->step * self->factor * pow(site->decay, epoch) / again),
                     .biases = site->biases,
                     .alike = site->weighted,
                     .lambda = site->weighted ? (float) site->lambda : 0.0F};
}

strads_status mf_work(void *state, const strads_cell *cell, strads_buffer *buffer)
{
    mf_worker *self = state;
    const mf_site *site = self->site;
    const strads_status status = check_column(self, cell->column, buffer);
    if (status != STRADS_OK) {
        return status;
    }
    if (self->pass != cell->pass + 1) {
        mf_begin_pass(self, cell->pass);
    }
    begin_column(self, cell->pass, buffer);
    const mf_step step = mf_step_of(self, cell->visit);
    const uint32_t first = cell->row * site->blocks_a_row;
    const uint32_t n = first + site->blocks_a_row < site->user_blocks ? site->blocks_a_row
                                                                      : site->user_blocks - first;
    for (uint32_t k = 0; k < n; k++) { /* to and fro: the last block is still in the cache */
        mf_work_block(self, cell, first + (cell->column % 2 == 0 ? k : n - 1 - k), rows_in(buffer),
                      &step);
    }
    self->ended = strads_now();
    return STRADS_OK;
}

/* ---- a scan ---- */

/* Whoever opened a column meets it before the others do. */
static strads_status keep_column(mf_worker *self, uint32_t column, strads_buffer *buffer)
{
    mf_kept_column *kept = &self->kept[column];
    const size_t n = mf_block_floats(self->site, &self->site->items);
    if (self->puts_back) {
        memcpy(rows_in(buffer), kept->good, n * sizeof(float));
        return mf_keep(&kept->last, kept->good, n);
    }
    if (kept->last != NULL && mf_is_kept(self->n_scans - 1)) { /* it was good, since we went on */
        const strads_status status = mf_keep(&kept->good, kept->last, n);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return mf_is_kept(self->n_scans) ? mf_keep(&kept->last, rows_in(buffer), n) : STRADS_OK;
}

/* What has diverged is beyond all measure. */
static double no_nan(double sum)
{
    return isnan(sum) ? (double) INFINITY : sum;
}

void mf_add_errors(mf_worker *self, uint32_t column, const float *columns, double *measures)
{
    const mf_site *site = self->site;
    const uint32_t rank = strads_worker_rank(self->worker);
    const size_t cell = (size_t) (rank - site->first) * site->items.n_blocks + column;
    const size_t n = site->pair_starts[cell + 1] - site->pair_starts[cell];
    const mf_errors errors = site->kernels->errors(
        &site->layout, self->rows, columns, site->pairs + site->pair_starts[cell], n, site->scale);
    measures[MF_SQUARED] += no_nan(errors.squared);
    measures[MF_MAE] += site->n_test == 0 ? (double) INFINITY /* there is none */
                                          : no_nan(errors.absolute) / (double) site->n_test;
    strads_worker_count(self->worker, 0.0, 2.0 * site->layout.width * (double) n);
}

void mf_end_scan(mf_worker *self, double *measures)
{
    self->n_scans += self->puts_back ? 0 : 1;
    self->puts_back = false;
    measures[MF_SECONDS] += self->ended - self->begun;
    self->begun = self->ended = 0.0;
    measures[MF_FITTED] += no_nan(self->fitted);
    measures[MF_STEPS] += self->n_steps;
    self->fitted = self->n_steps = 0.0;
}

strads_status mf_measure(void *state, uint32_t column, strads_buffer *buffer, double *measures)
{
    mf_worker *self = state;
    strads_status status = check_column(self, column, buffer);
    if (status == STRADS_OK && self->kept[column].mine) {
        status = keep_column(self, column, buffer);
    }
    if (status != STRADS_OK) {
        return status;
    }
    mf_add_errors(self, column, rows_in(buffer), measures);
    if (++self->n_measured == self->site->items.n_blocks) { /* in whatever order they came */
        self->n_measured = 0;
        mf_end_scan(self, measures);
    }
    return STRADS_OK;
}

/* ---- the end ---- */

/* Columns that do not travel; NULL: they do. */
static const float *columns_of(const mf_worker *self)
{
    return self->tables != NULL ? mf_tables_columns(self->tables)
           : self->ccd != NULL  ? mf_ccd_columns(self->ccd)
                                : NULL;
}

/* What there is to train on, and to go back to, is not needed any more: the coordinator may need
 * its memory. */
static void drop_data(mf_worker *self)
{
    const mf_site *site = self->site;
    const uint32_t first = (strads_worker_rank(self->worker) - site->first) * site->user_blocks;
    for (uint32_t b = first; b < first + site->user_blocks && site->cells != NULL; b++) {
        const mf_cells *cells = &site->cells[b];
        strads_discard(cells->groups, cells->starts[site->items.n_blocks] * sizeof(*cells->groups));
    }
    strads_free(self->kept_rows);
    self->kept_rows = NULL;
}

/* Columns that do not travel have no other way: worker 0 gives them all behind its rows. */
strads_status mf_give_rows(void *state, strads_buffer *buffer)
{
    mf_worker *self = state;
    drop_data(self);
    const size_t n = floats_of_rows(self->site);
    const float *columns = strads_worker_rank(self->worker) == 0 ? columns_of(self) : NULL;
    const size_t more = columns != NULL ? mf_tables_floats(self->site) : 0;
    const strads_status status = strads_buffer_resize(buffer, (n + more) * sizeof(float));
    if (status == STRADS_OK) {
        memcpy(strads_buffer_data(buffer), self->rows, n * sizeof(float));
    }
    if (status == STRADS_OK && columns != NULL) {
        memcpy((float *) strads_buffer_data(buffer) + n, columns, more * sizeof(float));
    }
    return status;
}

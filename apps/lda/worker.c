/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/worker.c - the documents of a worker, and what is done with columns that come by. */
#include "apps/lda/data_parallel.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

/* Streams of run.seed, one a worker. */
static const uint64_t STREAM_SAMPLER = (uint64_t) 1 << 41;

enum { READ_AHEAD = 64, LAG_DENSE = 64, LAG_SPARSE = 256 };

/* ---- life ---- */

strads_status lda_use_alpha(lda_worker *self)
{
    lda_rising rising;
    const strads_status status = lda_rising_init(&rising, self->alpha, self->site->n_topics);
    if (status != STRADS_OK) {
        return status;
    }
    lda_rising_fini(&self->rising_alpha);
    self->rising_alpha = rising;
    return STRADS_OK;
}

static strads_status init_sampler(lda_worker *self)
{
    const lda_site *site = self->site;
    const uint32_t n = site->n_padded;
    const uint32_t rank = strads_worker_rank(self->worker);
    const size_t align = 64;
    self->scratch = strads_alloc(lda_scratch_floats(site->n_topics) * sizeof(float) + align);
    self->alpha = strads_alloc_array(site->n_topics, sizeof(*self->alpha));
    self->next_alpha = strads_alloc_array(site->n_topics, sizeof(*self->next_alpha));
    self->alpha_single = strads_calloc(n, sizeof(*self->alpha_single));
    self->sampler = (lda_sampler){
        .n_topics = site->n_topics,
        .n_padded = n,
        .alpha = self->alpha_single,
        .totals = strads_alloc_array(n, sizeof(float)),
        .changes = strads_calloc(n, sizeof(int32_t)),
        .lag = site->dense                       ? LAG_DENSE
               : site->n_topics / 4 > LAG_SPARSE ? site->n_topics / 4
                                                 : LAG_SPARSE,
        .random = self->random,
    };
    if (self->scratch == NULL || self->alpha == NULL || self->next_alpha == NULL ||
        self->alpha_single == NULL || self->sampler.totals == NULL ||
        self->sampler.changes == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->sampler.scratch =
        (void *) ((unsigned char *) self->scratch + (-(uintptr_t) self->scratch % align));
    strads_random random = strads_random_start(site->seed, STREAM_SAMPLER + rank);
    for (uint32_t i = 0; i < 4 * 16; i++) {
        self->random[i / 16][i % 16] = strads_random_bits(&random) | (i / 16 == 0);
    }
    for (uint32_t k = 0; k < n; k++) {
        self->sampler.totals[k] = k < site->n_topics ? 1.0F : INFINITY;
    }
    for (uint32_t k = 0; k < site->n_topics; k++) {
        self->alpha[k] = site->alpha;
    }
    return lda_use_alpha(self);
}

static strads_status init_documents(lda_worker *self)
{
    const lda_site *site = self->site;
    strads_status status = STRADS_OK;
    for (uint32_t s = 0; s < self->documents->n_subs && status == STRADS_OK; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        const uint64_t n = sub->starts[site->words.n] + READ_AHEAD;
        self->topics[s] = strads_alloc_array(n, sizeof(uint16_t));
        if (self->topics[s] == NULL) {
            return STRADS_ERR_NOMEM;
        }
        memset(self->topics[s], 0xff, n * sizeof(uint16_t)); /* LDA_NO_TOPIC */
        status = lda_rows_init(&self->rows[s], sub,
                               s == site->n_sub ? LDA_ROWS_LONG
                               : site->dense    ? LDA_ROWS_DENSE
                                                : LDA_ROWS_SPARSE,
                               site->n_topics);
    }
    return status;
}

strads_status lda_open_worker(const void *context, strads_worker *worker, void **out)
{
    const lda_site *site = context;
    lda_worker *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->site = site;
    self->worker = worker;
    self->documents = &site->documents[strads_worker_rank(worker) - site->first];
    self->heldout = &site->heldout[strads_worker_rank(worker) - site->first];
    self->deltas = strads_alloc_array(site->n_topics, sizeof(*self->deltas));
    self->known = strads_calloc(site->n_topics, sizeof(*self->known));
    self->mine = strads_calloc(site->words.n_columns, sizeof(*self->mine));
    self->given = strads_calloc(site->words.n_columns, sizeof(*self->given));
    self->row_topics = strads_alloc_array(site->n_topics, sizeof(*self->row_topics));
    self->row_counts = strads_alloc_array(site->n_topics, sizeof(*self->row_counts));
    strads_status status = self->deltas == NULL || self->known == NULL || self->mine == NULL ||
                                   self->given == NULL || self->row_topics == NULL ||
                                   self->row_counts == NULL
                               ? STRADS_ERR_NOMEM
                               : init_sampler(self);
    if (status == STRADS_OK) {
        status = init_documents(self);
    }
    if (status == STRADS_OK) {
        status = lda_rising_init(&self->rising_beta, &site->beta, 1);
    }
    if (status == STRADS_OK && strads_config_bool(site->config, "lda.optimize_alpha")) {
        status = lda_prior_init(&self->prior, site->n_topics, site->n_longest, self->row_topics,
                                self->row_counts);
    }
    if (status == STRADS_OK) {
        status = lda_start(self);
    }
    if (status == STRADS_OK && lda_uses_tables(site->config)) {
        status = lda_tables_create(&self->tables, self);
    }
    if (status == STRADS_OK) {
        *out = self;
    } else {
        lda_close_worker(self);
    }
    return status;
}

void lda_close_worker(void *state)
{
    lda_worker *self = state;
    for (uint32_t s = 0; s < LDA_SUBS_MAX; s++) {
        strads_free(self->topics[s]);
        lda_rows_fini(&self->rows[s]);
    }
    lda_tables_destroy(self->tables);
    lda_prior_fini(&self->prior);
    lda_foretelling_fini(&self->foretelling);
    lda_rising_fini(&self->rising_alpha);
    lda_rising_fini(&self->rising_beta);
    strads_free(self->sampler.totals);
    strads_free(self->sampler.changes);
    strads_free(self->alpha_single);
    strads_free(self->alpha);
    strads_free(self->next_alpha);
    strads_free(self->scratch);
    strads_free(self->deltas);
    strads_free(self->known);
    strads_free(self->mine);
    strads_free(self->given);
    strads_free(self->row_topics);
    strads_free(self->row_counts);
    strads_free(self);
}

/* ---- columns ---- */

static size_t bytes_of_column(const lda_site *site, uint32_t column)
{
    return sizeof(lda_column) + site->words.units[column] * sizeof(uint32_t);
}

uint32_t *lda_column_counts(const strads_buffer *buffer)
{
    return (uint32_t *) (void *) ((lda_column *) strads_buffer_data(buffer) + 1);
}

strads_status lda_open_tables(lda_worker *self, ssp_session *session)
{
    ssp_table_options options = ssp_session_options(session);
    options.columns = self->site->n_topics;
    const strads_status status = ssp_table_open(&self->totals, session, "lda.totals", &options);
    return status == STRADS_OK && self->prior.n_topics > 0 ? lda_prior_open(&self->prior, session)
                                                           : status;
}

strads_status lda_open_column(void *state, uint32_t column, strads_buffer *buffer)
{
    lda_worker *self = state;
    const size_t bytes = bytes_of_column(self->site, column);
    const strads_status status = strads_buffer_resize(buffer, bytes);
    if (status == STRADS_OK) {
        memset(strads_buffer_data(buffer), 0, bytes);
        ((lda_column *) strads_buffer_data(buffer))->column = column;
        self->mine[column] = true;
    }
    /* With the first column: what comes later may be skipped by a run that ends. */
    return status == STRADS_OK && self->totals == NULL
               ? lda_open_tables(self, strads_grid_session(self->worker))
               : status;
}

strads_status lda_check_column(const lda_site *site, uint32_t column, const void *data,
                               size_t bytes)
{
    const lda_words *words = &site->words;
    if (bytes != bytes_of_column(site, column) || ((const lda_column *) data)->column != column) {
        strads_error("lda: column %u came with %zu bytes; it has %zu", column, bytes,
                     bytes_of_column(site, column));
        return STRADS_ERR_DATA;
    }
    const uint32_t *counts = (const void *) ((const lda_column *) data + 1);
    const uint32_t end = words->firsts[(column + 1) * words->n_sub];
    for (uint32_t p = words->firsts[column * words->n_sub]; p < end; p++) {
        if (!lda_row_is_sound(&words->places[p], counts, site->n_topics)) {
            strads_error("lda: column %u: the counts of word %u are none", column, words->word[p]);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* ---- the totals ---- */

strads_status lda_read_totals(lda_worker *self)
{
    const lda_site *site = self->site;
    const double smoothing = lda_plan_beta(site, &self->plan) * site->words.n;
    const double *view = NULL;
    const strads_status status = ssp_read_row(self->totals, 0, &view);
    for (uint32_t k = 0; status == STRADS_OK && k < site->n_topics; k++) {
        self->known[k] = view[k];
        self->sampler.totals[k] = (float) (view[k] + smoothing);
    }
    return status;
}

strads_status lda_add_to_totals(lda_worker *self)
{
    for (uint32_t k = 0; k < self->site->n_topics; k++) {
        self->deltas[k] = self->sampler.changes[k];
        self->known[k] += self->sampler.changes[k];
        self->sampler.changes[k] = 0;
    }
    return ssp_inc_row(self->totals, 0, self->deltas);
}

/* ---- a pass ---- */

/* What was learnt before the pass holds. */
static strads_status use_next_alpha(lda_worker *self)
{
    self->has_next = false;
    memcpy(self->alpha, self->next_alpha, self->site->n_topics * sizeof(*self->alpha));
    return lda_use_alpha(self);
}

strads_status lda_enter_pass(lda_worker *self, uint64_t pass)
{
    strads_status status = self->has_next ? use_next_alpha(self) : STRADS_OK;
    self->pass = pass + 1;
    self->plan = lda_plan_pass(self->site, pass);
    self->sampler.beta = (float) lda_plan_beta(self->site, &self->plan);
    self->n_moved = 0.0;
    self->begun = self->ended = strads_now();
    for (uint32_t k = 0; k < self->site->n_topics; k++) {
        self->alpha_single[k] = (float) (lda_plan_alpha(&self->plan) * self->alpha[k]);
    }
    return status;
}

strads_status lda_begin_pass(lda_worker *self, uint64_t pass)
{
    const strads_status status = lda_enter_pass(self, pass);
    return status == STRADS_OK && lda_plan_learns(self->site, pass)
               ? lda_prior_give(&self->prior, self->documents, self->rows)
               : status;
}

/* The documents of a sub that the pass works on, in a part of a block of words. */
static lda_slice slice_of(lda_worker *self, const lda_pass *plan, uint32_t s, uint32_t block,
                          const strads_cell *cell, uint32_t *column)
{
    const lda_words *words = &self->site->words;
    const lda_sub *sub = &self->documents->subs[s];
    const uint64_t first = words->firsts[block];
    const uint64_t n = words->firsts[block + 1] - first;
    uint32_t low = 0;
    uint32_t high = 0;
    lda_plan_documents(plan, sub, &low, &high);
    return (lda_slice){.docs = sub->docs,
                       .topics = self->topics[s],
                       .starts = sub->starts,
                       .places = words->places,
                       .column = column,
                       .first = (uint32_t) (first + n * cell->part / cell->n_parts),
                       .end = (uint32_t) (first + n * (cell->part + 1) / cell->n_parts),
                       .low = low,
                       .high = high,
                       .rows = lda_rows_of(&self->rows[s])};
}

static uint64_t sample_slices(lda_worker *self, const lda_slice slices[LDA_STREAMS], bool first)
{
    const lda_kernels *kernels = self->site->kernels;
    if (self->site->dense) {
        return kernels->dense(&self->sampler, slices, first);
    }
    return lda_row_entries(&slices[0]) >= LDA_LONG_ROW
               ? kernels->sparse_long(&self->sampler, &slices[0], first)
               : kernels->sparse(&self->sampler, &slices[0], first);
}

/* Every sub meets every block of the column, side by side those that share nothing. */
void lda_sample(lda_worker *self, const lda_pass *plan, const strads_cell *cell, uint32_t *column)
{
    const lda_site *site = self->site;
    const uint32_t n = site->n_sub;
    uint64_t n_moved = 0;
    for (uint32_t turn = 0; turn < n; turn++) {
        lda_slice slices[LDA_STREAMS];
        for (uint32_t s = 0; s < n; s++) {
            slices[s] = slice_of(self, plan, s, cell->column * n + (s + turn) % n, cell, column);
        }
        n_moved += sample_slices(self, slices, plan->first);
    }
    for (uint32_t block = 0; self->documents->n_subs > n && block < n; block++) {
        const lda_slice slice = slice_of(self, plan, n, cell->column * n + block, cell, column);
        n_moved += lda_sample_long(&self->sampler, &slice, plan->first);
    }
    self->n_moved += (double) n_moved;
}

static void count(lda_worker *self, const strads_cell *cell, uint32_t *column)
{
    for (uint32_t block = 0; block < self->site->n_sub; block++) {
        const lda_slice slice =
            slice_of(self, &self->plan, 0, cell->column * self->site->n_sub + block, cell, column);
        lda_count_topics(self, column, slice.first, slice.end, self->sampler.changes);
    }
}

/* Draws, or counts, first topics in a column up to the documents of the pass. Who is free to meet
 * columns more or less often may come to that in a later pass, and must not do it twice. Returns
 * whether there were any. */
static bool give_first(lda_worker *self, const strads_cell *cell, uint32_t *column)
{
    const uint32_t n = self->plan.stage + 1;
    uint32_t *given = &self->given[cell->column];
    if (*given >= n) {
        return false;
    }
    for (lda_pass plan = {.first = true, .stage = *given}; plan.stage < n; plan.stage++) {
        if (plan.stage == 0 && lda_plan_pass(self->site, 0).counts) {
            count(self, cell, column);
        } else {
            lda_sample(self, &plan, cell, column);
        }
    }
    if (cell->part + 1 == cell->n_parts) {
        *given = n;
    }
    return true;
}

/* A token of a dense row is a pass over all topics, of a sparse one over some. */
static void count_units(lda_worker *self, const strads_cell *cell)
{
    const lda_words *words = &self->site->words;
    double n = 0.0;
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        const uint64_t *starts = self->documents->subs[s].starts;
        n += (double) (starts[words->firsts[(cell->column + 1) * words->n_sub]] -
                       starts[words->firsts[cell->column * words->n_sub]]);
    }
    n *= lda_plan_share(self->site, self->plan.stage) / cell->n_parts;
    strads_worker_count(self->worker, n, (self->site->dense ? self->site->n_topics : 64.0) * n);
}

strads_status lda_work(void *state, const strads_cell *cell, strads_buffer *buffer)
{
    lda_worker *self = state;
    strads_status status = lda_check_column(self->site, cell->column, strads_buffer_data(buffer),
                                            strads_buffer_bytes(buffer));
    if (status == STRADS_OK && self->pass != cell->pass + 1) {
        status = lda_begin_pass(self, cell->pass);
    }
    if (status != STRADS_OK) {
        return status;
    }
    status = lda_read_totals(self);
    if (status != STRADS_OK) {
        return status;
    }
    const bool sweeps = !self->plan.first && !self->plan.counts;
    if (!give_first(self, cell, lda_column_counts(buffer)) && sweeps) {
        lda_sample(self, &self->plan, cell, lda_column_counts(buffer));
    }
    count_units(self, cell);
    self->ended = strads_now();
    return lda_add_to_totals(self);
}

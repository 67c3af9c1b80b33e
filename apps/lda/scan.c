/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/scan.c - how good the topics are, and what a worker leaves. */
#include <math.h>
#include <string.h>

#include "apps/lda/data_parallel.h"

/* ---- the likelihood, in shares ---- */

static double words_likelihood(lda_worker *self, uint32_t column, const uint32_t *counts)
{
    const lda_words *words = &self->site->words;
    const uint32_t n_topics = self->site->n_topics;
    int32_t *row = (int32_t *) (void *) self->sampler.scratch;
    const uint32_t end = words->firsts[(column + 1) * words->n_sub];
    double sum = 0.0;
    for (uint32_t p = words->firsts[column * words->n_sub]; p < end; p++) {
        const lda_place *place = &words->places[p];
        const uint32_t *at = counts + place->offset;
        if (place->form == LDA_LIST) {
            for (uint32_t i = 1; i <= at[0]; i++) {
                sum += lda_rising_of(&self->rising_beta, 0, at[i] >> 16);
            }
        } else {
            lda_row_read(place, counts, n_topics, row);
            sum += lda_rising_sum(&self->rising_beta, (const uint32_t *) row, n_topics);
        }
    }
    return sum;
}

static double documents_likelihood(lda_worker *self)
{
    double a = 0.0;
    double sum = 0.0;
    for (uint32_t k = 0; k < self->site->n_topics; k++) {
        a += self->alpha[k];
    }
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            const uint32_t n =
                lda_rows_read(&self->rows[s], doc, self->row_topics, self->row_counts);
            double n_tokens = 0.0; /* that have a topic */
            for (uint32_t i = 0; i < n; i++) {
                sum += lda_rising_of(&self->rising_alpha, self->row_topics[i], self->row_counts[i]);
                n_tokens += self->row_counts[i];
            }
            sum -= lda_rising_log(a, n_tokens);
        }
    }
    return sum;
}

/* How far the totals were from what they are. */
static double totals_error(const lda_worker *self, const double *totals)
{
    double error = 0.0;
    for (uint32_t k = 0; k < self->site->n_topics; k++) {
        error += fabs(totals[k] - self->known[k]);
    }
    return error / (double) self->site->n_tokens;
}

/* ---- held-out documents ---- */

static strads_status copy_counts(lda_worker *self, uint32_t column, const uint32_t *counts)
{
    strads_status status = STRADS_OK;
    if (self->n_measured == 0) {
        lda_foretelling_fini(&self->foretelling); /* of a scan that was given up */
        status = lda_foretelling_init(&self->foretelling, self->site, self->heldout,
                                      lda_plan_foretells(self->site->config, self->plan.sweep));
    }
    return status == STRADS_OK ? lda_foretelling_take(&self->foretelling, column, counts) : status;
}

static strads_status foretell(lda_worker *self, const double *totals, double *measures)
{
    lda_heldout sum = {.n_tokens = 0.0};
    const strads_status status =
        lda_foretelling_complete(&self->foretelling, self->site, totals, self->alpha, &sum);
    lda_foretelling_fini(&self->foretelling);
    if (status == STRADS_OK) {
        measures[LDA_HELDOUT] = sum.log_likelihood;
        measures[LDA_HELDOUT_TOKENS] = sum.n_tokens;
    }
    return status;
}

/* ---- a scan ---- */

static double tokens_of_pass(const lda_worker *self)
{
    double sum = 0.0;
    for (uint32_t s = 0; s < self->documents->n_subs && !self->plan.counts; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        uint32_t doc = 0;
        uint32_t end = 0;
        for (lda_plan_documents(&self->plan, sub, &doc, &end); doc < end; doc++) {
            sum += sub->lengths[doc];
        }
    }
    return sum;
}

static bool evaluates(const lda_worker *self)
{
    return self->pass > 0 && lda_plan_evaluates(self->site->config, self->plan.sweep);
}

/* What a column has of the likelihood where it was opened, and of held-out words. */
static strads_status look_at_column(lda_worker *self, uint32_t column, const uint32_t *counts,
                                    double *measures)
{
    if (self->mine[column]) {
        measures[LDA_LIKELIHOOD] += words_likelihood(self, column, counts);
    }
    return self->site->n_heldout > 0 ? copy_counts(self, column, counts) : STRADS_OK;
}

static strads_status evaluate(lda_worker *self, const double *totals, double *measures)
{
    const lda_site *site = self->site;
    measures[LDA_LIKELIHOOD] += documents_likelihood(self);
    if (strads_worker_rank(self->worker) == 0) {
        measures[LDA_LIKELIHOOD] +=
            lda_totals_likelihood(totals, site->n_topics, site->beta * site->words.n);
    }
    return site->n_heldout > 0 ? foretell(self, totals, measures) : STRADS_OK;
}

/* For the next pass: a run that ends here leaves the prior by which its topics were drawn and
 * judged. */
static strads_status learn_alpha(lda_worker *self)
{
    memcpy(self->next_alpha, self->alpha, self->site->n_topics * sizeof(*self->alpha));
    self->has_next = true;
    return lda_prior_learn(&self->prior, self->next_alpha);
}

static strads_status end_scan(lda_worker *self, double *measures)
{
    const double *totals = NULL;
    measures[LDA_HELDOUT] = INFINITY; /* there is none */
    if (self->pass == 0) {
        return STRADS_OK; /* nothing has been done yet */
    }
    measures[LDA_SECONDS] = self->ended - self->begun;
    measures[LDA_SAMPLED] = tokens_of_pass(self);
    measures[LDA_MOVED] = self->n_moved;
    strads_status status = ssp_read_row_within(self->totals, 0, 0, &totals);
    if (status == STRADS_OK) {
        measures[LDA_TOTALS_ERROR] = totals_error(self, totals);
        status = evaluates(self) ? evaluate(self, totals, measures) : STRADS_OK;
    }
    return status == STRADS_OK && lda_plan_learns(self->site, self->pass - 1) ? learn_alpha(self)
                                                                              : status;
}

bool lda_scan_needs(const lda_worker *self, uint32_t column)
{
    return evaluates(self) && (self->mine[column] || self->site->n_heldout > 0);
}

strads_status lda_scan_column(lda_worker *self, uint32_t column, const uint32_t *counts,
                              double *measures)
{
    strads_status status =
        counts != NULL ? look_at_column(self, column, counts, measures) : STRADS_OK;
    if (status == STRADS_OK && ++self->n_measured == self->site->words.n_columns) {
        self->n_measured = 0;
        self->n_scans++;
        status = end_scan(self, measures);
    }
    return status;
}

strads_status lda_measure(void *state, uint32_t column, strads_buffer *buffer, double *measures)
{
    lda_worker *self = state;
    const uint32_t *counts = NULL;
    strads_status status = STRADS_OK;
    if (self->pass < self->n_scans) { /* of free: a pass without a cell for this worker */
        status = lda_enter_pass(self, self->n_scans - 1);
    }
    if (status == STRADS_OK && lda_scan_needs(self, column)) {
        status = lda_check_column(self->site, column, strads_buffer_data(buffer),
                                  strads_buffer_bytes(buffer));
        counts = lda_column_counts(buffer);
    }
    return status == STRADS_OK ? lda_scan_column(self, column, counts, measures) : status;
}

/* ---- the end ---- */

/* What a worker leaves, in 32-bit units: alpha as doubles; where words are in a table, how often
 * its own tokens have each topic; then a document after another, its number as two units, how many
 * topics it has, these and their counts in pairs; and, with lda.save_assignments, how many tokens
 * have a topic, and these words and topics in pairs. */

static size_t units_of_rows(lda_worker *self, bool assignments)
{
    size_t n = 2 * (size_t) self->site->n_topics;
    n += self->tables != NULL ? lda_tables_units(self->site) : 0;
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            n += 3 + 2 * (size_t) lda_rows_read(&self->rows[s], doc, self->row_topics,
                                                self->row_counts);
            n += assignments ? 1 + 2 * (size_t) sub->lengths[doc] : 0;
        }
    }
    return n;
}

/* The tokens of a sub by document: pairs[starts of doc + i] of word and topic. */
static void sort_by_document(const lda_worker *self, uint32_t s, uint64_t *starts,
                             uint32_t (*pairs)[2])
{
    const lda_sub *sub = &self->documents->subs[s];
    const lda_words *words = &self->site->words;
    for (uint32_t doc = 0; doc < sub->n; doc++) {
        starts[doc + 1] = starts[doc] + sub->lengths[doc];
    }
    for (uint32_t p = 0; p < words->n; p++) {
        for (uint64_t token = sub->starts[p]; token < sub->starts[p + 1]; token++) {
            uint32_t *pair = pairs[starts[sub->docs[token]]++];
            pair[0] = words->word[p];
            pair[1] = self->topics[s][token];
        }
    }
    memmove(starts + 1, starts, sub->n * sizeof(*starts));
    starts[0] = 0;
}

static uint32_t *write_document(lda_worker *self, uint32_t s, uint32_t doc, uint32_t *at)
{
    const uint64_t number = self->documents->subs[s].numbers[doc];
    const uint32_t n = lda_rows_read(&self->rows[s], doc, self->row_topics, self->row_counts);
    *at++ = (uint32_t) number;
    *at++ = (uint32_t) (number >> 32);
    *at++ = n;
    for (uint32_t i = 0; i < n; i++) {
        *at++ = self->row_topics[i];
        *at++ = self->row_counts[i];
    }
    return at;
}

/* Those that have a topic: a run may have ended before all had. */
static uint32_t *write_tokens(uint32_t *at, uint32_t (*pairs)[2], uint32_t n)
{
    uint32_t *count = at++;
    *count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (pairs[i][1] != LDA_NO_TOPIC) {
            *at++ = pairs[i][0];
            *at++ = pairs[i][1];
            ++*count;
        }
    }
    return at;
}

static strads_status write_sub(lda_worker *self, uint32_t s, bool assignments, uint32_t **at)
{
    const lda_sub *sub = &self->documents->subs[s];
    const uint64_t n_tokens = sub->starts[self->site->words.n];
    uint64_t *starts = NULL;
    uint32_t(*pairs)[2] = NULL;
    strads_status status = STRADS_OK;
    if (assignments) {
        starts = strads_calloc((size_t) sub->n + 1, sizeof(*starts));
        pairs = strads_alloc_array(n_tokens, sizeof(*pairs));
        status = starts == NULL || pairs == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    if (assignments && status == STRADS_OK) {
        sort_by_document(self, s, starts, pairs);
    }
    for (uint32_t doc = 0; doc < sub->n && status == STRADS_OK; doc++) {
        *at = write_document(self, s, doc, *at);
        if (assignments) {
            *at = write_tokens(*at, pairs + starts[doc], sub->lengths[doc]);
        }
    }
    strads_free(starts);
    strads_free(pairs);
    return status;
}

strads_status lda_give_rows(void *state, strads_buffer *buffer)
{
    lda_worker *self = state;
    const bool assignments = strads_config_bool(self->site->config, "lda.save_assignments");
    strads_status status =
        strads_buffer_resize(buffer, units_of_rows(self, assignments) * sizeof(uint32_t));
    if (status != STRADS_OK) {
        return status;
    }
    uint32_t *at = strads_buffer_data(buffer);
    memcpy(at, self->alpha, self->site->n_topics * sizeof(*self->alpha));
    at += 2 * (size_t) self->site->n_topics;
    if (self->tables != NULL) {
        lda_tables_give(self, at);
        at += lda_tables_units(self->site);
    }
    for (uint32_t s = 0; s < self->documents->n_subs && status == STRADS_OK; s++) {
        status = write_sub(self, s, assignments, &at);
    }
    const size_t used = (size_t) (at - (uint32_t *) strads_buffer_data(buffer));
    return status == STRADS_OK ? strads_buffer_resize(buffer, used * sizeof(*at)) : status;
}

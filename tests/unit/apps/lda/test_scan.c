/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_scan.c - what a scan measures, and what a worker leaves, is what its
 * tokens tell when they are counted one by one. */
#include <string.h>

#include "apps/lda/data_parallel.h"
#include "strads/run.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { WORDS = LDA_RUN_WORDS, DOCS = LDA_RUN_DOCUMENTS, MAX_TOPICS = 160, MAX_TOKENS = 256 };
static const double ALPHA = 0.3, BETA = 0.2;

static strads_app app;
static strads_grid grid;
static uint16_t before[MAX_TOKENS]; /* topics at the scan before */
static uint32_t n_scans, n_judged, n_given;

/* ---- by the tokens ---- */

typedef struct tally {
    double n_dk[DOCS][MAX_TOPICS], n_wk[WORDS][MAX_TOPICS], n_k[MAX_TOPICS];
    uint16_t topics[MAX_TOKENS];
    uint32_t n_tokens; /* that have a topic */
} tally;

static void count_all(const lda_worker *self, tally *out)
{
    const lda_words *words = &self->site->words;
    memset(out, 0, sizeof(*out));
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        for (uint32_t p = 0; p < words->n; p++) {
            for (uint64_t t = sub->starts[p]; t < sub->starts[p + 1]; t++) {
                const uint32_t k = self->topics[s][t];
                if (k != LDA_NO_TOPIC) {
                    out->topics[out->n_tokens++] = (uint16_t) k;
                    out->n_dk[sub->numbers[sub->docs[t]]][k] += 1.0;
                    out->n_wk[words->word[p]][k] += 1.0;
                    out->n_k[k] += 1.0;
                }
            }
        }
    }
}

static double log_rising(double a, double n)
{
    return lgamma(a + n) - lgamma(a);
}

/* By the formula of likelihood.h. */
static double likelihood_of(const tally *all, uint32_t n_topics)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < n_topics; k++) {
        sum -= log_rising(WORDS * BETA, all->n_k[k]);
        for (uint32_t w = 0; w < WORDS; w++) {
            sum += log_rising(BETA, all->n_wk[w][k]);
        }
    }
    for (uint32_t d = 0; d < DOCS; d++) {
        double n = 0.0;
        for (uint32_t k = 0; k < n_topics; k++) {
            sum += log_rising(ALPHA, all->n_dk[d][k]);
            n += all->n_dk[d][k];
        }
        sum -= log_rising(n_topics * ALPHA, n);
    }
    return sum;
}

/* ---- a scan ---- */

/* After the last column of a scan, of a lone worker, whose totals are never late. */
static void judge(const lda_worker *self, const double *measures)
{
    static tally all;
    const lda_site *site = self->site;
    uint32_t n_moved = 0;
    count_all(self, &all);
    for (uint32_t t = 0; t < all.n_tokens; t++) {
        n_moved += all.topics[t] != before[t];
    }
    memcpy(before, all.topics, sizeof(before));
    n_scans++;
    if (self->pass == 0) {
        CHECK(measures[LDA_SAMPLED] == 0.0 && measures[LDA_HELDOUT] == INFINITY);
        return;
    }
    CHECK(all.n_tokens == site->n_tokens);
    CHECK(measures[LDA_TOTALS_ERROR] == 0.0);
    CHECK(self->plan.counts || measures[LDA_SAMPLED] == (double) site->n_tokens);
    CHECK(self->plan.counts || self->plan.first || measures[LDA_MOVED] == n_moved);
    for (uint32_t k = 0; k < site->n_topics; k++) {
        CHECK(self->known[k] == all.n_k[k]);
    }
    if (!lda_plan_evaluates(site->config, self->plan.sweep)) {
        CHECK(measures[LDA_LIKELIHOOD] == 0.0); /* was not asked for */
        return;
    }
    const double expected = likelihood_of(&all, site->n_topics);
    CHECK_NEAR(measures[LDA_LIKELIHOOD], expected, 1e-11 * fabs(expected));
    n_judged++;
}

static strads_status measure_grid(void *state, uint32_t column, strads_buffer *buffer,
                                  double *measures)
{
    const strads_status status = lda_measure(state, column, buffer, measures);
    const lda_worker *self = state;
    if (status == STRADS_OK && self->n_measured == 0) {
        judge(self, measures);
    }
    return status;
}

static strads_status measure_tables(void *state, double *measures)
{
    const strads_status status = lda_measure_by_tables(state, measures);
    if (status == STRADS_OK) {
        judge(state, measures);
    }
    return status;
}

/* ---- what is left ---- */

/* Reads what a document has left, and takes it off the counts; returns where the next begins. */
static const uint32_t *take_document(const uint32_t *at, tally *all)
{
    const uint32_t doc = at[0];
    const uint32_t n = at[2];
    REQUIRE(doc < DOCS && at[1] == 0);
    at += 3;
    for (uint32_t i = 0; i < n; i++, at += 2) {
        CHECK(at[1] > 0);
        all->n_dk[doc][at[0]] -= at[1];
    }
    for (uint32_t i = *at++; i > 0; i--, at += 2) {
        all->n_wk[at[0]][at[1]] -= 1.0;
        all->n_tokens--;
    }
    return at;
}

static strads_status give_rows(void *state, strads_buffer *buffer)
{
    static tally all;
    lda_worker *self = state;
    const strads_status status = lda_give_rows(state, buffer);
    const uint32_t *at = strads_buffer_data(buffer);
    const uint32_t *end = at + strads_buffer_bytes(buffer) / sizeof(*at);
    size_t n = 0;
    CHECK(memcmp(at, self->alpha, self->site->n_topics * sizeof(double)) == 0);
    at += 2 * (size_t) self->site->n_topics;
    at += self->tables != NULL ? lda_tables_units(self->site) : 0;
    count_all(self, &all);
    for (; at < end; n++) {
        at = take_document(at, &all);
    }
    CHECK(at == end && n == DOCS && all.n_tokens == 0);
    for (uint32_t k = 0; k < MAX_TOPICS; k++) {
        for (uint32_t d = 0; d < DOCS; d++) {
            CHECK(all.n_dk[d][k] == 0.0);
        }
        for (uint32_t w = 0; w < WORDS; w++) {
            CHECK(all.n_wk[w][k] == 0.0);
        }
    }
    n_given++;
    return status;
}

/* ---- runs ---- */

static void run(const char *kind, const char *start, const char *topics)
{
    const char *const settings[] = {"run.workers=1", "lda.sweeps=7", "lda.evaluate_every=3",
                                    "lda.alpha=0.3", "lda.beta=0.2", "lda.save_assignments=true",
                                    start,           topics};
    strads_result result;
    strads_config *config = lda_run_configure(lda_run_documents(), kind, settings, 8);
    app = lda_app;
    grid = *lda_app.grid;
    grid.measure = measure_grid;
    grid.give_rows = give_rows;
    app.grid = &grid;
    app.measure = measure_tables;
    n_scans = n_judged = n_given = 0;
    REQUIRE_OK(strads_run(&app, config, NULL, NULL, &result));
    CHECK(n_scans >= 8 && n_judged == 4 && n_given == 1);
    strads_config_destroy(config);
}

/* Dense rows and sparse ones; words in columns that travel, and in a table. */
static void what_is_measured_and_left_is_what_the_tokens_tell(void)
{
    static const char *const kinds[] = {"rotation", "free", "data_parallel"};
    static const char *const starts[] = {"lda.start=random", "lda.start=growing"};
    static const char *const topics[] = {"lda.topics=5", "lda.topics=150"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            run(kinds[i], starts[j % 2], topics[j / 2]);
        }
    }
}

SUITE("apps/lda/scan", {"what is measured and left is what the tokens tell",
                        what_is_measured_and_left_is_what_the_tokens_tell})

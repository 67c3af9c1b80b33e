/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_sampler.c - the slow sampler, which the fast ones are held against,
 * draws what a slower one does: that counts all tokens anew for each. */
#include "apps/lda/kernels.h"

#include <string.h>

#include "base/random.h"
#include "tests/support/lda_case.h"
#include "tests/support/suite.h"

enum { N_TOKENS = 400, N_DOCS = 12, N_WORDS = 20, N_TOPICS = 7 };
static const double BETA = 0.25;
static const double alphas[N_TOPICS] = {0.5, 0.25, 1.0, 0.125, 2.0, 0.5, 0.0625};

static lda_case_token tokens[N_TOKENS];
static uint16_t topics[N_TOKENS];
static lda_case self;
static uint32_t state[4];

static void set_up(bool with_topics)
{
    strads_random random = strads_random_start(8, 0);
    for (uint32_t t = 0; t < N_TOKENS; t++) {
        tokens[t] = (lda_case_token){(uint32_t) strads_random_below(&random, N_DOCS),
                                     (uint32_t) strads_random_below(&random, N_WORDS)};
        topics[t] = (uint16_t) strads_random_below(&random, N_TOPICS);
    }
    const lda_case_design design = {.form = LDA_ROWS_LONG,
                                    .n_topics = N_TOPICS,
                                    .n_docs = N_DOCS,
                                    .n_words = N_WORDS,
                                    .n_columns = 2,
                                    .tokens = tokens,
                                    .n_tokens = N_TOKENS,
                                    .alpha = alphas,
                                    .beta = BETA,
                                    .lag = 64,
                                    .seed = 4};
    lda_case_init(&self, &design);
    if (with_topics) {
        lda_case_set(&self, topics);
    } else {
        memset(topics, 0xff, sizeof(topics));
    }
    for (int i = 0; i < 4; i++) {
        state[i] = self.random[i][0];
    }
}

/* xoshiro128+ (Blackman and Vigna 2018), the upper 24 bits. */
static double next_uniform(void)
{
    const uint32_t bits = state[0] + state[3];
    const uint32_t shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 11) | (state[3] >> 21);
    return (bits >> 8) / 16777216.0;
}

/* The topic of token t, which has none, by the others'. */
static uint16_t draw_topic(uint32_t t)
{
    double ends[N_TOPICS];
    double sum = 0.0;
    for (uint32_t k = 0; k < N_TOPICS; k++) {
        double of_doc = alphas[k];
        double of_word = BETA;
        double of_all = BETA * N_WORDS;
        for (uint32_t i = 0; i < N_TOKENS; i++) {
            if (i != t && topics[i] == k) {
                of_doc += tokens[i].doc == tokens[t].doc;
                of_word += tokens[i].word == tokens[t].word;
                of_all += 1.0;
            }
        }
        sum += of_doc * of_word / of_all;
        ends[k] = sum;
    }
    const double u = next_uniform() * sum;
    uint16_t k = 0;
    while (k + 1 < N_TOPICS && ends[k] <= u) {
        k++;
    }
    return k;
}

/* Draws for documents low <= d < high, in the order of the case; returns how many have moved. */
static uint64_t sweep_slowly(uint32_t low, uint32_t high)
{
    uint64_t n_moved = 0;
    for (uint64_t i = 0; i < N_TOKENS; i++) {
        const uint32_t t = self.ids[0][i];
        if (tokens[t].doc >= low && tokens[t].doc < high) {
            const uint16_t old = topics[t];
            topics[t] = UINT16_MAX;
            topics[t] = draw_topic(t);
            n_moved += topics[t] != old;
        }
    }
    return n_moved;
}

static bool is_alike(uint32_t high)
{
    uint16_t drawn[N_TOKENS];
    lda_case_get(&self, drawn);
    return memcmp(drawn, topics, sizeof(drawn)) == 0 && lda_case_adds_up(&self, high);
}

static void sweeps_draw_by_the_counts_of_all_other_tokens(void)
{
    set_up(true);
    for (int sweep = 0; sweep < 4; sweep++) {
        const uint64_t n_moved = lda_case_sweep(&self, NULL, false);
        CHECK(n_moved == sweep_slowly(0, N_DOCS));
        CHECK(is_alike(N_DOCS));
    }
    lda_case_fini(&self);
}

static void first_topics_are_drawn_by_those_that_are_there(void)
{
    set_up(false);
    CHECK(lda_case_sweep(&self, NULL, true) == N_TOKENS);
    CHECK(sweep_slowly(0, N_DOCS) == N_TOKENS);
    CHECK(is_alike(N_DOCS));
    lda_case_fini(&self);
}

static void documents_beyond_the_limits_stay_as_they_are(void)
{
    static const uint32_t limits[2] = {3, 9};
    set_up(true);
    for (uint32_t column = 0; column < 2; column++) {
        lda_case_tell(&self);
        (void) lda_case_meet(&self, NULL, column, false, limits);
    }
    (void) sweep_slowly(3, 9);
    CHECK(is_alike(N_DOCS));
    lda_case_fini(&self);
}

/* Of two words whose tokens are in two documents each, equally often. */
static void a_row_is_as_long_as_those_that_tokens_meet(void)
{
    static uint32_t docs[2 * N_TOKENS];
    const uint64_t starts[] = {0, N_TOKENS, 2 * (uint64_t) N_TOKENS};
    uint16_t n_entries[] = {10, 20, 30, 500};
    lda_rows rows = {.n_entries = n_entries};
    for (uint32_t t = 0; t < 2 * N_TOKENS; t++) {
        docs[t] = t / (N_TOKENS / 2);
    }
    lda_slice slice = {.docs = docs, .starts = starts, .end = 2, .high = 4, .rows = &rows};
    const uint32_t of_all = lda_row_entries(&slice);
    CHECK(of_all >= 100 && of_all <= 180);
    slice.end = 1;
    const uint32_t of_first = lda_row_entries(&slice);
    CHECK(of_first >= 10 && of_first <= 20);
    slice.end = 2;
    slice.low = 1;
    slice.high = 2;
    CHECK(lda_row_entries(&slice) == 20);
    slice.high = 1;
    CHECK(lda_row_entries(&slice) == 0);
    slice.end = 0;
    slice.high = 4;
    CHECK(lda_row_entries(&slice) == 0);
}

SUITE("apps/lda/sampler",
      {"sweeps draw by the counts of all other tokens",
       sweeps_draw_by_the_counts_of_all_other_tokens},
      {"first topics are drawn by those that are there",
       first_topics_are_drawn_by_those_that_are_there},
      {"documents beyond the limits stay as they are",
       documents_beyond_the_limits_stay_as_they_are},
      {"a row is as long as those that tokens meet", a_row_is_as_long_as_those_that_tokens_meet})

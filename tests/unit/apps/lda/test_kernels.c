/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_kernels.c - whatever the samplers draw, the counts of documents, words
 * and topics are those of the tokens. test_kernels_law.c has the chances.
 */
#include "apps/lda/kernels.h"

#include <string.h>

#include "base/random.h"
#include "tests/support/lda_case.h"
#include "tests/support/suite.h"

enum { MANY = SUITE_SANITIZED ? 1500 : 6000, LONG_WORD = 70000, LONG_DOCUMENT = 66000 };

/* Tokens of documents of unlike lengths, some empty, in words of which the last have none. */
static lda_case_token *draw_tokens(uint32_t n, uint32_t n_docs, uint32_t n_words, uint64_t seed)
{
    lda_case_token *tokens = strads_alloc_array(n, sizeof(*tokens));
    REQUIRE(tokens != NULL);
    strads_random random = strads_random_start(seed, n);
    for (uint32_t t = 0; t < n; t++) {
        const double u = strads_random_uniform(&random);
        const double v = strads_random_uniform(&random);
        tokens[t].doc = (uint32_t) (u * u * u * n_docs);
        tokens[t].word = (uint32_t) (v * v * (n_words - n_words / 8));
        if (t > 0 && t % 5 == 0) {
            tokens[t] = tokens[t - 1]; /* again in its document */
        }
    }
    return tokens;
}

/* The first topics, then sweeps, of documents stage by stage. */
static void run(const lda_case_design *design, const lda_kernels *kernels)
{
    lda_case self;
    const uint32_t n = design->n_docs;
    const uint32_t stages[][2] = {{0, n / 7}, {n / 7, n / 7}, {n / 7, n / 2}, {n / 2, n}};
    uint32_t high = 0;
    bool right = true;
    lda_case_init(&self, design);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        for (uint32_t pass = 0; pass < 3; pass++) {
            const bool first = pass == 0;
            const uint32_t limits[2] = {first ? stages[i][0] : 0, stages[i][1]};
            uint64_t n_moved = 0;
            high = stages[i][1];
            for (uint32_t c = 0; c < design->n_columns; c++) {
                lda_case_tell(&self);
                n_moved += lda_case_meet(&self, kernels, c, first, limits);
            }
            right = right && n_moved <= design->n_tokens && lda_case_adds_up(&self, high);
        }
    }
    CHECK(right && high == n);
    if (!right) {
        printf("%s, form %d, %u topics, %u tokens\n", kernels->name, (int) design->form,
               design->n_topics, design->n_tokens);
    }
    lda_case_fini(&self);
}

static void run_variants(const lda_case_design *design)
{
    const lda_kernels *variants[LDA_CASE_VARIANTS];
    const size_t n = design->form == LDA_ROWS_LONG ? 1 : lda_case_variants(variants);
    variants[0] = &lda_kernels_portable;
    for (size_t v = 0; v < n; v++) {
        run(design, variants[v]);
    }
}

static void the_counts_are_those_of_the_tokens(void)
{
    static const uint32_t n_topics[] = {1,  2,  3,   7,   15,  16,  17,  31,  33,  64,
                                        65, 99, 100, 127, 128, 129, 144, 257, 1000};
    for (size_t i = 0; i < sizeof(n_topics) / sizeof(n_topics[0]); i++) {
        static const lda_rows_form forms[] = {LDA_ROWS_DENSE, LDA_ROWS_SPARSE, LDA_ROWS_LONG};
        lda_case_token *tokens = draw_tokens(MANY, 60, 40 + n_topics[i], i);
        for (size_t f = 0; f < 3; f++) {
            if (forms[f] != LDA_ROWS_DENSE || n_topics[i] <= LDA_DENSE) {
                const lda_case_design design = {.form = forms[f],
                                                .spread = true,
                                                .n_topics = n_topics[i],
                                                .n_docs = 60,
                                                .n_words = 40 + n_topics[i],
                                                .n_columns = 2,
                                                .tokens = tokens,
                                                .n_tokens = MANY,
                                                .beta = 0.01,
                                                .lag = i % 2 == 0 ? 64 : 5};
                run_variants(&design);
            }
        }
        strads_free(tokens);
    }
}

/* Topics beyond what 15 bits hold, most of words and documents in few of them. */
static void there_may_be_65535_topics(void)
{
    lda_case_token *tokens = draw_tokens(300, 5, 20, 1);
    const lda_case_design design = {.form = LDA_ROWS_SPARSE,
                                    .n_topics = 65535,
                                    .n_docs = 5,
                                    .n_words = 20,
                                    .n_columns = 1,
                                    .tokens = tokens,
                                    .n_tokens = 300,
                                    .beta = 0.01,
                                    .lag = 16384};
    run_variants(&design);
    strads_free(tokens);
}

/* All in one topic: a row of the word, then of the document, is as full as it can be. */
static void counts_may_be_above_65535(void)
{
    static const double alone[] = {1e6, 1e-6, 1e-6};
    static const lda_rows_form forms[] = {LDA_ROWS_DENSE, LDA_ROWS_SPARSE, LDA_ROWS_LONG};
    lda_case_token *tokens = strads_calloc(LONG_WORD, sizeof(*tokens));
    REQUIRE(tokens != NULL);
    for (uint32_t t = 0; t < LONG_WORD; t++) {
        tokens[t].doc = t % 6 == 5 ? t % 12 / 6 : 2 + t % 2;
    }
    for (size_t f = 0; f < 3; f++) {
        const lda_case_design design = {.form = forms[f],
                                        .spread = true,
                                        .n_topics = 3,
                                        .n_docs = 4,
                                        .n_words = 2,
                                        .n_columns = 1,
                                        .tokens = tokens,
                                        .n_tokens = LONG_WORD,
                                        .alpha = alone,
                                        .beta = 0.01,
                                        .lag = 64};
        run_variants(&design);
    }
    for (uint32_t t = 0; t < LONG_DOCUMENT; t++) {
        tokens[t] = (lda_case_token){.word = t % 3};
    }
    const lda_case_design design = {.form = LDA_ROWS_LONG,
                                    .n_topics = 3,
                                    .n_docs = 1,
                                    .n_words = 4,
                                    .n_columns = 1,
                                    .tokens = tokens,
                                    .n_tokens = LONG_DOCUMENT,
                                    .alpha = alone,
                                    .beta = 0.01,
                                    .lag = 64};
    run_variants(&design);
    strads_free(tokens);
}

/* The least beta and the greatest; alpha from next to nothing on. */
static void extreme_priors_do_no_harm(void)
{
    static const double betas[] = {1e-6, 1.0, 1e6};
    lda_case_token *tokens = draw_tokens(400, 12, 30, 3);
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t large = 0; large < 2; large++) {
            double alpha[20];
            for (uint32_t k = 0; k < 20; k++) {
                alpha[k] = large != 0 ? 1e6 : 1e-30;
            }
            for (int form = LDA_ROWS_DENSE; form <= LDA_ROWS_LONG; form++) {
                const lda_case_design design = {.form = (lda_rows_form) form,
                                                .spread = true,
                                                .n_topics = 20,
                                                .n_docs = 12,
                                                .n_words = 30,
                                                .n_columns = 1,
                                                .tokens = tokens,
                                                .n_tokens = 400,
                                                .alpha = alpha,
                                                .beta = betas[i],
                                                .lag = 64};
                run_variants(&design);
            }
        }
    }
    strads_free(tokens);
}

static void the_fixed_choice_is_the_portable_one(void)
{
    const lda_kernels *variants[LDA_CASE_VARIANTS];
    const size_t n = lda_case_variants(variants);
    CHECK(lda_kernels_choose(true) == &lda_kernels_portable);
    CHECK(lda_kernels_choose(false)->dense == variants[n - 1]->dense);
    CHECK(lda_kernels_choose(false)->sparse_long != NULL);
    CHECK(lda_kernels_portable.sparse_long == lda_kernels_portable.sparse);
}

SUITE("lda kernels", {"the counts are those of the tokens", the_counts_are_those_of_the_tokens},
      {"there may be 65535 topics", there_may_be_65535_topics},
      {"counts may be above 65535", counts_may_be_above_65535},
      {"extreme priors do no harm", extreme_priors_do_no_harm},
      {"the fixed choice is the portable one", the_fixed_choice_is_the_portable_one})

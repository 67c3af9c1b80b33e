/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lda_case.h - tokens, their topics, and all that the samplers of apps/lda keep of
 * them, as a worker has it; with slow recounts.
 */
#ifndef STRADS_TESTS_LDA_CASE_H
#define STRADS_TESTS_LDA_CASE_H

#include "apps/lda/rows.h"

typedef struct lda_case_token {
    uint32_t doc, word;
} lda_case_token;

typedef struct lda_case_design {
    lda_rows_form form; /* which sampler: the kernels' dense or sparse one, lda_sample_long */
    bool spread;        /* of the dense one: documents are in three streams, not all in one */
    uint32_t n_topics, n_docs, n_words, n_columns;
    const lda_case_token *tokens; /* [n_tokens] lent */
    uint32_t n_tokens;
    const double *alpha; /* [n_topics]; NULL: 0.1 */
    double beta;
    uint32_t lag;
    uint64_t seed;
} lda_case_design;

typedef struct lda_case {
    lda_case_design design;
    uint32_t n_sub;
    lda_words words;
    lda_sub subs[LDA_STREAMS];
    uint32_t *ids[LDA_STREAMS];    /* of the token at each place */
    uint16_t *topics[LDA_STREAMS]; /* at each place */
    lda_doc_rows rows[LDA_STREAMS];
    uint32_t **columns; /* [n_columns] */
    double *known;      /* [n_topics] n_k when it was last told */
    lda_sampler sampler;
    uint32_t random[4][16];
    void *scratch;
} lda_case;

/* No token has a topic yet. */
void lda_case_init(lda_case *out, const lda_case_design *design);
void lda_case_fini(lda_case *self);

/* The topics of all tokens, in the order of the design. Setting them tells the totals. */
void lda_case_set(lda_case *self, const uint16_t *topics);
void lda_case_get(const lda_case *self, uint16_t *topics);

/* Documents low <= d < high meet the words of a column; returns how many tokens the sampler says
 * have moved. With lda_sample_long `kernels` is not used. */
uint64_t lda_case_meet(lda_case *self, const lda_kernels *kernels, uint32_t column, bool first,
                       const uint32_t limits[2]);
/* All of them meet all columns, one after the other, the totals being told before each. */
uint64_t lda_case_sweep(lda_case *self, const lda_kernels *kernels, bool first);

/* Now the totals hold what has changed. */
void lda_case_tell(lda_case *self);

/* Whether the topics, counted one by one over documents below `high`, are what rows, columns and
 * totals hold, and nothing is beside them. */
bool lda_case_adds_up(const lda_case *self, uint32_t high);

enum { LDA_CASE_VARIANTS = 4 };

/* The variants of the kernels that this machine runs, from the least on, and one whose `sparse` is
 * that for long rows; returns how many. */
size_t lda_case_variants(const lda_kernels *variants[LDA_CASE_VARIANTS]);

#endif

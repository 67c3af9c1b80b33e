/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lda_oracle.h - how good topics are, slowly, from what a run has written.
 */
#ifndef STRADS_TESTS_LDA_ORACLE_H
#define STRADS_TESTS_LDA_ORACLE_H

#include <stddef.h>

/* What assignments.txt has: a line a document, its number of tokens and WORD:TOPIC of each. */
typedef struct lda_oracle {
    size_t n_documents, n_tokens;
    size_t *words;     /* [n_words] tokens of each */
    double likelihood; /* log p(w, z) per token */
} lda_oracle;

/* With alpha[n_topics]. Fails the test where the file is not of that form. */
void lda_oracle_read(lda_oracle *out, const char *path, size_t n_words, size_t n_topics,
                     const double *alpha, double beta);
void lda_oracle_fini(lda_oracle *oracle);

/* The mean total variation from the n_topics columns of `found` to those of `known`, both
 * [n_words][n_topics] of nonnegative numbers, each column made a distribution first; the topics
 * being matched as is best. n_topics <= 8. */
double lda_oracle_distance(const double *found, const double *known, size_t n_words,
                           size_t n_topics);

#endif

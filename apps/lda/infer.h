/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/infer.h - the topics of a document that was not trained on, and how well a model
 * foretells one.
 *
 * The model is fixed: p(w | k) = (n_wk + beta) / (n_k + V beta). A document's topics are
 *
 *   theta_k = (n_dk + alpha_k) / (n_d + A),   A = sum of alpha,
 *
 * with n_dk as expected under the zero-order collapsed variational law (CVB0: Asuncion et al.
 * 2009): a token of word w has topic k with gamma_wk ~ p(w | k) (n_dk - gamma_wk + alpha_k), where
 * n_dk is the sum of gamma over the tokens. Against samples of Gibbs it is as good as the mean of a
 * hundred, without chance. p(w | k) is taken as two parts, n_wk / (n_k + V beta), which few topics
 * have, and beta / (n_k + V beta), which is the same for all words; a token leaves itself out of
 * the first. So a sweep costs the nonzero n_wk of the document's words, and the topics once.
 */
#ifndef STRADS_LDA_INFER_H
#define STRADS_LDA_INFER_H

#include "base/base.h"

/* Writes the topics where a word, below n_words, has counts, and these; returns how many, at most
 * n_topics. */
typedef size_t (*lda_word_counts)(const void *context, uint32_t word, uint32_t *topics,
                                  uint32_t *counts);

typedef struct lda_infer_model {
    size_t n_words, n_topics;
    const double *totals; /* [n_topics] n_k; lent for create */
    const double *alpha;  /* [n_topics] > 0; lent for create */
    double beta;          /* > 0 */
    lda_word_counts counts;
    const void *context; /* of `counts` */
} lda_infer_model;

/* For one thread at a time. */
typedef struct lda_infer lda_infer;

STRADS_MUST_CHECK strads_status lda_infer_create(lda_infer **out, const lda_infer_model *model);
void lda_infer_destroy(lda_infer *infer); /* NULL is legal */

/* theta[n_topics] of a document of tokens[n]; that of the prior where n is 0. Deterministic: the
 * order of the tokens does not matter. */
STRADS_MUST_CHECK strads_status lda_infer_topics(lda_infer *infer, const uint32_t *tokens, size_t n,
                                                 double *theta);

/* What held-out documents add up to; perplexity = exp(-log_likelihood / n_tokens). */
typedef struct lda_heldout {
    double log_likelihood; /* of the tokens foretold */
    double n_tokens;       /* how many these are */
} lda_heldout;

/* Document completion (Wallach et al. 2009): half of the tokens, the odd one too, give theta; adds
 * log sum_k theta_k p(w | k) of the others to *sum. Which half is drawn from (seed, document). */
STRADS_MUST_CHECK strads_status lda_infer_complete(lda_infer *infer, const uint32_t *tokens,
                                                   size_t n, uint64_t seed, uint64_t document,
                                                   lda_heldout *sum);

#endif

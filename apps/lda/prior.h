/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/prior.h - the workers of a run fit the prior of the topics together.
 *
 * A table has the histograms of alpha.h over all documents, a row a topic, and one of the
 * lengths, in tokens that have a topic. Each worker gives what its own have changed by since it
 * last gave, and learns when all have given: all see the same sums, whole numbers, and so make the
 * same prior of them.
 */
#ifndef STRADS_LDA_PRIOR_H
#define STRADS_LDA_PRIOR_H

#include "apps/lda/rows.h"
#include "ssp/ssp.h"

typedef struct lda_prior {
    uint32_t n_topics;
    size_t n_bins;
    double *given;             /* [n_topics + 1][n_bins] what the table has of this worker */
    double *room;              /* as large */
    uint64_t *keys;            /* [n_topics + 1] of the rows */
    const double **views;      /* [n_topics + 1] room */
    struct ssp_table *table;   /* lent by the session */
    uint32_t *topics, *counts; /* [n_topics] room for a row; lent */
} lda_prior;

/* Of documents with at most `longest` tokens. topics[n_topics] and counts[n_topics] are room, lent
 * until fini. */
STRADS_MUST_CHECK strads_status lda_prior_init(lda_prior *out, uint32_t n_topics, uint32_t longest,
                                               uint32_t *topics, uint32_t *counts);
void lda_prior_fini(lda_prior *prior); /* one of zeros is allowed */

/* Opens the table. */
STRADS_MUST_CHECK strads_status lda_prior_open(lda_prior *prior, ssp_session *session);

/* Increments the table by the documents, rows[documents->n_subs]; once a period. */
STRADS_MUST_CHECK strads_status lda_prior_give(lda_prior *prior, const lda_documents *documents,
                                               const lda_doc_rows *rows);

/* alpha[n_topics] := fitted to what all have given, once all have. */
STRADS_MUST_CHECK strads_status lda_prior_learn(lda_prior *prior, double *alpha);

/* Bytes of one worker's share: its own, and what its session and the table keep of it. */
double lda_prior_bytes(uint32_t n_topics, uint32_t longest);

#endif

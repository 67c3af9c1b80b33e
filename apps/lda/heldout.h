/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/heldout.h - how well the topics foretell documents that were not trained on.
 *
 * A scan shows a worker every column once. Of each it copies the counts of the words that its
 * held-out documents have, and when it has seen all it completes these documents (infer.h).
 */
#ifndef STRADS_LDA_HELDOUT_H
#define STRADS_LDA_HELDOUT_H

#include "apps/lda/infer.h"
#include "apps/lda/lda.h"

/* Where the copies of a word's counts are. */
typedef struct lda_copied {
    size_t first; /* among the entries */
    uint32_t n;
    bool wanted;
} lda_copied;

/* A topic of a word, and how often it has it. */
typedef struct lda_copy {
    uint32_t topic, count;
} lda_copy;

/* One of zeros has not begun. */
typedef struct lda_foretelling {
    const lda_words *words;
    const lda_heldout_documents *documents;
    uint32_t n_topics;
    size_t step;        /* documents 0, step, 2 step, ... are foretold */
    lda_copied *copied; /* [words] by position */
    lda_copy *entries;
    size_t n_entries, room;
    int32_t *row; /* [n_padded] */
} lda_foretelling;

/* Begins with each step-th of the documents, step > 0, which are lent until fini. */
STRADS_MUST_CHECK strads_status lda_foretelling_init(lda_foretelling *out, const lda_site *site,
                                                     const lda_heldout_documents *documents,
                                                     size_t step);
void lda_foretelling_fini(lda_foretelling *self); /* one of zeros is allowed */

/* Copies what it needs of a column's counts. */
STRADS_MUST_CHECK strads_status lda_foretelling_take(lda_foretelling *self, uint32_t column,
                                                     const uint32_t *counts);

/* Adds to *sum what is foretold, once all columns were taken: with the words' counts as they were
 * then, totals[n_topics] and alpha[n_topics]. */
STRADS_MUST_CHECK strads_status lda_foretelling_complete(const lda_foretelling *self,
                                                         const lda_site *site, const double *totals,
                                                         const double *alpha, lda_heldout *sum);

#endif

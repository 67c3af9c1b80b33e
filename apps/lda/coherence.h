/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/coherence.h - how well the top words of a topic go together: NPMI over documents.
 *
 *   npmi(v, w) = log[p(v, w) / (p(v) p(w))] / -log p(v, w)
 *
 * where p is the share of the documents that have the word, or both; -1 for words that never meet,
 * 1 for two that are in every document. A topic has the mean over the pairs of its top words (Lau,
 * Newman and Baldwin 2014). What workers count in their documents is added up.
 */
#ifndef STRADS_LDA_COHERENCE_H
#define STRADS_LDA_COHERENCE_H

#include "apps/lda/lda.h"
#include "apps/lda/topics.h"

/* At most so many top words of a topic are looked at. */
enum { LDA_COHERENCE_WORDS = 10 };

/* Which words are asked about. Read-only once it is made, so threads may share it. */
typedef struct lda_coherence {
    size_t n_topics, n_vocabulary;
    size_t n_words;     /* different top words of all topics */
    uint32_t *index;    /* [n_vocabulary] of a word among them; UINT32_MAX: it is none */
    uint32_t *top;      /* [n_topics][LDA_COHERENCE_WORDS] these indices, best first */
    uint32_t *n_top;    /* [n_topics] */
    size_t *starts;     /* [n_words + 1] where the pairs of a word with later ones begin */
    uint32_t *partners; /* [starts[n_words]] these later ones, in order */
} lda_coherence;

/* For the words of sorted tops; each below n_vocabulary. */
STRADS_MUST_CHECK strads_status lda_coherence_init(lda_coherence *out, const lda_tops *tops,
                                                   size_t n_vocabulary);
void lda_coherence_fini(lda_coherence *coherence); /* one of zeros is allowed */

/* How many numbers the counts are: documents, those that have each word, those that have both words
 * of each pair that is in some topic. */
size_t lda_coherence_n_counts(const lda_coherence *coherence);

/* Adds n documents to counts[]; document d has tokens[starts[d]] .. tokens[starts[d + 1] - 1]. */
STRADS_MUST_CHECK strads_status lda_coherence_count(const lda_coherence *coherence,
                                                    const uint32_t *tokens, const size_t *starts,
                                                    size_t n, double *counts);

/* scores[n_topics] of the counts of all documents, NAN for a topic of fewer than two words;
 * returns the mean of the others, NAN when there is none. */
double lda_coherence_scores(const lda_coherence *coherence, const double *counts, double *scores);

/* The same of sorted tops over the documents that this process trains on; *mean is what
 * lda_coherence_scores returns. */
STRADS_MUST_CHECK strads_status lda_coherence_of_site(const lda_site *site, const lda_tops *tops,
                                                      double *scores, double *mean);

#endif

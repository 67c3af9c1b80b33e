/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/saved.h - the topics that a run leaves in its folder: writing them, and reading them
 * back.
 *
 *   word_topics.npy      n_wk, uint32 [words][topics]
 *   alpha.npy, beta.npy  the priors: a number a topic; one number
 *   vocab.txt            a word a line, in the order of the rows
 *   document_topics.mtx  n_dk, documents x topics, numbered from 1
 *   topics.txt           the table of topics
 *   assignments.txt      the topic of every token
 */
#ifndef STRADS_LDA_SAVED_H
#define STRADS_LDA_SAVED_H

#include "apps/lda/topics.h"
#include "data/counts.h"
#include "data/data.h"

/* ---- writing: each file is whole or not there ---- */

/* Opens the files of counts, to be written by data_counts_writer_put, a row a word, and
 * data_entries_writer_put, a row a document. */
STRADS_MUST_CHECK strads_status lda_saved_open_words(data_counts_writer **out, const char *dir,
                                                     size_t n_words, size_t n_topics);
STRADS_MUST_CHECK strads_status lda_saved_open_documents(data_entries_writer **out, const char *dir,
                                                         size_t n_documents, size_t n_topics);
/* That of assignments. */
STRADS_MUST_CHECK strads_status lda_saved_open_assignments(data_writer **out, const char *dir);

STRADS_MUST_CHECK strads_status lda_saved_write_priors(const char *dir, const double *alpha,
                                                       size_t n_topics, double beta);
STRADS_MUST_CHECK strads_status lda_saved_write_words(const char *dir, size_t n_words,
                                                      lda_word_text word, const void *context);
STRADS_MUST_CHECK strads_status lda_saved_write_table(const char *dir,
                                                      const lda_topics_table *table);

/* ---- reading ---- */

typedef struct lda_saved {
    data_counts words; /* [words][topics] n_wk, pages of the file */
    size_t n_words, n_topics;
    double *totals; /* [n_topics] n_k */
    double *alpha;  /* [n_topics] > 0 */
    double beta;    /* > 0 */
} lda_saved;

/* Reads the model in the folder `dir`; files that do not fit each other are refused. */
STRADS_MUST_CHECK strads_status lda_saved_read(lda_saved *out, const char *dir);
void lda_saved_fini(lda_saved *saved); /* one of zeros is allowed */

/* "DIR/vocab.txt", for strads_free; NULL: no memory, which is said. */
char *lda_saved_vocab_path(const char *dir);

#endif

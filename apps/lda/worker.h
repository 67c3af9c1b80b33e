/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/worker.h - a worker's state: its documents' topics, and what it knows of the totals. */
#ifndef STRADS_LDA_WORKER_H
#define STRADS_LDA_WORKER_H

#include "apps/lda/heldout.h"
#include "apps/lda/likelihood.h"
#include "apps/lda/prior.h"

/* A token that has no topic yet. */
enum { LDA_NO_TOPIC = UINT16_MAX };

/* What travels: counts behind this, as lda_words.places tell. */
typedef struct lda_column {
    uint64_t column;
    unsigned char zeros[56];
} lda_column;

typedef struct lda_worker {
    const lda_site *site;
    strads_worker *worker;
    const lda_documents *documents;
    const lda_heldout_documents *heldout;
    uint16_t *topics[LDA_SUBS_MAX]; /* of each token; 64 more */
    lda_doc_rows rows[LDA_SUBS_MAX];

    double *alpha;       /* [n_topics] */
    double *next_alpha;  /* [n_topics] that the last scan has learnt; */
    bool has_next;       /* it is alpha from the next pass on */
    float *alpha_single; /* [n_topics] what topics are drawn by in the pass */
    lda_sampler sampler;
    uint32_t random[4][16];
    void *scratch; /* that of the sampler */

    struct lda_tables *tables; /* of schedule.kind: data_parallel; else NULL */
    struct ssp_table *totals;  /* row 0: n_k */
    double *deltas;            /* [n_topics] */
    double *known;             /* [n_topics] n_k as this worker last knew it */

    uint64_t pass;  /* that was worked on last, and one */
    lda_pass plan;  /* of it */
    double n_moved; /* tokens, in it */
    double begun, ended;

    bool *mine;                  /* [n_columns] opened here */
    uint32_t *given;             /* [n_columns] stages whose documents have topics in it */
    uint64_t n_scans;            /* that are over; there was one before the first pass */
    uint32_t n_measured;         /* columns, of the scan that runs */
    lda_foretelling foretelling; /* of that scan */
    lda_rising rising_beta, rising_alpha;
    lda_prior prior;                   /* with lda.optimize_alpha */
    uint32_t *row_topics, *row_counts; /* [n_topics] room to read a row into */
} lda_worker;

/* What the pass does is known from now on, and what was learnt before it holds. */
STRADS_MUST_CHECK strads_status lda_enter_pass(lda_worker *self, uint64_t pass);
/* The same, for a pass that this worker has a part in. */
STRADS_MUST_CHECK strads_status lda_begin_pass(lda_worker *self, uint64_t pass);

/* Those that all workers share, but for words'. */
STRADS_MUST_CHECK strads_status lda_open_tables(lda_worker *self, struct ssp_session *session);
/* Tells the sampler the totals; and the table what the sampler has changed since. */
STRADS_MUST_CHECK strads_status lda_read_totals(lda_worker *self);
STRADS_MUST_CHECK strads_status lda_add_to_totals(lda_worker *self);

/* The pass's documents meet a part of a column, whose counts are `column`. */
void lda_sample(lda_worker *self, const lda_pass *plan, const strads_cell *cell, uint32_t *column);

/* The slices' counts in a column's buffer. */
uint32_t *lda_column_counts(const strads_buffer *buffer);
/* DATA when it is not that column, or no column. */
STRADS_MUST_CHECK strads_status lda_check_column(const lda_site *site, uint32_t column,
                                                 const void *data, size_t bytes);

/* scan.c: whether the scan that runs needs the counts of the column; */
bool lda_scan_needs(const lda_worker *self, uint32_t column);
/* and looks at them, NULL if not; once for each column, and after the last one at the rest. */
STRADS_MUST_CHECK strads_status lda_scan_column(lda_worker *self, uint32_t column,
                                                const uint32_t *counts, double *measures);

/* `alpha` is another: so is all that was made of it. */
STRADS_MUST_CHECK strads_status lda_use_alpha(lda_worker *self);

/* start.c: what the first pass counts. An even start gives every token a topic, and every document
 * its row; one that begins together, every document of stage 0 one topic, that of a word which
 * about as many of these have as there are for each topic: documents that share the word begin
 * alike. Of others no token has a topic yet. */
STRADS_MUST_CHECK strads_status lda_start(lda_worker *self);
/* Adds the topics of tokens that have one to the counts of words first .. end-1, and to
 * totals[n_topics]; NULL: not to them. */
void lda_count_topics(lda_worker *self, uint32_t *column, uint32_t first, uint32_t end,
                      int32_t *totals);

#endif

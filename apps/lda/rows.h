/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/rows.h - how often each document of a sub has each topic, as its kernel wants it. */
#ifndef STRADS_LDA_ROWS_H
#define STRADS_LDA_ROWS_H

#include "apps/lda/lda.h"

typedef enum lda_rows_form { LDA_ROWS_DENSE, LDA_ROWS_SPARSE, LDA_ROWS_LONG } lda_rows_form;

typedef struct lda_doc_rows {
    lda_rows_form form;
    uint32_t n_topics;
    uint16_t *dense; /* [documents][n_padded] */
    lda_rows sparse;
    uint32_t *wide; /* [documents][n_topics] */
    void *memory;   /* that of `dense` or `sparse` */
} lda_doc_rows;

/* No document has a topic yet. */
STRADS_MUST_CHECK strads_status lda_rows_init(lda_doc_rows *out, const lda_sub *sub,
                                              lda_rows_form form, uint32_t n_topics);
void lda_rows_fini(lda_doc_rows *rows); /* one of zeros is allowed */

/* As lda_slice.rows. */
void *lda_rows_of(lda_doc_rows *rows);

/* The topics that the document has, and how often; returns how many, at most n_topics. */
uint32_t lda_rows_read(const lda_doc_rows *rows, uint32_t doc, uint32_t *topics, uint32_t *counts);
/* Gives a document that has none n topics. */
void lda_rows_write(lda_doc_rows *rows, uint32_t doc, const uint32_t *topics,
                    const uint32_t *counts, uint32_t n);

#endif

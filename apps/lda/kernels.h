/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels.h - the samplers: collapsed Gibbs sampling, word after word.
 *
 * For each token of word w in document d, whose topic is o and which is taken out of all counts,
 * a topic k is drawn with a chance that goes with
 *
 *   (n_dk + alpha_k) (n_wk + beta) / (n_k + V beta)
 *
 * (Griffiths & Steyvers 2004). n_dk is exact: a document stays with its worker. So is n_wk on a
 * grid, which gives a word to one worker at a time; where words are in a table it is exact in the
 * worker's own tokens, and others' are as the table showed them. n_k, which all share, is as of at
 * most `lag` tokens of a stream ago, and without what others have done since the totals were last
 * read.
 *
 * kernels.c is compiled once for every instruction set; lda_kernels_choose picks the best that
 * this machine has. They draw from the same distribution, not the same numbers.
 */
#ifndef STRADS_LDA_KERNELS_H
#define STRADS_LDA_KERNELS_H

#include <stdbool.h>

#include "apps/lda/counts.h"

enum {
    LDA_DENSE = 128,       /* topics up to which documents have rows of all topics */
    LDA_STREAMS = 3,       /* slices that the dense kernel works on side by side */
    LDA_LONG_ROW = 128,    /* entries from which on a row is long */
    LDA_LENGTH_MAX = 65535 /* tokens of a document; longer ones are for lda_sample_long */
};

/* What is the same for all tokens, and the thread's own memory. */
typedef struct lda_sampler {
    uint32_t n_topics, n_padded;
    float beta;
    const float *alpha;     /* [n_padded], 0 from n_topics on */
    float *totals;          /* [n_padded] n_k + V beta as it was read; INFINITY from n_topics on */
    int32_t *changes;       /* [n_padded] of n_k since then, by this worker */
    uint32_t lag;           /* tokens for which 1 / (n_k + V beta) may stay as it was; > 0 */
    uint32_t (*random)[16]; /* [4] the state of the generator, not all 0 */
    float *scratch;         /* lda_scratch_floats, aligned to 64 bytes */
} lda_sampler;

size_t lda_scratch_floats(uint32_t n_topics);

/* The tokens of some documents in the words of a column, word by word, and in each word in
 * order of documents. */
typedef struct lda_slice {
    const uint32_t *docs;   /* of each token its document; 64 more may be looked at ahead */
    uint16_t *topics;       /* of each token */
    const uint64_t *starts; /* the tokens of word i: starts[i] .. starts[i + 1] */
    const lda_place *places;
    uint32_t *column;
    uint32_t first, end; /* the words */
    uint32_t low, high;  /* the documents that take part: low <= d < high */
    void *rows;          /* of the documents, as the kernel wants them */
} lda_slice;

/* The topics of documents where there are more than LDA_DENSE. A row has lines of 16 entries,
 * topic in the low half, count in the high one. What is not taken is topic K, count 0. */
typedef struct lda_rows {
    uint32_t *entries;     /* aligned to 64 bytes */
    const uint32_t *lines; /* of each document the line where its row begins; 64 more as docs */
    uint16_t *n_entries;
} lda_rows;

/* How many entries a row has that a token of the slice meets, on average over some of its tokens.
 * rows: lda_rows. */
uint32_t lda_row_entries(const lda_slice *slice);

typedef struct lda_kernels {
    const char *name;

    /* Draws the tokens' topics; with `first` those that have none yet, and count nowhere. They
     * return how many tokens got another topic. */
    /* No two slices share a document or a word. rows: uint16_t [documents][n_padded]. */
    uint64_t (*dense)(lda_sampler *self, const lda_slice slices[LDA_STREAMS], bool first);
    /* rows: lda_rows. */
    uint64_t (*sparse)(lda_sampler *self, const lda_slice *slice, bool first);
    /* The same, for where rows are long by lda_row_entries. */
    uint64_t (*sparse_long)(lda_sampler *self, const lda_slice *slice, bool first);
} lda_kernels;

extern const lda_kernels lda_kernels_portable, lda_kernels_avx2, lda_kernels_avx512;
/* As avx512, for processors whose instruction to gather is faster than loads one by one. */
extern const lda_kernels lda_kernels_gather;

/* What is in lda_kernels.sparse; that of avx2 is in several of them. */
uint64_t lda_sample_sparse_portable(lda_sampler *self, const lda_slice *slice, bool first);
uint64_t lda_sample_sparse_avx2(lda_sampler *self, const lda_slice *slice, bool first);
uint64_t lda_sample_sparse_avx512(lda_sampler *self, const lda_slice *slice, bool first);

/* The best variant of this machine; with `fixed`, the portable one everywhere. */
const lda_kernels *lda_kernels_choose(bool fixed);

/* The same for documents of any length, rows: uint32_t [documents][n_topics]; slow, and obvious. */
uint64_t lda_sample_long(lda_sampler *self, const lda_slice *slice, bool first);

#endif

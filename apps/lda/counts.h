/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/counts.h - how often each word of a column has each topic, as it travels.
 *
 * A word with n tokens in the corpus has at most min(n, K) topics, and no topic more than n
 * times. So its row is a list where that is shorter, else an array, of 16 bits where n fits into
 * them: a count cannot overflow, and a column of rare words is small. Nothing else knows these
 * forms but the kernels, which unpack a row when they come to its word, and pack it after.
 */
#ifndef STRADS_LDA_COUNTS_H
#define STRADS_LDA_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lda_form {
    LDA_LIST, /* a number of entries, then entries: topic in the low half, count in the high one */
    LDA_ARRAY_16,
    LDA_ARRAY_32
} lda_form;

/* Where a word's row is. */
typedef struct lda_place {
    size_t offset;     /* in its column, in 32-bit units */
    uint32_t capacity; /* entries, of a list */
    uint32_t form;     /* lda_form */
} lda_place;

/* K rounded up so that any kernel's vectors fill it. */
static inline uint32_t lda_padded(uint32_t n_topics)
{
    return (n_topics + 15) / 16 * 16;
}

/* The place at `offset` for a word of n tokens, a list only where these are allowed. Returns where
 * the next one begins. */
size_t lda_place_at(lda_place *place, size_t offset, uint64_t n, uint32_t n_topics, bool lists);

/* Whether a row that came from elsewhere is one: its entries within their capacity, their topics
 * below n_topics. */
bool lda_row_is_sound(const lda_place *place, const uint32_t *column, uint32_t n_topics);

/* counts[n_topics]. */
void lda_row_read(const lda_place *place, const uint32_t *column, uint32_t n_topics,
                  int32_t *counts);
void lda_row_write(const lda_place *place, uint32_t *column, uint32_t n_topics,
                   const int32_t *counts);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/topics.h - the words that are most frequent in each topic, and a table to read them. */
#ifndef STRADS_LDA_TOPICS_H
#define STRADS_LDA_TOPICS_H

#include "base/base.h"

typedef struct lda_top {
    uint32_t word;
    uint32_t count; /* > 0, tokens of the word in the topic */
} lda_top;

/* The n_each words with the greatest count of each topic; of the same count the lower word. They
 * are the same in whatever order words are added. Within a topic p(w | k) has that order too. */
typedef struct lda_tops {
    size_t n_topics, n_each;
    lda_top *tops;  /* [n_topics][n_each] */
    uint32_t *used; /* [n_topics] so many of them are there */
} lda_tops;

STRADS_MUST_CHECK strads_status lda_tops_init(lda_tops *out, size_t n_topics, size_t n_each);
void lda_tops_fini(lda_tops *tops); /* one of zeros is allowed */

/* Adds a word's count in one topic, or its counts[n_topics] in all; each word and topic once. */
void lda_tops_add(lda_tops *tops, size_t topic, uint32_t word, uint32_t count);
void lda_tops_add_row(lda_tops *tops, uint32_t word, const uint32_t *counts);

/* Ends adding: the greatest of each topic comes first. */
void lda_tops_sort(lda_tops *tops);

/* The text of word w, made in room[LDA_WORD_BYTES] or lent until the next call. */
typedef const char *(*lda_word_text)(const void *context, uint32_t w, char *room);
enum { LDA_WORD_BYTES = 32 };

/* What a table of topics shows. */
typedef struct lda_topics_table {
    const lda_tops *tops;    /* sorted */
    const double *totals;    /* [n_topics] tokens */
    const double *coherence; /* [n_topics]; NULL: not known */
    lda_word_text word;
    const void *context;
    size_t n_rows; /* at most so many; 0: all */
    size_t width;  /* of a line in characters, 40 at least; 0: any. Words that do not fit are left
                    * out, but for the first, which is cut */
} lda_topics_table;

/* Writes a heading and a line a topic, the largest first: number from 0, share of the tokens,
 * coherence, words. */
STRADS_MUST_CHECK strads_status lda_topics_print(const lda_topics_table *table, FILE *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/words.c - which words travel together, and where their counts are. */
#include <stdlib.h>
#include <string.h>

#include "apps/lda/lda.h"

/* A word, or a block with what it has so far. */
typedef struct load {
    uint64_t tokens;
    uint32_t index;
} load;

static int by_tokens(const void *a, const void *b)
{
    const load *x = a;
    const load *y = b;
    if (x->tokens != y->tokens) {
        return x->tokens < y->tokens ? 1 : -1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool is_less(const load *a, const load *b)
{
    return a->tokens != b->tokens ? a->tokens < b->tokens : a->index < b->index;
}

/* The root of the heap has got more. */
static void sift_down(load *heap, uint32_t n)
{
    for (uint32_t i = 0, child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && is_less(&heap[child + 1], &heap[child])) {
            child++;
        }
        if (!is_less(&heap[child], &heap[i])) {
            return;
        }
        const load other = heap[i];
        heap[i] = heap[child];
        heap[child] = other;
        i = child;
    }
}

/* The most frequent words first, each to the block that has least: block_of[n]. */
static void deal(const load *words, uint32_t n, load *blocks, uint32_t n_blocks, uint32_t *block_of)
{
    for (uint32_t b = 0; b < n_blocks; b++) {
        blocks[b] = (load){.index = b};
    }
    for (uint32_t i = 0; i < n; i++) {
        block_of[words[i].index] = blocks[0].index;
        blocks[0].tokens += words[i].tokens + 1; /* one more: words without tokens too */
        sift_down(blocks, n_blocks);
    }
}

/* Words in order of their blocks, in each as in `words`. */
static void order(lda_words *self, const load *words, const uint32_t *block_of)
{
    const uint32_t n_blocks = self->n_columns * self->n_sub;
    for (uint32_t i = 0; i < self->n; i++) {
        self->firsts[block_of[i] + 1]++;
    }
    for (uint32_t b = 0; b < n_blocks; b++) {
        self->firsts[b + 1] += self->firsts[b];
    }
    for (uint32_t i = 0; i < self->n; i++) { /* firsts run ahead, and are put back below */
        const uint32_t position = self->firsts[block_of[words[i].index]]++;
        self->word[position] = words[i].index;
        self->position[words[i].index] = position;
    }
    memmove(self->firsts + 1, self->firsts, n_blocks * sizeof(*self->firsts));
    self->firsts[0] = 0;
}

static void place(lda_words *self, const uint64_t *counts, uint32_t n_topics, bool lists)
{
    for (uint32_t c = 0; c < self->n_columns; c++) {
        const uint32_t end = self->firsts[(c + 1) * self->n_sub];
        size_t offset = 0;
        for (uint32_t p = self->firsts[c * self->n_sub]; p < end; p++) {
            offset = lda_place_at(&self->places[p], offset, counts[self->word[p]], n_topics, lists);
        }
        self->units[c] = offset;
    }
}

strads_status lda_words_init(lda_words *out, const uint64_t *counts, uint32_t n, uint32_t n_columns,
                             uint32_t n_sub, uint32_t n_topics, bool lists)
{
    const uint32_t n_blocks = n_columns * n_sub;
    lda_words self = {.n = n, .n_columns = n_columns, .n_sub = n_sub};
    load *words = strads_alloc_array(n, sizeof(*words));
    load *blocks = strads_alloc_array(n_blocks, sizeof(*blocks));
    uint32_t *block_of = strads_alloc_array(n, sizeof(*block_of));
    self.position = strads_alloc_array(n, sizeof(*self.position));
    self.word = strads_alloc_array(n, sizeof(*self.word));
    self.firsts = strads_calloc(n_blocks + 1, sizeof(*self.firsts));
    self.places = strads_calloc(n, sizeof(*self.places));
    self.units = strads_calloc(n_columns, sizeof(*self.units));
    strads_status status = STRADS_OK;
    if (words == NULL || blocks == NULL || block_of == NULL || self.position == NULL ||
        self.word == NULL || self.firsts == NULL || self.places == NULL || self.units == NULL) {
        lda_words_fini(&self);
        status = STRADS_ERR_NOMEM;
    } else {
        for (uint32_t w = 0; w < n; w++) {
            words[w] = (load){.tokens = counts[w], .index = w};
        }
        qsort(words, n, sizeof(*words), by_tokens);
        deal(words, n, blocks, n_blocks, block_of);
        order(&self, words, block_of);
        place(&self, counts, n_topics, lists);
        *out = self;
    }
    strads_free(words);
    strads_free(blocks);
    strads_free(block_of);
    return status;
}

void lda_words_fini(lda_words *words)
{
    strads_free(words->position);
    strads_free(words->word);
    strads_free(words->firsts);
    strads_free(words->places);
    strads_free(words->units);
    *words = (lda_words){.n = 0};
}

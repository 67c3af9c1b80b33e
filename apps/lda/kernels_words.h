/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/kernels_words.h - what both samplers do at a word. Part of kernels.c. */
#ifndef STRADS_LDA_KERNELS_WORDS_H
#define STRADS_LDA_KERNELS_WORDS_H

#include <string.h>

#include "apps/lda/kernels.h"
#include "apps/lda/kernels_lanes.h"

static uint64_t first_from(const uint32_t *docs, uint64_t low, uint64_t high, uint32_t doc)
{
    if (low == high || docs[high - 1] < doc) {
        return high;
    }
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (docs[middle] < doc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The tokens of the word that take part. */
static void tokens_of(const lda_slice *slice, uint32_t word, uint64_t *next, uint64_t *end)
{
    *next = slice->starts[word];
    *end = slice->starts[word + 1];
    if (*next < *end && slice->docs[*next] < slice->low) {
        *next = first_from(slice->docs, *next, *end, slice->low);
    }
    *end = first_from(slice->docs, *next, *end, slice->high);
}

static void make_inverse(const lda_sampler *self, float *inverse)
{
    for (uint32_t k = 0; k < self->n_padded; k += LANES) {
        const ints changes = *(const ints_at *) (self->changes + k);
        store(inverse + k,
              1.0F / (load(self->totals + k) + __builtin_convertvector(changes, lanes)));
    }
}

static void read_array(const lda_place *place, const uint32_t *column, uint32_t n, int32_t *counts)
{
    const uint32_t *row = column + place->offset;
    if (place->form == LDA_ARRAY_32) {
        memcpy(counts, row, n * sizeof(*counts));
        return;
    }
    for (uint32_t k = 0; k < n; k += LANES) {
        *(ints_at *) (counts + k) = load_shorts((const uint16_t *) (const void *) row + k);
    }
}

static void write_array(const lda_place *place, uint32_t *column, uint32_t n, const int32_t *counts)
{
    uint32_t *row = column + place->offset;
    if (place->form == LDA_ARRAY_32) {
        memcpy(row, counts, n * sizeof(*counts));
        return;
    }
    for (uint32_t k = 0; k < n; k += LANES) {
        const ints wide = *(const ints_at *) (counts + k);
        *(ushorts_at *) ((uint16_t *) (void *) row + k) = __builtin_convertvector(wide, ushorts);
    }
}

#endif

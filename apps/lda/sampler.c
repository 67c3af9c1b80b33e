/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/sampler.c - what of sampling is the same on all machines. */
#include "apps/lda/kernels.h"

/* As kernels_sparse.h lays it out: five arrays of floats and the counts, a list and flags of
 * topics, and three of sums by group; lda_sample_long needs less. */
size_t lda_scratch_floats(uint32_t n_topics)
{
    const size_t n = lda_padded(n_topics) + 32;
    const size_t n_groups = lda_padded(n_topics) / 16 + 48;
    return 6 * n + n / 2 + n / 4 + 3 * n_groups + 16;
}

uint32_t lda_row_entries(const lda_slice *slice)
{
    enum { MOST = 256, APART = 64 }; /* of the tokens that are looked at */
    const lda_rows *rows = slice->rows;
    const uint64_t begin = slice->starts[slice->first];
    const uint64_t n = slice->starts[slice->end] - begin;
    const uint64_t n_looks = n / APART < MOST ? (n + APART - 1) / APART : MOST;
    uint64_t sum = 0;
    uint32_t n_met = 0;
    for (uint64_t i = 0; i < n_looks; i++) {
        const uint32_t doc = slice->docs[begin + n * i / n_looks];
        if (doc >= slice->low && doc < slice->high) {
            sum += rows->n_entries[doc];
            n_met++;
        }
    }
    return n_met > 0 ? (uint32_t) (sum / n_met) : 0;
}

static double next_uniform(uint32_t (*state)[16])
{
    const uint32_t sum = state[0][0] + state[3][0];
    const uint32_t t = state[1][0] << 9;
    state[2][0] ^= state[0][0];
    state[3][0] ^= state[1][0];
    state[1][0] ^= state[2][0];
    state[0][0] ^= state[3][0];
    state[2][0] ^= t;
    state[3][0] = state[3][0] << 11 | state[3][0] >> 21;
    return (sum >> 8) * 0x1p-24;
}

/* Draws a topic by the chances themselves; ends[n_topics] takes their running sums. */
static uint32_t draw(const lda_sampler *self, const int32_t *counts, const uint32_t *row,
                     double *ends)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < self->n_topics; k++) {
        const double total = (double) self->totals[k] + self->changes[k];
        sum += (row[k] + (double) self->alpha[k]) * (counts[k] + (double) self->beta) / total;
        ends[k] = sum;
    }
    const double u = next_uniform(self->random) * sum;
    uint32_t topic = 0;
    while (topic + 1 < self->n_topics && ends[topic] <= u) {
        topic++;
    }
    return topic;
}

uint64_t lda_sample_long(lda_sampler *self, const lda_slice *slice, bool first)
{
    double *ends = (double *) (void *) self->scratch;
    int32_t *counts = (int32_t *) (void *) (ends + self->n_padded);
    uint64_t n_moved = 0;
    for (uint32_t word = slice->first; word < slice->end; word++) {
        const uint64_t begin = slice->starts[word];
        const uint64_t end = slice->starts[word + 1];
        if (begin == end) {
            continue;
        }
        lda_row_read(&slice->places[word], slice->column, self->n_topics, counts);
        for (uint64_t token = begin; token < end; token++) {
            const uint32_t doc = slice->docs[token];
            if (doc < slice->low || doc >= slice->high) {
                continue;
            }
            uint32_t *row = (uint32_t *) slice->rows + (size_t) doc * self->n_topics;
            const uint32_t old = slice->topics[token];
            if (!first) {
                row[old]--;
                counts[old]--;
                self->changes[old]--;
            }
            const uint32_t topic = draw(self, counts, row, ends);
            row[topic]++;
            counts[topic]++;
            self->changes[topic]++;
            slice->topics[token] = (uint16_t) topic;
            n_moved += first || topic != old;
        }
        lda_row_write(&slice->places[word], slice->column, self->n_topics, counts);
    }
    return n_moved;
}

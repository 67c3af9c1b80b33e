/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels_dense.h - sampling with rows of all topics: no branch depends on what is drawn.
 * Part of kernels.c.
 *
 * A token is one chain of dependent steps, most of it waiting. So a thread follows several
 * streams, each with documents and words of its own, whose chains run into each other.
 */
#ifndef STRADS_LDA_KERNELS_DENSE_H
#define STRADS_LDA_KERNELS_DENSE_H

#include <string.h>

#include "apps/lda/kernels_words.h"

enum {
    STRETCH = 64, /* tokens of each stream between looks at which of them is done */
    AHEAD = 20    /* tokens after which a document's row is wanted */
};

/* A stream is at a word. */
typedef struct stream {
    float phi[LDA_DENSE];     /* (n_wk + beta) inverse */
    float inverse[LDA_DENSE]; /* 1 / (n_k + V beta), as it was at the word's beginning */
    int32_t counts[LDA_DENSE];
    const lda_slice *slice;
    uint32_t word, next_word;
    uint64_t next, end; /* tokens of the word */
    bool over;
} __attribute__((aligned(64))) stream;

typedef struct dense {
    stream streams[LDA_STREAMS];
    lanes sums[LDA_DENSE / LANES][LDA_STREAMS]; /* of a draw */
    float inverse[LDA_DENSE];
    float uniforms[STRETCH * LDA_STREAMS];
    lda_sampler *self;
    uint32_t n_chunks;
    uint32_t since;      /* tokens since `inverse` was made */
    uint32_t n_uniforms; /* not used yet */
} dense;

/* ---- words ---- */

static void make_phi(const lda_sampler *self, stream *it)
{
    for (uint32_t k = 0; k < self->n_padded; k += LANES) {
        const ints counts = *(const ints_at *) (it->counts + k);
        const lanes inverse = load(it->inverse + k);
        store(it->phi + k, (__builtin_convertvector(counts, lanes) + self->beta) * inverse);
    }
}

static void leave_word(const dense *all, const stream *it)
{
    const lda_slice *slice = it->slice;
    write_array(&slice->places[it->word], slice->column, all->self->n_padded, it->counts);
}

static void enter_next_word(const dense *all, stream *it)
{
    const lda_slice *slice = it->slice;
    while (it->next_word < slice->end) {
        it->word = it->next_word++;
        tokens_of(slice, it->word, &it->next, &it->end);
        if (it->next < it->end) {
            read_array(&slice->places[it->word], slice->column, all->self->n_padded, it->counts);
            memcpy(it->inverse, all->inverse, all->self->n_padded * sizeof(float));
            make_phi(all->self, it);
            return;
        }
    }
    it->over = true;
}

#ifdef KERNEL_SANITIZED
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* ---- tokens ---- */

/* A token of each stream. What is done for all of them is done for one after another, so that
 * the processor has several chains to follow. */
typedef struct tokens {
    uint16_t *rows[LDA_STREAMS]; /* of their documents */
    uint16_t *topics[LDA_STREAMS];
    uint32_t old[LDA_STREAMS];
    float was[LDA_STREAMS]; /* phi of the old topic with the token */
    uint32_t drawn[LDA_STREAMS];
} tokens;

INLINE void look_at(const dense *all, tokens *at, uint32_t n, uint32_t i, uint32_t n_chunks,
                    bool first)
{
    const size_t stride = all->self->n_padded;
    for (uint32_t s = 0; s < n; s++) {
        const stream *it = &all->streams[s];
        const uint32_t *docs = it->slice->docs + it->next + i;
        uint16_t *rows = it->slice->rows;
        const char *ahead = (const char *) (rows + docs[AHEAD] * stride);
        for (uint32_t b = 0; b < n_chunks * LANES * 2; b += 64) {
            __builtin_prefetch(ahead + b, 1);
        }
        __builtin_prefetch(ahead + n_chunks * LANES * 2 - 1, 1);
        at->rows[s] = rows + *docs * stride;
        at->topics[s] = it->slice->topics + it->next + i;
        at->old[s] = first ? 0 : *at->topics[s];
        at->was[s] = 0.0F;
    }
}

INLINE void take_out(dense *all, tokens *at, uint32_t n)
{
    for (uint32_t s = 0; s < n; s++) {
        stream *it = &all->streams[s];
        const uint32_t old = at->old[s];
        const float inverse = it->inverse[old];
        at->was[s] = it->phi[old];
        put_float(it->phi, old, (at->was[s] - inverse) / (1.0F - inverse));
        add_short(at->rows[s], old, -1);
        it->counts[old]--;
        all->self->changes[old]--;
    }
}

/* Draws from the products of document and word: their sums lane by lane, then which lane, then
 * where in it. */
INLINE void draw(dense *all, tokens *at, uint32_t n, const float *uniforms, uint32_t n_chunks)
{
    lanes sum[LDA_STREAMS] = {{0}};
    lanes rest[LDA_STREAMS];
    ints chunk[LDA_STREAMS] = {{0}};
    uint32_t lane[LDA_STREAMS];
    UNROLL for (uint32_t c = 0; c < n_chunks; c++)
    {
        const lanes alpha = load(all->self->alpha + (size_t) c * LANES);
        for (uint32_t s = 0; s < n; s++) {
            const ints counts = load_shorts(at->rows[s] + (size_t) c * LANES);
            const lanes phi = load(all->streams[s].phi + (size_t) c * LANES);
            sum[s] += (__builtin_convertvector(counts, lanes) + alpha) * phi;
            all->sums[c][s] = sum[s];
        }
    }
    /* They are more than there are registers: to be read from where they are, not kept. */
    __asm__("" : "+m"(all->sums));
    for (uint32_t s = 0; s < n; s++) {
        const lanes ends = prefix(sum[s]);
        const lanes u = uniforms[s] * last(ends);
        lane[s] = n_below(ends, u);
        rest[s] = u - up(ends);
    }
    UNROLL for (uint32_t c = 0; c + 1 < n_chunks; c++)
    {
        for (uint32_t s = 0; s < n; s++) {
            chunk[s] -= all->sums[c][s] <= rest[s];
        }
    }
    for (uint32_t s = 0; s < n; s++) {
        const uint32_t topic = (uint32_t) lane_of(chunk[s], lane[s]) * LANES + lane[s];
        at->drawn[s] = topic < all->self->n_topics ? topic : all->self->n_topics - 1;
    }
}

INLINE uint64_t put_in(dense *all, tokens *at, uint32_t n, bool first)
{
    uint64_t n_moved = 0;
    for (uint32_t s = 0; s < n; s++) {
        stream *it = &all->streams[s];
        const uint32_t topic = at->drawn[s];
        const uint32_t old = at->old[s];
        const bool same = !first && topic == old;
        if (!first) { /* without the token, as it was drawn by, n_k was lowered too */
            put_float(it->phi, old, at->was[s] - it->inverse[old]);
        }
        put_float(it->phi, topic, it->phi[topic] + it->inverse[topic]);
        add_short(at->rows[s], topic, 1);
        it->counts[topic]++;
        all->self->changes[topic]++;
        *at->topics[s] = (uint16_t) topic;
        n_moved += !same;
    }
    return n_moved;
}

INLINE uint64_t steps(dense *all, uint32_t n_streams, uint32_t n, uint32_t n_chunks, bool first)
{
    uint64_t n_moved = 0;
    const float *uniforms = all->uniforms + (STRETCH * LDA_STREAMS - all->n_uniforms);
    for (uint32_t i = 0; i < n; i++) {
        tokens at;
        look_at(all, &at, n_streams, i, n_chunks, first);
        if (!first) {
            take_out(all, &at, n_streams);
        }
        draw(all, &at, n_streams, uniforms + i * n_streams, n_chunks);
        n_moved += put_in(all, &at, n_streams, first);
    }
    all->n_uniforms -= n * n_streams;
    return n_moved;
}

/* ---- streams ---- */

/* Makes the streams that go on the first; returns how many these are. */
static uint32_t go_on(dense *all, uint32_t n_streams)
{
    for (uint32_t s = 0; s < n_streams;) {
        stream *it = &all->streams[s];
        if (it->next == it->end) {
            leave_word(all, it);
            enter_next_word(all, it);
        }
        if (it->over) {
            const stream over = *it;
            *it = all->streams[--n_streams];
            all->streams[n_streams] = over;
        } else {
            s++;
        }
    }
    return n_streams;
}

/* How many tokens of each stream come next, at least 1. */
static uint32_t prepare(dense *all, uint32_t n_streams)
{
    lda_sampler *self = all->self;
    if (all->since >= self->lag) {
        make_inverse(self, all->inverse);
        all->since = 0;
        for (uint32_t s = 0; s < n_streams; s++) {
            memcpy(all->streams[s].inverse, all->inverse, self->n_padded * sizeof(float));
            make_phi(self, &all->streams[s]);
        }
    }
    uint64_t n = self->lag < STRETCH ? self->lag : STRETCH;
    for (uint32_t s = 0; s < n_streams; s++) {
        const uint64_t left = all->streams[s].end - all->streams[s].next;
        n = left < n ? left : n;
    }
    if (all->n_uniforms < n * n_streams) {
        for (uint32_t i = 0; i < STRETCH * LDA_STREAMS; i += LANES) {
            store(all->uniforms + i, uniform(self->random));
        }
        all->n_uniforms = STRETCH * LDA_STREAMS;
    }
    return (uint32_t) n;
}

INLINE uint64_t run(dense *all, uint32_t n_streams, uint32_t n_chunks, bool first)
{
    uint64_t n_moved = 0;
    while (n_streams > 0) {
        const uint32_t n = prepare(all, n_streams);
        n_moved += n_streams == LDA_STREAMS ? steps(all, LDA_STREAMS, n, n_chunks, first)
                                            : steps(all, n_streams, n, n_chunks, first);
        for (uint32_t s = 0; s < n_streams; s++) {
            all->streams[s].next += n;
        }
        all->since += n * n_streams;
        n_streams = go_on(all, n_streams);
    }
    return n_moved;
}

/* With the number of chunks a constant, their loops are unrolled and the sums stay near; under a
 * sanitizer, whose checks would be unrolled too, it is not. */
static uint64_t run_chunks(dense *all, uint32_t n_streams, bool first)
{
#ifdef KERNEL_SANITIZED
    return run(all, n_streams, all->n_chunks, first);
#else
    switch (all->n_chunks) {
#define CASE(n)                                                                                    \
    case n:                                                                                        \
        return first ? run(all, n_streams, n, true) : run(all, n_streams, n, false);
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
#if defined(__AVX2__) && !defined(__AVX512F__)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
        CASE(15)
        CASE(16)
#endif
#undef CASE
    default:
        return run(all, n_streams, all->n_chunks > 8 ? all->n_chunks : 8, first);
    }
#endif
}

static uint64_t sample_dense(lda_sampler *self, const lda_slice slices[LDA_STREAMS], bool first)
{
    dense all = {.self = self, .n_chunks = (self->n_topics + LANES - 1) / LANES};
    uint32_t n_streams = 0;
    make_inverse(self, all.inverse);
    for (uint32_t s = 0; s < LDA_STREAMS; s++) {
        stream *it = &all.streams[n_streams];
        it->slice = &slices[s];
        it->next_word = slices[s].first;
        enter_next_word(&all, it);
        n_streams += !it->over;
        it->over = false;
    }
    return run_chunks(&all, n_streams, first);
}

#endif

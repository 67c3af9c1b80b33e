/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/select.c - the largest k of n scores without sorting.
 *
 * A sample tells about how large the k-th is; one pass keeps the positions above
 * that, and the exact choice is made among them, by two histograms of the scores'
 * bits, which order as the scores do: the first finds the bin that holds the k-th
 * largest, the second finds it inside that bin to a relative 2^-14. When the sample
 * misled and too few were kept, the choice is made among all.
 */
#include <assert.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "prioritizer/prioritizer.h"

enum { COARSE_SHIFT = 21, FINE_SHIFT = 10, BINS = 1 << 11, STRIP = 32 };

/* The sample: in runs, since what a cache line brings is free. Of few scores all. */
enum { N_RUNS = 512, RUN = 16, N_SAMPLES = N_RUNS * RUN };

/* The bits of a float as an integer that orders as the float does. */
static inline uint32_t key_of(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof(bits));
    return bits ^ ((uint32_t) ((int32_t) bits >> 31) | UINT32_C(0x80000000));
}

static float score_of(uint32_t key)
{
    const uint32_t bits = key ^ (key >> 31 != 0 ? UINT32_C(0x80000000) : UINT32_MAX);
    float score;
    memcpy(&score, &bits, sizeof(score));
    return score;
}

/* The bin that holds the k-th largest; *n_above: how many are in higher bins. */
static uint32_t find_bin(const uint32_t *bins, size_t k, size_t *n_above)
{
    size_t above = 0;
    uint32_t bin = BINS - 1;
    while (bin > 0 && above + bins[bin] < k) {
        above += bins[bin--];
    }
    *n_above = above;
    return bin;
}

float prio_guess_bar(const float *scores, size_t n, size_t k, float above)
{
    if (k >= n / 2) {
        return above;
    }
    uint32_t bins[BINS] = {0};
    const bool sampled = n >= 4 * N_SAMPLES;
    const size_t n_runs = sampled ? N_RUNS : 1;
    const size_t run = sampled ? RUN : n;
    const size_t stride = n / n_runs;
    for (size_t i = 0; i < n_runs; i++) {
        for (size_t j = 0; j < run; j++) {
            bins[key_of(scores[i * stride + j]) >> COARSE_SHIFT]++;
        }
    }
    size_t n_above = 0;
    const size_t wanted = sampled ? (size_t) (1.25 * N_SAMPLES * (double) k / (double) n) + 32 : k;
    const uint32_t bin = find_bin(bins, wanted, &n_above);
    const uint32_t lowest = key_of(above);
    const uint32_t bar = bin << COARSE_SHIFT;
    return bar > lowest ? score_of(bar) : above;
}

/* Bit i: scores[i] is not at most `bar`, for a strip of scores. */
static uint32_t above_in_strip(const float *scores, float bar)
{
    uint32_t bits = 0;
#ifdef __SSE2__
    const __m128 bars = _mm_set1_ps(bar);
    for (int half = 0; half < STRIP; half += 16) {
        __m128i four[4];
        for (int i = 0; i < 4; i++) {
            four[i] = _mm_castps_si128(_mm_cmpnle_ps(_mm_loadu_ps(scores + half + 4 * i), bars));
        }
        const __m128i bytes =
            _mm_packs_epi16(_mm_packs_epi32(four[0], four[1]), _mm_packs_epi32(four[2], four[3]));
        bits |= (uint32_t) _mm_movemask_epi8(bytes) << half;
    }
#else
    for (int i = 0; i < STRIP; i++) {
        bits |= (uint32_t) !(scores[i] <= bar) << i;
    }
#endif
    return bits;
}

size_t prio_select_above(const float *scores, size_t n, float bar, uint32_t *positions)
{
    size_t count = 0;
    size_t first = 0;
    for (; first + STRIP <= n; first += STRIP) {
        for (uint32_t bits = above_in_strip(scores + first, bar); bits != 0; bits &= bits - 1) {
            positions[count++] = (uint32_t) first + (uint32_t) __builtin_ctz(bits);
        }
    }
    for (; first < n; first++) {
        positions[count] = (uint32_t) first;
        count += !(scores[first] <= bar);
    }
    return count;
}

/* Keeps the k largest of the n kept positions. */
static size_t keep_largest(const float *scores, size_t n, size_t k, uint32_t *positions)
{
    uint32_t coarse[BINS] = {0};
    uint32_t fine[BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        coarse[key_of(scores[positions[i]]) >> COARSE_SHIFT]++;
    }
    size_t n_above = 0;
    const uint32_t bin = find_bin(coarse, k, &n_above);
    for (size_t i = 0; i < n; i++) {
        const uint32_t key = key_of(scores[positions[i]]);
        fine[key >> FINE_SHIFT & (BINS - 1)] += key >> COARSE_SHIFT == bin;
    }
    size_t n_higher = 0;
    const uint32_t fine_bin = find_bin(fine, k - n_above, &n_higher);
    const uint32_t edge = bin << (COARSE_SHIFT - FINE_SHIFT) | fine_bin;
    size_t n_ties = k - n_above - n_higher; /* of the edge's own bin, by position */
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t rank = key_of(scores[positions[i]]) >> FINE_SHIFT;
        if (rank > edge || (rank == edge && n_ties > 0)) {
            n_ties -= rank == edge ? 1 : 0;
            positions[count++] = positions[i];
        }
    }
    return count;
}

size_t prio_select_top(const float *scores, size_t n, size_t k, float above, uint32_t *positions)
{
    assert(n <= UINT32_MAX);
    if (k == 0) {
        return 0;
    }
    const float bar = prio_guess_bar(scores, n, k, above);
    size_t count = prio_select_above(scores, n, bar, positions);
    if (count < k && bar > above) {
        count = prio_select_above(scores, n, above, positions);
    }
    return count <= k ? count : keep_largest(scores, count, k, positions);
}

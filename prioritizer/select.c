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

#include "prioritizer/prioritizer.h"

enum { COARSE_SHIFT = 21, FINE_SHIFT = 10, BINS = 1 << 11, N_SAMPLES = 4096, STRIP = 32 };

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
    if (n < 4 * N_SAMPLES || k >= n / 2) {
        return above;
    }
    uint32_t bins[BINS] = {0};
    const size_t stride = n / N_SAMPLES;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        bins[key_of(scores[i * stride]) >> COARSE_SHIFT]++;
    }
    size_t n_above = 0;
    const size_t wanted = (size_t) (1.25 * (double) k / (double) stride) + 32;
    const uint32_t bin = find_bin(bins, wanted, &n_above);
    const uint32_t lowest = key_of(above);
    const uint32_t bar = bin << COARSE_SHIFT;
    return bar > lowest ? score_of(bar) : above;
}

static bool any_above(const float *scores, float bar)
{
    int any = 0;
    for (size_t i = 0; i < STRIP; i++) {
        any |= scores[i] > bar;
    }
    return any != 0;
}

/* Strips without a score above the bar, most of them once a model is nearly fitted,
 * are passed over by vector compares. */
size_t prio_select_above(const float *scores, size_t n, float bar, uint32_t *positions)
{
    size_t count = 0;
    for (size_t first = 0; first < n; first += STRIP) {
        const size_t last = n - first < STRIP ? n : first + STRIP;
        if (last - first == STRIP && !any_above(scores + first, bar)) {
            continue;
        }
        for (size_t i = first; i < last; i++) {
            positions[count] = (uint32_t) i;
            count += scores[i] > bar;
        }
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/greedy.c - the n largest positive scores, largest first, ties by
 * index.
 *
 * Exact, without sorting all: a sample of the scores gives a floor that a little
 * more than n of them should reach; one fast pass collects these; radix selection
 * cuts them to n, and a radix sort orders the n. When too few reached the floor,
 * the pass is repeated without one, so the sample decides the time, never the
 * result. (prio_select_top of select.c is for callers with plain arrays: it knows
 * nothing of variables that are out, and takes close scores for equal.)
 */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "prioritizer/policy.h"

enum { SAMPLES = 8192, N_DIGITS = 3, MAX_DIGITS = 1 << 11 };

/* The bits of a positive float are a number of 31 bits that grows with it. */
typedef struct digit {
    uint32_t shift, mask;
} digit;

static const digit digits[N_DIGITS] = {{0, 0x3ff}, {10, 0x3ff}, {20, 0x7ff}};

static inline uint32_t key_of(float score)
{
    uint32_t key = 0;
    memcpy(&key, &score, sizeof(key));
    return key;
}

static strads_status init(prioritizer *prio)
{
    prio->state.scratch = strads_alloc_array(prio->options.n_vars, sizeof(uint32_t));
    return prio->state.scratch != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
}

static void fini(prioritizer *prio)
{
    strads_free(prio->state.scratch);
}

static size_t bytes(const prioritizer *prio)
{
    return prio->options.n_vars * sizeof(uint32_t);
}

/* The key of the variable that is the *rank-th (from 1) by score among n_vars >=
 * *rank listed ones. Sets *rank to its rank among those with the same key. */
static uint32_t key_at_rank(const float *scores, const uint32_t *vars, size_t n_vars, size_t *rank)
{
    uint32_t known = 0;
    uint32_t prefix = 0;
    for (int d = N_DIGITS - 1; d >= 0; d--) {
        uint32_t counts[MAX_DIGITS] = {0};
        for (size_t i = 0; i < n_vars; i++) {
            const uint32_t key = key_of(scores[vars[i]]);
            counts[key >> digits[d].shift & digits[d].mask] += (key & known) == prefix;
        }
        uint32_t value = digits[d].mask;
        while (*rank > counts[value]) {
            *rank -= counts[value--];
        }
        prefix |= value << digits[d].shift;
        known |= digits[d].mask << digits[d].shift;
    }
    return prefix;
}

/* A score that n variables of the pool, and not many more, should reach. Uses
 * scratch. */
static float guess_floor(const prioritizer *prio, size_t n)
{
    const uint32_t stride = prio->options.n_vars / SAMPLES;
    if (stride <= 1) {
        return FLT_TRUE_MIN;
    }
    uint32_t *sample = prio->state.scratch;
    size_t n_sampled = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        const uint32_t var = i * stride;
        if (prio->scores[var] > 0.0F && prio_pool_has(&prio->pool, var)) {
            sample[n_sampled++] = var;
        }
    }
    const size_t expected = n / stride;
    size_t rank = expected + expected / 4 + 16; /* about 4 standard deviations more, or better */
    if (rank >= n_sampled) {
        return FLT_TRUE_MIN;
    }
    const uint32_t key = key_at_rank(prio->scores, sample, n_sampled, &rank);
    float floor = 0.0F;
    memcpy(&floor, &key, sizeof(floor));
    return floor;
}

/* A loop that compilers turn into vector compares: most strips hold no such score. */
static inline bool any_reaches(const float *scores, float floor)
{
    int any = 0;
    for (int i = 0; i < PRIO_STRIP; i++) {
        any |= scores[i] >= floor;
    }
    return any != 0;
}

/* Lists in scratch, by index, the variables of the pool whose score reaches
 * floor > 0; of those that equal it only the first n, since no more can count.
 * Returns how many. */
static size_t collect(const prioritizer *prio, float floor, size_t n)
{
    const float *scores = prio->scores;
    uint32_t *found = prio->state.scratch;
    size_t n_found = 0;
    size_t n_equal = 0;
    float least = floor;
    for (size_t first = 0; first < prio->options.n_vars; first += PRIO_STRIP) {
        if (!any_reaches(scores + first, least)) {
            continue;
        }
        for (size_t var = first; var < first + PRIO_STRIP; var++) {
            if (scores[var] >= least && prio_pool_has(&prio->pool, (uint32_t) var)) {
                found[n_found++] = (uint32_t) var;
                n_equal += scores[var] == floor;
                least = n_equal < n ? floor : nextafterf(floor, INFINITY);
            }
        }
    }
    return n_found;
}

/* Keeps the n <= n_found largest of scratch, in their order. */
static void cut(const prioritizer *prio, size_t n_found, size_t n)
{
    uint32_t *vars = prio->state.scratch;
    size_t n_equal = n;
    const uint32_t last = key_at_rank(prio->scores, vars, n_found, &n_equal);
    size_t n_kept = 0;
    for (size_t i = 0; i < n_found; i++) {
        const uint32_t key = key_of(prio->scores[vars[i]]);
        if (key > last) {
            vars[n_kept++] = vars[i];
        } else if (key == last && n_equal > 0) {
            vars[n_kept++] = vars[i];
            n_equal--;
        }
    }
    assert(n_kept == n);
}

/* Deals `from` into `to` by falling digit; equal ones keep their order. */
static void deal(const float *scores, digit by, const uint32_t *from, uint32_t *to, size_t n)
{
    uint32_t starts[MAX_DIGITS] = {0};
    for (size_t i = 0; i < n; i++) {
        starts[key_of(scores[from[i]]) >> by.shift & by.mask]++;
    }
    uint32_t start = 0;
    for (uint32_t value = by.mask + 1; value-- > 0;) {
        const uint32_t count = starts[value];
        starts[value] = start;
        start += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[starts[key_of(scores[from[i]]) >> by.shift & by.mask]++] = from[i];
    }
}

static size_t draw(prioritizer *prio, size_t n, double floor, uint32_t *vars)
{
    (void) floor;
    n = n < prio->n_positive ? n : prio->n_positive;
    if (n == 0) {
        return 0;
    }
    size_t n_found = collect(prio, guess_floor(prio, n), n);
    if (n_found < n) {
        n_found = collect(prio, FLT_TRUE_MIN, n);
    }
    cut(prio, n_found, n);
    uint32_t *scratch = prio->state.scratch;
    deal(prio->scores, digits[0], scratch, vars, n);
    deal(prio->scores, digits[1], vars, scratch, n);
    deal(prio->scores, digits[2], scratch, vars, n);
    for (size_t i = 0; i < n; i++) {
        prio_take(prio, vars[i]);
    }
    return n;
}

const prio_policy_table prio_greedy = {.init = init, .fini = fini, .draw = draw, .bytes = bytes};

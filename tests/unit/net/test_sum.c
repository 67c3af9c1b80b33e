/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sum.c - the sum of an exchange, to the bit. */
#include "net/sum.h"

#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

enum { MAX_VECTORS = 9, N = 1000 };

static double given[MAX_VECTORS][N], summed[MAX_VECTORS][N], base[N];

/* The definition, one element at a time. */
static double oracle(uint32_t n_vectors, bool by_base, size_t i)
{
    const double origin = by_base ? base[i] : 0.0;
    double sum = origin;
    for (uint32_t k = 0; k < n_vectors; k++) {
        sum += given[k][i] - origin;
    }
    return sum;
}

/* All but the first take the sums, unless there is one. */
static void check(uint32_t n_vectors, bool by_base, size_t first, size_t last)
{
    const uint32_t from = n_vectors > 1 ? 1 : 0;
    double *vectors[MAX_VECTORS];
    for (uint32_t k = 0; k < n_vectors; k++) {
        vectors[k] = summed[k];
    }
    memcpy(summed, given, sizeof(given));
    const net_summands of = {.vectors = vectors,
                             .n = n_vectors,
                             .first = from,
                             .end = n_vectors,
                             .base = by_base ? base : NULL};
    net_sum_vectors(&of, first, last);
    size_t n_wrong = 0;
    for (uint32_t k = 0; k < n_vectors; k++) {
        for (size_t i = 0; i < N; i++) {
            const bool inside = first <= i && i < last && k >= from;
            const double expected = inside ? oracle(n_vectors, by_base, i) : given[k][i];
            n_wrong += memcmp(&summed[k][i], &expected, sizeof(expected)) != 0;
        }
    }
    CHECK(n_wrong == 0);
}

static void sums_are_those_of_the_definition_to_the_bit(void)
{
    static const size_t ranges[][2] = {{0, N}, {0, 0}, {5, 6}, {255, 257}, {256, 512}, {100, 999}};
    strads_random random = strads_random_start(9, 0);
    for (size_t i = 0; i < N; i++) {
        base[i] = strads_random_uniform(&random) - 0.5;
        for (uint32_t k = 0; k < MAX_VECTORS; k++) {
            given[k][i] = i % 7 == 0 ? -0.0 : 1e3 * (strads_random_uniform(&random) - 0.5);
        }
    }
    for (uint32_t n_vectors = 1; n_vectors <= MAX_VECTORS; n_vectors++) {
        for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
            check(n_vectors, false, ranges[r][0], ranges[r][1]);
            check(n_vectors, true, ranges[r][0], ranges[r][1]);
        }
    }
}

SUITE("net/sum",
      {"sums are those of the definition, to the bit", sums_are_those_of_the_definition_to_the_bit})

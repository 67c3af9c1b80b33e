/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/sum.c - the sum over the members of an exchange, in pieces that stay in cache. */
#include "net/sum.h"

#include <string.h>

/* Long enough for the loops, short enough that a piece of some hundred vectors is still
 * in cache when the sum is written back. */
enum { PIECE = 256 };

/* s[0 .. n-1] += v - base */
static void add_difference(double *restrict s, const double *restrict v,
                           const double *restrict base, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s[i] += v[i] - base[i];
    }
}

/* s[0 .. n-1] += v */
static void add(double *restrict s, const double *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s[i] += v[i];
    }
}

static void sum_piece(const net_summands *of, size_t first, size_t n)
{
    double sum[PIECE] = {0};
    if (of->base != NULL) {
        memcpy(sum, of->base + first, n * sizeof(*sum));
    }
    for (uint32_t k = 0; k < of->n; k++) {
        if (of->base != NULL) {
            add_difference(sum, of->vectors[k] + first, of->base + first, n);
        } else {
            add(sum, of->vectors[k] + first, n);
        }
    }
    for (uint32_t k = of->first; k < of->end; k++) {
        memcpy(of->vectors[k] + first, sum, n * sizeof(*sum));
    }
}

void net_sum_vectors(const net_summands *of, size_t first, size_t last)
{
    while (first < last) {
        const size_t n = last - first < PIECE ? last - first : PIECE;
        sum_piece(of, first, n);
        first += n;
    }
}

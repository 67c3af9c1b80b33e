/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/likelihood.h - the joint log-likelihood of words and topics, in pieces that add up.
 *
 *   log p(w, z) = sum_k [lgamma(V beta) - lgamma(n_k + V beta)]
 *               + sum_wk [lgamma(n_wk + beta) - lgamma(beta)]
 *               + sum_d [lgamma(A) - lgamma(n_d + A)]
 *               + sum_dk [lgamma(n_dk + alpha_k) - lgamma(alpha_k)],   A = sum of alpha
 *
 * (Griffiths and Steyvers 2004). Every term is the log of a rising factorial,
 * L(a, n) = lgamma(a + n) - lgamma(a) = sum_{i < n} log(a + i), and is 0 where n is 0, so that
 * sparse counts need their nonzeros alone.
 */
#ifndef STRADS_LDA_LIKELIHOOD_H
#define STRADS_LDA_LIKELIHOOD_H

#include "base/base.h"

/* L(a_i, n) for i = 0 .. n_values-1: small n from a table, one for all i where the a_i are alike.
 * Accurate to 1e-12 of its size. Read-only once it is made, so threads may share it. */
typedef struct lda_rising {
    double *a; /* [n_values], or one for all */
    size_t n_values;
    size_t stride; /* from the table of a value to the next; 0: they share it */
    size_t width;  /* the table of a value has n = 0 .. width-1 */
    double *table;
} lda_rising;

/* All of a[n_values] > 0, n_values > 0. Tables take 16 MB at most. */
STRADS_MUST_CHECK strads_status lda_rising_init(lda_rising *out, const double *a, size_t n_values);
void lda_rising_fini(lda_rising *rising); /* one of zeros is allowed */
/* Bytes of the tables for so many values, none like another. */
size_t lda_rising_bytes(size_t n_values);

/* L(a, n) without a table; n a whole number below 2^53. */
double lda_rising_log(double a, double n);

/* L(a_i, n). */
static inline double lda_rising_of(const lda_rising *rising, size_t i, uint32_t n)
{
    return n < rising->width ? rising->table[i * rising->stride + n]
                             : lda_rising_log(rising->a[rising->stride == 0 ? 0 : i], n);
}

/* sum_i L(a_i, counts[i]) of counts[n]; where the a_i are alike n may be anything. */
double lda_rising_sum(const lda_rising *rising, const uint32_t *counts, size_t n);

/* sum_c histogram[c] L(a, c) for an `a` that all share; histogram[c], c < n, is how many counts
 * are c. */
double lda_rising_sum_histogram(const lda_rising *rising, const uint64_t *histogram, size_t n);

/* sum_k -L(V beta, n_k): what the totals of the topics take away. */
double lda_totals_likelihood(const double *totals, size_t n_topics, double v_beta);

#endif

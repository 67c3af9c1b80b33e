/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/likelihood.c - logs of rising factorials, by tables, and their sums. */
#include "apps/lda/likelihood.h"

#include <assert.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

/* One table of 32 KB stays in the nearest cache. Beyond it counts are rare. */
enum { MAX_WIDTH = 4096, MAX_TABLE_BYTES = 16 << 20 };

static bool are_alike(const double *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (a[i] < a[0] || a[i] > a[0]) {
            return false;
        }
    }
    return true;
}

/* table[n] := L(a, n), summed in long double so that no error builds up. */
static void fill_table(double *table, size_t width, double a)
{
    long double sum = 0.0L;
    for (size_t n = 0; n < width; n++) {
        table[n] = (double) sum;
        sum += logl((long double) a + (long double) n);
    }
}

static size_t width_of(size_t n_tables)
{
    const size_t room = MAX_TABLE_BYTES / sizeof(double) / n_tables;
    return room < MAX_WIDTH ? room : MAX_WIDTH;
}

size_t lda_rising_bytes(size_t n_values)
{
    return n_values * (width_of(n_values) + 1) * sizeof(double);
}

strads_status lda_rising_init(lda_rising *out, const double *a, size_t n_values)
{
    assert(n_values > 0);
    const size_t n_tables = are_alike(a, n_values) ? 1 : n_values;
    const size_t width = width_of(n_tables);
    lda_rising made = {.a = strads_alloc_array(n_tables, sizeof(*made.a)),
                       .n_values = n_values,
                       .stride = n_tables == 1 ? 0 : width,
                       .width = width,
                       .table = strads_alloc_array(n_tables * width, sizeof(*made.table))};
    if (made.a == NULL || made.table == NULL) {
        lda_rising_fini(&made);
        strads_error("lda: no memory for the likelihood");
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n_tables; i++) {
        assert(a[i] > 0.0);
        made.a[i] = a[i];
        fill_table(made.table + i * width, width, a[i]);
    }
    *out = made;
    return STRADS_OK;
}

void lda_rising_fini(lda_rising *rising)
{
    strads_free(rising->a);
    strads_free(rising->table);
    *rising = (lda_rising){.n_values = 0};
}

/* What lgamma(x) is above Stirling's (x - 1/2) log x - x + log(2 pi) / 2; to 1e-14 from x = 16 on.
 */
static double stirling_rest(double x)
{
    const double y = 1.0 / (x * x);
    return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y / 1680))) / x;
}

/* For a large `a` the two lgamma are nearly alike, and their difference would lose digits; so it is
 * taken within Stirling's formula. */
double lda_rising_log(double a, double n)
{
    if (a < 16.0) {
        return gsl_sf_lngamma(a + n) - gsl_sf_lngamma(a);
    }
    return (a - 0.5) * log1p(n / a) + n * (log(a + n) - 1.0) +
           (stirling_rest(a + n) - stirling_rest(a));
}

/* The sums have four parts, so that an addition need not wait for the one before it. */
double lda_rising_sum(const lda_rising *rising, const uint32_t *counts, size_t n)
{
    assert(rising->stride == 0 || n <= rising->n_values);
    double sums[4] = {0.0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t lane = 0; lane < 4; lane++) {
            sums[lane] += lda_rising_of(rising, i + lane, counts[i + lane]);
        }
    }
    for (; i < n; i++) {
        sums[0] += lda_rising_of(rising, i, counts[i]);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double lda_rising_sum_histogram(const lda_rising *rising, const uint64_t *histogram, size_t n)
{
    assert(rising->stride == 0);
    double sum = 0.0;
    for (size_t c = 1; c < n; c++) {
        if (histogram[c] > 0) {
            sum += (double) histogram[c] * lda_rising_of(rising, 0, (uint32_t) c);
        }
    }
    return sum;
}

double lda_totals_likelihood(const double *totals, size_t n_topics, double v_beta)
{
    double sum = 0.0;
    for (size_t k = 0; k < n_topics; k++) {
        sum -= lda_rising_log(v_beta, totals[k]);
    }
    return sum;
}

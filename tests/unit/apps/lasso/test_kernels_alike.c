/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_kernels_alike.c - the inner loops over columns whose entries are all
 * the same, in every variant, against loops in long double.
 */
#include <string.h>

#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/variants.h"

/* Whether column j has an entry in row i, of the first ones in most rows. */
static bool is_marked(size_t i, size_t j)
{
    return (i * 7 + j) % (1 + j / 8) == 0;
}

/* More rows than a byte can count. */
static void marks_are_counted(void)
{
    enum { MOST = 600 };
    static const size_t lengths[] = {0, 1, 254, 255, 256, 510, MOST};
    static uint8_t mark[2 * MOST][LASSO_MARKED];
    const size_t n_variants = find_variants();
    lasso_marked side = {.first = 5, .mark = mark[0]};
    uint32_t row[MOST];
    for (size_t j = 0; j < LASSO_MARKED; j++) {
        side.value[j] = number(j, 4);
        for (size_t i = 0; i < 2 * (size_t) MOST; i++) {
            mark[i][j] = is_marked(i, j);
        }
    }
    for (size_t k = 0; k < MOST; k++) {
        row[k] = (uint32_t) (5 + 2 * k);
    }
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
            double sums[LASSO_MARKED];
            for (size_t j = 0; j < LASSO_MARKED; j++) {
                sums[j] = number(j, 3);
            }
            variants[v]->dot_marked(-0.7, row, lengths[l], &side, sums);
            for (size_t j = 0; j < LASSO_MARKED; j++) {
                long double right = number(j, 3);
                for (size_t k = 0; k < lengths[l]; k++) {
                    right += is_marked(2 * k, j) ? -0.7L * number(j, 4) : 0.0L;
                }
                CHECK(is_close(sums[j], right, (long double) (1 + lengths[l])));
            }
        }
    }
}

/* A column of `value` in every other row, whose later values are never looked at. */
static void check_alike(const lasso_kernels *kernels, size_t n, bool narrow)
{
    const double value = -1.75;
    const int64_t start[] = {0, (int64_t) n};
    const bool alike = true;
    const lasso_column traits = {.norm2 = value * value * (double) n,
                                 .inverse = n > 0 ? 1.0 / (value * value * (double) n) : 0.0,
                                 .l1 = 0.3};
    double values[MAX_N];
    float floats[MAX_N];
    uint32_t row[MAX_N];
    double y[2 * MAX_N + 1] = {0.0};
    double before[2 * MAX_N + 1];
    double b = 0.0;
    long double product = 0.0L;
    for (size_t k = 0; k < n; k++) {
        values[k] = k == 0 ? value : NAN;
        floats[k] = (float) values[k];
        row[k] = (uint32_t) (2 * k);
        y[2 * k] = number(k, 6);
        product += (long double) value * y[2 * k];
    }
    memcpy(before, y, sizeof(y));
    const lasso_columns column = {.start = start,
                                  .row = row,
                                  .value = narrow ? NULL : values,
                                  .narrow = narrow ? floats : NULL,
                                  .alike = &alike,
                                  .column = &traits,
                                  .n_rows = 2 * MAX_N};
    CHECK(is_close(kernels->dot_column(&column, 0, y), product, (long double) (2 * n + 1)));
    kernels->add_column(0.5, &column, 0, y);
    for (size_t i = 0; i < 2 * (size_t) MAX_N; i++) {
        const double added = i % 2 == 0 && i < 2 * n ? 0.5 * value : 0.0;
        CHECK(y[i] == before[i] + added);
    }
    memcpy(y, before, sizeof(y));
    const uint32_t which = 0;
    const double size = fabs((double) product) - traits.l1;
    const double right = size > 0.0 ? copysign(size, (double) product) * traits.inverse : 0.0;
    kernels->sweep(&column, &which, 1, &b, y);
    CHECK(is_close(b, right, 10.0L));
    CHECK(n == 0 || is_close(y[0], before[0] - (long double) right * value, 10.0L));
}

static void columns_that_are_alike_have_one_value(void)
{
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t n = 0; n <= MAX_N; n++) {
            check_alike(variants[v], n, false);
            check_alike(variants[v], n, true);
        }
    }
}

SUITE("apps/lasso/kernels_alike", {"marks are counted, more than a byte can", marks_are_counted},
      {"columns that are alike have one value", columns_that_are_alike_have_one_value})

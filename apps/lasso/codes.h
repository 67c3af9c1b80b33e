/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/codes.h - a dense X once more, in a byte a value, for scans of everything.
 *
 * Column j is step_j c_j + e_j, with codes c_j from -127 to 127. What coding loses is known by its
 * length:
 *   |x_j'r - step_j c_j'r| <= |e_j| |r|
 * So a scan reads an eighth of what doubles take, and then looks only at those columns themselves
 * whose product may be the largest. |e_j| is about .0075 |x_j| where values are spread as the
 * normal distribution has them; columns with a few large values lose more.
 */
#ifndef STRADS_LASSO_CODES_H
#define STRADS_LASSO_CODES_H

#include "apps/lasso/kernels.h"
#include "base/base.h"

/* A struct of zeros has none. */
typedef struct lasso_codes {
    int8_t *code; /* [n_cols][n_rows] */
    double *step; /* [n_cols] */
    double *lost; /* [n_cols] at least |e_j| / |x_j|, with what rounding does to a product */
    size_t n_rows;
} lasso_codes;

STRADS_MUST_CHECK strads_status lasso_codes_init(lasso_codes *codes, size_t n_rows, size_t n_cols);
void lasso_codes_fini(lasso_codes *codes);

/* Column `col` is x[n_rows], whose squares add up to norm2. */
void lasso_codes_put(lasso_codes *codes, const lasso_kernels *kernels, size_t col, const double *x,
                     double norm2);

/* to[i] := step_j c_j'r of the columns j = which[i], or j = first + i when that is NULL. short_r
 * is r[n_rows] / length, of length 1. */
void lasso_codes_dots(const lasso_codes *codes, const lasso_kernels *kernels, size_t first,
                      const uint32_t *which, size_t n, const float *short_r, double length,
                      double *to);

#endif

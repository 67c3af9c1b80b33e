/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/codes.c - columns in codes, and what is lost by them. */
#include "apps/lasso/codes.h"

#include <float.h>
#include <math.h>

/* Sums of a product run over one row in so many, and are added up in a few steps more. */
enum { SUMS = 32, STEPS = 16 };

strads_status lasso_codes_init(lasso_codes *codes, size_t n_rows, size_t n_cols)
{
    *codes = (lasso_codes){.code = strads_alloc_array(n_cols, n_rows),
                           .step = strads_alloc_array(n_cols, sizeof(*codes->step)),
                           .lost = strads_alloc_array(n_cols, sizeof(*codes->lost)),
                           .n_rows = n_rows};
    if (codes->code == NULL || codes->step == NULL || codes->lost == NULL) {
        lasso_codes_fini(codes);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

void lasso_codes_fini(lasso_codes *codes)
{
    strads_free(codes->code);
    strads_free(codes->step);
    strads_free(codes->lost);
    *codes = (lasso_codes){.code = NULL};
}

void lasso_codes_put(lasso_codes *codes, const lasso_kernels *kernels, size_t col, const double *x,
                     double norm2)
{
    const size_t n_rows = codes->n_rows;
    double step = 0.0;
    const double lost2 = kernels->encode(x, n_rows, codes->code + col * n_rows, &step);
    const double lost = norm2 > 0.0 ? sqrt(lost2 / norm2) : 0.0;
    /* Codes are exact as floats; r is rounded to them, and so are the sums. */
    const double rounding = (double) (n_rows / SUMS + STEPS) * (double) FLT_EPSILON;
    codes->step[col] = step;
    codes->lost[col] = norm2 > 0.0 ? lost + (1.0 + lost) * rounding : 0.0;
}

void lasso_codes_dots(const lasso_codes *codes, const lasso_kernels *kernels, size_t first,
                      const uint32_t *which, size_t n, const float *short_r, double length,
                      double *to)
{
    const size_t from = which == NULL ? first : 0;
    kernels->dots_coded(codes->code + from * codes->n_rows, codes->n_rows, which, n, short_r, to);
    for (size_t i = 0; i < n; i++) {
        to[i] *= codes->step[which == NULL ? first + i : which[i]] * length;
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/kernels.h - the inner loops of Lasso.
 *
 * kernels.c is compiled once for every instruction set; lasso_kernels_choose picks
 * the best that this machine has. The variants differ in rounding only.
 *
 * Values are doubles or floats. Sums are of doubles, in the same order: floats give the same
 * bits as the same numbers do as doubles.
 */
#ifndef STRADS_LASSO_KERNELS_H
#define STRADS_LASSO_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LASSO_SIDE = 32, LASSO_FEW = 8, LASSO_MARKED = 64 }; /* columns laid side by side */

/* The state that a sweep works on: a residual r[n_rows] and, behind it, an offset c.
 * The true residual is r + c 1. Without an intercept c stays 0. */

/* Columns. Column k is value[start[k]] ..., or narrow[start[k]] ..., and the rows of a sparse
 * one are row[start[k]] .... For the update of coefficient b, with x the column less
 * its mean m, and the penalty l1 |b| + l2 b^2 / 2:
 *   u = x'(r + c) + |x|^2 b,   b := soft(u, l1) / (|x|^2 + l2)
 * where x'(r + c) = value'r + c sum, since the true residual sums to 0. */
typedef struct lasso_columns {
    const int64_t *start; /* [n + 1] when sparse, [n] when dense; NULL: dense, side by side */
    const int64_t *end;   /* [n] of sparse ones that do not stand side by side; else NULL */
    const uint32_t *row;  /* NULL: dense */
    const double *value;  /* NULL where values are floats ... */
    const float *narrow;  /* ... and NULL where they are not */
    const bool *alike;    /* [n] whether a sparse one's entries are all the same; NULL: not known */
    const struct lasso_column *column; /* [n], of a sweep */
    size_t n_rows;
} lasso_columns;

typedef struct lasso_column {
    double norm2;   /* |x|^2 */
    double inverse; /* 1 / (|x|^2 + l2); 0: a column that never moves */
    double l1;
    double sum, mean; /* of the column; 0 without an intercept */
    double urgency;   /* a move's size in units of the score: (|x|^2 + l2) / (weight l1) */
    double weight;    /* w_j */
} lasso_column;

/* Columns whose entries are all the same, laid side by side from row `first` on. */
typedef struct lasso_marked {
    size_t first;
    uint8_t *mark;              /* [rows][LASSO_MARKED] 1 where the column has an entry, else 0 */
    double value[LASSO_MARKED]; /* of its entries */
} lasso_marked;

typedef struct lasso_kernels {
    const char *name;

    /* x'y and y += a x, of n elements. */
    double (*dot)(const double *restrict x, const double *restrict y, size_t n);
    double (*dot_narrow)(const float *restrict x, const double *restrict y, size_t n);
    void (*add)(double a, const double *restrict x, double *restrict y, size_t n);
    void (*add_narrow)(double a, const float *restrict x, double *restrict y, size_t n);

    /* to[i] := x[i], rounded, of n. */
    void (*round)(const double *restrict x, size_t n, float *restrict to);

    /* x_k'y and y += a x_k, as the column is stored. */
    double (*dot_column)(const lasso_columns *columns, size_t k, const double *restrict y);
    void (*add_column)(double a, const lasso_columns *columns, size_t k, double *restrict y);

    /* out[i] := x_k'y for the columns k = which[i], or k = i when which is NULL. */
    void (*dots)(const lasso_columns *columns, const uint32_t *which, size_t n,
                 const double *restrict y, double *restrict out);

    /* sums[i] += sum_k value[k] side[row[k] - first][i], i < LASSO_SIDE, of the entries start ..
     * end-1 of sparse columns: their product with some that are laid side by side with their zeros,
     * from row `first` on. */
    void (*dot_side)(const lasso_columns *columns, size_t start, size_t end, size_t first,
                     const double *restrict side, double *restrict sums);
    /* The same of LASSO_FEW. */
    void (*dot_few)(const lasso_columns *columns, size_t start, size_t end, size_t first,
                    const double *restrict side, double *restrict sums);

    /* sums[i] += value side->value[i] n, where n of the rows row[0] .. row[n_rows-1] are marked in
     * the column i < LASSO_MARKED. */
    void (*dot_marked)(double value, const uint32_t *restrict row, size_t n_rows,
                       const lasso_marked *side, double *restrict sums);

    /* Codes of x[n], from -127 to 127: code[i] is x[i] / *step, rounded, where that is 1/127 of the
     * largest |x[i]|. Returns |x - step code|^2. */
    double (*encode)(const double *restrict x, size_t n, int8_t *restrict code, double *step);
    /* out[i] := code_k'y, summed in floats, of the columns k = which[i], or k = i when that is
     * NULL, of n_rows codes each. */
    void (*dots_coded)(const int8_t *code, size_t n_rows, const uint32_t *which, size_t n,
                       const float *restrict y, double *restrict out);

    /* scores[i] := (|gradient[i]| scale[i] - l1) unit; returns the largest
     * |gradient| scale. scale NULL: all 1. */
    double (*rate)(const double *restrict gradient, const double *restrict scale, size_t n,
                   double l1, double unit, float *restrict scores);

    /* Updates the coefficients b of the columns which[n] in that order, and the state;
     * returns the most urgent move. */
    double (*sweep)(const lasso_columns *columns, const uint32_t *restrict which, size_t n,
                    double *restrict b, double *restrict state);

    /* sum (r[i] + c)^2. */
    double (*sum_of_squares)(const double *restrict r, double c, size_t n);
} lasso_kernels;

extern const lasso_kernels lasso_kernels_portable, lasso_kernels_avx2, lasso_kernels_avx512;

/* The best variant of this machine; with `fixed`, the portable one everywhere. */
const lasso_kernels *lasso_kernels_choose(int fixed);

#endif

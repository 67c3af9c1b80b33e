/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/kernels.c - the inner loops, once for all instruction sets: the build
 * compiles this file with KERNEL_ISA = portable, avx2, avx512 and the flags to match.
 *
 * Dense loops run in strips of 32 elements on four independent vector sums, for a
 * single one would wait for its own additions; sparse ones on four scalar sums.
 */
#include "apps/lasso/kernels.h"

#include <math.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

/* Eight doubles, loaded from wherever doubles are. */
typedef double vec8 __attribute__((vector_size(64), aligned(8), may_alias));

enum {
    STRIP = 32,
    LANES = 8,
    AHEAD_COLUMNS = 8, /* how far ahead chosen columns are fetched ... */
    AHEAD_ENTRIES = 64 /* ... and how much of each; the rest comes by itself */
};

static inline double sum_of(const vec8 *v)
{
    const vec8 x = *v;
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

static inline double dot_of(const double *restrict x, const double *restrict y, size_t n)
{
    vec8 s0 = {0};
    vec8 s1 = {0};
    vec8 s2 = {0};
    vec8 s3 = {0};
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP) {
        s0 += *(const vec8 *) (x + i) * *(const vec8 *) (y + i);
        s1 += *(const vec8 *) (x + i + 8) * *(const vec8 *) (y + i + 8);
        s2 += *(const vec8 *) (x + i + 16) * *(const vec8 *) (y + i + 16);
        s3 += *(const vec8 *) (x + i + 24) * *(const vec8 *) (y + i + 24);
    }
    s0 = (s0 + s1) + (s2 + s3);
    double s = sum_of(&s0);
    for (; i < n; i++) {
        s += x[i] * y[i];
    }
    return s;
}

static inline double dot_sparse_of(const double *restrict value, const uint32_t *restrict row,
                                   size_t n, const double *restrict y)
{
    double s0 = 0.0;
    double s1 = 0.0;
    double s2 = 0.0;
    double s3 = 0.0;
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        s0 += value[k] * y[row[k]];
        s1 += value[k + 1] * y[row[k + 1]];
        s2 += value[k + 2] * y[row[k + 2]];
        s3 += value[k + 3] * y[row[k + 3]];
    }
    for (; k < n; k++) {
        s0 += value[k] * y[row[k]];
    }
    return (s0 + s1) + (s2 + s3);
}

static inline void add_of(double a, const double *restrict x, double *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * x[i];
    }
}

static inline void add_sparse_of(double a, const double *restrict value,
                                 const uint32_t *restrict row, size_t n, double *restrict y)
{
    for (size_t k = 0; k < n; k++) {
        y[row[k]] += a * value[k];
    }
}

/* fmax is a call where NaN must be minded; there is none here. */
static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* The minimiser of a coordinate, without branches. */
static inline double soft(double u, double l1)
{
    const double size = fabs(u) - l1;
    return copysign(size > 0.0 ? size : 0.0, u);
}

static double dot(const double *restrict x, const double *restrict y, size_t n)
{
    return dot_of(x, y, n);
}

static double dot_sparse(const double *restrict value, const uint32_t *restrict row, size_t n,
                         const double *restrict y)
{
    return dot_sparse_of(value, row, n, y);
}

static void add(double a, const double *restrict x, double *restrict y, size_t n)
{
    add_of(a, x, y, n);
}

static void add_narrow(double a, const float *restrict x, double *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * (double) x[i];
    }
}

static void add_sparse(double a, const double *restrict value, const uint32_t *restrict row,
                       size_t n, double *restrict y)
{
    add_sparse_of(a, value, row, n, y);
}

static void dots(const lasso_columns *columns, const uint32_t *which, size_t n,
                 const double *restrict y, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        const size_t k = which == NULL ? i : which[i];
        out[i] = dot_of(columns->value + k * columns->n_rows, y, columns->n_rows);
    }
}

/* Chosen columns are fetched ahead: each is a few cache lines at a place of its own. */
static inline void fetch(const lasso_columns *columns, size_t k)
{
    const int64_t first = columns->start[k];
    const int64_t last = columns->start[k + 1];
    for (int64_t at = first; at < last && at < first + AHEAD_ENTRIES; at += 8) {
        __builtin_prefetch(columns->value + at);
    }
    for (int64_t at = first; at < last && at < first + AHEAD_ENTRIES; at += 16) {
        __builtin_prefetch(columns->row + at);
    }
}

static void dots_sparse(const lasso_columns *columns, const uint32_t *which, size_t n,
                        const double *restrict y, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        const size_t k = which == NULL ? i : which[i];
        if (which != NULL && i + AHEAD_COLUMNS < n) {
            fetch(columns, which[i + AHEAD_COLUMNS]);
        }
        const int64_t first = columns->start[k];
        out[i] = dot_sparse_of(columns->value + first, columns->row + first,
                               (size_t) (columns->start[k + 1] - first), y);
    }
}

static double rate(const double *restrict gradient, const double *restrict scale, size_t n,
                   double l1, double unit, float *restrict scores)
{
    double largest[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            const double size = fabs(gradient[i + k]) * (scale == NULL ? 1.0 : scale[i + k]);
            largest[k] = larger(size, largest[k]);
            scores[i + k] = (float) ((size - l1) * unit);
        }
    }
    for (; i < n; i++) {
        const double size = fabs(gradient[i]) * (scale == NULL ? 1.0 : scale[i]);
        largest[0] = larger(size, largest[0]);
        scores[i] = (float) ((size - l1) * unit);
    }
    for (size_t k = 1; k < LANES; k++) {
        largest[0] = larger(largest[k], largest[0]);
    }
    return largest[0];
}

static double sweep(const lasso_columns *columns, const uint32_t *restrict which, size_t n,
                    double *restrict b, double *restrict state)
{
    const size_t n_rows = columns->n_rows;
    double farthest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = which[i];
        const lasso_column *c = &columns->column[k];
        const double *x = columns->value + columns->start[k];
        const double old = b[k];
        const double u = dot_of(x, state, n_rows) + state[n_rows] * c->sum + c->norm2 * old;
        const double step = soft(u, c->l1) * c->inverse - old;
        if (step != 0.0) {
            b[k] = old + step;
            add_of(-step, x, state, n_rows);
            state[n_rows] += step * c->mean;
            farthest = larger(farthest, fabs(step) * c->urgency);
        }
    }
    return farthest;
}

static double sweep_sparse(const lasso_columns *columns, const uint32_t *restrict which, size_t n,
                           double *restrict b, double *restrict state)
{
    const size_t n_rows = columns->n_rows;
    double farthest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = which[i];
        const lasso_column *c = &columns->column[k];
        const int64_t first = columns->start[k];
        const size_t length = (size_t) (columns->start[k + 1] - first);
        const double *value = columns->value + first;
        const uint32_t *row = columns->row + first;
        const double old = b[k];
        const double u =
            dot_sparse_of(value, row, length, state) + state[n_rows] * c->sum + c->norm2 * old;
        const double step = soft(u, c->l1) * c->inverse - old;
        if (step != 0.0) {
            b[k] = old + step;
            add_sparse_of(-step, value, row, length, state);
            state[n_rows] += step * c->mean;
            farthest = larger(farthest, fabs(step) * c->urgency);
        }
    }
    return farthest;
}

static double sum_of_squares(const double *restrict r, double c, size_t n)
{
    vec8 s0 = {0};
    vec8 s1 = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const vec8 a = *(const vec8 *) (r + i) + c;
        const vec8 d = *(const vec8 *) (r + i + 8) + c;
        s0 += a * a;
        s1 += d * d;
    }
    s0 += s1;
    double s = sum_of(&s0);
    for (; i < n; i++) {
        s += (r[i] + c) * (r[i] + c);
    }
    return s;
}

const lasso_kernels JOIN(lasso_kernels_, KERNEL_ISA) = {
    .name = TEXT(KERNEL_ISA),
    .dot = dot,
    .dot_sparse = dot_sparse,
    .add = add,
    .add_narrow = add_narrow,
    .add_sparse = add_sparse,
    .dots = dots,
    .dots_sparse = dots_sparse,
    .rate = rate,
    .sweep = sweep,
    .sweep_sparse = sweep_sparse,
    .sum_of_squares = sum_of_squares,
};

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
#include <stdbool.h>

#include "apps/lasso/kernels_codes.h"
#include "apps/lasso/kernels_vectors.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

/* As many as one instruction takes. */
#if defined(__AVX512F__)
typedef vec8 lane;
#elif defined(__AVX__)
typedef double lane __attribute__((vector_size(32), aligned(8), may_alias));
#else
typedef double lane __attribute__((vector_size(16), aligned(8), may_alias));
#endif
typedef uint8_t byte_lane __attribute__((vector_size(sizeof(lane)), aligned(1), may_alias));
enum { WIDTH = sizeof(lane) / sizeof(double), BYTE_LANES = LASSO_MARKED / sizeof(lane) };

enum {
    STRIP = 32,
    AHEAD_FLOATS = 256,
    AHEAD_DOUBLES = 64,
    AHEAD_COLUMNS = 8, /* how far ahead chosen columns are fetched ... */
    AHEAD_ENTRIES = 64 /* ... and how much of each; the rest comes by itself */
};

/* ---- values of either type ----
 *
 * `narrow` says what x points to. It is a constant wherever these functions are called from, and
 * they are inlined there, so that there are loops for either type without a branch. */

INLINED double value_at(const void *restrict x, bool narrow, size_t i)
{
    return narrow ? (double) ((const float *) x)[i] : ((const double *) x)[i];
}

/* sum += x_i y_i of the eight from i on. */
INLINED void add_products(vec8 *sum, const void *restrict x, bool narrow, const double *restrict y,
                          size_t i)
{
    if (narrow) {
        double wide[LANES]; /* one instruction where there is one for it */
        for (size_t k = 0; k < LANES; k++) {
            wide[k] = value_at(x, true, i + k);
        }
        *sum += *(const vec8 *) wide * *(const vec8 *) (y + i);
    } else {
        *sum += *(const vec8 *) ((const double *) x + i) * *(const vec8 *) (y + i);
    }
}

/* Fetches a strip of floats that comes later, maybe in the next column: they are used up faster
 * than the processor fetches by itself, which stops at the end of each page. */
INLINED void fetch_floats(const void *restrict x, bool narrow, size_t i)
{
    if (narrow) {
        __builtin_prefetch((const float *) x + i + AHEAD_FLOATS);
        __builtin_prefetch((const float *) x + i + AHEAD_FLOATS + STRIP / 2);
    }
}

INLINED double dot_of(const void *restrict x, bool narrow, const double *restrict y, size_t n)
{
    vec8 s0 = {0};
    vec8 s1 = {0};
    vec8 s2 = {0};
    vec8 s3 = {0};
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP) {
        fetch_floats(x, narrow, i);
        add_products(&s0, x, narrow, y, i);
        add_products(&s1, x, narrow, y, i + 8);
        add_products(&s2, x, narrow, y, i + 16);
        add_products(&s3, x, narrow, y, i + 24);
    }
    for (; i + LANES <= n; i += LANES) {
        add_products(&s0, x, narrow, y, i);
    }
    double rest[2][LANES] = {{0.0}, {0.0}};
    for (size_t k = 0; i + k < n; k++) {
        rest[0][k] = value_at(x, narrow, i + k);
        rest[1][k] = y[i + k];
    }
    s1 += *(const vec8 *) rest[0] * *(const vec8 *) rest[1];
    s0 = (s0 + s1) + (s2 + s3);
    return sum_of(&s0);
}

INLINED double dot_sparse_of(const void *restrict x, bool narrow, const uint32_t *restrict row,
                             size_t n, const double *restrict y)
{
    double s0 = 0.0;
    double s1 = 0.0;
    double s2 = 0.0;
    double s3 = 0.0;
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        s0 += value_at(x, narrow, k) * y[row[k]];
        s1 += value_at(x, narrow, k + 1) * y[row[k + 1]];
        s2 += value_at(x, narrow, k + 2) * y[row[k + 2]];
        s3 += value_at(x, narrow, k + 3) * y[row[k + 3]];
    }
    for (; k < n; k++) {
        s0 += value_at(x, narrow, k) * y[row[k]];
    }
    return (s0 + s1) + (s2 + s3);
}

INLINED void add_of(double a, const void *restrict x, bool narrow, double *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * value_at(x, narrow, i);
    }
}

INLINED void add_sparse_of(double a, const void *restrict x, bool narrow,
                           const uint32_t *restrict row, size_t n, double *restrict y)
{
    for (size_t k = 0; k < n; k++) {
        y[row[k]] += a * value_at(x, narrow, k);
    }
}

/* The same of entries that are all 1. */
INLINED double sum_rows(const uint32_t *restrict row, size_t n, const double *restrict y)
{
    double s[8] = {0.0};
    size_t k = 0;
    for (; k + 8 <= n; k += 8) {
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++) {
            s[i] += y[row[k + i]];
        }
    }
    for (; k < n; k++) {
        s[0] += y[row[k]];
    }
    return sum_of((const vec8 *) s);
}

INLINED void add_to_rows(double a, const uint32_t *restrict row, size_t n, double *restrict y)
{
    for (size_t k = 0; k < n; k++) {
        y[row[k]] += a;
    }
}

/* ---- a column ---- */

/* A column's stored elements. */
typedef struct column {
    const void *values;
    const uint32_t *row; /* NULL: dense */
    size_t n;
    bool alike; /* sparse, and all values are the first */
} column;

INLINED column column_of(const lasso_columns *columns, bool narrow, size_t k)
{
    const size_t first = columns->start == NULL ? k * columns->n_rows : (size_t) columns->start[k];
    const bool dense = columns->row == NULL;
    const size_t end = dense                  ? first + columns->n_rows
                       : columns->end != NULL ? (size_t) columns->end[k]
                                              : (size_t) columns->start[k + 1];
    return (column){.values = narrow ? (const void *) (columns->narrow + first)
                                     : (const void *) (columns->value + first),
                    .row = dense ? NULL : columns->row + first,
                    .n = end - first,
                    .alike = columns->alike != NULL && columns->alike[k] && end > first};
}

INLINED double dot_with(const column *x, bool narrow, const double *restrict y)
{
    if (x->alike) {
        return value_at(x->values, narrow, 0) * sum_rows(x->row, x->n, y);
    }
    return x->row == NULL ? dot_of(x->values, narrow, y, x->n)
                          : dot_sparse_of(x->values, narrow, x->row, x->n, y);
}

INLINED void add_times(double a, const column *x, bool narrow, double *restrict y)
{
    if (x->row == NULL) {
        add_of(a, x->values, narrow, y, x->n);
    } else if (x->alike) {
        add_to_rows(a * value_at(x->values, narrow, 0), x->row, x->n, y);
    } else {
        add_sparse_of(a, x->values, narrow, x->row, x->n, y);
    }
}

/* The minimiser of a coordinate, without branches. */
INLINED double soft(double u, double l1)
{
    const double size = fabs(u) - l1;
    return copysign(size > 0.0 ? size : 0.0, u);
}

/* ---- the kernels ---- */

static double dot(const double *restrict x, const double *restrict y, size_t n)
{
    return dot_of(x, false, y, n);
}

static double dot_narrow(const float *restrict x, const double *restrict y, size_t n)
{
    return dot_of(x, true, y, n);
}

static void add(double a, const double *restrict x, double *restrict y, size_t n)
{
    add_of(a, x, false, y, n);
}

static void add_narrow(double a, const float *restrict x, double *restrict y, size_t n)
{
    add_of(a, x, true, y, n);
}

/* Some rows each of many columns: what comes next is fetched, for the processor does not know. */
static void round_values(const double *restrict x, size_t n, float *restrict to)
{
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP) {
        for (size_t k = 0; k < STRIP; k += LANES) {
            __builtin_prefetch(x + i + k + AHEAD_DOUBLES);
        }
        for (size_t k = 0; k < STRIP; k++) {
            to[i + k] = (float) x[i + k];
        }
    }
    for (; i < n; i++) {
        to[i] = (float) x[i];
    }
}

static double dot_column(const lasso_columns *columns, size_t k, const double *restrict y)
{
    if (columns->narrow != NULL) {
        const column x = column_of(columns, true, k);
        return dot_with(&x, true, y);
    }
    const column x = column_of(columns, false, k);
    return dot_with(&x, false, y);
}

static void add_column(double a, const lasso_columns *columns, size_t k, double *restrict y)
{
    if (columns->narrow != NULL) {
        const column x = column_of(columns, true, k);
        add_times(a, &x, true, y);
    } else {
        const column x = column_of(columns, false, k);
        add_times(a, &x, false, y);
    }
}

/* Chosen columns are fetched ahead: each is a few cache lines at a place of its own. */
INLINED void fetch(const lasso_columns *columns, bool narrow, size_t k)
{
    const column x = column_of(columns, narrow, k);
    const size_t n = x.n < AHEAD_ENTRIES ? x.n : AHEAD_ENTRIES;
    for (size_t at = 0; at < n; at += narrow ? 16 : 8) {
        __builtin_prefetch(narrow ? (const void *) ((const float *) x.values + at)
                                  : (const void *) ((const double *) x.values + at));
    }
    for (size_t at = 0; at < n; at += 16) {
        __builtin_prefetch(x.row + at);
    }
}

INLINED void dots_of(const lasso_columns *columns, bool narrow, const uint32_t *which, size_t n,
                     const double *restrict y, double *restrict out)
{
    const bool ahead = which != NULL && columns->row != NULL;
    for (size_t i = 0; i < n; i++) {
        if (ahead && i + AHEAD_COLUMNS < n) {
            fetch(columns, narrow, which[i + AHEAD_COLUMNS]);
        }
        const column x = column_of(columns, narrow, which == NULL ? i : which[i]);
        out[i] = dot_with(&x, narrow, y);
    }
}

static void dots(const lasso_columns *columns, const uint32_t *which, size_t n,
                 const double *restrict y, double *restrict out)
{
    if (columns->narrow != NULL) {
        dots_of(columns, true, which, n, y, out);
    } else {
        dots_of(columns, false, which, n, y, out);
    }
}

/* s += value of entry k times what is at its side. */
INLINED void add_side(lane *restrict s, const column *x, bool narrow, size_t k, size_t first,
                      const double *restrict side, size_t width)
{
    const lane *at = (const lane *) (side + (x->row[k] - first) * width);
    const double value = value_at(x->values, narrow, k);
#pragma GCC unroll 16
    for (size_t j = 0; j < width / WIDTH; j++) {
        s[j] += value * at[j];
    }
}

/* `width` is a constant too, so that the sums are in registers; narrow ones are of several entries
 * each, for a single one would wait for its own additions. */
INLINED void dot_side_of(const column *x, bool narrow, size_t first, const double *restrict side,
                         double *restrict sums, size_t width)
{
    const size_t n_lanes = width / WIDTH;
    const size_t n_sums = LASSO_SIDE / width;
    lane *to = (lane *) sums;
    lane s[LASSO_SIDE / WIDTH];
#pragma GCC unroll 16
    for (size_t j = 0; j < LASSO_SIDE / WIDTH; j++) {
        s[j] = j < n_lanes ? to[j] : (lane){0};
    }
    size_t k = 0;
    for (; k + n_sums <= x->n; k += n_sums) {
#pragma GCC unroll 4
        for (size_t i = 0; i < n_sums; i++) {
            add_side(s + i * n_lanes, x, narrow, k + i, first, side, width);
        }
    }
    for (; k < x->n; k++) {
        add_side(s, x, narrow, k, first, side, width);
    }
#pragma GCC unroll 16
    for (size_t j = n_lanes; j < LASSO_SIDE / WIDTH; j++) {
        s[j % n_lanes] += s[j];
    }
#pragma GCC unroll 16
    for (size_t j = 0; j < n_lanes; j++) {
        to[j] = s[j];
    }
}

/* Entries start .. end-1. */
INLINED column entries_of(const lasso_columns *columns, size_t start, size_t end)
{
    return (column){.values = columns->narrow != NULL ? (const void *) (columns->narrow + start)
                                                      : (const void *) (columns->value + start),
                    .row = columns->row + start,
                    .n = end - start};
}

static void dot_side(const lasso_columns *columns, size_t start, size_t end, size_t first,
                     const double *restrict side, double *restrict sums)
{
    const column x = entries_of(columns, start, end);
    if (columns->narrow != NULL) {
        dot_side_of(&x, true, first, side, sums, LASSO_SIDE);
    } else {
        dot_side_of(&x, false, first, side, sums, LASSO_SIDE);
    }
}

static void dot_few(const lasso_columns *columns, size_t start, size_t end, size_t first,
                    const double *restrict side, double *restrict sums)
{
    const column x = entries_of(columns, start, end);
    if (columns->narrow != NULL) {
        dot_side_of(&x, true, first, side, sums, LASSO_FEW);
    } else {
        dot_side_of(&x, false, first, side, sums, LASSO_FEW);
    }
}

/* Marks are counted in bytes, as many as these hold at a time. */
static void dot_marked(double value, const uint32_t *restrict row, size_t n_rows,
                       const lasso_marked *side, double *restrict sums)
{
    size_t k = 0;
    while (k < n_rows) {
        const size_t end = n_rows - k < UINT8_MAX ? n_rows : k + UINT8_MAX;
        byte_lane s[BYTE_LANES] = {{0}};
        uint8_t counts[LASSO_MARKED];
        for (; k < end; k++) {
            const uint8_t *at = side->mark + (row[k] - side->first) * LASSO_MARKED;
#pragma GCC unroll 4
            for (size_t j = 0; j < BYTE_LANES; j++) {
                s[j] += ((const byte_lane *) at)[j];
            }
        }
        memcpy(counts, s, sizeof(counts));
        for (size_t i = 0; i < LASSO_MARKED; i++) {
            sums[i] += value * side->value[i] * (double) counts[i];
        }
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

INLINED double sweep_of(const lasso_columns *columns, bool narrow, const uint32_t *restrict which,
                        size_t n, double *restrict b, double *restrict state)
{
    const size_t n_rows = columns->n_rows;
    double farthest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = which[i];
        const lasso_column *c = &columns->column[k];
        const column x = column_of(columns, narrow, k);
        const double old = b[k];
        const double u = dot_with(&x, narrow, state) + state[n_rows] * c->sum + c->norm2 * old;
        const double step = soft(u, c->l1) * c->inverse - old;
        if (step != 0.0) {
            b[k] = old + step;
            add_times(-step, &x, narrow, state);
            state[n_rows] += step * c->mean;
            farthest = larger(farthest, fabs(step) * c->urgency);
        }
    }
    return farthest;
}

static double sweep(const lasso_columns *columns, const uint32_t *restrict which, size_t n,
                    double *restrict b, double *restrict state)
{
    return columns->narrow != NULL ? sweep_of(columns, true, which, n, b, state)
                                   : sweep_of(columns, false, which, n, b, state);
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
    .dot_narrow = dot_narrow,
    .add = add,
    .add_narrow = add_narrow,
    .round = round_values,
    .dot_column = dot_column,
    .add_column = add_column,
    .dots = dots,
    .dot_side = dot_side,
    .dot_few = dot_few,
    .dot_marked = dot_marked,
    .encode = encode,
    .dots_coded = dots_coded,
    .rate = rate,
    .sweep = sweep,
    .sum_of_squares = sum_of_squares,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/variants.h - the variants of the inner loops that this machine runs, and
 * numbers to try them with.
 * For inclusion by one source of a program.
 */
#ifndef STRADS_TESTS_VARIANTS_H
#define STRADS_TESTS_VARIANTS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "apps/lasso/kernels.h"

enum { MAX_N = 100 };

static const lasso_kernels *variants[3];

static inline size_t find_variants(void)
{
    size_t n = 0;
    variants[n++] = &lasso_kernels_portable;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        variants[n++] = &lasso_kernels_avx2;
    }
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        variants[n++] = &lasso_kernels_avx512;
    }
#endif
    return n;
}

/* A number in (-1, 1) that depends on i and j alone. */
static inline double number(size_t i, size_t j)
{
    return sin(12.9898 * (double) i + 78.233 * (double) j + 1.0);
}

/* |got - right| within the rounding of n terms of the given total size. */
static inline bool is_close(double got, long double right, long double size)
{
    return fabsl(got - right) <= 1e-14L * size + DBL_TRUE_MIN * MAX_N;
}

#endif

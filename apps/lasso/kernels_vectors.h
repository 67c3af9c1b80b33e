/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/kernels_vectors.h - what the inner loops that kernels.c is made of have in common. */
#ifndef STRADS_LASSO_KERNELS_VECTORS_H
#define STRADS_LASSO_KERNELS_VECTORS_H

#define INLINED static inline __attribute__((always_inline))

/* Eight doubles, loaded from wherever doubles are. */
typedef double vec8 __attribute__((vector_size(64), aligned(8), may_alias));

enum { LANES = 8 };

INLINED double sum_of(const vec8 *v)
{
    const vec8 x = *v;
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* fmax is a call where NaN must be minded; there is none here. */
INLINED double larger(double a, double b)
{
    return a > b ? a : b;
}

#endif

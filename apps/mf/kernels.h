/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/kernels.h - the inner loops of matrix factorisation.
 *
 * kernels.c is compiled once for every instruction set; mf_kernels_choose picks the
 * best that this machine has. The variants differ in rounding, and in the reciprocal
 * root of AdaGrad's steps, which is exact to 12 or 14 bits where vectors have one.
 */
#ifndef STRADS_MF_KERNELS_H
#define STRADS_MF_KERNELS_H

#include <stddef.h>

#include "apps/mf/groups.h"
#include "apps/mf/layout.h"

typedef struct mf_step {
    float eta;    /* the step's length before AdaGrad divides it */
    bool biases;  /* false: they stay what they are */
    bool alike;   /* all rows and columns have the same lambda: */
    float lambda; /* this one */
} mf_step;

/* A rating that is held out; row and column are places in all the rows and columns that
 * the kernel is given, paddings counted. */
typedef struct mf_pair {
    uint32_t row, column;
    float value;
} mf_pair;

/* What a prediction p'q + b + c becomes in units of the ratings: mean + unit (...). */
typedef struct mf_scale {
    float mean, unit;
} mf_scale;

typedef struct mf_errors {
    double squared, absolute; /* sums */
} mf_errors;

typedef struct mf_kernels {
    const char *name;

    /* A step on each rating r of the groups, one group after another. With p, b, G, l the
     * row's factors, bias, AdaGrad sum and lambda, and q, c, H, m the column's,
     *   e = r - (p'q + b + c),
     *   s = eta / sqrt(G),  G := G + |e q - l p|^2 / rank,
     *   p := (1 - s l) p + s e q,   b := (1 - s l) b + s e,
     * and the column alike, from the old p; but no less than p / 16 is kept.
     * Squared norms go along by recurrence.
     * Returns the sum of e^2, which is not finite once factors are not. Rows and columns
     * are those of the block, with their paddings; fastest when aligned to 64 bytes. */
    double (*train)(const mf_layout *layout, const mf_group *groups, size_t n_groups, float *rows,
                    float *columns, const mf_step *step);

    /* Computes the squared norms of n rows anew, once an epoch, for recurrences drift; and
     * puts their scales into the factors.
     * Returns their sum; not finite: a factor is not, or is beyond 1e19. */
    double (*norms)(const mf_layout *layout, float *rows, size_t n);

    /* Adds the errors of pairs[n] up. */
    mf_errors (*errors)(const mf_layout *layout, const float *rows, const float *columns,
                        const mf_pair *pairs, size_t n, mf_scale scale);
} mf_kernels;

extern const mf_kernels mf_kernels_portable, mf_kernels_avx2, mf_kernels_avx512;

/* The best variant of this machine; with `fixed`, the portable one everywhere. */
const mf_kernels *mf_kernels_choose(bool fixed);

#endif

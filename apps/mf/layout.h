/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/layout.h - how the factors of a row (a user) or of a column (an item) lie in
 * memory; both lie alike:
 *
 *     rank numbers | zeros | bias, AdaGrad sum, squared norm, scale, lambda | zeros
 *     <----- width ------->                                                        <- stride
 *
 * The factors are the scale times these numbers: so a step can shorten a row of any rank by
 * one multiplication. The numbers are padded with zeros to whole vectors of eight; a step
 * leaves zeros what they are, so kernels work on the width and need no loop for the rest. What
 * stands behind is in the padding to whole cache lines, where the width is not a number of
 * these, so it comes with the factors and costs no memory.
 */
#ifndef STRADS_MF_LAYOUT_H
#define STRADS_MF_LAYOUT_H

#include <stdint.h>

enum {
    MF_RANK_MAX = 4096,
    MF_LINE = 16,         /* floats of a cache line of 64 bytes */
    MF_OFFSET_MAX = 65535 /* lines, to the last row of a block: what 16 bits hold */
};

/* What stands behind the factors, at row[width + ...]. */
enum {
    MF_BIAS,
    MF_SUM,   /* AdaGrad's: 1 and the squared gradients so far, in the mean over factors */
    MF_NORM2, /* of the factors */
    MF_SCALE, /* of the factors; not 0 */
    MF_N_MOVED,
    MF_LAMBDA = MF_N_MOVED, /* the penalty of this row in each step on one of its ratings */
    MF_N_EXTRA
};

typedef struct mf_layout {
    uint32_t rank;
    uint32_t width;  /* floats: rank rounded up to eights */
    uint32_t stride; /* floats from row to row, whole cache lines */
} mf_layout;

/* The layout for 1 <= rank <= MF_RANK_MAX (asserted). */
mf_layout mf_layout_of(uint32_t rank);

/* How many rows a block may have, the padding row before them not counted. */
uint32_t mf_layout_rows_max(const mf_layout *layout);

/* A row at its start: factors uniform within 1 / (2 sqrt rank) of 0, scale 1, bias 0. They depend
 * on the seed and the stream alone, which is any number of this row's own. */
void mf_row_start(const mf_layout *layout, float *row, float lambda, uint64_t seed,
                  uint64_t stream);

/* A row of zeros and the scale 1, which every block has before its own: it takes what fills
 * up groups, and no step moves its zeros. Predictions with it are those of the other side's bias.
 */
void mf_row_padding(const mf_layout *layout, float *row);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/anderson.h - Anderson extrapolation of coordinate descent: of the last
 * DEPTH + 1 iterates the affine combination whose step is smallest (Bertrand,
 * Massias, "Anderson acceleration of coordinate descent", AISTATS 2021). Kept only
 * if it lowers the objective.
 *
 * Each member combines its own coefficients and the shared state, which is linear in
 * all coefficients, with weights that all members agree on.
 */
#ifndef STRADS_LASSO_ANDERSON_H
#define STRADS_LASSO_ANDERSON_H

#include "strads/strads.h"

enum { ANDERSON_DEPTH = 5 };

typedef struct anderson {
    size_t n_own, n_shared, n_kept;
    double *own[ANDERSON_DEPTH + 1];    /* [n_own] iterates, the oldest first */
    double *shared[ANDERSON_DEPTH + 1]; /* [n_shared] */
    size_t own_capacity, shared_capacity;
} anderson;

/* Begins with no iterates, for vectors of these sizes. */
STRADS_MUST_CHECK strads_status anderson_start(anderson *mix, size_t n_own, size_t n_shared);
void anderson_fini(anderson *mix);

/* Notes an iterate; true when there are enough to extrapolate from. */
bool anderson_note(anderson *mix, const double *own, const double *shared);

/* Puts the combination into own[0] and shared[0] of mix and drops the other iterates;
 * *possible: whether there was one. All members of the round call together. */
STRADS_MUST_CHECK strads_status anderson_combine(anderson *mix, strads_worker *worker,
                                                 bool *possible);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/whole.h - a working set as each of the members who solve it knows it: the variables
 * of all, in order of rank, and their columns, which all members hold.
 */
#ifndef STRADS_LASSO_WHOLE_H
#define STRADS_LASSO_WHOLE_H

#include "apps/lasso/quadratic.h"

typedef struct lasso_whole {
    size_t n;     /* variables of all members */
    size_t first; /* of this member's */
    size_t n_mine;
    double cost;          /* entries of all */
    double unlike;        /* ... and of columns that are not alike, if they are sparse */
    bool fits;            /* all can say what floats have */
    const uint32_t *vars; /* [n] */

    lasso_block block; /* of all of them, where there are several members */

    double *start;      /* [2][n] the point where a descent began */
    double start_value; /* half the squares of the residual there */
    double *numbers;    /* scratch of exchanges */
    uint32_t *gathered;
    size_t start_capacity, numbers_capacity, gathered_capacity;
} lasso_whole;

void lasso_whole_fini(lasso_whole *whole);

/* Adds up sizes: n, first, cost and fits. `fits` is of the loaded block. */
STRADS_MUST_CHECK strads_status lasso_whole_measure(lasso_whole *whole, strads_worker *worker,
                                                    const lasso_block *block, bool fits);

/* Gathers the variables. Members who do not all know the same products forget them, and try
 * Newton's method when the first of them would. */
STRADS_MUST_CHECK strads_status lasso_whole_gather(lasso_whole *whole, strads_worker *worker,
                                                   const lasso_block *block, lasso_quadratic *q);

/* Loads the columns of all, with the coefficients of the block. */
STRADS_MUST_CHECK strads_status lasso_whole_load(lasso_whole *whole, const lasso_site *site,
                                                 const lasso_block *block, double l1, double l2);

/* Notes the point where a descent begins, which is loaded. */
STRADS_MUST_CHECK strads_status lasso_whole_start(lasso_whole *whole, const lasso_quadratic *q,
                                                  double half_squares);

/* A copy of state[n], kept until the next call. */
STRADS_MUST_CHECK strads_status lasso_whole_note(lasso_whole *whole, const double *state, size_t n,
                                                 double **noted);

/* The objective of the quadratic function, where the penalty is that of lasso_block_penalty. */
double lasso_whole_objective(const lasso_whole *whole, const lasso_quadratic *q, double l2);

#endif

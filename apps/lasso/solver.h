/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/solver.h - a worker's state, and the inner loop over a working set. */
#ifndef STRADS_LASSO_SOLVER_H
#define STRADS_LASSO_SOLVER_H

#include "apps/lasso/anderson.h"
#include "apps/lasso/block.h"
#include "apps/lasso/borrowed.h"
#include "apps/lasso/data_parallel.h"
#include "apps/lasso/fit.h"
#include "apps/lasso/gram.h"
#include "apps/lasso/quadratic.h"
#include "apps/lasso/slack.h"
#include "apps/lasso/whole.h"

struct lasso_worker {
    const lasso_site *site;
    strads_worker *worker;
    uint32_t first, n; /* its range of variables */
    double lambda, l1, l2;
    double unit; /* scores are in units of l1; 0 before lambda is known */

    double *state;     /* [n_rows + 1] the residual and its offset, see kernels.h */
    lasso_fit fit;     /* logistic, or where rows are held out */
    double *beta;      /* [n] committed coefficients of the range */
    uint32_t *support; /* [n_support] of the range, with all whose coefficient is not 0 */
    uint8_t *listed;   /* [n] 1: in `support` */
    size_t n_support;
    double *gradient;  /* [n] x_j'r of the scan that found it last */
    lasso_slack slack; /* which are to be found anew; not by rows */
    float *short_r;    /* [n_rows] scratch: the residual over its length; NULL: x has no codes */
    double *set_aside; /* [n] scratch: gradients of the support */
    uint32_t *cols;    /* [n] scratch: columns of variables */
    bool state_is_fresh;
    bool gradient_is_fresh; /* it is of the whole range and of the state as it is */
    double measures[LASSO_N_MEASURES];
    double exchange_units; /* what an exchange takes beside the summing, in the running push */

    lasso_gram gram; /* by rows, in the place of what follows */
    lasso_block block;
    lasso_quadratic quadratic; /* what is known of products of columns */
    lasso_whole whole;         /* of the working set whose part is `block` */
    lasso_borrowed borrowed;   /* by columns */
    anderson mix;

    lasso_tables *tables; /* of data_parallel; NULL before its first step */
};

/* to[i] := x_j'r, for the true residual and the column less its mean, of the variables
 * vars[n] or, when that is NULL, of the whole range. By rows all workers call. */
STRADS_MUST_CHECK strads_status lasso_find_gradient(lasso_worker *self, const uint32_t *vars,
                                                    size_t n, double *to);

/* lasso_push by rows. */
STRADS_MUST_CHECK strads_status lasso_push_rows(lasso_worker *self, const strads_block *block,
                                                double *partial);

/* lasso_push of the logistic loss, and the block's coefficients after it: see logistic.c. */
STRADS_MUST_CHECK strads_status lasso_push_logistic(lasso_worker *self, const strads_block *block);

/* Sweeps over the loaded block until no coefficient moves by more than `target` in
 * units of the score, together with the other members of the round. */
STRADS_MUST_CHECK strads_status lasso_solve(lasso_worker *self, double target);

/* One guarded step over the block, in n_parts; over its active columns only or all. */
STRADS_MUST_CHECK strads_status lasso_step(lasso_worker *self, bool active, uint32_t n_parts,
                                           double *farthest);

/* How many sweeps pay between two exchanges of so many units each, a sweep of `cost`. */
uint32_t lasso_sweeps_apart(double exchange_units, double cost);

/* How many columns may have products, of data with so many stored numbers, with each member. */
double lasso_products_most(double stored, double n_members);
/* Whether the working set, of which the loaded block is this member's part, may be solved on
 * products of its columns down to the target; gathers what that takes. All members call, as of what
 * follows. */
STRADS_MUST_CHECK strads_status lasso_products_consider(lasso_worker *self, double target,
                                                        bool *possible);
/* Where it may: whether that is better, after updates of the loaded block on its columns. */
STRADS_MUST_CHECK strads_status lasso_products_pay(lasso_worker *self, double n_updates, bool *pay);
/* Solves it so; extrapolates when it is late. */
STRADS_MUST_CHECK strads_status lasso_solve_on_products(lasso_worker *self, double target,
                                                        bool late);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/fit.h - what the coefficients come to on the rows, where this is more than a
 * residual: the logistic loss, and rows that are held out.
 *
 * Rows have weights: 1 where they train and 0 where they do not, times the curvature of the
 * loss. Blocks are packed with each row times the root of its weight, so that the inner loop
 * is one of least squares for all.
 */
#ifndef STRADS_LASSO_FIT_H
#define STRADS_LASSO_FIT_H

#include "apps/lasso/lasso.h"

typedef struct lasso_worker lasso_worker;

typedef struct lasso_fit {
    bool weighted; /* not all weights are 1 */
    double *root;  /* [n_rows] roots of the weights */
    double total;  /* sum of the weights */
    uint32_t fold;
    double intercept; /* of the columns and the target as they are stored */

    /* Of the logistic loss. */
    double *eta;       /* [n_rows] x'b + intercept */
    double *direction; /* [n_rows] of a Newton step */
    uint64_t *keys;    /* [2 n_rows] scratch of rank 0 */

    double measures[LASSO_N_MEASURES]; /* what rank 0 found of the rows, else 0 */
} lasso_fit;

STRADS_MUST_CHECK strads_status lasso_fit_init(lasso_worker *self);
void lasso_fit_fini(lasso_fit *fit);

/* Whether residuals are those of lasso_fit_renew. */
bool lasso_has_fit(const lasso_site *site);

static inline bool lasso_trains(const lasso_site *site, uint32_t fold, size_t i)
{
    return site->fold == NULL ||
           (site->fold[i] != LASSO_ALWAYS_OUT && (fold == 0 || site->fold[i] != fold));
}

/* Begins with the rows of a fold; of classes each has some that train. */
void lasso_fit_begin(lasso_worker *self, uint32_t fold);

/* Makes of the state, which is target - X b (logistic: -X b) of all rows, the residual of
 * the rows that train and 0 elsewhere (logistic: minus the slope of the loss), with the best
 * intercept, and measures all rows. */
void lasso_fit_renew(lasso_worker *self);

/* Adds to the worker's measures what a whole scan tells of the logistic loss; all call. */
STRADS_MUST_CHECK strads_status lasso_fit_certify(lasso_worker *self);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/path.h - the values of lambda that a run goes through, and what came of each.
 *
 * All of them are solved on the rows that train, from the largest to the smallest, each from
 * the coefficients of the one before. With folds that is done again for each fold k, from 0
 * and without the rows of the fold, by which it is then measured. There lambda is less by the
 * share of rows that train: it weighs the penalty against a sum over rows. The error of a
 * value is the mean over all rows held out, its standard error that of the folds' means,
 *
 *   m = sum n_k e_k / sum n_k,   s^2 = sum n_k (e_k - m)^2 / sum n_k / (folds - 1),
 *
 * as in cv.glmnet.
 */
#ifndef STRADS_LASSO_PATH_H
#define STRADS_LASSO_PATH_H

#include "apps/lasso/lasso.h"

/* A value of lambda, and what all rows that train come to. */
typedef struct lasso_value {
    double lambda;
    bool known;   /* it was begun, and all below but the coefficients are there */
    bool reached; /* the goal: not when the run was ended, or doubles gave no more */
    double objective, gap, intercept;
    double measures[LASSO_N_MEASURES];
    uint32_t *vars; /* [n] with a coefficient */
    double *coefficients;
    size_t n;
    double cv_error, cv_spread; /* NAN: not cross-validated */
} lasso_value;

typedef struct lasso_path {
    lasso_value *values;   /* [n] falling */
    size_t n, n_asked;     /* fewer than were asked for where the path was ended */
    bool separable;        /* all rows that train are on their side, and by far */
    uint32_t n_folds;      /* 0: no cross-validation */
    double *fold_errors;   /* [n_folds][n] of the rows that are held out, as lasso_error_of */
    bool *fold_short;      /* [n_folds][n] whether the goal was not reached there */
    double *fold_rows;     /* [n_folds] how many these are */
    double n_train;        /* rows that train when no fold is held out */
    uint32_t n_folds_done; /* with all values */
    lasso_loss loss;
    bool one_se; /* lasso.choose */

    size_t at; /* under way: the value, and the fold, 0: of all that train */
    uint32_t fold;
} lasso_path;

/* Refuses options of a path or of folds that do not go together. */
STRADS_MUST_CHECK strads_status lasso_path_check(const strads_config *config);
bool lasso_path_is_wanted(const strads_config *config);

/* The values of lambda, from lambda_max where they are not given; site NULL: without folds. */
STRADS_MUST_CHECK strads_status lasso_path_init(lasso_path *path, const strads_config *config,
                                                const lasso_site *site, double lambda_max);
void lasso_path_fini(lasso_path *path);

/* lambda of the stage under way. */
double lasso_path_lambda(const lasso_path *path);
/* Notes what a whole scan has found. */
void lasso_path_note(lasso_path *path, const strads_view *view, const strads_stage *stage,
                     double y_mean);
/* Keeps the coefficients of the value under way, values[n_vars], if they are measured. */
STRADS_MUST_CHECK strads_status lasso_path_keep(lasso_path *path, const double *values,
                                                size_t n_vars);
/* The value under way is done; `short_of_goal`: it came no nearer. */
void lasso_path_finish(lasso_path *path, bool short_of_goal);
/* Goes on to the next value or fold; false: there is none. */
bool lasso_path_advance(lasso_path *path);
/* How many values were begun with all rows that train. */
size_t lasso_path_n_known(const lasso_path *path);
/* Computes the cross-validated errors. */
void lasso_path_cross_validate(lasso_path *path);
/* Which value is chosen, by the folds, or the rows held out, or else the last. */
size_t lasso_path_choose(const lasso_path *path);

/* The error of n rows whose losses add up to `sum`: the mean squared error, or the log-loss. */
static inline double lasso_error_of(lasso_loss loss, double sum, double n)
{
    return (loss == LASSO_SQUARED ? 2.0 : 1.0) * sum / n;
}

/* ---- folds.c ---- */

/* Makes site->fold where the configuration holds rows out. USAGE when too few or none would be,
 * DATA when those that train would be of one class. */
STRADS_MUST_CHECK strads_status lasso_draw_folds(lasso_site *site);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lasso_oracle.h - a slow, obvious elastic net to hold the fast one
 * against: cyclic coordinate descent in long double on a dense copy of X that is
 * centred and scaled in so many words, until nothing moves any more. Under the logistic
 * loss a coordinate's step is that of the bound 1/4 on the curvature.
 */
#ifndef STRADS_TESTS_LASSO_ORACLE_H
#define STRADS_TESTS_LASSO_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

/* The problem of apps/lasso/lasso.h. */
typedef struct lasso_problem {
    size_t n, p;
    const double *x; /* [p][n], column by column */
    const double *y; /* [n] */
    double lambda, l1_ratio;
    bool intercept, standardize;
    bool logistic; /* y > 0 or not; in the place of least squares */
} lasso_problem;

/* max |x_j'y| / (l1_ratio w_j), y and columns centred with an intercept; logistic: of y / 2
 * where y is -1 or 1. */
double lasso_oracle_lambda_max(const lasso_problem *problem);

/* Solves; b[p] and *intercept take the optimum. Returns the optimal objective, and in
 * *violation the largest violation of the optimality conditions over lambda_max. */
double lasso_oracle_solve(const lasso_problem *problem, double *b, double *intercept,
                          double *violation);

/* F(b) with that intercept, from the data as they are. */
double lasso_oracle_objective(const lasso_problem *problem, const double *b, double intercept);

#endif

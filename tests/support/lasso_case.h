/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lasso_case.h - a small problem, drawn or given, as the Lasso program
 * sees it: as files, through a whole run, and back.
 */
#ifndef STRADS_TESTS_LASSO_CASE_H
#define STRADS_TESTS_LASSO_CASE_H

#include "strads/run.h"
#include "tests/support/lasso_oracle.h"

typedef struct lasso_case {
    lasso_problem problem; /* its x and y are these */
    double *x, *y;
    char x_path[128], y_path[128]; /* X and y written out; "": not yet */
} lasso_case;

/* Correlated columns of unlike means and scales, a fifth of them with a coefficient,
 * noise and an offset; `density` is the share of entries that are not 0. l1_ratio 1,
 * with an intercept; lambda is left at 0. The same for the same arguments. */
lasso_case lasso_case_draw(size_t n, size_t p, double density, unsigned seed);

/* Makes y classes `low` and 1, by what it was and some chance, and the loss logistic. */
void lasso_case_classify(lasso_case *self, unsigned seed, double low);

/* A case of the given numbers, which are copied; x column by column. */
lasso_case lasso_case_of(size_t n, size_t p, const double *x, const double *y);

void lasso_case_fini(lasso_case *self);

/* Writes X, sparse as Matrix Market coordinates or dense as .npy, and y as .npy. */
void lasso_case_write(lasso_case *self, bool sparse);

/* The configuration of a run, resolved: the case's files and numbers, then
 * settings[] ("key=value", up to NULL), which win. NULL when it is refused. */
strads_config *lasso_case_config(const lasso_case *self, const strads_app *app,
                                 const char *const *settings);

/* lasso_open_site in one process, with `n_workers`. */
strads_status lasso_case_open(const strads_config *config, uint32_t n_workers, void **site);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lasso_case.h - a small problem, drawn or given, as the Lasso program
 * sees it: as files, through a whole run, and back.
 */
#ifndef STRADS_TESTS_LASSO_CASE_H
#define STRADS_TESTS_LASSO_CASE_H

#include "strads/strads.h"
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

/* A case of the given numbers, which are copied; x column by column. */
lasso_case lasso_case_of(size_t n, size_t p, const double *x, const double *y);

void lasso_case_fini(lasso_case *self);

/* Writes X, sparse as Matrix Market coordinates or dense as .npy, and y as .npy. */
void lasso_case_write(lasso_case *self, bool sparse);

/* What a run came to. */
typedef struct lasso_outcome {
    strads_status status;
    strads_result result; /* these when status is OK */
    double *b;            /* [p] */
    double intercept;
} lasso_outcome;

/* The configuration that lasso_case_run resolves: the case's files and numbers, then
 * settings[] ("key=value", up to NULL), which win. NULL when it is refused. */
strads_config *lasso_case_config(const lasso_case *self, const strads_app *app,
                                 const char *const *settings);

/* Runs the case, whose files are written, and reads what the run left in its folder. */
lasso_outcome lasso_case_run(const lasso_case *self, const strads_app *app,
                             const char *const *settings);
void lasso_outcome_fini(lasso_outcome *outcome);

/* ---- against the oracle ---- */

/* The optimum. */
typedef struct lasso_answer {
    double *b; /* [p] */
    double intercept, objective;
} lasso_answer;

/* Asserts that the oracle has reached it. */
lasso_answer lasso_case_solve(const lasso_case *self);
void lasso_answer_fini(lasso_answer *answer);

/* How a run is to be made, and what of. */
typedef struct lasso_asked {
    const char *schedule[4]; /* settings, up to NULL */
    double gap;              /* stop.gap; below 1e-9: the coefficients are compared too */
    int workers;
    bool many; /* the optimum is not one point */
} lasso_asked;

/* Runs the case, with work of any size shared among the workers. Whether the run
 * converged, the gap it reports bounds what is missing to the optimum, and objective,
 * intercept and coefficients are right; prints what is not. */
bool lasso_case_holds(const lasso_case *self, const lasso_answer *best, const lasso_asked *ask);

/* The Lasso program with no work too small to be shared among workers. */
const strads_app *lasso_case_eager_app(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lasso_run.h - whole runs of the Lasso program on a lasso_case, held
 * against the oracle.
 */
#ifndef STRADS_TESTS_LASSO_RUN_H
#define STRADS_TESTS_LASSO_RUN_H

#include "tests/support/lasso_case.h"

/* The Lasso program with no work too small to be shared among workers. */
const strads_app *lasso_case_eager_app(void);

/* What a run came to. */
typedef struct lasso_outcome {
    strads_status status;
    strads_result result; /* these when status is OK */
    double *b;            /* [p] */
    double intercept;
} lasso_outcome;

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
    bool many;             /* the optimum is not one point */
    const strads_app *app; /* NULL: lasso_case_eager_app() */
} lasso_asked;

/* Runs the case, with work of any size shared among the workers. Whether the run
 * converged, the gap it reports bounds what is missing to the optimum, and objective,
 * intercept and coefficients are right; prints what is not. */
bool lasso_case_holds(const lasso_case *self, const lasso_answer *best, const lasso_asked *ask);

#endif

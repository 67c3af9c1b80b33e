/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/toy.h - a model program for tests: ridge regression on a few dozen
 * variables,
 *
 *   F(b) = 1/2 ||y - X b||^2 + ridge/2 ||b||^2,
 *
 * whose optimum an oracle knows. Any of its callbacks can be told to fail or to give
 * NaN, its pushes to let time pass, and it keeps a record of who pushed what when.
 *
 * One problem at a time is in use: a callback has no other way to it.
 */
#ifndef STRADS_TESTS_TOY_H
#define STRADS_TESTS_TOY_H

#include "strads/run.h"

typedef enum toy_callback {
    TOY_NONE,
    TOY_OPEN_SITE,
    TOY_DESCRIBE,
    TOY_OPEN_WORKER,
    TOY_OPEN_MODEL,
    TOY_SCORE,
    TOY_CORRELATE,
    TOY_SCHEDULE,
    TOY_PUSH,
    TOY_PULL,
    TOY_SYNC,
    TOY_MEASURE,
    TOY_NEXT_STAGE,
    TOY_BEGIN_STAGE,
    TOY_SAVE,
    TOY_N_CALLBACKS
} toy_callback;

/* The `call`-th call (1 = the first) of `callback`, by whichever thread, fails with
 * `status`; or, where that is OK, gives NaN. */
typedef struct toy_fault {
    toy_callback callback;
    uint32_t call;
    strads_status status;
} toy_fault;

/* How X is made. */
typedef struct toy_shape {
    uint32_t n_rows, n_vars;
    uint32_t n_copies; /* each column so often in a row, with noise; 1: independent */
    double noise;      /* of the copies, relative to the column */
    double ridge;
    uint64_t seed;
} toy_shape;

typedef struct toy_problem {
    toy_shape shape;
    double *x;       /* [n_vars][n_rows] */
    double *y;       /* [n_rows] */
    double *optimum; /* [n_vars] of the last stage, by Cholesky */

    /* For a test to set before a run. */
    toy_fault fault;
    uint32_t n_stages;        /* the ridge is halved from stage to stage; 1 */
    bool restarts;            /* every stage begins at 0 */
    bool always_changed;      /* next_stage never says that the stage is done */
    double seconds_per_sweep; /* of toy_clock */
    uint64_t stop_in_round;   /* push calls strads_stop_all there; UINT64_MAX: never */
    uint32_t partial_width;   /* 1 */
    size_t fail_allocation;   /* the n-th of a run; 0: none */
    bool names_a_variable_twice, names_one_beyond; /* schedule */
} toy_problem;

/* Makes the problem and puts it in use; pair with toy_destroy. Ends the program when
 * there is no memory. */
toy_problem *toy_create(const toy_shape *shape);
void toy_destroy(toy_problem *problem);

/* Its table; a test changes its copy. */
strads_app toy_app(void);

/* Runs `app` on `problem`, the one in use, with settings "key=value" [n], in the folder "run"
 * of suite_folder(). The record and the values of the run are kept until the next. */
strads_status toy_run(const toy_problem *problem, const strads_app *app,
                      const char *const *settings, size_t n, strads_result *result);

/* The folder of toy_run. */
const char *toy_folder(void);

/* Forgets the last run and finds the optimum of the next; toy_run does it. */
void toy_start(void);

/* The values that save was given, and how far they are from the optimum, in the
 * largest entry; INFINITY when nothing was saved. */
const double *toy_values(void);
double toy_error(void);

/* F at values[n_vars] in the first stage. */
double toy_objective(const double *values);

/* The cosine of columns j and k. */
double toy_cosine(uint32_t j, uint32_t k);

/* A clock for strads_clock_set_source: seconds_per_sweep a sweep. */
double toy_clock(void *context);

/* Calls of a callback in the last run. */
uint32_t toy_calls(toy_callback callback);

/* Workers that are open, and sites and models: 0 after a run. */
uint32_t toy_open(void);

/* ---- the record ---- */

typedef struct toy_event {
    enum { TOY_PUSHED, TOY_PULLED } kind;
    uint64_t round;
    uint32_t rank; /* TOY_PUSHED only */
    uint32_t n_vars;
    uint32_t first; /* into toy_recorded_vars */
} toy_event;

/* What happened in the last run, a push by its beginning, a pull by its end. */
size_t toy_record(const toy_event **events, const uint32_t **vars);

/* What the record says against the promises of a round, as text; NULL: nothing.
 *   - every block pushed is pulled once, and nothing else is;
 *   - a variable is not pushed again before it was pulled;
 *   - variables that correlate above `rho` are not pushed side by side by different
 *     workers (1: not checked). */
const char *toy_complaint(const toy_problem *problem, double rho);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/toy_problem.c - the problem, its oracle, the faults and the record. */
#include "tests/support/toy_state.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

enum { MAX_EVENTS = 1 << 20, MAX_VARS = 1 << 23 };

toy_problem *toy_in_use;
static double *saved; /* [n_vars] what save was given */
static bool has_saved;
static _Atomic uint32_t calls[TOY_N_CALLBACKS];
_Atomic uint32_t toy_n_open;
_Atomic uint64_t toy_n_sweeps;

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the record */
static toy_event events[MAX_EVENTS];
static uint32_t recorded_vars[MAX_VARS];
static size_t n_events, n_recorded;

/* ---- the problem ---- */

void *toy_must(void *memory)
{
    if (memory == NULL) {
        perror("toy");
        exit(2);
    }
    return memory;
}

const double *toy_column(uint32_t j)
{
    return toy_in_use->x + (size_t) j * toy_in_use->shape.n_rows;
}

double toy_dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void fill(toy_problem *self)
{
    const toy_shape *shape = &self->shape;
    strads_random random = strads_random_start(shape->seed, 0);
    for (uint32_t j = 0; j < shape->n_vars; j++) {
        double *to = self->x + (size_t) j * shape->n_rows;
        const bool copies = j % shape->n_copies != 0;
        for (uint32_t i = 0; i < shape->n_rows; i++) {
            const double fresh = strads_random_uniform(&random) - 0.5;
            to[i] = copies ? (to - shape->n_rows)[i] + shape->noise * fresh : fresh;
        }
    }
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        self->y[i] = 10.0 * strads_random_uniform(&random) - 5.0;
    }
}

double toy_ridge(double stage)
{
    return toy_in_use->shape.ridge * pow(0.5, stage);
}

/* (X'X + ridge I) b = X'y; slow and obvious. */
static void solve(void)
{
    const size_t n = toy_in_use->shape.n_vars;
    const size_t rows = toy_in_use->shape.n_rows;
    gsl_matrix *a = toy_must(gsl_matrix_alloc(n, n));
    gsl_vector *b = toy_must(gsl_vector_alloc(n));
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t k = 0; k < n; k++) {
            const double ridge = j == k ? toy_ridge(toy_in_use->n_stages - 1.0) : 0.0;
            gsl_matrix_set(a, j, k, toy_dot(toy_column(j), toy_column(k), rows) + ridge);
        }
        gsl_vector_set(b, j, toy_dot(toy_column(j), toy_in_use->y, rows));
    }
    gsl_linalg_cholesky_decomp1(a);
    gsl_linalg_cholesky_svx(a, b);
    memcpy(toy_in_use->optimum, b->data, n * sizeof(double));
    gsl_vector_free(b);
    gsl_matrix_free(a);
}

void toy_start(void)
{
    solve();
    has_saved = false;
    n_events = 0;
    n_recorded = 0;
    atomic_store(&toy_n_sweeps, 0);
    for (int i = 0; i < TOY_N_CALLBACKS; i++) {
        atomic_store(&calls[i], 0);
    }
}

toy_problem *toy_create(const toy_shape *shape)
{
    toy_problem *self = toy_must(calloc(1, sizeof(*self)));
    self->shape = *shape;
    self->n_stages = 1;
    self->stop_in_round = UINT64_MAX;
    self->partial_width = 1;
    self->x = toy_must(calloc((size_t) shape->n_rows * shape->n_vars, sizeof(double)));
    self->y = toy_must(calloc(shape->n_rows, sizeof(double)));
    self->optimum = toy_must(calloc(shape->n_vars, sizeof(double)));
    saved = toy_must(calloc(shape->n_vars, sizeof(double)));
    toy_in_use = self;
    strads_stop_clear();
    fill(self);
    return self;
}

void toy_destroy(toy_problem *self)
{
    free(saved);
    free(self->optimum);
    free(self->y);
    free(self->x);
    free(self);
    saved = NULL;
    toy_in_use = NULL;
}

double toy_cosine(uint32_t j, uint32_t k)
{
    const size_t rows = toy_in_use->shape.n_rows;
    const double *a = toy_column(j);
    const double *b = toy_column(k);
    return toy_dot(a, b, rows) / sqrt(toy_dot(a, a, rows) * toy_dot(b, b, rows));
}

double toy_objective(const double *values)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < toy_in_use->shape.n_rows; i++) {
        double rest = toy_in_use->y[i];
        for (uint32_t j = 0; j < toy_in_use->shape.n_vars; j++) {
            rest -= toy_column(j)[i] * values[j];
        }
        sum += 0.5 * rest * rest;
    }
    return sum + 0.5 * toy_in_use->shape.ridge * toy_dot(values, values, toy_in_use->shape.n_vars);
}

double toy_clock(void *context)
{
    (void) context;
    return toy_in_use->seconds_per_sweep * (double) atomic_load(&toy_n_sweeps);
}

/* ---- faults and the record ---- */

/* Counts a call. OK, or the status it is to fail with; *nan: it is to give NaN. */
strads_status toy_begin(toy_callback callback, bool *nan)
{
    const toy_fault *fault = &toy_in_use->fault;
    const uint32_t call = atomic_fetch_add(&calls[callback], 1) + 1;
    const bool strikes = fault->callback == callback && fault->call == call;
    *nan = strikes && fault->status == STRADS_OK;
    if (strikes && fault->status != STRADS_OK) {
        strads_error("toy: callback %d fails as it was told", (int) callback);
    }
    return strikes ? fault->status : STRADS_OK;
}

strads_status toy_begin_plain(toy_callback callback)
{
    bool nan = false;
    return toy_begin(callback, &nan);
}

void toy_note(toy_event event, const uint32_t *vars)
{
    if (event.n_vars == 0) {
        return; /* of a part without variables there is nothing to check */
    }
    pthread_mutex_lock(&record_lock);
    if (n_events == MAX_EVENTS || n_recorded + event.n_vars > MAX_VARS) {
        fprintf(stderr, "toy: the record is full\n");
        exit(2);
    }
    event.first = (uint32_t) n_recorded;
    memcpy(recorded_vars + n_recorded, vars, event.n_vars * sizeof(*vars));
    n_recorded += event.n_vars;
    events[n_events++] = event;
    pthread_mutex_unlock(&record_lock);
}

uint32_t toy_calls(toy_callback callback)
{
    return atomic_load(&calls[callback]);
}

uint32_t toy_open(void)
{
    return atomic_load(&toy_n_open);
}

void toy_keep(const double *values)
{
    memcpy(saved, values, toy_in_use->shape.n_vars * sizeof(double));
    has_saved = true;
}

const double *toy_values(void)
{
    return saved;
}

double toy_error(void)
{
    double error = has_saved ? 0.0 : (double) INFINITY;
    for (uint32_t j = 0; j < toy_in_use->shape.n_vars && has_saved; j++) {
        error = fmax(error, fabs(saved[j] - toy_in_use->optimum[j]));
    }
    return error;
}

size_t toy_record(const toy_event **out, const uint32_t **vars)
{
    *out = events;
    *vars = recorded_vars;
    return n_events;
}

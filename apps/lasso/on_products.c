/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/on_products.c - when a worker goes on with a block on the products of its
 * columns, and how: sweeps, extrapolation as late as on columns, and Newton's method when the
 * sweeps have taken as long as a step of it. What doubles cannot lower any more is left as it is.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"

enum {
    LEAST_ROOM = 1024, /* so many variables always may ... */
    MOST = 4096,       /* ... and no more */
    ROOM_SHARE = 12,   /* products take at most one in so many of what the data take */
    SCATTERED = 4,     /* an entry of a sparse column takes as long as so many of a row */
    MAX_SWEEPS = 1000,
    ACTIVE_SWEEPS = 4, /* after each whole one */
    NEWTON_SHARE = 32, /* a step takes as long as one in so many sweeps a coefficient */
    MAX_DESCENTS = 4   /* each comes closer by what floats tell */
};

/* A target so far from the optimum is met to a fraction though products are floats. */
static const double NARROW = 1e-5;

/* Active sweeps end when they move this much less than the whole one did. */
static const double ACTIVE_ENOUGH = 0.1;
/* Products of dense columns that one update on columns pays for: each takes a fraction of a
 * sweep's time, and the next blocks will use them too. */
static const double PAID_FOR = 64.0;

double lasso_products_most(double stored)
{
    const double room = fmax((double) LEAST_ROOM * LEAST_ROOM, stored / ROOM_SHARE);
    return fmin(sqrt(room), MOST);
}

/* Squares of lengths whose products floats can hold. */
static const double SHORTEST = 1e-30, LONGEST = 1e30;

static bool are_floats(const lasso_block *block)
{
    for (size_t k = 0; k < block->n; k++) {
        const double norm2 = block->column[k].norm2;
        if (norm2 != 0.0 && !(norm2 >= SHORTEST && norm2 <= LONGEST)) {
            return false;
        }
    }
    return true;
}

/* Whether products of the loaded block fit, and updates on them take less. */
static bool may_pay(const lasso_worker *self)
{
    const lasso_site *site = self->site;
    const lasso_block *block = &self->block;
    const double n = (double) block->n;
    const bool dense = block->columns.row == NULL;
    const double stored = dense ? (double) site->x.n_rows * (double) site->x.n_cols
                                : (double) site->x.col_start[site->x.n_cols];
    return block->n > 0 && n <= lasso_products_most(stored) &&
           n * n <= (dense ? 2.0 : SCATTERED * 2.0) * block->cost && are_floats(block);
}

/* BLAS and LAPACK differ from processor to processor, so that deterministic runs do without. */
bool lasso_products_pay(const lasso_worker *self, double n_updates)
{
    const lasso_site *site = self->site;
    const lasso_block *block = &self->block;
    if (site->loss != LASSO_SQUARED || strads_worker_members(self->worker) > 1 ||
        strads_config_bool(site->config, "run.deterministic") || !may_pay(self)) {
        return false;
    }
    const double n = (double) block->n;
    const double n_new = (double) lasso_quadratic_n_new(&self->quadratic, block);
    const double work =
        block->columns.row == NULL
            ? n_new * n / PAID_FOR
            : n_new * block->cost / (double) site->x.n_rows; /* their rows' length */
    return work <= n + 2.0 * n_updates;
}

/* Extrapolates, and keeps the outcome if the objective falls. */
static strads_status extrapolate(lasso_worker *self)
{
    lasso_quadratic *q = &self->quadratic;
    bool possible = false;
    if (!anderson_note(&self->mix, q->b, q->gradient)) {
        return STRADS_OK;
    }
    const strads_status status = anderson_combine(&self->mix, self->worker, &possible);
    const double *b = self->mix.own[0];
    const double *gradient = self->mix.shared[0];
    if (status == STRADS_OK && possible && lasso_quadratic_change(q, b, gradient) < 0.0) {
        memcpy(q->b, b, q->n * sizeof(*b));
        memcpy(q->gradient, gradient, q->n * sizeof(*gradient));
    }
    anderson_note(&self->mix, q->b, q->gradient);
    return status;
}

/* Sweeps over places[n], extrapolating when it is late. */
static strads_status sweep(lasso_worker *self, const uint32_t *places, size_t n, bool late,
                           double *farthest)
{
    const strads_status status = late ? extrapolate(self) : STRADS_OK;
    if (status == STRADS_OK) {
        *farthest = lasso_quadratic_sweep(&self->quadratic, places, n);
        self->quadratic.n_sweeps++;
        strads_worker_count(self->worker, (double) n, (double) n * (double) self->quadratic.n);
    }
    return status;
}

/* One sweep over all, then some over the active. */
static strads_status sweep_often(lasso_worker *self, double target, bool late, double *farthest)
{
    lasso_quadratic *q = &self->quadratic;
    strads_status status = sweep(self, q->all, q->n, late, farthest);
    double moved = *farthest;
    lasso_quadratic_find_active(q);
    for (int i = 0; i < ACTIVE_SWEEPS && status == STRADS_OK && *farthest > target &&
                    moved >= ACTIVE_ENOUGH * *farthest;
         i++) {
        status = sweep(self, q->active, q->n_active, late, &moved);
    }
    return status;
}

/* More columns than rows are dependent, and Newton's method has no step. */
static bool may_be_regular(const lasso_worker *self)
{
    return self->l2 > 0.0 || self->quadratic.n_active <= self->site->x.n_rows;
}

/* A step of Newton's method takes as long as many sweeps: it is tried when so many were made since
 * the last one, in this block or those before, also where the block is good enough: many blocks of
 * a few sweeps each are what it saves. Tries in vain make it rarer. */
static strads_status try_newton(lasso_worker *self, bool *lowest)
{
    lasso_quadratic *q = &self->quadratic;
    if (q->n_active == 0 || !may_be_regular(self) ||
        q->n_sweeps * NEWTON_SHARE <= (1 + q->patience) * q->n_active) {
        return STRADS_OK;
    }
    lasso_newton outcome = LASSO_NEWTON_VAIN;
    const strads_status status = lasso_quadratic_newton(q, &outcome);
    q->patience = outcome == LASSO_NEWTON_VAIN ? 2 * q->patience + 1 : 0;
    q->n_sweeps = 0;
    self->mix.n_kept = 0;
    *lowest = outcome == LASSO_NEWTON_LOWEST;
    return status;
}

/* Descends from the columns' gradient to the target, and back; *first: the most urgent move of the
 * first sweep. */
static strads_status descend(lasso_worker *self, double target, bool late, double *first)
{
    lasso_quadratic *q = &self->quadratic;
    strads_status status = lasso_quadratic_load(q, self->site, &self->block, self->state);
    if (status == STRADS_OK) {
        status = anderson_start(&self->mix, q->n, q->n);
    }
    double farthest = INFINITY;
    bool lowest = false;
    for (int i = 0; i < MAX_SWEEPS && status == STRADS_OK && farthest > target && !lowest; i++) {
        status = sweep_often(self, target, late, &farthest);
        *first = i == 0 ? farthest : *first;
        if (status == STRADS_OK) {
            status = try_newton(self, &lowest);
        }
        if (strads_stopping(self->worker)) {
            break;
        }
    }
    if (status == STRADS_OK) {
        lasso_quadratic_unload(q, &self->block, self->state);
    }
    return status;
}

strads_status lasso_solve_on_products(lasso_worker *self, double target, bool late)
{
    strads_status status = STRADS_OK;
    double first = INFINITY;
    for (int i = 0; i < MAX_DESCENTS && status == STRADS_OK && first > target; i++) {
        status = descend(self, target, late, &first);
        if (target >= NARROW || strads_stopping(self->worker)) {
            break;
        }
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/on_products.c - when a worker goes on with a block on the products of its
 * columns, and how: sweeps, extrapolation as late as on columns, and Newton's method when the
 * sweeps have taken as long as a step of it. What doubles cannot lower any more is left as it is.
 *
 * Where all members hold all columns they do so together, each on the products of the whole set:
 * a member updates its own coefficients, and what that does to the gradient of all is added up as
 * changes of the residual are, in guarded steps. Products are made of some rows each.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"

enum {
    ALWAYS = 1024,     /* so many variables always may, ... */
    ALWAYS_FEW = 2048, /* ... and so many of one member or two, ... */
    MOST = 4096,       /* ... and no more */
    ROOM_SHARE = 12,   /* products take at most one in so many of what the data take */
    SCATTERED = 4,     /* an entry of a sparse column takes as long as so many of a row */
    MAX_SWEEPS = 1000,
    ACTIVE_SWEEPS = 4, /* after each whole one */
    MAX_PARTS = 4,     /* exchanges a sweep */
    NEWTON_SHARE = 32, /* a step takes as long as one in so many sweeps a coefficient */
    MAX_DESCENTS = 4   /* each comes closer by what floats tell */
};

/* A target so far from the optimum is met to a fraction though products are floats. */
static const double NARROW = 1e-5;
/* Nearer targets than this several members meet on columns: on products a small set stalled once at
 * a gap of 5e-10. Their steps are guarded, and what lowers the objective by less than rounding is
 * undone; whether it was that was not found. */
static const double NEAREST_TOGETHER = 1e-8;

/* Active sweeps end when they move this much less than the whole one did. */
static const double ACTIVE_ENOUGH = 0.1;
/* Products of dense columns that one update on columns pays for: each takes a fraction of its time,
 * and the next blocks will use them too, but not all, for the first sets change much. */
static const double PAID_FOR = 20.0;
/* Entries of columns that are alike are so many times as soon multiplied as others. */
static const double ALIKE_GAIN = 16.0;

double lasso_products_most(double stored, double n_members)
{
    const double least = n_members <= 2.0 ? ALWAYS_FEW : ALWAYS;
    return fmin(fmax(least, sqrt(stored / ROOM_SHARE)), MOST);
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

/* Whether products of the whole set fit, and updates on them take less. */
static bool may_pay(const lasso_worker *self)
{
    const lasso_site *site = self->site;
    const double n = (double) self->whole.n;
    const bool dense = site->x.col_start == NULL;
    const double stored = dense ? (double) site->x.n_rows * (double) site->x.n_cols
                                : (double) site->x.col_start[site->x.n_cols];
    return n > 0.0 && n <= lasso_products_most(stored, strads_worker_members(self->worker)) &&
           n * n <= (dense ? 2.0 : SCATTERED * 2.0) * self->whole.cost && self->whole.fits;
}

/* BLAS and LAPACK differ from processor to processor, so that deterministic runs do without. */
strads_status lasso_products_consider(lasso_worker *self, double target, bool *possible)
{
    const lasso_site *site = self->site;
    const bool together = strads_worker_members(self->worker) > 1;
    *possible = false;
    if (site->loss != LASSO_SQUARED || strads_config_bool(site->config, "run.deterministic") ||
        (together && (site->split != STRADS_SPLIT_NONE || target < NEAREST_TOGETHER))) {
        return STRADS_OK;
    }
    strads_status status =
        lasso_whole_measure(&self->whole, self->worker, &self->block, are_floats(&self->block));
    if (status == STRADS_OK && may_pay(self)) {
        status = lasso_whole_gather(&self->whole, self->worker, &self->block, &self->quadratic);
        *possible = status == STRADS_OK;
    }
    return status;
}

strads_status lasso_products_pay(lasso_worker *self, double n_updates, bool *pay)
{
    const lasso_whole *whole = &self->whole;
    const double n = (double) whole->n;
    const size_t n_new = lasso_quadratic_n_new(&self->quadratic, whole->vars, whole->n);
    const bool dense = self->site->x.col_start == NULL;
    double costs[] = {n_updates,
                      dense ? strads_exchange_units(self->worker, n_new * whole->n) : 0.0,
                      strads_exchange_units(self->worker, 2 * whole->n)};
    const strads_status status = strads_exchange(self->worker, costs, NULL, 3);
    /* Of sparse columns, what the rows of the new ones have of all. */
    const double entries = whole->unlike + (whole->cost - whole->unlike) / ALIKE_GAIN;
    const double rows = entries / (double) self->site->x.n_rows;
    const double work = (double) n_new * (dense ? n / PAID_FOR : rows);
    const double told = costs[1] * n / whole->cost;
    *pay = work + told <= n + 2.0 * costs[0];
    self->exchange_units = costs[2] / (double) strads_worker_members(self->worker);
    return status;
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

/* What a step's callbacks see. */
typedef struct products_task {
    lasso_worker *worker;
    const uint32_t *places;
    size_t n;
    uint32_t n_sweeps; /* a step */
} products_task;

static double sweep_places(void *self, uint32_t part, uint32_t n_parts)
{
    const products_task *task = self;
    lasso_quadratic *q = &task->worker->quadratic;
    const size_t first = task->n * part / n_parts;
    const size_t n = task->n * (part + 1) / n_parts - first;
    const double moved = lasso_quadratic_sweep(q, task->places + first, n);
    for (uint32_t i = 1; i < task->n_sweeps; i++) {
        lasso_quadratic_sweep(q, task->places + first, n);
    }
    const double n_updates = (double) n * task->n_sweeps;
    strads_worker_count(task->worker->worker, n_updates, n_updates * (double) q->n);
    return moved;
}

static double shared_objective(void *self)
{
    const products_task *task = self;
    const lasso_worker *worker = task->worker;
    return lasso_whole_objective(&worker->whole, &worker->quadratic, worker->l2);
}

static double no_objective(void *self)
{
    (void) self;
    return 0.0;
}

/* How often to exchange in a sweep that takes `cost`: see choose_parts of plan.c. */
static uint32_t choose_parts(const lasso_worker *self, double cost)
{
    const double numbers =
        2.0 * (double) self->quadratic.n * (double) strads_worker_members(self->worker);
    const double worth = cost / (4.0 * (numbers + self->exchange_units));
    return worth < 1.0 ? 1 : worth > MAX_PARTS ? MAX_PARTS : (uint32_t) worth;
}

/* Sweeps over places[n], of which each member takes as many; extrapolates when it is late. */
static strads_status sweep(lasso_worker *self, const uint32_t *places, size_t n, bool late,
                           double *farthest)
{
    lasso_quadratic *q = &self->quadratic;
    const strads_status status = late ? extrapolate(self) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_members = strads_worker_members(self->worker);
    const size_t rank = strads_worker_rank(self->worker);
    const size_t first = n * rank / n_members;
    products_task task = {
        .worker = self, .places = places + first, .n = n * (rank + 1) / n_members - first};
    const double cost = (double) n * (double) q->n / (double) n_members;
    const uint32_t n_parts = choose_parts(self, cost);
    task.n_sweeps = n_parts > 1 ? 1 : lasso_sweeps_apart(self->exchange_units, cost);
    const strads_step step = {.self = &task,
                              .shared = q->point,
                              .n_shared = 2 * q->n,
                              .sweep = sweep_places,
                              .n_parts = n_parts,
                              .shared_objective = shared_objective,
                              .own_objective = no_objective};
    q->n_sweeps++;
    return strads_step_run(self->worker, &step, farthest);
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

/* The first member's step, on all members' behalf. */
static strads_status step_of_newton(lasso_worker *self, lasso_newton *outcome)
{
    lasso_quadratic *q = &self->quadratic;
    const bool first = strads_worker_rank(self->worker) == 0;
    *outcome = LASSO_NEWTON_VAIN;
    strads_status status = first ? lasso_quadratic_newton(q, outcome) : STRADS_OK;
    if (status != STRADS_OK || strads_worker_members(self->worker) == 1) {
        return status;
    }
    double told = first ? (double) *outcome : 0.0;
    status = strads_exchange(self->worker, &told, NULL, 1);
    *outcome = (lasso_newton) told;
    if (status != STRADS_OK || *outcome != LASSO_NEWTON_LOWERED) {
        return status;
    }
    if (!first) {
        memset(q->point, 0, 2 * q->n * sizeof(*q->point));
    }
    return strads_exchange(self->worker, q->point, NULL, 2 * q->n);
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
    const strads_status status = step_of_newton(self, &outcome);
    q->patience = outcome == LASSO_NEWTON_VAIN ? 2 * q->patience + 1 : 0;
    q->n_sweeps = 0;
    self->mix.n_kept = 0;
    *lowest = outcome == LASSO_NEWTON_LOWEST;
    return status;
}

/* Loads the set, `block`, where the residual is. */
static strads_status begin(lasso_worker *self, const lasso_block *block, const lasso_part *part)
{
    strads_status status =
        lasso_quadratic_load(&self->quadratic, self->site, block, part, self->state);
    if (status == STRADS_OK) {
        status = anderson_start(&self->mix, self->quadratic.n, self->quadratic.n);
    }
    if (status == STRADS_OK) {
        status = lasso_whole_start(&self->whole, &self->quadratic,
                                   lasso_block_half_squares(block, self->site, self->state));
    }
    return status;
}

/* Gives the coefficients back, and, where columns are needed `again`, makes the residual theirs:
 * else it is made afresh by the scan that follows. */
static strads_status end(lasso_worker *self, lasso_block *block, const lasso_part *part, bool again)
{
    const bool alone = strads_worker_members(self->worker) == 1;
    const size_t n_shared = self->site->x.n_rows + 1;
    double *base = NULL;
    strads_status status = STRADS_OK;
    if (again && !alone) {
        status = lasso_whole_note(&self->whole, self->state, n_shared, &base);
    }
    if (status != STRADS_OK) {
        return status;
    }
    lasso_quadratic_unload(&self->quadratic, block, part, again ? self->state : NULL);
    if (!alone) {
        memcpy(self->block.b, block->b + part->first, self->block.n * sizeof(*self->block.b));
    }
    return again && !alone ? strads_exchange(self->worker, self->state, base, n_shared) : STRADS_OK;
}

/* Descends from the columns' gradient to the target, and back; *again: may_go_on, and the first
 * sweep moved by more than the target. */
static strads_status descend(lasso_worker *self, lasso_block *block, double target, bool late,
                             bool may_go_on, bool *again)
{
    const lasso_whole *whole = &self->whole;
    const lasso_part part = {
        .worker = self->worker, .first = whole->first, .end = whole->first + whole->n_mine};
    strads_status status = begin(self, block, &part);
    double farthest = INFINITY;
    bool lowest = false;
    *again = false;
    for (int i = 0; i < MAX_SWEEPS && status == STRADS_OK && farthest > target && !lowest; i++) {
        status = sweep_often(self, target, late, &farthest);
        *again = i == 0 ? may_go_on && farthest > target : *again;
        if (status == STRADS_OK) {
            status = try_newton(self, &lowest);
        }
        if (strads_stopping(self->worker)) {
            *again = false;
            break;
        }
    }
    return status == STRADS_OK ? end(self, block, &part, *again) : status;
}

strads_status lasso_solve_on_products(lasso_worker *self, double target, bool late)
{
    const bool alone = strads_worker_members(self->worker) == 1;
    lasso_block *block = alone ? &self->block : &self->whole.block;
    strads_status status =
        alone ? STRADS_OK
              : lasso_whole_load(&self->whole, self->site, &self->block, self->l1, self->l2);
    bool again = true;
    for (int i = 1; i <= MAX_DESCENTS && status == STRADS_OK && again; i++) {
        const bool may_go_on = i < MAX_DESCENTS && target < NARROW;
        status = descend(self, block, target, late, may_go_on, &again);
    }
    return status;
}

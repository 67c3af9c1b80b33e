/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/plan.c - the inner loop: one worker's part in solving a working set.
 *
 * One sweep over the whole block, then up to four over the coefficients that are not
 * 0, where most of the work is, until a whole sweep moves nothing by more than the
 * target. Late, when the target is small against lambda, the iterates are
 * extrapolated: that buys the certificate, not the objective, and costs copies.
 *
 * What several members do apart they add up in an exchange: in parts of a sweep where
 * exchanges are cheap, after some sweeps where the network is slow.
 *
 * Every decision on what to exchange is taken from numbers that all members share.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"

enum {
    MAX_SWEEPS = 1000, /* what is left then is another round's */
    ACTIVE_SWEEPS = 4, /* after each whole one */
    MAX_PARTS = 4,     /* exchanges a sweep */
    MAX_APART = 5      /* sweeps an exchange */
};

/* Each further sweep that is made apart takes this many sweeps more in all: 5 take 1.9
 * times as many as one (on correlated columns). */
static const double APART_COSTS = 0.22;

/* Active sweeps end when they move this much less than the whole one did. */
static const double ACTIVE_ENOUGH = 0.1;
/* Extrapolate when the target, in units of lambda, is below. */
static const double LATE = 0.006;

/* What a step's callbacks see. */
typedef struct sweep_task {
    lasso_worker *worker;
    const uint32_t *which;
    size_t n;
    uint32_t n_sweeps; /* a step */
} sweep_task;

static double sweep_once(const sweep_task *task, uint32_t part, uint32_t n_parts)
{
    lasso_block *block = &task->worker->block;
    const lasso_kernels *kernels = task->worker->site->kernels;
    const size_t first = task->n * part / n_parts;
    const size_t n = task->n * (part + 1) / n_parts - first;
    return kernels->sweep(&block->columns, task->which + first, n, block->b, task->worker->state);
}

/* The first sweep's move counts, which started from what all members had done. */
static double sweep(void *self, uint32_t part, uint32_t n_parts)
{
    const sweep_task *task = self;
    const double moved = sweep_once(task, part, n_parts);
    for (uint32_t i = 1; i < task->n_sweeps; i++) {
        sweep_once(task, part, n_parts);
    }
    return moved;
}

static double half_squares(const lasso_worker *self, const double *state)
{
    return lasso_block_half_squares(&self->block, self->site, state);
}

static double shared_objective(void *self)
{
    const sweep_task *task = self;
    return half_squares(task->worker, task->worker->state);
}

static double own_objective(void *self)
{
    const sweep_task *task = self;
    return lasso_block_penalty(&task->worker->block, task->worker->l2);
}

/* How many sweeps m pay between two exchanges: the time of a sweep and its share of an
 * exchange, (s + e / m) (1 + c (m - 1)), is least at m^2 = e (1 - c) / (s c). */
uint32_t lasso_sweeps_apart(double exchange_units, double cost)
{
    const double best = sqrt(exchange_units / fmax(1.0, cost) * (1.0 - APART_COSTS) / APART_COSTS);
    return best < 1.0 ? 1 : best > MAX_APART ? MAX_APART : (uint32_t) best;
}

strads_status lasso_step(lasso_worker *self, bool active, uint32_t n_parts, double *farthest)
{
    lasso_block *block = &self->block;
    sweep_task task = {.worker = self,
                       .which = active ? block->active : block->all,
                       .n = active ? block->n_active : block->n};
    const double share = (double) task.n / fmax(1.0, (double) block->n);
    task.n_sweeps = n_parts > 1 ? 1 : lasso_sweeps_apart(self->exchange_units, block->cost * share);
    const strads_step step = {.self = &task,
                              .shared = self->state,
                              .n_shared = self->site->x.n_rows + 1,
                              .own = block->b,
                              .n_own = block->n,
                              .n_updates = task.n * task.n_sweeps,
                              .sweep = sweep,
                              .n_parts = n_parts,
                              .shared_objective = shared_objective,
                              .own_objective = own_objective};
    return strads_step_run(self->worker, &step, farthest);
}

/* How often the members exchange in a sweep: an exchange adds up n_rows numbers, beside
 * what the network takes, and must not cost more than a fraction of what was done since
 * the one before. */
static strads_status choose_parts(lasso_worker *self, uint32_t *n_parts)
{
    const uint32_t n_members = strads_worker_members(self->worker);
    const double n_rows = (double) self->site->x.n_rows;
    double costs[] = {self->block.cost, /* of a sweep, and of an exchange */
                      strads_exchange_units(self->worker, self->site->x.n_rows)};
    *n_parts = 1;
    self->exchange_units = 0.0;
    if (n_members == 1) {
        return STRADS_OK;
    }
    const strads_status status = strads_exchange(self->worker, costs, NULL, 2);
    const double worth = costs[0] / (4.0 * (n_members * n_rows + costs[1]));
    self->exchange_units = costs[1] / n_members;
    *n_parts = worth < 1.0 ? 1 : worth > MAX_PARTS ? MAX_PARTS : (uint32_t) worth;
    return status;
}

/* Extrapolates, and keeps the outcome if the objective falls. */
static strads_status extrapolate(lasso_worker *self)
{
    anderson *mix = &self->mix;
    lasso_block *block = &self->block;
    const size_t n_shared = self->site->x.n_rows + 1;
    if (!anderson_note(mix, block->b, self->state)) {
        return STRADS_OK;
    }
    bool possible = false;
    strads_status status = anderson_combine(mix, self->worker, &possible);
    if (status != STRADS_OK || !possible) {
        return status;
    }
    double penalties[2] = {lasso_block_penalty(block, self->l2), 0.0};
    double *kept = block->b;
    block->b = mix->own[0];
    penalties[1] = lasso_block_penalty(block, self->l2);
    block->b = kept;
    status = strads_exchange(self->worker, penalties, NULL, 2);
    if (status != STRADS_OK) {
        return status;
    }
    if (half_squares(self, mix->shared[0]) + penalties[1] <
        half_squares(self, self->state) + penalties[0]) {
        if (block->n > 0) {
            memcpy(block->b, mix->own[0], block->n * sizeof(*block->b));
        }
        memcpy(self->state, mix->shared[0], n_shared * sizeof(*self->state));
    }
    anderson_note(mix, block->b, self->state);
    return STRADS_OK;
}

static strads_status sweep_active(lasso_worker *self, uint32_t n_parts, double whole, bool late)
{
    strads_status status = STRADS_OK;
    double farthest = whole;
    lasso_block_find_active(&self->block);
    for (int i = 0; i < ACTIVE_SWEEPS && farthest >= ACTIVE_ENOUGH * whole; i++) {
        status = late ? extrapolate(self) : STRADS_OK;
        if (status == STRADS_OK) {
            status = lasso_step(self, true, n_parts, &farthest);
        }
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

strads_status lasso_solve(lasso_worker *self, double target)
{
    const bool late = target < LATE;
    uint32_t n_parts = 1;
    double n_updates = 0.0;
    bool possible = false;
    strads_status status = choose_parts(self, &n_parts);
    if (status == STRADS_OK) {
        status = lasso_products_consider(self, target, &possible);
    }
    if (status == STRADS_OK && late) {
        status = anderson_start(&self->mix, self->block.n, self->site->x.n_rows + 1);
    }
    for (int i = 0; i < MAX_SWEEPS && status == STRADS_OK; i++) {
        double farthest = 0.0;
        bool pay = false;
        status = possible ? lasso_products_pay(self, n_updates, &pay) : STRADS_OK;
        if (status == STRADS_OK && pay) {
            return lasso_solve_on_products(self, target, late);
        }
        if (status == STRADS_OK) {
            status = late ? extrapolate(self) : STRADS_OK;
        }
        if (status == STRADS_OK) {
            status = lasso_step(self, false, n_parts, &farthest);
        }
        if (status == STRADS_OK) {
            status = sweep_active(self, n_parts, farthest, late);
        }
        n_updates += (double) (self->block.n + ACTIVE_SWEEPS * self->block.n_active);
        if (farthest <= target || strads_stopping(self->worker)) {
            break;
        }
    }
    return status;
}

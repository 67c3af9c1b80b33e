/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/logistic.c - blocks under the logistic loss, by Newton steps: near the
 * coefficients the loss is, but for terms of third order, that of weighted least squares,
 *
 *   1/2 sum w_i (z_i - x_i'd - d0)^2,   w = curvature, z = - slope / w,
 *
 * which the inner loop solves over the packed block. How far to go along what it found is
 * for the true objective to say (Lee, Sun, Saunders, "Proximal Newton-type methods", 2014).
 *
 * All members of a round go the same steps, of which rank 0 says how long they are.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"

enum { MAX_STEPS = 50, MAX_HALVINGS = 30 };

/* Steps are solved to this share of the first move. */
static const double INNER = 0.3;
/* Weights are not less than this: rows that are sure of their side would need the more room,
 * the less they say. */
static const double LEAST_WEIGHT = 1e-9;
/* A step must get this share of what its slope promises; rounding is let through. */
static const double SUFFICIENT = 1e-3, ROUNDING = 1e-15;

/* root and state := weights and residual at eta, less what the intercept takes of it;
 * direction := the residual with it, by which it is found what a step has changed. */
static void linearise(lasso_worker *self)
{
    const lasso_site *site = self->site;
    lasso_fit *fit = &self->fit;
    const size_t n_rows = site->x.n_rows;
    double slopes = 0.0;
    fit->total = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        fit->root[i] = 0.0;
        self->state[i] = 0.0;
        if (lasso_trains(site, fit->fold, i)) {
            const lasso_point at = lasso_logistic_at(site->target[i], fit->eta[i]);
            const double weight = fmax(at.curvature, LEAST_WEIGHT);
            fit->root[i] = sqrt(weight);
            fit->total += weight;
            self->state[i] = -at.slope / fit->root[i];
            slopes -= at.slope;
        }
    }
    const double shift = site->centre != NULL ? slopes / fit->total : 0.0;
    self->state[n_rows] = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        fit->direction[i] = self->state[i];
        self->state[i] -= shift * fit->root[i];
    }
}

/* direction := what the step changes of eta; returns its slope. */
static double find_direction(lasso_worker *self)
{
    const lasso_site *site = self->site;
    lasso_fit *fit = &self->fit;
    const size_t n_rows = site->x.n_rows;
    const double offset = self->state[n_rows];
    double slope = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        const double minus_slope = fit->direction[i] * fit->root[i];
        fit->direction[i] = fit->root[i] == 0.0
                                ? 0.0
                                : (fit->direction[i] - self->state[i]) / fit->root[i] - offset;
        slope -= minus_slope * fit->direction[i];
    }
    return slope;
}

static double loss_at(const lasso_worker *self, double length)
{
    const lasso_site *site = self->site;
    const lasso_fit *fit = &self->fit;
    double sum = 0.0;
    for (size_t i = 0; i < site->x.n_rows; i++) {
        if (fit->root[i] != 0.0) {
            sum +=
                lasso_logistic_at(site->target[i], fit->eta[i] + length * fit->direction[i]).loss;
        }
    }
    return sum;
}

/* The longest of 1, 1/2, 1/4, ... that lowers the objective enough; 0: none. The penalty is
 * convex, so that it is at most what is between its ends. */
static double find_length(const lasso_worker *self, double slope, double penalty_rise)
{
    const double before = loss_at(self, 0.0);
    const double promised = slope + penalty_rise;
    double length = 1.0;
    for (int i = 0; i < MAX_HALVINGS; i++) {
        const double rise = loss_at(self, length) - before + length * penalty_rise;
        if (rise <= SUFFICIENT * length * promised + ROUNDING * before) {
            return length;
        }
        length *= 0.5;
    }
    return 0.0;
}

static void go(lasso_worker *self, double length)
{
    lasso_block *block = &self->block;
    lasso_fit *fit = &self->fit;
    for (size_t i = 0; i < self->site->x.n_rows; i++) {
        fit->eta[i] += length * fit->direction[i];
    }
    for (size_t k = 0; k < block->n && length < 1.0; k++) {
        block->b[k] = block->before[k] + length * (block->b[k] - block->before[k]);
    }
}

/* Finds what minimises the model of the objective, near enough. */
static strads_status minimise(lasso_worker *self, const strads_block *task, double *farthest)
{
    const strads_status status = lasso_step(self, false, 1, farthest);
    return status == STRADS_OK && task->solve && *farthest > task->target
               ? lasso_solve(self, fmax(task->target, INNER * *farthest))
               : status;
}

static strads_status step(lasso_worker *self, const strads_block *task, double *farthest)
{
    lasso_block *block = &self->block;
    const double before = lasso_block_penalty(block, self->l2);
    if (block->n > 0) {
        memcpy(block->before, block->b, block->n * sizeof(*block->b));
    }
    strads_status status = minimise(self, task, farthest);
    double rise = lasso_block_penalty(block, self->l2) - before;
    const double slope = find_direction(self);
    if (status == STRADS_OK) {
        status = strads_exchange(self->worker, &rise, NULL, 1);
    }
    double length = strads_worker_rank(self->worker) == 0 ? find_length(self, slope, rise) : 0.0;
    if (status == STRADS_OK) {
        status = strads_exchange(self->worker, &length, NULL, 1);
    }
    if (status == STRADS_OK) {
        go(self, length);
    }
    *farthest = length > 0.0 ? *farthest : 0.0;
    return status;
}

strads_status lasso_push_logistic(lasso_worker *self, const strads_block *task)
{
    lasso_block *block = &self->block;
    double farthest = INFINITY;
    linearise(self);
    lasso_block_weigh(block, self->fit.root, self->fit.total);
    strads_status status =
        lasso_block_load(block, self->site, &self->borrowed, task, self->l1, self->l2);
    if (status == STRADS_OK) {
        status = step(self, task, &farthest);
    }
    for (int i = 1; i < MAX_STEPS && status == STRADS_OK && task->solve &&
                    farthest > task->target && !strads_stopping(self->worker);
         i++) {
        linearise(self);
        lasso_block_weigh(block, self->fit.root, self->fit.total);
        status = lasso_block_reload(block, self->site, &self->borrowed, task, self->l1, self->l2);
        if (status == STRADS_OK) {
            status = step(self, task, &farthest);
        }
    }
    return status;
}

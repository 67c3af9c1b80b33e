/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/solver.c - a worker: its range, its copy of the residual, its answers. */
#include "apps/lasso/solver.h"

#include <math.h>
#include <string.h>

strads_status lasso_open_worker(const void *site, strads_worker *worker, void **state)
{
    lasso_worker *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->site = lasso_site_of(site, strads_worker_rank(worker));
    self->worker = worker;
    strads_worker_range(worker, &self->first, &self->n);
    const size_t n_shared = self->site->x.n_rows + 1;
    self->state = strads_alloc_array(n_shared, sizeof(*self->state));
    self->beta = strads_calloc(self->n, sizeof(*self->beta));
    self->support = strads_alloc_array(self->n, sizeof(*self->support));
    self->listed = strads_calloc(self->n, sizeof(*self->listed));
    self->gradient = strads_calloc(self->n, sizeof(*self->gradient));
    self->set_aside = strads_alloc_array(self->n, sizeof(*self->set_aside));
    self->cols = strads_alloc_array(self->n, sizeof(*self->cols));
    const bool coded = self->site->codes.code != NULL;
    self->short_r = coded ? strads_alloc_array(n_shared, sizeof(*self->short_r)) : NULL;
    if (self->state == NULL || self->beta == NULL || self->support == NULL ||
        self->listed == NULL || self->gradient == NULL || self->set_aside == NULL ||
        self->cols == NULL || (coded && self->short_r == NULL)) {
        lasso_close_worker(self);
        return STRADS_ERR_NOMEM;
    }
    memcpy(self->state, self->site->target, n_shared * sizeof(*self->state));
    self->state_is_fresh = true;
    const strads_status status = lasso_fit_init(self);
    if (status != STRADS_OK) {
        lasso_close_worker(self);
        return status;
    }
    *state = self;
    return STRADS_OK;
}

void lasso_close_worker(void *state)
{
    lasso_worker *self = state;
    lasso_tables_destroy(self->tables);
    lasso_block_fini(&self->block);
    lasso_gram_fini(&self->gram);
    lasso_quadratic_fini(&self->quadratic);
    lasso_whole_fini(&self->whole);
    lasso_slack_fini(&self->slack);
    lasso_borrowed_fini(&self->borrowed);
    anderson_fini(&self->mix);
    lasso_fit_fini(&self->fit);
    strads_free(self->state);
    strads_free(self->beta);
    strads_free(self->support);
    strads_free(self->listed);
    strads_free(self->gradient);
    strads_free(self->set_aside);
    strads_free(self->cols);
    strads_free(self->short_r);
    strads_free(self);
}

strads_status lasso_begin_stage(void *state, const strads_stage *stage)
{
    lasso_worker *self = state;
    self->lambda = stage->params[LASSO_LAMBDA];
    self->l1 = self->lambda * self->site->l1_ratio;
    self->l2 = self->lambda * (1.0 - self->site->l1_ratio);
    self->unit = self->l1 > 0.0 ? 1.0 / self->l1 : 0.0;
    /* What the last scan left out was below another lambda. */
    self->gradient_is_fresh = self->gradient_is_fresh && self->slack.n_near == self->slack.n;
    if (stage->restart) {
        for (size_t i = 0; i < self->n_support; i++) {
            self->beta[self->support[i]] = 0.0; /* the next refresh drops them */
        }
        self->state_is_fresh = false;
    }
    const uint32_t fold = (uint32_t) stage->params[LASSO_FOLD];
    if (fold != self->fit.fold) {
        lasso_fit_begin(self, fold);
    }
    return STRADS_OK;
}

/* ---- scans ---- */

/* Makes the residual afresh from the committed coefficients, each worker subtracting
 * its own columns: what rounding has gathered in it is gone, and who had no part in
 * the last round hears of it. By rows each has all columns, and its own residual. */
static strads_status refresh(lasso_worker *self)
{
    const lasso_site *site = self->site;
    const size_t n_rows = site->x.n_rows;
    const double *base = site->loss == LASSO_LOGISTIC ? NULL : site->target;
    if (base == NULL) {
        memset(self->state, 0, (n_rows + 1) * sizeof(*self->state));
    } else {
        memcpy(self->state, base, (n_rows + 1) * sizeof(*self->state));
    }
    size_t n = 0;
    for (size_t i = 0; i < self->n_support; i++) {
        const uint32_t k = self->support[i];
        if (self->beta[k] == 0.0) {
            self->listed[k] = 0;
            continue;
        }
        self->support[n++] = k;
        lasso_add(site, self->first + k, -self->beta[k], self->state);
        self->state[n_rows] += self->beta[k] * lasso_mean(site, self->first + k);
    }
    self->n_support = n;
    self->state_is_fresh = true;
    self->gradient_is_fresh = false;
    const strads_status status = site->split == STRADS_SPLIT_SAMPLES
                                     ? STRADS_OK
                                     : strads_exchange(self->worker, self->state, base, n_rows + 1);
    if (status == STRADS_OK && lasso_has_fit(site)) {
        lasso_fit_renew(self);
    }
    return status;
}

/* The score of one variable of the range, noting what measure will report. */
static float score_of(lasso_worker *self, uint32_t k, double gradient)
{
    double *measures = self->measures;
    const double scale = lasso_scale(self->site, self->first + k);
    const double b = self->beta[k];
    const double slope = gradient * scale - (b == 0.0 ? 0.0 : self->l2 * b / scale);
    measures[LASSO_RATIO] = fmax(measures[LASSO_RATIO], fabs(slope));
    if (b == 0.0) {
        const double score = fabs(slope) - self->l1;
        measures[LASSO_OUTSIDE] = fmax(measures[LASSO_OUTSIDE], score);
        return (float) (score * self->unit);
    }
    const double score = fabs(slope - copysign(self->l1, b));
    measures[LASSO_INSIDE] = fmax(measures[LASSO_INSIDE], score);
    return (float) (score * self->unit);
}

/* The measures that do not depend on which variables are scored. */
static void measure_state(lasso_worker *self)
{
    const lasso_site *site = self->site;
    const size_t n_rows = site->x.n_rows;
    double *measures = self->measures;
    const double offset = self->state[n_rows];
    const bool by_rows = site->split == STRADS_SPLIT_SAMPLES;
    const bool first = strads_worker_rank(self->worker) == 0;
    memcpy(measures, self->fit.measures, sizeof(self->measures));
    measures[LASSO_INSIDE] = -INFINITY;
    measures[LASSO_OUTSIDE] = -INFINITY;
    if (first || by_rows) {
        measures[LASSO_RR] = site->kernels->sum_of_squares(self->state, offset, n_rows);
        /* y sums to 0 with an intercept, and without one the offset is 0. */
        measures[LASSO_RY] = site->kernels->dot(self->state, site->target, n_rows);
        measures[LASSO_LOSS] += site->loss == LASSO_SQUARED ? 0.5 * measures[LASSO_RR] : 0.0;
    }
    /* With a fit, what sparse columns have of their means is in the intercept. */
    const bool centred = !lasso_has_fit(site) || site->mean == NULL;
    for (size_t i = 0; i < self->n_support && (first || !by_rows); i++) {
        const uint32_t k = self->support[i];
        if (self->beta[k] != 0.0) {
            const double weighted = self->beta[k] / lasso_scale(site, self->first + k);
            measures[LASSO_L1] += fabs(weighted);
            measures[LASSO_L2] += weighted * weighted;
            measures[LASSO_NONZEROS] += 1.0;
            measures[LASSO_CENTRE] +=
                centred ? self->beta[k] * lasso_centre(site, self->first + k) : 0.0;
        }
    }
}

/* The columns of variables; NULL stays NULL. */
static const uint32_t *columns_of_vars(lasso_worker *self, const uint32_t *vars, size_t n)
{
    const uint32_t first_col = self->site->first_col;
    if (vars == NULL || first_col == 0) {
        return vars;
    }
    for (size_t i = 0; i < n; i++) {
        self->cols[i] = vars[i] - first_col;
    }
    return self->cols;
}

strads_status lasso_find_gradient(lasso_worker *self, const uint32_t *vars, size_t n, double *to)
{
    const lasso_site *site = self->site;
    const data_matrix *x = &site->x;
    const size_t first = vars == NULL ? self->first - site->first_col : 0;
    const uint32_t *cols = columns_of_vars(self, vars, n);
    const lasso_columns columns = lasso_columns_from(site, first);
    site->kernels->dots(&columns, cols, n, self->state, to);
    const strads_status status = site->split == STRADS_SPLIT_SAMPLES
                                     ? strads_exchange(self->worker, to, NULL, n)
                                     : STRADS_OK;
    if (status == STRADS_OK && site->mean != NULL) {
        const double offset = self->state[x->n_rows] * (double) site->n_rows;
        for (size_t i = 0; i < n; i++) {
            to[i] += offset * lasso_mean(site, vars == NULL ? self->first + (uint32_t) i : vars[i]);
        }
    }
    return status;
}

/* Scores the whole range: all as if they were 0, then anew those that are not. */
static void score_range(lasso_worker *self, float *scores)
{
    const lasso_site *site = self->site;
    for (size_t i = 0; i < self->n_support; i++) {
        self->set_aside[i] = self->gradient[self->support[i]];
        self->gradient[self->support[i]] = 0.0;
    }
    const double *scale =
        site->scale == NULL ? NULL : site->scale + (self->first - site->first_col);
    double largest =
        site->kernels->rate(self->gradient, scale, self->n, self->l1, self->unit, scores);
    if (self->slack.n_near < self->slack.n) { /* what was left out is below l1 */
        largest = fmax(largest, self->l1);
    }
    self->measures[LASSO_RATIO] = largest;
    self->measures[LASSO_OUTSIDE] = largest - self->l1;
    for (size_t i = 0; i < self->n_support; i++) {
        const uint32_t k = self->support[i];
        self->gradient[k] = self->set_aside[i];
        scores[k] = score_of(self, k, self->gradient[k]);
    }
}

/* Finds the gradients of vars[n] of the range, or of all. */
static strads_status find_gradients(lasso_worker *self, const uint32_t *vars, size_t n)
{
    if (n == self->n) {
        return lasso_find_gradient(self, NULL, n, self->gradient);
    }
    const strads_status status = lasso_find_gradient(self, vars, n, self->set_aside);
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        self->gradient[vars[i] - self->first] = self->set_aside[i];
    }
    return status;
}

static const double SHORTEST = 1e-290; /* residual that all may be divided by */

static double length_of(const lasso_worker *self)
{
    return sqrt(self->site->kernels->sum_of_squares(self->state, 0.0, self->site->x.n_rows));
}

/* lasso_find_gradient up to what coding loses; `length` is that of the residual. */
static void multiply_codes(lasso_worker *self, const uint32_t *vars, size_t n, double length,
                           double *to)
{
    const lasso_site *site = self->site;
    for (size_t i = 0; i < site->x.n_rows; i++) {
        self->short_r[i] = (float) (self->state[i] / length);
    }
    lasso_codes_dots(&site->codes, site->kernels, self->first - site->first_col,
                     columns_of_vars(self, vars, n), n, self->short_r, length, to);
}

/* Finds the gradient of a pool, whose scores only say what to solve next: by codes where the
 * coefficient is 0 and nothing seems to be violated. (What codes lose would be solved for in vain.)
 */
static strads_status find_pool_gradient(lasso_worker *self, const uint32_t *vars, size_t n,
                                        double *to)
{
    const lasso_site *site = self->site;
    const double length = site->codes.code == NULL ? 0.0 : length_of(self);
    if (length <= SHORTEST) {
        return lasso_find_gradient(self, vars, n, to);
    }
    multiply_codes(self, vars, n, length, to);
    for (size_t i = 0; i < n; i++) {
        if (self->listed[vars[i] - self->first] ||
            fabs(to[i]) * lasso_scale(site, vars[i]) >= self->l1) {
            to[i] = lasso_dot(site, vars[i], self->state);
        }
    }
    return STRADS_OK;
}

/* find_gradients up to what coding loses. */
static void find_coded_gradients(lasso_worker *self, const uint32_t *vars, size_t n, double length)
{
    const lasso_site *site = self->site;
    const size_t first = self->first - site->first_col;
    const bool all = n == self->n;
    double *to = all ? self->gradient : self->set_aside;
    multiply_codes(self, all ? NULL : vars, n, length, to);
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = vars[i] - self->first;
        self->gradient[k] = to[i];
        lasso_slack_blur(&self->slack, k, site->codes.lost[first + k] * length);
    }
}

/* Finds the gradient of the whole range where it may reach lambda; elsewhere it stays what it was,
 * and is below. With codes it is exact where a coefficient is not 0, and where it may be the
 * largest elsewhere. */
static strads_status find_whole_gradient(lasso_worker *self)
{
    const lasso_site *site = self->site;
    lasso_slack *slack = &self->slack;
    if (site->split == STRADS_SPLIT_SAMPLES) {
        return lasso_find_gradient(self, NULL, self->n, self->gradient);
    }
    for (size_t i = 0; i < self->n_support; i++) {
        lasso_slack_forget(slack, self->support[i]);
    }
    const strads_status status = lasso_slack_find_near(slack, site, self->first, self->n,
                                                       self->state, self->gradient, self->l1);
    if (status != STRADS_OK) {
        return status;
    }
    size_t n = slack->n_near;
    const double length = length_of(self);
    if (site->codes.code != NULL && length > SHORTEST) {
        find_coded_gradients(self, slack->near, n, length);
        n = lasso_slack_find_leading(slack, site, self->first, self->gradient, self->listed);
    }
    return find_gradients(self, slack->near, n);
}

strads_status lasso_score(void *state, const uint32_t *vars, size_t n, float *scores)
{
    lasso_worker *self = state;
    if (!self->state_is_fresh) {
        const strads_status status = refresh(self);
        if (status != STRADS_OK) {
            return status;
        }
    }
    measure_state(self);
    if (vars != NULL || !self->gradient_is_fresh) {
        const strads_status status = vars == NULL
                                         ? find_whole_gradient(self)
                                         : find_pool_gradient(self, vars, n, self->set_aside);
        if (status != STRADS_OK) {
            return status;
        }
        self->gradient_is_fresh = self->gradient_is_fresh || vars == NULL;
    }
    if (vars == NULL) {
        score_range(self, scores);
        return self->site->loss == LASSO_LOGISTIC ? lasso_fit_certify(self) : STRADS_OK;
    }
    for (size_t i = 0; i < n; i++) {
        scores[i] = score_of(self, vars[i] - self->first, self->set_aside[i]);
    }
    return STRADS_OK;
}

strads_status lasso_measure(void *state, double *out)
{
    const lasso_worker *self = state;
    memcpy(out, self->measures, sizeof(self->measures));
    return STRADS_OK;
}

/* ---- rounds ---- */

static strads_status push_squared(lasso_worker *self, const strads_block *block)
{
    lasso_block_weigh(&self->block, self->fit.weighted ? self->fit.root : NULL, self->fit.total);
    const strads_status status =
        lasso_block_load(&self->block, self->site, &self->borrowed, block, self->l1, self->l2);
    double farthest = 0.0;
    if (status != STRADS_OK) {
        return status;
    }
    return block->solve ? lasso_solve(self, block->target) : lasso_step(self, false, 1, &farthest);
}

strads_status lasso_push(void *state, const strads_block *block, double *partial)
{
    lasso_worker *self = state;
    if (self->site->split == STRADS_SPLIT_SAMPLES) {
        return lasso_push_rows(self, block, partial);
    }
    const strads_status status = self->site->loss == LASSO_LOGISTIC
                                     ? lasso_push_logistic(self, block)
                                     : push_squared(self, block);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t k = 0; k < block->n_vars; k++) {
        const double b = self->block.b[k];
        double *out = partial + LASSO_PARTIAL_WIDTH * k;
        out[LASSO_PARTIAL_VALUE] = b;
        out[LASSO_PARTIAL_MOVE] = fabs(b - block->values[k]) * self->block.column[k].urgency;
    }
    return STRADS_OK;
}

strads_status lasso_sync(void *state, const uint32_t *vars, size_t n, const double *values)
{
    lasso_worker *self = state;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = vars[i] - self->first;
        self->beta[k] = values[i];
        if (values[i] != 0.0 && !self->listed[k]) {
            self->listed[k] = 1;
            self->support[self->n_support++] = k;
        }
    }
    self->state_is_fresh = false;
    return STRADS_OK;
}

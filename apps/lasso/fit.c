/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/fit.c - residuals, the intercept, and what rows measure. */
#include "apps/lasso/fit.h"

#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"

enum { MAX_NEWTON = 100 };
/* The intercept is found when the slopes add up to less, a row; a step is at most so long. */
static const double BALANCED = 1e-15, LONGEST = 4.0;

bool lasso_has_fit(const lasso_site *site)
{
    return site->loss == LASSO_LOGISTIC || site->fold != NULL;
}

strads_status lasso_fit_init(lasso_worker *self)
{
    const lasso_site *site = self->site;
    const size_t n_rows = site->x.n_rows;
    lasso_fit *fit = &self->fit;
    if (!lasso_has_fit(site)) {
        return STRADS_OK;
    }
    fit->root = strads_alloc_array(n_rows, sizeof(*fit->root));
    if (site->loss == LASSO_LOGISTIC) {
        fit->eta = strads_calloc(n_rows, sizeof(*fit->eta));
        fit->direction = strads_alloc_array(n_rows, sizeof(*fit->direction));
        fit->keys = strads_alloc_array(n_rows, 2 * sizeof(*fit->keys));
    }
    if (fit->root == NULL || (site->loss == LASSO_LOGISTIC &&
                              (fit->eta == NULL || fit->direction == NULL || fit->keys == NULL))) {
        return STRADS_ERR_NOMEM;
    }
    lasso_fit_begin(self, 0);
    return STRADS_OK;
}

void lasso_fit_fini(lasso_fit *fit)
{
    strads_free(fit->root);
    strads_free(fit->eta);
    strads_free(fit->direction);
    strads_free(fit->keys);
    *fit = (lasso_fit){.root = NULL};
}

void lasso_fit_begin(lasso_worker *self, uint32_t fold)
{
    const lasso_site *site = self->site;
    lasso_fit *fit = &self->fit;
    const size_t n_rows = site->x.n_rows;
    size_t n_train = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const bool trains = lasso_trains(site, fold, i);
        fit->root[i] = trains ? 1.0 : 0.0;
        n_train += trains;
    }
    fit->fold = fold;
    fit->total = (double) n_train;
    fit->weighted = site->loss == LASSO_LOGISTIC || n_train < n_rows;
    lasso_quadratic_forget(&self->quadratic);
    self->state_is_fresh = false;
}

/* ---- least squares ---- */

static void renew_squared(lasso_worker *self)
{
    const lasso_site *site = self->site;
    const size_t n_rows = site->x.n_rows;
    lasso_fit *fit = &self->fit;
    double *r = self->state;
    double sum = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        sum += fit->root[i] * r[i];
    }
    fit->intercept = site->centre != NULL ? sum / fit->total : 0.0;
    r[n_rows] = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        r[i] -= fit->intercept;
        if (fit->root[i] == 0.0) {
            fit->measures[LASSO_HELD_LOSS] += 0.5 * r[i] * r[i];
            fit->measures[LASSO_HELD_ROWS] += 1.0;
            r[i] = 0.0;
        }
    }
}

/* ---- the logistic loss ---- */

/* Minus the sum of the slopes of the rows that train, and the sum of the curvatures. */
static double sum_slopes(const lasso_worker *self, double intercept, double *curvature)
{
    const lasso_site *site = self->site;
    double slopes = 0.0;
    *curvature = 0.0;
    for (size_t i = 0; i < site->x.n_rows; i++) {
        if (lasso_trains(site, self->fit.fold, i)) {
            const lasso_point at = lasso_logistic_at(site->target[i], intercept - self->state[i]);
            slopes -= at.slope;
            *curvature += at.curvature;
        }
    }
    return slopes;
}

/* The best intercept for eta = intercept - state: Newton within what is known to hold it. */
static double find_intercept(const lasso_worker *self)
{
    const double enough = BALANCED * (double) self->site->x.n_rows;
    double low = -INFINITY;
    double high = INFINITY;
    double intercept = self->fit.intercept;
    double longest = LONGEST;
    for (int i = 0; i < MAX_NEWTON; i++) {
        double curvature = 0.0;
        const double slopes = sum_slopes(self, intercept, &curvature);
        if (fabs(slopes) <= enough) {
            break;
        }
        *(slopes > 0.0 ? &low : &high) = intercept;
        double next = intercept + fmax(-longest, fmin(longest, slopes / curvature));
        longest *= 2.0; /* it may be far: the mean of a column that is not centred counts in it */
        if (next != intercept && (next <= low || next >= high)) {
            next = 0.5 * (low + high);
        }
        if (next == intercept) { /* what is left is rounding */
            break;
        }
        intercept = next;
    }
    return intercept;
}

static void renew_logistic(lasso_worker *self)
{
    const lasso_site *site = self->site;
    const size_t n_rows = site->x.n_rows;
    lasso_fit *fit = &self->fit;
    fit->intercept = site->centre != NULL ? find_intercept(self) : 0.0;
    self->state[n_rows] = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        const double y = site->target[i];
        const bool trains = lasso_trains(site, fit->fold, i);
        fit->eta[i] = fit->intercept - self->state[i];
        const lasso_point at = lasso_logistic_at(y, fit->eta[i]);
        self->state[i] = trains ? -at.slope : 0.0;
        fit->measures[trains ? LASSO_LOSS : LASSO_HELD_LOSS] += at.loss;
        fit->measures[trains ? LASSO_RIGHT : LASSO_HELD_RIGHT] += y * fit->eta[i] > 0.0;
        fit->measures[LASSO_HELD_ROWS] += trains ? 0.0 : 1.0;
    }
}

void lasso_fit_renew(lasso_worker *self)
{
    lasso_fit *fit = &self->fit;
    memset(fit->measures, 0, sizeof(fit->measures));
    if (self->site->loss == LASSO_LOGISTIC) {
        renew_logistic(self);
    } else {
        renew_squared(self);
    }
    fit->measures[LASSO_CENTRE] = -fit->intercept;
    if (strads_worker_rank(self->worker) != 0) {
        memset(fit->measures, 0, sizeof(fit->measures));
    }
}

/* The largest ratio of all members, and the sum of their l2. */
static strads_status find_bounds(lasso_worker *self, double *ratio, double *l2)
{
    const uint32_t n_members = strads_worker_members(self->worker);
    double *all = strads_calloc(n_members + (size_t) 1, sizeof(*all));
    if (all == NULL) {
        return STRADS_ERR_NOMEM;
    }
    all[strads_worker_rank(self->worker)] = self->measures[LASSO_RATIO];
    all[n_members] = self->measures[LASSO_L2];
    const strads_status status = strads_exchange(self->worker, all, NULL, n_members + (size_t) 1);
    for (uint32_t k = 0; k < n_members; k++) {
        *ratio = fmax(*ratio, all[k]);
    }
    *l2 = all[n_members];
    strads_free(all);
    return status;
}

static double u_log_u(double u)
{
    return u > 0.0 ? u * log(u) : 0.0;
}

/* The dual objective at s times minus the slopes, which is feasible:
 *   - sum u log u + (1 - u) log(1 - u),   u = s |slope|
 * of the rows that train, less the l2 part, as of extended rows: see loss.c. Since the slopes
 * add up to 0, so does the point, as the intercept wants it. */
static double dual_at(const lasso_worker *self, double s, double l2)
{
    double sum = 0.0;
    for (size_t i = 0; i < self->site->x.n_rows; i++) {
        const double u = s * fabs(self->state[i]);
        sum -= u_log_u(u) + (u < 1.0 ? (1.0 - u) * log1p(-u) : 0.0);
    }
    return sum - 0.5 * self->l2 * s * s * l2;
}

static double area(lasso_worker *self, bool training)
{
    const lasso_site *site = self->site;
    lasso_fit *fit = &self->fit;
    size_t n = 0;
    for (size_t i = 0; i < site->x.n_rows; i++) {
        if (lasso_trains(site, fit->fold, i) == training) {
            fit->keys[n++] = lasso_auc_key(fit->eta[i], site->target[i] > 0.0);
        }
    }
    return lasso_auc(fit->keys, n);
}

strads_status lasso_fit_certify(lasso_worker *self)
{
    double *measures = self->measures;
    double ratio = 0.0;
    double l2 = 0.0;
    const strads_status status = find_bounds(self, &ratio, &l2);
    if (status == STRADS_OK && strads_worker_rank(self->worker) == 0) {
        measures[LASSO_DUAL] = dual_at(self, ratio > self->l1 ? self->l1 / ratio : 1.0, l2);
        measures[LASSO_AUC] = area(self, true);
        measures[LASSO_HELD_AUC] = area(self, false);
    }
    return status;
}

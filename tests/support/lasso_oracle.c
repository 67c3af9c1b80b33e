/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lasso_oracle.c - see lasso_oracle.h. */
#include "tests/support/lasso_oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_SWEEPS = 1000000 };

/* A column whose standard deviation is this far below its mean is constant. */
static const long double CONSTANT = 1e-12L;

/* The problem in variables c_j = w_j b_j: z_j = (x_j - mean_j) / w_j, all weights 1. */
typedef struct scaled {
    size_t n, p;
    long double *z;               /* [p][n]; zeros for a column that cannot enter */
    long double *mean, *w, *norm; /* [p]; norm: |z_j|^2 */
    long double *r;               /* [n] the residual, at first y less its mean */
    long double *c;               /* [p] */
    long double y_mean, l1, l2;
} scaled;

static long double *numbers(size_t n)
{
    long double *memory = calloc(n > 0 ? n : 1, sizeof(*memory));
    if (memory == NULL) {
        perror("lasso_oracle");
        exit(2);
    }
    return memory;
}

static long double mean_of(const double *v, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return sum / n;
}

static long double deviation(const double *v, size_t n, long double mean)
{
    long double squares = 0.0L;
    for (size_t i = 0; i < n; i++) {
        squares += (v[i] - mean) * (v[i] - mean);
    }
    return sqrtl(squares / n);
}

static long double dot(const long double *a, const long double *b, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static long double sum_of(const long double *v, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
    }
    return sum;
}

/* The weight of column j; INFINITY: constant. */
static long double weight(const lasso_problem *problem, size_t j)
{
    const double *x = problem->x + j * problem->n;
    const long double mean = mean_of(x, problem->n);
    const long double spread = deviation(x, problem->n, mean);
    if (!problem->standardize) {
        return 1.0L;
    }
    return spread > CONSTANT * fabsl(mean) ? spread : (long double) INFINITY;
}

static void scale_column(const lasso_problem *problem, size_t j, scaled *to)
{
    const size_t n = problem->n;
    const double *x = problem->x + j * n;
    const long double mean = mean_of(x, n);
    long double *z = to->z + j * n;
    to->mean[j] = problem->intercept ? mean : 0.0L;
    to->w[j] = weight(problem, j);
    if (isinf(to->w[j]) ||
        (problem->intercept && deviation(x, n, mean) <= CONSTANT * fabsl(mean))) {
        to->w[j] = 1.0L;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        z[i] = (x[i] - to->mean[j]) / to->w[j];
    }
    to->norm[j] = dot(z, z, n);
}

static scaled scale(const lasso_problem *problem)
{
    const size_t n = problem->n;
    const size_t p = problem->p;
    scaled to = {.n = n,
                 .p = p,
                 .z = numbers(n * p),
                 .mean = numbers(p),
                 .w = numbers(p),
                 .norm = numbers(p),
                 .r = numbers(n),
                 .c = numbers(p),
                 .y_mean = 0.0L,
                 .l1 = (long double) problem->lambda * problem->l1_ratio,
                 .l2 = (long double) problem->lambda * (1.0L - problem->l1_ratio)};
    for (size_t i = 0; i < n; i++) {
        to.r[i] = problem->logistic ? (problem->y[i] > 0.0 ? 0.5L : -0.5L) : problem->y[i];
    }
    to.y_mean = problem->intercept ? sum_of(to.r, n) / n : 0.0L;
    for (size_t i = 0; i < n; i++) {
        to.r[i] -= to.y_mean;
    }
    for (size_t j = 0; j < p; j++) {
        scale_column(problem, j, &to);
    }
    return to;
}

/* ---- the logistic loss ---- */

static double label(const lasso_problem *problem, size_t i)
{
    return problem->y[i] > 0.0 ? 1.0 : -1.0;
}

/* r := minus the slopes at eta. */
static void find_slopes(scaled *s, const lasso_problem *problem, const long double *eta)
{
    for (size_t i = 0; i < s->n; i++) {
        const double y = label(problem, i);
        s->r[i] = y / (1.0 + exp(y * (double) eta[i]));
    }
}

/* Moves the intercept, or coefficient j, to where the bound is least. */
static long double move(scaled *s, const lasso_problem *problem, long double *eta, size_t j)
{
    const long double *z = s->z + j * s->n;
    const long double bound = s->norm[j] / 4.0L;
    if (bound == 0.0L) {
        return 0.0L;
    }
    const long double u = dot(z, s->r, s->n) + bound * s->c[j];
    const long double c = copysignl(fmaxl(fabsl(u) - s->l1, 0.0L), u) / (bound + s->l2);
    const long double step = c - s->c[j];
    s->c[j] = c;
    for (size_t i = 0; i < s->n; i++) {
        eta[i] += step * z[i];
    }
    if (step != 0.0L) {
        find_slopes(s, problem, eta);
    }
    return fabsl(step) * (bound + s->l2);
}

static long double move_intercept(scaled *s, const lasso_problem *problem, long double *eta)
{
    const long double slopes = sum_of(s->r, s->n);
    for (size_t i = 0; i < s->n; i++) {
        eta[i] += slopes * 4.0L / s->n;
    }
    find_slopes(s, problem, eta);
    return fabsl(slopes);
}

static double loss_of(const lasso_problem *problem, const long double *eta)
{
    double sum = 0.0;
    for (size_t i = 0; i < problem->n; i++) {
        const double margin = label(problem, i) * (double) eta[i];
        sum += margin > 0.0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
    }
    return sum;
}

/* Solves; returns the loss, *intercept is that of z. */
static double solve_logistic(scaled *s, const lasso_problem *problem, long double unit,
                             long double *intercept)
{
    long double *eta = numbers(s->n);
    long double moved = unit;
    find_slopes(s, problem, eta);
    for (int i = 0; i < MAX_SWEEPS && moved > 1e-14L * unit; i++) {
        moved = problem->intercept ? move_intercept(s, problem, eta) : 0.0L;
        for (size_t j = 0; j < s->p; j++) {
            moved = fmaxl(moved, move(s, problem, eta, j));
        }
    }
    *intercept = eta[0];
    for (size_t j = 0; j < s->p; j++) {
        *intercept -= s->z[j * s->n] * s->c[j];
    }
    const double loss = loss_of(problem, eta);
    free(eta);
    return loss;
}

static void fini(scaled *s)
{
    free(s->z);
    free(s->mean);
    free(s->w);
    free(s->norm);
    free(s->r);
    free(s->c);
}

static long double largest_gradient(const scaled *s)
{
    long double largest = 0.0L;
    for (size_t j = 0; j < s->p; j++) {
        largest = fmaxl(largest, fabsl(dot(s->z + j * s->n, s->r, s->n)));
    }
    return largest;
}

double lasso_oracle_lambda_max(const lasso_problem *problem)
{
    scaled s = scale(problem);
    const double largest = (double) (largest_gradient(&s) / problem->l1_ratio);
    fini(&s);
    return largest;
}

/* c_j := soft(z_j'r + |z_j|^2 c_j, l1) / (|z_j|^2 + l2); returns the change's effect on
 * the gradient. */
static long double update(scaled *s, size_t j)
{
    const long double *z = s->z + j * s->n;
    if (s->norm[j] == 0.0L) {
        return 0.0L;
    }
    const long double u = dot(z, s->r, s->n) + s->norm[j] * s->c[j];
    const long double size = fmaxl(fabsl(u) - s->l1, 0.0L);
    const long double c = copysignl(size, u) / (s->norm[j] + s->l2);
    const long double step = c - s->c[j];
    s->c[j] = c;
    for (size_t i = 0; i < s->n; i++) {
        s->r[i] -= step * z[i];
    }
    return fabsl(step) * (s->norm[j] + s->l2);
}

/* How far the optimality conditions are from holding. */
static long double violation_of(const scaled *s)
{
    long double worst = 0.0L;
    for (size_t j = 0; j < s->p; j++) {
        const long double slope = dot(s->z + j * s->n, s->r, s->n) - s->l2 * s->c[j];
        const long double off = s->norm[j] == 0.0L ? 0.0L
                                : s->c[j] == 0.0L  ? fabsl(slope) - s->l1
                                                   : fabsl(slope - copysignl(s->l1, s->c[j]));
        worst = fmaxl(worst, off);
    }
    return worst;
}

double lasso_oracle_solve(const lasso_problem *problem, double *b, double *intercept,
                          double *violation)
{
    scaled s = scale(problem);
    const long double unit = fmaxl(largest_gradient(&s), 1e-4000L);
    long double moved = unit;
    long double offset = s.y_mean;
    double loss = problem->logistic ? solve_logistic(&s, problem, unit, &offset) : 0.0;
    for (int i = 0; i < MAX_SWEEPS && moved > 1e-17L * unit && !problem->logistic; i++) {
        moved = 0.0L;
        for (size_t j = 0; j < s.p; j++) {
            moved = fmaxl(moved, update(&s, j));
        }
    }
    *violation = (double) (violation_of(&s) / unit);
    long double l1 = 0.0L;
    for (size_t j = 0; j < s.p; j++) {
        b[j] = (double) (s.c[j] / s.w[j]);
        offset -= s.mean[j] * (s.c[j] / s.w[j]);
        l1 += fabsl(s.c[j]);
    }
    *intercept = (double) offset;
    const long double l2 = dot(s.c, s.c, s.p);
    loss = problem->logistic ? loss : (double) (0.5L * dot(s.r, s.r, s.n));
    const double objective = (double) (loss + s.l1 * l1 + 0.5L * s.l2 * l2);
    fini(&s);
    return objective;
}

double lasso_oracle_objective(const lasso_problem *problem, const double *b, double intercept)
{
    const size_t n = problem->n;
    long double *eta = numbers(n);
    long double loss = 0.0L;
    long double l1 = 0.0L;
    long double l2 = 0.0L;
    for (size_t i = 0; i < n; i++) {
        eta[i] = intercept;
        for (size_t j = 0; j < problem->p; j++) {
            eta[i] += (long double) problem->x[j * n + i] * b[j];
        }
        loss += 0.5L * (problem->y[i] - eta[i]) * (problem->y[i] - eta[i]);
    }
    loss = problem->logistic ? loss_of(problem, eta) : loss;
    free(eta);
    for (size_t j = 0; j < problem->p; j++) {
        const long double c = b[j] == 0.0 ? 0.0L : weight(problem, j) * b[j];
        l1 += fabsl(c);
        l2 += c * c;
    }
    const long double a = problem->l1_ratio;
    return (double) (loss + problem->lambda * (a * l1 + 0.5L * (1.0L - a) * l2));
}

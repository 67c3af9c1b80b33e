/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/loss.c - objectives from measures, and the area under the curve. */
#include "apps/lasso/loss.h"

#include <string.h>

#include "apps/lasso/lasso.h"

double lasso_objective(lasso_loss loss, const double *measures, double l1, double l2)
{
    const double sum = loss == LASSO_SQUARED ? 0.5 * measures[LASSO_RR] : measures[LASSO_LOSS];
    return sum + l1 * measures[LASSO_L1] + 0.5 * l2 * measures[LASSO_L2];
}

/* At the best multiple s r of the residual that is feasible. With l2 > 0 the problem is a
 * Lasso on X and y extended by rows sqrt(l2) w_j e_j' and 0, whose residual is
 * (r, -sqrt(l2) w_j b_j). */
static double dual_of_squared(const double *measures, double l1, double l2)
{
    const double squares = measures[LASSO_RR] + l2 * measures[LASSO_L2];
    if (squares == 0.0) {
        return 0.0;
    }
    const double ratio = measures[LASSO_RATIO];
    const double most = ratio > 0.0 ? l1 / ratio : INFINITY;
    const double s = fmax(-most, fmin(most, measures[LASSO_RY] / squares));
    return s * measures[LASSO_RY] - 0.5 * s * s * squares;
}

double lasso_dual_objective(lasso_loss loss, const double *measures, double l1, double l2)
{
    return loss == LASSO_SQUARED ? dual_of_squared(measures, l1, l2) : measures[LASSO_DUAL];
}

/* ---- the area under the curve ---- */

/* Sorts keys[n] by one digit into to[n]; false: they have all the same one, and stay. */
static bool sort_by_digit(const uint64_t *keys, uint64_t *to, size_t n, unsigned shift)
{
    size_t start[257] = {0};
    for (size_t i = 0; i < n; i++) {
        start[(keys[i] >> shift & 255) + 1]++;
    }
    if (start[(keys[0] >> shift & 255) + 1] == n) {
        return false;
    }
    for (size_t digit = 0; digit < 256; digit++) {
        start[digit + 1] += start[digit];
    }
    for (size_t i = 0; i < n; i++) {
        to[start[keys[i] >> shift & 255]++] = keys[i];
    }
    return true;
}

static const uint64_t *sorted(uint64_t *keys, size_t n)
{
    uint64_t *from = keys;
    uint64_t *to = keys + n;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (sort_by_digit(from, to, n, shift)) {
            uint64_t *other = from;
            from = to;
            to = other;
        }
    }
    return from;
}

double lasso_auc(uint64_t *keys, size_t n)
{
    if (n == 0) {
        return 0.5;
    }
    const uint64_t *in_order = sorted(keys, n);
    double below = 0.0; /* of the second class */
    double n_first = 0.0;
    double area = 0.0;
    for (size_t i = 0; i < n;) {
        double first = 0.0;
        const size_t begin = i;
        for (; i < n && in_order[i] >> 1 == in_order[begin] >> 1; i++) {
            first += (double) (in_order[i] & 1);
        }
        const double second = (double) (i - begin) - first;
        area += first * (below + 0.5 * second);
        below += second;
        n_first += first;
    }
    return n_first == 0.0 || below == 0.0 ? 0.5 : area / (n_first * below);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/loss.c - objectives from measures. */
#include "apps/lasso/loss.h"

#include <math.h>

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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/loss.h - the losses, and how good coefficients are: the objective, and the
 * dual objective that bounds it from below, of what the workers have measured.
 *
 *   squared:   1/2 (y - eta)^2
 *   logistic:  log(1 + exp(-y eta)), y in {-1, +1}
 *
 * with eta = x'b + b0, and the penalty l1 sum w_j |b_j| + l2/2 sum w_j^2 b_j^2.
 */
#ifndef STRADS_LASSO_LOSS_H
#define STRADS_LASSO_LOSS_H

typedef enum lasso_loss { LASSO_SQUARED, LASSO_LOGISTIC } lasso_loss;

/* Of measures[LASSO_N_MEASURES]; the dual one of a whole scan. */
double lasso_objective(lasso_loss loss, const double *measures, double l1, double l2);
double lasso_dual_objective(lasso_loss loss, const double *measures, double l1, double l2);

#endif

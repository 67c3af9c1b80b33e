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

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lasso_loss { LASSO_SQUARED, LASSO_LOGISTIC } lasso_loss;

/* The logistic loss at eta, its slope and its curvature. */
typedef struct lasso_point {
    double loss, slope, curvature;
} lasso_point;

static inline lasso_point lasso_logistic_at(double y, double eta)
{
    const double margin = y * eta;
    const double e = exp(-fabs(margin));
    const double p = 1.0 / (1.0 + e); /* of the likelier side */
    return (lasso_point){.loss = log1p(e) + (margin < 0.0 ? -margin : 0.0),
                         .slope = -y * (margin < 0.0 ? p : e * p),
                         .curvature = e * p * p};
}

/* A row as lasso_auc takes it; its label is in the last bit. */
static inline uint64_t lasso_auc_key(double eta, int positive)
{
    union {
        double value;
        uint64_t bits;
    } as = {.value = eta};
    const uint64_t ordered = as.bits >> 63 != 0 ? ~as.bits : as.bits | (uint64_t) 1 << 63;
    return (ordered & ~(uint64_t) 1) | (uint64_t) (positive != 0);
}

/* The area under the curve of keys[n]: how often a row of the first class is above one of the
 * second, ties by half; 0.5 where there is one class only. keys[n .. 2n-1] are scratch. */
double lasso_auc(uint64_t *keys, size_t n);

/* Of measures[LASSO_N_MEASURES]; the dual one of a whole scan. */
double lasso_objective(lasso_loss loss, const double *measures, double l1, double l2);
double lasso_dual_objective(lasso_loss loss, const double *measures, double l1, double l2);

#endif

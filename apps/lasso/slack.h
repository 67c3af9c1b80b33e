/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/slack.h - which columns a scan of everything may leave out.
 *
 * When the residual has moved by v since x_j'r was found to be g_j, then
 *   |x_j'r| <= |g_j| + |x_j| |v|
 * and while that is below lambda variable j violates nothing, nor does it bound the dual
 * point. Late in a run, and between the lambdas of a path, the residual hardly moves, so that
 * few columns have to be looked at. What is left out is certain, up to rounding, for which
 * there is a margin.
 */
#ifndef STRADS_LASSO_SLACK_H
#define STRADS_LASSO_SLACK_H

#include <math.h>

#include "apps/lasso/lasso.h"

/* A struct of zeros has seen nothing yet. */
typedef struct lasso_slack {
    double *residual; /* [n_rows] the true one of the last scan */
    double *way;      /* [n] how far it has come, scan by scan, since a variable's gradient was
                       * found, an upper bound of |v|; with how far that was known */
    uint32_t *near;   /* [n_near] variables that may be at lambda */
    size_t n_near, n;
} lasso_slack;

void lasso_slack_fini(lasso_slack *slack);

/* Lists what a scan at `state` must look at of the n variables from `first` on, which had the
 * gradients gradient[n] when they were found. What is listed counts as found now. */
STRADS_MUST_CHECK strads_status lasso_slack_find_near(lasso_slack *slack, const lasso_site *site,
                                                      uint32_t first, size_t n, const double *state,
                                                      const double *gradient, double l1);

/* Makes variable first + k one that the next scan looks at. */
static inline void lasso_slack_forget(lasso_slack *slack, uint32_t k)
{
    if (slack->way != NULL) {
        slack->way[k] = INFINITY;
    }
}

/* Says that x_j'r of variable first + k, which was found now, is known up to |x_j| `way`. */
static inline void lasso_slack_blur(lasso_slack *slack, uint32_t k, double way)
{
    slack->way[k] = way;
}

/* Of those that the last call above listed, near[] := those whose gradients must be known better:
 * those that are `wanted`, and others that may have the largest |gradient| scale of these. Counts
 * them as found now; returns how many. n_near stays. */
size_t lasso_slack_find_leading(lasso_slack *slack, const lasso_site *site, uint32_t first,
                                const double *gradient, const uint8_t *wanted);

#endif

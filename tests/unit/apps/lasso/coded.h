/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/coded.h - how far off a score may be where a scan looked at codes only.
 */
#ifndef STRADS_TESTS_CODED_H
#define STRADS_TESTS_CODED_H

#include <math.h>

#include "apps/lasso/solver.h"

/* Of variable `var`, which has the coefficient b, by the last scan; 0: it is exact. */
static inline double coded_blur(const void *state, uint32_t var, double b)
{
    const lasso_worker *self = state;
    const lasso_site *site = self->site;
    double squares = 0.0;
    if (site->codes.code == NULL || b != 0.0) {
        return 0.0;
    }
    for (size_t i = 0; i < site->x.n_rows; i++) {
        squares += self->state[i] * self->state[i];
    }
    return site->codes.lost[var - site->first_col] * sqrt(lasso_norm2(site, var) * squares) *
           lasso_scale(site, var) / self->l1;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/slack.c - bounds of gradients, by how far the residual has moved. */
#include "apps/lasso/slack.h"

#include <string.h>

/* What rounding may do to a product, as a share of |x_j| |r|. */
static const double ROUNDING = 1e-12;

void lasso_slack_fini(lasso_slack *slack)
{
    strads_free(slack->residual);
    strads_free(slack->way);
    strads_free(slack->near);
    *slack = (lasso_slack){.n = 0};
}

static strads_status open(lasso_slack *slack, size_t n_rows, size_t n)
{
    slack->residual = strads_calloc(n_rows, sizeof(*slack->residual));
    slack->way = strads_alloc_array(n, sizeof(*slack->way));
    slack->near = strads_alloc_array(n, sizeof(*slack->near));
    if (slack->residual == NULL || slack->way == NULL || slack->near == NULL) {
        lasso_slack_fini(slack);
        return STRADS_ERR_NOMEM;
    }
    slack->n = n;
    for (size_t k = 0; k < n; k++) {
        slack->way[k] = INFINITY;
    }
    return STRADS_OK;
}

/* The way from the last residual to this one, and what its products may be off by. */
static double move(lasso_slack *slack, const double *state, size_t n_rows)
{
    const double offset = state[n_rows];
    double way = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        const double r = state[i] + offset;
        const double step = r - slack->residual[i];
        way += step * step;
        squares += r * r;
        slack->residual[i] = r;
    }
    return sqrt(way) + ROUNDING * sqrt(squares);
}

strads_status lasso_slack_find_near(lasso_slack *slack, const lasso_site *site, uint32_t first,
                                    size_t n, const double *state, const double *gradient,
                                    double l1)
{
    const strads_status status =
        slack->residual != NULL ? STRADS_OK : open(slack, site->x.n_rows, n);
    if (status != STRADS_OK) {
        return status;
    }
    const double moved = move(slack, state, site->x.n_rows);
    const double *norm2 = site->norm2 + (first - site->first_col);
    size_t n_near = 0;
    for (size_t k = 0; k < n; k++) {
        const double least = l1 / lasso_scale(site, first + (uint32_t) k);
        const double left = least - fabs(gradient[k]); /* for the way since then */
        const double way = slack->way[k] + moved;
        slack->way[k] = way;
        slack->near[n_near] = first + (uint32_t) k;
        n_near += !(left > 0.0 && norm2[k] * way * way < left * left);
    }
    slack->n_near = n_near;
    for (size_t i = 0; i < n_near; i++) {
        slack->way[slack->near[i] - first] = 0.0;
    }
    return STRADS_OK;
}

/* How far x_j'r may be from what it was found to be. */
static double radius(const lasso_slack *slack, const lasso_site *site, uint32_t var, uint32_t k)
{
    return sqrt(lasso_norm2(site, var)) * slack->way[k];
}

size_t lasso_slack_find_leading(lasso_slack *slack, const lasso_site *site, uint32_t first,
                                const double *gradient, const uint8_t *wanted)
{
    double largest = 0.0; /* one at least is not below it */
    for (size_t i = 0; i < slack->n_near; i++) {
        const uint32_t var = slack->near[i];
        const uint32_t k = var - first;
        if (!wanted[k]) {
            const double least = fabs(gradient[k]) - radius(slack, site, var, k);
            largest = fmax(largest, least * lasso_scale(site, var));
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < slack->n_near; i++) {
        const uint32_t var = slack->near[i];
        const uint32_t k = var - first;
        const double most = fabs(gradient[k]) + radius(slack, site, var, k);
        slack->near[n] = var;
        n += wanted[k] || most * lasso_scale(site, var) >= largest;
    }
    for (size_t i = 0; i < n; i++) {
        slack->way[slack->near[i] - first] = 0.0;
    }
    return n;
}

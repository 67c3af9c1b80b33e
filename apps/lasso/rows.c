/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/rows.c - the site when every worker has some of the rows: means, weights and
 * squares of columns are sums over all workers, added in order of rank, so that they are
 * the same bits however workers are dealt to processes.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/lasso.h"

/* What a pass over the data adds up: a number a column, and some more. */
typedef struct sums {
    double *of; /* [n_shards][width]; of[width] after adding up */
    size_t width;
    double *scratch; /* for lasso_column_values of any shard */
} sums;

static strads_status sums_init(sums *all, const lasso_site *site, size_t width)
{
    size_t n_rows = 0;
    for (size_t k = 0; k < site->n_shards; k++) {
        n_rows = site->shards[k].x.n_rows > n_rows ? site->shards[k].x.n_rows : n_rows;
    }
    all->width = width;
    all->of = strads_calloc(site->n_shards, width * sizeof(*all->of));
    all->scratch = strads_alloc_array(n_rows, sizeof(*all->scratch));
    return all->of == NULL || all->scratch == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
}

static void sums_fini(sums *all)
{
    strads_free(all->of);
    strads_free(all->scratch);
}

static strads_status sums_add_up(sums *all, const lasso_site *site, strads_part *part)
{
    return strads_part_sum(part, all->of, site->n_shards, all->width);
}

static double sum_less(double centre, const double *value, size_t n)
{
    double sum = 0.0;
    for (size_t k = 0; k < n; k++) {
        sum += value[k] - centre;
    }
    return sum;
}

/* means[0 .. n_cols) of the columns and means[n_cols] of y: what was missing of them is
 * added, which with means of 0 is all of it. */
static strads_status improve_means(const lasso_site *site, strads_part *part, double *means)
{
    const size_t n_cols = site->n_cols;
    sums all;
    strads_status status = sums_init(&all, site, n_cols + 1);
    for (size_t k = 0; k < site->n_shards && status == STRADS_OK; k++) {
        const lasso_site *shard = &site->shards[k];
        double *to = all.of + k * all.width;
        for (size_t j = 0; j < n_cols; j++) {
            size_t n = 0;
            const double *value = lasso_column_values(&shard->x, j, all.scratch, &n);
            to[j] = sum_less(means[j], value, n) - means[j] * (double) (shard->x.n_rows - n);
        }
        to[n_cols] = sum_less(means[n_cols], shard->target, shard->x.n_rows);
    }
    if (status == STRADS_OK) {
        status = sums_add_up(&all, site, part);
    }
    for (size_t j = 0; j <= n_cols && status == STRADS_OK; j++) {
        means[j] += all.of[j] / (double) site->n_rows;
    }
    sums_fini(&all);
    return status;
}

/* Of columns: squares about the centre of what is stored, squares about the mean of all rows,
 * and how many shards have values that differ from the centre. Behind them the same of y,
 * less its mean, but for the second, which is its sum. */
enum { ABOUT_CENTRE, ABOUT_MEAN, DIFFERENT, N_SQUARES };

static void square_shard(const lasso_site *site, size_t k, const double *means, const sums *all)
{
    const lasso_site *shard = &site->shards[k];
    double *to = all->of + k * all->width;
    const size_t n_cols = site->n_cols;
    for (size_t j = 0; j < n_cols; j++) {
        size_t n = 0;
        const double *value = lasso_column_values(&shard->x, j, all->scratch, &n);
        const double centre = site->centre != NULL ? means[j] : 0.0;
        to[N_SQUARES * j + ABOUT_CENTRE] = site->kernels->sum_of_squares(value, -centre, n);
        to[N_SQUARES * j + ABOUT_MEAN] = lasso_share_of_squares(shard, value, n, means[j]);
        to[N_SQUARES * j + DIFFERENT] = lasso_all_are(centre, value, n) ? 0.0 : 1.0;
    }
    const size_t n = shard->x.n_rows;
    double *of_y = to + N_SQUARES * n_cols;
    of_y[ABOUT_CENTRE] = site->kernels->sum_of_squares(shard->target, 0.0, n);
    of_y[ABOUT_MEAN] = sum_less(0.0, shard->target, n);
    of_y[DIFFERENT] = lasso_all_are(0.0, shard->target, n) ? 0.0 : 1.0;
}

/* Mean, scale and squares of a column; dense ones lose their mean. */
static strads_status prepare_column(lasso_site *site, size_t j, double mean, const double *squares)
{
    if (!lasso_is_sound(squares[ABOUT_CENTRE], squares[DIFFERENT] == 0.0)) {
        return lasso_refuse_column(site, j, squares[ABOUT_CENTRE]);
    }
    const double about_mean = lasso_squares(site, squares[ABOUT_MEAN], mean);
    site->norm2[j] = site->centre != NULL ? about_mean : squares[ABOUT_CENTRE];
    if (site->scale != NULL) {
        site->scale[j] = about_mean > 0.0 ? sqrt((double) site->n_rows / about_mean) : 0.0;
    }
    if (site->centre != NULL) {
        site->centre[j] = mean;
    }
    for (size_t k = 0; k < site->n_shards && site->centre != NULL && site->mean == NULL; k++) {
        if (!lasso_centre_column(&site->shards[k].x, j, mean, about_mean == 0.0)) {
            return lasso_refuse_centred(site, j);
        }
    }
    return STRADS_OK;
}

static strads_status square_all(lasso_site *site, strads_part *part, const double *means)
{
    const size_t n_cols = site->n_cols;
    sums all;
    strads_status status = sums_init(&all, site, N_SQUARES * (n_cols + 1));
    for (size_t k = 0; k < site->n_shards && status == STRADS_OK; k++) {
        square_shard(site, k, means, &all);
    }
    if (status == STRADS_OK) {
        status = sums_add_up(&all, site, part);
    }
    for (size_t j = 0; j < n_cols && status == STRADS_OK; j++) {
        status = prepare_column(site, j, means[j], all.of + N_SQUARES * j);
    }
    if (status == STRADS_OK) {
        const double *of_y = all.of + N_SQUARES * n_cols;
        site->y_squares =
            of_y[ABOUT_CENTRE] - of_y[ABOUT_MEAN] * of_y[ABOUT_MEAN] / (double) site->n_rows;
        if (!lasso_is_sound(of_y[ABOUT_CENTRE], of_y[DIFFERENT] == 0.0)) {
            status = lasso_refuse_target(site, of_y[ABOUT_CENTRE]);
        }
    }
    sums_fini(&all);
    return status;
}

static strads_status prepare_all(lasso_site *site, strads_part *part)
{
    double *means = strads_calloc(site->n_cols + 1, sizeof(*means));
    if (means == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = improve_means(site, part, means);
    if (status == STRADS_OK) { /* those of equal values are exact then */
        status = improve_means(site, part, means);
    }
    site->y_mean = site->centre != NULL ? means[site->n_cols] : 0.0;
    for (size_t k = 0; k < site->n_shards && status == STRADS_OK; k++) {
        for (size_t i = 0; i < site->shards[k].x.n_rows; i++) {
            site->shards[k].target[i] -= site->y_mean;
        }
    }
    if (status == STRADS_OK) {
        status = square_all(site, part, means);
    }
    strads_free(means);
    return status;
}

/* Takes the shares' matrices and targets. */
static strads_status take_shards(lasso_site *site, data_share *share)
{
    site->shards = strads_calloc(share->n_shards, sizeof(*site->shards));
    strads_status status = site->shards == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t k = 0; k < share->n_shards && status == STRADS_OK; k++) {
        site->shards[k].x = share->shards[k].x;
        site->shards[k].kernels = site->kernels;
        share->shards[k].x = (data_matrix){.n_rows = 0};
        site->n_shards++;
        status = lasso_take_target(&site->shards[k], &share->shards[k].y);
    }
    return status;
}

/* A shard is the site but for its rows. */
static void lend(const lasso_site *site, lasso_site *shard)
{
    const data_matrix x = shard->x;
    double *target = shard->target;
    *shard = *site;
    shard->x = x;
    shard->target = target;
    shard->shards = NULL;
    shard->n_shards = 0;
}

strads_status lasso_prepare_rows(lasso_site *site, data_share *share, strads_part *part)
{
    const bool sparse = share->shards[0].x.col_start != NULL;
    strads_status status = take_shards(site, share);
    if (status == STRADS_OK) {
        status = lasso_reserve_columns(site, site->n_cols, sparse);
    }
    if (status == STRADS_OK) {
        site->norm2 = strads_alloc_array(site->n_cols, sizeof(*site->norm2));
        status = site->norm2 == NULL ? STRADS_ERR_NOMEM : prepare_all(site, part);
    }
    for (size_t k = 0; k < site->n_shards && status == STRADS_OK; k++) {
        lend(site, &site->shards[k]);
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/estimate.c - what memory a run takes, from the sizes of its data. */
#include <string.h>

#include "apps/lasso/anderson.h"
#include "apps/lasso/gram.h"
#include "apps/lasso/solver.h"

/* By variable: coefficient, gradient, score, priorities, lists. */
static const size_t BY_VARIABLE = 64;
/* By rows every worker has its own of most of these; and the passes over the data that make
 * means and squares add up three numbers a worker. */
enum { BY_WORKER = 33, SUMS = 3 };

/* A worker's copies of the residual: its state; that of the last scan; two of the guard; with
 * working sets, of which the last may be extrapolated, the iterates that are kept. A worker that is
 * alone in a round has no guard, but that is little beside the data. */
enum { COPIES = 4, ITERATES = ANDERSON_DEPTH + 1 };

static bool has_sets(const strads_config *config)
{
    return strads_config_int(config, "schedule.round") == 0 &&
           strcmp(strads_config_text(config, "schedule.kind"), "structure_aware") == 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The variables that a worker keeps products of, by rows: a set may come to the most. */
static size_t block_size(const strads_config *config, const strads_size *size)
{
    const size_t drawn = (size_t) strads_config_int(config, "schedule.round");
    const size_t n = has_sets(config) ? LASSO_GRAM_MOST
                     : drawn > 0      ? drawn
                                      : 128 * (size_t) size->n_workers;
    return least(least(n, LASSO_GRAM_MOST), size->n_vars);
}

static void add_up_rows(const strads_config *config, const data_size *data, strads_size *size)
{
    const size_t n_mine = (size->n_workers + size->n_processes - 1) / size->n_processes;
    const size_t n = block_size(config, size);
    const size_t sums = SUMS * sizeof(double) * n_mine * data->n_cols;
    size->site_bytes =
        larger(data->peak_bytes, data->bytes + larger(sums, BY_VARIABLE * data->n_cols));
    size->worker_bytes = data->n_rows / size->n_workers * sizeof(double) +
                         BY_WORKER * data->n_cols + 2 * n * n * sizeof(double);
}

/* What fit.c keeps of the rows besides. */
static size_t count_fits(const strads_config *config)
{
    const bool held_out = strads_config_int(config, "lasso.folds") > 0 ||
                          strads_config_real(config, "lasso.validation_fraction") > 0.0;
    return lasso_loss_of(config) == LASSO_LOGISTIC ? 5 : held_out ? 1 : 0;
}

/* The last working sets, of about so many columns at most: there is no need of more than rows, and
 * few have a coefficient. */
static size_t set_size(const data_size *data)
{
    return 1 + least(data->n_rows / 2, data->n_cols / 4);
}

/* Columns of a working set as they are packed, in doubles: all sparse ones, and dense ones whose
 * rows have weights. */
static size_t packed_bytes(const strads_config *config, const data_size *data)
{
    if (data->dense && count_fits(config) == 0) {
        return 0;
    }
    const double widened = !data->narrow ? 1.0 : data->dense ? 2.0 : 1.5;
    return (size_t) (widened * (double) data->bytes * (double) set_size(data) /
                     (double) data->n_cols);
}

/* The products of a working set, with room to grow, a factor of them, and the strip of dense
 * columns that they are made of: see on_products.c, where each member of a round has them. */
static size_t product_bytes(const strads_config *config, const data_size *data, uint32_t n_workers)
{
    const double stored = (double) (data->dense ? data->n_rows * data->n_cols : data->n_entries);
    if (lasso_loss_of(config) != LASSO_SQUARED || strads_config_bool(config, "run.deterministic")) {
        return 0;
    }
    const size_t n = least((size_t) lasso_products_most(stored, n_workers), 2 * set_size(data));
    const size_t stride = n + n / 8;
    return stride * stride * sizeof(float) +
           (data->dense ? stride * (LASSO_STRIP_ROWS + LASSO_PANEL) * sizeof(float) : 0) +
           2 * n * n * sizeof(double);
}

/* A dense matrix is held a second time, a byte a value. */
static size_t code_bytes(const data_size *data)
{
    return data->dense ? data->bytes / (data->narrow ? sizeof(float) : sizeof(double)) : 0;
}

static void add_up_columns(const strads_config *config, const data_size *data, strads_size *size)
{
    const uint32_t few = size->n_workers < 2 ? size->n_workers : 2;
    const size_t copies = has_sets(config) ? COPIES + ITERATES : COPIES;
    const size_t packed = has_sets(config) ? packed_bytes(config, data) : 0;
    const size_t by_all = has_sets(config) ? product_bytes(config, data, size->n_workers) : 0;
    const size_t by_few = has_sets(config) ? product_bytes(config, data, few) : 0;
    const size_t held = data->bytes + code_bytes(data) + BY_VARIABLE * data->n_cols;
    size->site_bytes = larger(data->peak_bytes, held + packed + by_few);
    size->worker_bytes = (copies + count_fits(config)) * data->n_rows * sizeof(double);
    if (lasso_split_of(config) == STRADS_SPLIT_NONE && size->n_workers > 1) {
        size->worker_bytes += packed + by_all; /* each knows the whole set */
        size->site_bytes = larger(data->peak_bytes, held + few * (by_few - by_all));
    }
}

/* The most that a path keeps of its values, a number and its place each: a value has at most
 * about as many coefficients as there are rows. */
static size_t kept_bytes(const strads_config *config, const data_size *data)
{
    const size_t given = strads_config_list_size(config, "lasso.path.values");
    const size_t count = (size_t) strads_config_int(config, "lasso.path.count");
    const size_t n = given > 0 ? given : count;
    return n * least(data->n_rows, data->n_cols) * (sizeof(double) + sizeof(uint32_t));
}

/* What the coordinator's process holds besides: the path, and the data to test by, whose width
 * is that of those to train on. */
static strads_status add_up_model(const strads_config *config, strads_size *size,
                                  const data_size *data)
{
    const char *path = strads_config_text(config, "data.test");
    size->site_bytes += kept_bytes(config, data);
    if (path == NULL) {
        return STRADS_OK;
    }
    data_source source = lasso_source(config);
    data_size test;
    source.path = path;
    source.y_path = NULL;
    const strads_status status = data_regression_measure(&test, &source);
    if (status == STRADS_OK) {
        size->site_bytes += test.bytes;
    }
    return status;
}

strads_status lasso_estimate(const strads_config *config, strads_size *size)
{
    const strads_split split = lasso_split_of(config);
    const data_source source = lasso_source(config);
    data_size data;
    strads_status status = lasso_check_source(config);
    if (status == STRADS_OK) {
        status =
            split == STRADS_SPLIT_NONE
                ? data_regression_measure(&data, &source)
                : data_share_measure(&data, &source,
                                     split == STRADS_SPLIT_SAMPLES ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                                     size->n_processes, size->n_workers);
    }
    if (status != STRADS_OK) {
        return status;
    }
    printf("%s: %zu rows, %zu columns, %zu entries%s%s\n", source.path, data.n_rows, data.n_cols,
           data.n_entries, data.dense ? " (dense)" : "", data.narrow ? ", as floats" : "");
    size->n_vars = data.n_cols;
    if (split == STRADS_SPLIT_SAMPLES) {
        add_up_rows(config, &data, size);
    } else {
        add_up_columns(config, &data, size);
    }
    return add_up_model(config, size, &data);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/data.c - the site: what is read of X and y, and what y is. */
#include <math.h>
#include <string.h>

#include "apps/lasso/path.h"
#include "apps/lasso/quadratic.h"

/* A dense column loses its mean in place, which no float would hold exactly. */
static data_precision precision_of(const strads_config *config)
{
    const char *name = strads_config_text(config, "data.precision");
    return strcmp(name, "double") == 0                     ? DATA_DOUBLE
           : strcmp(name, "float") == 0                    ? DATA_FLOAT
           : strads_config_bool(config, "lasso.intercept") ? DATA_EXACT_SPARSE
                                                           : DATA_EXACT;
}

data_source lasso_source(const strads_config *config)
{
    static const struct {
        const char *name;
        data_format format;
    } formats[] = {{"auto", DATA_AUTO},
                   {"libsvm", DATA_LIBSVM},
                   {"csv", DATA_CSV},
                   {"matrix_market", DATA_MATRIX_MARKET},
                   {"npy", DATA_NPY}};
    const char *name = strads_config_text(config, "data.format");
    size_t i = 0;
    while (strcmp(formats[i].name, name) != 0) {
        i++;
    }
    return (data_source){.path = strads_config_text(config, "data.path"),
                         .y_path = strads_config_text(config, "data.y"),
                         .format = formats[i].format,
                         .precision = precision_of(config),
                         .target = strads_config_text(config, "data.target"),
                         .cache = strads_config_bool(config, "data.cache") ? "" : NULL};
}

strads_status lasso_check_source(const strads_config *config)
{
    if (strads_config_text(config, "data.path") == NULL) {
        strads_error("data.path is not set: name the file with the data, in the configuration or "
                     "by --set data.path=FILE");
        return STRADS_ERR_USAGE;
    }
    if (lasso_loss_of(config) == LASSO_LOGISTIC && lasso_split_of(config) == STRADS_SPLIT_SAMPLES) {
        strads_error(
            "%s: lasso.loss is logistic, which data.partition: rows cannot do; use columns",
            strads_config_place(config, "lasso.loss"));
        return STRADS_ERR_USAGE;
    }
    return lasso_path_check(config);
}

strads_status lasso_refuse_target(const lasso_site *site, double squares)
{
    const data_source source = lasso_source(site->config);
    strads_error("%s: the squares of y, %g, are out of range: use another unit",
                 source.y_path != NULL ? source.y_path : source.path, squares);
    return STRADS_ERR_NUMERIC;
}

strads_status lasso_take_target(lasso_site *site, double **y)
{
    const size_t n = site->x.n_rows;
    double *target = strads_realloc(*y, (n + 1) * sizeof(*target));
    if (target == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *y = NULL;
    site->target = target;
    target[n] = 0.0;
    return STRADS_OK;
}

static strads_status prepare_target(lasso_site *site)
{
    const size_t n = site->x.n_rows;
    double *target = site->target;
    double sum = 0.0;
    if (site->centre != NULL) {
        site->y_mean = lasso_mean_of(target, n, 0);
        for (size_t i = 0; i < n; i++) {
            target[i] -= site->y_mean;
        }
    }
    const double squares = site->kernels->sum_of_squares(target, 0.0, n);
    if (!lasso_in_range(squares, target, n, 0.0)) {
        return lasso_refuse_target(site, squares);
    }
    for (size_t i = 0; i < n; i++) {
        sum += target[i];
    }
    site->y_squares = squares - sum * sum / (double) n;
    return STRADS_OK;
}

/* ---- labels ---- */

static strads_status refuse_labels(const lasso_site *site, double a, double b, size_t row)
{
    const data_source source = lasso_source(site->config);
    const char *path = source.y_path != NULL ? source.y_path : source.path;
    if (a == b) {
        strads_error("%s: all labels are %g: there is one class only", path, a);
    } else {
        strads_error(
            "%s: row %zu (the first is 0): the label is %g where others are %g: lasso.loss: "
            "logistic takes 0 and 1, or -1 and 1",
            path, row, b, a);
    }
    return STRADS_ERR_DATA;
}

static bool are_classes(double low, double high)
{
    return (low == 0.0 || low == -1.0) && high == 1.0;
}

/* Of labels of two classes -1 and 1. */
static strads_status prepare_labels(lasso_site *site)
{
    const size_t n = site->x.n_rows;
    double *y = site->target;
    double other = y[0];
    for (size_t i = 1; i < n; i++) {
        if (y[i] != y[0] && y[i] != other) {
            if (other != y[0] || !are_classes(fmin(y[0], y[i]), fmax(y[0], y[i]))) {
                return refuse_labels(site, y[0], y[i], i);
            }
            other = y[i];
        }
    }
    if (other == y[0]) {
        return refuse_labels(site, other, other, 0);
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = y[i] == 1.0 ? 1.0 : -1.0;
    }
    site->y_squares = (double) n;
    return STRADS_OK;
}

/* Names of the wrong number are better found before the run than after it. */
static strads_status read_names(lasso_site *site)
{
    const char *path = strads_config_text(site->config, "data.names");
    if (path == NULL) {
        return STRADS_OK; /* those of the data, if it has any */
    }
    site->file_names = site->names;
    site->names = NULL;
    return data_names_read(&site->names, site->n_cols, path);
}

lasso_loss lasso_loss_of(const strads_config *config)
{
    return strcmp(strads_config_text(config, "lasso.loss"), "logistic") == 0 ? LASSO_LOGISTIC
                                                                             : LASSO_SQUARED;
}

strads_split lasso_split_of(const strads_config *config)
{
    const char *name = strads_config_text(config, "data.partition");
    return strcmp(name, "none") == 0      ? STRADS_SPLIT_NONE
           : strcmp(name, "columns") == 0 ? STRADS_SPLIT_VARIABLES
                                          : STRADS_SPLIT_SAMPLES;
}

/* Reads what the process is to hold of the data. */
static strads_status read_share(data_share *share, const lasso_site *site, strads_part *part)
{
    const data_source source = lasso_source(site->config);
    if (site->split != STRADS_SPLIT_NONE) {
        return data_share_read(share, &source,
                               site->split == STRADS_SPLIT_SAMPLES ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                               part);
    }
    data_regression *whole = strads_calloc(1, sizeof(*whole));
    const strads_status status =
        whole == NULL ? STRADS_ERR_NOMEM : data_regression_read(whole, &source);
    if (status != STRADS_OK) {
        strads_free(whole);
        return status;
    }
    *share = (data_share){.n_rows = whole->x.n_rows,
                          .n_cols = whole->x.n_cols,
                          .shards = whole,
                          .n_shards = 1,
                          .names = whole->names};
    whole->names = NULL;
    return STRADS_OK;
}

/* Makes the site of what was read, and takes it. */
static strads_status take_share(lasso_site *site, data_share *share, strads_part *part)
{
    site->n_rows = share->n_rows;
    site->n_cols = share->n_cols;
    site->entries = share->entries;
    site->firsts = share->firsts;
    site->names = share->names;
    site->n_workers = strads_part_rank(part, strads_part_count(part));
    site->first_rank = strads_part_rank(part, strads_part_index(part));
    share->entries = NULL;
    share->firsts = NULL;
    share->names = NULL;
    if (share->shards[0].y == NULL) {
        strads_error("%s: there is no y in the file: name it with data.y",
                     strads_config_text(site->config, "data.path"));
        return STRADS_ERR_DATA;
    }
    if (site->split == STRADS_SPLIT_SAMPLES) {
        return lasso_prepare_rows(site, share, part);
    }
    site->first_col = site->firsts == NULL ? 0 : site->firsts[site->first_rank];
    site->x = share->shards[0].x;
    share->shards[0].x = (data_matrix){.n_rows = 0};
    strads_status status = lasso_take_target(site, &share->shards[0].y);
    if (status == STRADS_OK) {
        status = lasso_prepare_columns(site);
    }
    if (status != STRADS_OK) {
        return status;
    }
    return site->loss == LASSO_LOGISTIC ? prepare_labels(site) : prepare_target(site);
}

strads_status lasso_open_site(const strads_config *config, strads_part *part, void **out)
{
    strads_status status = lasso_check_source(config);
    if (status != STRADS_OK) {
        return status;
    }
    lasso_site *site = strads_calloc(1, sizeof(*site));
    if (site == NULL) {
        return STRADS_ERR_NOMEM;
    }
    site->config = config;
    site->split = lasso_split_of(config);
    site->l1_ratio = strads_config_real(config, "lasso.l1_ratio");
    site->loss = lasso_loss_of(config);
    site->kernels = lasso_kernels_choose(strads_config_bool(config, "run.deterministic"));
    data_share share = {.n_shards = 0};
    lasso_quadratic_prepare();
    status = read_share(&share, site, part);
    if (status == STRADS_OK) {
        status = take_share(site, &share, part);
        data_share_fini(&share);
    }
    if (status == STRADS_OK) {
        status = read_names(site);
    }
    if (status == STRADS_OK) {
        status = lasso_draw_folds(site);
    }
    if (status != STRADS_OK) {
        lasso_close_site(site);
        return status;
    }
    *out = site;
    return STRADS_OK;
}

const lasso_site *lasso_site_of(const lasso_site *site, uint32_t rank)
{
    return site->shards == NULL ? site : &site->shards[rank - site->first_rank];
}

void lasso_close_site(void *state)
{
    lasso_site *site = state;
    for (uint32_t k = 0; k < site->n_shards; k++) {
        data_matrix_fini(&site->shards[k].x);
        strads_free(site->shards[k].target);
    }
    data_names_free(site->names, site->n_cols);
    data_names_free(site->file_names, site->n_cols);
    data_matrix_fini(&site->x);
    strads_free(site->shards);
    strads_free(site->target);
    strads_free(site->fold);
    strads_free(site->centre);
    strads_free(site->scale);
    strads_free(site->entries);
    strads_free(site->firsts);
    strads_free(site->norm2);
    strads_free(site->alike);
    lasso_codes_fini(&site->codes);
    strads_free(site);
}

strads_status lasso_describe(const void *state, strads_structure *structure)
{
    const lasso_site *site = state;
    const double n_rows = (double) site->n_rows;
    structure->n_vars = (uint32_t) site->n_cols;
    structure->partial_width = LASSO_PARTIAL_WIDTH;
    structure->split = site->split;
    structure->firsts = site->firsts;
    structure->n_shared = site->split == STRADS_SPLIT_SAMPLES ? 0 : site->n_rows + 1;
    /* A shared sweep adds up n_rows numbers, and keeps, weighs and undoes as many for the guard:
     * below this that costs what sharing saves. */
    structure->parallel_cost = fmax(60000.0, 24.0 * n_rows);
    return STRADS_OK;
}

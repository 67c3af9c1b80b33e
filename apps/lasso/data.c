/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/data.c - the site: X and y, centred and weighted. A sparse X is centred
 * without being changed; a dense one in place, because columns far from zero would
 * drown the residual in rounding. */
#include <math.h>
#include <string.h>

#include "apps/lasso/anderson.h"
#include "apps/lasso/lasso.h"

/* A column whose squares about its mean come to less than this share of the mean's is
 * constant: what is left of them is rounding. */
static const double CONSTANT = 1e-24;
/* Squares below it have lost digits to underflow. */
static const double LEAST_SQUARES = 1e-290;

double lasso_dot(const lasso_site *site, uint32_t var, const double *v)
{
    const data_matrix *x = &site->x;
    if (x->col_start == NULL) {
        return site->kernels->dot(x->value + (size_t) var * x->n_rows, v, x->n_rows);
    }
    const int64_t first = x->col_start[var];
    return site->kernels->dot_sparse(x->value + first, x->row + first,
                                     (size_t) (x->col_start[var + 1] - first), v);
}

void lasso_add(const lasso_site *site, uint32_t var, double a, double *v)
{
    const data_matrix *x = &site->x;
    if (x->col_start == NULL) {
        site->kernels->add(a, x->value + (size_t) var * x->n_rows, v, x->n_rows);
        return;
    }
    const int64_t first = x->col_start[var];
    site->kernels->add_sparse(a, x->value + first, x->row + first,
                              (size_t) (x->col_start[var + 1] - first), v);
}

/* The stored entries of a column. */
static const double *entries(const data_matrix *x, uint32_t var, size_t *n)
{
    if (x->col_start == NULL) {
        *n = x->n_rows;
        return x->value + (size_t) var * x->n_rows;
    }
    *n = (size_t) (x->col_start[var + 1] - x->col_start[var]);
    return x->value + x->col_start[var];
}

/* Squares about `mean`, of all n_rows elements. */
static double squares_about(const lasso_site *site, uint32_t var, double mean)
{
    size_t n = 0;
    const double *value = entries(&site->x, var, &n);
    const double of_mean = mean * mean;
    const double squares =
        site->kernels->sum_of_squares(value, -mean, n) + (double) (site->x.n_rows - n) * of_mean;
    return squares > CONSTANT * (double) site->x.n_rows * of_mean ? squares : 0.0;
}

double lasso_norm2(const lasso_site *site, uint32_t var)
{
    return squares_about(site, var, lasso_mean(site, var));
}

double lasso_cost(const void *state, uint32_t var)
{
    const lasso_site *site = state;
    size_t n = 0;
    entries(&site->x, var, &n);
    return (double) n + 1.0;
}

data_source lasso_source(const strads_config *config)
{
    static const struct {
        const char *name;
        data_format format;
    } formats[] = {{"auto", DATA_AUTO},
                   {"libsvm", DATA_LIBSVM},
                   {"matrix_market", DATA_MATRIX_MARKET},
                   {"npy", DATA_NPY}};
    const char *name = strads_config_text(config, "data.format");
    size_t i = 0;
    while (strcmp(formats[i].name, name) != 0) {
        i++;
    }
    return (data_source){.path = strads_config_text(config, "data.path"),
                         .y_path = strads_config_text(config, "data.y"),
                         .format = formats[i].format};
}

static strads_status check_source(const strads_config *config)
{
    if (strads_config_text(config, "data.path") == NULL) {
        strads_error("data.path is not set: name the file with the data, in the configuration or "
                     "by --set data.path=FILE");
        return STRADS_ERR_USAGE;
    }
    if (strads_config_given(config, "lasso.lambda") &&
        strads_config_given(config, "lasso.lambda_ratio")) {
        strads_error("%s: lasso.lambda and lasso.lambda_ratio are both given; give one",
                     strads_config_place(config, "lasso.lambda"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* ---- means and weights ---- */

/* The mean of n values and n_zeros zeros, corrected by the mean of what it leaves: that
 * of equal values is exact. */
static double mean_of(const double *value, size_t n, size_t n_zeros)
{
    const double count = (double) n + (double) n_zeros;
    double sum = 0.0;
    for (size_t k = 0; k < n; k++) {
        sum += value[k];
    }
    const double mean = sum / count;
    double left = -mean * (double) n_zeros;
    for (size_t k = 0; k < n; k++) {
        left += value[k] - mean;
    }
    return mean + left / count;
}

/* Whether all is well with squares of these values less `mean`: they neither overflow
 * nor come to (almost) nothing where the values are not all the same. */
static bool in_range(double squares, const double *value, size_t n, double mean)
{
    bool same = true;
    for (size_t k = 0; k < n && squares < LEAST_SQUARES && same; k++) {
        same = value[k] == mean;
    }
    return isfinite(squares) && (squares >= LEAST_SQUARES || same);
}

static void centre_column(lasso_site *site, uint32_t var, bool is_constant)
{
    const size_t n = site->x.n_rows;
    double *value = site->x.value + (size_t) var * n;
    for (size_t i = 0; i < n; i++) {
        value[i] = is_constant ? 0.0 : value[i] - site->centre[var];
    }
}

/* A column's mean and scale; a dense one loses its mean. */
static strads_status prepare_column(lasso_site *site, uint32_t var, const char *path)
{
    size_t n = 0;
    const double *value = entries(&site->x, var, &n);
    const double mean = mean_of(value, n, site->x.n_rows - n);
    const double centre = site->centre != NULL ? mean : 0.0;
    const double squares = site->kernels->sum_of_squares(value, -centre, n);
    if (!in_range(squares, value, n, centre)) {
        strads_error("%s: column %u (the first is 0): the squares of its values add up to %g, "
                     "which is out of range: use another unit",
                     path, var, squares);
        return STRADS_ERR_NUMERIC;
    }
    const double about_mean = squares_about(site, var, mean);
    if (site->scale != NULL) {
        site->scale[var] = about_mean > 0.0 ? sqrt((double) site->x.n_rows / about_mean) : 0.0;
    }
    if (site->centre != NULL) {
        site->centre[var] = mean;
    }
    if (site->centre != NULL && site->mean == NULL) {
        centre_column(site, var, about_mean == 0.0);
    }
    return STRADS_OK;
}

static strads_status prepare_columns(lasso_site *site, const strads_config *config,
                                     const char *path)
{
    const size_t bytes = sizeof(double);
    if (strads_config_bool(config, "lasso.intercept")) {
        site->centre = strads_alloc_array(site->x.n_cols, bytes);
        if (site->centre == NULL) {
            return STRADS_ERR_NOMEM;
        }
        site->mean = site->x.col_start != NULL ? site->centre : NULL;
    }
    if (strads_config_bool(config, "lasso.standardize")) {
        site->scale = strads_alloc_array(site->x.n_cols, bytes);
        if (site->scale == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    strads_status status = STRADS_OK;
    for (size_t j = 0; j < site->x.n_cols && status == STRADS_OK; j++) {
        status = prepare_column(site, (uint32_t) j, path);
    }
    return status;
}

static strads_status prepare_target(lasso_site *site, double *y, const data_source *source)
{
    const size_t n = site->x.n_rows;
    double *target = strads_realloc(y, (n + 1) * sizeof(*target));
    if (target == NULL) {
        strads_free(y);
        return STRADS_ERR_NOMEM;
    }
    site->target = target;
    target[n] = 0.0;
    if (site->centre != NULL) {
        site->y_mean = mean_of(target, n, 0);
        for (size_t i = 0; i < n; i++) {
            target[i] -= site->y_mean;
        }
    }
    const double squares = site->kernels->sum_of_squares(target, 0.0, n);
    if (!in_range(squares, target, n, 0.0)) {
        strads_error("%s: the squares of y, %g, are out of range: use another unit",
                     source->y_path != NULL ? source->y_path : source->path, squares);
        return STRADS_ERR_NUMERIC;
    }
    return STRADS_OK;
}

/* Names of the wrong number are better found before the run than after it. */
static strads_status read_names(lasso_site *site)
{
    const char *path = strads_config_text(site->config, "data.names");
    return path == NULL ? STRADS_OK : data_names_read(&site->names, site->x.n_cols, path);
}

strads_status lasso_open_site(const strads_config *config, strads_part *part, void **out)
{
    (void) part;
    strads_status status = check_source(config);
    if (status != STRADS_OK) {
        return status;
    }
    lasso_site *site = strads_calloc(1, sizeof(*site));
    if (site == NULL) {
        return STRADS_ERR_NOMEM;
    }
    site->config = config;
    site->l1_ratio = strads_config_real(config, "lasso.l1_ratio");
    site->kernels = lasso_kernels_choose(strads_config_bool(config, "run.deterministic"));
    const data_source source = lasso_source(config);
    data_regression data = {.y = NULL};
    status = data_regression_read(&data, &source);
    if (status == STRADS_OK) {
        site->x = data.x;
        status = data.y == NULL ? STRADS_ERR_DATA : prepare_columns(site, config, source.path);
        if (data.y == NULL) {
            strads_error("%s: there is no y in the file: name it with data.y", source.path);
        } else if (status == STRADS_OK) {
            status = prepare_target(site, data.y, &source);
        } else {
            strads_free(data.y);
        }
    }
    if (status == STRADS_OK) {
        status = read_names(site);
    }
    if (status != STRADS_OK) {
        lasso_close_site(site);
        return status;
    }
    *out = site;
    return STRADS_OK;
}

void lasso_close_site(void *state)
{
    lasso_site *site = state;
    data_names_free(site->names, site->x.n_cols);
    data_matrix_fini(&site->x);
    strads_free(site->target);
    strads_free(site->centre);
    strads_free(site->scale);
    strads_free(site);
}

strads_status lasso_describe(const void *state, strads_structure *structure)
{
    const lasso_site *site = state;
    const double n_rows = (double) site->x.n_rows;
    structure->n_vars = (uint32_t) site->x.n_cols;
    structure->partial_width = LASSO_PARTIAL_WIDTH;
    structure->n_shared = site->x.n_rows + 1;
    /* An exchange adds up n_rows numbers: below this it costs what it saves. */
    structure->parallel_cost = fmax(30000.0, 8.0 * n_rows);
    return STRADS_OK;
}

/* A worker's copies of the residual: its state; two of the guard; with working sets, of
 * which the last may be extrapolated, the iterates that are kept. A worker that is alone
 * in a round has no guard, but that is little beside the data. */
enum { COPIES = 3, ITERATES = ANDERSON_DEPTH + 1 };

static size_t copies(const strads_config *config)
{
    const bool drawn = strads_config_int(config, "schedule.round") > 0 ||
                       strcmp(strads_config_text(config, "schedule.kind"), "structure_aware") != 0;
    return drawn ? COPIES : COPIES + ITERATES;
}

strads_status lasso_estimate(const strads_config *config, size_t *n_vars, size_t *site_bytes,
                             size_t *worker_bytes)
{
    strads_status status = check_source(config);
    if (status != STRADS_OK) {
        return status;
    }
    const data_source source = lasso_source(config);
    data_size size;
    status = data_regression_measure(&size, &source);
    if (status != STRADS_OK) {
        return status;
    }
    /* By variable: coefficient, gradient, score, priorities, lists. */
    const size_t by_variable = 64;
    const size_t solve = size.bytes + by_variable * size.n_cols;
    printf("%s: %zu rows, %zu columns, %zu entries%s\n", source.path, size.n_rows, size.n_cols,
           size.n_entries, size.dense ? " (dense)" : "");
    *n_vars = size.n_cols;
    *site_bytes = solve > size.peak_bytes ? solve : size.peak_bytes;
    *worker_bytes = copies(config) * size.n_rows * sizeof(double);
    return STRADS_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/data.c - the site: X and y, centred and weighted without being changed. */
#include <math.h>
#include <string.h>

#include "apps/lasso/lasso.h"

/* A column whose squares, centred, come to less than this share of themselves is
 * constant: what is left of them is rounding. */
static const double CONSTANT = 1e-12;

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
    const double squares = site->kernels->dot(value, value, n);
    const double centred = squares - (double) site->x.n_rows * mean * mean;
    return centred > CONSTANT * squares ? centred : 0.0;
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

static double mean_of(const data_matrix *x, uint32_t var)
{
    size_t n = 0;
    double sum = 0.0;
    const double *value = entries(x, var, &n);
    for (size_t k = 0; k < n; k++) {
        sum += value[k];
    }
    return sum / (double) x->n_rows;
}

static void find_moments(lasso_site *site)
{
    for (size_t j = 0; j < site->x.n_cols; j++) {
        const double mean = mean_of(&site->x, (uint32_t) j);
        if (site->mean != NULL) {
            site->mean[j] = mean;
        }
        if (site->scale != NULL) {
            const double squares = squares_about(site, (uint32_t) j, mean);
            site->scale[j] = squares > 0.0 ? sqrt((double) site->x.n_rows / squares) : 0.0;
        }
    }
}

static strads_status prepare_columns(lasso_site *site, const strads_config *config)
{
    const size_t bytes = sizeof(double);
    if (strads_config_bool(config, "lasso.intercept")) {
        site->mean = strads_alloc_array(site->x.n_cols, bytes);
        if (site->mean == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    if (strads_config_bool(config, "lasso.standardize")) {
        site->scale = strads_alloc_array(site->x.n_cols, bytes);
        if (site->scale == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    if (site->mean != NULL || site->scale != NULL) {
        find_moments(site);
    }
    return STRADS_OK;
}

static strads_status prepare_target(lasso_site *site, double *y)
{
    const size_t n = site->x.n_rows;
    double *target = strads_realloc(y, (n + 1) * sizeof(*target));
    if (target == NULL) {
        strads_free(y);
        return STRADS_ERR_NOMEM;
    }
    site->target = target;
    target[n] = 0.0;
    if (site->mean != NULL) {
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            sum += target[i];
        }
        site->y_mean = sum / (double) n;
        for (size_t i = 0; i < n; i++) {
            target[i] -= site->y_mean;
        }
    }
    return STRADS_OK;
}

strads_status lasso_open_site(const strads_config *config, void **out)
{
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
        status = data.y == NULL ? STRADS_ERR_DATA : prepare_columns(site, config);
        if (data.y == NULL) {
            strads_error("%s: there is no y in the file: name it with data.y", source.path);
        } else if (status == STRADS_OK) {
            status = prepare_target(site, data.y);
        } else {
            strads_free(data.y);
        }
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
    data_matrix_fini(&site->x);
    strads_free(site->target);
    strads_free(site->mean);
    strads_free(site->scale);
    strads_free(site);
}

strads_status lasso_describe(const void *state, strads_structure *structure)
{
    const lasso_site *site = state;
    const double n_rows = (double) site->x.n_rows;
    structure->n_vars = (uint32_t) site->x.n_cols;
    structure->partial_width = LASSO_PARTIAL_WIDTH;
    /* An exchange adds up n_rows numbers: below this it costs what it saves. */
    structure->parallel_cost = fmax(30000.0, 8.0 * n_rows);
    return STRADS_OK;
}

strads_status lasso_estimate(const strads_config *config, size_t *bytes)
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
    const size_t solve = size.bytes + by_variable * size.n_cols + 64 * size.n_rows;
    printf("%s: %zu rows, %zu columns, %zu entries%s\n", source.path, size.n_rows, size.n_cols,
           size.n_entries, size.dense ? " (dense)" : "");
    *bytes = solve > size.peak_bytes ? solve : size.peak_bytes;
    return STRADS_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/predict.c - a saved model on new data. */
#include <math.h>
#include <string.h>

#include "apps/lasso/lasso.h"

static strads_status read_array(double **out, size_t *n, const char *dir, const char *name)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s/%s", dir, name);
    const strads_status status = data_npy_read(out, n, path);
    strads_free(path);
    return status;
}

static void add_columns(const data_matrix *x, const double *coefficients, double *predicted)
{
    for (size_t j = 0; j < x->n_cols; j++) {
        const double b = coefficients[j];
        if (b == 0.0) {
            continue;
        }
        if (x->col_start == NULL) {
            for (size_t i = 0; i < x->n_rows; i++) {
                predicted[i] += b * x->value[j * x->n_rows + i];
            }
        } else {
            for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
                predicted[x->row[k]] += b * x->value[k];
            }
        }
    }
}

static void say_how_good(const double *y, const double *predicted, size_t n)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] / (double) n;
    }
    double total = 0.0;
    double left = 0.0;
    for (size_t i = 0; i < n; i++) {
        total += (y[i] - mean) * (y[i] - mean);
        left += (y[i] - predicted[i]) * (y[i] - predicted[i]);
    }
    strads_info("%zu rows  R^2 %.4f  RMSE %.6g", n, total > 0.0 ? 1.0 - left / total : (double) NAN,
                sqrt(left / (double) n));
}

static strads_status predict(const data_regression *data, const double *coefficients,
                             double intercept, FILE *to)
{
    const size_t n = data->x.n_rows;
    double *predicted = strads_alloc_array(n, sizeof(*predicted));
    if (predicted == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        predicted[i] = intercept;
    }
    add_columns(&data->x, coefficients, predicted);
    bool written = true;
    for (size_t i = 0; i < n && written; i++) {
        written = fprintf(to, "%.10g\n", predicted[i]) > 0;
    }
    if (!written) {
        strads_error("cannot write the predictions");
    } else if (data->y != NULL) {
        say_how_good(data->y, predicted, n);
    }
    strads_free(predicted);
    return written ? STRADS_OK : STRADS_ERR_IO;
}

strads_status lasso_predict(const strads_config *config, const char *model_dir,
                            const char *data_path, FILE *to)
{
    double *coefficients = NULL;
    double *intercept = NULL;
    size_t n_cols = 0;
    size_t n_intercepts = 0;
    data_regression data = {.y = NULL};
    strads_status status = read_array(&coefficients, &n_cols, model_dir, "coefficients.npy");
    if (status == STRADS_OK) {
        status = read_array(&intercept, &n_intercepts, model_dir, "intercept.npy");
    }
    if (status == STRADS_OK && (n_intercepts != 1 || n_cols == 0)) {
        strads_error("%s: coefficients.npy has %zu and intercept.npy %zu numbers; the one needs "
                     "some, the other is one",
                     model_dir, n_cols, n_intercepts);
        status = STRADS_ERR_DATA;
    }
    if (status == STRADS_OK) {
        /* The target of the training data is not that of these. */
        const data_source source = {
            .path = data_path, .format = lasso_source(config).format, .n_cols = n_cols};
        status = data_regression_read(&data, &source);
    }
    if (status == STRADS_OK && data.x.n_cols != n_cols) {
        strads_error("%s: %zu columns, but the model has %zu coefficients", data_path,
                     data.x.n_cols, n_cols);
        status = STRADS_ERR_DATA;
    }
    if (status == STRADS_OK) {
        status = predict(&data, coefficients, intercept[0], to);
    }
    data_regression_fini(&data);
    strads_free(intercept);
    strads_free(coefficients);
    return status;
}

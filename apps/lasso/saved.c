/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/saved.c - another lambda of the path that a run has left. */
#include <math.h>

#include "apps/lasso/model.h"

/* How far a lambda may be from one of the path: it is typed by hand, with few digits. */
static const double NEAR = 0.01;

/* values[n] := that column of a CSV file of the run; *data holds the target beside it, "": none. */
static strads_status read_column(data_regression *data, double **values, const char *dir,
                                 const char *name, const char *column, const char *target)
{
    const char *const names[] = {column};
    char *path = lasso_path_in(dir, name);
    const data_source source = {
        .path = path, .format = DATA_CSV, .n_cols = 1, .target = target, .names = names};
    strads_status status = path == NULL ? STRADS_ERR_NOMEM : data_regression_read(data, &source);
    strads_free(path);
    if (status != STRADS_OK) {
        return status;
    }
    double *made = strads_calloc(data->x.n_rows, sizeof(*made));
    if (made == NULL) {
        data_regression_fini(data);
        return STRADS_ERR_NOMEM;
    }
    data_matrix_add(&data->x, 0, 1.0, made);
    *values = made;
    return STRADS_OK;
}

static strads_status find_lambda(size_t *out, const double *lambdas, size_t n, double lambda,
                                 const char *dir)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = fabs(lambdas[i] - lambda) < fabs(lambdas[best] - lambda) ? i : best;
    }
    if (fabs(lambdas[best] - lambda) > NEAR * lambda) {
        strads_error("%s: predict.lambda is %g, but the nearest on the path is %.6g; path.csv "
                     "has all",
                     dir, lambda, lambdas[best]);
        return STRADS_ERR_USAGE;
    }
    *out = best;
    return STRADS_OK;
}

/* coefficients[n_cols] := row i of path.npy, whose columns are those of path_columns.csv. */
static strads_status read_row(double *coefficients, size_t n_cols, size_t i, const char *dir)
{
    data_regression columns, values;
    double *index = NULL;
    strads_status status = read_column(&columns, &index, dir, "path_columns.csv", "index", "");
    if (status != STRADS_OK) {
        return status;
    }
    char *path = lasso_path_in(dir, "path.npy");
    const data_source source = {.path = path, .format = DATA_NPY};
    status = path == NULL ? STRADS_ERR_NOMEM : data_regression_read(&values, &source);
    strads_free(path);
    if (status == STRADS_OK) {
        const data_matrix *x = &values.x;
        bool fits = x->n_cols == columns.x.n_rows && i < x->n_rows;
        for (size_t k = 0; k < x->n_cols && fits; k++) {
            fits = index[k] >= 0.0 && index[k] < (double) n_cols;
            if (fits) {
                coefficients[(size_t) index[k]] = x->value[k * x->n_rows + i];
            }
        }
        if (!fits) {
            strads_error("%s: path.npy, path_columns.csv and coefficients.npy are not of one run",
                         dir);
            status = STRADS_ERR_DATA;
        }
        data_regression_fini(&values);
    }
    strads_free(index);
    data_regression_fini(&columns);
    return status;
}

strads_status lasso_saved_at(double *coefficients, size_t n_cols, double *intercept, double lambda,
                             const char *dir)
{
    data_regression data;
    double *lambdas = NULL;
    size_t at = 0;
    strads_status status = read_column(&data, &lambdas, dir, "path.csv", "lambda", "intercept");
    if (status != STRADS_OK) {
        return status;
    }
    status = find_lambda(&at, lambdas, data.x.n_rows, lambda, dir);
    for (size_t j = 0; j < n_cols && status == STRADS_OK; j++) {
        coefficients[j] = 0.0;
    }
    if (status == STRADS_OK) {
        status = read_row(coefficients, n_cols, at, dir);
    }
    if (status == STRADS_OK) {
        *intercept = data.y[at];
        strads_info("lambda %.6g of the path", lambdas[at]);
    }
    strads_free(lambdas);
    data_regression_fini(&data);
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/predict.c - a saved model on new data. */
#include <math.h>
#include <unistd.h>

#include "apps/lasso/model.h"

static strads_status read_array(double **out, size_t *n, const char *dir, const char *name)
{
    char *path = lasso_path_in(dir, name);
    const strads_status status = path == NULL ? STRADS_ERR_NOMEM : data_npy_read(out, n, path);
    strads_free(path);
    return status;
}

/* What is predicted of rows whose x'b + b0 is eta: itself, or how likely class 1 is. */
static bool write_predictions(const double *eta, size_t n, lasso_loss loss, FILE *to)
{
    bool written = true;
    for (size_t i = 0; i < n && written; i++) {
        const double predicted = loss == LASSO_LOGISTIC ? 1.0 / (1.0 + exp(-eta[i])) : eta[i];
        written = fprintf(to, "%.10g\n", predicted) > 0;
    }
    if (!written) {
        strads_error("cannot write the predictions");
    }
    return written;
}

static strads_status say_how_good(const double *y, const double *eta, size_t n, lasso_loss loss,
                                  const char *path)
{
    lasso_metrics metrics;
    strads_status status = loss == LASSO_LOGISTIC ? lasso_check_labels(y, n, path) : STRADS_OK;
    if (status == STRADS_OK) {
        status = lasso_metrics_of(&metrics, loss, y, eta, n);
    }
    if (status == STRADS_OK) {
        lasso_metrics_say(&metrics, loss, "");
    }
    return status;
}

static strads_status predict(const data_regression *data, const double *coefficients,
                             double intercept, lasso_loss loss, const char *path, FILE *to)
{
    const size_t n = data->x.n_rows;
    double *eta = strads_alloc_array(n, sizeof(*eta));
    if (eta == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        eta[i] = intercept;
    }
    for (size_t j = 0; j < data->x.n_cols; j++) {
        if (coefficients[j] != 0.0) {
            data_matrix_add(&data->x, j, coefficients[j], eta);
        }
    }
    strads_status status = write_predictions(eta, n, loss, to) ? STRADS_OK : STRADS_ERR_IO;
    if (status == STRADS_OK && data->y != NULL) {
        status = say_how_good(data->y, eta, n, loss, path);
    }
    strads_free(eta);
    return status;
}

/* The n lines of a file of the model; *out NULL: it has none. */
static strads_status read_names(char ***out, size_t n, const char *dir, const char *name)
{
    char *path = lasso_path_in(dir, name);
    strads_status status = path == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK && access(path, F_OK) == 0) {
        status = data_names_read(out, n, path);
    }
    strads_free(path);
    return status;
}

/* What the file may call its target: what the configuration says, or the run found, or nothing
 * where the training data had theirs in a file of its own. *kept NULL: no run told. */
static strads_status find_target(const char **out, char ***kept, const data_source *training,
                                 const char *dir)
{
    *out = training->target != NULL ? training->target : training->y_path != NULL ? "" : NULL;
    const strads_status status = *out == NULL ? read_names(kept, 1, dir, "target.txt") : STRADS_OK;
    if (status == STRADS_OK && *kept != NULL) {
        *out = (*kept)[0];
    }
    return status;
}

/* Reads rows to predict: the columns of the n names, or all where there are none. */
static strads_status read_rows(data_regression *data, const strads_config *config,
                               char *const *names, size_t n_cols, const char *dir,
                               const char *data_path)
{
    /* The file of targets of the training data is not that of these. */
    const data_source training = lasso_source(config);
    data_source source = {.path = data_path,
                          .format = training.format,
                          .n_cols = n_cols,
                          .names = (const char *const *) names};
    char **kept = NULL;
    strads_status status = find_target(&source.target, &kept, &training, dir);
    if (status == STRADS_OK) {
        status = data_regression_read(data, &source);
    }
    data_names_free(kept, 1);
    if (status == STRADS_OK && data->x.n_cols != n_cols) {
        strads_error("%s: %zu columns, but the model has %zu coefficients", data_path,
                     data->x.n_cols, n_cols);
        return STRADS_ERR_DATA;
    }
    return status;
}

strads_status lasso_predict(const strads_config *config, const char *model_dir,
                            const char *data_path, FILE *to)
{
    double *coefficients = NULL;
    double *intercept = NULL;
    size_t n_cols = 0;
    size_t n_intercepts = 0;
    char **names = NULL;
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
    if (status == STRADS_OK && strads_config_given(config, "predict.lambda")) {
        status = lasso_saved_at(coefficients, n_cols, intercept,
                                strads_config_real(config, "predict.lambda"), model_dir);
    }
    if (status == STRADS_OK) {
        status = read_names(&names, n_cols, model_dir, "names.txt");
    }
    if (status == STRADS_OK) {
        status = read_rows(&data, config, names, n_cols, model_dir, data_path);
    }
    if (status == STRADS_OK) {
        status = predict(&data, coefficients, intercept[0], lasso_loss_of(config), data_path, to);
    }
    data_regression_fini(&data);
    data_names_free(names, n_cols);
    strads_free(intercept);
    strads_free(coefficients);
    return status;
}

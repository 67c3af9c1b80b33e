/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/tables.c - the path and its cross-validation as files, and as a table. */
#include <math.h>
#include <string.h>

#include "apps/lasso/model.h"

enum { LINES = 20 }; /* of the table, about */

/* ---- path.csv ---- */

/* A row's columns behind those of the values themselves: train_, validation_ and test_error,
 * where there are such rows. */
typedef struct row {
    const char *of;
    lasso_metrics metrics;
} row;

enum { MAX_SETS = 3 };

static size_t list_sets(const lasso_curve *curve, size_t i, row sets[MAX_SETS])
{
    const lasso_value *value = &curve->model->path.values[i];
    size_t n = 0;
    sets[n++] = (row){"train", lasso_metrics_trained(curve->model, value)};
    if (value->measures[LASSO_HELD_ROWS] > 0.0) {
        sets[n++] = (row){"validation", lasso_metrics_held(curve->model, value)};
    }
    if (curve->test != NULL) {
        sets[n++] = (row){"test", curve->test[i]};
    }
    return n;
}

/* The share of the loss at 0 coefficients that is explained: R^2 where it is squared. */
static double explained(const lasso_model *model, const lasso_value *value)
{
    return model->null_loss > 0.0 ? 1.0 - value->measures[LASSO_LOSS] / model->null_loss
                                  : (double) NAN;
}

static void write_head(FILE *to, const lasso_curve *curve)
{
    const lasso_loss loss = curve->model->loss;
    row sets[MAX_SETS];
    const size_t n = list_sets(curve, 0, sets);
    fprintf(to, "lambda,nonzeros,objective,gap,reached,intercept,%s",
            loss == LASSO_SQUARED ? "r2" : "deviance_ratio");
    for (size_t k = 0; k < n; k++) {
        fprintf(to, ",%s_%s%s%s%s", sets[k].of, lasso_error_name(loss),
                loss == LASSO_LOGISTIC ? "," : "", loss == LASSO_LOGISTIC ? sets[k].of : "",
                loss == LASSO_LOGISTIC ? "_auc" : "");
    }
    fputs(curve->model->path.n_folds > 0 ? ",cv_error,cv_spread\n" : "\n", to);
}

static void write_value(FILE *to, const lasso_curve *curve, size_t i)
{
    const lasso_model *model = curve->model;
    const lasso_value *value = &model->path.values[i];
    row sets[MAX_SETS];
    const size_t n = list_sets(curve, i, sets);
    fprintf(to, "%.17g,%zu,%.17g,%.3g,%d,%.17g,%.9g", value->lambda, value->n, value->objective,
            value->gap, value->reached, value->intercept, explained(model, value));
    for (size_t k = 0; k < n; k++) {
        fprintf(to, ",%.9g", lasso_metrics_error(&sets[k].metrics, model->loss));
        if (model->loss == LASSO_LOGISTIC) {
            fprintf(to, ",%.9g", sets[k].metrics.auc);
        }
    }
    if (model->path.n_folds > 0) {
        fprintf(to, ",%.9g,%.9g", value->cv_error, value->cv_spread);
    }
    putc('\n', to);
}

static strads_status save_path_csv(const lasso_curve *curve, const char *dir)
{
    data_writer *writer = NULL;
    const strads_status status = lasso_open_in(&writer, dir, "path.csv");
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    write_head(to, curve);
    for (size_t i = 0; i < curve->n; i++) {
        write_value(to, curve, i);
    }
    return data_writer_commit(writer);
}

/* ---- cv.csv ---- */

static strads_status save_cv_csv(const lasso_curve *curve, const char *dir)
{
    const lasso_path *path = &curve->model->path;
    data_writer *writer = NULL;
    const strads_status status = lasso_open_in(&writer, dir, "cv.csv");
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    fputs("lambda,error,spread,not_reached", to);
    for (uint32_t k = 1; k <= path->n_folds_done; k++) {
        fprintf(to, ",fold_%u", k);
    }
    putc('\n', to);
    for (size_t i = 0; i < path->n; i++) {
        const lasso_value *value = &path->values[i];
        unsigned n_short = 0;
        for (uint32_t k = 0; k < path->n_folds; k++) {
            n_short += path->fold_short[k * path->n + i];
        }
        fprintf(to, "%.17g,%.17g,%.17g,%u", value->lambda, value->cv_error, value->cv_spread,
                n_short);
        for (uint32_t k = 0; k < path->n_folds_done; k++) {
            fprintf(to, ",%.17g", path->fold_errors[k * path->n + i]);
        }
        putc('\n', to);
    }
    return data_writer_commit(writer);
}

/* The fold of each row, -1 for those that never train. */
static strads_status save_folds(const lasso_site *site, const char *dir)
{
    char *path = lasso_path_in(dir, "folds.npy");
    double *folds = strads_alloc_array(site->n_rows, sizeof(*folds));
    strads_status status = path == NULL || folds == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t i = 0; i < site->n_rows && status == STRADS_OK; i++) {
        folds[i] = site->fold[i] == LASSO_ALWAYS_OUT ? -1.0 : site->fold[i];
    }
    if (status == STRADS_OK) {
        status = data_npy_write(path, folds, site->n_rows, 0);
    }
    strads_free(folds);
    strads_free(path);
    return status;
}

/* ---- path.npy: the coefficients of the columns that ever have one ---- */

/* places[j] := where column j stands among those; returns how many there are. */
static size_t find_places(const lasso_curve *curve, uint32_t *places)
{
    const lasso_path *path = &curve->model->path;
    const size_t n_cols = curve->model->site->n_cols;
    size_t n = 0;
    for (size_t j = 0; j < n_cols; j++) {
        places[j] = 0;
    }
    for (size_t i = 0; i < curve->n; i++) {
        for (size_t k = 0; k < path->values[i].n; k++) {
            places[path->values[i].vars[k]] = 1;
        }
    }
    for (size_t j = 0; j < n_cols; j++) {
        places[j] = places[j] == 1 ? (uint32_t) n++ : UINT32_MAX;
    }
    return n;
}

static strads_status save_columns(const lasso_curve *curve, const uint32_t *places, const char *dir)
{
    const lasso_site *site = curve->model->site;
    data_writer *writer = NULL;
    const strads_status status = lasso_open_in(&writer, dir, "path_columns.csv");
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    fputs("index,name\n", to);
    for (size_t j = 0; j < site->n_cols; j++) {
        if (places[j] != UINT32_MAX) {
            fprintf(to, "%zu,", j);
            if (site->names != NULL) {
                lasso_write_text(to, site->names[j]);
            }
            putc('\n', to);
        }
    }
    return data_writer_commit(writer);
}

static strads_status save_coefficients(const lasso_curve *curve, const uint32_t *places, size_t n,
                                       const char *dir)
{
    const lasso_path *path = &curve->model->path;
    char *name = lasso_path_in(dir, "path.npy");
    double *all = strads_calloc(n * curve->n + 1, sizeof(*all));
    strads_status status = name == NULL || all == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t i = 0; i < curve->n && status == STRADS_OK; i++) {
        const lasso_value *value = &path->values[i];
        for (size_t k = 0; k < value->n; k++) {
            all[places[value->vars[k]] * curve->n + i] = value->coefficients[k];
        }
    }
    if (status == STRADS_OK) {
        status = data_npy_write(name, all, curve->n, n);
    }
    strads_free(all);
    strads_free(name);
    return status;
}

static strads_status save_arrays(const lasso_curve *curve, const char *dir)
{
    uint32_t *places = strads_alloc_array(curve->model->site->n_cols, sizeof(*places));
    if (places == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const size_t n = find_places(curve, places);
    strads_status status = save_columns(curve, places, dir);
    if (status == STRADS_OK && n > 0) {
        status = save_coefficients(curve, places, n, dir);
    }
    strads_free(places);
    return status;
}

/* ---- the table ---- */

static void say_value(const lasso_curve *curve, size_t i)
{
    const lasso_model *model = curve->model;
    const lasso_value *value = &model->path.values[i];
    row sets[MAX_SETS];
    const size_t n = list_sets(curve, i, sets);
    char text[128] = "";
    size_t at = 0;
    for (size_t k = 0; k < n; k++) {
        at += (size_t) snprintf(text + at, sizeof(text) - at, "  %9.4g",
                                lasso_metrics_error(&sets[k].metrics, model->loss));
    }
    if (!isnan(value->cv_error)) {
        snprintf(text + at, sizeof(text) - at, "  %9.4g +- %.2g", value->cv_error,
                 value->cv_spread);
    }
    strads_info("%c %10.4g  %8zu%s", i == curve->chosen ? '*' : ' ', value->lambda, value->n, text);
}

/* Some of the values, and the one that was chosen. */
static void say_curve(const lasso_curve *curve)
{
    const size_t each = (curve->n + LINES - 1) / LINES;
    row sets[MAX_SETS];
    const size_t n = list_sets(curve, 0, sets);
    char text[128] = "";
    size_t at = 0;
    for (size_t k = 0; k < n; k++) {
        at += (size_t) snprintf(text + at, sizeof(text) - at, "  %9.9s", sets[k].of);
    }
    snprintf(text + at, sizeof(text) - at, "%s",
             curve->model->path.n_folds_done > 1 ? "  cross-validated" : "");
    strads_info("      lambda  nonzeros%s  (%s)", text, lasso_error_name(curve->model->loss));
    for (size_t i = 0; i < curve->n; i++) {
        if (i % each == 0 || i == curve->chosen || i + 1 == curve->n) {
            say_value(curve, i);
        }
    }
}

strads_status lasso_save_path(const lasso_curve *curve, const char *dir)
{
    strads_status status = save_path_csv(curve, dir);
    if (status == STRADS_OK) {
        status = save_arrays(curve, dir);
    }
    if (status == STRADS_OK && curve->model->path.n_folds > 0) {
        status = save_cv_csv(curve, dir);
    }
    if (status == STRADS_OK && curve->model->site->fold != NULL) {
        status = save_folds(curve->model->site, dir);
    }
    if (status == STRADS_OK) {
        say_curve(curve);
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/metrics.c - how well rows are predicted. */
#include <math.h>
#include <string.h>

#include "apps/lasso/model.h"

static double squares_about_mean(const double *y, size_t n)
{
    double mean = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] / (double) n;
    }
    for (size_t i = 0; i < n; i++) {
        squares += (y[i] - mean) * (y[i] - mean);
    }
    return squares;
}

static strads_status measure_classes(lasso_metrics *out, const double *y, const double *eta,
                                     size_t n)
{
    uint64_t *keys = strads_alloc_array(2 * n + 1, sizeof(*keys));
    if (keys == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const bool first = y[i] > 0.0;
        keys[i] = lasso_auc_key(eta[i], first);
        out->loss += lasso_logistic_at(first ? 1.0 : -1.0, eta[i]).loss;
        out->right += (eta[i] > 0.0) == first;
    }
    out->auc = lasso_auc(keys, n);
    strads_free(keys);
    return STRADS_OK;
}

strads_status lasso_metrics_of(lasso_metrics *out, lasso_loss loss, const double *y,
                               const double *eta, size_t n)
{
    lasso_metrics made = {.n = (double) n};
    if (loss == LASSO_LOGISTIC) {
        const strads_status status = measure_classes(&made, y, eta, n);
        if (status != STRADS_OK) {
            return status;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            made.loss += 0.5 * (y[i] - eta[i]) * (y[i] - eta[i]);
        }
        made.squares = squares_about_mean(y, n);
    }
    *out = made;
    return STRADS_OK;
}

lasso_metrics lasso_metrics_trained(const lasso_model *model, const lasso_value *value)
{
    return (lasso_metrics){.n = model->path.n_train,
                           .loss = value->measures[LASSO_LOSS],
                           .squares = 2.0 * model->null_loss,
                           .right = value->measures[LASSO_RIGHT],
                           .auc = value->measures[LASSO_AUC]};
}

/* The squares of those held out, about their mean. */
static double held_squares(const lasso_site *site)
{
    double sum = 0.0;
    double squares = 0.0;
    double n = 0.0;
    for (size_t i = 0; i < site->n_rows; i++) {
        if (site->fold[i] == LASSO_ALWAYS_OUT) {
            sum += site->target[i];
            squares += site->target[i] * site->target[i];
            n += 1.0;
        }
    }
    return squares - sum * sum / n;
}

lasso_metrics lasso_metrics_held(const lasso_model *model, const lasso_value *value)
{
    const double n = value->measures[LASSO_HELD_ROWS];
    return (lasso_metrics){.n = n,
                           .loss = value->measures[LASSO_HELD_LOSS],
                           .squares = n > 0.0 ? held_squares(model->site) : 0.0,
                           .right = value->measures[LASSO_HELD_RIGHT],
                           .auc = value->measures[LASSO_HELD_AUC]};
}

double lasso_metrics_error(const lasso_metrics *metrics, lasso_loss loss)
{
    return lasso_error_of(loss, metrics->loss, metrics->n);
}

const char *lasso_error_name(lasso_loss loss)
{
    return loss == LASSO_SQUARED ? "mse" : "log_loss";
}

static double r2(const lasso_metrics *metrics)
{
    return metrics->squares > 0.0 ? 1.0 - 2.0 * metrics->loss / metrics->squares : (double) NAN;
}

void lasso_metrics_say(const lasso_metrics *metrics, lasso_loss loss, const char *of)
{
    const double error = lasso_metrics_error(metrics, loss);
    if (metrics->n == 0.0) {
        return;
    }
    if (loss == LASSO_LOGISTIC) {
        strads_info("%s%.0f rows  log-loss %.4g  AUC %.4f  accuracy %.4f", of, metrics->n, error,
                    metrics->auc, metrics->right / metrics->n);
    } else {
        strads_info("%s%.0f rows  R^2 %.4f  RMSE %.6g", of, metrics->n, r2(metrics), sqrt(error));
    }
}

strads_status lasso_metrics_add(const lasso_metrics *metrics, lasso_loss loss, const char *prefix,
                                strads_summary *summary)
{
    const double error = lasso_metrics_error(metrics, loss);
    const struct {
        const char *name;
        double value;
    } of_squares[] = {{"r2", r2(metrics)}, {"rmse", sqrt(error)}},
      of_classes[] = {
          {"log_loss", error}, {"auc", metrics->auc}, {"accuracy", metrics->right / metrics->n}};
    const bool classes = loss == LASSO_LOGISTIC;
    const size_t n = classes ? 3 : 2;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && metrics->n > 0.0 && status == STRADS_OK; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s%s", prefix,
                 classes ? of_classes[i].name : of_squares[i].name);
        status =
            strads_summary_add(summary, name, classes ? of_classes[i].value : of_squares[i].value);
    }
    return status;
}

strads_status lasso_check_labels(const double *y, size_t n, const char *path)
{
    double other = 1.0; /* what the second class is told by; 1: not seen yet */
    for (size_t i = 0; i < n; i++) {
        if (y[i] == 1.0 || y[i] == other) {
            continue;
        }
        if (y[i] != 0.0 && y[i] != -1.0) {
            strads_error("%s: row %zu (the first is 0): the label is %g; it is 0 or -1, or 1", path,
                         i, y[i]);
            return STRADS_ERR_DATA;
        }
        if (other != 1.0) {
            strads_error("%s: row %zu (the first is 0): the label is %g where others are %g: they "
                         "are 0 and 1, or -1 and 1",
                         path, i, y[i], other);
            return STRADS_ERR_DATA;
        }
        other = y[i];
    }
    return STRADS_OK;
}

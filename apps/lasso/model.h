/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/model.h - the coordinator's state, and what is made of it at the end. */
#ifndef STRADS_LASSO_MODEL_H
#define STRADS_LASSO_MODEL_H

#include "apps/lasso/path.h"

typedef struct lasso_model {
    const strads_config *config;
    const lasso_site *site;
    double lambda_max; /* known, as the path is, once path.n > 0 */
    double l1_ratio;
    lasso_loss loss;
    double goal; /* stop.gap */
    double best_dual;
    double null_loss; /* of the rows that train, at 0 coefficients */
    lasso_path path;
    data_regression test; /* y NULL: there is none */
    char *target;         /* the name of the column that y was; NULL: it has none */
} lasso_model;

/* ---- metrics.c ---- */

/* How well rows are predicted. */
typedef struct lasso_metrics {
    double n, loss; /* rows, and the sum of their losses */
    double squares; /* |y - mean(y)|^2 of a squared loss */
    double right, auc;
} lasso_metrics;

/* Of targets y[n] and what is predicted of them, eta[n]; for logistic y is > 0 in one class. */
STRADS_MUST_CHECK strads_status lasso_metrics_of(lasso_metrics *out, lasso_loss loss,
                                                 const double *y, const double *eta, size_t n);
/* The mean loss of a row, squared: the mean squared error. */
double lasso_metrics_error(const lasso_metrics *metrics, lasso_loss loss);
/* What the errors are called. */
const char *lasso_error_name(lasso_loss loss);
/* Says them in a line, if there are rows. */
void lasso_metrics_say(const lasso_metrics *metrics, lasso_loss loss, const char *of);
/* Adds them to the summary, their names after `prefix`, if there are rows. */
STRADS_MUST_CHECK strads_status lasso_metrics_add(const lasso_metrics *metrics, lasso_loss loss,
                                                  const char *prefix, strads_summary *summary);
/* Refuses a target that is not of two classes, as the logistic loss wants it. */
STRADS_MUST_CHECK strads_status lasso_check_labels(const double *y, size_t n, const char *path);

/* ---- tables.c ---- */

/* What there is to tell of the values: those that are known, with what each was measured. */
typedef struct lasso_curve {
    const lasso_model *model;
    lasso_metrics *test; /* [n] NULL: no test data */
    size_t n, chosen;
} lasso_curve;

/* path.csv, path.npy, path_columns.csv and cv.csv in the folder `dir`, and a table in the log. */
STRADS_MUST_CHECK strads_status lasso_save_path(const lasso_curve *curve, const char *dir);

lasso_metrics lasso_metrics_trained(const lasso_model *model, const lasso_value *value);
lasso_metrics lasso_metrics_held(const lasso_model *model, const lasso_value *value);

/* ---- saved.c ---- */

/* Replaces the coefficients and the intercept of a saved run by those at another lambda of its
 * path, given to a hundredth. */
STRADS_MUST_CHECK strads_status lasso_saved_at(double *coefficients, size_t n_cols,
                                               double *intercept, double lambda, const char *dir);

/* ---- save.c ---- */

/* "DIR/NAME"; for strads_free. */
char *lasso_path_in(const char *dir, const char *name);
/* Opens it to be written. */
STRADS_MUST_CHECK strads_status lasso_open_in(data_writer **out, const char *dir, const char *name);
void lasso_write_text(FILE *to, const char *text); /* as a field of CSV */

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/model.c - the coordinator: lambda, and how good the coefficients are. */
#include <math.h>
#include <string.h>

#include "apps/lasso/lasso.h"

/* Working sets are solved to this share of the worst violation ... */
static const double ACCURACY = 0.3;
/* ... and, once the gap is within this factor of its goal, to what the goal needs. */
static const double NEAR_GOAL = 1e3;
/* Of lambda to lambda_max: below, doubles cannot tell it from 0. */
static const double LEAST_RATIO = 1e-20;

typedef struct lasso_model {
    double lambda, lambda_max; /* lambda: 0 until it is known */
    double lambda_given;       /* 0: by ratio */
    double lambda_ratio;
    double l1_ratio;
    lasso_loss loss;
    double goal; /* stop.gap */
    double best_dual;
    double rr;     /* |residual|^2 */
    double centre; /* sum mean_j b_j */
} lasso_model;

strads_status lasso_open_model(const strads_config *config, const void *site, void **out)
{
    (void) site;
    lasso_model *model = strads_calloc(1, sizeof(*model));
    if (model == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (strads_config_given(config, "lasso.lambda")) {
        model->lambda_given = strads_config_real(config, "lasso.lambda");
    }
    model->lambda_ratio = strads_config_real(config, "lasso.lambda_ratio");
    model->l1_ratio = strads_config_real(config, "lasso.l1_ratio");
    model->loss = lasso_loss_of(config);
    model->goal = strads_config_real(config, "stop.gap");
    *out = model;
    return STRADS_OK;
}

void lasso_close_model(void *model)
{
    strads_free(model);
}

/* The first scan, at b = 0 and lambda = 0, tells lambda_max = max |x_j'y| / (a w_j). */
static strads_status begin(lasso_model *model, const strads_view *view, strads_stage *stage)
{
    model->lambda_max = view->measures[LASSO_RATIO] / model->l1_ratio;
    model->lambda =
        model->lambda_given > 0.0 ? model->lambda_given : model->lambda_ratio * model->lambda_max;
    model->best_dual = -INFINITY;
    if (!isfinite(model->lambda_max)) {
        strads_error("max |x_j'y| is %g: the data's values are too large", model->lambda_max);
        return STRADS_ERR_NUMERIC;
    }
    if (model->lambda < LEAST_RATIO * model->lambda_max) {
        strads_error("lambda is %g, which is nothing against lambda_max, %g; the least is %g of it",
                     model->lambda, model->lambda_max, LEAST_RATIO);
        return STRADS_ERR_NUMERIC;
    }
    stage->params[LASSO_LAMBDA] = model->lambda;
    stage->changed = true;
    return STRADS_OK;
}

strads_status lasso_next_stage(void *state, const strads_view *view, strads_stage *stage)
{
    lasso_model *model = state;
    const double *measures = view->measures;
    if (model->lambda == 0.0 && model->lambda_max == 0.0 && view->round == 0) {
        const strads_status status = begin(model, view, stage);
        if (status != STRADS_OK || model->lambda > 0.0) {
            return status;
        }
        stage->changed = false; /* y is orthogonal to all columns: b = 0 for any lambda */
        stage->done = true;
    }
    const double l1 = model->lambda * model->l1_ratio;
    const double l2 = model->lambda * (1.0 - model->l1_ratio);
    stage->objective = lasso_objective(model->loss, measures, l1, l2);
    if (!isfinite(stage->objective)) {
        strads_error("the objective is %g: the values of X and y are too far apart; use other "
                     "units",
                     stage->objective);
        return STRADS_ERR_NUMERIC;
    }
    stage->nonzeros = (size_t) measures[LASSO_NONZEROS];
    stage->accuracy = ACCURACY;
    model->rr = measures[LASSO_RR];
    model->centre = measures[LASSO_CENTRE];
    if (!view->whole) {
        return STRADS_OK;
    }
    model->best_dual = fmax(model->best_dual, lasso_dual_objective(model->loss, measures, l1, l2));
    const double gap = stage->objective - model->best_dual;
    stage->gap = stage->objective > 0.0 ? fmax(gap / stage->objective, 0.0) : 0.0;
    if (measures[LASSO_OUTSIDE] <= 0.5 * measures[LASSO_INSIDE] &&
        stage->gap < NEAR_GOAL * model->goal) {
        stage->accuracy = fmin(ACCURACY, ACCURACY * model->goal / stage->gap);
    }
    return STRADS_OK;
}

strads_status lasso_pull(void *model, const strads_block *block, const double *partial,
                         double *values, float *moved)
{
    (void) model;
    for (size_t k = 0; k < block->n_vars; k++) {
        values[k] = partial[LASSO_PARTIAL_WIDTH * k + LASSO_PARTIAL_VALUE];
        moved[k] = (float) partial[LASSO_PARTIAL_WIDTH * k + LASSO_PARTIAL_MOVE];
    }
    return STRADS_OK;
}

/* ---- saving ---- */

/* "DIR/NAME"; for strads_free. */
static char *path_in(const char *dir, const char *name)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", dir, name);
    }
    return path;
}

static void write_csv_text(FILE *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putc('"', to);
        }
        putc(*text, to);
    }
    putc('"', to);
}

static strads_status write_csv(const lasso_site *site, const double *values, const char *path)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    fputs("index,name,value\n", to);
    for (size_t j = 0; j < site->n_cols; j++) {
        if (values[j] != 0.0) {
            fprintf(to, "%zu,", j);
            if (site->names != NULL) {
                write_csv_text(to, site->names[j]);
            }
            fprintf(to, ",%.17g\n", values[j]);
        }
    }
    return data_writer_commit(writer);
}

static strads_status save_csv(const lasso_site *site, const double *values, const char *dir)
{
    char *path = path_in(dir, "coefficients.csv");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = write_csv(site, values, path);
    strads_free(path);
    return status;
}

/* intercept.npy holds one number, so that predict needs no other file. */
static strads_status save_arrays(const lasso_site *site, const double *values, double intercept,
                                 const char *dir)
{
    char *path = path_in(dir, "coefficients.npy");
    char *intercept_path = path_in(dir, "intercept.npy");
    strads_status status = path == NULL || intercept_path == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK) {
        status = data_npy_write(path, values, site->n_cols, 0);
    }
    if (status == STRADS_OK) {
        status = data_npy_write(intercept_path, &intercept, 1, 0);
    }
    strads_free(intercept_path);
    strads_free(path);
    return status;
}

strads_status lasso_save(void *state, const void *site_state, const double *values, const char *dir,
                         strads_summary *summary)
{
    const lasso_model *model = state;
    const lasso_site *site = site_state;
    const double intercept = site->y_mean - model->centre;
    strads_status status = save_arrays(site, values, intercept, dir);
    if (status == STRADS_OK) {
        status = save_csv(site, values, dir);
    }
    const double total = site->y_squares;
    const struct {
        const char *name;
        double value;
    } facts[] = {{"lambda", model->lambda},
                 {"lambda_max", model->lambda_max},
                 {"intercept", intercept},
                 {"r2", total > 0.0 ? 1.0 - model->rr / total : (double) NAN},
                 {"rows", (double) site->n_rows},
                 {"columns", (double) site->n_cols}};
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && status == STRADS_OK; i++) {
        status = strads_summary_add(summary, facts[i].name, facts[i].value);
    }
    return status;
}

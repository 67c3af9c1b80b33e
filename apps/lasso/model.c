/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/model.c - the coordinator: the path of lambdas, and how good each is. */
#include "apps/lasso/model.h"

#include <math.h>

/* Working sets are solved to this share of the worst violation ... */
static const double ACCURACY = 0.3;
/* ... and, once the gap is within this factor of its goal, to what the goal needs. */
static const double NEAR_GOAL = 1e3;
/* Classes of which all rows are on their side, with this share of the loss at b = 0, are separable:
 * as lambda falls, coefficients only grow from there on. */
static const double SEPARATED = 1e-3;
/* With this share they grow for longer than it takes to see. */
static const double CERTAIN = 1e-10;
/* Of lambda to lambda_max: below, doubles cannot tell it from 0. */
static const double LEAST_RATIO = 1e-20;

/* The data to test by are of the form of those to train on. */
static strads_status read_test(lasso_model *model)
{
    const char *path = strads_config_text(model->config, "data.test");
    if (path == NULL) {
        return STRADS_OK;
    }
    data_source source = lasso_source(model->config);
    source.path = path;
    source.y_path = NULL;
    source.n_cols = model->site->n_cols;
    source.names = lasso_own_names(model->site);
    source.target = model->target != NULL ? model->target : source.target;
    const strads_status status = data_regression_read(&model->test, &source);
    if (status != STRADS_OK) {
        return status;
    }
    if (model->test.y == NULL) {
        strads_error("%s: there is no y in the file: data.test is libsvm or CSV", path);
        return STRADS_ERR_DATA;
    }
    return model->loss == LASSO_LOGISTIC
               ? lasso_check_labels(model->test.y, model->test.x.n_rows, path)
               : STRADS_OK;
}

strads_status lasso_open_model(const strads_config *config, const void *site, void **out)
{
    lasso_model *model = strads_calloc(1, sizeof(*model));
    if (model == NULL) {
        return STRADS_ERR_NOMEM;
    }
    model->config = config;
    model->site = site;
    model->l1_ratio = strads_config_real(config, "lasso.l1_ratio");
    model->loss = lasso_loss_of(config);
    model->goal = strads_config_real(config, "stop.gap");
    const data_source source = lasso_source(config);
    strads_status status = site == NULL ? STRADS_OK : data_target_name(&model->target, &source);
    if (status == STRADS_OK) {
        status = read_test(model);
    }
    if (status != STRADS_OK) {
        lasso_close_model(model);
        return status;
    }
    *out = model;
    return STRADS_OK;
}

void lasso_close_model(void *state)
{
    lasso_model *model = state;
    lasso_path_fini(&model->path);
    data_regression_fini(&model->test);
    strads_free(model->target);
    strads_free(model);
}

/* Begins the stage that the path is at. */
static void begin_stage(lasso_model *model, strads_stage *stage)
{
    stage->params[LASSO_LAMBDA] = lasso_path_lambda(&model->path);
    stage->params[LASSO_FOLD] = model->path.fold;
    stage->restart = model->path.fold > 0 && model->path.at == 0;
    stage->changed = true;
    model->best_dual = -INFINITY;
}

/* What a run comes to is what it has chosen, not the last value of the last fold. */
static void tell_chosen(lasso_path *path, strads_stage *stage)
{
    lasso_path_cross_validate(path);
    const lasso_value *chosen = &path->values[lasso_path_choose(path)];
    stage->objective = chosen->objective;
    stage->nonzeros = chosen->n;
    stage->gap = chosen->gap;
}

/* Notes a whole scan, of the stage under way. */
static void note(lasso_model *model, const strads_view *view, const strads_stage *stage)
{
    lasso_path_note(&model->path, view, stage, model->site == NULL ? 0.0 : model->site->y_mean);
}

static strads_status keep(lasso_model *model, const strads_view *view)
{
    return lasso_path_keep(&model->path, view->values,
                           model->site == NULL ? 0 : model->site->n_cols);
}

/* The run ends amid the path: it tells what it has come to, and that there is more to do. */
static strads_status break_off(lasso_model *model, const strads_view *view, strads_stage *stage)
{
    const strads_status status = keep(model, view);
    if (status == STRADS_OK) {
        tell_chosen(&model->path, stage);
        stage->changed = true;
    }
    return status;
}

/* The first scan, at b = 0 and lambda = 0, tells lambda_max = max |x_j'y| / (a w_j). */
static strads_status begin(lasso_model *model, const strads_view *view, strads_stage *stage)
{
    model->lambda_max = view->measures[LASSO_RATIO] / model->l1_ratio;
    model->null_loss = view->measures[LASSO_LOSS];
    if (!isfinite(model->lambda_max)) {
        strads_error("max |x_j'y| is %g: the data's values are too large", model->lambda_max);
        return STRADS_ERR_NUMERIC;
    }
    const strads_status status =
        lasso_path_init(&model->path, model->config, model->site, model->lambda_max);
    if (status != STRADS_OK) {
        return status;
    }
    const double least = model->path.values[model->path.n - 1].lambda;
    if (least < LEAST_RATIO * model->lambda_max) {
        strads_error("lambda is %g, which is nothing against lambda_max, %g; the least is %g of it",
                     least, model->lambda_max, LEAST_RATIO);
        return STRADS_ERR_NUMERIC;
    }
    begin_stage(model, stage);
    if (least == 0.0) { /* y is orthogonal to all columns: b = 0 for any lambda */
        model->path.n_folds = 0;
        stage->changed = false;
        stage->done = true;
    } else if (view->ending) { /* all that is known is what no coefficients come to */
        stage->objective = model->null_loss;
        note(model, view, stage);
        return break_off(model, view, stage);
    }
    return STRADS_OK;
}

/* Whether the stage's rows are all on their side, with that share of the loss at b = 0. Of classes
 * that are not separable none is, at any lambda. */
static bool separates(const lasso_model *model, const double *measures, double share)
{
    const lasso_path *path = &model->path;
    const double n_train = path->n_train - (path->fold > 0 ? path->fold_rows[path->fold - 1] : 0.0);
    return model->loss == LASSO_LOGISTIC && measures[LASSO_RIGHT] == n_train &&
           measures[LASSO_LOSS] <= share * model->null_loss;
}

/* A path ends where the classes are seen to be separable. */
static void end_if_separable(lasso_model *model, const double *measures)
{
    lasso_path *path = &model->path;
    if (path->fold > 0 || !separates(model, measures, SEPARATED)) {
        return;
    }
    path->separable = true;
    path->n = path->at + 1;
    strads_warn("lasso: the classes are separable: at lambda %.6g all rows that train are on their "
                "side, and coefficients grow without end as it falls%s",
                lasso_path_lambda(path), path->n < path->n_asked ? "; the path ends with it" : "");
}

/* The value under way is done: goes on to the next, if there is one. */
static strads_status finish_value(lasso_model *model, const strads_view *view, bool short_of_goal,
                                  strads_stage *stage)
{
    lasso_path *path = &model->path;
    const strads_status status = keep(model, view);
    if (status != STRADS_OK) {
        return status;
    }
    lasso_path_finish(path, short_of_goal);
    end_if_separable(model, view->measures);
    if (!lasso_path_advance(path)) {
        tell_chosen(path, stage);
        stage->done = !view->stalled;
    } else if (view->ending) {
        return break_off(model, view, stage);
    } else {
        begin_stage(model, stage);
    }
    return STRADS_OK;
}

static void judge(lasso_model *model, const double *measures, strads_stage *stage)
{
    const double lambda = lasso_path_lambda(&model->path);
    const double l1 = lambda * model->l1_ratio;
    const double l2 = lambda * (1.0 - model->l1_ratio);
    model->best_dual = fmax(model->best_dual, lasso_dual_objective(model->loss, measures, l1, l2));
    const double gap = stage->objective - model->best_dual;
    stage->gap = stage->objective > 0.0 ? fmax(gap / stage->objective, 0.0) : 0.0;
    if (measures[LASSO_OUTSIDE] <= 0.5 * measures[LASSO_INSIDE] &&
        stage->gap < NEAR_GOAL * model->goal) {
        stage->accuracy = fmin(ACCURACY, ACCURACY * model->goal / stage->gap);
    }
}

strads_status lasso_next_stage(void *state, const strads_view *view, strads_stage *stage)
{
    lasso_model *model = state;
    if (model->path.n == 0) {
        const strads_status status = begin(model, view, stage);
        if (status != STRADS_OK || stage->changed) {
            return status;
        }
    }
    const double lambda = lasso_path_lambda(&model->path);
    stage->objective = lasso_objective(model->loss, view->measures, lambda * model->l1_ratio,
                                       lambda * (1.0 - model->l1_ratio));
    if (!isfinite(stage->objective)) {
        strads_error("the objective is %g: the values of X and y are too far apart; use other "
                     "units",
                     stage->objective);
        return STRADS_ERR_NUMERIC;
    }
    stage->nonzeros = (size_t) view->measures[LASSO_NONZEROS];
    stage->accuracy = ACCURACY;
    if (!view->whole) {
        return STRADS_OK;
    }
    judge(model, view->measures, stage);
    note(model, view, stage);
    const bool reached = model->goal > 0.0 && stage->gap <= model->goal;
    if (reached || view->stalled || separates(model, view->measures, CERTAIN)) {
        return finish_value(model, view, !reached, stage);
    }
    return view->ending ? break_off(model, view, stage) : STRADS_OK;
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

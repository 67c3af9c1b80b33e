/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/path.c - a path of lambdas, its folds, and the choice of one. */
#include "apps/lasso/path.h"

#include <math.h>
#include <string.h>

/* Where nothing else is given, lambda as a share of lambda_max. */
static const double USUAL_RATIO = 0.1;

/* ---- options ---- */

static bool has_values(const strads_config *config)
{
    return strads_config_list_size(config, "lasso.path.values") > 0;
}

bool lasso_path_is_wanted(const strads_config *config)
{
    return has_values(config) || strads_config_int(config, "lasso.path.count") > 0;
}

static strads_status refuse_both(const strads_config *config, const char *a, const char *b)
{
    strads_error("%s: %s and %s are both given; give one", strads_config_place(config, a), a, b);
    return STRADS_ERR_USAGE;
}

static strads_status check_one_is_given(const strads_config *config)
{
    /* The configuration that a run has written gives all keys, most of them nothing. */
    const struct {
        const char *key;
        bool is_given;
    } ways[] = {{"lasso.lambda", strads_config_given(config, "lasso.lambda")},
                {"lasso.lambda_ratio", strads_config_given(config, "lasso.lambda_ratio")},
                {"lasso.path.count", strads_config_int(config, "lasso.path.count") > 0},
                {"lasso.path.values", has_values(config)}};
    const char *given = NULL;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (ways[i].is_given && given != NULL) {
            return refuse_both(config, given, ways[i].key);
        }
        given = ways[i].is_given ? ways[i].key : given;
    }
    return STRADS_OK;
}

static strads_status check_values_fall(const strads_config *config)
{
    const char *key = "lasso.path.values";
    for (size_t i = 1; i < strads_config_list_size(config, key); i++) {
        const double before = strads_config_list_real(config, key, i - 1);
        const double value = strads_config_list_real(config, key, i);
        if (!(value < before)) {
            strads_error("%s: %s: %g comes after %g; each is to be below the one before",
                         strads_config_list_place(config, key, i), key, value, before);
            return STRADS_ERR_USAGE;
        }
    }
    return STRADS_OK;
}

/* What it takes to hold rows out: a residual of all rows, and coefficients that can be put
 * back to 0. */
static strads_status check_held_out(const strads_config *config, const char *key)
{
    const bool by_rows = lasso_split_of(config) == STRADS_SPLIT_SAMPLES;
    const bool tables = strcmp(strads_config_text(config, "schedule.kind"), "data_parallel") == 0;
    if (by_rows || tables) {
        strads_error("%s: %s cannot hold rows out with %s", strads_config_place(config, key), key,
                     by_rows ? "data.partition: rows; use columns"
                             : "schedule.kind: data_parallel; use another");
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status lasso_path_check(const strads_config *config)
{
    const int64_t n_folds = strads_config_int(config, "lasso.folds");
    strads_status status = check_one_is_given(config);
    if (status == STRADS_OK) {
        status = check_values_fall(config);
    }
    if (status == STRADS_OK && n_folds > 0) {
        status = check_held_out(config, "lasso.folds");
    }
    if (status == STRADS_OK && strads_config_real(config, "lasso.validation_fraction") > 0.0) {
        status = check_held_out(config, "lasso.validation_fraction");
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (n_folds == 1) {
        strads_error("%s: lasso.folds is 1: what it holds out is all; use 0, or 2 or more",
                     strads_config_place(config, "lasso.folds"));
        return STRADS_ERR_USAGE;
    }
    if (n_folds == 0 && strcmp(strads_config_text(config, "lasso.choose"), "one_se") == 0) {
        strads_error("%s: lasso.choose is one_se, which takes lasso.folds",
                     strads_config_place(config, "lasso.choose"));
        return STRADS_ERR_USAGE;
    }
    if ((n_folds > 0 || lasso_path_is_wanted(config)) &&
        strads_config_real(config, "stop.gap") == 0.0) {
        strads_error("%s: stop.gap is 0: no value of lambda would ever be done; it is above 0 "
                     "with a path or folds",
                     strads_config_place(config, "stop.gap"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* ---- values ---- */

static size_t count_values(const strads_config *config)
{
    const size_t n_given = strads_config_list_size(config, "lasso.path.values");
    const size_t count = (size_t) strads_config_int(config, "lasso.path.count");
    return n_given > 0 ? n_given : count > 0 ? count : 1;
}

static double value_at(const strads_config *config, size_t i, size_t n, double lambda_max)
{
    if (has_values(config)) {
        return strads_config_list_real(config, "lasso.path.values", i);
    }
    if (lasso_path_is_wanted(config)) {
        const double ratio = strads_config_real(config, "lasso.path.ratio");
        return i == 0 ? lambda_max : lambda_max * pow(ratio, (double) i / (double) (n - 1));
    }
    if (strads_config_given(config, "lasso.lambda")) {
        return strads_config_real(config, "lasso.lambda");
    }
    return lambda_max * (strads_config_given(config, "lasso.lambda_ratio")
                             ? strads_config_real(config, "lasso.lambda_ratio")
                             : USUAL_RATIO);
}

static void count_held_out(lasso_path *path, const lasso_site *site)
{
    path->n_train = (double) site->n_rows;
    for (size_t i = 0; i < site->n_rows && site->fold != NULL; i++) {
        if (site->fold[i] == LASSO_ALWAYS_OUT) {
            path->n_train -= 1.0;
        } else if (site->fold[i] > 0) {
            path->fold_rows[site->fold[i] - 1] += 1.0;
        }
    }
}

strads_status lasso_path_init(lasso_path *path, const strads_config *config, const lasso_site *site,
                              double lambda_max)
{
    const size_t n = lambda_max > 0.0 ? count_values(config) : 1;
    *path =
        (lasso_path){.n = n,
                     .n_asked = n,
                     .n_folds = (uint32_t) strads_config_int(config, "lasso.folds"),
                     .loss = lasso_loss_of(config),
                     .one_se = strcmp(strads_config_text(config, "lasso.choose"), "one_se") == 0};
    path->values = strads_calloc(n, sizeof(*path->values));
    path->fold_errors = strads_calloc(path->n_folds * n + 1, sizeof(*path->fold_errors));
    path->fold_short = strads_calloc(path->n_folds * n + 1, sizeof(*path->fold_short));
    path->fold_rows = strads_calloc(path->n_folds + (size_t) 1, sizeof(*path->fold_rows));
    if (path->values == NULL || path->fold_errors == NULL || path->fold_short == NULL ||
        path->fold_rows == NULL) {
        lasso_path_fini(path);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        path->values[i] = (lasso_value){
            .lambda = value_at(config, i, n, lambda_max), .cv_error = NAN, .cv_spread = NAN};
    }
    if (site != NULL) {
        count_held_out(path, site);
    }
    return STRADS_OK;
}

void lasso_path_fini(lasso_path *path)
{
    for (size_t i = 0; i < path->n && path->values != NULL; i++) {
        strads_free(path->values[i].vars);
        strads_free(path->values[i].coefficients);
    }
    strads_free(path->values);
    strads_free(path->fold_errors);
    strads_free(path->fold_short);
    strads_free(path->fold_rows);
    *path = (lasso_path){.n = 0};
}

double lasso_path_lambda(const lasso_path *path)
{
    const double lambda = path->values[path->at].lambda;
    return path->fold == 0
               ? lambda
               : lambda * (path->n_train - path->fold_rows[path->fold - 1]) / path->n_train;
}

/* ---- the walk ---- */

void lasso_path_note(lasso_path *path, const strads_view *view, const strads_stage *stage,
                     double y_mean)
{
    lasso_value *value = &path->values[path->at];
    if (path->fold > 0) {
        path->fold_errors[(path->fold - 1) * path->n + path->at] =
            lasso_error_of(path->loss, view->measures[LASSO_HELD_LOSS],
                           fmax(view->measures[LASSO_HELD_ROWS], 1.0));
        return;
    }
    value->known = true;
    value->objective = stage->objective;
    value->gap = stage->gap;
    value->intercept = y_mean - view->measures[LASSO_CENTRE];
    memcpy(value->measures, view->measures, sizeof(value->measures));
}

strads_status lasso_path_keep(lasso_path *path, const double *values, size_t n_vars)
{
    lasso_value *value = &path->values[path->at];
    if (path->fold > 0 || value->vars != NULL || !value->known) {
        return STRADS_OK;
    }
    size_t n = 0;
    for (size_t j = 0; j < n_vars; j++) {
        n += values[j] != 0.0;
    }
    value->vars = strads_alloc_array(n + 1, sizeof(*value->vars));
    value->coefficients = strads_alloc_array(n + 1, sizeof(*value->coefficients));
    if (value->vars == NULL || value->coefficients == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t j = 0; j < n_vars; j++) {
        if (values[j] != 0.0) {
            value->vars[value->n] = (uint32_t) j;
            value->coefficients[value->n++] = values[j];
        }
    }
    return STRADS_OK;
}

void lasso_path_finish(lasso_path *path, bool short_of_goal)
{
    if (path->fold == 0) {
        path->values[path->at].reached = !short_of_goal;
    } else {
        path->fold_short[(path->fold - 1) * path->n + path->at] = short_of_goal;
    }
}

size_t lasso_path_n_known(const lasso_path *path)
{
    size_t n = 0;
    while (n < path->n && path->values[n].known) {
        n++;
    }
    return n;
}

bool lasso_path_advance(lasso_path *path)
{
    if (path->at + 1 < path->n) {
        path->at++;
        return true;
    }
    path->n_folds_done += path->fold > 0;
    if (path->fold == path->n_folds) {
        return false;
    }
    path->fold++;
    path->at = 0;
    return true;
}

/* ---- the choice ---- */

void lasso_path_cross_validate(lasso_path *path)
{
    const uint32_t n = path->n_folds_done;
    double rows = 0.0;
    for (uint32_t k = 0; k < n; k++) {
        rows += path->fold_rows[k];
    }
    for (size_t i = 0; i < path->n && n > 1; i++) {
        double mean = 0.0;
        double square = 0.0;
        for (uint32_t k = 0; k < n; k++) {
            mean += path->fold_rows[k] / rows * path->fold_errors[k * path->n + i];
        }
        for (uint32_t k = 0; k < n; k++) {
            const double off = path->fold_errors[k * path->n + i] - mean;
            square += path->fold_rows[k] / rows * off * off;
        }
        path->values[i].cv_error = mean;
        path->values[i].cv_spread = sqrt(square / (n - 1));
    }
}

/* What a value is chosen by; NAN: nothing. */
static double error_of(const lasso_path *path, const lasso_value *value)
{
    const double n_held = value->measures[LASSO_HELD_ROWS];
    return path->n_folds > 0 ? value->cv_error
           : n_held > 0.0    ? lasso_error_of(path->loss, value->measures[LASSO_HELD_LOSS], n_held)
                             : (double) NAN;
}

size_t lasso_path_choose(const lasso_path *path)
{
    size_t last = 0;
    size_t best = 0;
    for (size_t i = 0; i < path->n && path->values[i].known; i++) {
        last = i;
        best = error_of(path, &path->values[i]) < error_of(path, &path->values[best]) ? i : best;
    }
    const double least = error_of(path, &path->values[best]);
    if (isnan(least)) {
        return last;
    }
    for (size_t i = 0; i < best && path->one_se; i++) {
        if (error_of(path, &path->values[i]) <= least + path->values[best].cv_spread) {
            return i;
        }
    }
    return best;
}

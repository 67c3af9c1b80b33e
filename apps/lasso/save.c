/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/save.c - what a run leaves: the coefficients that were chosen, and the path. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "apps/lasso/model.h"

char *lasso_path_in(const char *dir, const char *name)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", dir, name);
    }
    return path;
}

strads_status lasso_open_in(data_writer **out, const char *dir, const char *name)
{
    char *path = lasso_path_in(dir, name);
    const strads_status status = path == NULL ? STRADS_ERR_NOMEM : data_writer_open(out, path);
    strads_free(path);
    return status;
}

void lasso_write_text(FILE *to, const char *text)
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

/* ---- the coefficients ---- */

static strads_status save_csv(const lasso_site *site, const lasso_value *value, const char *dir)
{
    data_writer *writer = NULL;
    const strads_status status = lasso_open_in(&writer, dir, "coefficients.csv");
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    fputs("index,name,value\n", to);
    for (size_t i = 0; i < value->n; i++) {
        fprintf(to, "%u,", value->vars[i]);
        if (site->names != NULL) {
            lasso_write_text(to, site->names[value->vars[i]]);
        }
        fprintf(to, ",%.17g\n", value->coefficients[i]);
    }
    return data_writer_commit(writer);
}

/* names[n], a line each. */
static strads_status save_names(const char *const *names, size_t n, const char *dir,
                                const char *name)
{
    data_writer *writer = NULL;
    const strads_status status = lasso_open_in(&writer, dir, name);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t j = 0; j < n; j++) {
        fprintf(data_writer_stream(writer), "%s\n", names[j]);
    }
    return data_writer_commit(writer);
}

/* For predict, which takes the columns of a CSV file by their names. */
static strads_status save_all_names(const lasso_model *model, const char *dir)
{
    const char *const *names = lasso_own_names(model->site);
    const char *const target[] = {model->target};
    strads_status status = STRADS_OK;
    if (names != NULL) {
        status = save_names(names, model->site->n_cols, dir, "names.txt");
    }
    if (status == STRADS_OK && model->target != NULL) {
        status = save_names(target, 1, dir, "target.txt");
    }
    return status;
}

static strads_status save_array(const double *values, size_t n, const char *dir, const char *name)
{
    char *path = lasso_path_in(dir, name);
    const strads_status status =
        path == NULL ? STRADS_ERR_NOMEM : data_npy_write(path, values, n, 0);
    strads_free(path);
    return status;
}

/* intercept.npy holds one number, so that predict needs no other file. */
static strads_status save_chosen(const lasso_site *site, const lasso_value *value, const char *dir)
{
    double *all = strads_calloc(site->n_cols, sizeof(*all));
    if (all == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < value->n; i++) {
        all[value->vars[i]] = value->coefficients[i];
    }
    strads_status status = save_array(all, site->n_cols, dir, "coefficients.npy");
    strads_free(all);
    if (status == STRADS_OK) {
        status = save_array(&value->intercept, 1, dir, "intercept.npy");
    }
    return status == STRADS_OK ? save_csv(site, value, dir) : status;
}

/* Removes what an earlier run has left in the folder and this one does not write over. */
static strads_status remove_old(const lasso_curve *curve, const char *dir)
{
    const lasso_model *model = curve->model;
    const bool has_path = model->path.n_asked > 1 || model->path.n_folds > 0;
    bool has_coefficients = false;
    for (size_t i = 0; i < curve->n; i++) {
        has_coefficients = has_coefficients || model->path.values[i].n > 0;
    }
    const struct {
        const char *name;
        bool is_written;
    } files[] = {{"names.txt", lasso_own_names(model->site) != NULL},
                 {"target.txt", model->target != NULL},
                 {"path.csv", has_path},
                 {"path_columns.csv", has_path},
                 {"path.npy", has_path && has_coefficients},
                 {"cv.csv", model->path.n_folds > 0},
                 {"folds.npy", has_path && model->site->fold != NULL}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = files[i].is_written ? NULL : lasso_path_in(dir, files[i].name);
        if (path == NULL && !files[i].is_written) {
            return STRADS_ERR_NOMEM;
        }
        if (path != NULL && remove(path) != 0 && errno != ENOENT) {
            strads_error("cannot remove %s, of an earlier run: %s", path, strerror(errno));
            strads_free(path);
            return STRADS_ERR_IO;
        }
        strads_free(path);
    }
    return STRADS_OK;
}

/* ---- what it was measured by ---- */

/* The metrics of the test data by each value. */
static strads_status measure_test(const lasso_model *model, lasso_curve *curve)
{
    const data_regression *test = &model->test;
    const size_t n = test->x.n_rows;
    if (test->y == NULL) {
        return STRADS_OK;
    }
    double *eta = strads_alloc_array(n, sizeof(*eta));
    curve->test = strads_calloc(curve->n, sizeof(*curve->test));
    strads_status status = eta == NULL || curve->test == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t i = 0; i < curve->n && status == STRADS_OK; i++) {
        const lasso_value *value = &model->path.values[i];
        for (size_t row = 0; row < n; row++) {
            eta[row] = value->intercept;
        }
        for (size_t k = 0; k < value->n; k++) {
            data_matrix_add(&test->x, value->vars[k], value->coefficients[k], eta);
        }
        status = lasso_metrics_of(&curve->test[i], model->loss, test->y, eta, n);
    }
    strads_free(eta);
    return status;
}

static strads_status add_metrics(const lasso_curve *curve, strads_summary *summary)
{
    const lasso_model *model = curve->model;
    const lasso_value *value = &model->path.values[curve->chosen];
    const lasso_metrics none = {.n = 0.0};
    const struct {
        const char *prefix, *label;
        lasso_metrics metrics;
    } all[] = {{"", "train       ", lasso_metrics_trained(model, value)},
               {"validation_", "validation  ", lasso_metrics_held(model, value)},
               {"test_", "test        ", curve->test == NULL ? none : curve->test[curve->chosen]}};
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < 3 && status == STRADS_OK; i++) {
        status = lasso_metrics_add(&all[i].metrics, model->loss, all[i].prefix, summary);
        if (all[1].metrics.n > 0.0 || all[2].metrics.n > 0.0) {
            lasso_metrics_say(&all[i].metrics, model->loss, all[i].label);
        }
    }
    return status;
}

/* How many values that were begun were left short of the goal. */
static size_t count_short(const lasso_path *path)
{
    size_t n_short = 0;
    for (size_t i = 0; i < path->n && path->values[i].known; i++) {
        n_short += !path->values[i].reached;
    }
    return n_short;
}

/* How many values of folds got no nearer to the goal; *first: the place of the first. */
static size_t count_short_in_folds(const lasso_path *path, size_t *first)
{
    size_t n_short = 0;
    for (size_t k = path->n_folds * path->n; k-- > 0;) {
        n_short += path->fold_short[k];
        *first = path->fold_short[k] ? k : *first;
    }
    return n_short;
}

static strads_status add_facts(const lasso_curve *curve, strads_summary *summary)
{
    const lasso_model *model = curve->model;
    const lasso_value *value = &model->path.values[curve->chosen];
    const lasso_path *path = &model->path;
    const bool folded = path->n_folds > 0;
    size_t first = 0;
    const size_t n_short = count_short(path) + count_short_in_folds(path, &first);
    const struct {
        const char *name;
        double value;
        bool wanted;
    } facts[] = {{"lambda", value->lambda, true},
                 {"lambda_max", model->lambda_max, true},
                 {"intercept", value->intercept, true},
                 {"rows", (double) model->site->n_rows, true},
                 {"columns", (double) model->site->n_cols, true},
                 {"lambda_values", (double) curve->n, path->n_asked > 1},
                 {"not_reached", (double) n_short, path->n_asked > 1 || folded},
                 {"separable", 1.0, path->separable},
                 {"folds", path->n_folds, folded},
                 {"folds_done", path->n_folds_done, folded},
                 {"cv_error", value->cv_error, folded},
                 {"cv_spread", value->cv_spread, folded}};
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && status == STRADS_OK; i++) {
        status = facts[i].wanted ? strads_summary_add(summary, facts[i].name, facts[i].value)
                                 : STRADS_OK;
    }
    return status;
}

/* Values that doubles could not bring to the goal. */
static void warn_of_folds(const lasso_path *path)
{
    size_t first = 0;
    const size_t n_short = count_short_in_folds(path, &first);
    if (n_short > 0) {
        strads_warn("lasso: %zu values of folds are short of the goal, the first with fold %zu "
                    "held out, lambda %.6g; not_reached in cv.csv counts them",
                    n_short, first / path->n + 1, path->values[first % path->n].lambda);
    }
}

/* A run that was ended amid a path has chosen by what it has. */
static void warn_of_missing(const lasso_path *path)
{
    const size_t n_known = lasso_path_n_known(path);
    const size_t n_short = count_short(path);
    if (path->n_asked > 1 && (n_known < path->n || n_short > 0)) {
        strads_warn("lasso: of %zu values of lambda %zu were solved, %zu of them short of the goal",
                    path->n, n_known, n_short);
    }
    if (path->n_folds_done < path->n_folds) {
        strads_warn("lasso: the cross-validation is not whole: %u of %u folds were done%s",
                    path->n_folds_done, path->n_folds,
                    path->n_folds_done < 2 ? ", too few to choose lambda by: it is the last"
                                           : ", and lambda is chosen by these");
    }
    warn_of_folds(path);
}

strads_status lasso_save(void *state, const void *site_state, const double *values, const char *dir,
                         strads_summary *summary)
{
    lasso_model *model = state;
    const lasso_site *site = site_state;
    lasso_path *path = &model->path;
    strads_status status = lasso_path_keep(path, values, site->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    lasso_path_cross_validate(path);
    lasso_curve curve = {
        .model = model, .n = lasso_path_n_known(path), .chosen = lasso_path_choose(path)};
    warn_of_missing(path);
    status = remove_old(&curve, dir);
    if (status == STRADS_OK) {
        status = save_chosen(site, &path->values[curve.chosen], dir);
    }
    if (status == STRADS_OK) {
        status = save_all_names(model, dir);
    }
    if (status == STRADS_OK) {
        status = add_facts(&curve, summary);
    }
    if (status == STRADS_OK) {
        status = measure_test(model, &curve);
    }
    if (status == STRADS_OK && (path->n_asked > 1 || path->n_folds > 0)) {
        status = lasso_save_path(&curve, dir);
    }
    if (status == STRADS_OK) {
        status = add_metrics(&curve, summary);
    }
    strads_free(curve.test);
    return status;
}

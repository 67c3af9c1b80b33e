/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_path.c - the values of lambda, the walk, and the choice. */
#include "apps/lasso/path.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"

enum { N = 11, P = 3, MAX_SETTINGS = 8 };

static strads_config *configure(const char *const *settings)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 43);
    lasso_case_write(&data, false);
    data.problem.lambda = 0.0;
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    REQUIRE(config != NULL);
    lasso_case_fini(&data);
    return config;
}

/* A path of that configuration, of N rows whose folds are given. */
static lasso_path open_path(const char *const *settings, double lambda_max, uint16_t *folds)
{
    strads_config *config = configure(settings);
    const lasso_site site = {.n_rows = N, .fold = folds};
    lasso_path path;
    REQUIRE_OK(lasso_path_check(config));
    REQUIRE_OK(lasso_path_init(&path, config, &site, lambda_max));
    strads_config_destroy(config);
    return path;
}

static void a_path_falls_by_equal_factors_from_lambda_max(void)
{
    static const char *const settings[] = {"lasso.path.count=5", "lasso.path.ratio=1e-4", NULL};
    lasso_path path = open_path(settings, 8.0, NULL);
    CHECK(path.n == 5 && path.values[0].lambda == 8.0);
    for (size_t i = 1; i < path.n; i++) {
        CHECK_NEAR(path.values[i].lambda / path.values[i - 1].lambda, 0.1, 1e-14);
    }
    lasso_path_fini(&path);
}

static void values_that_are_given_are_taken_as_they_are(void)
{
    static const char *const settings[] = {"lasso.path.values=[9, 2.5, 0.125]", NULL};
    lasso_path path = open_path(settings, 8.0, NULL);
    CHECK(path.n == 3 && path.values[0].lambda == 9.0 && path.values[1].lambda == 2.5 &&
          path.values[2].lambda == 0.125);
    lasso_path_fini(&path);
}

static void without_a_path_there_is_one_value(void)
{
    static const char *const settings[] = {"lasso.lambda_ratio=0.25", NULL};
    lasso_path path = open_path(settings, 8.0, NULL);
    CHECK(path.n == 1 && path.values[0].lambda == 2.0);
    CHECK(!lasso_path_advance(&path));
    lasso_path_fini(&path);
}

typedef struct refusal {
    const char *settings[MAX_SETTINGS];
    const char *says[2];
} refusal;

static void check_quietly(void *context)
{
    const refusal *it = context;
    strads_config *config = configure(it->settings);
    CHECK_STATUS(lasso_path_check(config), STRADS_ERR_USAGE);
    strads_config_destroy(config);
}

static void options_that_do_not_go_together_are_refused(void)
{
    refusal cases[] = {
        {{"lasso.path.values=[3, 1, 2]"}, {"2 comes after 1", "below"}},
        {{"lasso.path.values=[3, 3]"}, {"3 comes after 3", "below"}},
        {{"lasso.path.count=3", "lasso.lambda=2"}, {"lasso.lambda", "lasso.path.count"}},
        {{"lasso.path.count=3", "lasso.path.values=2"}, {"lasso.path.count", "lasso.path.values"}},
        {{"lasso.lambda=3", "lasso.lambda_ratio=0.5"}, {"lasso.lambda", "lasso.lambda_ratio"}},
        {{"lasso.folds=1"}, {"lasso.folds is 1", "2 or more"}},
        {{"lasso.choose=one_se"}, {"lasso.choose", "lasso.folds"}},
        {{"lasso.path.count=3", "stop.gap=0"}, {"stop.gap", "above 0"}},
        {{"lasso.folds=3", "data.partition=rows"}, {"lasso.folds", "columns"}},
        {{"lasso.validation_fraction=0.5", "schedule.kind=data_parallel"},
         {"lasso.validation_fraction", "data_parallel"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t errors = strads_log_n_errors();
        char *said = suite_stderr_of(check_quietly, &cases[i]);
        CHECK(strstr(said, cases[i].says[0]) != NULL && strstr(said, cases[i].says[1]) != NULL);
        CHECK(strads_log_n_errors() == errors + 1);
        strads_free(said);
    }
}

/* Of 11 rows fold 1 has 4, fold 2 has 4 and one never trains. */
static uint16_t folds[N] = {1, 2, 1, 2, 0, 1, 2, 1, 2, 0, LASSO_ALWAYS_OUT};

static const char *const two_folds[] = {"lasso.path.values=[4, 2]", "lasso.folds=2", NULL};

static void folds_follow_the_path_and_weigh_lambda_by_their_rows(void)
{
    lasso_path path = open_path(two_folds, 8.0, folds);
    static const double lambdas[] = {4.0, 2.0, 2.4, 1.2, 2.4, 1.2};
    CHECK(path.n_train == 10.0);
    for (size_t i = 0; i < 6; i++) {
        CHECK(path.fold == i / 2 && path.at == i % 2);
        CHECK_NEAR(lasso_path_lambda(&path), lambdas[i], 1e-15);
        CHECK(lasso_path_advance(&path) == (i < 5));
    }
    CHECK(path.n_folds_done == 2);
    lasso_path_fini(&path);
}

/* A walk in which value i of fold k has the error errors[k][i], of 4 rows. */
static lasso_path walk(const double errors[3][2], size_t n_stages)
{
    lasso_path path = open_path(two_folds, 8.0, folds);
    const double coefficients[P] = {0.0, 3.0, 0.0};
    for (size_t i = 0; i < n_stages; i++) {
        const double measures[LASSO_N_MEASURES] = {
            [LASSO_HELD_ROWS] = 4.0, [LASSO_HELD_LOSS] = 2.0 * errors[i / 2][i % 2]};
        const strads_view view = {.whole = true, .measures = measures};
        const strads_stage stage = {.objective = 7.0, .gap = 0.5};
        lasso_path_note(&path, &view, &stage, 1.0);
        REQUIRE_OK(lasso_path_keep(&path, coefficients, P));
        lasso_path_advance(&path);
    }
    lasso_path_cross_validate(&path);
    return path;
}

static void errors_are_those_of_cv_glmnet(void)
{
    static const double errors[3][2] = {{0.0, 0.0}, {5.0, 3.0}, {7.0, 6.0}};
    lasso_path path = walk(errors, 6);
    CHECK_NEAR(path.values[0].cv_error, 6.0, 1e-14);
    CHECK_NEAR(path.values[0].cv_spread, 1.0, 1e-14);
    CHECK_NEAR(path.values[1].cv_error, 4.5, 1e-14);
    CHECK_NEAR(path.values[1].cv_spread, 1.5, 1e-14);
    CHECK(lasso_path_choose(&path) == 1);
    path.one_se = true;
    CHECK(lasso_path_choose(&path) == 0); /* 6 is not above 4.5 + 1.5 */
    CHECK(path.values[0].n == 1 && path.values[0].vars[0] == 1 &&
          path.values[0].coefficients[0] == 3.0);
    CHECK(path.values[1].known && path.values[1].intercept == 1.0);
    lasso_path_fini(&path);
}

static void a_walk_that_is_cut_short_chooses_the_last_that_is_known(void)
{
    static const double errors[3][2] = {{1.0, 2.0}, {5.0, 3.0}, {7.0, 6.0}};
    lasso_path path = walk(errors, 1);
    CHECK(lasso_path_choose(&path) == 0 && !path.values[1].known);
    lasso_path_fini(&path);
    path = walk(errors, 4); /* one fold alone says nothing of the others */
    CHECK(isnan(path.values[0].cv_error) && lasso_path_choose(&path) == 1);
    lasso_path_fini(&path);
}

static strads_status walk_a_stage(strads_config *config, const lasso_site *site)
{
    const double coefficients[P] = {0.0, 3.0, 0.0};
    const double measures[LASSO_N_MEASURES] = {0.0};
    const strads_view view = {.whole = true, .measures = measures};
    const strads_stage stage = {.objective = 7.0};
    lasso_path path;
    strads_status status = lasso_path_init(&path, config, site, 8.0);
    if (status == STRADS_OK) {
        lasso_path_note(&path, &view, &stage, 1.0);
        status = lasso_path_keep(&path, coefficients, P);
        lasso_path_fini(&path);
    }
    return status;
}

static void every_allocation_may_fail(void)
{
    strads_config *config = configure(two_folds);
    const lasso_site site = {.n_rows = N, .fold = folds};
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    for (; n_failed < 20 && status != STRADS_OK; n_failed++) {
        strads_mem_fail_after(n_failed + 1);
        status = walk_a_stage(config, &site);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK(status == STRADS_OK && n_failed > 5);
    strads_config_destroy(config);
}

SUITE("apps/lasso/path",
      {"a path falls by equal factors from lambda_max",
       a_path_falls_by_equal_factors_from_lambda_max},
      {"values that are given are taken as they are", values_that_are_given_are_taken_as_they_are},
      {"without a path there is one value", without_a_path_there_is_one_value},
      {"options that do not go together are refused", options_that_do_not_go_together_are_refused},
      {"folds follow the path and weigh lambda by their rows",
       folds_follow_the_path_and_weigh_lambda_by_their_rows},
      {"errors are those of cv.glmnet", errors_are_those_of_cv_glmnet},
      {"a walk that is cut short chooses the last that is known",
       a_walk_that_is_cut_short_chooses_the_last_that_is_known},
      {"every allocation may fail", every_allocation_may_fail})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_losses.c - whole runs of the Lasso program under the logistic
 * loss, and with rows held out, against the slow oracle.
 */
#include <string.h>

#include "apps/lasso/lasso.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { MAX_WORKERS = 3, FOLD = 3 };

/* Goals: close to what doubles can tell, and what slow schedules reach in good time. */
#define GAP 1e-10
#define EASY_GAP 1e-6

/* Each with its own way to run. */
static const lasso_asked asked[] = {
    {.workers = 1, .gap = GAP},
    {.workers = 2, .gap = GAP},
    {.workers = 3, .gap = GAP},
    {.workers = 1, .gap = GAP, .schedule = {"data.partition=columns"}},
    {.workers = 3, .gap = GAP, .schedule = {"data.partition=columns"}},
    {.workers = 2, .gap = GAP, .schedule = {"run.driver=sim"}},
    {.workers = 3, .gap = EASY_GAP, .schedule = {"schedule.round=7"}},
    {.workers = 2, .gap = EASY_GAP, .schedule = {"schedule.round=7", "schedule.pipeline=1"}},
};
enum { N_ASKED = sizeof(asked) / sizeof(asked[0]) };

/* Two ways, in turn. */
static void check_runs(const lasso_case *self)
{
    static size_t turn = 0;
    lasso_answer best = lasso_case_solve(self);
    for (int i = 0; i < 2; i++) {
        CHECK(lasso_case_holds(self, &best, &asked[turn++ % N_ASKED]));
    }
    lasso_answer_fini(&best);
}

static void check_logistic(double density, bool sparse)
{
    static const double l1_ratios[] = {1.0, 0.4};
    static const double lambda_ratios[] = {0.3, 0.02};
    for (int i = 0; i < 8; i++) {
        lasso_case self = lasso_case_draw(i & 1 ? 60 : 25, i & 1 ? 9 : 30, density, 70 + i);
        lasso_problem *problem = &self.problem;
        lasso_case_classify(&self, (unsigned) i, i & 1 ? -1.0 : 0.0);
        problem->intercept = i & 2;
        problem->standardize = i & 4;
        lasso_case_write(&self, sparse);
        for (int k = 0; k < 4; k++) {
            problem->l1_ratio = l1_ratios[k / 2];
            problem->lambda = lambda_ratios[k % 2] * lasso_oracle_lambda_max(problem);
            check_runs(&self);
        }
        lasso_case_fini(&self);
    }
}

static void dense_classes_reach_the_optimum(void)
{
    check_logistic(1.0, false);
}

static void sparse_classes_reach_the_optimum(void)
{
    check_logistic(0.4, true);
}

/* ---- rows held out ---- */

static uint16_t held_fold; /* of every third row, in the sites that are opened */

static strads_status open_held(const strads_config *config, strads_part *part, void **out)
{
    const strads_status status = lasso_open_site(config, part, out);
    if (status == STRADS_OK) {
        lasso_site *site = *out;
        site->fold = strads_calloc(site->n_rows, sizeof(*site->fold));
        REQUIRE(site->fold != NULL);
        for (size_t i = 0; i < site->n_rows; i++) {
            site->fold[i] = i % 3 == 1 ? held_fold : 0;
        }
    }
    return status;
}

/* A fold without a cross-validation, of which the coordinator knows nothing. */
static strads_status open_unaware(const strads_config *config, const void *site, void **model)
{
    static lasso_site whole;
    whole = *(const lasso_site *) site;
    whole.fold = NULL;
    return lasso_open_model(config, &whole, model);
}

static strads_status measure_unaware(void *state, double *out)
{
    const strads_status status = lasso_measure(state, out);
    out[LASSO_HELD_ROWS] = 0.0;
    return status;
}

static strads_status hold_out(void *model, const strads_view *view, strads_stage *stage)
{
    const strads_status status = lasso_next_stage(model, view, stage);
    stage->params[LASSO_FOLD] = FOLD;
    return status;
}

static strads_app held_app(uint16_t fold)
{
    strads_app app = *lasso_case_eager_app();
    held_fold = fold;
    app.open_site = open_held;
    if (fold == FOLD) {
        app.open_model = open_unaware;
        app.next_stage = hold_out;
        app.measure = measure_unaware;
    }
    return app;
}

/* The case without every third row. */
static lasso_case without(const lasso_case *all)
{
    const lasso_problem *problem = &all->problem;
    lasso_case few = lasso_case_of(problem->n, problem->p, all->x, all->y);
    size_t n = 0;
    for (size_t i = 0; i < problem->n; i++) {
        n += i % 3 != 1;
    }
    size_t at = 0;
    for (size_t k = 0; k < problem->n * problem->p; k++) {
        if (k % problem->n % 3 != 1) {
            few.x[at++] = all->x[k];
        }
    }
    at = 0;
    for (size_t i = 0; i < problem->n; i++) {
        if (i % 3 != 1) {
            few.y[at++] = all->y[i];
        }
    }
    const double *x = few.x;
    const double *y = few.y;
    few.problem = *problem;
    few.problem.x = x;
    few.problem.y = y;
    few.problem.n = n;
    snprintf(few.x_path, sizeof(few.x_path), "%s", all->x_path);
    snprintf(few.y_path, sizeof(few.y_path), "%s", all->y_path);
    return few;
}

static void check_held(bool logistic, bool sparse)
{
    for (int i = 0; i < 4; i++) {
        lasso_case all = lasso_case_draw(45, 20, sparse ? 0.4 : 1.0, 90 + i);
        if (logistic) {
            lasso_case_classify(&all, (unsigned) i, -1.0);
        }
        all.problem.intercept = i & 1;
        all.problem.l1_ratio = i & 2 ? 0.5 : 1.0;
        lasso_case_write(&all, sparse);
        lasso_case few = without(&all);
        few.problem.lambda = 0.05 * lasso_oracle_lambda_max(&few.problem);
        for (int k = 0; k < 2; k++) {
            const strads_app app = held_app(k == 0 ? FOLD : LASSO_ALWAYS_OUT);
            lasso_answer best = lasso_case_solve(&few);
            for (size_t way = 0; way < N_ASKED; way++) {
                lasso_asked ask = asked[way];
                ask.app = &app;
                CHECK(lasso_case_holds(&few, &best, &ask));
            }
            lasso_answer_fini(&best);
        }
        lasso_case_fini(&few);
        lasso_case_fini(&all);
    }
}

static void dense_rows_held_out_are_as_if_not_there(void)
{
    check_held(false, false);
}

static void sparse_rows_held_out_are_as_if_not_there(void)
{
    check_held(false, true);
}

static void classes_held_out_are_as_if_not_there(void)
{
    check_held(true, false);
    check_held(true, true);
}

/* ---- refusals ---- */

static void labels_that_are_not_two_classes_are_refused(void)
{
    static const double labels[][3] = {
        {0.0, 1.0, 2.0}, {0.0, 1.0, -1.0}, {1.0, 1.0, 1.0}, {0.0, -1.0, 0.0}, {2.0, 1.0, 1.0}};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        static const char *const settings[] = {NULL};
        lasso_case self = lasso_case_draw(9, 3, 1.0, 3);
        for (size_t k = 0; k < 9; k++) {
            self.y[k] = labels[i][k % 3];
        }
        self.problem.logistic = true;
        lasso_case_write(&self, false);
        strads_config *config = lasso_case_config(&self, &lasso_app, settings);
        REQUIRE(config != NULL);
        void *site = NULL;
        const size_t errors = strads_log_n_errors();
        CHECK_STATUS(lasso_case_open(config, 1, &site), STRADS_ERR_DATA);
        CHECK(strads_log_n_errors() == errors + 1 && site == NULL);
        strads_config_destroy(config);
        lasso_case_fini(&self);
    }
}

static void classes_by_rows_are_refused(void)
{
    static const char *const settings[] = {"data.partition=rows", NULL};
    lasso_case self = lasso_case_draw(9, 3, 1.0, 3);
    lasso_case_classify(&self, 1, 0.0);
    lasso_case_write(&self, false);
    strads_config *config = lasso_case_config(&self, &lasso_app, settings);
    void *site = NULL;
    REQUIRE(config != NULL);
    CHECK_STATUS(lasso_case_open(config, 1, &site), STRADS_ERR_USAGE);
    strads_config_destroy(config);
    lasso_case_fini(&self);
}

SUITE("integration/lasso_losses",
      {"dense classes reach the oracle's optimum", dense_classes_reach_the_optimum},
      {"sparse classes reach the oracle's optimum", sparse_classes_reach_the_optimum},
      {"dense rows held out are as if not there", dense_rows_held_out_are_as_if_not_there},
      {"sparse rows held out are as if not there", sparse_rows_held_out_are_as_if_not_there},
      {"classes held out are as if not there", classes_held_out_are_as_if_not_there},
      {"labels that are not two classes are refused", labels_that_are_not_two_classes_are_refused},
      {"classes by rows are refused", classes_by_rows_are_refused})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_edges.c - runs of the Lasso program on data that are
 * hard or odd: columns without spread, copies, far offsets, extreme scales, one row.
 */
#include <string.h>

#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { N = 24, P = 10 };

static const double GAP = 1e-11;

/* Every way of scaling and every number of workers. lambda is `ratio` of lambda_max. */
static void check_all(lasso_case *self, bool sparse, double ratio, bool many)
{
    lasso_case_write(self, sparse);
    for (int i = 0; i < 12; i++) {
        self->problem.intercept = i & 1;
        self->problem.standardize = i & 2;
        self->problem.l1_ratio = i & 4 ? 0.5 : 1.0;
        self->problem.lambda = ratio * lasso_oracle_lambda_max(&self->problem);
        lasso_answer best = lasso_case_solve(self);
        lasso_asked ask = {.gap = GAP, .workers = 1 + i / 4, .many = many};
        if (self->problem.lambda > 0.0) {
            CHECK(lasso_case_holds(self, &best, &ask));
            ask.schedule[0] = "schedule.kind=cyclic";
            ask.schedule[1] = i % 2 == 0 ? "schedule.round=1" : "schedule.round=4";
            ask.gap = 1e-5;
            CHECK(lasso_case_holds(self, &best, &ask));
        }
        lasso_answer_fini(&best);
    }
    lasso_case_fini(self);
}

static void copies_of_a_column_share_its_work(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case self = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 1);
        memcpy(self.x + 2 * N, self.x + 7 * N, N * sizeof(double));
        memcpy(self.x + 3 * N, self.x + 7 * N, N * sizeof(double));
        check_all(&self, sparse, 0.05, true);
    }
}

static void columns_of_one_value_and_of_zeros_do_no_harm(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case self = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 2);
        for (size_t i = 0; i < N; i++) {
            self.x[i] = 0.0;
            self.x[3 * N + i] = sparse ? 0.0 : 0.1;
            self.x[9 * N + i] = sparse ? 0.0 : 1e6 + 0.1;
        }
        check_all(&self, sparse, 0.05, false);
    }
}

static void a_column_far_from_zero_is_not_a_constant_one(void)
{
    lasso_case self = lasso_case_draw(N, P, 1.0, 3);
    for (size_t i = 0; i < N; i++) {
        self.x[2 * N + i] += 1e6;
        self.x[4 * N + i] -= 1e5;
        self.y[i] += 1e4;
    }
    self.problem.standardize = true;
    self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, false);
    lasso_answer best = lasso_case_solve(&self);
    REQUIRE(best.b[2] != 0.0);
    CHECK(lasso_case_holds(&self, &best, &(lasso_asked){.gap = 1e-9, .workers = 2}));
    lasso_answer_fini(&best);
    lasso_case_fini(&self);
}

static void norms_may_differ_by_many_orders_of_magnitude(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case self = lasso_case_draw(N, P, sparse ? 0.4 : 1.0, 4);
        for (size_t j = 0; j < P; j++) {
            for (size_t i = 0; i < N; i++) {
                self.x[j * N + i] *= pow(10.0, (double) j - 4.0);
            }
        }
        check_all(&self, sparse, 0.05, false);
    }
}

static void one_row_and_one_column_are_problems_too(void)
{
    const double x[] = {1.0, -2.0, 0.5, 4.0};
    const double y[] = {3.0, 1.0, -1.0, 2.0};
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case row = lasso_case_of(1, 4, x, y);
        check_all(&row, sparse, 0.3, true);
        lasso_case column = lasso_case_of(4, 1, x, y);
        check_all(&column, sparse, 0.3, false);
        lasso_case number = lasso_case_of(1, 1, x, y);
        check_all(&number, sparse, 0.3, false);
    }
}

/* With a given lambda there is an answer also where lambda_max is 0. */
static void check_null_model(lasso_case *self, double intercept, const char *penalty)
{
    const char *settings[] = {"run.workers=2", penalty, NULL};
    lasso_case_write(self, false);
    lasso_outcome got = lasso_case_run(self, lasso_case_eager_app(), settings);
    REQUIRE_OK(got.status);
    CHECK(got.result.verdict == STRADS_CONVERGED);
    CHECK_NEAR(got.intercept, intercept, 1e-12 * fabs(intercept));
    for (size_t j = 0; j < self->problem.p; j++) {
        CHECK(got.b[j] == 0.0);
    }
    lasso_outcome_fini(&got);
}

static void a_y_of_one_value_or_of_zeros_leaves_all_coefficients_at_zero(void)
{
    static const double values[] = {0.0, 7.0, 0.1, -1e9 / 3.0};
    for (int i = 0; i < 4; i++) {
        lasso_case self = lasso_case_draw(N, P, 1.0, 5);
        for (size_t k = 0; k < N; k++) {
            self.y[k] = values[i];
        }
        check_null_model(&self, values[i], "lasso.lambda_ratio=0.1");
        check_null_model(&self, values[i], "lasso.lambda=2");
        lasso_case_fini(&self);
    }
}

static void a_lambda_above_lambda_max_leaves_all_coefficients_at_zero(void)
{
    lasso_case self = lasso_case_draw(N, P, 1.0, 6);
    double mean = 0.0;
    for (size_t i = 0; i < N; i++) {
        mean += self.y[i] / N;
    }
    check_null_model(&self, mean, "lasso.lambda_ratio=1.000001");
    check_null_model(&self, mean, "lasso.lambda_ratio=1e9");
    lasso_case_fini(&self);
}

static void a_tiny_lambda_is_as_good_as_least_squares(void)
{
    lasso_case self = lasso_case_draw(N, 6, 1.0, 7);
    check_all(&self, false, 1e-6, false);
}

static void scale(lasso_case *self, double x, double y)
{
    for (size_t k = 0; k < N * P; k++) {
        self->x[k] *= x;
    }
    for (size_t k = 0; k < N; k++) {
        self->y[k] *= y;
    }
}

/* There is no round to run then, whatever is asked for. */
static void without_a_gradient_a_run_without_a_goal_is_complete(void)
{
    lasso_case self = lasso_case_draw(N, P, 1.0, 5);
    memset(self.y, 0, N * sizeof(*self.y));
    const char *settings[] = {"stop.gap=0", "stop.rounds=5", "run.workers=2", NULL};
    lasso_case_write(&self, false);
    lasso_outcome got = lasso_case_run(&self, lasso_case_eager_app(), settings);
    CHECK_STATUS(got.status, STRADS_OK);
    CHECK(got.result.verdict == STRADS_COMPLETED && got.result.last.round == 0);
    lasso_outcome_fini(&got);
    lasso_case_fini(&self);
}

/* Each answers as if the data were of moderate size, or says that they are not. */
static void extreme_scales_are_solved_or_refused(void)
{
    static const struct {
        double x, y;
        bool solved;
    } scales[] = {
        {1e-20, 1e-20, true}, {1e-30, 1e30, true},  {1e30, 1e30, true},     {1e-100, 1.0, true},
        {1e-140, 1.0, true},  {1e150, 1.0, true},   {1.0, 1e-140, true},    {1.0, 1e150, true},
        {1e-70, 1e70, true},  {1e150, 1e150, true}, {1e-140, 1e140, false}, {1e-170, 1.0, false},
        {1e170, 1.0, false},  {1.0, 1e170, false},  {1.0, 1e-170, false},   {1e200, 1e200, false},
    };
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        lasso_case self = lasso_case_draw(N, P, 1.0, 8);
        scale(&self, scales[i].x, scales[i].y);
        lasso_case_write(&self, false);
        self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
        lasso_answer best = lasso_case_solve(&self);
        const lasso_asked ask = {.gap = 1e-9, .workers = 2};
        if (scales[i].solved) {
            CHECK(lasso_case_holds(&self, &best, &ask));
        } else {
            const char *settings[] = {"lasso.lambda_ratio=0.1", "run.workers=2", NULL};
            self.problem.lambda = 0.0;
            lasso_outcome got = lasso_case_run(&self, lasso_case_eager_app(), settings);
            CHECK_STATUS(got.status, STRADS_ERR_NUMERIC);
            lasso_outcome_fini(&got);
        }
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

SUITE(
    "integration/lasso_edges",
    {"copies of a column share its work", copies_of_a_column_share_its_work},
    {"columns of one value and of zeros do no harm", columns_of_one_value_and_of_zeros_do_no_harm},
    {"a column far from zero is not a constant one", a_column_far_from_zero_is_not_a_constant_one},
    {"norms may differ by many orders of magnitude", norms_may_differ_by_many_orders_of_magnitude},
    {"one row and one column are problems too", one_row_and_one_column_are_problems_too},
    {"a y of one value or of zeros leaves all coefficients at zero",
     a_y_of_one_value_or_of_zeros_leaves_all_coefficients_at_zero},
    {"a lambda above lambda_max leaves all coefficients at zero",
     a_lambda_above_lambda_max_leaves_all_coefficients_at_zero},
    {"a tiny lambda is as good as least squares", a_tiny_lambda_is_as_good_as_least_squares},
    {"without a gradient a run without a goal is complete",
     without_a_gradient_a_run_without_a_goal_is_complete},
    {"extreme scales are solved or refused", extreme_scales_are_solved_or_refused})

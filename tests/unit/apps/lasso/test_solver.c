/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_solver.c - one worker alone: its scores and measures
 * against slow ones, and rounds that bring its block to the optimum.
 */
#include "apps/lasso/solver.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/coded.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 12 };

/* A case opened by one worker at lambda, with l1_ratio 1/2. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site, *state;
    strads_worker worker;
    double l1, l2;
} opened;

static void open_all(opened *self, lasso_case data, bool sparse, double lambda)
{
    static const char *const settings[] = {"lasso.l1_ratio=0.5", NULL};
    const strads_stage stage = {.params = {[LASSO_LAMBDA] = lambda}};
    *self = (opened){.data = data, .worker = {.n = P}, .l1 = 0.5 * lambda, .l2 = 0.5 * lambda};
    lasso_case_write(&self->data, sparse);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 1, &self->site));
    REQUIRE_OK(lasso_open_worker(self->site, &self->worker, &self->state));
    REQUIRE_OK(lasso_begin_stage(self->state, &stage));
}

static void close_all(opened *self)
{
    lasso_close_worker(self->state);
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* x_j'r at b, and |r|^2, from the data as they are; y and X centred with an intercept. */
static double slow_gradient(const opened *self, const double *b, size_t var, double *rr)
{
    const lasso_problem *problem = &self->data.problem;
    long double r[N];
    long double mean = 0.0L;
    for (size_t i = 0; i < N; i++) {
        r[i] = problem->y[i];
        for (size_t j = 0; j < P; j++) {
            r[i] -= (long double) problem->x[j * N + i] * b[j];
        }
        mean += r[i] / N;
    }
    long double squares = 0.0L;
    long double product = 0.0L;
    for (size_t i = 0; i < N; i++) {
        r[i] -= problem->intercept ? mean : 0.0L;
        squares += r[i] * r[i];
        product += r[i] * problem->x[var * N + i];
    }
    *rr = (double) squares;
    return (double) product;
}

static void check_scores(opened *self, const double *b, const uint32_t *vars, size_t n)
{
    double measures[LASSO_N_MEASURES];
    float scores[P];
    double rr = 0.0;
    double largest = 0.0;
    double largest_blur = 0.0;
    double l1 = 0.0;
    REQUIRE_OK(lasso_score(self->state, vars, n, scores));
    REQUIRE_OK(lasso_measure(self->state, measures));
    for (size_t i = 0; i < n; i++) {
        const size_t j = vars == NULL ? i : vars[i];
        const double scale = lasso_scale(self->site, (uint32_t) j);
        const double slope = scale * slow_gradient(self, b, j, &rr) - self->l2 * b[j] / scale;
        const double right =
            b[j] == 0.0 ? fabs(slope) - self->l1 : fabs(slope - copysign(self->l1, b[j]));
        largest = fmax(largest, fabs(slope));
        l1 += fabs(b[j]) / scale;
        const double blur = coded_blur(self->state, (uint32_t) j, b[j]);
        largest_blur = fmax(largest_blur, blur * self->l1);
        CHECK_NEAR(scores[i], right / self->l1, 1e-5 + blur);
    }
    CHECK_NEAR(measures[LASSO_RATIO], largest,
               1e-9 * largest + (vars == NULL ? 0.0 : largest_blur));
    CHECK_NEAR(measures[LASSO_RR], rr, 1e-9 * rr);
    CHECK(vars != NULL || fabs(measures[LASSO_L1] - l1) <= 1e-12 * l1);
}

static void scores_equal_slow_ones_before_and_after_a_commit(void)
{
    static const uint32_t pool[] = {1, 2, 7, 11};
    static const uint32_t vars[] = {2, 7, 0};
    static const double values[] = {0.5, -0.25, 0.125};
    for (int kind = 0; kind < 8; kind++) {
        const bool sparse = kind & 1;
        opened self;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 51);
        data.problem.intercept = kind & 2;
        data.problem.standardize = kind & 4;
        open_all(&self, data, sparse, 2.0);
        double b[P] = {0.0};
        check_scores(&self, b, NULL, P);
        REQUIRE_OK(lasso_sync(self.state, vars, 3, values));
        b[2] = values[0];
        b[7] = values[1];
        b[0] = values[2];
        check_scores(&self, b, pool, 4);
        check_scores(&self, b, NULL, P);
        const uint32_t back = 7;
        const double zero = 0.0;
        REQUIRE_OK(lasso_sync(self.state, &back, 1, &zero));
        b[7] = 0.0;
        check_scores(&self, b, NULL, P);
        check_scores(&self, b, NULL, P); /* from the gradient it kept */
        close_all(&self);
    }
}

/* Pushes all variables and commits what comes back to b. */
static void run_round(opened *self, double *b, bool solve, double target)
{
    uint32_t vars[P];
    double partial[P * LASSO_PARTIAL_WIDTH];
    double values[P];
    float moved[P];
    for (uint32_t j = 0; j < P; j++) {
        vars[j] = j;
    }
    memcpy(values, b, sizeof(values));
    const strads_block block = {
        .n_vars = P, .vars = vars, .values = values, .solve = solve, .target = target};
    REQUIRE_OK(lasso_push(self->state, &block, partial));
    for (size_t j = 0; j < P; j++) {
        const double size = fabs(partial[LASSO_PARTIAL_WIDTH * j] - b[j]);
        CHECK((partial[LASSO_PARTIAL_WIDTH * j + 1] > 0.0) == (size > 0.0));
    }
    memcpy(values, b, sizeof(values));
    REQUIRE_OK(lasso_pull(NULL, &block, partial, b, moved));
    REQUIRE_OK(lasso_sync(self->state, vars, P, b));
}

static void a_working_set_is_solved_to_its_target(void)
{
    static const double targets[] = {1e-1, 1e-4, 1e-10}; /* the last two extrapolate */
    for (int kind = 0; kind < 12; kind++) {
        const bool sparse = kind & 1;
        const double target = targets[kind / 4];
        opened self;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 52);
        data.problem.standardize = kind & 2;
        open_all(&self, data, sparse, 0.2);
        double b[P] = {0.0};
        float scores[P];
        run_round(&self, b, true, target);
        REQUIRE_OK(lasso_score(self.state, NULL, P, scores));
        for (size_t j = 0; j < P; j++) {
            CHECK(scores[j] <= 30.0 * target); /* other columns move after it */
        }
        close_all(&self);
    }
}

/* Their products would be beyond what floats have. */
static void columns_in_other_units_are_solved_as_well(void)
{
    static const double units[] = {1e20, 1e-20};
    for (int kind = 0; kind < 4; kind++) {
        const bool sparse = kind & 1;
        const double unit = units[kind / 2];
        opened self;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 52);
        for (size_t i = 0; i < (size_t) N * P; i++) {
            data.x[i] *= unit;
        }
        open_all(&self, data, sparse, 0.2 * unit);
        double b[P] = {0.0};
        float scores[P];
        for (int i = 0; i < 3; i++) {
            run_round(&self, b, true, 1e-4);
        }
        REQUIRE_OK(lasso_score(self.state, NULL, P, scores));
        for (size_t j = 0; j < P; j++) {
            CHECK(scores[j] <= 30.0F * 1e-4F);
        }
        close_all(&self);
    }
}

static void rounds_of_single_sweeps_come_to_the_same_point(void)
{
    opened self;
    open_all(&self, lasso_case_draw(N, P, 1.0, 53), false, 2.0);
    self.data.problem.lambda = 2.0;
    self.data.problem.l1_ratio = 0.5;
    double b[P] = {0.0};
    double best[P];
    double intercept = 0.0;
    double violation = 1.0;
    lasso_oracle_solve(&self.data.problem, best, &intercept, &violation);
    for (int i = 0; i < 2000; i++) {
        run_round(&self, b, false, 0.0);
    }
    CHECK(self.worker.n_steps == 2000);
    for (size_t j = 0; j < P; j++) {
        CHECK_NEAR(b[j], best[j], 1e-9);
    }
    close_all(&self);
}

static void a_worker_that_is_to_stop_returns_what_it_has(void)
{
    opened self;
    open_all(&self, lasso_case_draw(N, P, 1.0, 54), false, 0.01);
    double b[P] = {0.0};
    self.worker.stopping = true;
    run_round(&self, b, true, 1e-12);
    CHECK(self.worker.n_steps <= 5);
    CHECK(b[0] != 0.0 || b[2] != 0.0);
    close_all(&self);
}

static void opening_survives_the_failure_of_every_allocation(void)
{
    opened self;
    open_all(&self, lasso_case_draw(N, P, 1.0, 55), false, 1.0);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 100; i++) {
        void *state = NULL;
        strads_mem_fail_after(i);
        status = lasso_open_worker(self.site, &self.worker, &state);
        strads_mem_fail_after(0);
        if (status == STRADS_OK) {
            lasso_close_worker(state);
        }
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    close_all(&self);
}

SUITE("apps/lasso/solver",
      {"scores equal slow ones before and after a commit",
       scores_equal_slow_ones_before_and_after_a_commit},
      {"a working set is solved to its target", a_working_set_is_solved_to_its_target},
      {"columns in other units are solved as well", columns_in_other_units_are_solved_as_well},
      {"rounds of single sweeps come to the same point",
       rounds_of_single_sweeps_come_to_the_same_point},
      {"a worker that is to stop returns what it has",
       a_worker_that_is_to_stop_returns_what_it_has},
      {"opening survives the failure of every allocation",
       opening_survives_the_failure_of_every_allocation})

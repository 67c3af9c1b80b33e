/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_logistic.c - one worker alone under the logistic loss, some rows
 * held out: what it measures of the rows, and blocks that it brings to their optimum.
 */
#include <string.h>

#include "apps/lasso/solver.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/coded.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 12, FOLD = 2, MAX_FAILURES = 100 };

/* A case opened by one worker at lambda, with l1_ratio 1/2; every fourth row is held out. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site, *state;
    strads_worker worker;
    double l1, l2;
} opened;

static bool trains(size_t i)
{
    return i % 4 != 1;
}

static void open_site(opened *self, bool sparse, bool intercept)
{
    static const char *const settings[] = {"lasso.l1_ratio=0.5", NULL};
    *self = (opened){.data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 52), .worker = {.n = P}};
    lasso_case_classify(&self->data, 1, 0.0);
    self->data.problem.intercept = intercept;
    lasso_case_write(&self->data, sparse);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 1, &self->site));
    lasso_site *site = self->site;
    site->fold = strads_calloc(N, sizeof(*site->fold));
    REQUIRE(site->fold != NULL);
    for (size_t i = 0; i < N; i++) {
        site->fold[i] = trains(i) ? 0 : FOLD;
    }
}

static void open_worker(opened *self, double lambda)
{
    const strads_stage stage = {.params = {[LASSO_LAMBDA] = lambda, [LASSO_FOLD] = FOLD}};
    const double l1_ratio = ((const lasso_site *) self->site)->l1_ratio;
    self->l1 = l1_ratio * lambda;
    self->l2 = (1.0 - l1_ratio) * lambda;
    REQUIRE_OK(lasso_open_worker(self->site, &self->worker, &self->state));
    REQUIRE_OK(lasso_begin_stage(self->state, &stage));
}

static void open_all(opened *self, bool sparse, bool intercept, double lambda)
{
    open_site(self, sparse, intercept);
    open_worker(self, lambda);
}

static void close_all(opened *self)
{
    if (self->state != NULL) {
        lasso_close_worker(self->state);
    }
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* eta and the loss of the rows that train, or of those that do not. */
static double loss_of(const opened *self, const double *b, double intercept, bool training,
                      double *eta)
{
    double sum = 0.0;
    for (size_t i = 0; i < N; i++) {
        eta[i] = intercept;
        for (size_t j = 0; j < P; j++) {
            eta[i] += b[j] * self->data.x[j * N + i];
        }
        sum += trains(i) == training ? log1p(exp(self->data.y[i] > 0.0 ? -eta[i] : eta[i])) : 0.0;
    }
    return sum;
}

/* The gradient's entry j, by differences. */
static double slope_at(const opened *self, const double *b, double intercept, size_t j)
{
    static const double H = 1e-5;
    double eta[N];
    double moved[P];
    memcpy(moved, b, sizeof(moved));
    moved[j] = b[j] + H;
    const double up = loss_of(self, moved, intercept, true, eta);
    moved[j] = b[j] - H;
    return (up - loss_of(self, moved, intercept, true, eta)) / (2.0 * H);
}

/* Scores at b, and what is measured there. */
static void check_scan(opened *self, const double *b)
{
    double measures[LASSO_N_MEASURES];
    double eta[N];
    float scores[P];
    REQUIRE_OK(lasso_score(self->state, NULL, P, scores));
    REQUIRE_OK(lasso_measure(self->state, measures));
    const double intercept = -measures[LASSO_CENTRE];
    const double held = loss_of(self, b, intercept, false, eta);
    const double loss = loss_of(self, b, intercept, true, eta);
    double slopes = 0.0;
    double right = 0.0;
    for (size_t i = 0; i < N; i++) {
        const double y = self->data.y[i] > 0.0 ? 1.0 : -1.0;
        slopes += trains(i) ? y / (1.0 + exp(y * eta[i])) : 0.0;
        right += trains(i) && y * eta[i] > 0.0;
    }
    CHECK(self->data.problem.intercept ? fabs(slopes) < 1e-11 : intercept == 0.0);
    CHECK_NEAR(measures[LASSO_LOSS], loss, 1e-11 * loss);
    CHECK_NEAR(measures[LASSO_HELD_LOSS], held, 1e-11 * held);
    CHECK(measures[LASSO_RIGHT] == right && measures[LASSO_HELD_ROWS] == N / 4);
    CHECK(measures[LASSO_AUC] >= 0.0 && measures[LASSO_AUC] <= 1.0);
    CHECK(measures[LASSO_DUAL] <=
          lasso_objective(LASSO_LOGISTIC, measures, self->l1, self->l2) * (1.0 + 1e-14));
    for (size_t j = 0; j < P; j++) {
        const double slope = -slope_at(self, b, intercept, j) - self->l2 * b[j];
        const double off =
            b[j] == 0.0 ? fabs(slope) - self->l1 : fabs(slope - copysign(self->l1, b[j]));
        const double blur = coded_blur(self->state, (uint32_t) j, b[j]);
        /* A scan may leave out what is surely below. */
        CHECK((scores[j] < 0.0f && off < 0.0) || fabs(scores[j] - off / self->l1) <= 1e-4 + blur);
    }
}

static void scans_measure_the_loss_and_its_gradient(void)
{
    static const uint32_t vars[] = {2, 7, 0};
    static const double values[] = {0.5, -0.25, 0.125};
    for (int kind = 0; kind < 4; kind++) {
        opened self;
        open_all(&self, kind & 1, kind & 2, 1.0);
        double b[P] = {0.0};
        check_scan(&self, b);
        REQUIRE_OK(lasso_sync(self.state, vars, 3, values));
        for (int i = 0; i < 3; i++) {
            b[vars[i]] = values[i];
        }
        check_scan(&self, b);
        close_all(&self);
    }
}

/* Pushes all variables once, and commits; returns the largest score after it. */
static double push(opened *self, double *b, bool solve, double target)
{
    uint32_t vars[P];
    double partial[LASSO_PARTIAL_WIDTH * P] = {0.0};
    float scores[P];
    double worst = -INFINITY;
    for (uint32_t j = 0; j < P; j++) {
        vars[j] = j;
    }
    const strads_block block = {
        .n_vars = P, .vars = vars, .values = b, .solve = solve, .target = target};
    REQUIRE_OK(lasso_score(self->state, NULL, P, scores));
    REQUIRE_OK(lasso_push(self->state, &block, partial));
    for (size_t j = 0; j < P; j++) {
        b[j] = partial[LASSO_PARTIAL_WIDTH * j + LASSO_PARTIAL_VALUE];
    }
    REQUIRE_OK(lasso_sync(self->state, vars, P, b));
    REQUIRE_OK(lasso_score(self->state, NULL, P, scores));
    for (size_t j = 0; j < P; j++) {
        worst = fmax(worst, scores[j]);
    }
    return worst;
}

static void a_block_is_solved_to_its_target(void)
{
    for (int kind = 0; kind < 4; kind++) {
        opened self;
        double b[P] = {0.0};
        open_all(&self, kind & 1, kind & 2, 0.5);
        CHECK(push(&self, b, true, 1e-7) <= 1e-6);
        check_scan(&self, b);
        close_all(&self);
    }
}

/* Rows that are certain, and wrong, at a lambda at which the point is feasible as it is. */
static void a_margin_far_below_0_has_a_dual_point(void)
{
    static const uint32_t vars[] = {1};
    for (int sparse = 0; sparse < 2; sparse++) {
        opened self;
        double b[P] = {0.0};
        double farthest = 0.0;
        double measures[LASSO_N_MEASURES];
        open_site(&self, sparse, false);
        ((lasso_site *) self.site)->l1_ratio = 1.0;
        open_worker(&self, 1e6);
        for (size_t i = 0; i < N; i++) {
            const double x = self.data.x[N + i];
            const double against = self.data.y[i] > 0.0 ? -x : x;
            farthest = fmax(farthest, trains(i) ? against : 0.0);
        }
        REQUIRE(farthest > 0.0);
        b[1] = 60.0 / farthest;
        REQUIRE_OK(lasso_sync(self.state, vars, 1, b + 1));
        check_scan(&self, b);
        REQUIRE_OK(lasso_measure(self.state, measures));
        CHECK(isfinite(measures[LASSO_DUAL]) && measures[LASSO_RATIO] <= self.l1);
        close_all(&self);
    }
}

static void the_dual_meets_the_objective_at_the_optimum(void)
{
    for (int kind = 0; kind < 4; kind++) {
        opened self;
        double b[P] = {0.0};
        double measures[LASSO_N_MEASURES];
        open_all(&self, kind & 1, kind & 2, 0.5);
        for (int i = 0; i < 3; i++) {
            push(&self, b, true, 1e-9);
        }
        REQUIRE_OK(lasso_measure(self.state, measures));
        const double objective = lasso_objective(LASSO_LOGISTIC, measures, self.l1, self.l2);
        CHECK_NEAR(measures[LASSO_DUAL], objective, 1e-7 * objective);
        close_all(&self);
    }
}

static void single_steps_never_raise_the_objective(void)
{
    for (int kind = 0; kind < 4; kind++) {
        opened self;
        double b[P] = {0.0};
        double measures[LASSO_N_MEASURES];
        double before = INFINITY;
        open_all(&self, kind & 1, kind & 2, 0.01);
        for (int i = 0; i < 30; i++) {
            push(&self, b, false, 0.0);
            REQUIRE_OK(lasso_measure(self.state, measures));
            const double now = lasso_objective(LASSO_LOGISTIC, measures, self.l1, self.l2);
            CHECK(now <= before * (1.0 + 1e-14));
            before = now;
        }
        close_all(&self);
    }
}

static void a_stage_that_starts_again_has_no_coefficients(void)
{
    opened self;
    double b[P] = {0.0};
    const strads_stage stage = {.params = {[LASSO_LAMBDA] = 1.0, [LASSO_FOLD] = FOLD},
                                .restart = true};
    open_all(&self, true, true, 1.0);
    push(&self, b, true, 0.1);
    memset(b, 0, sizeof(b));
    REQUIRE_OK(lasso_begin_stage(self.state, &stage));
    check_scan(&self, b);
    close_all(&self);
}

static void opening_survives_the_failure_of_every_allocation(void)
{
    opened self;
    open_site(&self, true, true);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    while (failed < MAX_FAILURES && status != STRADS_OK) {
        strads_mem_fail_after(failed + 1);
        status = lasso_open_worker(self.site, &self.worker, &self.state);
        strads_mem_fail_after(0);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            CHECK(self.state == NULL && strads_mem_live() == live);
            failed++;
        }
    }
    CHECK(failed > 4 && failed < MAX_FAILURES);
    close_all(&self);
}

SUITE("apps/lasso/logistic",
      {"scans measure the loss and its gradient", scans_measure_the_loss_and_its_gradient},
      {"a block is solved to its target", a_block_is_solved_to_its_target},
      {"a margin far below 0 has a dual point", a_margin_far_below_0_has_a_dual_point},
      {"the dual meets the objective at the optimum", the_dual_meets_the_objective_at_the_optimum},
      {"single steps never raise the objective", single_steps_never_raise_the_objective},
      {"a stage that starts again has no coefficients",
       a_stage_that_starts_again_has_no_coefficients},
      {"opening survives the failure of every allocation",
       opening_survives_the_failure_of_every_allocation})

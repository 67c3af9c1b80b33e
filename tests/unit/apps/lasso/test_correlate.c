/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_correlate.c - cosines against slow ones, pair by pair. */
#include <string.h>

#include "apps/lasso/solver.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 12 };

static const char *const no_settings[] = {NULL};

/* The cosine of columns a and b, less their means with an intercept. */
static double cosine(const lasso_problem *problem, uint32_t a, uint32_t b)
{
    const double *x = problem->x + a * problem->n;
    const double *y = problem->x + b * problem->n;
    long double mean_x = 0.0L;
    long double mean_y = 0.0L;
    for (size_t i = 0; i < problem->n && problem->intercept; i++) {
        mean_x += (long double) x[i] / problem->n;
        mean_y += (long double) y[i] / problem->n;
    }
    long double xx = 0.0L;
    long double yy = 0.0L;
    long double xy = 0.0L;
    for (size_t i = 0; i < problem->n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return (double) (xy / sqrtl(xx * yy));
}

static bool share_a_row(const lasso_problem *problem, uint32_t a, uint32_t b)
{
    bool shared = false;
    for (size_t i = 0; i < problem->n; i++) {
        shared = shared ||
                 (problem->x[a * problem->n + i] != 0.0 && problem->x[b * problem->n + i] != 0.0);
    }
    return shared;
}

/* Asks about all columns, the first two being known, on behalf of three workers. */
static void check_cosines(lasso_case *self, bool sparse)
{
    static const uint32_t vars[P] = {3, 0, 7, 11, 1, 2, 10, 4, 9, 5, 8, 6};
    static strads_gram gram;
    lasso_case_write(self, sparse);
    strads_config *config = lasso_case_config(self, &lasso_app, no_settings);
    void *site = NULL;
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    REQUIRE((((const lasso_site *) site)->x.col_start != NULL) == sparse);
    lasso_worker worker = {.site = site};
    memset(&gram, 0, sizeof(gram));
    for (uint32_t rank = 0; rank < 3; rank++) {
        const strads_pairs pairs = {
            .vars = vars, .n = P, .first_new = 2, .rank = rank, .n_ranks = 3};
        REQUIRE_OK(lasso_correlate(&worker, &pairs, &gram));
    }
    CHECK(gram.times[1][0] == 0);
    for (uint32_t a = 2; a < P; a++) {
        for (uint32_t b = 0; b < a; b++) {
            const bool told = !sparse || share_a_row(&self->problem, vars[a], vars[b]);
            CHECK(gram.times[a][b] == told);
            CHECK(!told ||
                  fabs(gram.cosine[a][b] - cosine(&self->problem, vars[a], vars[b])) < 1e-12);
        }
    }
    lasso_close_site(site);
    strads_config_destroy(config);
}

static void cosines_equal_slow_ones(void)
{
    for (int kind = 0; kind < 4; kind++) {
        const bool sparse = kind & 1;
        lasso_case self = lasso_case_draw(N, P, sparse ? 0.2 : 1.0, 11);
        self.problem.intercept = kind & 2;
        check_cosines(&self, sparse);
        lasso_case_fini(&self);
    }
}

/* Products that come back to 0 again and again along their rows. */
static void products_that_cancel_are_told_once(void)
{
    lasso_case self = lasso_case_draw(N, P, 0.1, 12);
    for (size_t i = 0; i < N / 3; i++) {
        self.x[4 * N + i] = 1.0;
        self.x[9 * N + i] = i % 2 == 0 ? 1.0 : -1.0;
        self.x[6 * N + i] = i % 2 == 0 ? -1.0 : 1.0;
    }
    check_cosines(&self, true);
    lasso_case_fini(&self);
}

static void columns_without_spread_are_left_out(void)
{
    lasso_case self = lasso_case_draw(N, P, 1.0, 13);
    static strads_gram gram;
    static const uint32_t vars[] = {0, 5, 1};
    for (size_t i = 0; i < N; i++) {
        self.x[5 * N + i] = 4.0;
    }
    lasso_case_write(&self, false);
    strads_config *config = lasso_case_config(&self, &lasso_app, no_settings);
    void *site = NULL;
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    lasso_worker worker = {.site = site};
    const strads_pairs pairs = {.vars = vars, .n = 3, .n_ranks = 1};
    REQUIRE_OK(lasso_correlate(&worker, &pairs, &gram));
    CHECK(gram.times[1][0] == 0 && gram.times[2][1] == 0 && gram.times[2][0] == 1);
    lasso_close_site(site);
    strads_config_destroy(config);
    lasso_case_fini(&self);
}

static void correlating_survives_the_failure_of_every_allocation(void)
{
    lasso_case self = lasso_case_draw(N, P, 0.2, 14);
    static strads_gram gram;
    static const uint32_t vars[] = {0, 5, 1};
    lasso_case_write(&self, true);
    strads_config *config = lasso_case_config(&self, &lasso_app, no_settings);
    void *site = NULL;
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    lasso_worker worker = {.site = site};
    const strads_pairs pairs = {.vars = vars, .n = 3, .n_ranks = 1};
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 100; i++) {
        strads_mem_fail_after(i);
        status = lasso_correlate(&worker, &pairs, &gram);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    lasso_close_site(site);
    strads_config_destroy(config);
    lasso_case_fini(&self);
}

SUITE("apps/lasso/correlate", {"cosines equal slow ones", cosines_equal_slow_ones},
      {"products that cancel are told once", products_that_cancel_are_told_once},
      {"columns without spread are left out", columns_without_spread_are_left_out},
      {"correlating survives the failure of every allocation",
       correlating_survives_the_failure_of_every_allocation})

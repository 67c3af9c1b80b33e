/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso.c - whole runs of the Lasso program against the slow
 * oracle: every kind of data, penalty, schedule and number of workers.
 */

#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

/* Goals: close to what doubles can tell, and what slow schedules reach in good time. */
static const double GAP = 1e-11, EASY_GAP = 1e-6;

/* Rounds that are not whole working sets. */
static const lasso_asked drawn[] = {
    {.schedule = {"schedule.round=15"}},
    {.schedule = {"schedule.round=15", "schedule.pipeline=1"}},
    {.schedule = {"schedule.round=15", "schedule.rho=1"}},
    {.schedule = {"schedule.round=15", "schedule.priority=greedy"}},
    {.schedule = {"schedule.round=15", "schedule.kind=random"}},
    {.schedule = {"schedule.round=15", "schedule.kind=cyclic", "schedule.pipeline=1"}},
    {.schedule = {"schedule.round=1", "schedule.kind=cyclic"}},
};
enum { N_DRAWN = sizeof(drawn) / sizeof(drawn[0]) };

/* ---- the grid ---- */

enum { MAX_WORKERS = 3 };

/* Working sets with each number of workers, and one of the other schedules in turn. */
static void check_schedules(const lasso_case *self, bool draw_too)
{
    static int turn = 0;
    lasso_answer best = lasso_case_solve(self);
    for (int workers = 1; workers <= MAX_WORKERS; workers++) {
        CHECK(lasso_case_holds(self, &best, &(lasso_asked){.gap = GAP, .workers = workers}));
    }
    if (draw_too) {
        lasso_asked ask = drawn[turn % N_DRAWN];
        ask.gap = EASY_GAP;
        ask.workers = 1 + turn / N_DRAWN % MAX_WORKERS;
        CHECK(lasso_case_holds(self, &best, &ask));
        turn++;
    }
    lasso_answer_fini(&best);
}

static void check_grid(double density, bool sparse)
{
    static const size_t shapes[2][2] = {{40, 15}, {20, 40}};
    static const double l1_ratios[] = {1.0, 0.5, 0.1};
    static const double lambda_ratios[] = {0.5, 0.1, 0.01};
    for (int i = 0; i < 8; i++) {
        lasso_case self =
            lasso_case_draw(shapes[i % 2][0], shapes[i % 2][1], density, (unsigned) i);
        lasso_problem *problem = &self.problem;
        problem->intercept = i & 2;
        problem->standardize = i & 4;
        lasso_case_write(&self, sparse);
        for (int k = 0; k < 9; k++) {
            problem->l1_ratio = l1_ratios[k / 3];
            problem->lambda = lambda_ratios[k % 3] * lasso_oracle_lambda_max(problem);
            check_schedules(&self, k % 3 < 2);
        }
        lasso_case_fini(&self);
    }
}

static void dense_problems_reach_the_optimum(void)
{
    check_grid(1.0, false);
}

static void sparse_problems_reach_the_optimum(void)
{
    check_grid(0.2, true);
}

SUITE("integration/lasso",
      {"dense problems reach the oracle's optimum", dense_problems_reach_the_optimum},
      {"sparse problems reach the oracle's optimum", sparse_problems_reach_the_optimum})

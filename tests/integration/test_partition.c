/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_partition.c - the Lasso reaches its optimum whatever of the data
 * its workers hold.
 */
#include <string.h>

#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { MAX_SETTINGS = 8 };

static const char *const partitions[] = {"data.partition=columns", "data.partition=rows"};
static const char *const drivers[] = {"run.driver=threads", "run.driver=sim"};

/* Holds the case to the oracle on both drivers, with one to five workers, or with three. */
static void check_optimum(const lasso_case *self, const lasso_answer *best, const char *schedule,
                          const char *more)
{
    /* What a round of a few variables gains is soon lost in rounding. */
    const double gap = more == NULL ? 1e-10 : 1e-7;
    for (size_t k = more == NULL ? 0 : 4; k < (more == NULL ? 12 : 8); k++) {
        const lasso_asked asked = {
            .schedule = {partitions[k % 2], drivers[k / 2 % 2], schedule, more},
            .gap = gap,
            .workers = (int) (1 + k / 4 * 2)};
        CHECK(lasso_case_holds(self, best, &asked));
    }
}

/* Elastic nets, with and without weights and an intercept. */
static void vary(lasso_case *self, unsigned i)
{
    self->problem.l1_ratio = i % 2 == 0 ? 1.0 : 0.6;
    self->problem.standardize = i / 2 % 2 == 0;
    self->problem.intercept = i % 3 != 0;
    self->problem.lambda = 0.05 * lasso_oracle_lambda_max(&self->problem);
}

static void check_schedule(const char *schedule, const char *more)
{
    for (unsigned i = 0; i < 8; i += SUITE_SANITIZED ? 3 : 1) {
        const bool sparse = i % 2 == 1;
        lasso_case self =
            lasso_case_draw(i < 4 ? 40 : 12, i < 4 ? 15 : 50, sparse ? 0.3 : 1.0, 80 + i);
        vary(&self, i / 2 + i);
        lasso_case_write(&self, sparse);
        lasso_answer best = lasso_case_solve(&self);
        check_optimum(&self, &best, schedule, more);
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

static void working_sets_reach_the_optimum(void)
{
    check_schedule("schedule.round=0", NULL);
}

static void drawn_rounds_reach_the_optimum_with_the_check_on(void)
{
    check_schedule("schedule.round=6", "schedule.rho=0.1");
}

static void rounds_in_flight_reach_the_optimum(void)
{
    check_schedule("schedule.round=6", "schedule.pipeline=2");
}

static void cyclic_and_random_rounds_reach_the_optimum(void)
{
    check_schedule("schedule.kind=cyclic", "schedule.round=7");
    check_schedule("schedule.kind=random", "schedule.round=7");
}

static void there_may_be_more_workers_than_rows_or_columns(void)
{
    for (int wide = 0; wide < 2; wide++) {
        lasso_case self = lasso_case_draw(wide ? 3 : 20, wide ? 20 : 3, 1.0, 91);
        vary(&self, 1);
        lasso_case_write(&self, false);
        lasso_answer best = lasso_case_solve(&self);
        for (size_t k = 0; k < 4; k++) {
            CHECK(lasso_case_holds(&self, &best,
                                   &(lasso_asked){.schedule = {partitions[k % 2], drivers[k / 2]},
                                                  .gap = 1e-10,
                                                  .workers = 9}));
        }
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

/* By rows everybody is given the same numbers and the sums are of one order. */
static void the_same_bits_come_of_threads_and_of_simulated_machines(void)
{
    static const char *const rounds[] = {"schedule.round=0", "schedule.round=8"};
    lasso_case self = lasso_case_draw(40, 30, 0.4, 92);
    vary(&self, 1);
    lasso_case_write(&self, true);
    for (size_t k = 0; k < 4; k++) {
        lasso_outcome got[2];
        for (size_t i = 0; i < 2; i++) {
            const char *settings[MAX_SETTINGS] = {"run.workers=3", "run.deterministic=true",
                                                  partitions[k % 2], rounds[k / 2], drivers[i]};
            got[i] = lasso_case_run(&self, lasso_case_eager_app(), settings);
            REQUIRE(got[i].status == STRADS_OK);
        }
        CHECK(memcmp(got[0].b, got[1].b, self.problem.p * sizeof(double)) == 0);
        CHECK(got[0].intercept == got[1].intercept);
        CHECK(got[0].result.last.updates == got[1].result.last.updates);
        lasso_outcome_fini(&got[0]);
        lasso_outcome_fini(&got[1]);
    }
    lasso_case_fini(&self);
}

/* More variables in a block than products are kept of. */
static void a_wide_set_is_solved_in_slices_by_rows(void)
{
    lasso_case self = lasso_case_draw(30, 2500, 0.05, 93);
    self.problem.lambda = 0.7 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, true);
    lasso_answer best = lasso_case_solve(&self);
    CHECK(lasso_case_holds(&self, &best,
                           &(lasso_asked){.schedule = {"data.partition=rows", "schedule.round=2500",
                                                       "schedule.kind=cyclic"},
                                          .gap = 1e-4,
                                          .workers = 2}));
    lasso_answer_fini(&best);
    lasso_case_fini(&self);
}

SUITE("integration/partition", {"working sets reach the optimum", working_sets_reach_the_optimum},
      {"drawn rounds reach the optimum with the check on",
       drawn_rounds_reach_the_optimum_with_the_check_on},
      {"rounds in flight reach the optimum", rounds_in_flight_reach_the_optimum},
      {"cyclic and random rounds reach the optimum", cyclic_and_random_rounds_reach_the_optimum},
      {"there may be more workers than rows or columns",
       there_may_be_more_workers_than_rows_or_columns},
      {"the same bits come of threads and of simulated machines",
       the_same_bits_come_of_threads_and_of_simulated_machines},
      {"a wide set is solved in slices by rows", a_wide_set_is_solved_in_slices_by_rows})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_job_faults.c - whole runs of the toy program in which something
 * fails: none crashes, hangs, leaks or keeps silent.
 */
#include "tests/unit/strads/trial.h"

static void check_failed(trial *t, strads_status expected)
{
    trial_run(t);
    CHECK_STATUS(t->status, expected);
    CHECK(strstr(t->said, "strads: error: ") != NULL);
    trial_check_summary("failed");
}

/* Settings under which every callback is called more than once. */
static void set_case(trial *t, int workers, toy_callback callback)
{
    static const char *const counts[] = {"run.workers=1", "run.workers=2", "run.workers=4"};
    trial_set(t, counts[workers]);
    trial_set(t,
              callback == TOY_SCHEDULE ? "schedule.kind=custom" : "schedule.kind=structure_aware");
    trial_set(t, "schedule.round=4");
    trial_set(t, "schedule.pipeline=1");
    trial_set(t, "stop.gap=1e-9");
    t->problem->n_stages = 2;
}

static bool once_a_run(toy_callback callback)
{
    return callback == TOY_OPEN_SITE || callback == TOY_DESCRIBE || callback == TOY_OPEN_MODEL ||
           callback == TOY_SAVE;
}

static void a_failure_of_any_callback_ends_the_run_with_its_status(void)
{
    for (toy_callback callback = TOY_OPEN_SITE; callback < TOY_N_CALLBACKS; callback++) {
        for (int workers = 0; workers < 3; workers++) {
            if (callback == TOY_CORRELATE && workers == 0) {
                continue; /* one worker has nobody to check against */
            }
            const bool later = !once_a_run(callback) &&
                               (workers > 0 || callback != TOY_OPEN_WORKER) &&
                               (workers > 0 || callback != TOY_BEGIN_STAGE);
            for (uint32_t call = 1; call <= (later ? 2 : 1); call++) {
                trial t = trial_begin();
                set_case(&t, workers, callback);
                t.problem->fault = (toy_fault){callback, call, STRADS_ERR_DATA};
                check_failed(&t, STRADS_ERR_DATA);
                trial_end(&t);
            }
        }
    }
}

static void what_is_not_a_number_ends_the_run(void)
{
    static const toy_callback givers[] = {TOY_SCORE, TOY_PUSH, TOY_PULL, TOY_MEASURE,
                                          TOY_NEXT_STAGE};
    for (size_t i = 0; i < sizeof(givers) / sizeof(givers[0]); i++) {
        for (int workers = 0; workers < 3; workers++) {
            trial t = trial_begin();
            set_case(&t, workers, givers[i]);
            trial_set(&t, "schedule.candidates=8");
            t.problem->fault = (toy_fault){givers[i], 1, STRADS_OK};
            check_failed(&t, STRADS_ERR_NUMERIC);
            trial_end(&t);
        }
    }
}

static void a_failure_in_a_working_set_lets_the_other_workers_out_of_the_exchange(void)
{
    for (uint32_t call = 1; call <= 3; call++) {
        trial t = trial_begin();
        trial_set(&t, "run.workers=3");
        t.problem->fault = (toy_fault){TOY_PUSH, call, STRADS_ERR_IO};
        check_failed(&t, STRADS_ERR_IO);
        t.problem->fault = (toy_fault){TOY_SCORE, call, STRADS_ERR_IO};
        check_failed(&t, STRADS_ERR_IO);
        trial_end(&t);
    }
}

static void a_schedule_that_breaks_the_rules_ends_the_run(void)
{
    trial t = trial_begin();
    trial_set(&t, "schedule.kind=custom");
    t.problem->names_a_variable_twice = true;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "toy: schedule named variable 0 twice in one round") != NULL);
    t.problem->names_a_variable_twice = false;
    t.problem->names_one_beyond = true;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "toy: schedule named variable 12 of 12") != NULL);
    trial_end(&t);
}

/* Names variable 0 in every round. */
static strads_status always_the_first(void *model, uint64_t round, const double *values,
                                      strads_round *blocks)
{
    (void) model;
    (void) round;
    (void) values;
    const uint32_t var = 0;
    return strads_round_add(blocks, &var, 1);
}

static void a_schedule_may_not_name_what_is_in_flight(void)
{
    trial t = trial_begin();
    trial_set(&t, "schedule.kind=custom");
    trial_set(&t, "schedule.round=4");
    trial_set(&t, "schedule.pipeline=1");
    t.app.schedule = always_the_first;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "variable 0, which the round before still holds") != NULL);
    trial_end(&t);
}

static double nothing_for_the_last(const void *site, uint32_t var)
{
    (void) site;
    return var == trial_shape.n_vars - 1 ? 0.0 : 1.0;
}

static void a_cost_that_cannot_be_ends_the_run(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=2"};
    for (int i = 0; i < 2; i++) {
        trial t = trial_begin();
        trial_set(&t, workers[i]);
        trial_set(&t, "schedule.kind=cyclic"); /* which uses costs with one worker too */
        t.app.cost = nothing_for_the_last;
        check_failed(&t, STRADS_ERR_APP);
        CHECK(strstr(t.said, "toy: cost gave 0 for variable 11;") != NULL);
        trial_end(&t);
    }
}

static void a_width_that_cannot_be_ends_the_run(void)
{
    static const uint32_t widths[] = {0, 9};
    for (int i = 0; i < 2; i++) {
        trial t = trial_begin();
        t.problem->partial_width = widths[i];
        check_failed(&t, STRADS_ERR_APP);
        trial_end(&t);
    }
}

/* ---- no memory ---- */

/* Fails the n-th allocation of a run for n = 1, 2, ... until it has none left to fail. */
static void fail_each_allocation(const char *workers, const char *round, const char *pipeline)
{
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; n < 3000 && status != STRADS_OK; n++) {
        trial t = trial_begin();
        trial_set(&t, workers);
        trial_set(&t, round);
        trial_set(&t, pipeline);
        trial_set(&t, "stop.gap=0.5");
        t.problem->fail_allocation = n;
        trial_run(&t);
        status = t.status;
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        trial_end(&t);
    }
    CHECK_STATUS(status, STRADS_OK);
}

static void a_run_survives_the_failure_of_every_allocation(void)
{
    fail_each_allocation("run.workers=1", "schedule.round=0", "schedule.pipeline=0");
    fail_each_allocation("run.workers=1", "schedule.round=4", "schedule.pipeline=1");
    fail_each_allocation("run.workers=3", "schedule.round=0", "schedule.pipeline=0");
    fail_each_allocation("run.workers=3", "schedule.round=4", "schedule.pipeline=1");
}

SUITE("strads/job_faults",
      {"a failure of any callback ends the run with its status",
       a_failure_of_any_callback_ends_the_run_with_its_status},
      {"what is not a number ends the run", what_is_not_a_number_ends_the_run},
      {"a failure in a working set lets the other workers out of the exchange",
       a_failure_in_a_working_set_lets_the_other_workers_out_of_the_exchange},
      {"a schedule that breaks the rules ends the run",
       a_schedule_that_breaks_the_rules_ends_the_run},
      {"a schedule may not name what is in flight", a_schedule_may_not_name_what_is_in_flight},
      {"a cost that cannot be ends the run", a_cost_that_cannot_be_ends_the_run},
      {"a width that cannot be ends the run", a_width_that_cannot_be_ends_the_run},
      {"a run survives the failure of every allocation",
       a_run_survives_the_failure_of_every_allocation})

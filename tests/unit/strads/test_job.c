/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_job.c - whole runs of the toy program: how they end, and that
 * nothing that fails makes one crash, hang, leak or keep silent.
 */
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/suite.h"
#include "tests/support/toy.h"

static const toy_shape small = {
    .n_rows = 30, .n_vars = 12, .n_copies = 3, .noise = 0.5, .ridge = 1.0, .seed = 5};

enum { MAX_SETTINGS = 8, SECONDS = 60 };

/* A run and what came of it. */
typedef struct trial {
    toy_problem *problem;
    strads_app app;
    const char *settings[MAX_SETTINGS];
    size_t n_settings;
    strads_status status;
    strads_result result;
    char *said; /* on stderr */
} trial;

static trial begin(void)
{
    return (trial){.problem = toy_create(&small), .app = toy_app()};
}

static void set(trial *self, const char *setting)
{
    REQUIRE(self->n_settings < MAX_SETTINGS);
    self->settings[self->n_settings++] = setting;
}

static void run_quietly(void *context)
{
    trial *self = context;
    self->status =
        toy_run(self->problem, &self->app, self->settings, self->n_settings, &self->result);
}

/* Runs it; whatever happens, nothing may be left open. */
static void run(trial *self)
{
    strads_free(self->said);
    self->said = NULL;
    const size_t live = strads_mem_live();
    alarm(SECONDS); /* a hang is a failure */
    self->said = suite_stderr_of(run_quietly, self);
    alarm(0);
    CHECK(strads_mem_live() == live + 1); /* what it said */
    CHECK(toy_open() == 0);
}

static void end(trial *self)
{
    strads_free(self->said);
    toy_destroy(self->problem);
}

/* ---- summary.json ---- */

static json_t *summary(void)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/summary.json", toy_folder());
    return json_load_file(path, 0, NULL);
}

static void check_summary_says(const char *verdict)
{
    json_t *object = summary();
    const char *status = json_string_value(json_object_get(object, "status"));
    CHECK(status != NULL && strcmp(status, verdict) == 0);
    json_decref(object);
}

/* ---- what ends a run ---- */

static void a_run_converges_to_the_optimum_with_any_number_of_workers(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=2", "run.workers=3",
                                          "run.workers=8", "run.workers=20"};
    for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        trial t = begin();
        set(&t, workers[i]);
        set(&t, "stop.gap=1e-10");
        run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_CONVERGED);
        CHECK(t.result.n_vars == small.n_vars);
        CHECK(toy_error() < 1e-8);
        CHECK_TEXT(t.said, "");
        check_summary_says("converged");
        end(&t);
    }
}

static void a_callback_that_may_be_missing_may_be_missing(void)
{
    trial t = begin();
    set(&t, "schedule.kind=cyclic");
    set(&t, "run.workers=3");
    t.app.open_model = NULL;
    t.app.close_model = NULL;
    t.app.correlate = NULL;
    t.app.cost = NULL;
    t.app.schedule = NULL;
    t.app.pull = NULL;
    t.app.next_stage = NULL;
    t.app.begin_stage = NULL;
    t.app.measures = NULL;
    t.app.n_measures = 0;
    t.app.measure = NULL;
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_CONVERGED);
    CHECK(isnan(t.result.last.objective));
    CHECK(t.result.last.nonzeros == small.n_vars);
    CHECK(toy_error() < 1e-4);
    end(&t);
}

static void wide_partials_find_their_variables(void)
{
    trial t = begin();
    set(&t, "schedule.round=5");
    set(&t, "run.workers=2");
    t.problem->partial_width = 3;
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(toy_error() < 1e-4);
    end(&t);
}

static void a_program_without_save_leaves_its_values(void)
{
    trial t = begin();
    char path[300];
    t.app.save = NULL;
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    snprintf(path, sizeof(path), "%s/values.npy", toy_folder());
    CHECK(access(path, R_OK) == 0);
    CHECK(remove(path) == 0);
    end(&t);
}

static void stages_follow_each_other_and_the_last_is_solved(void)
{
    for (int aware = 0; aware < 2; aware++) {
        trial t = begin();
        set(&t, "run.workers=3");
        set(&t, aware ? "schedule.kind=structure_aware" : "schedule.kind=random");
        t.problem->n_stages = 4;
        run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(toy_calls(TOY_BEGIN_STAGE) == 3 * 3);
        CHECK(toy_error() < 1e-4);
        end(&t);
    }
}

static void a_limit_of_rounds_completes_a_run_without_a_goal_and_stops_one_with(void)
{
    for (int goal = 0; goal < 2; goal++) {
        for (int pipeline = 0; pipeline < 2; pipeline++) {
            trial t = begin();
            set(&t, goal ? "stop.gap=1e-14" : "stop.gap=0");
            set(&t, "stop.rounds=5");
            set(&t, "schedule.kind=cyclic");
            set(&t, "schedule.round=4");
            set(&t, "run.workers=2");
            set(&t, pipeline ? "schedule.pipeline=1" : "schedule.pipeline=0");
            run(&t);
            CHECK_STATUS(t.status, STRADS_OK);
            CHECK(t.result.verdict == (goal ? STRADS_STOPPED : STRADS_COMPLETED));
            CHECK(t.result.last.round == 5);
            CHECK(t.result.last.updates == 5 * 4);
            check_summary_says(goal ? "stopped" : "completed");
            end(&t);
        }
    }
}

static strads_status all_retired(void *state, const uint32_t *vars, size_t n, float *scores)
{
    (void) state;
    (void) vars;
    for (size_t i = 0; i < n; i++) {
        scores[i] = STRADS_RETIRED;
    }
    return STRADS_OK;
}

/* Such a schedule names nothing. */
static strads_status named_nothing(void *model, uint64_t round, const double *values,
                                   strads_round *blocks)
{
    (void) model;
    (void) round;
    (void) values;
    (void) blocks;
    return STRADS_OK;
}

static void a_run_without_a_goal_that_has_nothing_left_to_do_is_complete(void)
{
    static const char *const kinds[] = {"schedule.kind=structure_aware", "schedule.kind=random",
                                        "schedule.kind=cyclic", "schedule.kind=custom"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        trial t = begin();
        set(&t, kinds[i]);
        set(&t, "stop.gap=0");
        set(&t, "stop.rounds=5");
        t.app.score = all_retired;
        t.app.schedule = named_nothing;
        t.app.next_stage = NULL;
        run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_COMPLETED);
        CHECK(t.result.last.round == 0);
        CHECK_TEXT(t.said, "");
        end(&t);
    }
}

static void a_limit_of_time_stops_rounds_and_a_long_push(void)
{
    static const char *const rounds[] = {"schedule.round=0", "schedule.round=1"};
    static const char *const workers[] = {"run.workers=1", "run.workers=3"};
    for (int i = 0; i < 4; i++) {
        trial t = begin();
        t.problem->seconds_per_sweep = 1.0;
        set(&t, "stop.seconds=10");
        set(&t, "stop.gap=1e-15");
        set(&t, rounds[i % 2]);
        set(&t, workers[i / 2]);
        strads_clock_set_source(toy_clock, NULL);
        run(&t);
        CHECK(toy_clock(NULL) < 10.0 + 20.0); /* a few sweeps of each worker more */
        strads_clock_set_source(NULL, NULL);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_STOPPED);
        check_summary_says("stopped");
        end(&t);
    }
}

static void a_request_to_stop_ends_a_run_in_its_push(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=3"};
    for (int i = 0; i < 4; i++) {
        trial t = begin();
        t.problem->stop_in_round = 0;
        set(&t, workers[i % 2]);
        set(&t, i < 2 ? "schedule.round=0" : "schedule.round=2");
        set(&t, "stop.gap=1e-15");
        run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_STOPPED);
        CHECK(t.result.last.round == 1);
        CHECK(isfinite(toy_error())); /* what it has is saved */
        end(&t);
    }
}

/* What a run that was not to be begun leaves: nothing was solved and nothing saved. */
static void check_stopped_unsolved(const trial *t)
{
    CHECK_STATUS(t->status, STRADS_OK);
    CHECK(t->result.verdict == STRADS_STOPPED);
    CHECK(t->result.last.round == 0 && t->result.solve_seconds == 0.0);
    CHECK(toy_calls(TOY_OPEN_WORKER) == 0 && toy_calls(TOY_SAVE) == 0);
    CHECK_TEXT(t->said, "");
    check_summary_says("stopped");
}

static strads_status (*site_of_toy)(const strads_config *config, void **site);

static strads_status stop_and_open_site(const strads_config *config, void **site)
{
    strads_stop_all();
    return site_of_toy(config, site);
}

static void a_request_to_stop_while_loading_ends_the_run_unsolved(void)
{
    trial t = begin();
    set(&t, "run.workers=2");
    site_of_toy = t.app.open_site;
    t.app.open_site = stop_and_open_site;
    run(&t);
    check_stopped_unsolved(&t);
    CHECK(t.result.n_vars == small.n_vars);
    end(&t);
}

/* It also holds for the runs to come, until it is taken back. */
static void a_request_to_stop_lasts_until_it_is_cleared(void)
{
    trial t = begin();
    strads_stop_all();
    for (int again = 0; again < 2; again++) {
        run(&t);
        check_stopped_unsolved(&t);
        CHECK(toy_calls(TOY_OPEN_SITE) == 0);
    }
    strads_stop_clear();
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_CONVERGED);
    end(&t);
}

static void a_program_that_never_ends_its_stage_still_meets_a_limit(void)
{
    trial t = begin();
    t.problem->always_changed = true;
    t.problem->n_stages = 1;
    t.problem->stop_in_round = 0;
    set(&t, "stop.rounds=1");
    set(&t, "stop.seconds=0.2");
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_STOPPED);
    end(&t);
}

static void the_same_seed_and_workers_give_the_same_bits(void)
{
    double first[64];
    for (int again = 0; again < 2; again++) {
        trial t = begin();
        set(&t, "schedule.round=5");
        set(&t, "run.workers=3");
        set(&t, "run.deterministic=true");
        run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        if (again == 0) {
            memcpy(first, toy_values(), small.n_vars * sizeof(double));
        } else {
            CHECK(memcmp(first, toy_values(), small.n_vars * sizeof(double)) == 0);
        }
        end(&t);
    }
}

/* Every variable is correlated with every other: all but a few candidates of a draw are
 * rejected, and their slots refilled. */
static void a_round_is_refilled_within_its_room(void)
{
    static const toy_shape alike = {
        .n_rows = 30, .n_vars = 60, .n_copies = 60, .noise = 0.05, .ridge = 1.0, .seed = 3};
    trial t = {.problem = toy_create(&alike), .app = toy_app()};
    set(&t, "schedule.round=12");
    set(&t, "schedule.candidates=12");
    set(&t, "schedule.priority=greedy");
    set(&t, "run.workers=4");
    run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(toy_complaint(t.problem, 0.2) == NULL);
    end(&t);
}

/* ---- what breaks one ---- */

static void check_failed(trial *t, strads_status expected)
{
    run(t);
    CHECK_STATUS(t->status, expected);
    CHECK(strstr(t->said, "strads: error: ") != NULL);
    check_summary_says("failed");
}

/* Settings under which every callback is called more than once. */
static void set_case(trial *t, int workers, toy_callback callback)
{
    static const char *const counts[] = {"run.workers=1", "run.workers=2", "run.workers=4"};
    set(t, counts[workers]);
    set(t, callback == TOY_SCHEDULE ? "schedule.kind=custom" : "schedule.kind=structure_aware");
    set(t, "schedule.round=4");
    set(t, "schedule.pipeline=1");
    set(t, "stop.gap=1e-9");
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
                trial t = begin();
                set_case(&t, workers, callback);
                t.problem->fault = (toy_fault){callback, call, STRADS_ERR_DATA};
                check_failed(&t, STRADS_ERR_DATA);
                end(&t);
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
            trial t = begin();
            set_case(&t, workers, givers[i]);
            set(&t, "schedule.candidates=8");
            t.problem->fault = (toy_fault){givers[i], 1, STRADS_OK};
            check_failed(&t, STRADS_ERR_NUMERIC);
            end(&t);
        }
    }
}

static void a_failure_in_a_working_set_lets_the_other_workers_out_of_the_exchange(void)
{
    for (uint32_t call = 1; call <= 3; call++) {
        trial t = begin();
        set(&t, "run.workers=3");
        t.problem->fault = (toy_fault){TOY_PUSH, call, STRADS_ERR_IO};
        check_failed(&t, STRADS_ERR_IO);
        t.problem->fault = (toy_fault){TOY_SCORE, call, STRADS_ERR_IO};
        check_failed(&t, STRADS_ERR_IO);
        end(&t);
    }
}

static void a_schedule_that_breaks_the_rules_ends_the_run(void)
{
    trial t = begin();
    set(&t, "schedule.kind=custom");
    t.problem->names_a_variable_twice = true;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "toy: schedule named variable 0 twice in one round") != NULL);
    t.problem->names_a_variable_twice = false;
    t.problem->names_one_beyond = true;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "toy: schedule named variable 12 of 12") != NULL);
    end(&t);
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
    trial t = begin();
    set(&t, "schedule.kind=custom");
    set(&t, "schedule.round=4");
    set(&t, "schedule.pipeline=1");
    t.app.schedule = always_the_first;
    check_failed(&t, STRADS_ERR_APP);
    CHECK(strstr(t.said, "variable 0, which the round before still holds") != NULL);
    end(&t);
}

static double nothing_for_the_last(const void *site, uint32_t var)
{
    (void) site;
    return var == small.n_vars - 1 ? 0.0 : 1.0;
}

static void a_cost_that_cannot_be_ends_the_run(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=2"};
    for (int i = 0; i < 2; i++) {
        trial t = begin();
        set(&t, workers[i]);
        set(&t, "schedule.kind=cyclic"); /* which uses costs with one worker too */
        t.app.cost = nothing_for_the_last;
        check_failed(&t, STRADS_ERR_APP);
        CHECK(strstr(t.said, "toy: cost gave 0 for variable 11;") != NULL);
        end(&t);
    }
}

static void a_width_that_cannot_be_ends_the_run(void)
{
    static const uint32_t widths[] = {0, 9};
    for (int i = 0; i < 2; i++) {
        trial t = begin();
        t.problem->partial_width = widths[i];
        check_failed(&t, STRADS_ERR_APP);
        end(&t);
    }
}

/* ---- no memory ---- */

/* Fails the n-th allocation of a run for n = 1, 2, ... until it has none left to fail. */
static void fail_each_allocation(const char *workers, const char *round, const char *pipeline)
{
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; n < 3000 && status != STRADS_OK; n++) {
        trial t = begin();
        set(&t, workers);
        set(&t, round);
        set(&t, pipeline);
        set(&t, "stop.gap=0.5");
        t.problem->fail_allocation = n;
        run(&t);
        status = t.status;
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        end(&t);
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

SUITE("strads/job",
      {"a run converges to the optimum with any number of workers",
       a_run_converges_to_the_optimum_with_any_number_of_workers},
      {"a callback that may be missing may be missing",
       a_callback_that_may_be_missing_may_be_missing},
      {"wide partials find their variables", wide_partials_find_their_variables},
      {"a program without save leaves its values", a_program_without_save_leaves_its_values},
      {"stages follow each other and the last is solved",
       stages_follow_each_other_and_the_last_is_solved},
      {"a limit of rounds completes a run without a goal and stops one with",
       a_limit_of_rounds_completes_a_run_without_a_goal_and_stops_one_with},
      {"a run without a goal that has nothing left to do is complete",
       a_run_without_a_goal_that_has_nothing_left_to_do_is_complete},
      {"a limit of time stops rounds and a long push",
       a_limit_of_time_stops_rounds_and_a_long_push},
      {"a request to stop ends a run in its push", a_request_to_stop_ends_a_run_in_its_push},
      {"a request to stop while loading ends the run unsolved",
       a_request_to_stop_while_loading_ends_the_run_unsolved},
      {"a request to stop lasts until it is cleared", a_request_to_stop_lasts_until_it_is_cleared},
      {"a program that never ends its stage still meets a limit",
       a_program_that_never_ends_its_stage_still_meets_a_limit},
      {"the same seed and workers give the same bits",
       the_same_seed_and_workers_give_the_same_bits},
      {"a round is refilled within its room", a_round_is_refilled_within_its_room},
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

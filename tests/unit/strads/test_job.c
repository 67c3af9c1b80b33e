/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_job.c - whole runs of the toy program, and how they end. */
#include "base/clock.h"
#include "tests/unit/strads/trial.h"

static void a_run_converges_to_the_optimum_with_any_number_of_workers(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=2", "run.workers=3",
                                          "run.workers=8", "run.workers=20"};
    for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        trial t = trial_begin();
        trial_set(&t, workers[i]);
        trial_set(&t, "stop.gap=1e-10");
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_CONVERGED);
        CHECK(t.result.n_vars == trial_shape.n_vars);
        CHECK(toy_error() < 1e-8);
        CHECK_TEXT(t.said, "");
        trial_check_summary("converged");
        trial_end(&t);
    }
}

static void a_callback_that_may_be_missing_may_be_missing(void)
{
    trial t = trial_begin();
    trial_set(&t, "schedule.kind=cyclic");
    trial_set(&t, "run.workers=3");
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
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_CONVERGED);
    CHECK(isnan(t.result.last.objective));
    CHECK(t.result.last.nonzeros == trial_shape.n_vars);
    CHECK(toy_error() < 1e-4);
    trial_end(&t);
}

static void wide_partials_find_their_variables(void)
{
    trial t = trial_begin();
    trial_set(&t, "schedule.round=5");
    trial_set(&t, "run.workers=2");
    t.problem->partial_width = 3;
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(toy_error() < 1e-4);
    trial_end(&t);
}

static void a_program_without_save_leaves_its_values(void)
{
    trial t = trial_begin();
    char path[300];
    t.app.save = NULL;
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    snprintf(path, sizeof(path), "%s/values.npy", toy_folder());
    CHECK(access(path, R_OK) == 0);
    CHECK(remove(path) == 0);
    trial_end(&t);
}

static void stages_follow_each_other_and_the_last_is_solved(void)
{
    for (int aware = 0; aware < 2; aware++) {
        trial t = trial_begin();
        trial_set(&t, "run.workers=3");
        trial_set(&t, aware ? "schedule.kind=structure_aware" : "schedule.kind=random");
        t.problem->n_stages = 4;
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(toy_calls(TOY_BEGIN_STAGE) == 3 * 3);
        CHECK(toy_error() < 1e-4);
        trial_end(&t);
    }
}

static bool restarted;
static uint32_t n_restarts;

static strads_status check_restart(void *model, const strads_view *view, strads_stage *stage)
{
    for (uint32_t j = 0; restarted && j < trial_shape.n_vars; j++) {
        CHECK(view->values[j] == 0.0);
    }
    n_restarts += restarted;
    const strads_status status = toy_app().next_stage(model, view, stage);
    restarted = stage->restart;
    return status;
}

static void a_stage_that_restarts_begins_at_zero_everywhere(void)
{
    static const char *const kinds[] = {"schedule.kind=structure_aware", "schedule.kind=random",
                                        "schedule.round=4"};
    for (int i = 0; i < 6; i++) {
        trial t = trial_begin();
        trial_set(&t, "run.workers=3");
        trial_set(&t, kinds[i % 3]);
        trial_set(&t, i < 3 ? "run.driver=threads" : "run.driver=sim");
        t.app.next_stage = check_restart;
        t.problem->n_stages = 3;
        t.problem->restarts = true;
        n_restarts = 0;
        restarted = false;
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(n_restarts == 2);
        CHECK(toy_error() < 1e-4);
        trial_end(&t);
    }
}

static void a_restart_that_workers_cannot_hear_of_is_refused(void)
{
    trial t = trial_begin();
    t.app.begin_stage = NULL;
    t.problem->n_stages = 2;
    t.problem->restarts = true;
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_ERR_APP);
    CHECK(strstr(t.said, "begin_stage") != NULL);
    trial_end(&t);
}

static void a_limit_of_rounds_completes_a_run_without_a_goal_and_stops_one_with(void)
{
    for (int goal = 0; goal < 2; goal++) {
        for (int pipeline = 0; pipeline < 2; pipeline++) {
            trial t = trial_begin();
            trial_set(&t, goal ? "stop.gap=1e-14" : "stop.gap=0");
            trial_set(&t, "stop.rounds=5");
            trial_set(&t, "schedule.kind=cyclic");
            trial_set(&t, "schedule.round=4");
            trial_set(&t, "run.workers=2");
            trial_set(&t, pipeline ? "schedule.pipeline=1" : "schedule.pipeline=0");
            trial_run(&t);
            CHECK_STATUS(t.status, STRADS_OK);
            CHECK(t.result.verdict == (goal ? STRADS_STOPPED : STRADS_COMPLETED));
            CHECK(t.result.last.round == 5);
            CHECK(t.result.last.updates == 5 * 4);
            trial_check_summary(goal ? "stopped" : "completed");
            trial_end(&t);
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
        trial t = trial_begin();
        trial_set(&t, kinds[i]);
        trial_set(&t, "stop.gap=0");
        trial_set(&t, "stop.rounds=5");
        t.app.score = all_retired;
        t.app.schedule = named_nothing;
        t.app.next_stage = NULL;
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_COMPLETED);
        CHECK(t.result.last.round == 0);
        CHECK_TEXT(t.said, "");
        trial_end(&t);
    }
}

static void a_schedule_that_names_nothing_short_of_the_goal_is_said_to(void)
{
    trial t = trial_begin();
    trial_set(&t, "schedule.kind=custom");
    t.app.schedule = named_nothing;
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_STOPPED);
    CHECK(strstr(t.said, "the program's own schedule names no variable: the gap stays at") != NULL);
    trial_end(&t);
}

static void a_limit_of_time_stops_rounds_and_a_long_push(void)
{
    static const char *const rounds[] = {"schedule.round=0", "schedule.round=1"};
    static const char *const workers[] = {"run.workers=1", "run.workers=3"};
    for (int i = 0; i < 4; i++) {
        trial t = trial_begin();
        t.problem->seconds_per_sweep = 1.0;
        trial_set(&t, "stop.seconds=10");
        trial_set(&t, "stop.gap=1e-15");
        trial_set(&t, rounds[i % 2]);
        trial_set(&t, workers[i / 2]);
        strads_clock_set_source(toy_clock, NULL);
        trial_run(&t);
        CHECK(toy_clock(NULL) < 10.0 + 20.0); /* a few sweeps of each worker more */
        strads_clock_set_source(NULL, NULL);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_STOPPED);
        trial_check_summary("stopped");
        trial_end(&t);
    }
}

static void a_request_to_stop_ends_a_run_in_its_push(void)
{
    static const char *const workers[] = {"run.workers=1", "run.workers=3"};
    for (int i = 0; i < 4; i++) {
        trial t = trial_begin();
        t.problem->stop_in_round = 0;
        trial_set(&t, workers[i % 2]);
        trial_set(&t, i < 2 ? "schedule.round=0" : "schedule.round=2");
        trial_set(&t, "stop.gap=1e-15");
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        CHECK(t.result.verdict == STRADS_STOPPED);
        CHECK(t.result.last.round == 1);
        CHECK(isfinite(toy_error())); /* what it has is saved */
        trial_end(&t);
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
    trial_check_summary("stopped");
}

static strads_status (*site_of_toy)(const strads_config *config, strads_part *part, void **site);

static strads_status stop_and_open_site(const strads_config *config, strads_part *part, void **site)
{
    strads_stop_all();
    return site_of_toy(config, part, site);
}

static void a_request_to_stop_while_loading_ends_the_run_unsolved(void)
{
    trial t = trial_begin();
    trial_set(&t, "run.workers=2");
    site_of_toy = t.app.open_site;
    t.app.open_site = stop_and_open_site;
    trial_run(&t);
    check_stopped_unsolved(&t);
    CHECK(t.result.n_vars == trial_shape.n_vars);
    trial_end(&t);
}

/* It also holds for the runs to come, until it is taken back. */
static void a_request_to_stop_lasts_until_it_is_cleared(void)
{
    trial t = trial_begin();
    strads_stop_all();
    for (int again = 0; again < 2; again++) {
        trial_run(&t);
        check_stopped_unsolved(&t);
        CHECK(toy_calls(TOY_OPEN_SITE) == 0);
    }
    strads_stop_clear();
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_CONVERGED);
    trial_end(&t);
}

static void a_program_that_never_ends_its_stage_still_meets_a_limit(void)
{
    trial t = trial_begin();
    t.problem->always_changed = true;
    t.problem->n_stages = 1;
    t.problem->stop_in_round = 0;
    trial_set(&t, "stop.rounds=1");
    trial_set(&t, "stop.seconds=0.2");
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(t.result.verdict == STRADS_STOPPED);
    trial_end(&t);
}

static void the_same_seed_and_workers_give_the_same_bits(void)
{
    double first[64];
    for (int again = 0; again < 2; again++) {
        trial t = trial_begin();
        trial_set(&t, "schedule.round=5");
        trial_set(&t, "run.workers=3");
        trial_set(&t, "run.deterministic=true");
        trial_run(&t);
        CHECK_STATUS(t.status, STRADS_OK);
        if (again == 0) {
            memcpy(first, toy_values(), trial_shape.n_vars * sizeof(double));
        } else {
            CHECK(memcmp(first, toy_values(), trial_shape.n_vars * sizeof(double)) == 0);
        }
        trial_end(&t);
    }
}

/* Every variable is correlated with every other: all but a few candidates of a draw are
 * rejected, and their slots refilled. */
static void a_round_is_refilled_within_its_room(void)
{
    static const toy_shape alike = {
        .n_rows = 30, .n_vars = 60, .n_copies = 60, .noise = 0.05, .ridge = 1.0, .seed = 3};
    trial t = {.problem = toy_create(&alike), .app = toy_app()};
    trial_set(&t, "schedule.round=12");
    trial_set(&t, "schedule.candidates=12");
    trial_set(&t, "schedule.priority=greedy");
    trial_set(&t, "run.workers=4");
    trial_run(&t);
    CHECK_STATUS(t.status, STRADS_OK);
    CHECK(toy_complaint(t.problem, 0.2) == NULL);
    trial_end(&t);
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
      {"a stage that restarts begins at zero everywhere",
       a_stage_that_restarts_begins_at_zero_everywhere},
      {"a restart that workers cannot hear of is refused",
       a_restart_that_workers_cannot_hear_of_is_refused},
      {"a limit of rounds completes a run without a goal and stops one with",
       a_limit_of_rounds_completes_a_run_without_a_goal_and_stops_one_with},
      {"a run without a goal that has nothing left to do is complete",
       a_run_without_a_goal_that_has_nothing_left_to_do_is_complete},
      {"a schedule that names nothing short of the goal is said to",
       a_schedule_that_names_nothing_short_of_the_goal_is_said_to},
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
      {"a round is refilled within its room", a_round_is_refilled_within_its_room})

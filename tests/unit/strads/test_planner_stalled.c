/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_planner_stalled.c - what a plan does for a variable that rounds
 * pass by. All variables correlate, so that a round has room for the first alone. */
#include "strads/planner.h"
#include "tests/support/suite.h"

enum { J = 40, ROUND = 4, LEFT = 29 };

static strads_status correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state, (void) pairs, (void) gram;
    return STRADS_ERR_APP; /* the test answers itself */
}

static const strads_app app = {.name = "planned", .correlate = correlate};
static planner plan;

static void start(run_options run)
{
    run.n_workers = run.round = run.candidates = ROUND;
    run.rho = 0.3;
    REQUIRE_OK(planner_init(
        &plan, &(planner_options){.app = &app, .structure = {.n_vars = J}, .run = run}));
}

static void answer(void)
{
    const strads_pairs *pairs = &plan.question;
    for (uint32_t a = pairs->first_new; a < pairs->n; a++) {
        for (uint32_t b = 0; b < a; b++) {
            REQUIRE_OK(dependency_learn(plan.check, &(msg_edge){.a = a, .b = b, .cosine = 1.0}, 1));
        }
    }
}

static plan_outcome plan_round(void)
{
    static const double values[J];
    plan_outcome outcome = PLAN_NONE;
    REQUIRE_OK(planner_begin(&plan, 0, values, 1.0, &outcome));
    while (outcome == PLAN_ASK) {
        answer();
        REQUIRE_OK(planner_finish(&plan, &outcome));
    }
    return outcome;
}

static bool holds(uint32_t var)
{
    for (size_t i = 0; i < plan.blocks.n_vars; i++) {
        if (plan.blocks.vars[i] == var) {
            return true;
        }
    }
    return false;
}

static void commit(float moved)
{
    for (size_t i = 0; i < plan.blocks.n_vars; i++) {
        planner_commit(&plan, &plan.blocks.vars[i], 1, &moved);
    }
}

/* A scan by which LEFT alone has something left to gain. */
static void scan(uint64_t n_stalled)
{
    float scores[J] = {[LEFT] = 1.0f};
    planner_scan_all(&plan, scores, n_stalled);
}

/* Of 200 rounds, each after a scan, those that held LEFT. */
static int times_held(run_options run, uint64_t n_stalled)
{
    int n_held = 0;
    start(run);
    for (int round = 0; round < 200; round++) {
        scan(n_stalled);
        CHECK(plan_round() == PLAN_READY);
        n_held += holds(LEFT);
        commit(0.0f);
    }
    planner_fini(&plan);
    return n_held;
}

static const run_options explores = {.kind = SCHEDULE_STRUCTURE_AWARE, .eta = 1.0};
static const run_options by_delta = {
    .kind = SCHEDULE_STRUCTURE_AWARE, .eta = 1.0, .by_delta = true};

static void without_progress_the_worst_variable_goes_first(void)
{
    CHECK(times_held(explores, 0) < 100 && times_held(by_delta, 0) < 100);
    CHECK(times_held(explores, 1) == 200 && times_held(by_delta, 1) == 200);
}

static void it_goes_first_in_one_round_only(void)
{
    int n_held = 0;
    start(explores);
    scan(1);
    for (int round = 0; round < 200; round++) {
        CHECK(plan_round() == PLAN_READY);
        n_held += holds(LEFT);
        CHECK(round > 0 || n_held == 1);
        commit(0.0f);
    }
    CHECK(n_held < 100);
    planner_fini(&plan);
}

static void schedules_that_ignore_scores_ignore_them_then_too(void)
{
    start((run_options){.kind = SCHEDULE_CYCLIC});
    for (uint32_t first = 0; first < J; first += ROUND) {
        scan(9);
        CHECK(plan_round() == PLAN_READY && holds(first) && holds(first + ROUND - 1));
    }
    planner_fini(&plan);
    CHECK(times_held((run_options){.kind = SCHEDULE_RANDOM}, 9) < 100);
}

static void without_a_violator_nobody_goes_first(void)
{
    static const float scores[J];
    start(explores);
    planner_scan_all(&plan, scores, 1);
    CHECK(plan.urgent == J);
    CHECK(plan_round() == PLAN_READY && plan.blocks.n_vars == 1);
    planner_fini(&plan);
}

static void who_is_retired_does_not_go_first(void)
{
    const float retired = PRIO_RETIRED;
    start(explores);
    prio_update(plan.prio, &(uint32_t){LEFT}, 1, &retired);
    scan(1);
    CHECK(plan_round() == PLAN_READY && !holds(LEFT));
    planner_fini(&plan);
}

static void priorities_by_movement_hear_of_scores_every_third_time_only(void)
{
    start(by_delta);
    for (uint64_t n_stalled = 0; n_stalled < 7; n_stalled++) {
        const float before = 0.5f;
        prio_update(plan.prio, &(uint32_t){LEFT}, 1, &before);
        scan(n_stalled);
        CHECK(prio_score(plan.prio, LEFT) == (n_stalled == 3 || n_stalled == 6 ? 1.0f : 0.5f));
    }
    planner_fini(&plan);
}

static void they_hear_of_them_when_nothing_can_be_drawn(void)
{
    static const float still[J];
    start((run_options){.kind = SCHEDULE_STRUCTURE_AWARE, .by_delta = true});
    scan(0);
    CHECK(prio_score(plan.prio, LEFT + 1) == 1.0f); /* as at the start */
    prio_set_range(plan.prio, 0, J, still);
    CHECK(plan_round() == PLAN_NONE);
    scan(0);
    CHECK(plan_round() == PLAN_READY && plan.blocks.n_vars == 1 && holds(LEFT));
    planner_fini(&plan);
}

SUITE("strads/planner_stalled",
      {"without progress the worst variable goes first",
       without_progress_the_worst_variable_goes_first},
      {"it goes first in one round only", it_goes_first_in_one_round_only},
      {"schedules that ignore scores ignore them then too",
       schedules_that_ignore_scores_ignore_them_then_too},
      {"without a violator nobody goes first", without_a_violator_nobody_goes_first},
      {"who is retired does not go first", who_is_retired_does_not_go_first},
      {"priorities by movement hear of scores every third time only",
       priorities_by_movement_hear_of_scores_every_third_time_only},
      {"they hear of them when nothing can be drawn", they_hear_of_them_when_nothing_can_be_drawn})

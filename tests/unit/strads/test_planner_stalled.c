/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_planner_stalled.c - what a plan does for a variable that rounds
 * pass by. All variables correlate, so that a round has room for the first alone. */
#include "tests/unit/strads/planned.h"

enum { J = 40, ROUND = 4, LEFT = 29 };

static strads_status correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state, (void) pairs, (void) gram;
    return STRADS_ERR_APP; /* the test answers itself */
}

static const strads_app app = {.name = "planned", .correlate = correlate};
static const uint32_t firsts[ROUND + 1] = {0, 10, 20, 30, J};
static float scanned[J];

static void start(run_options run)
{
    run.n_workers = run.round = run.candidates = ROUND;
    run.rho = 0.3;
    locals = (local_shards){
        .policy = planner_policy(&run), .n = ROUND, .firsts = firsts, .scanned = scanned};
    const planner_options options = {
        .app = &app, .structure = {.n_vars = J}, .firsts = firsts, .run = run};
    REQUIRE_OK(planner_init(&plan, &options));
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
    REQUIRE_OK(draw_all(&outcome));
    while (outcome == PLAN_ASK) {
        answer();
        REQUIRE_OK(planner_finish(&plan, &outcome));
        REQUIRE_OK(draw_all(&outcome));
    }
    return outcome;
}

static void commit(float moved)
{
    for (size_t i = 0; i < plan.blocks.n_vars; i++) {
        planner_commit(&plan, &plan.blocks.vars[i], 1, &moved);
    }
}

/* A scan by which LEFT alone has something left to gain, if it has. */
static void scan_finding(float left, uint64_t n_stalled)
{
    prio_total totals[ROUND];
    scanned[LEFT] = left;
    local_shards_totals(&locals, totals);
    const plan_scan found = {
        .totals = totals, .worst = left > 0.0f ? LEFT : J, .n_stalled = n_stalled};
    REQUIRE_OK(planner_scan_all(&plan, &found));
}

static void scan(uint64_t n_stalled)
{
    scan_finding(1.0f, n_stalled);
}

/* The score that LEFT has with its shard, which is asked now. */
static float score_of_left(void)
{
    uint32_t twice = 0;
    REQUIRE_OK(local_shards_answer(&locals, plan.shards, &twice));
    return prio_score(locals.of[LEFT / 10], LEFT % 10);
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
    finish();
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
    finish();
}

static void schedules_that_ignore_scores_ignore_them_then_too(void)
{
    start((run_options){.kind = SCHEDULE_CYCLIC});
    for (uint32_t first = 0; first < J; first += ROUND) {
        scan(9);
        CHECK(plan_round() == PLAN_READY && holds(first) && holds(first + ROUND - 1));
    }
    finish();
    CHECK(times_held((run_options){.kind = SCHEDULE_RANDOM}, 9) < 100);
}

static void without_a_violator_nobody_goes_first(void)
{
    start(explores);
    scan_finding(0.0f, 1);
    CHECK(plan_round() == PLAN_READY && plan.blocks.n_vars == 1);
    finish();
}

static void who_is_retired_does_not_go_first(void)
{
    start(explores);
    scan_finding(PRIO_RETIRED, 0);
    CHECK(plan_round() == PLAN_READY && !holds(LEFT));
    commit(0.0f);
    scan(1); /* by which it has come back, which it has not */
    CHECK(plan_round() == PLAN_READY && !holds(LEFT));
    finish();
}

static void priorities_by_movement_hear_of_scores_every_third_time_only(void)
{
    start(by_delta);
    for (uint64_t n_stalled = 0; n_stalled < 7; n_stalled++) {
        scan(n_stalled);
        const bool taken = n_stalled == 3 || n_stalled == 6;
        CHECK(score_of_left() == (n_stalled == 0 || taken ? 1.0f : 0.5f));
        do { /* until it is drawn, and has moved by half */
            CHECK(plan_round() == PLAN_READY);
            commit(0.5f);
        } while (!holds(LEFT));
    }
    finish();
}

static void they_hear_of_them_when_nothing_can_be_drawn(void)
{
    start((run_options){.kind = SCHEDULE_STRUCTURE_AWARE, .by_delta = true});
    scan(0);
    size_t n_rounds = 0;
    while (plan_round() == PLAN_READY) { /* all scores are 1 as at the start, then 0 */
        commit(0.0f);
        n_rounds++;
    }
    CHECK(n_rounds == J); /* each round has room for one */
    scan(0);
    CHECK(plan_round() == PLAN_READY && plan.blocks.n_vars == 1 && holds(LEFT));
    finish();
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_draws.c - workers that tell only the scores that can matter to a
 * draw: the rounds are those of a run whose workers tell all.
 */
#include "tests/unit/strads/scripted.h"

enum { MAX_ROUNDS = 60 };

/* The variables of every round, in order, and how the run ended. */
typedef struct history {
    uint32_t vars[MAX_ROUNDS][J];
    size_t n_vars[MAX_ROUNDS];
    coordinator_outcome outcome;
} history;

static uint32_t n_scans;
static uint32_t retires_at = 4; /* which scan */
static bool moves = true;       /* some values change */

/* Scores of the n-th scan, most of them not above 0; every third finds one variable alone. Then
 * two are retired, which later scans say of one only: it is said for good. */
static void score_again(void)
{
    n_scans++;
    for (uint32_t var = 0; var < J; var++) {
        const uint32_t mixed = (var * 7 + n_scans * 5) % J;
        const bool left = n_scans % 3 == 0 ? mixed == 0 : mixed < 4;
        score_of[var] = left ? 0.125f * (float) (mixed + 1) : -0.5f * (float) (mixed % 3);
        value_of[var] = moves ? value_of[var] + (mixed % 2 == 0 ? 0.25 * var : 0.0) : 0.0;
    }
    score_of[3] = n_scans == retires_at ? STRADS_RETIRED : score_of[3];
    score_of[8] = n_scans >= retires_at ? STRADS_RETIRED : score_of[8];
}

static void note_push(history *of, const msg_push *push)
{
    const uint32_t *vars = (const uint32_t *) ((const double *) (push + 1) + push->n_vars);
    REQUIRE(push->round < MAX_ROUNDS && of->n_vars[push->round] + push->n_vars <= J);
    memcpy(of->vars[push->round] + of->n_vars[push->round], vars, push->n_vars * sizeof(*vars));
    of->n_vars[push->round] += push->n_vars;
}

/* Both workers answer by turns, worker 0 first; scores change before each scan. */
static void play_noting(history *of)
{
    for (int step = 0; !script_net_left(run.net); step++) {
        for (uint32_t rank = 0; rank < WORKERS && !script_net_left(run.net); rank++) {
            const int type = script_net_lost(run.net, rank) ? NOTHING : next_of(rank);
            if (type == MSG_SCAN && rank == 0) {
                score_again();
            }
            if (type == MSG_PUSH) {
                const net_message *message = script_net_take(run.net, rank);
                note_push(of, (const msg_push *) message->body);
                say_done(rank, (const msg_push *) message->body);
            } else if (type != NOTHING) {
                (void) answer(rank);
            }
        }
        REQUIRE(step < MAX_STEPS);
    }
}

static void play_quietly(void *context)
{
    play_noting(context);
}

static history run_of(run_options how, bool some)
{
    history of = {.n_vars = {0}};
    n_scans = 0;
    how.rounds = MAX_ROUNDS;
    start(&plain, how);
    leaves_out = some;
    script_net_set_foreign(run.net, true);
    open_workers();
    strads_free(suite_stderr_of(play_quietly, &of)); /* that it makes no progress */
    of.outcome = outcome_of_run();
    stop();
    return of;
}

static void compare(run_options how)
{
    const history all = run_of(how, false);
    const history some = run_of(how, true);
    CHECK_STATUS(all.outcome.status, STRADS_OK);
    CHECK_STATUS(some.outcome.status, STRADS_OK);
    CHECK(all.outcome.last.round > 2);
    CHECK(memcmp(all.n_vars, some.n_vars, sizeof(all.n_vars)) == 0);
    CHECK(memcmp(all.vars, some.vars, sizeof(all.vars)) == 0);
    CHECK(all.outcome.last.round == some.outcome.last.round);
    CHECK(all.outcome.last.scored == some.outcome.last.scored);
    CHECK(all.outcome.verdict == some.outcome.verdict);
    CHECK_NEAR(all.outcome.last.gap, some.outcome.last.gap, 0.0);
}

static void a_draw_by_scores_is_the_same_when_only_those_above_0_are_told(void)
{
    static const run_options aware = {.kind = SCHEDULE_STRUCTURE_AWARE, .gap = 1e-9};
    for (int i = 0; i < 16; i++) {
        run_options how = aware;
        how.eta = i % 2 == 0 ? 0.0 : 0.5;
        how.greedy = i / 2 % 2 == 1;
        how.pipeline = i / 4 % 2 == 1 ? 1 : 0;
        how.check = i / 8 == 0 ? CHECK_OFF : CHECK_IN_FLIGHT;
        compare(how);
    }
}

static void priorities_by_movement_are_the_same_too(void)
{
    static const schedule_kind kinds[] = {SCHEDULE_STRUCTURE_AWARE, SCHEDULE_RANDOM,
                                          SCHEDULE_CYCLIC};
    for (int i = 0; i < 6; i++) {
        compare((run_options){
            .kind = kinds[i % 3], .by_delta = true, .eta = i < 3 ? 0.0 : 0.5, .gap = 1e-9});
    }
}

/* Scores are taken when nothing is left that has moved, and that is when none is above 0. */
static void priorities_that_run_dry_are_the_same_too(void)
{
    static const schedule_kind kinds[] = {SCHEDULE_STRUCTURE_AWARE, SCHEDULE_RANDOM};
    moves = false;
    for (uint32_t i = 0; i < 20; i++) {
        retires_at = 2 + i / 2;
        compare((run_options){.kind = kinds[i % 2], .by_delta = true, .gap = 1e-9});
    }
    moves = true;
    retires_at = 4;
}

/* What was retired is told, and drawn no more. */
static void a_draw_that_looks_at_no_score_is_the_same_when_only_the_retired_are_told(void)
{
    for (int i = 0; i < 4; i++) {
        const run_options how = {.kind = i % 2 == 0 ? SCHEDULE_RANDOM : SCHEDULE_CYCLIC,
                                 .pipeline = i < 2 ? 0 : 1,
                                 .gap = 1e-9};
        compare(how);
        const history of = run_of(how, true);
        const uint64_t last = of.outcome.last.round - 1;
        CHECK(n_scans > 4 && of.n_vars[last] > 0);
        for (size_t k = 0; k < of.n_vars[last]; k++) {
            CHECK(of.vars[last][k] != 3 && of.vars[last][k] != 8);
        }
    }
}

SUITE("strads/draws",
      {"a draw by scores is the same when only those above 0 are told",
       a_draw_by_scores_is_the_same_when_only_those_above_0_are_told},
      {"priorities by movement are the same too", priorities_by_movement_are_the_same_too},
      {"priorities that run dry are the same too", priorities_that_run_dry_are_the_same_too},
      {"a draw that looks at no score is the same when only the retired are told",
       a_draw_that_looks_at_no_score_is_the_same_when_only_the_retired_are_told})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_draws.c - rounds that are drawn from shards at the workers: the
 * same whichever answer comes first, and never of who is retired.
 */
#define SCRIPTED_J 200 /* more than the stocks of a few rounds */
#include "tests/unit/strads/scripted.h"

enum { MAX_ROUNDS = 160, RETIRES_AT = 4 /* which scan */ };

/* The variables of every round, in order, and how the run ended. */
typedef struct history {
    uint32_t vars[MAX_ROUNDS][J];
    size_t n_vars[MAX_ROUNDS];
    size_t n_draws; /* that shard 0 was asked for */
    size_t n_ahead; /* that shards were asked for beside those after a scan */
    coordinator_outcome outcome;
} history;

static uint32_t n_scans;
static uint32_t n_taken_scans[WORKERS];
static bool moves = true; /* some values change */

/* Scores of the n-th scan, a third of them not above 0; every third finds one variable alone. Then
 * two are retired, which later scans say of one only: it is said for good. */
static void score_again(void)
{
    n_scans++;
    for (uint32_t var = 0; var < J; var++) {
        const uint32_t mixed = (var * 7 + n_scans * 5) % J;
        const bool left = n_scans % 3 == 0 ? mixed == 0 : mixed % 3 != 0;
        score_of[var] = left ? 0.125f * (float) (mixed + 1) : -0.5f * (float) (mixed % 5);
        value_of[var] = moves ? value_of[var] + (mixed % 2 == 0 ? 0.25 * var : 0.0) : 0.0;
    }
    score_of[3] = n_scans == RETIRES_AT ? STRADS_RETIRED : score_of[3];
    score_of[8] = n_scans >= RETIRES_AT ? STRADS_RETIRED : score_of[8];
}

static void note_push(history *of, const msg_push *push)
{
    const uint32_t *vars = (const uint32_t *) ((const double *) (push + 1) + push->n_vars);
    REQUIRE(push->round < MAX_ROUNDS && of->n_vars[push->round] + push->n_vars <= J);
    memcpy(of->vars[push->round] + of->n_vars[push->round], vars, push->n_vars * sizeof(*vars));
    of->n_vars[push->round] += push->n_vars;
}

/* Neighbours are correlated: so candidates are refused, and drawn again. Each pair is worker 0's.
 */
static void say_edges(uint32_t rank, const msg_correlate *ask)
{
    _Alignas(16) unsigned char body[BODY] = {0};
    const uint32_t *vars = (const uint32_t *) (ask + 1);
    msg_edges *edges = (msg_edges *) body;
    msg_edge *edge = (msg_edge *) (edges + 1);
    for (uint32_t a = (uint32_t) ask->first_new; a < ask->n_vars && rank == 0; a++) {
        for (uint32_t b = 0; b < a; b++) {
            if (vars[a] / 8 == vars[b] / 8) {
                edge[edges->n_edges++] = (msg_edge){.a = a, .b = b, .cosine = 0.9};
            }
        }
    }
    script_net_say(run.net, rank, MSG_EDGES, body, sizeof(*edges) + edges->n_edges * sizeof(*edge));
}

/* Who answers first, and how many turns the other lets pass between two answers. */
typedef struct order {
    uint32_t first;
    uint32_t n_idle;
} order;

/* Worker `rank` does what it was first sent. */
static void take_turn(history *of, uint32_t rank)
{
    const int type = script_net_lost(run.net, rank) ? NOTHING : next_of(rank);
    if (type == MSG_SCAN && ++n_taken_scans[rank] > n_scans) {
        score_again();
    }
    if (type == MSG_PUSH) {
        const net_message *message = script_net_take(run.net, rank);
        note_push(of, (const msg_push *) message->body);
        say_done(rank, (const msg_push *) message->body);
    } else if (type == MSG_DRAW) {
        const net_message *message = script_net_take(run.net, rank);
        of->n_draws += rank == 0;
        of->n_ahead += ((const msg_draw *) message->body)->back == 0;
        say_drawn(rank, (const msg_draw *) message->body);
    } else if (type == MSG_CORRELATE) {
        say_edges(rank, (const msg_correlate *) script_net_take(run.net, rank)->body);
    } else if (type != NOTHING) {
        (void) answer(rank);
    }
}

/* Both workers answer by turns; scores change before each scan. */
static void play_noting(history *of, order by)
{
    holds_draws = true;
    for (uint32_t step = 0; !script_net_left(run.net); step++) {
        take_turn(of, by.first);
        if (step % (by.n_idle + 1) == 0 && !script_net_left(run.net)) {
            take_turn(of, 1 - by.first);
        }
        REQUIRE(step < 20 * MAX_STEPS);
    }
}

typedef struct playing {
    history *of;
    order by;
} playing;

static void play_quietly(void *context)
{
    const playing *it = context;
    play_noting(it->of, it->by);
}

static history run_of(run_options how, order by)
{
    history of = {.n_vars = {0}};
    n_scans = 0;
    memset(n_taken_scans, 0, sizeof(n_taken_scans));
    how.rounds = MAX_ROUNDS;
    start(&plain, how);
    script_net_set_foreign(run.net, true);
    open_workers();
    playing it = {.of = &of, .by = by};
    strads_free(suite_stderr_of(play_quietly, &it)); /* that it makes no progress */
    of.outcome = outcome_of_run();
    stop();
    return of;
}

/* Variables of a round are noted as its workers take it: in order of the one, or the other. */
static void sort_round(uint32_t *vars, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && vars[k - 1] > vars[k]; k--) {
            const uint32_t var = vars[k];
            vars[k] = vars[k - 1];
            vars[k - 1] = var;
        }
    }
}

static void compare(const history *a, const history *b)
{
    CHECK_STATUS(a->outcome.status, STRADS_OK);
    CHECK_STATUS(b->outcome.status, STRADS_OK);
    CHECK(a->outcome.last.round > 2);
    CHECK(memcmp(a->n_vars, b->n_vars, sizeof(a->n_vars)) == 0);
    CHECK(memcmp(a->vars, b->vars, sizeof(a->vars)) == 0);
    CHECK(a->outcome.last.round == b->outcome.last.round);
    CHECK(a->outcome.last.scored == b->outcome.last.scored);
    CHECK(a->outcome.verdict == b->outcome.verdict);
    CHECK_NEAR(a->outcome.last.gap, b->outcome.last.gap, 0.0);
}

static history sorted_run_of(run_options how, order by)
{
    history of = run_of(how, by);
    for (size_t round = 0; round < MAX_ROUNDS; round++) {
        sort_round(of.vars[round], of.n_vars[round]);
    }
    return of;
}

static void any_order(run_options how)
{
    const history one = sorted_run_of(how, (order){.first = 0});
    CHECK(one.n_ahead > 0 || !moves);
    for (uint32_t i = 1; i < 6; i++) {
        const order by = {.first = i % 2, .n_idle = i / 2 * 3};
        const history other = sorted_run_of(how, by);
        compare(&one, &other);
        CHECK(other.n_draws == one.n_draws && other.n_ahead == one.n_ahead);
    }
}

static const run_options aware = {.kind = SCHEDULE_STRUCTURE_AWARE, .gap = 1e-9};

static void rounds_are_the_same_whichever_shard_answers_first(void)
{
    for (int i = 0; i < 16; i++) {
        run_options how = aware;
        how.eta = i % 2 == 0 ? 0.0 : 0.5;
        how.greedy = i / 2 % 2 == 1;
        how.pipeline = i / 4 % 2 == 1 ? 1 : 0;
        how.check = i / 8 == 0 ? CHECK_OFF : CHECK_IN_FLIGHT;
        any_order(how);
    }
}

static void by_movement_they_are_too(void)
{
    for (int i = 0; i < 4; i++) {
        run_options how = aware;
        how.by_delta = true;
        how.eta = i % 2 == 0 ? 0.0 : 0.5;
        how.pipeline = i / 2 == 1 ? 1 : 0;
        any_order(how);
    }
    moves = false; /* so that priorities run dry */
    run_options how = aware;
    how.by_delta = true;
    any_order(how);
    moves = true;
}

/* Of what was retired later scans say it of one only: it is for good. */
static void who_is_retired_is_drawn_no_more(void)
{
    static const schedule_kind kinds[] = {SCHEDULE_RANDOM, SCHEDULE_CYCLIC,
                                          SCHEDULE_STRUCTURE_AWARE};
    for (int i = 0; i < 6; i++) {
        const run_options how = {
            .kind = kinds[i % 3], .pipeline = i < 3 ? 0 : 1, .eta = 1.0, .gap = 1e-9};
        const history of = run_of(how, (order){.first = 0});
        const uint64_t last = of.outcome.last.round - 1;
        CHECK(n_scans > 4 && of.n_vars[last] > 0);
        for (size_t k = 0; k < of.n_vars[last]; k++) {
            CHECK(of.vars[last][k] != 3 && of.vars[last][k] != 8);
        }
    }
}

static void say_done_too_early(void *context)
{
    (void) context;
    const msg_push *push = (const msg_push *) script_net_take(run.net, 0)->body;
    say_done(0, push);
    holds_draws = false;
    play();
}

/* Worker 0 is sent a DRAW and a PUSH, and answers the second first. */
static void a_round_is_not_done_before_what_was_asked_for_before_it(void)
{
    static history of;
    n_scans = 0;
    memset(n_taken_scans, 0, sizeof(n_taken_scans));
    memset(&of, 0, sizeof(of));
    start(&plain, aware);
    holds_draws = true;
    script_net_set_foreign(run.net, true);
    open_workers();
    for (bool found = false; !found;) {
        take_turn(&of, 1);
        const bool draw = next_of(0) == MSG_DRAW;
        if (!draw) {
            take_turn(&of, 0);
            continue;
        }
        const msg_draw *ask = (const msg_draw *) script_net_take(run.net, 0)->body;
        found = ask->back == 0 && next_of(0) == MSG_PUSH;
        if (!found) {
            say_drawn(0, ask);
        }
    }
    char *words = suite_stderr_of(say_done_too_early, NULL);
    CHECK(strstr(words, "worker 0 sent the coordinator a bad DONE: it is not due") != NULL);
    CHECK_STATUS(outcome_of_run().status, STRADS_ERR_DATA);
    strads_free(words);
    stop();
}

/* Where no score counts nobody is asked to draw. */
static void random_and_cyclic_ask_no_shard(void)
{
    static const schedule_kind kinds[] = {SCHEDULE_RANDOM, SCHEDULE_CYCLIC};
    for (int i = 0; i < 2; i++) {
        const history of = run_of((run_options){.kind = kinds[i]}, (order){.first = 0});
        CHECK(of.outcome.last.round > 2 && of.n_draws == 0);
    }
}

SUITE("strads/draws",
      {"rounds are the same whichever shard answers first",
       rounds_are_the_same_whichever_shard_answers_first},
      {"by movement they are too", by_movement_they_are_too},
      {"who is retired is drawn no more", who_is_retired_is_drawn_no_more},
      {"a round is not done before what was asked for before it",
       a_round_is_not_done_before_what_was_asked_for_before_it},
      {"random and cyclic ask no shard", random_and_cyclic_ask_no_shard})

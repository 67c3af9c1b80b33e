/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_coordinator.c - the coordinator (with scans.c and flights.c),
 * one event at a time: the test is the workers, and chooses who answers when.
 */
#include "tests/unit/strads/scripted.h"

#include "base/clock.h"
#include "base/mem.h"

/* ---- a run, step by step ---- */

static void a_run_begins_with_a_scan_once_all_are_ready(void)
{
    start(&plain, cyclic);
    CHECK(next_of(0) == NOTHING);
    script_net_say(run.net, 1, MSG_READY, NULL, 0);
    CHECK(next_of(0) == NOTHING && next_of(1) == NOTHING);
    script_net_say(run.net, 0, MSG_READY, NULL, 0);
    CHECK(next_of(0) == MSG_SCAN && next_of(1) == MSG_SCAN);
    stop();
}

/* What a scan asks for, which both then answer. */
static bool scans_everything(void)
{
    const net_message *message = script_net_take(run.net, 0);
    REQUIRE(message != NULL && message->type == MSG_SCAN);
    const bool whole = ((const msg_scan *) message->body)->whole != 0;
    say_scores(0, (const msg_scan *) message->body);
    CHECK(answer(1) == MSG_SCAN);
    return whole;
}

static void a_working_set_is_solved_scanned_and_closed_at_the_goal(void)
{
    start(&plain, sets);
    open_workers();
    CHECK(scans_everything());
    const net_message *message = script_net_take(run.net, 0);
    REQUIRE(message != NULL && message->type == MSG_PUSH);
    const msg_push *push = (const msg_push *) message->body;
    CHECK(push->solve == 1 && push->n_members == WORKERS && push->n_vars == J / 2);
    CHECK_NEAR(push->target, 0.3 * score_of[0], 1e-6);
    say_done(0, push);
    CHECK(next_of(0) == NOTHING);
    memset(score_of, 0, sizeof(score_of));
    CHECK(answer(1) == MSG_PUSH);
    both(MSG_SYNC);
    CHECK(!scans_everything()); /* the pool: it is no certificate */
    both(MSG_PUSH);
    both(MSG_SYNC);
    CHECK(scans_everything());
    CHECK(answer(0) == MSG_CLOSE && !script_net_left(run.net));
    CHECK(answer(1) == MSG_CLOSE);
    const coordinator_outcome outcome = outcome_of_run();
    CHECK_STATUS(outcome.status, STRADS_OK);
    CHECK(outcome.verdict == STRADS_CONVERGED);
    CHECK(outcome.last.round == 2 && outcome.last.updates == 2 * J && outcome.last.nonzeros == J);
    CHECK(memcmp(outcome.values, value_of, sizeof(value_of)) == 0);
    stop();
}

static void a_plan_is_asked_about_answered_and_dispatched(void)
{
    start(&plain, checked);
    open_workers();
    both(MSG_SCAN);
    CHECK(next_of(0) == MSG_CORRELATE);
    CHECK(answer(1) == MSG_CORRELATE);
    CHECK(next_of(1) == NOTHING); /* not before all have answered */
    const msg_correlate *ask = (const msg_correlate *) script_net_take(run.net, 0)->body;
    CHECK(ask->n_vars == ROUND && ask->first_new == 0 && ask->max_edges == 0);
    const msg_edges none = {.n_edges = 0};
    script_net_say(run.net, 0, MSG_EDGES, &none, sizeof(none));
    CHECK(next_of(0) == MSG_PUSH && next_of(1) == MSG_PUSH);
    stop();
}

static double uneven_cost(const void *site, uint32_t var)
{
    static const double costs[] = {0.6, 0.1, 0.2, 0.3};
    (void) site;
    return costs[var % 4];
}

/* What follows a question about variables 0 .. 3 to which worker 0 answers that 1 and 3,
 * worker 1 that 2 and 3 are correlated. All three come to half of the costs, by rounding
 * a little more or not, which is the order in which they are added up. */
static int after_edges(uint32_t first)
{
    struct {
        msg_edges head;
        msg_edge edge;
    } told[WORKERS] = {{{.n_edges = 1}, {.a = 3, .b = 1, .cosine = 0.5}},
                       {{.n_edges = 1}, {.a = 3, .b = 2, .cosine = 0.5}}};
    strads_app uneven = plain;
    uneven.cost = uneven_cost;
    start(&uneven, checked);
    open_workers();
    both(MSG_SCAN);
    for (uint32_t i = 0; i < WORKERS; i++) {
        const uint32_t rank = (first + i) % WORKERS;
        const net_message *message = script_net_take(run.net, rank);
        REQUIRE(message != NULL && message->type == MSG_CORRELATE);
        script_net_say(run.net, rank, MSG_EDGES, &told[rank], sizeof(told[rank]));
    }
    const int next = next_of(0);
    stop();
    return next;
}

static void a_plan_does_not_depend_on_who_answers_first(void)
{
    const int next = after_edges(0);
    CHECK(next != NOTHING);
    CHECK(next == after_edges(1));
}

static void nothing_is_committed_while_a_question_is_open(void)
{
    start(&plain, checked);
    open_workers();
    both(MSG_SCAN);
    both(MSG_CORRELATE);
    both(MSG_PUSH);
    CHECK(next_of(0) == MSG_CORRELATE); /* about the round after, and no SYNC before it */
    both(MSG_CORRELATE);
    CHECK(next_of(0) == MSG_PUSH);
    CHECK(script_net_take(run.net, 0)->type == MSG_PUSH);
    CHECK(next_of(0) == MSG_SYNC);
    stop();
}

/* Copies of a round's requests, to be answered later. */
static void put_aside(unsigned char bodies[WORKERS][BODY])
{
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        const net_message *message = script_net_take(run.net, rank);
        REQUIRE(message != NULL && message->type == MSG_PUSH && message->bytes <= BODY);
        memcpy(bodies[rank], message->body, message->bytes);
    }
}

static void say_done_both(unsigned char bodies[WORKERS][BODY])
{
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        say_done(rank, (const msg_push *) bodies[rank]);
    }
}

/* The worker hears next of the n values from `first` on. */
static void check_sync(uint32_t rank, uint32_t first, uint32_t n)
{
    while (next_of(rank) == MSG_PUSH) {
        script_net_take(run.net, rank); /* the rounds after */
    }
    const net_message *message = script_net_take(run.net, rank);
    REQUIRE(message != NULL && message->type == MSG_SYNC);
    const msg_sync *sync = (const msg_sync *) message->body;
    const double *values = (const double *) (sync + 1);
    const uint32_t *vars = (const uint32_t *) (values + n);
    REQUIRE(sync->n_vars == n);
    for (uint32_t i = 0; i < n; i++) {
        CHECK(vars[i] == first + i);
        CHECK_NEAR(values[i], value_of[first + i], 0.0);
    }
}

static void rounds_are_committed_in_their_order_whichever_is_done_first(void)
{
    static _Alignas(16) unsigned char first[WORKERS][BODY];
    start(&plain, cyclic_ahead);
    open_workers();
    both(MSG_SCAN);
    put_aside(first);
    both(MSG_PUSH);
    CHECK(next_of(0) == NOTHING && next_of(1) == NOTHING); /* the second alone: no commit */
    say_done_both(first);
    check_sync(0, 0, 4); /* of variables 0 .. 3 */
    check_sync(1, 4, 0);
    check_sync(0, 4, 2); /* of 4 .. 7: the ranges meet at 6 */
    check_sync(1, 6, 2);
    stop();
}

static void a_round_that_had_to_be_undone_is_followed_by_a_narrower_one(void)
{
    start(&plain, sets);
    open_workers();
    both(MSG_SCAN);
    n_undone = 2;
    both(MSG_PUSH);
    both(MSG_SYNC);
    both(MSG_SCAN);
    const net_message *message = script_net_take(run.net, 0);
    REQUIRE(message != NULL && message->type == MSG_PUSH);
    CHECK(((const msg_push *) message->body)->n_members == 1);
    CHECK(next_of(1) == NOTHING);
    stop();
}

/* ---- stages ---- */

static double seen_measure;

static strads_status change_once(void *model, const strads_view *view, strads_stage *stage)
{
    (void) model;
    seen_measure = view->measures[0];
    stage->changed = stage->params[0] == 0.0;
    stage->params[0] = 5.0;
    stage->gap = 1.0;
    return STRADS_OK;
}

static strads_status hear_of_stage(void *state, const strads_stage *stage)
{
    (void) state, (void) stage;
    return STRADS_OK;
}

static void a_changed_stage_is_told_and_scored_again(void)
{
    strads_app staged = plain;
    staged.next_stage = change_once;
    staged.begin_stage = hear_of_stage;
    start(&staged, cyclic);
    measure_of[0] = 0.5;
    measure_of[1] = 0.25;
    open_workers();
    both(MSG_SCAN);
    CHECK_NEAR(seen_measure, 0.75, 0.0);
    const net_message *message = script_net_take(run.net, 0);
    REQUIRE(message != NULL && message->type == MSG_STAGE);
    CHECK_NEAR(((const strads_stage *) message->body)->params[0], 5.0, 0.0);
    CHECK(answer(1) == MSG_STAGE);
    both(MSG_SCAN);
    CHECK(next_of(0) == MSG_PUSH && next_of(1) == MSG_PUSH);
    stop();
}

/* ---- ends ---- */

static double now;

static double clock_of_test(void *context)
{
    (void) context;
    return now;
}

static void limits_drain_what_is_in_flight_and_end_with_a_scan(void)
{
    static _Alignas(16) unsigned char in_flight[2][WORKERS][BODY];
    for (int limit = 0; limit < 4; limit++) {
        run_options how = cyclic_ahead;
        how.rounds = limit < 2 ? 2 : UINT64_MAX;
        how.gap = limit == 1 ? 0.0 : 1e-6;
        now = 0.0;
        strads_clock_set_source(clock_of_test, NULL);
        prepare(&plain, how);
        run.options.deadline = 10.0;
        REQUIRE_OK(coordinator_create(&run.head, &run.options));
        run.net = script_net_create(WORKERS, coordinator_handle, run.head);
        open_workers();
        both(MSG_SCAN);
        now = limit == 2 ? 10.5 : 0.0;
        atomic_store(&run.signal, limit == 3);
        put_aside(in_flight[0]);
        put_aside(in_flight[1]);
        say_done_both(in_flight[0]);
        both(MSG_SYNC);
        CHECK(next_of(0) == NOTHING); /* the other has to come in first */
        say_done_both(in_flight[1]);
        play();
        strads_clock_set_source(NULL, NULL);
        const coordinator_outcome outcome = outcome_of_run();
        CHECK_STATUS(outcome.status, STRADS_OK);
        CHECK(outcome.verdict == (limit == 1 ? STRADS_COMPLETED : STRADS_STOPPED));
        CHECK(outcome.last.round == 2 && outcome.last.updates == 2 * ROUND);
        CHECK(run.n_taken[MSG_PUSH] == 0 && run.n_taken[MSG_SYNC] == 2);
        CHECK(run.n_taken[MSG_SCAN] == 2 && run.n_taken[MSG_CLOSE] == 1);
        stop();
    }
}

static void play_on(void *context)
{
    (void) context;
    play();
}

static void a_run_that_gets_no_better_ends_by_itself(void)
{
    start(&plain, cyclic);
    open_workers();
    char *said = suite_stderr_of(play_on, NULL);
    CHECK(strstr(said, "no further progress") != NULL);
    CHECK(outcome_of_run().verdict == STRADS_STOPPED);
    strads_free(said);
    stop();
}

/* ---- failures ---- */

enum { OPENING, SCANNING, ASKING, IN_FLIGHT, ENDING, N_PHASES };

static void bring_to(int phase)
{
    start(&plain, checked);
    if (phase >= SCANNING) {
        open_workers();
    }
    if (phase >= ASKING) {
        both(MSG_SCAN);
    }
    if (phase >= IN_FLIGHT) {
        both(MSG_CORRELATE);
    }
    if (phase >= ENDING) {
        atomic_store(&run.signal, true);
        while (next_of(0) != MSG_CLOSE) {
            CHECK(answer(0) != NOTHING || answer(1) != NOTHING);
        }
    }
}

static void say_failed(uint32_t rank, strads_status status)
{
    const msg_failed why = {.status = status};
    script_net_say(run.net, rank, MSG_FAILED, &why, sizeof(why));
}

static void lose_the_second(void *context)
{
    (void) context;
    script_net_lose(run.net, 1);
}

static void a_worker_that_fails_ends_the_run_once_in_any_phase(void)
{
    for (int phase = 0; phase < N_PHASES; phase++) {
        bring_to(phase);
        say_failed(1, STRADS_ERR_DATA);
        say_failed(0, STRADS_ERR_IO); /* which is no news */
        script_net_lose(run.net, 1);
        CHECK(!script_net_left(run.net));
        play();
        const coordinator_outcome outcome = outcome_of_run();
        CHECK_STATUS(outcome.status, STRADS_ERR_DATA);
        CHECK(phase == ENDING || outcome.verdict == STRADS_FAILED);
        CHECK(run.n_taken[MSG_CLOSE] == 1 && run.close.give == (phase == ENDING));
        stop();
    }
}

static void a_worker_that_is_gone_ends_the_run_unless_it_was_to_go(void)
{
    for (int phase = 0; phase < N_PHASES; phase++) {
        bring_to(phase);
        char *said = suite_stderr_of(lose_the_second, NULL);
        CHECK((strstr(said, "worker 1 ended unexpectedly") != NULL) == (phase != ENDING));
        strads_free(said);
        play();
        CHECK_STATUS(outcome_of_run().status, phase == ENDING ? STRADS_OK : STRADS_ERR_CLOSED);
        stop();
    }
}

static void the_reason_of_a_loss_may_come_after_it(void)
{
    bring_to(SCANNING);
    strads_free(suite_stderr_of(lose_the_second, NULL));
    say_failed(0, STRADS_ERR_NUMERIC);
    play();
    CHECK_STATUS(outcome_of_run().status, STRADS_ERR_NUMERIC);
    stop();
}

static void lose_the_exchange(void *context)
{
    (void) context;
    say_failed(0, STRADS_ERR_CLOSED);
}

static void a_worker_that_has_lost_another_is_named_for_it(void)
{
    for (int phase = SCANNING; phase < N_PHASES; phase++) {
        bring_to(phase);
        char *said = suite_stderr_of(lose_the_exchange, NULL);
        CHECK((strstr(said, "worker 0 has lost another worker") != NULL) == (phase != ENDING));
        strads_free(said);
        play();
        CHECK_STATUS(outcome_of_run().status, STRADS_ERR_CLOSED);
        stop();
    }
}

static void tell_and_lose(void *context)
{
    strads_error("process 1 is lost");
    context == NULL ? lose_the_second(NULL) : lose_the_exchange(NULL);
}

static void a_loss_that_was_told_is_not_told_again(void)
{
    static int by_exchange;
    for (int i = 0; i < 2; i++) {
        bring_to(SCANNING);
        char *said = suite_stderr_of(tell_and_lose, i == 0 ? NULL : &by_exchange);
        CHECK(strstr(said, "worker") == NULL);
        strads_free(said);
        play();
        CHECK_STATUS(outcome_of_run().status, STRADS_ERR_CLOSED);
        stop();
    }
}

static void a_value_that_is_not_finite_ends_the_run_and_is_not_committed(void)
{
    start(&plain, cyclic);
    value_of[3] = NAN;
    open_workers();
    char *said = suite_stderr_of(play_on, NULL);
    CHECK(strstr(said, "tested: variable 3 became nan") != NULL);
    const coordinator_outcome outcome = outcome_of_run();
    CHECK_STATUS(outcome.status, STRADS_ERR_NUMERIC);
    CHECK(outcome.verdict == STRADS_FAILED);
    for (uint32_t var = 0; var < J; var++) {
        CHECK_NEAR(outcome.values[var], 0.0, 0.0);
    }
    strads_free(said);
    stop();
}

/* ---- no memory ---- */

/* Fails each allocation of a run in turn; whoever is not told leaves with the net. */
static void fail_each_allocation(void *context)
{
    const run_options *how = context;
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; n < 1000 && status != STRADS_OK; n++) {
        const size_t live = strads_mem_live();
        prepare(&plain, *how);
        strads_mem_fail_after(n);
        status = coordinator_create(&run.head, &run.options);
        if (status == STRADS_OK) {
            run.net = script_net_create(WORKERS, coordinator_handle, run.head);
            open_workers();
            play();
            status = outcome_of_run().status;
        }
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        stop();
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
}

static void a_run_survives_the_failure_of_every_allocation(void)
{
    run_options runs[] = {cyclic_ahead, checked, sets};
    for (size_t i = 0; i < 3; i++) {
        runs[i].rounds = 3;
        strads_free(suite_stderr_of(fail_each_allocation, &runs[i]));
    }
}

SUITE("strads/coordinator",
      {"a run begins with a scan once all are ready", a_run_begins_with_a_scan_once_all_are_ready},
      {"a working set is solved, scanned, and closed at the goal",
       a_working_set_is_solved_scanned_and_closed_at_the_goal},
      {"a plan is asked about, answered and dispatched",
       a_plan_is_asked_about_answered_and_dispatched},
      {"a plan does not depend on who answers first", a_plan_does_not_depend_on_who_answers_first},
      {"nothing is committed while a question is open",
       nothing_is_committed_while_a_question_is_open},
      {"rounds are committed in their order, whichever is done first",
       rounds_are_committed_in_their_order_whichever_is_done_first},
      {"a round that had to be undone is followed by a narrower one",
       a_round_that_had_to_be_undone_is_followed_by_a_narrower_one},
      {"a changed stage is told and scored again", a_changed_stage_is_told_and_scored_again},
      {"limits drain what is in flight and end with a scan",
       limits_drain_what_is_in_flight_and_end_with_a_scan},
      {"a run that gets no better ends by itself", a_run_that_gets_no_better_ends_by_itself},
      {"a worker that fails ends the run once, in any phase",
       a_worker_that_fails_ends_the_run_once_in_any_phase},
      {"a worker that is gone ends the run, unless it was to go",
       a_worker_that_is_gone_ends_the_run_unless_it_was_to_go},
      {"the reason of a loss may come after it", the_reason_of_a_loss_may_come_after_it},
      {"a loss that was told is not told again", a_loss_that_was_told_is_not_told_again},
      {"a worker that has lost another is named for it",
       a_worker_that_has_lost_another_is_named_for_it},
      {"a value that is not finite ends the run and is not committed",
       a_value_that_is_not_finite_ends_the_run_and_is_not_committed},
      {"a run survives the failure of every allocation",
       a_run_survives_the_failure_of_every_allocation})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_admit.c - a coordinator whose workers are in other processes:
 * it takes from them what is due, once, and ends the run at anything else.
 */
#include "tests/unit/strads/scripted.h"

static void start_foreign(run_options how)
{
    start(&plain, how);
    script_net_set_foreign(run.net, true);
}

static const run_options by_score = {.kind = SCHEDULE_STRUCTURE_AWARE, .gap = 1e-6};

/* ---- sound workers ---- */

/* Runs to the end; where the workers are makes no difference. */
static coordinator_outcome play_all(run_options how, bool foreign)
{
    how.rounds = 20; /* the scores of the test never fall */
    start(&plain, how);
    script_net_set_foreign(run.net, foreign);
    open_workers();
    play();
    const coordinator_outcome outcome = outcome_of_run();
    CHECK_STATUS(outcome.status, STRADS_OK);
    CHECK(outcome.last.round > 1);
    stop();
    return outcome;
}

static void a_run_of_sound_workers_is_as_in_one_process(void)
{
    const run_options all[] = {cyclic, cyclic_ahead, checked, by_score, sets};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const coordinator_outcome here = play_all(all[i], false);
        const coordinator_outcome there = play_all(all[i], true);
        CHECK(here.verdict == there.verdict);
        CHECK(here.last.round == there.last.round && here.last.updates == there.last.updates);
    }
}

/* ---- others ---- */

typedef struct saying {
    uint32_t rank, type, times;
    const void *body;
    size_t bytes;
} saying;

static void say_it(void *context)
{
    const saying *it = context;
    for (uint32_t i = 0; i < it->times; i++) {
        script_net_say(run.net, it->rank, it->type, it->body, it->bytes);
    }
}

/* Worker `rank` says it, twice; then the run ends as failed, which was said once. */
static void is_refused(uint32_t rank, uint32_t type, const void *body, size_t bytes)
{
    const size_t n_errors = strads_log_n_errors();
    saying it = {.rank = rank, .type = type, .times = 2, .body = body, .bytes = bytes};
    char *words = suite_stderr_of(say_it, &it);
    CHECK(strads_log_n_errors() == n_errors + 1);
    CHECK(strstr(words, rank == 0 ? "worker 0 " : "worker 1 ") != NULL);
    strads_free(words);
    play();
    const coordinator_outcome outcome = outcome_of_run();
    CHECK_STATUS(outcome.status, STRADS_ERR_DATA);
    CHECK(outcome.verdict == STRADS_FAILED);
    stop();
}

static void a_worker_with_other_data_ends_the_run(void)
{
    start_foreign(cyclic);
    msg_ready found = msg_found(&run.options.structure, run.options.app);
    script_net_say(run.net, 1, MSG_READY, &found, sizeof(found));
    found.n_vars--;
    is_refused(0, MSG_READY, &found, sizeof(found));
}

static void who_is_ready_twice_is_refused(void)
{
    start_foreign(cyclic);
    const msg_ready found = msg_found(&run.options.structure, run.options.app);
    script_net_say(run.net, 1, MSG_READY, &found, sizeof(found));
    is_refused(1, MSG_READY, &found, sizeof(found));
}

static void answers_before_all_are_ready_are_refused(void)
{
    const msg_edges none = {.n_edges = 0};
    start_foreign(checked);
    is_refused(0, MSG_EDGES, &none, sizeof(none));
    const msg_done done = {.round = 0};
    start_foreign(checked);
    is_refused(0, MSG_DONE, &done, sizeof(done));
    const msg_scores scores = {.n_vars = 0};
    start_foreign(checked);
    is_refused(0, MSG_SCORES, &scores, sizeof(scores));
}

static void a_scan_is_answered_once(void)
{
    const struct {
        msg_scores head;
        double measure;
    } told = {.head = {.n_measures = 1, .listed = 1}};
    start_foreign(cyclic);
    open_workers();
    script_net_say(run.net, 1, MSG_SCORES, &told, sizeof(told));
    is_refused(1, MSG_SCORES, &told, sizeof(told));
}

static void a_pool_without_the_working_set_is_refused(void)
{
    const struct {
        msg_scores head;
        double measure;
    } told = {.head = {.largest = -INFINITY, .n_measures = 1, .listed = 1}};
    start_foreign(sets);
    open_workers();
    both(MSG_SCAN);
    both(MSG_PUSH);
    memset(score_of, 0, sizeof(score_of)); /* so that a whole scan follows that of the pool */
    both(MSG_SYNC);
    both(MSG_SCAN);
    both(MSG_PUSH);
    both(MSG_SYNC);
    is_refused(0, MSG_SCORES, &told, sizeof(told));
}

static void a_question_is_answered_once_and_with_places_that_it_has(void)
{
    static const struct {
        msg_edges head;
        msg_edge edge;
    } bad = {{.n_edges = 1}, {.a = ROUND, .b = 0, .cosine = 0.5}};
    const msg_edges none = {.n_edges = 0};
    start_foreign(checked);
    open_workers();
    both(MSG_SCAN);
    is_refused(1, MSG_EDGES, &bad, sizeof(bad));
    start_foreign(checked);
    open_workers();
    both(MSG_SCAN);
    CHECK(answer(1) == MSG_CORRELATE);
    is_refused(1, MSG_EDGES, &none, sizeof(none));
}

/* Two rounds are under way, and worker 0 has a block of two variables in each. */
static void a_round_is_answered_once_and_in_its_turn(void)
{
    struct {
        msg_done head;
        double partials[2];
    } done = {.head = {.round = 0, .n_doubles = 2}};
    start_foreign(cyclic_ahead);
    open_workers();
    both(MSG_SCAN);
    done.head.round = 1;
    is_refused(0, MSG_DONE, &done, sizeof(done)); /* before round 0 */

    start_foreign(cyclic_ahead);
    open_workers();
    both(MSG_SCAN);
    done.head.round = 0;
    script_net_say(run.net, 0, MSG_DONE, &done, sizeof(done));
    is_refused(0, MSG_DONE, &done, sizeof(done)); /* again */

    start_foreign(cyclic_ahead);
    open_workers();
    both(MSG_SCAN);
    is_refused(0, MSG_DONE, &done, sizeof(done) - sizeof(double));
}

/* The first scan is done, and both shards have been asked. */
static void open_drawing(run_options how)
{
    start_foreign(how);
    holds_draws = true;
    open_workers();
    both(MSG_SCAN);
    CHECK(next_of(0) == MSG_DRAW && next_of(1) == MSG_DRAW);
}

static void a_draw_is_answered_once_with_what_the_shard_has(void)
{
    struct {
        msg_drawn head;
        float scores[J / 2];
        uint32_t vars[J / 2];
    } drawn = {.head = {.n_vars = J / 2}};
    for (uint32_t i = 0; i < J / 2; i++) {
        drawn.scores[i] = score_of[i];
        drawn.vars[i] = i;
    }
    const msg_done done = {.round = 0};
    const run_options ways[] = {checked, by_score};
    for (size_t i = 0; i < 2; i++) {
        start_foreign(ways[i]);
        is_refused(0, MSG_DRAWN, &drawn, sizeof(drawn)); /* before it was asked */

        open_drawing(ways[i]);
        script_net_say(run.net, 0, MSG_DRAWN, &drawn, sizeof(drawn));
        is_refused(0, MSG_DRAWN, &drawn, sizeof(drawn)); /* again */

        open_drawing(ways[i]);
        is_refused(1, MSG_DRAWN, &drawn, sizeof(drawn)); /* of the other's */

        open_drawing(ways[i]);
        is_refused(0, MSG_DONE, &done, sizeof(done)); /* of no round yet */
    }
}

static void play_on(void *context)
{
    (void) context;
    play();
}

static void a_variable_is_drawn_once(void)
{
    static const struct {
        msg_drawn head;
        float scores[J / 2];
        uint32_t vars[J / 2];
    } drawn = {.head = {.n_vars = J / 2}, .scores = {1, 1, 1, 1, 1, 1}, .vars = {0, 1, 2, 3, 4, 1}};
    open_drawing(checked);
    (void) script_net_take(run.net, 0);
    script_net_say(run.net, 0, MSG_DRAWN, &drawn, sizeof(drawn));
    holds_draws = false;
    char *words = suite_stderr_of(play_on, NULL);
    CHECK(strstr(words, "worker 0 has drawn variable 1, which was drawn before") != NULL);
    CHECK_STATUS(outcome_of_run().status, STRADS_ERR_DATA);
    strads_free(words);
    stop();
}

static void a_failure_of_no_known_status_is_one_all_the_same(void)
{
    const msg_failed failed = {.status = 4711};
    start_foreign(cyclic);
    is_refused(1, MSG_FAILED, &failed, sizeof(failed));
}

static void a_request_to_the_coordinator_is_refused(void)
{
    const msg_sync sync = {.n_vars = 0};
    start_foreign(cyclic);
    is_refused(1, MSG_SYNC, &sync, sizeof(sync));
    start_foreign(cyclic);
    is_refused(1, 4711, NULL, 0);
}

static void what_comes_after_the_end_is_not_read(void)
{
    const msg_failed failed = {.status = STRADS_ERR_APP};
    start_foreign(cyclic);
    script_net_say(run.net, 0, MSG_FAILED, &failed, sizeof(failed));
    const size_t n_errors = strads_log_n_errors();
    script_net_say(run.net, 1, MSG_SCORES, NULL, 0);
    CHECK(strads_log_n_errors() == n_errors);
    play();
    CHECK_STATUS(outcome_of_run().status, STRADS_ERR_APP);
    stop();
}

static void a_worker_may_say_at_any_time_that_it_was_asked_to_end(void)
{
    start_foreign(cyclic);
    script_net_say(run.net, 1, MSG_STOP, NULL, 0);
    open_workers();
    both(MSG_SCAN);
    const size_t n_errors = strads_log_n_errors();
    script_net_say(run.net, 0, MSG_STOP, NULL, 0);
    CHECK(strads_log_n_errors() == n_errors);
    play();
    CHECK_STATUS(outcome_of_run().status, STRADS_OK);
    CHECK(outcome_of_run().verdict == STRADS_STOPPED && outcome_of_run().last.round == 0);
    stop();
}

SUITE("strads/admit",
      {"a run of sound workers is as in one process", a_run_of_sound_workers_is_as_in_one_process},
      {"a worker with other data ends the run", a_worker_with_other_data_ends_the_run},
      {"who is ready twice is refused", who_is_ready_twice_is_refused},
      {"answers before all are ready are refused", answers_before_all_are_ready_are_refused},
      {"a worker may say at any time that it was asked to end",
       a_worker_may_say_at_any_time_that_it_was_asked_to_end},
      {"a scan is answered once", a_scan_is_answered_once},
      {"a pool without the working set is refused", a_pool_without_the_working_set_is_refused},
      {"a question is answered once, and with places that it has",
       a_question_is_answered_once_and_with_places_that_it_has},
      {"a round is answered once, and in its turn", a_round_is_answered_once_and_in_its_turn},
      {"a draw is answered once, with what the shard has",
       a_draw_is_answered_once_with_what_the_shard_has},
      {"a variable is drawn once", a_variable_is_drawn_once},
      {"a failure of no known status is one all the same",
       a_failure_of_no_known_status_is_one_all_the_same},
      {"a request to the coordinator is refused", a_request_to_the_coordinator_is_refused},
      {"what comes after the end is not read", what_comes_after_the_end_is_not_read})

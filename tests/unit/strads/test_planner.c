/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_planner.c - plans of every kind, with the test as workers and
 * as coordinator. */
#include <string.h>

#include "base/mem.h"
#include "tests/unit/strads/planned.h"

enum { J = 40, ROUND = 4 };

static const double RHO = 0.3;

/* What the program of the test says. */
static double cosine[J][J];
static double cost_of[J];
static uint32_t named[8]; /* by its schedule */
static size_t n_named;
static strads_status schedule_status;

static double cost(const void *site, uint32_t var)
{
    (void) site;
    return cost_of[var];
}

/* The test answers itself. */
static strads_status correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state, (void) pairs, (void) gram;
    return STRADS_ERR_APP;
}

static strads_status schedule(void *model, uint64_t round, const double *values,
                              strads_round *blocks)
{
    (void) model, (void) round, (void) values;
    return schedule_status != STRADS_OK ? schedule_status
                                        : strads_round_add(blocks, named, n_named);
}

static const strads_app app = {
    .name = "planned", .cost = cost, .correlate = correlate, .schedule = schedule};

/* ---- a plan under test ---- */

static float scanned[J];
static uint32_t firsts[ROUND + 1];
static size_t n_asked; /* questions of the last round */
static const double values[J];

/* Independent variables that cost 1 each. */
static strads_status try_start(run_options run, double parallel_cost)
{
    memset(cosine, 0, sizeof(cosine));
    for (uint32_t var = 0; var < J; var++) {
        cost_of[var] = 1.0;
    }
    run.rho = RHO;
    run.round = ROUND;
    run.candidates = run.candidates > 0 ? run.candidates : 2 * ROUND;
    for (uint32_t k = 0; k <= run.n_workers; k++) {
        firsts[k] = J * k / run.n_workers;
    }
    locals = (local_shards){
        .policy = planner_policy(&run), .n = run.n_workers, .firsts = firsts, .scanned = scanned};
    const planner_options options = {.app = &app,
                                     .structure = {.n_vars = J, .parallel_cost = parallel_cost},
                                     .firsts = firsts,
                                     .run = run};
    return planner_init(&plan, &options);
}

static void start(run_options run, double parallel_cost)
{
    REQUIRE_OK(try_start(run, parallel_cost));
}

static const run_options aware = {
    .kind = SCHEDULE_STRUCTURE_AWARE, .greedy = true, .n_workers = ROUND};

/* Scores that fall with the number of the variable, the first n above 0. */
static strads_status try_score_first(uint32_t n)
{
    float scores[J];
    for (uint32_t var = 0; var < J; var++) {
        scores[var] = (float) n - (float) var;
    }
    if (!plan.options.run.solve) {
        prio_total totals[ROUND];
        memcpy(scanned, scores, sizeof(scanned));
        local_shards_totals(&locals, totals);
        return planner_scan_all(&plan, &(plan_scan){.totals = totals, .worst = 0});
    }
    for (uint32_t var = 0; var < J; var++) { /* the pool of so few is all of them */
        plan.set.pool[var] = var;
        plan.set.scores[var] = scores[var];
    }
    working_set_scan_all(&plan.set, J);
    return STRADS_OK;
}

static void score_first(uint32_t n)
{
    REQUIRE_OK(try_score_first(n));
}

static void correlate_all(uint32_t first, uint32_t end, double size)
{
    for (uint32_t a = first; a < end; a++) {
        for (uint32_t b = first; b < end; b++) {
            cosine[a][b] = size;
        }
    }
}

static void answer(void)
{
    const strads_pairs *pairs = &plan.question;
    for (uint32_t a = pairs->first_new; a < pairs->n; a++) {
        for (uint32_t b = 0; b < a; b++) {
            const msg_edge edge = {
                .a = a, .b = b, .cosine = cosine[pairs->vars[a]][pairs->vars[b]]};
            REQUIRE_OK(dependency_learn(plan.check, &edge, 1));
        }
    }
}

/* Plans a round, all questions answered. */
static plan_outcome plan_round(double worst)
{
    plan_outcome outcome = PLAN_NONE;
    REQUIRE_OK(planner_begin(&plan, 0, values, worst, &outcome));
    REQUIRE_OK(draw_all(&outcome));
    for (n_asked = 0; outcome == PLAN_ASK; n_asked++) {
        answer();
        REQUIRE_OK(planner_finish(&plan, &outcome));
        REQUIRE_OK(draw_all(&outcome));
    }
    return outcome;
}

static void commit(const uint32_t *vars, size_t n, float moved)
{
    for (size_t i = 0; i < n; i++) {
        planner_commit(&plan, &vars[i], 1, &moved);
    }
}

/* ---- drawn rounds ---- */

static void a_cyclic_round_is_the_next_variables_cut_for_all_workers(void)
{
    start((run_options){.kind = SCHEDULE_CYCLIC, .n_workers = 2}, 0.0);
    for (uint32_t first = 0; first < J; first += ROUND) {
        CHECK(plan_round(1.0) == PLAN_READY);
        CHECK(plan.blocks.n_vars == ROUND && plan.blocks.n_blocks == 2);
        for (uint32_t i = 0; i < ROUND; i++) {
            CHECK(plan.blocks.vars[i] == first + i);
        }
    }
    finish();
}

static void what_is_drawn_is_out_until_it_is_committed(void)
{
    uint8_t n_drawn[J] = {0};
    uint32_t last[ROUND];
    start((run_options){.kind = SCHEDULE_RANDOM, .n_workers = 3}, 0.0);
    for (uint32_t round = 0; round < J / ROUND; round++) {
        CHECK(plan_round(1.0) == PLAN_READY);
        REQUIRE(plan.blocks.n_vars == ROUND);
        memcpy(last, plan.blocks.vars, sizeof(last));
        for (size_t i = 0; i < ROUND; i++) {
            n_drawn[last[i]]++;
        }
    }
    for (uint32_t var = 0; var < J; var++) {
        CHECK(n_drawn[var] == 1);
    }
    CHECK(plan_round(1.0) == PLAN_NONE);
    commit(last, ROUND, 0.0f);
    CHECK(plan_round(1.0) == PLAN_READY);
    for (size_t i = 0; i < ROUND; i++) {
        CHECK(holds(last[i]));
    }
    finish();
}

static void independent_candidates_go_side_by_side_the_most_urgent_first(void)
{
    start(aware, 0.0);
    score_first(J);
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(n_asked == 1);
    CHECK(plan.blocks.n_vars == ROUND && plan.blocks.n_blocks == ROUND);
    for (uint32_t var = 0; var < ROUND; var++) {
        CHECK(holds(var));
    }
    CHECK(planner_question_edges(&plan) == 0);
    finish();
}

static void correlated_candidates_share_a_block_up_to_its_cost(void)
{
    run_options run = aware;
    run.n_workers = 2;
    start(run, 0.0);
    correlate_all(0, 3, 1.0); /* three of a kind, and a block has room for two */
    score_first(J);
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(holds(0) && holds(1) && !holds(2));
    CHECK(plan.blocks.n_blocks == 3 && plan.blocks.starts[1] == 2);
    finish();
}

static void what_the_check_empties_is_drawn_again(void)
{
    run_options run = aware;
    run.candidates = ROUND;
    start(run, 0.0);
    correlate_all(0, 2 * ROUND, 1.0); /* the first two draws: one fits, of all */
    score_first(J);
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(n_asked == 3);
    CHECK(plan.blocks.n_vars == ROUND);
    CHECK(holds(0) && holds(2 * ROUND) && holds(2 * ROUND + 2));
    finish();
}

static void a_round_is_refilled_twice_at_most_and_gives_back_what_it_refused(void)
{
    uint32_t rest[J];
    run_options run = aware;
    run.candidates = ROUND;
    start(run, 0.0);
    correlate_all(0, J, 1.0);
    score_first(J);
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(n_asked == 3);
    CHECK(plan.blocks.n_vars == 1 && holds(0));
    size_t n_rest = 0;
    bool waits = true;
    while (waits) {
        size_t n = 0;
        uint32_t twice = 0;
        REQUIRE_OK(prio_shards_draw(plan.shards, J, rest, &n, &waits));
        REQUIRE_OK(local_shards_answer(&locals, plan.shards, &twice));
        n_rest += n;
    }
    CHECK(n_rest == J - 1); /* all but the one that was picked */
    finish();
}

static void a_candidate_that_is_correlated_with_one_in_flight_has_to_wait(void)
{
    run_options run = aware;
    run.pipeline = 1;
    run.candidates = ROUND;
    start(run, 0.0);
    cosine[ROUND][0] = cosine[0][ROUND] = 0.9;
    score_first(J);
    CHECK(plan_round(1.0) == PLAN_READY);
    uint32_t in_flight[ROUND];
    memcpy(in_flight, plan.blocks.vars, sizeof(in_flight));
    CHECK(holds(0));
    plan.in_flight = in_flight;
    plan.n_in_flight = ROUND;
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(plan.blocks.n_vars == ROUND && !holds(ROUND));
    commit(in_flight, ROUND, 0.0f);
    plan.n_in_flight = 0;
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(holds(ROUND));
    finish();
}

static void what_is_known_is_not_asked_about_again(void)
{
    start(aware, 0.0);
    score_first(ROUND);
    for (int round = 0; round < 3; round++) {
        uint32_t vars[ROUND];
        CHECK(plan_round(1.0) == PLAN_READY);
        CHECK(n_asked == (round == 0 ? 1 : 0));
        REQUIRE(plan.blocks.n_vars == ROUND);
        memcpy(vars, plan.blocks.vars, sizeof(vars));
        commit(vars, ROUND, 1.0f);
    }
    finish();
}

/* ---- working sets ---- */

static run_options set_of(uint32_t n_workers)
{
    return (run_options){.kind = SCHEDULE_STRUCTURE_AWARE, .solve = true, .n_workers = n_workers};
}

static void a_working_set_is_shared_when_it_costs_enough(void)
{
    static const double enough[] = {30.0, 30.5};
    for (int i = 0; i < 2; i++) {
        start(set_of(2), enough[i]);
        score_first(30);
        CHECK(plan_round(1.0) == PLAN_READY);
        CHECK(plan.blocks.n_vars == 30);
        CHECK(plan.blocks.n_blocks == (i == 0 ? 2 : 1));
        CHECK(plan.blocks.starts[1] == (i == 0 ? 15 : 30));
        finish();
    }
}

static void a_set_with_no_violator_is_no_plan(void)
{
    start(set_of(2), 0.0);
    score_first(0);
    CHECK(plan_round(1.0) == PLAN_NONE);
    finish();
}

static void a_set_is_checked_late_and_wide(void)
{
    static const struct {
        uint32_t n_workers;
        double worst;
        size_t n_asked;
    } cases[] = {{4, 1.0, 0}, {4, 0.1, 1}, {3, 0.1, 0}};
    for (size_t i = 0; i < 3; i++) {
        start(set_of(cases[i].n_workers), 0.0);
        score_first(J);
        CHECK(plan_round(cases[i].worst) == PLAN_READY);
        CHECK(n_asked == cases[i].n_asked);
        CHECK(plan.blocks.n_vars == J && plan.blocks.n_blocks == cases[i].n_workers);
        finish();
    }
}

/* Asked in pairs, the first with the last: a contiguous cut would part them all. */
static void a_checked_set_keeps_pairs_together(void)
{
    uint32_t block_of[J] = {0};
    start(set_of(4), 0.0);
    for (uint32_t var = 0; var < J; var++) {
        cosine[var][J - 1 - var] = 0.9;
    }
    score_first(J);
    CHECK(plan_round(0.05) == PLAN_READY);
    CHECK(plan.blocks.n_vars == J && planner_question_edges(&plan) > 0);
    for (size_t b = 0; b < plan.blocks.n_blocks; b++) {
        for (size_t i = plan.blocks.starts[b]; i < plan.blocks.starts[b + 1]; i++) {
            block_of[plan.blocks.vars[i]] = (uint32_t) b;
        }
    }
    for (uint32_t var = 0; var < J; var++) {
        CHECK(block_of[var] == block_of[J - 1 - var]);
    }
    finish();
}

/* ---- what is refused ---- */

static void begin(void *context)
{
    plan_outcome outcome = PLAN_READY;
    *(strads_status *) context = planner_begin(&plan, 3, values, 1.0, &outcome);
}

static void check_refused(const char *because)
{
    strads_status status = STRADS_OK;
    char *said = suite_stderr_of(begin, &status);
    CHECK_STATUS(status, STRADS_ERR_APP);
    CHECK(strstr(said, because) != NULL);
    strads_free(said);
}

static void a_schedule_names_what_there_is_once_and_not_what_is_in_flight(void)
{
    const uint32_t in_flight[] = {11, 5};
    start((run_options){.kind = SCHEDULE_CUSTOM, .n_workers = 2, .pipeline = 1}, 0.0);
    memcpy(named, (const uint32_t[]){7, 2, 5}, 3 * sizeof(*named));
    n_named = 3;
    CHECK(plan_round(1.0) == PLAN_READY);
    CHECK(plan.blocks.n_vars == 3 && plan.blocks.vars[0] == 7 && plan.blocks.vars[2] == 5);
    plan.in_flight = in_flight;
    plan.n_in_flight = 2;
    check_refused("planned: schedule named variable 5, which the round before still holds");
    plan.n_in_flight = 0;
    named[2] = 7;
    check_refused("planned: schedule named variable 7 twice in one round");
    named[2] = J;
    check_refused("planned: schedule named variable 40 of 40");
    finish();
}

static void a_schedule_that_names_nothing_is_no_plan_and_one_that_fails_fails(void)
{
    plan_outcome outcome = PLAN_ASK;
    start((run_options){.kind = SCHEDULE_CUSTOM, .n_workers = 1}, 0.0);
    n_named = 0;
    CHECK(plan_round(1.0) == PLAN_NONE);
    schedule_status = STRADS_ERR_DATA;
    CHECK_STATUS(planner_begin(&plan, 0, values, 1.0, &outcome), STRADS_ERR_DATA);
    CHECK(outcome == PLAN_ASK);
    schedule_status = STRADS_OK;
    finish();
}

static void a_cost_of_nothing_is_refused(void)
{
    start(set_of(2), 0.0);
    score_first(J);
    cost_of[9] = 0.0;
    check_refused("planned: cost gave 0 for variable 9;");
    finish();
}

/* A whole life: one round is planned. */
static strads_status live_once(run_options run)
{
    plan_outcome outcome = PLAN_NONE;
    strads_status status = try_start(run, 0.0);
    if (status != STRADS_OK) {
        return status;
    }
    status = try_score_first(J);
    if (status == STRADS_OK) {
        status = planner_begin(&plan, 0, values, 0.1, &outcome);
    }
    if (status == STRADS_OK) {
        status = draw_all(&outcome);
    }
    if (status == STRADS_OK && outcome == PLAN_ASK) {
        status = planner_finish(&plan, &outcome);
    }
    finish();
    return status;
}

static void fail_each_allocation(void *context)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_lives = 0;
    for (; status != STRADS_OK && n_lives < 100; n_lives++) {
        strads_mem_fail_after(n_lives + 1);
        status = live_once(*(const run_options *) context);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(n_lives > 2);
}

static void no_memory_is_told_and_nothing_is_lost(void)
{
    run_options runs[] = {set_of(4), aware, {.kind = SCHEDULE_CUSTOM}, {.kind = SCHEDULE_RANDOM}};
    n_named = 1;
    named[0] = 3;
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        runs[i].n_workers = 4;
        strads_free(suite_stderr_of(fail_each_allocation, &runs[i]));
    }
}

SUITE("strads/planner",
      {"a cyclic round is the next variables, cut for all workers",
       a_cyclic_round_is_the_next_variables_cut_for_all_workers},
      {"what is drawn is out until it is committed", what_is_drawn_is_out_until_it_is_committed},
      {"independent candidates go side by side, the most urgent first",
       independent_candidates_go_side_by_side_the_most_urgent_first},
      {"correlated candidates share a block up to its cost",
       correlated_candidates_share_a_block_up_to_its_cost},
      {"what the check empties is drawn again", what_the_check_empties_is_drawn_again},
      {"a round is refilled twice at most, and gives back what it refused",
       a_round_is_refilled_twice_at_most_and_gives_back_what_it_refused},
      {"a candidate that is correlated with one in flight has to wait",
       a_candidate_that_is_correlated_with_one_in_flight_has_to_wait},
      {"what is known is not asked about again", what_is_known_is_not_asked_about_again},
      {"a working set is shared when it costs enough",
       a_working_set_is_shared_when_it_costs_enough},
      {"a set with no violator is no plan", a_set_with_no_violator_is_no_plan},
      {"a set is checked late and wide", a_set_is_checked_late_and_wide},
      {"a checked set keeps pairs together", a_checked_set_keeps_pairs_together},
      {"a schedule names what there is, once, and not what is in flight",
       a_schedule_names_what_there_is_once_and_not_what_is_in_flight},
      {"a schedule that names nothing is no plan, and one that fails fails",
       a_schedule_that_names_nothing_is_no_plan_and_one_that_fails_fails},
      {"a cost of nothing is refused", a_cost_of_nothing_is_refused},
      {"no memory is told and nothing is lost", no_memory_is_told_and_nothing_is_lost})

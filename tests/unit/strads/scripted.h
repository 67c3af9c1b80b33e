/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/scripted.h - the workers of a coordinator under test: the test says
 * what they answer, and when. */
#ifndef STRADS_TESTS_UNIT_STRADS_SCRIPTED_H
#define STRADS_TESTS_UNIT_STRADS_SCRIPTED_H

#include "strads/coordinator.h"

#include <stdatomic.h>
#include <string.h>

#include "strads/planner.h"
#include "strads/protocol.h"
#include "tests/support/script_net.h"
#include "tests/support/suite.h"

#ifndef SCRIPTED_J
#define SCRIPTED_J 12 /* variables; another number is defined before */
#endif

enum { J = SCRIPTED_J, WORKERS = 2, ROUND = 4, NOTHING = -1, MAX_STEPS = 10000, BODY = 8192 };

/* ---- what the workers and the program of the test say ---- */

static float score_of[J];
static double value_of[J]; /* that a push comes to */
static double measure_of[WORKERS];
static double delayed;    /* seconds that a worker waited for a processor in a scan */
static uint64_t n_undone; /* of the 4 steps of a push */
static bool holds_draws;  /* draws are answered by the test itself */

static const strads_measure measures[] = {{.name = "sum", .reduction = STRADS_SUM}};

static inline strads_status correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state, (void) pairs, (void) gram;
    return STRADS_ERR_APP; /* the test answers itself */
}

static const strads_app plain = {
    .name = "tested", .correlate = correlate, .measures = measures, .n_measures = 1};

/* ---- a run ---- */

static struct {
    coordinator *head;
    script_net *net;
    journal *book;
    uint32_t firsts[WORKERS + 1];
    _Atomic bool signal;
    coordinator_options options;
    uint32_t n_taken[MSG_DRAWN + 1]; /* messages to worker 0, by type */
    prioritizer *shards[WORKERS];    /* NULL: not asked yet */
    msg_close close;                 /* the last that was taken */
} run;

static inline journal *open_book(void)
{
    strads_config *config = NULL;
    journal *book = NULL;
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    REQUIRE_OK(strads_config_resolve(config));
    REQUIRE_OK(journal_open(&book, suite_folder(), config));
    strads_config_destroy(config);
    return book;
}

static inline void prepare(const strads_app *app, run_options how)
{
    for (uint32_t var = 0; var < J; var++) {
        score_of[var] = 1.0f + (float) (J - var);
        value_of[var] = 1.0 + var;
    }
    delayed = 0.0;
    n_undone = 0;
    holds_draws = false;
    how.n_workers = WORKERS;
    how.round = ROUND;
    how.candidates = ROUND;
    how.rho = 0.3;
    how.rounds = how.rounds > 0 ? how.rounds : UINT64_MAX;
    how.seconds = INFINITY;
    memset(&run, 0, sizeof(run));
    run.book = open_book();
    run.firsts[1] = J / 2;
    run.firsts[2] = J;
    run.options = (coordinator_options){.app = app,
                                        .structure = {.n_vars = J, .partial_width = 1},
                                        .run = how,
                                        .firsts = run.firsts,
                                        .signal = &run.signal,
                                        .deadline = INFINITY,
                                        .book = run.book};
}

static inline void start(const strads_app *app, run_options how)
{
    prepare(app, how);
    run.options.n_errors = strads_log_n_errors();
    REQUIRE_OK(coordinator_create(&run.head, &run.options));
    run.net = script_net_create(WORKERS, coordinator_handle, run.head);
}

static inline void stop(void)
{
    if (run.net != NULL) {
        script_net_destroy(run.net);
    }
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        prio_destroy(run.shards[rank]);
    }
    coordinator_destroy(run.head);
    journal_close(run.book);
}

static const run_options cyclic = {.kind = SCHEDULE_CYCLIC, .gap = 1e-6};
static const run_options cyclic_ahead = {.kind = SCHEDULE_CYCLIC, .gap = 1e-6, .pipeline = 1};
static const run_options checked = {
    .kind = SCHEDULE_STRUCTURE_AWARE, .greedy = true, .gap = 1e-6, .pipeline = 1};
static const run_options sets = {.kind = SCHEDULE_STRUCTURE_AWARE, .solve = true, .gap = 1e-6};

/* ---- the workers ---- */

/* What is to be told of the score of a variable that was asked for. */
static inline bool is_told(const msg_scan *scan, uint32_t var)
{
    return !scan->whole || scan->n_pool > 0 || (scan->retired && score_of[var] == STRADS_RETIRED);
}

static inline void say_scores(uint32_t rank, const msg_scan *scan)
{
    _Alignas(16) unsigned char body[BODY] = {0};
    msg_scores *scores = (msg_scores *) body;
    double *measure = (double *) (scores + 1);
    float *told = (float *) (measure + 1);
    uint32_t vars[J];
    const uint32_t first = scan->whole ? run.firsts[rank] : 0;
    const uint32_t *asked = (const uint32_t *) (scan + 1);
    const size_t n = scan->whole ? run.firsts[rank + 1] - first : scan->n_vars;
    *scores = (msg_scores){.ran = 0.01,
                           .delayed = delayed,
                           .largest = -INFINITY,
                           .worst = J,
                           .n_measures = 1,
                           .listed = scan->n_pool > 0 || scan->retired ? 1 : 0};
    *measure = measure_of[rank];
    for (size_t i = 0; i < n; i++) {
        const uint32_t var = scan->whole ? first + (uint32_t) i : asked[i];
        const float score = score_of[var];
        scores->worst = score > fmax(scores->largest, 0.0) ? var : scores->worst;
        scores->largest = fmax(scores->largest, score);
        scores->total.sum += score > 0.0f ? (double) score : 0.0;
        scores->total.n_positive += score > 0.0f;
        scores->total.n_open += score != STRADS_RETIRED;
        if (is_told(scan, var)) {
            vars[scores->n_vars] = var;
            told[scores->n_vars++] = score;
        }
    }
    const size_t bytes = msg_pad(scores->n_vars, sizeof(*told));
    if (scores->listed == 1) {
        memcpy((unsigned char *) told + bytes, vars, scores->n_vars * sizeof(*vars));
    }
    script_net_say(run.net, rank, MSG_SCORES, body,
                   sizeof(*scores) + sizeof(*measure) + bytes * (scores->listed == 1 ? 2 : 1));
}

/* A shard does what it is asked before it draws; false: it has no memory. */
static inline bool obey(uint32_t rank, const msg_draw *draw)
{
    const float *scores = (const float *) (draw + 1);
    const uint32_t *vars = (const uint32_t *) ((const unsigned char *) scores +
                                               msg_pad(draw->n_vars, sizeof(*scores)));
    const uint32_t first = run.firsts[rank];
    const prio_options options = {.policy = planner_policy(&run.options.run),
                                  .n_vars = run.firsts[rank + 1] - first,
                                  .stream = 2 + rank};
    CHECK(run.shards[rank] != NULL || draw->restart);
    if (draw->restart) {
        prio_destroy(run.shards[rank]);
        run.shards[rank] = NULL;
    }
    if (draw->restart && prio_create(&run.shards[rank], &options) != STRADS_OK) {
        return false;
    }
    if (draw->back) {
        prio_return_all(run.shards[rank]);
    }
    for (size_t i = 0; i < draw->n_vars; i++) {
        prio_update(run.shards[rank], &(uint32_t){vars[i] - first}, 1, &scores[i]);
    }
    if (draw->fresh) {
        prio_set_range(run.shards[rank], 0, options.n_vars, score_of + first);
    }
    return true;
}

static inline void say_drawn(uint32_t rank, const msg_draw *draw)
{
    _Alignas(16) unsigned char body[BODY] = {0};
    msg_drawn *drawn = (msg_drawn *) body;
    float *scores = (float *) (drawn + 1);
    uint32_t vars[J];
    const uint32_t first = run.firsts[rank];
    if (!obey(rank, draw)) {
        const msg_failed failed = {.status = STRADS_ERR_NOMEM};
        script_net_say(run.net, rank, MSG_FAILED, &failed, sizeof(failed));
        return;
    }
    prioritizer *shard = run.shards[rank];
    size_t n = 0;
    if (draw->claims && prio_claim(shard, (uint32_t) draw->claimed - first)) {
        vars[n++] = (uint32_t) draw->claimed - first;
    }
    n += prio_draw(shard, draw->n_draws, draw->floor, vars + n);
    const prio_total left = prio_left(shard);
    *drawn =
        (msg_drawn){.left = {.sum = left.sum, .n_positive = left.n_positive, .n_open = left.n_open},
                    .n_vars = n};
    const size_t bytes = msg_pad(n, sizeof(*scores));
    for (size_t i = 0; i < n; i++) {
        scores[i] = prio_score(shard, vars[i]);
        vars[i] += first;
    }
    memcpy((unsigned char *) scores + bytes, vars, n * sizeof(*vars));
    script_net_say(run.net, rank, MSG_DRAWN, body, sizeof(*drawn) + 2 * bytes);
}

/* All shards draw what they were asked for first of all. */
static inline void serve_draws(void)
{
    bool more = !holds_draws;
    while (more && !script_net_left(run.net)) {
        more = false;
        for (uint32_t rank = 0; rank < WORKERS && !script_net_left(run.net); rank++) {
            if (!script_net_lost(run.net, rank) &&
                (int) script_net_peek(run.net, rank) == MSG_DRAW) {
                const net_message *message = script_net_take(run.net, rank);
                run.n_taken[MSG_DRAW] += rank == 0;
                say_drawn(rank, (const msg_draw *) message->body);
                more = true;
            }
        }
    }
}

static inline void say_done(uint32_t rank, const msg_push *push)
{
    _Alignas(16) unsigned char body[BODY];
    msg_done *done = (msg_done *) body;
    double *partial = (double *) (done + 1);
    const uint32_t *vars = (const uint32_t *) ((const double *) (push + 1) + push->n_vars);
    *done = (msg_done){.round = push->round,
                       .n_steps = 4,
                       .n_guarded = n_undone,
                       .n_updates = push->n_vars,
                       .n_doubles = push->n_vars};
    for (size_t i = 0; i < push->n_vars; i++) {
        partial[i] = value_of[vars[i]];
    }
    script_net_say(run.net, rank, MSG_DONE, body, sizeof(*done) + push->n_vars * sizeof(*partial));
}

static inline int next_of(uint32_t rank)
{
    return (int) script_net_peek(run.net, rank);
}

/* Worker `rank` does what it was first sent, draws apart; returns its type. */
static inline int answer(uint32_t rank)
{
    static const msg_edges no_edges;
    serve_draws();
    const net_message *message = script_net_take(run.net, rank);
    if (message == NULL) {
        return NOTHING;
    }
    const uint32_t type = message->type;
    run.n_taken[type] += rank == 0;
    if (type == MSG_SCAN) {
        say_scores(rank, (const msg_scan *) message->body);
    } else if (type == MSG_CORRELATE) {
        script_net_say(run.net, rank, MSG_EDGES, &no_edges, sizeof(no_edges));
    } else if (type == MSG_PUSH) {
        say_done(rank, (const msg_push *) message->body);
    } else if (type == MSG_CLOSE) {
        run.close = *(const msg_close *) message->body;
        script_net_lose(run.net, rank);
    }
    serve_draws();
    return (int) type;
}

/* All workers answer, by turns, until there is nothing left to answer. */
static inline void play(void)
{
    int n_steps = 0;
    for (bool more = true; more; n_steps++) {
        more = false;
        for (uint32_t rank = 0; rank < WORKERS && !script_net_left(run.net); rank++) {
            more = !script_net_lost(run.net, rank) && answer(rank) != NOTHING ? true : more;
        }
        REQUIRE(n_steps < MAX_STEPS);
    }
}

static inline void open_workers(void)
{
    const msg_ready found = msg_found(&run.options.structure, run.options.app);
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        script_net_say(run.net, rank, MSG_READY, &found, sizeof(found));
    }
}

/* Both answer one message, which is of this type. */
static inline void both(int type)
{
    for (uint32_t rank = 0; rank < WORKERS; rank++) {
        CHECK(answer(rank) == type);
    }
}

static inline coordinator_outcome outcome_of_run(void)
{
    coordinator_outcome outcome;
    CHECK(script_net_left(run.net));
    coordinator_finish(run.head, &outcome);
    return outcome;
}

#endif

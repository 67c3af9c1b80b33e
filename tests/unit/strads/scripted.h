/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/scripted.h - the workers of a coordinator under test: the test says
 * what they answer, and when. */
#ifndef STRADS_TESTS_UNIT_STRADS_SCRIPTED_H
#define STRADS_TESTS_UNIT_STRADS_SCRIPTED_H

#include "strads/coordinator.h"

#include <stdatomic.h>
#include <string.h>

#include "strads/protocol.h"
#include "tests/support/script_net.h"
#include "tests/support/suite.h"

enum { J = 12, WORKERS = 2, ROUND = 4, NOTHING = -1, MAX_STEPS = 10000, BODY = 4096 };

/* ---- what the workers and the program of the test say ---- */

static float score_of[J];
static double value_of[J]; /* that a push comes to */
static double measure_of[WORKERS];
static uint64_t n_undone; /* of the 4 steps of a push */
static bool leaves_out;   /* an answer has no scores that it may leave out */

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
    uint32_t n_taken[MSG_FAILED + 1]; /* messages to worker 0, by type */
    msg_close close;                  /* the last that was taken */
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
    n_undone = 0;
    leaves_out = false;
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
    coordinator_destroy(run.head);
    journal_close(run.book);
}

static const run_options cyclic = {.kind = SCHEDULE_CYCLIC, .gap = 1e-6};
static const run_options cyclic_ahead = {.kind = SCHEDULE_CYCLIC, .gap = 1e-6, .pipeline = 1};
static const run_options checked = {
    .kind = SCHEDULE_STRUCTURE_AWARE, .greedy = true, .gap = 1e-6, .pipeline = 1};
static const run_options sets = {.kind = SCHEDULE_STRUCTURE_AWARE, .solve = true, .gap = 1e-6};

/* ---- the workers ---- */

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
    const bool some = leaves_out && scan->whole && scan->n_pool == 0;
    *scores = (msg_scores){
        .largest = -INFINITY, .n_measures = 1, .listed = some || scan->n_pool > 0 ? 1 : 0};
    *measure = measure_of[rank];
    for (size_t i = 0; i < n; i++) {
        const uint32_t var = scan->whole ? first + (uint32_t) i : asked[i];
        scores->largest = fmax(scores->largest, score_of[var]);
        if (!some || score_of[var] > scan->above || score_of[var] == STRADS_RETIRED) {
            vars[scores->n_vars] = var;
            told[scores->n_vars++] = score_of[var];
        }
    }
    const size_t bytes = msg_pad(scores->n_vars, sizeof(*told));
    if (scores->listed == 1) {
        memcpy((unsigned char *) told + bytes, vars, scores->n_vars * sizeof(*vars));
    }
    script_net_say(run.net, rank, MSG_SCORES, body,
                   sizeof(*scores) + sizeof(*measure) + bytes * (scores->listed == 1 ? 2 : 1));
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

/* Worker `rank` does what it was first sent; returns its type. */
static inline int answer(uint32_t rank)
{
    static const msg_edges no_edges;
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

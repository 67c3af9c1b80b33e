/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/coordinator.c - the rounds.
 *
 * A handler that runs to completion: every function below is called for one event
 * and ends by having sent the next requests. What is under way is one of
 *
 *   opening            waiting for READY of all workers
 *   a scan             waiting for SCORES of all workers; no round is in flight
 *   draws              waiting for DRAWN of the workers that were asked
 *   a question         waiting for EDGES of all workers
 *   rounds in flight   1 .. 1 + pipeline, waiting for DONE of their members; draws or
 *                      a question may be under way beside them
 *   ending             CLOSE was sent, waiting for all workers to leave
 */
#include "strads/coordinator_state.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- sending ---- */

/* Keeps the first status. CLOSED gives way to a later one: a worker that failed may be
 * found gone before its reason, which is on its way, is read. */
static void keep_status(coordinator *self, strads_status status)
{
    strads_status *kept = &self->outcome.status;
    if (*kept == STRADS_OK || (*kept == STRADS_ERR_CLOSED && status != STRADS_ERR_CLOSED)) {
        *kept = status;
        if (status == STRADS_ERR_NOMEM) {
            strads_error("out of memory during the run");
        }
    }
}

void coordinator_end(coordinator *self, strads_verdict verdict)
{
    assert(!self->ending);
    self->ending = true;
    self->outcome.verdict = verdict;
    const msg_close close = {.give = verdict != STRADS_FAILED};
    bool all_told = true;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        if (self->lost[k]) {
            continue;
        }
        net_message *message = net_message_create(MSG_CLOSE, NET_DATA, sizeof(close));
        all_told = all_told && message != NULL;
        if (message != NULL) {
            memcpy(message->body, &close, sizeof(close));
        }
        if (message != NULL && net_send(self->node, k + 1, message) != STRADS_OK) {
            net_message_destroy(message);
        }
    }
    if (!all_told) {
        keep_status(self, STRADS_ERR_NOMEM);
        net_leave(self->node); /* which says the same to all */
    } else if (self->n_lost == coordinator_workers(self)) {
        net_leave(self->node);
    }
}

void coordinator_fail(coordinator *self, strads_status status)
{
    keep_status(self, status);
    if (!self->ending) {
        coordinator_end(self, STRADS_FAILED);
    }
}

static const char ended[] = "ended unexpectedly";

/* What an error has told already, as the links do of a process, is not told again. */
static void say_lost(const coordinator *self, uint32_t rank, const char *what)
{
    if (strads_log_n_errors() == self->options.n_errors) {
        strads_error("worker %u %s", rank, what);
    }
}

/* A full queue cannot be: a worker has a handful of requests. */
strads_status coordinator_send(coordinator *self, uint32_t rank, net_message *message)
{
    const strads_status status = net_send(self->node, rank + 1, message);
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    if (status == STRADS_ERR_CLOSED) {
        say_lost(self, rank, ended);
    }
    assert(status != STRADS_ERR_AGAIN);
    return status;
}

strads_status coordinator_broadcast(coordinator *self, uint32_t type, const void *body,
                                    size_t bytes)
{
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        net_message *message = net_message_create(type, NET_DATA, bytes);
        if (message == NULL) {
            return STRADS_ERR_NOMEM;
        }
        memcpy(message->body, body, bytes);
        const strads_status status = coordinator_send(self, k, message);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

/* ---- limits, and going on ---- */

bool coordinator_limit_reached(const coordinator *self)
{
    const coordinator_options *options = &self->options;
    return self->round >= options->run.rounds || self->told_to_stop ||
           atomic_load_explicit(options->signal, memory_order_relaxed) ||
           (options->deadline < INFINITY && strads_now() > options->deadline);
}

static bool scan_is_due(const coordinator *self)
{
    if (self->options.run.solve) {
        return false; /* every working set is followed by a scan anyway */
    }
    const uint64_t n_vars = self->options.structure.n_vars;
    const bool aware = self->options.run.kind == SCHEDULE_STRUCTURE_AWARE;
    return self->updates - self->updates_at_scan >= (aware ? (n_vars + 1) / 2 : n_vars);
}

/* Has shards draw what the plan waits for, and lets it go on once all have answered. */
static strads_status draw_more(coordinator *self, plan_outcome *outcome)
{
    strads_status status = STRADS_OK;
    while (*outcome == PLAN_WAIT && status == STRADS_OK) {
        status = coordinator_ask_shards(self);
        self->drawing = coordinator_awaits_draws(self);
        if (status != STRADS_OK || self->drawing) {
            break;
        }
        status = coordinator_take_draws(self, ANY_ROUND);
        if (status == STRADS_OK) {
            status = planner_go_on(&self->plan, outcome);
        }
    }
    return status;
}

/* What a plan came to: sends it, asks, or looks for work. *more: plan another. */
static strads_status follow(coordinator *self, plan_outcome outcome, bool *more)
{
    *more = false;
    strads_status status = draw_more(self, &outcome);
    if (status != STRADS_OK) {
        return status;
    }
    switch (outcome) {
    case PLAN_WAIT:
        return STRADS_OK;
    case PLAN_ASK:
        return coordinator_ask(self);
    case PLAN_READY:
        *more = true;
        net_work(self->node, UNITS_PLANNED * (double) self->plan.blocks.n_vars);
        status = coordinator_ask_shards(self);
        return status == STRADS_OK ? coordinator_dispatch(self) : status;
    case PLAN_NONE:
        break;
    }
    if (self->n_flights > 0) {
        return STRADS_OK;
    }
    if (self->whole && self->updates == self->updates_at_scan) {
        coordinator_stop_idle(self);
        return STRADS_OK;
    }
    return coordinator_scan_all(self);
}

void coordinator_advance(coordinator *self)
{
    const coordinator_options *options = &self->options;
    strads_status status = STRADS_OK;
    bool more = true;
    while (more && status == STRADS_OK && !self->drawing && !self->asking && !self->scanning &&
           !self->ending) {
        if (self->n_flights > options->run.pipeline) {
            return;
        }
        if (scan_is_due(self) || coordinator_limit_reached(self)) {
            if (self->n_flights > 0) {
                return; /* drain first */
            }
            status = coordinator_scan_rest(self);
            break;
        }
        plan_outcome outcome = PLAN_NONE;
        status = coordinator_list_in_flight(self);
        if (status == STRADS_OK) {
            const double worst =
                self->first_score > 0.0 ? self->worst_score / self->first_score : 1.0;
            self->plan.node = self->node;
            status = planner_begin(&self->plan, self->round, self->values, worst, &outcome);
        }
        if (status == STRADS_OK) {
            status = follow(self, outcome, &more);
        }
    }
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
    }
}

/* The oldest round is complete: commits it and goes on. */
static void round_done(coordinator *self)
{
    strads_status status = coordinator_commit(self);
    if (status == STRADS_OK && self->options.run.solve) {
        const bool pool = self->plan.set.scans_left > 0 && !coordinator_limit_reached(self);
        status = pool ? coordinator_scan_pool(self) : coordinator_scan_all(self);
    }
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
        return;
    }
    coordinator_advance(self);
}

/* Commits the rounds that are complete, in their order; while a plan waits for answers
 * none, so that plans do not depend on which comes first. */
static void commit_complete(coordinator *self)
{
    while (self->n_flights > 0 && self->flights[0].n_waiting == 0 && !self->drawing &&
           !self->asking && !self->ending) {
        round_done(self);
    }
}

void coordinator_resume(coordinator *self, strads_status status, plan_outcome outcome)
{
    bool more = false;
    if (status == STRADS_OK) {
        status = follow(self, outcome, &more);
    }
    if (status == STRADS_OK && more) {
        coordinator_advance(self);
    }
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
    }
    commit_complete(self);
}

static void on_done(coordinator *self, uint32_t rank, const net_message *message)
{
    coordinator_take_partials(self, rank, (const msg_done *) message->body);
    commit_complete(self);
}

/* ---- events ---- */

static void on_lost(coordinator *self, uint32_t rank)
{
    self->lost[rank] = true;
    self->n_lost++;
    if (!self->ending) {
        say_lost(self, rank, ended);
        coordinator_fail(self, STRADS_ERR_CLOSED);
    } else if (self->n_lost == coordinator_workers(self)) {
        net_leave(self->node);
    }
}

/* The callback that failed has said why; an exchange that lost a member has not. Another
 * process will, as it gives up. */
static void on_failed(coordinator *self, uint32_t rank, const net_message *message)
{
    const msg_failed *reply = (const msg_failed *) message->body;
    if (reply->status == STRADS_ERR_CLOSED && !self->ending && !message->foreign) {
        say_lost(self, rank, "has lost another worker");
    }
    coordinator_fail(self, (strads_status) reply->status);
}

/* Its process was asked to end: the run stops with what it has. */
static void on_stop(coordinator *self, uint32_t rank)
{
    if (!self->told_to_stop) {
        strads_warn("the process of worker %u was asked to end: the run stops", rank);
    }
    self->told_to_stop = true;
}

static void on_message(coordinator *self, uint32_t rank, const net_message *message)
{
    if (coordinator_collects(self, message)) {
        coordinator_collect(self, rank, message);
        return;
    }
    if (message->foreign && !coordinator_admits(self, rank, message)) {
        return;
    }
    if (message->type == MSG_FAILED) {
        on_failed(self, rank, message);
        return;
    }
    if (self->ending) {
        return; /* an answer that nobody waits for any more */
    }
    switch (message->type) {
    case MSG_READY:
        self->n_waiting--;
        if (self->n_waiting == 0) {
            self->opening = false;
            const strads_status status = coordinator_scan_all(self);
            if (status != STRADS_OK) {
                coordinator_fail(self, status);
            }
        }
        break;
    case MSG_SCORES:
        coordinator_on_scores(self, rank, message);
        break;
    case MSG_DRAWN:
        coordinator_on_drawn(self, rank, message);
        break;
    case MSG_EDGES:
        coordinator_on_edges(self, rank, message);
        break;
    case MSG_DONE:
        on_done(self, rank, message);
        break;
    case MSG_STOP:
        on_stop(self, rank);
        break;
    default:
        assert(false && "the coordinator got a message that is not for it");
    }
}

void coordinator_handle(void *handler_self, net_node *node, const net_event *event)
{
    coordinator *self = handler_self;
    self->node = node;
    switch (event->kind) {
    case NET_STARTED:
        break; /* the workers speak first */
    case NET_MESSAGE:
        on_message(self, event->peer - 1, event->message);
        break;
    case NET_LOST:
        on_lost(self, event->peer - 1);
        break;
    }
}

/* ---- life ---- */

strads_status coordinator_create(coordinator **out, const coordinator_options *options)
{
    const uint32_t workers = options->run.n_workers;
    const size_t n_vars = options->structure.n_vars;
    coordinator *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->options = *options;
    self->opening = true;
    self->n_waiting = workers;
    self->first_score = -1.0;
    self->best_gap = INFINITY;
    self->best_objective = INFINITY;
    self->stage = (strads_stage){.accuracy = 0.3, .objective = NAN, .gap = INFINITY};
    self->outcome.last.gap = INFINITY;
    self->outcome.last.objective = NAN;
    self->lost = strads_calloc(workers, sizeof(*self->lost));
    self->heard = strads_calloc(workers, sizeof(*self->heard));
    self->values = strads_calloc(n_vars, sizeof(*self->values));
    self->totals = strads_calloc(workers, sizeof(*self->totals));
    self->draws = strads_calloc(workers, sizeof(*self->draws));
    self->n_told = strads_calloc(workers, sizeof(*self->n_told));
    self->n_owned = strads_calloc(workers, sizeof(*self->n_owned));
    self->syncs = strads_calloc(workers, sizeof(net_message *));
    self->measures = strads_calloc(options->app->n_measures, sizeof(*self->measures));
    self->reported = strads_calloc(options->app->n_measures, workers * sizeof(*self->reported));
    self->worker_busy = strads_calloc(workers, sizeof(*self->worker_busy));
    self->told = strads_calloc(workers, sizeof(*self->told));
    bool whole = self->lost != NULL && self->heard != NULL && self->values != NULL &&
                 self->measures != NULL && self->reported != NULL && self->worker_busy != NULL &&
                 self->n_told != NULL && self->told != NULL && self->n_owned != NULL &&
                 self->syncs != NULL && self->totals != NULL && self->draws != NULL;
    for (uint32_t i = 0; i < MAX_FLIGHTS; i++) {
        self->flights[i].to.starts = strads_calloc(workers + 1, sizeof(size_t));
        whole = whole && self->flights[i].to.starts != NULL;
    }
    if (self->values != NULL) {
        strads_populate(self->values, n_vars * sizeof(*self->values));
    }
    const planner_options plan = {.app = options->app,
                                  .site = options->site,
                                  .model = options->model,
                                  .structure = options->structure,
                                  .firsts = options->firsts,
                                  .run = options->run};
    const strads_status status = whole ? planner_init(&self->plan, &plan) : STRADS_ERR_NOMEM;
    if (status != STRADS_OK) {
        coordinator_destroy(self);
        return status;
    }
    *out = self;
    return STRADS_OK;
}

void coordinator_destroy(coordinator *self)
{
    if (self == NULL) {
        return;
    }
    planner_fini(&self->plan);
    for (uint32_t i = 0; i < MAX_FLIGHTS; i++) {
        strads_free(self->flights[i].to.starts);
        strads_free(self->flights[i].to.vars);
        strads_free(self->flights[i].partials);
    }
    for (uint32_t k = 0; k < coordinator_workers(self) && self->told != NULL; k++) {
        strads_free(self->told[k]);
    }
    for (uint32_t k = 0; k < coordinator_workers(self) && self->draws != NULL; k++) {
        strads_free(self->draws[k].answer);
    }
    strads_free(self->draws);
    strads_free(self->told);
    strads_free(self->in_flight);
    strads_free(self->commit_values);
    strads_free(self->commit_moved);
    strads_free(self->worker_busy);
    strads_free(self->measures);
    strads_free(self->reported);
    strads_free(self->totals);
    strads_free(self->n_told);
    strads_free(self->n_owned);
    strads_free(self->syncs);
    strads_free(self->commit_owner);
    strads_free(self->values);
    strads_free(self->heard);
    strads_free(self->lost);
    strads_free(self);
}

void coordinator_finish(const coordinator *self, coordinator_outcome *outcome)
{
    double busy = 0.0;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        busy += self->worker_busy[k] / coordinator_workers(self);
    }
    *outcome = self->outcome;
    outcome->values = self->values;
    outcome->busy_seconds = self->busy_seconds + busy;
}

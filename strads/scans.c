/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/scans.c - where is work left, how good is it, and is it good enough? */
#include "strads/coordinator_state.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

/* Scans of everything without progress after which a run gives up. */
enum { MAX_STALLED = 10 };

size_t coordinator_list_start(const coordinator *self, const uint32_t *vars, size_t n,
                              uint32_t rank)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (vars[middle] < self->options.firsts[rank]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Sends every worker the request with its part of an ascending list of variables. */
static strads_status send_scans(coordinator *self, const msg_scan *scan, const uint32_t *vars,
                                size_t n_vars)
{
    const double share = (double) scan->n_pool / self->options.structure.n_vars;
    self->scanning = true;
    self->whole = scan->whole != 0;
    self->n_waiting = coordinator_workers(self);
    self->n_scans++;
    self->scored += self->whole ? self->options.structure.n_vars : n_vars;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        const uint32_t part = coordinator_answers_for(self, k);
        const size_t first = coordinator_list_start(self, vars, n_vars, part);
        const size_t n = coordinator_list_start(self, vars, n_vars, part + 1) - first;
        const uint32_t range = self->options.firsts[part + 1] - self->options.firsts[part];
        net_message *message =
            net_message_create(MSG_SCAN, NET_DATA, sizeof(msg_scan) + msg_pad(n, sizeof(uint32_t)));
        if (message == NULL) {
            return STRADS_ERR_NOMEM;
        }
        msg_scan *body = (msg_scan *) message->body;
        *body = *scan;
        body->n_pool = (uint64_t) ceil(share * range);
        body->n_vars = n;
        if (n > 0) {
            memcpy(body + 1, vars + first, n * sizeof(uint32_t));
        }
        const strads_status status = coordinator_send(self, k, message);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

strads_status coordinator_scan_all(coordinator *self)
{
    const working_set *set = &self->plan.set; /* empty where there is none */
    const msg_scan scan = {.whole = 1,
                           .n_pool = self->options.run.solve ? working_set_pool_size(set) : 0,
                           .retired = self->plan.prio != NULL,
                           .totals = self->plan.shards != NULL};
    return send_scans(self, &scan, set->vars, set->n);
}

strads_status coordinator_scan_rest(coordinator *self)
{
    if (self->whole && self->round == self->round_at_scan) {
        coordinator_end(self, STRADS_STOPPED);
        return STRADS_OK;
    }
    return coordinator_scan_all(self);
}

strads_status coordinator_scan_pool(coordinator *self)
{
    const msg_scan scan = {.whole = 0};
    return send_scans(self, &scan, self->plan.set.pool, self->plan.set.n_pool);
}

/* In order of rank, whichever answer came first: sums are the same bits every time. */
static void reduce_measures(coordinator *self)
{
    const strads_app *app = self->options.app;
    for (size_t i = 0; i < app->n_measures; i++) {
        double *to = &self->measures[i];
        *to = self->reported[i];
        for (uint32_t k = 1; k < coordinator_workers(self); k++) {
            const double next = self->reported[k * app->n_measures + i];
            if (app->measures[i].reduction == STRADS_SUM) {
                *to += next;
            } else if (app->measures[i].reduction == STRADS_MAX) {
                *to = fmax(*to, next);
            } else {
                *to = fmin(*to, next);
            }
        }
    }
}

/* The default of next_stage: how far the worst score has come down. */
static void default_stage(coordinator *self)
{
    strads_stage *stage = &self->stage;
    if (self->whole) {
        const double worst = fmax(self->worst_score, 0.0);
        stage->gap = self->first_score > 0.0 ? worst / self->first_score : 0.0;
        stage->nonzeros = 0;
        for (uint32_t j = 0; j < self->options.structure.n_vars; j++) {
            stage->nonzeros += self->values[j] != 0.0;
        }
    }
}

static strads_status next_stage(coordinator *self, bool stalled)
{
    const strads_app *app = self->options.app;
    self->stage.changed = false;
    self->stage.restart = false;
    if (app->next_stage == NULL) {
        default_stage(self);
        return STRADS_OK;
    }
    const strads_view view = {.whole = self->whole,
                              .stalled = stalled,
                              .measures = self->measures,
                              .values = self->values,
                              .worst_score = (float) self->worst_score,
                              .first_score = self->first_score,
                              .round = self->round,
                              .ending = self->at_limit};
    const double before = strads_now();
    const strads_status status = app->next_stage(self->options.model, &view, &self->stage);
    self->busy_seconds += strads_now() - before;
    if (status == STRADS_OK && self->whole && isnan(self->stage.gap)) {
        strads_error("%s: next_stage gave the gap nan", app->name);
        return STRADS_ERR_NUMERIC;
    }
    return status;
}

static strads_status report(coordinator *self)
{
    const uint64_t operations = self->updates + self->scored + self->products;
    /* What counts as an update on a grid is the program's to say. */
    const double passes = schedule_makes_passes(self->options.run.kind, self->options.app)
                              ? (double) self->round
                              : (double) operations / self->options.structure.n_vars;
    self->outcome.last = (strads_progress){.round = self->round,
                                           .updates = self->updates,
                                           .scored = self->scored,
                                           .products = self->products,
                                           .passes = passes,
                                           .seconds = strads_now() - self->options.started,
                                           .objective = self->stage.objective,
                                           .gap = self->whole ? self->stage.gap : (double) NAN,
                                           .nonzeros = self->stage.nonzeros,
                                           .active = self->active};
    if (self->options.listen != NULL) {
        self->options.listen(self->options.context, &self->outcome.last);
    }
    const journal_entry entry = {.progress = &self->outcome.last,
                                 .app = self->options.app,
                                 .measures = self->measures,
                                 .tables = self->options.tables,
                                 .n_workers = coordinator_workers(self)};
    return journal_add(self->options.book, &entry);
}

/* Whether nothing has got better for a long time. A gap goes up and down; where there
 * is no objective to go by, only as many scans again as it took to the best one tell. */
static bool has_stalled(coordinator *self)
{
    const strads_stage *stage = &self->stage;
    const bool better = !(stage->gap > 0.99 * self->best_gap) ||
                        self->best_objective - stage->objective > 1e-15 * fabs(stage->objective);
    self->n_stalled = better ? 0 : self->n_stalled + 1;
    self->n_judged++;
    if (better) { /* measured from here on, so that slow progress adds up */
        self->best_gap = fmin(self->best_gap, stage->gap);
        self->best_objective = fmin(self->best_objective, stage->objective);
    }
    return self->n_stalled >= MAX_STALLED &&
           (!isnan(stage->objective) || 2 * self->n_stalled >= self->n_judged);
}

/* Ends a run short of its goal. A program's own schedule may leave work undone, of the
 * others only rounding does. */
static void stop_short(coordinator *self, const char *custom_did)
{
    const bool custom = self->options.run.kind == SCHEDULE_CUSTOM;
    strads_warn("%s%s: the gap stays at %.3g, the goal is %.3g",
                custom ? "the program's own schedule " : "no further progress in double precision",
                custom ? custom_did : "", self->stage.gap, self->options.run.gap);
    coordinator_end(self, STRADS_STOPPED);
}

/* Whether the stage is at its end: the last, unless the program has another. */
static bool has_reached_goal(const coordinator *self)
{
    const double goal = self->options.run.gap;
    return !self->stage.changed && (self->stage.done || (goal > 0.0 && self->stage.gap <= goal));
}

/* Whether the stage ends short of its goal. */
static bool is_stalled(coordinator *self)
{
    return self->whole && self->options.run.gap > 0.0 && !self->stage.changed &&
           !has_reached_goal(self) && !self->at_limit && has_stalled(self);
}

/* After a scan of everything: go on? True when the run was ended. */
static bool judge(coordinator *self, bool stalled)
{
    const run_options *run = &self->options.run;
    if (has_reached_goal(self)) {
        coordinator_end(self, run->gap == 0.0               ? STRADS_COMPLETED
                              : self->stage.gap <= run->gap ? STRADS_CONVERGED
                                                            : STRADS_STOPPED);
    } else if (self->at_limit) {
        const bool complete = run->gap == 0.0 && self->round >= run->rounds;
        coordinator_end(self, complete ? STRADS_COMPLETED : STRADS_STOPPED);
    } else if (stalled) {
        stop_short(self, "makes no further progress");
    }
    return self->ending;
}

/* A stage that has come to its end is told of; one that only prepared for the next is not. */
static strads_status leave_stage(coordinator *self, bool stalled)
{
    const bool at_end = self->whole && self->stage.gap <= self->options.run.gap;
    return self->options.run.gap > 0.0 && (at_end || stalled) ? report(self) : STRADS_OK;
}

static strads_status restart(coordinator *self)
{
    const strads_app *app = self->options.app;
    if (app->begin_stage == NULL || self->options.run.tables) {
        strads_error("%s: next_stage starts again from 0, which takes %s", app->name,
                     app->begin_stage == NULL ? "a begin_stage to hear of it"
                                              : "another schedule.kind: values are in tables");
        return STRADS_ERR_APP;
    }
    memset(self->values, 0, self->options.structure.n_vars * sizeof(*self->values));
    return planner_restart(&self->plan);
}

/* Begins another stage, with a scan. */
static strads_status change_stage(coordinator *self)
{
    strads_status status = self->stage.restart ? restart(self) : STRADS_OK;
    self->first_score = -1.0;
    self->best_gap = INFINITY;
    self->best_objective = INFINITY;
    self->n_stalled = 0;
    self->n_judged = 0;
    if (status == STRADS_OK && self->options.app->begin_stage != NULL) {
        status = coordinator_broadcast(self, MSG_STAGE, &self->stage, sizeof(self->stage));
    }
    return status == STRADS_OK ? coordinator_scan_all(self) : status;
}

void coordinator_stop_idle(coordinator *self)
{
    if (self->options.run.gap == 0.0) {
        coordinator_end(self, STRADS_COMPLETED); /* no goal, and nothing left to do */
        return;
    }
    strads_status status = next_stage(self, true);
    if (status == STRADS_OK && !self->stage.changed) {
        stop_short(self, "names no variable");
        return;
    }
    status = status == STRADS_OK ? change_stage(self) : status;
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
    }
}

/* Puts the workers' parts of a pool side by side. */
static size_t join_pool(coordinator *self)
{
    working_set *set = &self->plan.set;
    size_t n = 0;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        const uint32_t first = self->options.firsts[k];
        memmove(set->pool + n, set->pool + first, self->n_told[k] * sizeof(*set->pool));
        memmove(set->scores + n, set->scores + first, self->n_told[k] * sizeof(*set->scores));
        n += self->n_told[k];
    }
    return n;
}

static strads_status take_priorities(coordinator *self)
{
    if (!self->whole) {
        working_set_scan_pool(&self->plan.set);
    } else if (self->options.run.solve) {
        working_set_scan_all(&self->plan.set, join_pool(self));
    } else {
        const plan_scan scan = {
            .totals = self->totals, .worst = self->worst, .n_stalled = self->n_stalled};
        return planner_scan_all(&self->plan, &scan);
    }
    return STRADS_OK;
}

static void scan_done(coordinator *self)
{
    self->scanning = false;
    self->at_limit = coordinator_limit_reached(self);
    crowd_guard_learn(&self->plan.crowd, coordinator_workers(self));
    reduce_measures(self);
    if (self->whole) {
        self->first_score = self->first_score < 0.0 ? self->worst_score : self->first_score;
        self->updates_at_scan = self->updates;
        self->round_at_scan = self->round;
    }
    bool stalled = false;
    strads_status status = next_stage(self, false);
    if (status == STRADS_OK && is_stalled(self)) {
        stalled = true;
        status = next_stage(self, true);
    }
    if (status == STRADS_OK && self->stage.changed && !self->at_limit) {
        status = leave_stage(self, stalled);
        status = status == STRADS_OK ? change_stage(self) : status;
        if (status != STRADS_OK) {
            coordinator_fail(self, status);
        }
        return;
    }
    if (status == STRADS_OK) {
        status = report(self);
    }
    if (status == STRADS_OK) {
        status = take_priorities(self);
    }
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
        return;
    }
    if (!self->whole || !judge(self, stalled)) {
        coordinator_advance(self);
    }
}

/* Keeps what one worker has told of its range, or of its part of the pool. */
static void keep_scores(coordinator *self, uint32_t rank, const msg_scores *reply)
{
    working_set *set = &self->plan.set;
    const size_t n = reply->n_vars;
    const float *part = (const float *) ((const double *) (reply + 1) + reply->n_measures);
    const uint32_t *vars =
        (const uint32_t *) ((const unsigned char *) part + msg_pad(n, sizeof(*part)));
    if (n == 0) {
        return;
    }
    if (!self->whole) {
        memcpy(set->scores + coordinator_list_start(self, set->pool, set->n_pool, rank), part,
               n * sizeof(*part));
    } else if (self->options.run.solve) {
        memcpy(set->scores + self->options.firsts[rank], part, n * sizeof(*part));
        memcpy(set->pool + self->options.firsts[rank], vars, n * sizeof(*set->pool));
    } else {
        planner_retire(&self->plan, vars, n);
    }
}

/* Keeps what can be drawn of one worker's shard, and which variable is worst of all. */
static void keep_drawable(coordinator *self, uint32_t rank, const msg_scores *reply, bool first)
{
    const msg_total *total = &reply->total;
    self->totals[rank] = (prio_total){.sum = total->sum,
                                      .n_positive = (uint32_t) total->n_positive,
                                      .n_open = (uint32_t) total->n_open};
    if (first || reply->largest > self->worst_score ||
        (reply->largest == self->worst_score && reply->worst < self->worst)) {
        self->worst = (uint32_t) reply->worst;
    }
}

void coordinator_on_scores(coordinator *self, uint32_t rank, const net_message *message)
{
    const msg_scores *reply = (const msg_scores *) message->body;
    self->worker_busy[rank] = reply->busy_seconds;
    crowd_guard_hear(&self->plan.crowd, reply->ran, reply->delayed);
    if (reply->n_measures > 0) {
        memcpy(self->reported + rank * reply->n_measures, reply + 1,
               reply->n_measures * sizeof(double));
    }
    const bool first = self->n_waiting == coordinator_workers(self);
    if (self->whole && self->plan.shards != NULL) {
        keep_drawable(self, rank, reply, first);
    }
    self->worst_score = first ? reply->largest : fmax(self->worst_score, reply->largest);
    self->n_told[rank] = reply->n_vars;
    net_work(self->node, UNITS_SCORE * (double) reply->n_vars);
    keep_scores(self, rank, reply);
    self->n_waiting--;
    if (self->n_waiting == 0) {
        scan_done(self);
    }
}

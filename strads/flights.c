/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/flights.c - rounds on their way: dispatch, pull, commit, sync. */
#include "strads/coordinator_state.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "strads/trace.h"

static strads_status send_push(coordinator *self, const flight *out, uint32_t rank)
{
    const uint32_t part = coordinator_answers_for(self, rank);
    const uint32_t *vars = out->to.vars + out->to.starts[part];
    const size_t n = out->to.starts[part + 1] - out->to.starts[part];
    net_message *message = net_message_create(
        MSG_PUSH, NET_DATA, sizeof(msg_push) + n * sizeof(double) + msg_pad(n, sizeof(uint32_t)));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_push *push = (msg_push *) message->body;
    *push = (msg_push){.round = out->round,
                       .solve = self->options.run.solve,
                       .target = self->stage.accuracy * fmax(self->worst_score, 0.0),
                       .n_members = out->n_members,
                       .lent = out->lent,
                       .n_vars = n};
    double *values = (double *) (push + 1);
    for (size_t i = 0; i < n; i++) {
        values[i] = self->values[vars[i]];
    }
    if (n > 0) {
        memcpy(values + n, vars, n * sizeof(*vars));
    }
    return coordinator_send(self, rank, message);
}

/* Has all workers lend what the members of a round do not have yet. */
static strads_status send_loan(coordinator *self)
{
    loan_book *loans = &self->plan.loans;
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < coordinator_workers(self) && loans->n > 0 && status == STRADS_OK;
         k++) {
        net_message *message = net_message_create(
            MSG_LEND, NET_DATA, sizeof(msg_lend) + msg_pad(loans->n, sizeof(uint32_t)));
        if (message == NULL) {
            return STRADS_ERR_NOMEM;
        }
        msg_lend *lend = (msg_lend *) message->body;
        *lend = (msg_lend){
            .afresh = loans->afresh, .n_borrowers = loans->n_borrowers, .n_vars = loans->n};
        memcpy(lend + 1, loans->vars, loans->n * sizeof(*loans->vars));
        status = coordinator_send(self, k, message);
    }
    if (loans->n > 0 && status == STRADS_OK) {
        loan_made(loans);
    }
    return status;
}

/* Deals the planner's blocks to workers. */
static strads_status deal(coordinator *self, flight *out)
{
    const coordinator_options *options = &self->options;
    const strads_round *blocks = &self->plan.blocks;
    const uint32_t width = self->plan.width.width;
    out->lent = self->plan.lends;
    if (options->structure.split != STRADS_SPLIT_NONE && !out->lent) {
        out->n_parts = coordinator_workers(self);
        return dispatch_to_owners(blocks, &out->to, options->firsts, coordinator_workers(self));
    }
    out->n_parts = blocks->n_blocks < width ? (uint32_t) blocks->n_blocks : width;
    return dispatch(blocks, &out->to, out->n_parts, coordinator_workers(self), options->app->cost,
                    options->site);
}

/* Sends out the blocks that the planner has made. */
strads_status coordinator_dispatch(coordinator *self)
{
    const coordinator_options *options = &self->options;
    const strads_round *blocks = &self->plan.blocks;
    flight *out = &self->flights[self->n_flights];
    strads_status status = deal(self, out);
    if (status == STRADS_OK) {
        status = strads_reserve(&out->partials, &out->partials_capacity,
                                blocks->n_vars * options->structure.partial_width, sizeof(double));
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (trace_is_on()) {
        trace_assignment(&self->plan, self->round, &out->to);
    }
    /* Between working sets everything is scanned, and shared state made afresh, so
     * who has no part in one may sit it out; otherwise all must hear all changes. */
    out->n_members = options->run.solve ? out->n_parts : coordinator_workers(self);
    out->n_waiting = out->n_members;
    out->round = self->round++;
    out->n_updates = 0;
    out->n_steps = 0;
    out->n_guarded = 0;
    self->active = blocks->n_vars;
    self->n_flights++;
    status = out->lent ? send_loan(self) : STRADS_OK;
    for (uint32_t k = 0; k < out->n_members && status == STRADS_OK; k++) {
        status = send_push(self, out, k);
    }
    return status;
}

strads_status coordinator_list_in_flight(coordinator *self)
{
    size_t n = 0;
    for (uint32_t i = 0; i < self->n_flights; i++) {
        const assignment *to = &self->flights[i].to;
        const size_t n_vars = to->starts[coordinator_workers(self)];
        const strads_status status = strads_reserve(&self->in_flight, &self->in_flight_capacity,
                                                    n + n_vars, sizeof(*self->in_flight));
        if (status != STRADS_OK) {
            return status;
        }
        memcpy(self->in_flight + n, to->vars, n_vars * sizeof(*to->vars));
        n += n_vars;
    }
    self->plan.in_flight = self->in_flight;
    self->plan.n_in_flight = n;
    return STRADS_OK;
}

/* ---- committing ---- */

static strads_status check_finite(const coordinator *self, const uint32_t *vars, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(self->commit_values[i]) || !isfinite(self->commit_moved[i])) {
            strads_error("%s: variable %u became %g (moved %g); values must be finite",
                         self->options.app->name, vars[i], self->commit_values[i],
                         (double) self->commit_moved[i]);
            return STRADS_ERR_NUMERIC;
        }
    }
    return STRADS_OK;
}

/* pull, or its default, for one worker's block; commit_values holds the old values. */
static strads_status pull(coordinator *self, const strads_block *block, const double *partial,
                          double *values, float *moved)
{
    const strads_app *app = self->options.app;
    const uint32_t width = self->options.structure.partial_width;
    if (app->pull == NULL) {
        for (size_t i = 0; i < block->n_vars; i++) {
            moved[i] = (float) fabs(partial[i * width] - values[i]);
            values[i] = partial[i * width];
        }
        return STRADS_OK;
    }
    const double before = strads_now();
    const strads_status status = app->pull(self->options.model, block, partial, values, moved);
    self->busy_seconds += strads_now() - before;
    return status;
}

static strads_status pull_all(coordinator *self, const flight *done)
{
    for (uint32_t k = 0; k < done->n_members; k++) {
        const size_t first = done->to.starts[k];
        const strads_block block = {.round = done->round,
                                    .n_vars = (uint32_t) (done->to.starts[k + 1] - first),
                                    .vars = done->to.vars + first,
                                    .values = self->commit_values + first,
                                    .solve = self->options.run.solve};
        const strads_status status =
            block.n_vars == 0
                ? STRADS_OK
                : pull(self, &block, done->partials + first * self->options.structure.partial_width,
                       self->commit_values + first, self->commit_moved + first);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

/* Makes a message a worker, with room for the values of its own range. */
static strads_status create_syncs(coordinator *self, const uint32_t *vars, size_t n)
{
    const uint32_t n_workers = coordinator_workers(self);
    memset(self->n_owned, 0, n_workers * sizeof(*self->n_owned));
    for (size_t i = 0; i < n; i++) {
        self->commit_owner[i] = round_owner(self->options.firsts, n_workers, vars[i]);
        self->n_owned[self->commit_owner[i]]++;
    }
    for (uint32_t k = 0; k < n_workers; k++) {
        self->n_owned[k] = self->n_owned[coordinator_answers_for(self, k)];
        const size_t bytes = sizeof(msg_sync) + self->n_owned[k] * sizeof(double) +
                             msg_pad(self->n_owned[k], sizeof(uint32_t));
        self->syncs[k] = net_message_create(MSG_SYNC, NET_DATA, bytes);
        if (self->syncs[k] == NULL) {
            return STRADS_ERR_NOMEM;
        }
        *(msg_sync *) self->syncs[k]->body = (msg_sync){.n_vars = 0};
    }
    return STRADS_OK;
}

/* Writes the new values of its range for each owner. */
static void fill_syncs(coordinator *self, const uint32_t *vars, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t owner = self->commit_owner[i];
        msg_sync *sync = (msg_sync *) self->syncs[owner]->body;
        double *values = (double *) (sync + 1);
        values[sync->n_vars] = self->commit_values[i];
        ((uint32_t *) (values + self->n_owned[owner]))[sync->n_vars++] = vars[i];
    }
    for (uint32_t k = 1; k < coordinator_workers(self); k++) {
        const net_message *of = self->syncs[coordinator_answers_for(self, k)];
        if (of != self->syncs[k]) {
            memcpy(self->syncs[k]->body, of->body, of->bytes);
        }
    }
}

/* Tells every worker the new values of its range; also one who has none of them that
 * there was a round. */
static strads_status send_sync(coordinator *self, const uint32_t *vars, size_t n)
{
    strads_status status = create_syncs(self, vars, n);
    if (status == STRADS_OK) {
        fill_syncs(self, vars, n);
    }
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        net_message *message = self->syncs[k];
        self->syncs[k] = NULL;
        if (status == STRADS_OK) {
            status = coordinator_send(self, k, message);
        } else {
            net_message_destroy(message);
        }
    }
    return status;
}

static strads_status reserve_commit(coordinator *self, size_t n)
{
    size_t capacity = self->commit_capacity;
    strads_status status =
        strads_reserve(&self->commit_values, &capacity, n, sizeof(*self->commit_values));
    if (status == STRADS_OK) {
        capacity = self->commit_capacity;
        status = strads_reserve(&self->commit_moved, &capacity, n, sizeof(*self->commit_moved));
    }
    if (status == STRADS_OK) {
        capacity = self->commit_capacity;
        status = strads_reserve(&self->commit_owner, &capacity, n, sizeof(*self->commit_owner));
    }
    if (status == STRADS_OK) {
        self->commit_capacity = capacity;
    }
    return status;
}

void coordinator_take_partials(coordinator *self, uint32_t rank, const msg_done *reply)
{
    uint32_t i = 0;
    while (i < self->n_flights && self->flights[i].round != reply->round) {
        i++;
    }
    assert(i < self->n_flights);
    flight *to = &self->flights[i];
    self->worker_busy[rank] = reply->busy_seconds;
    if (schedule_is_grid(self->options.run.kind) || coordinator_answers_for(self, rank) == rank) {
        to->n_updates += reply->n_updates;
    }
    /* The members count alike: a step is one for all. */
    to->n_steps = reply->n_steps;
    to->n_guarded = reply->n_guarded;
    if (reply->n_doubles > 0) {
        memcpy(to->partials + to->to.starts[rank] * self->options.structure.partial_width,
               reply + 1, reply->n_doubles * sizeof(double));
    }
    to->n_waiting--;
}

/* Takes the oldest flight out; its memory stays for a later one. */
static void retire_oldest(coordinator *self)
{
    const flight oldest = self->flights[0];
    self->n_flights--;
    for (uint32_t i = 0; i + 1 < MAX_FLIGHTS; i++) {
        self->flights[i] = self->flights[i + 1];
    }
    self->flights[MAX_FLIGHTS - 1] = oldest;
}

strads_status coordinator_commit(coordinator *self)
{
    const flight *done = &self->flights[0];
    const uint32_t *vars = done->to.vars;
    const size_t n = done->to.starts[coordinator_workers(self)];
    strads_status status = reserve_commit(self, n);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        self->commit_values[i] = self->values[vars[i]];
    }
    status = pull_all(self, done);
    if (status == STRADS_OK) {
        status = check_finite(self, vars, n);
    }
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        self->values[vars[i]] = self->commit_values[i];
    }
    planner_commit(&self->plan, vars, n, self->commit_moved);
    status = coordinator_take_draws(self, done->round);
    if (status != STRADS_OK) {
        return status;
    }
    if (self->options.structure.split == STRADS_SPLIT_NONE || done->lent) { /* else all take part */
        width_guard_learn(&self->plan.width, done->n_parts, done->n_steps, done->n_guarded);
    }
    self->outcome.guarded += done->n_guarded;
    self->updates += done->n_updates;
    net_work(self->node, UNITS_COMMITTED * (double) n);
    status = send_sync(self, vars, n);
    retire_oldest(self);
    return status;
}

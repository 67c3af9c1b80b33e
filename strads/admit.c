/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/admit.c - what the coordinator takes from workers of other processes: answers
 * that are due, once each, and sound.
 */
#include "strads/coordinator_state.h"

/* The round that worker `rank` has to answer next; NULL: none. */
static const flight *next_flight(const coordinator *self, uint32_t rank)
{
    for (uint32_t i = 0; i < self->n_flights; i++) {
        const flight *of = &self->flights[i];
        if (rank < of->n_members && of->round >= self->heard[rank].next_round) {
            return of;
        }
    }
    return NULL;
}

static void expect_scores(const coordinator *self, uint32_t rank, msg_bounds *bounds)
{
    const working_set *set = &self->plan.set;
    bounds->types |= 1U << MSG_SCORES;
    const bool plain = self->whole && !self->options.run.solve;
    bounds->pool = self->whole && self->options.run.solve && bounds->n_range > 0;
    bounds->retired =
        plain && self->plan.prio != NULL && coordinator_answers_for(self, rank) == rank;
    bounds->totals = plain && self->plan.shards != NULL;
    bounds->n_scores = plain ? 0 : bounds->n_range;
    if (bounds->pool) {
        const size_t first = coordinator_list_start(self, set->vars, set->n, rank);
        bounds->kept = set->vars + first;
        bounds->n_kept = coordinator_list_start(self, set->vars, set->n, rank + 1) - first;
    } else if (!self->whole) {
        bounds->n_scores = coordinator_list_start(self, set->pool, set->n_pool, rank + 1) -
                           coordinator_list_start(self, set->pool, set->n_pool, rank);
    }
}

static msg_correlate question_of(const coordinator *self)
{
    const strads_pairs *question = &self->plan.question;
    return (msg_correlate){.rho = self->options.run.rho,
                           .max_edges = planner_question_edges(&self->plan),
                           .first_new = question->first_new,
                           .n_vars = question->n};
}

/* What worker `rank` may say now. */
static msg_bounds expected_of(const coordinator *self, uint32_t rank)
{
    const coordinator_options *options = &self->options;
    const heard *before = &self->heard[rank];
    const shard_talk *draws = &self->draws[rank];
    const flight *next = next_flight(self, rank);
    msg_bounds bounds = {.to = NET_COORDINATOR,
                         .types = 1U << MSG_FAILED | 1U << MSG_STOP,
                         .data = msg_found(&options->structure, options->app),
                         .n_workers = coordinator_workers(self),
                         .first = options->firsts[rank],
                         .n_range = options->firsts[rank + 1] - options->firsts[rank]};
    if (self->opening && !before->ready) {
        bounds.types |= 1U << MSG_READY;
    }
    if (self->scanning && before->n_scans < self->n_scans) {
        expect_scores(self, rank, &bounds);
    }
    if (self->plan.shards != NULL) {
        bounds.draws = true;
        bounds.shard_first = coordinator_shard_first(self, rank);
        bounds.n_shard = coordinator_shard_first(self, rank + 1) - bounds.shard_first;
    }
    const bool draws_due = draws->asked && draws->answer == NULL;
    if (draws_due) {
        bounds.types |= 1U << MSG_DRAWN;
        bounds.draw = draws->request;
    }
    if (self->asking && before->n_questions < self->n_questions) {
        bounds.types |= 1U << MSG_EDGES;
        bounds.question = question_of(self);
    }
    if (next != NULL && !(draws_due && draws->round <= next->round)) { /* which were asked before */
        bounds.types |= 1U << MSG_DONE;
        bounds.round = next->round;
        bounds.n_doubles =
            (next->to.starts[rank + 1] - next->to.starts[rank]) * options->structure.partial_width;
    }
    return bounds;
}

static void note(const coordinator *self, heard *by, const msg_bounds *bounds, uint32_t type)
{
    if (type == MSG_READY) {
        by->ready = true;
    } else if (type == MSG_SCORES) {
        by->n_scans = self->n_scans;
    } else if (type == MSG_EDGES) {
        by->n_questions = self->n_questions;
    } else if (type == MSG_DONE) {
        by->next_round = bounds->round + 1;
    }
}

bool coordinator_admits(coordinator *self, uint32_t rank, const net_message *message)
{
    heard *by = &self->heard[rank];
    if (by->refused || (self->ending && message->type != MSG_FAILED)) {
        return false;
    }
    const msg_bounds bounds = expected_of(self, rank);
    const strads_status status = msg_check(message, &bounds);
    if (status == STRADS_OK) {
        note(self, by, &bounds, message->type);
        return true;
    }
    by->refused = true;
    coordinator_fail(self, status);
    return false;
}

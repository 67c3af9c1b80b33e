/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/questions.c - the checker's questions: which variables are correlated? */
#include "strads/coordinator_state.h"

#include <string.h>

strads_status coordinator_ask(coordinator *self)
{
    const strads_pairs *question = &self->plan.question;
    const uint64_t n = question->n;
    const uint64_t n_known = question->first_new;
    /* Who may exchange in correlate must meet it in the same order as the pushes. */
    const net_lane lane =
        self->options.structure.split == STRADS_SPLIT_NONE ? NET_CONTROL : NET_DATA;
    self->asking = true;
    self->n_learned = 0;
    self->n_questions++;
    self->n_waiting = coordinator_workers(self);
    self->products += (n * (n - 1) - n_known * (n_known - 1)) / 2;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        net_message *message = net_message_create(
            MSG_CORRELATE, lane, sizeof(msg_correlate) + msg_pad(question->n, sizeof(uint32_t)));
        if (message == NULL) {
            return STRADS_ERR_NOMEM;
        }
        msg_correlate *ask = (msg_correlate *) message->body;
        *ask = (msg_correlate){.rho = self->options.run.rho,
                               .max_edges = planner_question_edges(&self->plan),
                               .first_new = question->first_new,
                               .n_vars = question->n};
        memcpy(ask + 1, question->vars, question->n * sizeof(uint32_t));
        const strads_status status = coordinator_send(self, k, message);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

/* Takes an answer, and those that waited for it: edges are learned in order of rank,
 * whichever answer came first, for the checker adds up costs along them. */
static strads_status learn(coordinator *self, uint32_t rank, const net_message *message)
{
    strads_status status = STRADS_OK;
    self->told[rank] = strads_alloc(message->bytes);
    if (self->told[rank] == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(self->told[rank], message->body, message->bytes);
    while (self->n_learned < coordinator_workers(self) && self->told[self->n_learned] != NULL &&
           status == STRADS_OK) {
        msg_edges **next = &self->told[self->n_learned++];
        status =
            dependency_learn(self->plan.check, (const msg_edge *) (*next + 1), (*next)->n_edges);
        strads_free(*next);
        *next = NULL;
    }
    return status;
}

void coordinator_on_edges(coordinator *self, uint32_t rank, const net_message *message)
{
    const msg_edges *reply = (const msg_edges *) message->body;
    self->worker_busy[rank] = reply->busy_seconds;
    net_work(self->node, UNITS_EDGE * (double) reply->n_edges);
    strads_status status = learn(self, rank, message);
    self->n_waiting--;
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
    } else if (self->n_waiting == 0) {
        plan_outcome outcome = PLAN_NONE;
        self->asking = false;
        status = planner_finish(&self->plan, &outcome);
        coordinator_resume(self, status, outcome);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/draws.c - candidates that shards at the workers draw for the planner.
 *
 * A shard that runs low is asked just before a round is sent out, so that the answer comes
 * while that is pushed, and taken with the round: what a plan sees does not depend on when
 * an answer came. Only after a scan, or when chance has emptied a stock, a plan waits.
 */
#include "strads/coordinator_state.h"

#include <assert.h>
#include <string.h>

static strads_status send_draw(coordinator *self, uint32_t rank, const prio_request *ask)
{
    shard_talk *talk = &self->draws[rank];
    net_message *message = net_message_create(MSG_DRAW, NET_DATA,
                                              sizeof(msg_draw) + msg_pad(ask->n, sizeof(float)) +
                                                  msg_pad(ask->n, sizeof(uint32_t)));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    talk->asked = true;
    talk->round = self->round;
    talk->request = (msg_draw){.restart = ask->restart,
                               .back = ask->back,
                               .fresh = ask->fresh,
                               .claims = ask->claims,
                               .claimed = ask->claimed,
                               .n_draws = ask->n_draws,
                               .floor = ask->floor,
                               .n_vars = ask->n};
    *(msg_draw *) message->body = talk->request;
    if (ask->n > 0) {
        unsigned char *scores = message->body + sizeof(msg_draw);
        memcpy(scores, ask->scores, ask->n * sizeof(*ask->scores));
        memcpy(scores + msg_pad(ask->n, sizeof(float)), ask->vars, ask->n * sizeof(*ask->vars));
    }
    return coordinator_send(self, rank, message);
}

strads_status coordinator_ask_shards(coordinator *self)
{
    strads_status status = STRADS_OK;
    if (self->plan.shards == NULL) {
        return STRADS_OK;
    }
    for (uint32_t k = 0; k < coordinator_workers(self) && status == STRADS_OK; k++) {
        prio_request request;
        if (prio_shards_ask(self->plan.shards, k, &request)) {
            status = send_draw(self, k, &request);
        }
    }
    return status;
}

bool coordinator_awaits_draws(const coordinator *self)
{
    bool awaits = false;
    for (uint32_t k = 0; k < coordinator_workers(self); k++) {
        awaits = awaits || (self->draws[k].asked && self->draws[k].answer == NULL);
    }
    return awaits;
}

/* Puts what worker `rank` has drawn in stock. */
static strads_status take(coordinator *self, uint32_t rank)
{
    shard_talk *talk = &self->draws[rank];
    const msg_drawn *drawn = talk->answer;
    assert(drawn != NULL);
    const float *scores = (const float *) (drawn + 1);
    const size_t bytes = msg_pad(drawn->n_vars, sizeof(*scores));
    const prio_answer answer = {.left = {.sum = drawn->left.sum,
                                         .n_positive = (uint32_t) drawn->left.n_positive,
                                         .n_open = (uint32_t) drawn->left.n_open},
                                .n = drawn->n_vars,
                                .scores = scores,
                                .vars =
                                    (const uint32_t *) ((const unsigned char *) scores + bytes)};
    uint32_t twice = 0;
    const strads_status status = prio_shards_take(self->plan.shards, rank, &answer, &twice);
    if (status == STRADS_ERR_DATA && twice < self->options.structure.n_vars) {
        strads_error("worker %u has drawn variable %u, which was drawn before", rank, twice);
    } else if (status == STRADS_ERR_DATA) {
        strads_error("worker %u has drawn %zu variables and has %u left, which is not what it had",
                     rank, answer.n, answer.left.n_open);
    }
    strads_free(talk->answer);
    talk->answer = NULL;
    talk->asked = false;
    return status;
}

strads_status coordinator_take_draws(coordinator *self, uint64_t round)
{
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < coordinator_workers(self) && status == STRADS_OK; k++) {
        if (self->draws[k].asked && (round == ANY_ROUND || self->draws[k].round == round)) {
            status = take(self, k);
        }
    }
    return status;
}

void coordinator_on_drawn(coordinator *self, uint32_t rank, const net_message *message)
{
    msg_drawn *answer = strads_alloc(message->bytes);
    if (answer == NULL) {
        coordinator_fail(self, STRADS_ERR_NOMEM);
        return;
    }
    memcpy(answer, message->body, message->bytes);
    self->draws[rank].answer = answer;
    if (self->drawing && !coordinator_awaits_draws(self)) {
        self->drawing = false;
        coordinator_resume(self, STRADS_OK, PLAN_WAIT);
    }
}

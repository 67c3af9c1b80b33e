/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker_draw.c - candidates of a worker's shard: the answer to a draw. */
#include "strads/worker_state.h"

#include <string.h>

/* In simulated time, a unit being a nanosecond: to take a score; to draw one of many. */
enum { UNITS_TAKEN = 2, UNITS_DRAWN = 200 };

/* The scores of the last scan, of the shard. */
static const float *shard_scores(const strads_worker *worker)
{
    return worker->scores + (worker->options.shard_first - worker->options.first);
}

prio_total worker_drawable(const strads_worker *worker)
{
    prio_total total = {.sum = 0.0};
    if (worker->options.shard.n_vars == 0) {
        return total; /* there may be no scores at all */
    }
    const float *scores = shard_scores(worker);
    for (uint32_t i = 0; i < worker->options.shard.n_vars; i++) {
        const bool positive = scores[i] > 0.0f;
        total.sum += positive ? (double) scores[i] : 0.0;
        total.n_positive += positive;
        total.n_open += scores[i] != STRADS_RETIRED;
    }
    return total;
}

/* What the request says before it asks for draws. */
static strads_status update_shard(strads_worker *worker, const msg_draw *draw)
{
    const float *scores = (const float *) (draw + 1);
    const uint32_t *vars =
        (const uint32_t *) ((const unsigned char *) scores + msg_pad(draw->n_vars, sizeof(float)));
    if (draw->restart != 0 || worker->shard == NULL) {
        prio_destroy(worker->shard);
        worker->shard = NULL;
        const strads_status status = prio_create(&worker->shard, &worker->options.shard);
        if (status != STRADS_OK) {
            return status;
        }
    }
    if (draw->back != 0) {
        prio_return_all(worker->shard);
    }
    for (size_t i = 0; i < draw->n_vars; i++) {
        const uint32_t place = vars[i] - worker->options.shard_first;
        prio_update(worker->shard, &place, 1, &scores[i]);
    }
    if (draw->fresh != 0) {
        prio_set_range(worker->shard, 0, worker->options.shard.n_vars, shard_scores(worker));
        net_work(worker->node, UNITS_TAKEN * (double) worker->options.shard.n_vars);
    }
    return STRADS_OK;
}

/* Draws into places[]; returns how many. */
static size_t draw_places(strads_worker *worker, const msg_draw *draw, uint32_t *places)
{
    const uint32_t claimed = (uint32_t) draw->claimed - worker->options.shard_first;
    size_t n = 0;
    if (draw->claims != 0 && prio_claim(worker->shard, claimed)) {
        places[n++] = claimed;
    }
    n += prio_draw(worker->shard, draw->n_draws, draw->floor, places + n);
    net_work(worker->node, UNITS_DRAWN * (double) n);
    return n;
}

static net_message *create_answer(size_t n)
{
    net_message *message = net_message_create(MSG_DRAWN, NET_DATA,
                                              sizeof(msg_drawn) + msg_pad(n, sizeof(float)) +
                                                  msg_pad(n, sizeof(uint32_t)));
    if (message != NULL) {
        *(msg_drawn *) message->body = (msg_drawn){.n_vars = n};
    }
    return message;
}

static net_message *tell_drawn(const strads_worker *worker, const uint32_t *places, size_t n)
{
    net_message *message = create_answer(n);
    if (message == NULL) {
        return NULL;
    }
    msg_drawn *drawn = (msg_drawn *) message->body;
    float *scores = (float *) (drawn + 1);
    uint32_t *vars = (uint32_t *) ((unsigned char *) scores + msg_pad(n, sizeof(*scores)));
    const prio_total left = prio_left(worker->shard);
    drawn->left =
        (msg_total){.sum = left.sum, .n_positive = left.n_positive, .n_open = left.n_open};
    for (size_t i = 0; i < n; i++) {
        scores[i] = prio_score(worker->shard, places[i]);
        vars[i] = worker->options.shard_first + places[i];
    }
    return message;
}

strads_status worker_draw(strads_worker *worker, const net_message *request)
{
    const msg_draw *draw = (const msg_draw *) request->body;
    net_message *message = NULL;
    if (draw->fresh != 0 && !worker->scored_all) {
        strads_error("the coordinator wants worker %u to draw by the scores of a scan; there was "
                     "none of everything",
                     worker->options.rank);
        return STRADS_ERR_DATA;
    }
    if (worker->options.shard.n_vars == 0) { /* nothing to be a prioritizer of */
        message = create_answer(0);
        return message == NULL ? STRADS_ERR_NOMEM : worker_reply(worker, message);
    }
    strads_status status = update_shard(worker, draw);
    if (status != STRADS_OK) {
        return status;
    }
    uint32_t *places = strads_alloc_array(draw->n_draws + 1, sizeof(*places));
    if (places != NULL) {
        message = tell_drawn(worker, places, draw_places(worker, draw, places));
    }
    strads_free(places);
    return message == NULL ? STRADS_ERR_NOMEM : worker_reply(worker, message);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/parts.c - see parts.h. */
#include "tests/support/parts.h"

#include <pthread.h>
#include <string.h>

#include "base/tasks.h"
#include "tests/support/suite.h"

typedef struct hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t count, n_arrived;
    uint64_t generation;
    bool failed;
    size_t most_bytes;                  /* in a swap of one of them, either way */
    const void *const *out[PARTS_MOST]; /* what each gives, until all have taken it */
    const size_t *bytes[PARTS_MOST];
} hub;

typedef struct player {
    hub *hub;
    strads_part part;
    uint32_t index;
    strads_status (*body)(void *context, strads_part *part);
    void *context;
    strads_status status;
} player;

/* All meet here; CLOSED when one has failed. */
static strads_status meet(hub *at)
{
    pthread_mutex_lock(&at->lock);
    const uint64_t generation = at->generation;
    at->n_arrived++;
    if (at->n_arrived == at->count) {
        at->n_arrived = 0;
        at->generation++;
        pthread_cond_broadcast(&at->changed);
    }
    while (generation == at->generation && !at->failed) {
        pthread_cond_wait(&at->changed, &at->lock);
    }
    const bool met = generation != at->generation;
    pthread_mutex_unlock(&at->lock);
    return met ? STRADS_OK : STRADS_ERR_CLOSED;
}

static size_t last_most_bytes;

size_t parts_most_bytes(void)
{
    return last_most_bytes;
}

static void count_bytes(hub *at, const size_t *out_bytes, const size_t *in_bytes)
{
    size_t out = 0;
    size_t in = 0;
    for (uint32_t i = 0; i < at->count; i++) {
        out += out_bytes[i];
        in += in_bytes[i];
    }
    pthread_mutex_lock(&at->lock);
    at->most_bytes = out > at->most_bytes ? out : at->most_bytes;
    at->most_bytes = in > at->most_bytes ? in : at->most_bytes;
    pthread_mutex_unlock(&at->lock);
}

static strads_status swap(void *context, const void *const *out, const size_t *out_bytes, void **in,
                          size_t *in_bytes)
{
    const player *self = context;
    hub *at = self->hub;
    at->out[self->index] = out;
    at->bytes[self->index] = out_bytes;
    strads_status status = meet(at);
    if (status != STRADS_OK) {
        return status;
    }
    uint32_t n_taken = 0;
    for (; n_taken < at->count; n_taken++) {
        in_bytes[n_taken] = at->bytes[n_taken][self->index];
        in[n_taken] = strads_alloc(in_bytes[n_taken]);
        if (in[n_taken] == NULL) {
            status = STRADS_ERR_NOMEM;
            break;
        }
        if (in_bytes[n_taken] > 0) {
            memcpy(in[n_taken], at->out[n_taken][self->index], in_bytes[n_taken]);
        }
    }
    if (status == STRADS_OK) {
        count_bytes(at, out_bytes, in_bytes);
    }
    const strads_status met = meet(at);
    status = status == STRADS_OK ? met : status;
    for (uint32_t i = 0; i < n_taken && status != STRADS_OK; i++) {
        strads_free(in[i]);
    }
    return status;
}

static void *play(void *argument)
{
    player *self = argument;
    self->status = self->body(self->context, &self->part);
    if (self->status != STRADS_OK) {
        pthread_mutex_lock(&self->hub->lock);
        self->hub->failed = true;
        pthread_cond_broadcast(&self->hub->changed);
        pthread_mutex_unlock(&self->hub->lock);
    }
    return NULL;
}

strads_status parts_run(uint32_t count, uint32_t n_workers,
                        strads_status (*body)(void *context, strads_part *part), void *context)
{
    hub at = {.count = count};
    player players[PARTS_MOST];
    pthread_t threads[PARTS_MOST];
    uint32_t ranks[PARTS_MOST + 1];
    REQUIRE(count > 0 && count <= PARTS_MOST && n_workers >= count);
    REQUIRE(pthread_mutex_init(&at.lock, NULL) == 0 && pthread_cond_init(&at.changed, NULL) == 0);
    for (uint32_t i = 0; i <= count; i++) {
        ranks[i] = n_workers * i / count;
    }
    for (uint32_t i = 0; i < count; i++) {
        players[i] = (player){.hub = &at, .index = i, .body = body, .context = context};
        players[i].part = (strads_part){
            .index = i, .count = count, .ranks = ranks, .context = &players[i], .swap = swap};
        REQUIRE_OK(strads_thread_start(&threads[i], "part", play, &players[i]));
    }
    strads_status status = STRADS_OK;
    for (uint32_t i = 0; i < count; i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
        if (players[i].status != STRADS_OK &&
            (status == STRADS_OK || status == STRADS_ERR_CLOSED)) {
            status = players[i].status;
        }
    }
    last_most_bytes = at.most_bytes;
    pthread_cond_destroy(&at.changed);
    pthread_mutex_destroy(&at.lock);
    return status;
}

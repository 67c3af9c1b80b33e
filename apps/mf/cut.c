/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/cut.c - rows dealt to blocks that carry about the same load. */
#include <stdlib.h>
#include <string.h>

#include "apps/mf/mf.h"
#include "base/random.h"
#include "base/tasks.h"

/* Streams of run.seed; those of rows begin behind them. */
enum { STREAM_TIES = 1, STREAMS_A_SIDE = 16 };

/* ---- counting ---- */

typedef struct counting {
    const data_ratings *train;
    mf_cut *users, *items;
    pthread_mutex_t lock; /* of what they count */
} counting;

static void add_counts(mf_cut *cut, const uint32_t *counts)
{
    for (uint32_t i = 0; i < cut->n; i++) {
        cut->count[i] += counts[i];
    }
}

static strads_status count_range(void *context, size_t first, size_t last)
{
    counting *it = context;
    uint32_t *users = strads_calloc(it->users->n, sizeof(*users));
    uint32_t *items = strads_calloc(it->items->n, sizeof(*items));
    const strads_status status = users == NULL || items == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t i = first; i < last && status == STRADS_OK; i++) {
        users[it->train->entries[i].row]++;
        items[it->train->entries[i].column]++;
    }
    if (status == STRADS_OK) {
        pthread_mutex_lock(&it->lock);
        add_counts(it->users, users);
        add_counts(it->items, items);
        pthread_mutex_unlock(&it->lock);
    }
    strads_free(users);
    strads_free(items);
    return status;
}

strads_status mf_cut_count(mf_cut *users, mf_cut *items, const data_ratings *train)
{
    counting it = {.train = train, .users = users, .items = items};
    if (pthread_mutex_init(&it.lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    const strads_status status = strads_parallel_for(strads_cores(), train->n, count_range, &it);
    pthread_mutex_destroy(&it.lock);
    return status;
}

/* ---- dealing ---- */

typedef struct ranked {
    uint32_t row, count, tie;
} ranked;

static int by_count(const void *left, const void *right)
{
    const ranked *a = left;
    const ranked *b = right;
    if (a->count != b->count) {
        return a->count < b->count ? 1 : -1;
    }
    return a->tie != b->tie ? (a->tie < b->tie ? -1 : 1) : (a->row < b->row ? -1 : 1);
}

strads_status mf_cut_deal(mf_cut *cut, uint64_t seed, uint32_t side)
{
    ranked *rows = strads_alloc_array(cut->n, sizeof(*rows));
    strads_random ties = strads_random_start(seed, STREAM_TIES + STREAMS_A_SIDE * (uint64_t) side);
    if (rows == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < cut->n; i++) {
        rows[i] = (ranked){.row = i, .count = cut->count[i], .tie = strads_random_bits(&ties)};
    }
    qsort(rows, cut->n, sizeof(*rows), by_count);
    for (uint32_t k = 0; k < cut->n; k++) {
        const uint32_t turn = k / cut->n_blocks;
        const uint32_t at = k % cut->n_blocks;
        const uint32_t block = turn % 2 == 0 ? at : cut->n_blocks - 1 - at;
        cut->place[rows[k].row] = block * cut->n_each + turn;
        cut->index[block * cut->n_each + turn] = rows[k].row;
    }
    strads_free(rows);
    return STRADS_OK;
}

/* ---- life ---- */

strads_status mf_cut_init(mf_cut *cut, uint32_t n, uint32_t least, uint32_t most)
{
    uint32_t n_blocks = least;
    while ((n + n_blocks - 1) / n_blocks > most) {
        n_blocks *= 2;
    }
    const uint32_t n_each = (n + n_blocks - 1) / n_blocks;
    *cut = (mf_cut){.n = n, .n_blocks = n_blocks, .n_each = n_each};
    cut->place = strads_alloc_array(n, sizeof(*cut->place));
    cut->count = strads_calloc(n, sizeof(*cut->count));
    cut->index = strads_alloc_array((size_t) n_blocks * n_each, sizeof(*cut->index));
    if (cut->place == NULL || cut->count == NULL || cut->index == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memset(cut->index, 0xff, (size_t) n_blocks * n_each * sizeof(*cut->index));
    return STRADS_OK;
}

void mf_cut_fini(mf_cut *cut)
{
    strads_free(cut->place);
    strads_free(cut->count);
    strads_free(cut->index);
}

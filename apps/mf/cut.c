/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/cut.c - rows dealt to blocks that carry about the same load. */
#include <math.h>
#include <string.h>

#include "apps/mf/mf.h"
#include "base/random.h"
#include "base/tasks.h"

/* Streams of run.seed; those of rows begin behind them. */
enum { STREAM_TIES = 1, STREAMS_A_SIDE = 16 };

/* ---- counting ---- */

/* Ratings whose sums are a number of their own, so that the sum of these does not depend on how
 * many threads there are. */
enum {
    STRETCH = 1 << 18,
    NEAR = 1 << 10, /* that stay in the nearest cache, to be gone through twice */
    LANES = 4
};

typedef struct rating_sums {
    double values, squares;
} rating_sums;

typedef struct counting {
    const data_ratings *train;
    mf_cut *users, *items;
    rating_sums *sums;    /* [n_stretches] */
    pthread_mutex_t lock; /* of what they count */
} counting;

static void add_counts(mf_cut *cut, const uint32_t *counts)
{
    for (uint32_t i = 0; i < cut->n; i++) {
        cut->count[i] += counts[i];
    }
}

static void count_some(const data_rating *entries, size_t n, uint32_t *users, uint32_t *items)
{
    for (size_t i = 0; i < n; i++) {
        users[entries[i].row]++;
        items[entries[i].column]++;
    }
}

/* By fours, which need not wait for each other. */
static void add_some(const data_rating *entries, size_t n, rating_sums sums[LANES])
{
    for (size_t i = 0; i < n; i++) {
        const double value = (double) entries[i].value;
        sums[i % LANES].values += value;
        sums[i % LANES].squares += value * value;
    }
}

static rating_sums count_stretch(const data_ratings *train, size_t first, uint32_t *users,
                                 uint32_t *items)
{
    const size_t last = train->n - first < STRETCH ? train->n : first + STRETCH;
    rating_sums sums[LANES] = {{0.0, 0.0}};
    for (size_t i = first; i < last; i += NEAR) {
        const size_t n = last - i < NEAR ? last - i : NEAR;
        count_some(train->entries + i, n, users, items);
        add_some(train->entries + i, n, sums);
    }
    data_ratings_set_aside(train, first, last - first);
    return (rating_sums){
        .values = (sums[0].values + sums[1].values) + (sums[2].values + sums[3].values),
        .squares = (sums[0].squares + sums[1].squares) + (sums[2].squares + sums[3].squares)};
}

static strads_status count_stretches(void *context, size_t first, size_t last)
{
    counting *it = context;
    uint32_t *users = strads_calloc(it->users->n, sizeof(*users));
    uint32_t *items = strads_calloc(it->items->n, sizeof(*items));
    const strads_status status = users == NULL || items == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t s = first; s < last && status == STRADS_OK; s++) {
        it->sums[s] = count_stretch(it->train, s * STRETCH, users, items);
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

strads_status mf_cut_count(mf_cut *users, mf_cut *items, const data_ratings *train,
                           mf_moments *moments)
{
    const size_t n = (train->n + STRETCH - 1) / STRETCH;
    counting it = {.train = train, .users = users, .items = items};
    it.sums = strads_alloc_array(n, sizeof(*it.sums));
    if (it.sums == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (pthread_mutex_init(&it.lock, NULL) != 0) {
        strads_free(it.sums);
        return STRADS_ERR_SYSTEM;
    }
    const strads_status status = strads_parallel_for(strads_cores(), n, count_stretches, &it);
    rating_sums all = {0.0, 0.0};
    for (size_t s = 0; s < n && status == STRADS_OK; s++) {
        all.values += it.sums[s].values;
        all.squares += it.sums[s].squares;
    }
    if (status == STRADS_OK) {
        moments->mean = all.values / (double) train->n;
        moments->variance =
            fmax(all.squares / (double) train->n - moments->mean * moments->mean, 0.0);
    }
    pthread_mutex_destroy(&it.lock);
    strads_free(it.sums);
    return status;
}

/* ---- dealing ---- */

typedef struct ranked {
    uint32_t row, tie;
    uint32_t fewer; /* the larger, the fewer ratings */
} ranked;

enum { DIGIT = 11, N_DIGITS = 1 << DIGIT, N_PASSES = (64 + DIGIT - 1) / DIGIT };

static uint32_t digit_of(const ranked *row, int pass)
{
    const uint64_t key = (uint64_t) row->fewer << 32 | row->tie;
    return (uint32_t) (key >> (pass * DIGIT)) & (N_DIGITS - 1);
}

/* Sorts rows, which ascend, by number of ratings, then by tie: digit by digit, from the least,
 * for qsort takes eight times as long. scratch[n]; the result is in rows. */
static void sort_ranked(ranked *rows, ranked *scratch, uint32_t n)
{
    _Static_assert(N_PASSES % 2 == 0, "the last pass comes back to rows");
    for (int pass = 0; pass < N_PASSES; pass++) {
        uint32_t start[N_DIGITS + 1] = {0};
        for (uint32_t i = 0; i < n; i++) {
            start[digit_of(&rows[i], pass) + 1]++;
        }
        for (uint32_t d = 0; d < N_DIGITS; d++) {
            start[d + 1] += start[d];
        }
        for (uint32_t i = 0; i < n; i++) {
            scratch[start[digit_of(&rows[i], pass)]++] = rows[i];
        }
        ranked *const sorted = scratch;
        scratch = rows;
        rows = sorted;
    }
}

strads_status mf_cut_deal(mf_cut *cut, uint64_t seed, uint32_t side)
{
    ranked *rows = strads_alloc_array(cut->n, 2 * sizeof(*rows));
    strads_random ties = strads_random_start(seed, STREAM_TIES + STREAMS_A_SIDE * (uint64_t) side);
    if (rows == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < cut->n; i++) {
        rows[i] = (ranked){
            .row = i, .fewer = UINT32_MAX - cut->count[i], .tie = strads_random_bits(&ties)};
    }
    sort_ranked(rows, rows + cut->n, cut->n);
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

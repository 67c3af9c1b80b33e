/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ratings_split.c - a test part: drawn, the latest, or a file of its own. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/tasks.h"
#include "data/ratings_parts.h"

/* ---- taking ratings out ---- */

/* Says of rating i whether it goes to the test part. */
typedef bool (*choice)(const void *context, const data_ratings *ratings, size_t i);

/* Moves what is chosen to `test`; both keep their order. */
static strads_status take_out(data_ratings *train, data_ratings *test, choice is_test,
                              const void *context)
{
    const strads_status status = data_ratings_own(train);
    if (status != STRADS_OK) {
        return status;
    }
    size_t n_test = 0;
    for (size_t i = 0; i < train->n; i++) {
        n_test += is_test(context, train, i);
    }
    data_ratings taken = {.entries = strads_alloc_array(n_test, sizeof(*taken.entries))};
    if (train->times != NULL) {
        taken.times = strads_alloc_array(n_test, sizeof(*taken.times));
    }
    if (taken.entries == NULL || (train->times != NULL && taken.times == NULL)) {
        strads_error("no memory for %zu test ratings", n_test);
        data_ratings_fini(&taken);
        return STRADS_ERR_NOMEM;
    }
    size_t n_train = 0;
    for (size_t i = 0; i < train->n; i++) {
        const bool chosen = is_test(context, train, i);
        data_ratings *to = chosen ? &taken : train;
        const size_t at = chosen ? taken.n++ : n_train++;
        to->entries[at] = train->entries[i];
        if (train->times != NULL) {
            to->times[at] = train->times[i];
        }
    }
    train->n = n_train;
    *test = taken;
    return STRADS_OK;
}

/* ---- drawn ---- */

typedef struct lot {
    uint64_t seed, limit; /* a hash below the limit is chosen */
} lot;

/* The finalizer of splitmix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool is_drawn(const void *context, const data_ratings *ratings, size_t i)
{
    const lot *draw = context;
    (void) ratings;
    return mix(draw->seed + i * UINT64_C(0x9e3779b97f4a7c15)) < draw->limit;
}

strads_status data_ratings_split(data_ratings *train, data_ratings *test, double fraction,
                                 uint64_t seed)
{
    assert(fraction >= 0.0 && fraction < 1.0);
    const lot draw = {.seed = mix(seed + UINT64_C(0x9e3779b97f4a7c15)),
                      .limit = (uint64_t) ldexp(fraction, 64)};
    return take_out(train, test, is_drawn, &draw);
}

/* ---- the latest ---- */

/* Those later than `key`, and of those at that time the ones from a position on. */
typedef struct moment {
    uint64_t key;
    size_t first;
} moment;

/* Whole numbers in the order of the doubles; -0 is 0. */
static uint64_t key_of(double time)
{
    uint64_t bits = 0;
    time += 0.0;
    memcpy(&bits, &time, sizeof(bits));
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static bool is_late(const void *context, const data_ratings *ratings, size_t i)
{
    const moment *from = context;
    const uint64_t key = key_of(ratings->times[i]);
    return key > from->key || (key == from->key && i >= from->first);
}

/* Finds the n-th latest, n > 0: 16 bits of its key at a time, from the top. */
static strads_status find_moment(moment *out, const data_ratings *ratings, size_t n)
{
    enum { DIGIT = 16, N_DIGITS = 1 << DIGIT };
    size_t *count = strads_alloc_array(N_DIGITS, sizeof(*count));
    if (count == NULL) {
        strads_error("no memory to split ratings by time");
        return STRADS_ERR_NOMEM;
    }
    uint64_t prefix = 0;
    for (int shift = 64 - DIGIT; shift >= 0; shift -= DIGIT) {
        memset(count, 0, N_DIGITS * sizeof(*count));
        for (size_t i = 0; i < ratings->n; i++) {
            const uint64_t key = key_of(ratings->times[i]);
            if (key >> shift >> DIGIT == prefix) {
                count[key >> shift & (N_DIGITS - 1)]++;
            }
        }
        size_t digit = N_DIGITS - 1;
        for (; count[digit] < n; digit--) {
            n -= count[digit];
        }
        prefix = prefix << DIGIT | digit;
    }
    strads_free(count);
    size_t first = ratings->n;
    while (n > 0) {
        n -= key_of(ratings->times[--first]) == prefix;
    }
    *out = (moment){.key = prefix, .first = first};
    return STRADS_OK;
}

static void drop_times(data_ratings *ratings)
{
    strads_free(ratings->times);
    ratings->times = NULL;
}

strads_status data_ratings_split_latest(data_ratings *train, data_ratings *test, double fraction)
{
    assert(train->times != NULL && fraction >= 0.0 && fraction < 1.0);
    const size_t n_test = (size_t) floor(fraction * (double) train->n);
    moment from = {.key = UINT64_MAX, .first = train->n};
    strads_status status = n_test > 0 ? find_moment(&from, train, n_test) : STRADS_OK;
    if (status == STRADS_OK) {
        status = take_out(train, test, is_late, &from);
    }
    if (status == STRADS_OK) {
        drop_times(train);
        drop_times(test);
    }
    return status;
}

/* ---- a file ---- */

static uint32_t *map_ids(const data_ids *from, const data_ids *to)
{
    uint32_t *map = strads_alloc_array(from->n, sizeof(*map));
    char digits[DATA_ID_BYTES];
    for (uint32_t i = 0; map != NULL && i < from->n; i++) {
        map[i] = data_ids_find(to, data_ids_name(from, i, digits));
    }
    return map;
}

static bool is_unseen(const void *context, const data_ratings *ratings, size_t i)
{
    (void) context;
    return ratings->entries[i].row == DATA_UNSEEN || ratings->entries[i].column == DATA_UNSEEN;
}

/* Indices, and what they become. */
typedef struct mapping {
    data_ratings *ratings;
    uint32_t *to[DATA_N_SIDES];
    size_t n_unseen; /* atomic */
} mapping;

static strads_status map_entries(void *context, size_t first, size_t last)
{
    mapping *it = context;
    size_t n_unseen = 0;
    for (size_t i = first; i < last; i++) {
        data_rating *entry = &it->ratings->entries[i];
        entry->row = it->to[DATA_USERS][entry->row];
        entry->column = it->to[DATA_ITEMS][entry->column];
        n_unseen += entry->row == DATA_UNSEEN || entry->column == DATA_UNSEEN;
    }
    __atomic_fetch_add(&it->n_unseen, n_unseen, __ATOMIC_RELAXED);
    return STRADS_OK;
}

/* Puts `end` behind all, where there is room for it. */
static void append(data_ratings *ratings, const data_ratings *end)
{
    memcpy(ratings->entries + ratings->n, end->entries, end->n * sizeof(*end->entries));
    if (ratings->times != NULL) {
        memcpy(ratings->times + ratings->n, end->times, end->n * sizeof(*end->times));
    }
    ratings->n += end->n;
    ratings->n_unseen = end->n;
}

/* The unseen go behind all others. */
static strads_status part_unseen(data_ratings *ratings)
{
    data_ratings unseen = {.n = 0};
    const strads_status status = take_out(ratings, &unseen, is_unseen, NULL);
    if (status == STRADS_OK) {
        append(ratings, &unseen);
    }
    data_ratings_fini(&unseen);
    return status;
}

strads_status data_ratings_adopt(data_ratings *ratings, const data_ids ids[DATA_N_SIDES],
                                 const char *path)
{
    mapping it = {.ratings = ratings};
    strads_status status = data_ratings_own(ratings);
    for (data_side side = 0; side < DATA_N_SIDES && status == STRADS_OK; side++) {
        it.to[side] = map_ids(&ratings->ids[side], &ids[side]);
        status = it.to[side] != NULL ? STRADS_OK : data_no_memory(path);
    }
    if (status == STRADS_OK) {
        status = strads_parallel_for(strads_cores(), ratings->n, map_entries, &it);
        status = status == STRADS_ERR_NOMEM ? data_no_memory(path) : status;
    }
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        strads_free(it.to[side]);
        data_ids_fini(&ratings->ids[side]);
    }
    return status == STRADS_OK && it.n_unseen > 0 ? part_unseen(ratings) : status;
}

strads_status data_ratings_read_test(data_ratings *test, const data_ratings *train,
                                     const data_ratings_source *source)
{
    data_ratings_source own = *source;
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        own.texts[side] = train->ids[side].number == NULL;
    }
    data_ratings ratings;
    strads_status status = data_ratings_read(&ratings, &own);
    if (status != STRADS_OK) {
        return status;
    }
    status = data_ratings_adopt(&ratings, train->ids, source->path);
    if (status != STRADS_OK) {
        data_ratings_fini(&ratings);
        return status;
    }
    *test = ratings;
    return STRADS_OK;
}

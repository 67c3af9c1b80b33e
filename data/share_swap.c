/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/share_swap.c - entries that a process has read go to those that keep them.
 *
 * In rounds each process gives every other one so many entries at most; what comes is put with
 * what came before of the same sender, and in the end all is put together in order of the senders,
 * so that a column is in order where the file is. So under way are never more than ROUND_ENTRIES
 * from a process and as many to it.
 */
#include <string.h>

#include "data/share_text.h"

enum { ROUND_ENTRIES = 1 << 17 }; /* of 16 bytes, that a process gives all others at once */

/* What one process sends another in a round. */
typedef struct parcel {
    uint64_t n;
    uint64_t more; /* the sender has others for somebody */
    data_entry entries[];
} parcel;

/* A part of the matrix. */
typedef struct box {
    uint32_t first_row, last_row, first_col, last_col;
} box;

/* What is left for one process of what was read here. */
typedef struct feed {
    box to;
    size_t range; /* which is at the cursor */
    data_columns_cursor cursor;
    data_entry waiting[2];
    size_t n_waiting;
} feed;

typedef struct swapping {
    share_reading *it;
    uint32_t count, me;
    size_t quota;           /* entries for one in a round */
    feed *feeds;            /* [count] */
    box *shards;            /* [n_shards] */
    parcel **out;           /* [count], and NULL for this process */
    void **in;              /* [count] */
    size_t *bytes;          /* [2 count] out, then in */
    data_columns **columns; /* [n_shards][count] what came, by sender */
} swapping;

/* ---- who is to have what ---- */

static box box_of(const share_reading *it, uint32_t first_rank, uint32_t last_rank)
{
    const data_share *share = it->share;
    box to = {.last_row = (uint32_t) share->n_rows, .last_col = (uint32_t) share->n_cols};
    if (it->how->split == DATA_BY_ROWS) {
        to.first_row = (uint32_t) strads_part_start(it->how->part, share->n_rows, first_rank);
        to.last_row = (uint32_t) strads_part_start(it->how->part, share->n_rows, last_rank);
    } else {
        to.first_col = share->firsts[first_rank];
        to.last_col = share->firsts[last_rank];
    }
    return to;
}

static box box_of_process(const share_reading *it, uint32_t index)
{
    return box_of(it, strads_part_rank(it->how->part, index),
                  strads_part_rank(it->how->part, index + 1));
}

static box box_of_shard(const share_reading *it, size_t k)
{
    const uint32_t n = it->how->split == DATA_BY_ROWS ? 1 : it->how->n_ranks;
    const uint32_t rank = it->how->first_rank + (uint32_t) k;
    return box_of(it, rank, rank + n);
}

static bool is_in(const box *to, data_entry e)
{
    return e.row >= to->first_row && e.row < to->last_row && e.col >= to->first_col &&
           e.col < to->last_col;
}

/* ---- where entries belong ---- */

/* Where the lower triangle of an n x n matrix has the first value of column j. */
static uint64_t triangle_start(uint64_t n, uint64_t j)
{
    return j * n - j * (j - 1) / 2;
}

/* The place of the k-th value of an array. */
static data_entry place_in_array(const data_market *array, uint64_t k)
{
    const uint64_t n = array->n_rows;
    if (!array->symmetric) {
        return (data_entry){.row = (uint32_t) (k % n), .col = (uint32_t) (k / n)};
    }
    uint64_t low = 0;
    uint64_t high = n; /* the column is low or behind it, and before high */
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (triangle_start(n, middle) <= k) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (data_entry){.row = (uint32_t) (low + k - triangle_start(n, low)),
                        .col = (uint32_t) low};
}

static void offer(feed *to, data_entry e)
{
    if (is_in(&to->to, e)) {
        to->waiting[to->n_waiting++] = e;
    }
}

/* Offers an entry of a range at its place in the matrix, or its two places. */
static void place(const share_reading *it, feed *to, data_entry e)
{
    const data_market *market = &it->text.market;
    if (!market->array) {
        e.row += it->text.placed ? 0 : (uint32_t) it->before[to->range];
        offer(to, e);
        return;
    }
    data_entry at = place_in_array(market, it->before[to->range] + data_market_put_at(e));
    at.value = e.value;
    offer(to, at);
    if (market->symmetric && at.row != at.col) {
        offer(to, (data_entry){.row = at.col, .col = at.row, .value = at.value});
    }
}

/* ---- feeds ---- */

static void begin_range(const share_reading *it, feed *from)
{
    const bool any_place = it->text.market.array;
    if (from->range < it->how->n_ranks) {
        data_columns_begin(&from->cursor, it->ranges[from->range].piece.columns,
                           any_place ? 0 : from->to.first_col,
                           any_place ? UINT32_MAX : from->to.last_col);
    }
}

static bool next_entry(const share_reading *it, feed *from, data_entry *out)
{
    data_entry e;
    while (from->n_waiting == 0) {
        if (from->range >= it->how->n_ranks) {
            return false;
        }
        if (data_columns_next(&from->cursor, &e)) {
            place(it, from, e);
        } else {
            from->range++;
            begin_range(it, from);
        }
    }
    *out = from->waiting[--from->n_waiting];
    return true;
}

/* ---- taking ---- */

/* Puts an entry with what came of the same sender. */
static strads_status take(const swapping *self, uint32_t from, data_entry e)
{
    size_t k = 0;
    size_t last = self->it->share->n_shards;
    while (last - k > 1) { /* shards are in order of rows */
        const size_t middle = k + (last - k) / 2;
        if (self->shards[middle].first_row <= e.row) {
            k = middle;
        } else {
            last = middle;
        }
    }
    const box *to = &self->shards[k];
    if (!is_in(to, e)) {
        strads_error("process %u sent an entry of row %u, column %u, which is not of this process",
                     from, e.row, e.col);
        return STRADS_ERR_APP;
    }
    return data_columns_add(self->columns[k * self->count + from], e.row - to->first_row,
                            e.col - to->first_col, e.value);
}

static strads_status take_own(const swapping *self)
{
    data_entry e;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && next_entry(self->it, &self->feeds[self->me], &e)) {
        status = take(self, self->me, e);
    }
    return status;
}

static strads_status take_parcel(const swapping *self, uint32_t from, bool *more)
{
    const parcel *one = self->in[from];
    const size_t bytes = self->bytes[self->count + from];
    if (bytes < sizeof(*one) || one->n > self->quota ||
        bytes != sizeof(*one) + (size_t) one->n * sizeof(data_entry)) {
        strads_error("process %u sent entries cut short: the processes do not load alike", from);
        return STRADS_ERR_APP;
    }
    strads_status status = STRADS_OK;
    for (uint64_t i = 0; i < one->n && status == STRADS_OK; i++) {
        status = take(self, from, one->entries[i]);
    }
    *more |= one->more != 0;
    return status;
}

/* ---- rounds ---- */

/* Whether there is more for somebody. */
static bool fill_parcels(const swapping *self)
{
    bool more = false;
    for (uint32_t p = 0; p < self->count; p++) {
        parcel *to = self->out[p];
        for (to->n = 0; to->n < self->quota && p != self->me; to->n++) {
            if (!next_entry(self->it, &self->feeds[p], &to->entries[to->n])) {
                break;
            }
        }
        more |= to->n == self->quota;
        self->bytes[p] = sizeof(*to) + (size_t) to->n * sizeof(data_entry);
    }
    for (uint32_t p = 0; p < self->count; p++) {
        self->out[p]->more = more;
    }
    return more;
}

static strads_status swap_round(const swapping *self, bool *more)
{
    *more = fill_parcels(self);
    strads_status status = strads_part_swap(self->it->how->part, (const void *const *) self->out,
                                            self->bytes, self->in, self->bytes + self->count);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t p = 0; p < self->count; p++) {
        if (status == STRADS_OK) {
            status = take_parcel(self, p, more);
        }
        strads_free(self->in[p]);
        self->in[p] = NULL;
    }
    return status;
}

/* ---- putting together ---- */

/* Whether a, which is given twice, is before b, or b is none: its value is 0. */
static bool is_first(data_entry a, data_entry b)
{
    return b.value == 0.0 || a.col < b.col || (a.col == b.col && a.row < b.row);
}

/* Of all processes' entries that are given twice the first is said. */
static strads_status refuse_twice(const share_reading *it, data_entry mine)
{
    strads_part *part = it->how->part;
    data_entry *all = strads_alloc_array(strads_part_count(part), sizeof(*all));
    strads_status status =
        all == NULL ? STRADS_ERR_NOMEM : data_share_gather(part, &mine, sizeof(mine), all);
    data_entry first = {.value = 0.0};
    for (uint32_t p = 0; p < strads_part_count(part) && status == STRADS_OK; p++) {
        first = all[p].value != 0.0 && is_first(all[p], first) ? all[p] : first;
    }
    strads_free(all);
    if (status != STRADS_OK) {
        return status;
    }
    const bool says = first.value != 0.0 && strads_part_index(part) == 0;
    if (says) {
        strads_error("%s: the entry in row %zu, column %zu is given twice", it->how->source->path,
                     (size_t) first.row + 1, (size_t) first.col + 1);
    }
    return data_share_follow_first(part, says ? STRADS_ERR_DATA : STRADS_OK);
}

/* Makes the matrix of shard k; *twice: the first entry that is given twice, of these and *twice. */
static strads_status finish_shard(const swapping *self, size_t k, data_entry *twice)
{
    const share_reading *it = self->it;
    data_columns **columns = self->columns + k * self->count;
    const box of = self->shards[k];
    data_entry found;
    for (uint32_t p = 1; p < self->count; p++) {
        data_columns_join(columns[0], columns[p], 0);
        columns[p] = NULL;
    }
    data_columns_keep_twice(columns[0], &found);
    const strads_status status =
        data_columns_finish(columns[0], of.last_row - of.first_row, of.last_col - of.first_col,
                            it->dense, data_threads_of(it->how->source), &it->share->shards[k].x);
    found.row += of.first_row;
    found.col += of.first_col;
    if (found.value != 0.0 && is_first(found, *twice)) {
        *twice = found;
    }
    return status == STRADS_ERR_DATA ? STRADS_OK : status;
}

static strads_status put_together(const swapping *self)
{
    data_entry twice = {.value = 0.0};
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < self->it->share->n_shards && status == STRADS_OK; k++) {
        status = finish_shard(self, k, &twice);
    }
    return status == STRADS_OK && self->it->text.placed ? refuse_twice(self->it, twice) : status;
}

/* ---- the whole ---- */

static strads_status create_columns(const swapping *self)
{
    const size_t n = self->it->share->n_shards * self->count;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        const box of = self->shards[i / self->count];
        status = data_columns_create(&self->columns[i], self->it->how->source->path,
                                     of.last_col - of.first_col);
    }
    return status;
}

static strads_status init(swapping *self)
{
    const uint32_t count = self->count;
    self->feeds = strads_calloc(count, sizeof(*self->feeds));
    self->out = strads_calloc(count, sizeof(*self->out));
    self->in = strads_calloc(count, sizeof(*self->in));
    self->bytes = strads_calloc(2 * (size_t) count, sizeof(*self->bytes));
    self->columns = strads_calloc(self->it->share->n_shards, count * sizeof(*self->columns));
    self->shards = strads_calloc(self->it->share->n_shards, sizeof(*self->shards));
    if (self->shards == NULL || self->feeds == NULL || self->out == NULL || self->in == NULL ||
        self->bytes == NULL || self->columns == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t p = 0; p < count; p++) {
        const size_t n = p == self->me ? 0 : self->quota;
        self->out[p] = strads_alloc(sizeof(parcel) + n * sizeof(data_entry));
        if (self->out[p] == NULL) {
            return STRADS_ERR_NOMEM;
        }
        self->feeds[p].to = box_of_process(self->it, p);
        begin_range(self->it, &self->feeds[p]);
    }
    for (size_t k = 0; k < self->it->share->n_shards; k++) {
        self->shards[k] = box_of_shard(self->it, k);
    }
    return create_columns(self);
}

static void fini(swapping *self)
{
    const size_t n = self->it->share->n_shards * self->count;
    for (uint32_t p = 0; p < self->count && self->out != NULL; p++) {
        strads_free(self->out[p]);
    }
    for (size_t i = 0; i < n && self->columns != NULL; i++) {
        data_columns_destroy(self->columns[i]);
    }
    strads_free(self->columns);
    strads_free(self->bytes);
    strads_free(self->in);
    strads_free(self->out);
    strads_free(self->shards);
    strads_free(self->feeds);
}

strads_status share_swap(share_reading *it)
{
    const uint32_t count = strads_part_count(it->how->part);
    swapping self = {.it = it, .count = count, .me = strads_part_index(it->how->part)};
    self.quota = ROUND_ENTRIES / count;
    strads_status status = init(&self);
    if (status == STRADS_OK) {
        status = take_own(&self);
    }
    bool more = count > 1;
    while (more && status == STRADS_OK) {
        status = swap_round(&self, &more);
    }
    for (uint32_t k = 0; k < it->how->n_ranks; k++) {
        data_piece_fini(&it->ranges[k].piece);
    }
    if (status == STRADS_OK) {
        status = put_together(&self);
    }
    fini(&self);
    return status;
}

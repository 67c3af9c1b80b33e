/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/columns.c - entries in any order become a matrix by columns.
 *
 * Columns are cut into at most N_BUCKETS ranges of 2^shift columns. An entry is
 * appended to its bucket as the difference of row * 2^shift + column to the one
 * before (a varint, 1 to 3 bytes for row-by-row input) and 8 bytes of value. At
 * the end bucket after bucket is turned into its part of the result and its
 * pages go back to the system, so that the peak is the result and one bucket, not
 * twice the result. The range of a bucket doubles when a column comes that lies
 * beyond the last: the lists of neighbours are joined, and each chunk remembers
 * the range it was written with.
 */
#include "data/columns_parts.h"
#include "data/input.h"

#include <string.h>
#include <unistd.h>

/* ---- appending ---- */

/* Large chunks begin with a page, so that all of it can be given back. */
static size_t align_in_slab(const data_columns *columns, const slab *s, size_t n_bytes)
{
    const uintptr_t page = columns->page_bytes;
    const uintptr_t at = (uintptr_t) s + s->n_bytes;
    return n_bytes < page ? s->n_bytes : s->n_bytes + (size_t) (-at & (page - 1));
}

static void *take_from_slab(data_columns *columns, size_t n_bytes)
{
    slab *top = columns->slabs;
    if (top == NULL || align_in_slab(columns, top, n_bytes) + n_bytes > SLAB_BYTES) {
        top = strads_alloc(SLAB_BYTES);
        if (top == NULL) {
            return NULL;
        }
        *top = (slab){.next = columns->slabs, .n_bytes = sizeof(*top)};
        columns->slabs = top;
    }
    const size_t at = align_in_slab(columns, top, n_bytes);
    top->n_bytes = at + n_bytes;
    return (char *) top + at;
}

void columns_close_chunk(bucket *b)
{
    if (b->cursor != NULL) {
        b->last->n_bytes = (uint32_t) (b->cursor - b->last->bytes);
        b->cursor = b->limit = NULL;
    }
}

/* Chunks double, so that a bucket of few entries stays small. */
static strads_status open_chunk(data_columns *columns, bucket *b)
{
    columns_close_chunk(b);
    size_t n_bytes = b->last == NULL ? CHUNK_MIN_BYTES : 2 * (sizeof(chunk) + b->last->capacity);
    n_bytes = n_bytes < CHUNK_MAX_BYTES ? n_bytes : CHUNK_MAX_BYTES;
    chunk *fresh = take_from_slab(columns, n_bytes);
    if (fresh == NULL) {
        return data_no_memory(columns->path);
    }
    *fresh = (chunk){.first_col = (uint32_t) (b - columns->buckets) << columns->shift,
                     .shift = columns->shift,
                     .capacity = (uint32_t) (n_bytes - sizeof(chunk))};
    if (b->last == NULL) {
        b->first = fresh;
    } else {
        b->last->next = fresh;
    }
    b->last = fresh;
    b->cursor = fresh->bytes;
    b->limit = fresh->bytes + fresh->capacity;
    b->position = 0;
    return STRADS_OK;
}

/* Puts the chunks of `more`, which is closed, behind those of a bucket that is closed too. */
static void append_chunks(bucket *to, const bucket *more)
{
    if (to->last == NULL) {
        to->first = more->first;
    } else {
        to->last->next = more->first;
    }
    to->last = more->last != NULL ? more->last : to->last;
}

/* Doubles the range of a bucket. */
static void widen(data_columns *columns)
{
    bucket *buckets = columns->buckets;
    for (size_t i = 0; i < N_BUCKETS; i += 2) {
        columns_close_chunk(&buckets[i]);
        columns_close_chunk(&buckets[i + 1]);
        append_chunks(&buckets[i], &buckets[i + 1]);
        buckets[i / 2] = buckets[i];
    }
    memset(buckets + N_BUCKETS / 2, 0, N_BUCKETS / 2 * sizeof(*buckets));
    columns->shift++;
}

/* Doubles it until `col` lies in one. */
static void widen_for(data_columns *columns, uint32_t col)
{
    while (col >> columns->shift >= N_BUCKETS) {
        widen(columns);
    }
}

strads_status data_columns_create(data_columns **out, const char *path, size_t n_cols)
{
    data_columns *columns = strads_calloc(1, sizeof(*columns));
    if (columns == NULL) {
        return data_no_memory(path);
    }
    columns->path = path;
    columns->page_bytes = (size_t) sysconf(_SC_PAGESIZE);
    if (n_cols > 0) {
        widen_for(columns, (uint32_t) (n_cols - 1));
    }
    *out = columns;
    return STRADS_OK;
}

void columns_free_slabs(data_columns *columns)
{
    while (columns->slabs != NULL) {
        slab *next = columns->slabs->next;
        strads_free(columns->slabs);
        columns->slabs = next;
    }
}

void data_columns_destroy(data_columns *columns)
{
    if (columns != NULL) {
        columns_free_slabs(columns);
        strads_free(columns);
    }
}

strads_status data_columns_add(data_columns *columns, uint32_t row, uint32_t col, double value)
{
    if (value == 0.0) {
        return STRADS_OK;
    }
    if (__builtin_expect(col >> columns->shift >= N_BUCKETS, 0)) {
        widen_for(columns, col);
    }
    bucket *b = &columns->buckets[col >> columns->shift];
    if (__builtin_expect(b->limit - b->cursor < ENTRY_MAX_BYTES, 0)) {
        const strads_status status = open_chunk(columns, b);
        if (status != STRADS_OK) {
            return status;
        }
    }
    const uint64_t in_bucket = col & ((UINT32_C(1) << columns->shift) - 1);
    const uint64_t position = (uint64_t) row << columns->shift | in_bucket;
    const uint64_t step = position - b->position;
    uint64_t code = step << 1 ^ -(step >> 63); /* small for small steps of either sign */
    unsigned char *p = b->cursor;
    for (; code >= 128; code >>= 7) {
        *p++ = (unsigned char) (code | 128);
    }
    *p++ = (unsigned char) code;
    memcpy(p, &value, sizeof(value));
    b->cursor = p + sizeof(value);
    b->position = position;
    columns->n_entries++;
    return STRADS_OK;
}

void data_columns_join(data_columns *columns, data_columns *more, uint32_t first_row)
{
    while (columns->shift != more->shift) {
        widen(columns->shift < more->shift ? columns : more);
    }
    for (size_t i = 0; i < N_BUCKETS; i++) {
        columns_close_chunk(&columns->buckets[i]);
        columns_close_chunk(&more->buckets[i]);
        for (chunk *c = more->buckets[i].first; c != NULL; c = c->next) {
            c->first_row += first_row;
        }
        append_chunks(&columns->buckets[i], &more->buckets[i]);
    }
    slab **last = &columns->slabs;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = more->slabs;
    columns->n_entries += more->n_entries;
    more->slabs = NULL;
    data_columns_destroy(more);
}

bool data_columns_dense(size_t n_rows, size_t n_cols, size_t n_entries)
{
    return n_entries > n_rows * n_cols / 2;
}

/* Measured: an entry is held in at most 9.5 bytes when dense and 10 to 11 when
 * sparse, until its bucket is turned. */
size_t data_columns_peak_bytes(size_t n_rows, size_t n_cols, size_t n_entries)
{
    enum { FIXED_BYTES = DATA_INPUT_BYTES + 2 * SLAB_BYTES };
    if (data_columns_dense(n_rows, n_cols, n_entries)) {
        const size_t held = n_entries / 2 * 19;
        const size_t result = n_rows * n_cols * sizeof(double);
        return FIXED_BYTES + (held > result ? held : result);
    }
    const size_t n_buckets = n_cols < N_BUCKETS ? n_cols : N_BUCKETS;
    const size_t result = (n_cols + 1) * sizeof(int64_t) + n_entries * 12;
    return FIXED_BYTES + result + n_entries * 11 / n_buckets;
}

size_t data_columns_entries(const data_columns *columns)
{
    return columns->n_entries;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/columns_finish.c - bucket after bucket of entries becomes its part of a matrix.
 *
 * Threads take ranges of buckets: no two write to the same columns, so that the result does not
 * depend on how many there are.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "data/columns_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/tasks.h"
#include "data/input.h"

enum { THREAD_ENTRIES = 1 << 16 }; /* for which a thread is worth starting */

/* ---- reading back ---- */

/* Calls body(context, entry) for each entry of a bucket, in the order of adding
 * within a column. */
static void for_each(const bucket *b, void (*body)(void *context, data_entry e), void *context)
{
    for (const chunk *c = b->first; c != NULL; c = c->next) {
        uint64_t position = 0;
        const unsigned char *p = c->bytes;
        while (p < c->bytes + c->n_bytes) {
            body(context, columns_decode(c, &p, &position));
        }
    }
}

void data_columns_begin(data_columns_cursor *out, data_columns *columns, uint32_t first,
                        uint32_t last)
{
    for (size_t i = 0; i < N_BUCKETS; i++) {
        columns_close_chunk(&columns->buckets[i]);
    }
    const size_t begin = first >> columns->shift;
    const size_t end = last > 0 ? ((last - 1) >> columns->shift) + 1 : 0;
    *out = (data_columns_cursor){
        .bucket = columns->buckets + (begin < N_BUCKETS ? begin : N_BUCKETS),
        .last_bucket = columns->buckets + (end < N_BUCKETS ? end : N_BUCKETS)};
}

bool data_columns_next(data_columns_cursor *cursor, data_entry *out)
{
    while (cursor->chunk == NULL || cursor->at == cursor->chunk->bytes + cursor->chunk->n_bytes) {
        if (cursor->chunk != NULL) {
            cursor->chunk = cursor->chunk->next;
        }
        while (cursor->chunk == NULL) {
            if (cursor->bucket >= cursor->last_bucket) {
                return false;
            }
            cursor->chunk = cursor->bucket++->first;
        }
        cursor->at = cursor->chunk->bytes;
        cursor->position = 0;
    }
    *out = columns_decode(cursor->chunk, &cursor->at, &cursor->position);
    return true;
}

/* Gives the whole pages of a bucket's chunks back to the system. A refusal costs
 * memory only, so it is not looked at. */
static void release(const data_columns *columns, bucket *b)
{
    const uintptr_t page = columns->page_bytes;
    for (chunk *c = b->first; c != NULL;) {
        chunk *next = c->next;
        const uintptr_t begin = ((uintptr_t) c + page - 1) / page * page;
        const uintptr_t end = (uintptr_t) (c->bytes + c->capacity) / page * page;
        if (begin < end) {
            (void) madvise((char *) c + (begin - (uintptr_t) c), end - begin, MADV_DONTNEED);
        }
        c = next;
    }
    *b = (bucket){0};
}

void data_columns_keep_twice(data_columns *columns, data_entry *twice)
{
    *twice = (data_entry){.value = 0.0};
    columns->twice = twice;
}

static strads_status refuse_twice(const data_columns *columns, size_t row, size_t col)
{
    if (columns->twice != NULL) {
        *columns->twice = (data_entry){.row = (uint32_t) row, .col = (uint32_t) col, .value = 1.0};
        return STRADS_ERR_DATA;
    }
    strads_error("%s: the entry in row %zu, column %zu is given twice", columns->path, row + 1,
                 col + 1);
    return STRADS_ERR_DATA;
}

/* A matrix that is made, by several threads. */
typedef struct making {
    data_columns *columns;
    data_matrix *matrix;
    uint32_t n_threads;
    data_entry
        twice[N_BUCKETS]; /* dense: one that was there already; its value is 0 where none was */
} making;

/* How many columns lie before bucket b, which may be one behind the last. */
static size_t columns_before(const making *it, size_t b)
{
    const size_t n = b << it->columns->shift;
    return n < it->matrix->n_cols ? n : it->matrix->n_cols;
}

static strads_status for_buckets(making *it, strads_status (*body)(void *, size_t, size_t))
{
    return strads_parallel_for(it->n_threads, N_BUCKETS, body, it);
}

/* ---- sparse ---- */

static void count_entry(void *context, data_entry e)
{
    data_matrix *m = context;
    m->col_start[(size_t) e.col + 1]++;
}

static strads_status count_buckets(void *context, size_t first, size_t last)
{
    making *it = context;
    for (size_t b = first; b < last; b++) {
        for_each(&it->columns->buckets[b], count_entry, it->matrix);
    }
    return STRADS_OK;
}

/* While a bucket is filled, col_start[j] is where column j goes on. */
static void place_entry(void *context, data_entry e)
{
    data_matrix *m = context;
    const int64_t at = m->col_start[e.col]++;
    m->row[at] = e.row;
    m->value[at] = e.value;
}

static int by_row(const void *a, const void *b)
{
    const data_entry *left = a;
    const data_entry *right = b;
    return (left->row > right->row) - (left->row < right->row);
}

static strads_status sort_column(data_matrix *m, int64_t begin, int64_t end)
{
    const size_t n = (size_t) (end - begin);
    data_entry *entries = strads_alloc_array(n, sizeof(*entries));
    if (entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        entries[i] = (data_entry){.row = m->row[begin + (int64_t) i],
                                  .value = m->value[begin + (int64_t) i]};
    }
    qsort(entries, n, sizeof(*entries), by_row);
    for (size_t i = 0; i < n; i++) {
        m->row[begin + (int64_t) i] = entries[i].row;
        m->value[begin + (int64_t) i] = entries[i].value;
    }
    strads_free(entries);
    return STRADS_OK;
}

static bool ascends(const uint32_t *row, int64_t begin, int64_t end)
{
    for (int64_t i = begin + 1; i < end; i++) {
        if (row[i - 1] >= row[i]) {
            return false;
        }
    }
    return true;
}

/* DATA, which is not said: an entry is there twice. */
static strads_status order_column(data_matrix *m, int64_t begin, int64_t end)
{
    if (ascends(m->row, begin, end)) {
        return STRADS_OK;
    }
    const strads_status status = sort_column(m, begin, end);
    return status == STRADS_OK && !ascends(m->row, begin, end) ? STRADS_ERR_DATA : status;
}

/* Fills the columns of bucket b; col_start[j] is where column j begins, before and after. */
static strads_status place_bucket(making *it, size_t b)
{
    data_matrix *m = it->matrix;
    const size_t first = columns_before(it, b);
    const size_t last = columns_before(it, b + 1);
    if (first == last) {
        return STRADS_OK;
    }
    const int64_t begin = m->col_start[first];
    for_each(&it->columns->buckets[b], place_entry, m);
    release(it->columns, &it->columns->buckets[b]);
    int64_t end = m->col_start[last - 1];
    for (size_t j = last - 1; j > first; j--) {
        m->col_start[j] = m->col_start[j - 1];
    }
    m->col_start[first] = begin;
    strads_status status = STRADS_OK;
    for (size_t j = last; j-- > first && status != STRADS_ERR_NOMEM;) {
        const strads_status one = order_column(m, m->col_start[j], end);
        status = one != STRADS_OK ? one : status; /* all are in order for who looks for the first */
        end = m->col_start[j];
    }
    return status;
}

static strads_status place_buckets(void *context, size_t first, size_t last)
{
    strads_status status = STRADS_OK;
    for (size_t b = first; b < last && status == STRADS_OK; b++) {
        status = place_bucket(context, b);
    }
    return status;
}

/* Says which entry is there twice: one is, in the first bucket that failed or before it. */
static strads_status find_twice(const making *it)
{
    const data_matrix *m = it->matrix;
    for (size_t j = 0; j < m->n_cols; j++) {
        const int64_t end = m->col_start[j + 1];
        for (int64_t i = m->col_start[j] + 1; i < end; i++) {
            if (m->row[i - 1] == m->row[i]) {
                return refuse_twice(it->columns, m->row[i], j);
            }
        }
    }
    return STRADS_ERR_DATA;
}

static strads_status make_sparse(making *it)
{
    data_matrix *m = it->matrix;
    const size_t n_entries = it->columns->n_entries;
    m->col_start = strads_calloc(m->n_cols + 1, sizeof(*m->col_start));
    m->row = strads_alloc_array(n_entries, sizeof(*m->row));
    m->value = strads_alloc_array(n_entries, sizeof(*m->value));
    if (m->col_start == NULL || m->row == NULL || m->value == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = for_buckets(it, count_buckets);
    for (size_t j = 0; j < m->n_cols; j++) {
        m->col_start[j + 1] += m->col_start[j];
    }
    if (status == STRADS_OK) {
        status = for_buckets(it, place_buckets);
    }
    return status == STRADS_ERR_DATA ? find_twice(it) : status;
}

/* ---- dense ---- */

typedef struct dense_fill {
    data_matrix *matrix;
    data_entry *twice;
} dense_fill;

static bool is_before(data_entry a, data_entry b)
{
    return a.col < b.col || (a.col == b.col && a.row < b.row);
}

static void place_dense(void *context, data_entry e)
{
    dense_fill *fill = context;
    double *slot = &fill->matrix->value[e.col * fill->matrix->n_rows + e.row];
    if (*slot != 0.0 && (fill->twice->value == 0.0 || is_before(e, *fill->twice))) {
        *fill->twice = e;
    }
    *slot = e.value;
}

static strads_status fill_buckets(void *context, size_t first, size_t last)
{
    making *it = context;
    for (size_t b = first; b < last; b++) {
        dense_fill fill = {.matrix = it->matrix, .twice = &it->twice[b]};
        for_each(&it->columns->buckets[b], place_dense, &fill);
        release(it->columns, &it->columns->buckets[b]);
    }
    return STRADS_OK;
}

static strads_status make_dense(making *it)
{
    data_matrix *m = it->matrix;
    m->value = strads_calloc(m->n_cols, m->n_rows * sizeof(*m->value));
    if (m->value == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = for_buckets(it, fill_buckets);
    for (size_t b = 0; b < N_BUCKETS && status == STRADS_OK; b++) {
        if (it->twice[b].value != 0.0) {
            return refuse_twice(it->columns, it->twice[b].row, it->twice[b].col);
        }
    }
    return status;
}

/* ---- both ---- */

strads_status data_columns_finish(data_columns *columns, size_t n_rows, size_t n_cols, bool dense,
                                  uint32_t n_threads, data_matrix *out)
{
    assert(n_rows < UINT32_MAX && n_cols <= UINT32_MAX && n_threads > 0);
    const size_t most = columns->n_entries / THREAD_ENTRIES + 1;
    data_matrix matrix = {.n_rows = n_rows, .n_cols = n_cols};
    making it = {.columns = columns,
                 .matrix = &matrix,
                 .n_threads = most < n_threads ? (uint32_t) most : n_threads};
    for (size_t i = 0; i < N_BUCKETS; i++) {
        columns_close_chunk(&columns->buckets[i]);
    }
    const strads_status status = dense ? make_dense(&it) : make_sparse(&it);
    columns_free_slabs(columns);
    memset(columns->buckets, 0, sizeof(columns->buckets));
    columns->n_entries = 0;
    if (status != STRADS_OK) {
        data_matrix_fini(&matrix);
        return status == STRADS_ERR_NOMEM ? data_no_memory(columns->path) : status;
    }
    *out = matrix;
    return STRADS_OK;
}

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
#define _DEFAULT_SOURCE /* madvise */
#include "data/columns.h"
#include "data/input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    N_BUCKETS = 512,
    CHUNK_MIN_BYTES = 64,
    CHUNK_MAX_BYTES = 1 << 16,
    SLAB_BYTES = 1 << 22,
    VARINT_MAX_BYTES = 9, /* 63 bits: a row of 32 bits, a column of 23, a sign */
    ENTRY_MAX_BYTES = VARINT_MAX_BYTES + 8
};

/* A run of entries, decoded without any other. */
typedef struct chunk {
    struct chunk *next;
    uint32_t first_col;
    uint32_t shift;
    uint32_t n_bytes; /* in use; set when the chunk is closed */
    uint32_t capacity;
    unsigned char bytes[];
} chunk;

typedef struct bucket {
    unsigned char *cursor, *limit; /* of the open chunk, the last; NULL: none is open */
    uint64_t position;             /* of the entry before in the open chunk */
    chunk *first, *last;
} bucket;

/* Chunks are cut from slabs, so that their pages lie together and can be given
 * back whatever the allocator keeps for itself. */
typedef struct slab {
    struct slab *next;
    size_t n_bytes; /* handed out, this header included */
} slab;

struct data_columns {
    const char *path;
    size_t n_entries;
    uint32_t shift;
    size_t page_bytes;
    slab *slabs;
    bucket buckets[N_BUCKETS];
};

typedef struct entry {
    uint32_t row;
    uint32_t col;
    double value;
} entry;

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

static void close_chunk(bucket *b)
{
    if (b->cursor != NULL) {
        b->last->n_bytes = (uint32_t) (b->cursor - b->last->bytes);
        b->cursor = b->limit = NULL;
    }
}

/* Chunks double, so that a bucket of few entries stays small. */
static strads_status open_chunk(data_columns *columns, bucket *b)
{
    close_chunk(b);
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

/* Doubles the range of a bucket until `col` lies in one. */
static void widen(data_columns *columns, uint32_t col)
{
    for (; col >> columns->shift >= N_BUCKETS; columns->shift++) {
        for (size_t i = 0; i < N_BUCKETS; i += 2) {
            bucket left = columns->buckets[i];
            bucket right = columns->buckets[i + 1];
            close_chunk(&left);
            close_chunk(&right);
            if (left.last != NULL) {
                left.last->next = right.first;
            }
            columns->buckets[i / 2] =
                (bucket){.first = left.first != NULL ? left.first : right.first,
                         .last = right.last != NULL ? right.last : left.last};
        }
        memset(columns->buckets + N_BUCKETS / 2, 0, N_BUCKETS / 2 * sizeof(bucket));
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
        widen(columns, (uint32_t) (n_cols - 1));
    }
    *out = columns;
    return STRADS_OK;
}

static void free_slabs(data_columns *columns)
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
        free_slabs(columns);
        strads_free(columns);
    }
}

strads_status data_columns_add(data_columns *columns, uint32_t row, uint32_t col, double value)
{
    if (value == 0.0) {
        return STRADS_OK;
    }
    if (__builtin_expect(col >> columns->shift >= N_BUCKETS, 0)) {
        widen(columns, col);
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

/* ---- reading back ---- */

/* Calls body(context, entry) for each entry of a bucket, in the order of adding
 * within a column. */
static void for_each(const bucket *b, void (*body)(void *context, entry e), void *context)
{
    for (const chunk *c = b->first; c != NULL; c = c->next) {
        const uint64_t mask = (UINT64_C(1) << c->shift) - 1;
        uint64_t position = 0;
        const unsigned char *p = c->bytes;
        while (p < c->bytes + c->n_bytes) {
            uint64_t code = 0;
            unsigned at = 0;
            for (; *p >= 128; p++, at += 7) {
                code |= (uint64_t) (*p & 127) << at;
            }
            code |= (uint64_t) *p++ << at;
            position += code >> 1 ^ -(code & 1);
            entry e = {.row = (uint32_t) (position >> c->shift),
                       .col = c->first_col + (uint32_t) (position & mask)};
            memcpy(&e.value, p, sizeof(e.value));
            p += sizeof(e.value);
            body(context, e);
        }
    }
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

static strads_status refuse_twice(const data_columns *columns, size_t row, size_t col)
{
    strads_error("%s: the entry in row %zu, column %zu is given twice", columns->path, row + 1,
                 col + 1);
    return STRADS_ERR_DATA;
}

/* ---- sparse ---- */

static void count_entry(void *context, entry e)
{
    data_matrix *m = context;
    m->col_start[(size_t) e.col + 1]++;
}

/* While a bucket is filled, col_start[j] is where column j goes on. */
static void place_entry(void *context, entry e)
{
    data_matrix *m = context;
    const int64_t at = m->col_start[e.col]++;
    m->row[at] = e.row;
    m->value[at] = e.value;
}

static int by_row(const void *a, const void *b)
{
    const entry *left = a;
    const entry *right = b;
    return (left->row > right->row) - (left->row < right->row);
}

static strads_status sort_column(const data_columns *columns, data_matrix *m, size_t col)
{
    const size_t begin = (size_t) m->col_start[col];
    const size_t n = (size_t) m->col_start[col + 1] - begin;
    entry *entries = strads_alloc_array(n, sizeof(*entries));
    if (entries == NULL) {
        return data_no_memory(columns->path);
    }
    for (size_t i = 0; i < n; i++) {
        entries[i] = (entry){.row = m->row[begin + i], .value = m->value[begin + i]};
    }
    qsort(entries, n, sizeof(*entries), by_row);
    for (size_t i = 0; i < n; i++) {
        m->row[begin + i] = entries[i].row;
        m->value[begin + i] = entries[i].value;
    }
    strads_free(entries);
    return STRADS_OK;
}

static bool is_sorted(const uint32_t *row, int64_t begin, int64_t end)
{
    for (int64_t i = begin + 1; i < end; i++) {
        if (row[i - 1] > row[i]) {
            return false;
        }
    }
    return true;
}

static strads_status order_column(const data_columns *columns, data_matrix *m, size_t col)
{
    const int64_t begin = m->col_start[col];
    const int64_t end = m->col_start[col + 1];
    if (!is_sorted(m->row, begin, end)) {
        const strads_status status = sort_column(columns, m, col);
        if (status != STRADS_OK) {
            return status;
        }
    }
    for (int64_t i = begin + 1; i < end; i++) {
        if (m->row[i - 1] == m->row[i]) {
            return refuse_twice(columns, m->row[i], col);
        }
    }
    return STRADS_OK;
}

/* Makes columns first .. last-1 from bucket b; col_start[first] is known. */
static strads_status make_sparse_part(data_columns *columns, bucket *b, data_matrix *m,
                                      size_t first, size_t last)
{
    const int64_t begin = m->col_start[first];
    for_each(b, count_entry, m);
    for (size_t j = first; j < last; j++) {
        m->col_start[j + 1] += m->col_start[j];
    }
    for_each(b, place_entry, m);
    release(columns, b);
    for (size_t j = last; j-- > first + 1;) {
        m->col_start[j] = m->col_start[j - 1];
    }
    m->col_start[first] = begin;
    for (size_t j = first; j < last; j++) {
        const strads_status status = order_column(columns, m, j);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return STRADS_OK;
}

static strads_status make_sparse(data_columns *columns, data_matrix *m)
{
    m->col_start = strads_calloc(m->n_cols + 1, sizeof(*m->col_start));
    m->row = strads_alloc_array(columns->n_entries, sizeof(*m->row));
    m->value = strads_alloc_array(columns->n_entries, sizeof(*m->value));
    if (m->col_start == NULL || m->row == NULL || m->value == NULL) {
        return data_no_memory(columns->path);
    }
    const size_t width = (size_t) 1 << columns->shift;
    strads_status status = STRADS_OK;
    for (size_t first = 0; first < m->n_cols && status == STRADS_OK; first += width) {
        const size_t last = m->n_cols - first < width ? m->n_cols : first + width;
        bucket none = {0};
        bucket *b = first >> columns->shift < N_BUCKETS ? &columns->buckets[first >> columns->shift]
                                                        : &none; /* columns beyond the last entry */
        status = make_sparse_part(columns, b, m, first, last);
    }
    return status;
}

/* ---- dense ---- */

typedef struct dense_fill {
    data_matrix *matrix;
    bool twice; /* an entry was there already, at row, col */
    uint32_t row, col;
} dense_fill;

static void place_dense(void *context, entry e)
{
    dense_fill *fill = context;
    double *slot = &fill->matrix->value[e.col * fill->matrix->n_rows + e.row];
    if (*slot != 0.0 && !fill->twice) {
        fill->twice = true;
        fill->row = e.row;
        fill->col = e.col;
    }
    *slot = e.value;
}

static strads_status make_dense(data_columns *columns, data_matrix *m)
{
    m->value = strads_calloc(m->n_cols, m->n_rows * sizeof(*m->value));
    if (m->value == NULL) {
        return data_no_memory(columns->path);
    }
    dense_fill fill = {.matrix = m};
    for (size_t i = 0; i < N_BUCKETS; i++) {
        for_each(&columns->buckets[i], place_dense, &fill);
        release(columns, &columns->buckets[i]);
    }
    return fill.twice ? refuse_twice(columns, fill.row, fill.col) : STRADS_OK;
}

/* ---- both ---- */

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

strads_status data_columns_finish(data_columns *columns, size_t n_rows, size_t n_cols, bool dense,
                                  data_matrix *out)
{
    assert(n_rows < UINT32_MAX && n_cols > 0 && n_cols <= UINT32_MAX);
    for (size_t i = 0; i < N_BUCKETS; i++) {
        close_chunk(&columns->buckets[i]);
    }
    data_matrix matrix = {.n_rows = n_rows, .n_cols = n_cols};
    const strads_status status =
        dense ? make_dense(columns, &matrix) : make_sparse(columns, &matrix);
    free_slabs(columns);
    memset(columns->buckets, 0, sizeof(columns->buckets));
    columns->n_entries = 0;
    if (status != STRADS_OK) {
        data_matrix_fini(&matrix);
        return status;
    }
    *out = matrix;
    return STRADS_OK;
}

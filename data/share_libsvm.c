/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/share_libsvm.c - a share of a libsvm file: every process reads a range of its
 * lines, and all agree on the width and on whether the whole is dense.
 *
 * By rows a range a worker is its shard. By columns a range a process is cut by columns
 * and swapped; what a process gets, put together in order of the senders, is in order of
 * rows. Values are doubles until all is there.
 */
#include "data/matrix.h"
#include "data/shares.h"

#include <string.h>

/* What a process has read, for all others to know. */
typedef struct facts {
    uint64_t n_bytes; /* of the file */
    uint64_t n_rows, n_entries, max_index;
} facts;

typedef struct reading {
    data_share *share;
    const data_sharing *how;
    data_piece *pieces; /* [share->n_shards] */
    facts *facts;       /* [count] of every process */
    facts all;
    bool dense;
} reading;

/* ---- ranges of lines ---- */

static strads_status read_piece(data_piece *piece, const data_sharing *how, uint64_t begin,
                                uint64_t end)
{
    data_input input;
    strads_status status = data_input_open_range(&input, how->source->path, begin, end);
    if (status == STRADS_OK) {
        status = data_libsvm_read_piece(piece, &input, how->source, false);
        data_input_close(&input);
    }
    return status;
}

/* One a shard: a worker's lines, or by columns those of all workers of the process. */
static strads_status read_pieces(reading *it, uint64_t n_bytes)
{
    const data_sharing *how = it->how;
    const uint32_t step = how->split == DATA_BY_ROWS ? 1 : how->n_ranks;
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < it->share->n_shards && status == STRADS_OK; k++) {
        const uint32_t rank = how->first_rank + k * step;
        status = read_piece(&it->pieces[k], how, strads_part_start(how->part, n_bytes, rank),
                            strads_part_start(how->part, n_bytes, rank + step));
    }
    return status;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Tells all what was read here, and hears the same of them. */
static strads_status gather_facts(reading *it, uint64_t n_bytes)
{
    facts mine = {.n_bytes = n_bytes};
    for (size_t k = 0; k < it->share->n_shards; k++) {
        mine.n_rows += it->pieces[k].n_rows;
        mine.n_entries += it->pieces[k].n_entries;
        mine.max_index = larger(mine.max_index, it->pieces[k].max_index);
    }
    const uint32_t count = strads_part_count(it->how->part);
    it->facts = strads_alloc_array(count, sizeof(*it->facts));
    void **all = strads_calloc(count, sizeof(*all));
    size_t *bytes = strads_calloc(count, sizeof(*bytes));
    strads_status status = it->facts == NULL || all == NULL || bytes == NULL
                               ? STRADS_ERR_NOMEM
                               : strads_part_gather(it->how->part, &mine, sizeof(mine), all, bytes);
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        it->facts[i] = *(const facts *) all[i];
        it->all.n_rows += it->facts[i].n_rows;
        it->all.n_entries += it->facts[i].n_entries;
        it->all.max_index = larger(it->all.max_index, it->facts[i].max_index);
        strads_free(all[i]);
    }
    strads_free(bytes);
    strads_free(all);
    return status;
}

/* What all processes decide alike. What is wrong with a file that they share the first one says;
 * that they have different ones, which are on different machines, everybody does. */
static strads_status agree(reading *it)
{
    const char *path = it->how->source->path;
    const bool first = strads_part_index(it->how->part) == 0;
    size_t n_cols = it->how->source->n_cols;
    for (uint32_t i = 1; i < strads_part_count(it->how->part); i++) {
        if (it->facts[i].n_bytes != it->facts[0].n_bytes) {
            strads_error("%s: has %llu bytes in process 0 and %llu in process %u: expected the "
                         "same file everywhere",
                         path, (unsigned long long) it->facts[0].n_bytes,
                         (unsigned long long) it->facts[i].n_bytes, i);
            return STRADS_ERR_DATA;
        }
    }
    if (it->all.n_rows >= UINT32_MAX) {
        if (first) {
            strads_error("%s: more than %u rows", path, UINT32_MAX - 1);
        }
        return STRADS_ERR_DATA;
    }
    if (!first && (it->all.n_rows == 0 || (n_cols == 0 && it->all.max_index == 0))) {
        return STRADS_ERR_DATA;
    }
    const strads_status status =
        data_libsvm_width(path, it->all.n_rows, it->all.max_index, &n_cols);
    it->share->n_rows = it->all.n_rows;
    it->share->n_cols = n_cols;
    it->dense =
        status == STRADS_OK && data_columns_dense(it->all.n_rows, n_cols, it->all.n_entries);
    return status;
}

static strads_status finish_pieces(reading *it)
{
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < it->share->n_shards && status == STRADS_OK; k++) {
        status = data_piece_finish(&it->pieces[k], it->share->n_cols, it->dense,
                                   data_threads_of(it->how->source), &it->share->shards[k]);
    }
    return status;
}

/* ---- entries by column ---- */

/* Whole numbers that are exact as doubles: their sum is in any order the same. */
static strads_status count_entries(reading *it)
{
    data_share *share = it->share;
    double *counts = strads_calloc(share->n_cols, sizeof(*counts));
    share->entries = strads_alloc_array(share->n_cols, sizeof(*share->entries));
    if (counts == NULL || share->entries == NULL) {
        strads_free(counts);
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < share->n_shards && !it->dense; k++) {
        const int64_t *start = share->shards[k].x.col_start;
        for (size_t j = 0; j < share->n_cols; j++) {
            counts[j] += (double) (start[j + 1] - start[j]);
        }
    }
    const strads_status status =
        it->dense ? STRADS_OK : strads_part_sum(it->how->part, counts, 1, share->n_cols);
    for (size_t j = 0; j < share->n_cols; j++) {
        share->entries[j] = it->dense ? (uint32_t) share->n_rows : (uint32_t) counts[j];
    }
    strads_free(counts);
    return status;
}

/* ---- rows become columns ---- */

/* What one process sends another: the lengths of the columns (sparse), their values one after
 * another, and the rows of these (sparse), from 0 in the sender's. */
static size_t parcel_bytes(const reading *it, size_t n_cols, size_t n_values)
{
    return it->dense
               ? n_values * sizeof(double)
               : (n_cols + n_cols % 2 + n_values) * sizeof(uint32_t) + n_values * sizeof(double);
}

typedef struct parcel {
    uint32_t *lengths; /* [n_cols] */
    double *values;
    uint32_t *rows;
} parcel;

static parcel parcel_in(void *memory, const reading *it, size_t n_cols, size_t n_values)
{
    if (it->dense) {
        return (parcel){.values = memory};
    }
    uint32_t *lengths = memory;
    double *values = (double *) (lengths + n_cols + n_cols % 2);
    return (parcel){.lengths = lengths, .values = values, .rows = (uint32_t *) (values + n_values)};
}

/* Columns first .. last-1 of what was read here. */
static strads_status pack(const reading *it, size_t first, size_t last, void **out, size_t *bytes)
{
    const data_matrix *x = &it->share->shards[0].x;
    const size_t n_cols = last - first;
    const size_t begin = it->dense ? first * x->n_rows : (size_t) x->col_start[first];
    const size_t n = (it->dense ? last * x->n_rows : (size_t) x->col_start[last]) - begin;
    *bytes = parcel_bytes(it, n_cols, n);
    *out = strads_alloc(*bytes);
    if (*out == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const parcel to = parcel_in(*out, it, n_cols, n);
    if (n > 0) {
        memcpy(to.values, x->value + begin, n * sizeof(*x->value));
    }
    if (it->dense) {
        return STRADS_OK;
    }
    for (size_t j = 0; j < n_cols; j++) {
        to.lengths[j] = (uint32_t) (x->col_start[first + j + 1] - x->col_start[first + j]);
    }
    if (n > 0) {
        memcpy(to.rows, x->row + begin, n * sizeof(*x->row));
    }
    return STRADS_OK;
}

static strads_status create_columns(const reading *it, size_t first, size_t n_cols,
                                    data_matrix *out)
{
    const uint32_t *entries = it->share->entries + first;
    data_matrix x = {.n_rows = it->share->n_rows, .n_cols = n_cols};
    size_t n = 0;
    for (size_t j = 0; j < n_cols; j++) {
        n += entries[j];
    }
    x.value = strads_alloc_array(n, sizeof(*x.value));
    x.row = it->dense ? NULL : strads_alloc_array(n, sizeof(*x.row));
    x.col_start = it->dense ? NULL : strads_alloc_array(n_cols + 1, sizeof(*x.col_start));
    if (x.value == NULL || (!it->dense && (x.row == NULL || x.col_start == NULL))) {
        data_matrix_fini(&x);
        return STRADS_ERR_NOMEM;
    }
    int64_t at = 0;
    for (size_t j = 0; j <= n_cols && !it->dense; j++) {
        x.col_start[j] = at;
        at += j < n_cols ? entries[j] : 0;
    }
    *out = x;
    return STRADS_OK;
}

/* Puts one sender's rows, which begin at first_row, behind those that are there: col_start[j]
 * is where column j goes on. */
static void unpack(const reading *it, void *memory, size_t n_values, size_t first_row,
                   data_matrix *x)
{
    const parcel from = parcel_in(memory, it, x->n_cols, n_values);
    size_t at = 0;
    for (size_t j = 0; j < x->n_cols; j++) {
        const size_t n = it->dense ? n_values / x->n_cols : from.lengths[j];
        const size_t to = it->dense ? j * x->n_rows + first_row : (size_t) x->col_start[j];
        if (n > 0) {
            memcpy(x->value + to, from.values + at, n * sizeof(*x->value));
        }
        for (size_t i = 0; i < n && !it->dense; i++) {
            x->row[to + i] = from.rows[at + i] + (uint32_t) first_row;
        }
        if (!it->dense) {
            x->col_start[j] += (int64_t) n;
        }
        at += n;
    }
}

static size_t values_in(const reading *it, size_t n_cols, size_t bytes)
{
    return it->dense ? bytes / sizeof(double)
                     : (bytes - parcel_bytes(it, n_cols, 0)) / (sizeof(uint32_t) + sizeof(double));
}

/* Makes the columns first .. last-1 of what came, and frees it. */
static strads_status put_together(reading *it, void **in, const size_t *bytes, size_t first,
                                  size_t last)
{
    const uint32_t count = strads_part_count(it->how->part);
    data_matrix x;
    const strads_status status = create_columns(it, first, last - first, &x);
    size_t first_row = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (status == STRADS_OK) {
            unpack(it, in[i], values_in(it, last - first, bytes[i]), first_row, &x);
        }
        first_row += it->facts[i].n_rows;
        strads_free(in[i]);
    }
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t j = x.n_cols; !it->dense && j > 0; j--) {
        x.col_start[j] = x.col_start[j - 1];
    }
    if (!it->dense) {
        x.col_start[0] = 0;
    }
    it->share->shards[0].x = x;
    return STRADS_OK;
}

/* The columns of process `index`. */
static void columns_of(const reading *it, uint32_t index, size_t *first, size_t *last)
{
    *first = it->share->firsts[strads_part_rank(it->how->part, index)];
    *last = it->share->firsts[strads_part_rank(it->how->part, index + 1)];
}

static strads_status swap_columns(reading *it)
{
    strads_part *part = it->how->part;
    const uint32_t count = strads_part_count(part);
    void **out = strads_calloc(count, sizeof(*out));
    void **in = strads_calloc(count, sizeof(*in));
    size_t *bytes = strads_calloc(2 * (size_t) count, sizeof(*bytes)); /* out, then in */
    strads_status status =
        out == NULL || in == NULL || bytes == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    size_t first = 0;
    size_t last = 0;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        columns_of(it, i, &first, &last);
        status = pack(it, first, last, &out[i], &bytes[i]);
    }
    if (status == STRADS_OK) {
        data_matrix_fini(&it->share->shards[0].x);
        status = strads_part_swap(part, (const void *const *) out, bytes, in, bytes + count);
    }
    for (uint32_t i = 0; i < count && out != NULL; i++) {
        strads_free(out[i]);
    }
    if (status == STRADS_OK) {
        columns_of(it, strads_part_index(part), &first, &last);
        status = put_together(it, in, bytes + count, first, last);
    }
    strads_free(bytes);
    strads_free(in);
    strads_free(out);
    return status;
}

/* Puts the targets of all processes one after another. */
static strads_status gather_targets(reading *it)
{
    strads_part *part = it->how->part;
    const uint32_t count = strads_part_count(part);
    data_regression *shard = &it->share->shards[0];
    const size_t mine = it->facts[strads_part_index(part)].n_rows * sizeof(double);
    double *y = strads_alloc_array(it->share->n_rows, sizeof(*y));
    void **all = strads_calloc(count, sizeof(*all));
    size_t *bytes = strads_calloc(count, sizeof(*bytes));
    strads_status status = y == NULL || all == NULL || bytes == NULL
                               ? STRADS_ERR_NOMEM
                               : strads_part_gather(part, shard->y, mine, all, bytes);
    size_t at = 0;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        if (bytes[i] > 0) {
            memcpy(y + at, all[i], bytes[i]);
        }
        at += bytes[i] / sizeof(*y);
        strads_free(all[i]);
    }
    strads_free(bytes);
    strads_free(all);
    if (status != STRADS_OK) {
        strads_free(y);
        return status;
    }
    strads_free(shard->y);
    shard->y = y;
    return STRADS_OK;
}

static strads_status turn_to_columns(reading *it)
{
    data_share *share = it->share;
    strads_status status =
        data_share_cut(&share->firsts, share->entries, share->n_cols, it->how->n_workers);
    if (status == STRADS_OK) {
        status = gather_targets(it);
    }
    return status == STRADS_OK ? swap_columns(it) : status;
}

/* ---- */

strads_status data_share_libsvm(data_share *out, const data_sharing *how, uint64_t n_bytes)
{
    reading it = {.share = out, .how = how};
    it.pieces = strads_calloc(out->n_shards, sizeof(*it.pieces));
    strads_status status = it.pieces == NULL ? STRADS_ERR_NOMEM : read_pieces(&it, n_bytes);
    if (status == STRADS_OK) {
        status = gather_facts(&it, n_bytes);
    }
    if (status == STRADS_OK) {
        status = agree(&it);
    }
    if (status == STRADS_OK) {
        status = finish_pieces(&it);
    }
    if (status == STRADS_OK) {
        status = count_entries(&it);
    }
    if (status == STRADS_OK && how->split == DATA_BY_COLUMNS) {
        status = turn_to_columns(&it);
    }
    for (size_t k = 0; k < out->n_shards && status == STRADS_OK; k++) {
        data_matrix_narrow(&out->shards[k].x, how->source->precision);
    }
    for (size_t k = 0; k < out->n_shards && it.pieces != NULL; k++) {
        data_piece_fini(&it.pieces[k]);
    }
    strads_free(it.pieces);
    strads_free(it.facts);
    return status;
}

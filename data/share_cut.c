/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share_cut.c - where a matrix is cut for workers, and the share of one that is whole. */
#include <string.h>

#include "data/matrix.h"
#include "data/shares.h"

strads_status data_share_cut(uint32_t **out, const uint32_t *entries, size_t n_cols,
                             uint32_t n_workers)
{
    uint32_t *firsts = strads_calloc(n_workers + 1, sizeof(*firsts));
    if (firsts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    double total = (double) n_cols;
    for (size_t j = 0; j < n_cols; j++) {
        total += entries[j];
    }
    double before = 0.0;
    uint32_t k = 1;
    for (size_t j = 0; j < n_cols; j++) {
        while (k < n_workers && before >= total * k / n_workers) {
            firsts[k++] = (uint32_t) j;
        }
        before += entries[j] + 1.0;
    }
    while (k <= n_workers) {
        firsts[k++] = (uint32_t) n_cols;
    }
    *out = firsts;
    return STRADS_OK;
}

strads_status data_share_copy(void *out, const void *from, size_t n, size_t bytes)
{
    void *copy = strads_alloc_array(n, bytes);
    if (copy == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (n > 0) {
        memcpy(copy, from, n * bytes);
    }
    memcpy(out, &copy, sizeof(copy));
    return STRADS_OK;
}

/* n values from `first` on; out has none yet. */
static strads_status copy_values(data_matrix *out, const data_matrix *x, size_t first, size_t n)
{
    const bool narrow = x->narrow != NULL;
    return data_share_copy(narrow ? (void *) &out->narrow : (void *) &out->value,
                           data_values_from(x, first), n, data_value_bytes(narrow));
}

/* Columns first .. first+n-1 of a matrix. */
static strads_status slice_columns(data_matrix *out, const data_matrix *x, size_t first, size_t n)
{
    data_matrix slice = {.n_rows = x->n_rows, .n_cols = n};
    if (x->col_start == NULL) {
        const strads_status status = copy_values(&slice, x, first * x->n_rows, n * x->n_rows);
        *out = slice;
        return status;
    }
    const int64_t begin = x->col_start[first];
    const size_t n_entries = (size_t) (x->col_start[first + n] - begin);
    strads_status status =
        data_share_copy(&slice.col_start, x->col_start + first, n + 1, sizeof(*x->col_start));
    if (status == STRADS_OK) {
        status = data_share_copy(&slice.row, x->row + begin, n_entries, sizeof(*x->row));
    }
    if (status == STRADS_OK) {
        status = copy_values(&slice, x, (size_t) begin, n_entries);
    }
    if (status != STRADS_OK) {
        data_matrix_fini(&slice);
        return status;
    }
    for (size_t j = 0; j <= n; j++) {
        slice.col_start[j] -= begin;
    }
    *out = slice;
    return STRADS_OK;
}

static strads_status slice_dense_rows(data_matrix *out, const data_matrix *x, size_t first,
                                      size_t n)
{
    data_matrix slice = {.n_rows = n, .n_cols = x->n_cols};
    const bool narrow = x->narrow != NULL;
    if (data_values_alloc(&slice, n * x->n_cols, narrow) != STRADS_OK) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t j = 0; j < x->n_cols && n > 0; j++) {
        memcpy(data_values_from(&slice, j * n), data_values_from(x, j * x->n_rows + first),
               n * data_value_bytes(narrow));
    }
    *out = slice;
    return STRADS_OK;
}

static bool is_within(uint32_t row, size_t first, size_t n)
{
    return row >= first && row - first < n;
}

static void put_value(const data_matrix *to, size_t at, const data_matrix *from, size_t k)
{
    if (to->narrow != NULL) {
        to->narrow[at] = from->narrow[k];
    } else {
        to->value[at] = from->value[k];
    }
}

/* Rows first .. first+n-1 of a matrix. */
static strads_status slice_rows(data_matrix *out, const data_matrix *x, size_t first, size_t n)
{
    if (x->col_start == NULL) {
        return slice_dense_rows(out, x, first, n);
    }
    const size_t n_all = data_matrix_entries(x);
    size_t n_entries = 0;
    for (size_t k = 0; k < n_all; k++) {
        n_entries += is_within(x->row[k], first, n);
    }
    data_matrix slice = {.n_rows = n, .n_cols = x->n_cols};
    slice.col_start = strads_alloc_array(x->n_cols + 1, sizeof(*slice.col_start));
    slice.row = strads_alloc_array(n_entries, sizeof(*slice.row));
    if (slice.col_start == NULL || slice.row == NULL ||
        data_values_alloc(&slice, n_entries, x->narrow != NULL) != STRADS_OK) {
        data_matrix_fini(&slice);
        return STRADS_ERR_NOMEM;
    }
    size_t to = 0;
    for (size_t j = 0; j < x->n_cols; j++) {
        slice.col_start[j] = (int64_t) to;
        const size_t end = (size_t) x->col_start[j + 1];
        for (size_t k = (size_t) x->col_start[j]; k < end; k++) {
            if (is_within(x->row[k], first, n)) {
                slice.row[to] = x->row[k] - (uint32_t) first;
                put_value(&slice, to++, x, k);
            }
        }
    }
    slice.col_start[x->n_cols] = (int64_t) to;
    *out = slice;
    return STRADS_OK;
}

/* ---- all of it ---- */

/* What is known of all of a matrix before it is cut. */
static strads_status describe_whole(data_share *share, const data_sharing *how,
                                    const data_matrix *x)
{
    share->n_rows = x->n_rows;
    share->n_cols = x->n_cols;
    share->entries = strads_alloc_array(x->n_cols, sizeof(*share->entries));
    if (share->entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t j = 0; j < x->n_cols; j++) {
        share->entries[j] = x->col_start == NULL
                                ? (uint32_t) x->n_rows
                                : (uint32_t) (x->col_start[j + 1] - x->col_start[j]);
    }
    return how->split == DATA_BY_COLUMNS
               ? data_share_cut(&share->firsts, share->entries, x->n_cols, how->n_workers)
               : STRADS_OK;
}

static strads_status cut_rows(data_share *share, const data_sharing *how,
                              const data_regression *whole)
{
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < how->n_ranks && status == STRADS_OK; k++) {
        const uint32_t rank = how->first_rank + k;
        const size_t first = strads_part_start(how->part, share->n_rows, rank);
        const size_t n = strads_part_start(how->part, share->n_rows, rank + 1) - first;
        status = slice_rows(&share->shards[k].x, &whole->x, first, n);
        if (status == STRADS_OK && whole->y != NULL) {
            status = data_share_copy(&share->shards[k].y, whole->y + first, n, sizeof(double));
        }
    }
    return status;
}

static strads_status cut_columns(data_share *share, const data_sharing *how, data_regression *whole)
{
    const uint32_t first = share->firsts[how->first_rank];
    const uint32_t last = share->firsts[how->first_rank + how->n_ranks];
    strads_status status = STRADS_OK;
    if (last - first == share->n_cols) {
        share->shards[0].x = whole->x;
        whole->x = (data_matrix){.n_rows = 0};
    } else {
        status = slice_columns(&share->shards[0].x, &whole->x, first, last - first);
    }
    share->shards[0].y = whole->y;
    whole->y = NULL;
    return status;
}

strads_status data_share_cut_whole(data_share *share, const data_sharing *how,
                                   data_regression *whole)
{
    strads_status status = describe_whole(share, how, &whole->x);
    if (status == STRADS_OK) {
        share->names = whole->names;
        whole->names = NULL;
        status = how->split == DATA_BY_ROWS ? cut_rows(share, how, whole)
                                            : cut_columns(share, how, whole);
    }
    data_regression_fini(whole);
    return status == STRADS_ERR_NOMEM ? data_no_memory(how->source->path) : status;
}

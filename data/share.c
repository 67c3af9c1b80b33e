/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share.c - a process's share of a source that several processes read. */
#include "data/matrix.h"
#include "data/regression_cache.h"
#include "data/shares.h"

#include <assert.h>
#include <string.h>

/* ---- cutting ---- */

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

static strads_status copy_array(void *out, const void *from, size_t n, size_t bytes)
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
    return copy_array(narrow ? (void *) &out->narrow : (void *) &out->value,
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
        copy_array(&slice.col_start, x->col_start + first, n + 1, sizeof(*x->col_start));
    if (status == STRADS_OK) {
        status = copy_array(&slice.row, x->row + begin, n_entries, sizeof(*x->row));
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

/* ---- sources that all processes read whole ---- */

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
            status = copy_array(&share->shards[k].y, whole->y + first, n, sizeof(double));
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

/* Keeps the share of a source that is whole, which it takes. */
static strads_status cut_whole(data_share *share, const data_sharing *how, data_regression *whole)
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

static strads_status read_whole(data_share *share, const data_sharing *how)
{
    data_regression whole;
    const strads_status status = data_regression_read(&whole, how->source);
    return status == STRADS_OK ? cut_whole(share, how, &whole) : status;
}

/* ---- .npy: each process reads what it keeps ---- */

static strads_status describe_npy(data_share *share, const data_sharing *how)
{
    share->entries = strads_alloc_array(share->n_cols, sizeof(*share->entries));
    if (share->entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t j = 0; j < share->n_cols; j++) {
        share->entries[j] = (uint32_t) share->n_rows;
    }
    return how->split == DATA_BY_COLUMNS
               ? data_share_cut(&share->firsts, share->entries, share->n_cols, how->n_workers)
               : STRADS_OK;
}

/* What worker number k of the process keeps; by columns k is 0 and stands for all of them. */
static data_box box_of(const data_share *share, const data_sharing *how, uint32_t k)
{
    data_box box = {.n_rows = share->n_rows, .n_cols = share->n_cols};
    const uint32_t rank = how->first_rank + k;
    if (how->split == DATA_BY_ROWS) {
        box.first_row = strads_part_start(how->part, share->n_rows, rank);
        box.n_rows = strads_part_start(how->part, share->n_rows, rank + 1) - box.first_row;
    } else {
        box.first_col = share->firsts[rank];
        box.n_cols = share->firsts[rank + how->n_ranks] - box.first_col;
    }
    return box;
}

static strads_status read_boxes(data_share *share, const data_sharing *how)
{
    data_box *boxes = strads_alloc_array(share->n_shards, sizeof(*boxes));
    data_matrix *matrices = strads_alloc_array(share->n_shards, sizeof(*matrices));
    data_input input;
    strads_status status = boxes == NULL || matrices == NULL
                               ? data_no_memory(how->source->path)
                               : data_input_open(&input, how->source->path);
    if (status == STRADS_OK) {
        for (uint32_t k = 0; k < share->n_shards; k++) {
            boxes[k] = box_of(share, how, k);
        }
        status =
            data_npy_read_boxes(matrices, boxes, share->n_shards, &input, how->source->precision);
        data_input_close(&input);
    }
    for (size_t k = 0; k < share->n_shards && status == STRADS_OK; k++) {
        share->shards[k].x = matrices[k];
    }
    strads_free(matrices);
    strads_free(boxes);
    return status;
}

static strads_status read_npy(data_share *share, const data_sharing *how, data_input *input)
{
    strads_status status =
        data_npy_shape(&share->n_rows, &share->n_cols, input, how->source->n_cols);
    if (status == STRADS_OK) {
        status = describe_npy(share, how);
    }
    return status == STRADS_OK ? read_boxes(share, how) : status;
}

/* ---- the target of a file of its own ---- */

/* The row of the source that is the first of this process's, which follow those of the
 * processes before. */
static strads_status find_first_row(const data_share *share, const data_sharing *how, size_t *first)
{
    uint64_t n_mine = 0;
    for (size_t k = 0; k < share->n_shards; k++) {
        n_mine += share->shards[k].x.n_rows;
    }
    const uint32_t count = strads_part_count(how->part);
    void **all = strads_calloc(count, sizeof(*all));
    size_t *bytes = strads_calloc(count, sizeof(*bytes));
    strads_status status = all == NULL || bytes == NULL
                               ? STRADS_ERR_NOMEM
                               : strads_part_gather(how->part, &n_mine, sizeof(n_mine), all, bytes);
    size_t before = 0;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        before += i < strads_part_index(how->part) ? *(const uint64_t *) all[i] : 0;
        strads_free(all[i]);
    }
    strads_free(bytes);
    strads_free(all);
    if (status == STRADS_OK) {
        *first = before;
    }
    return status;
}

static strads_status share_target(data_share *share, const data_sharing *how)
{
    double *y = NULL;
    size_t first = 0;
    strads_status status = data_target_of(&y, how->source, share->n_rows);
    if (status == STRADS_OK && how->split == DATA_BY_ROWS) {
        status = find_first_row(share, how, &first);
    }
    for (size_t k = 0; k < share->n_shards && status == STRADS_OK; k++) {
        data_regression *shard = &share->shards[k];
        strads_free(shard->y);
        shard->y = NULL;
        status = copy_array(&shard->y, y + first, shard->x.n_rows, sizeof(*y));
        first += shard->x.n_rows;
    }
    strads_free(y);
    return status;
}

/* ---- caches ---- */

/* Whether all processes have a cache of the same. */
static strads_status agree_on_cache(bool *same, const data_sharing *how, uint64_t checksum)
{
    const uint32_t count = strads_part_count(how->part);
    void **all = strads_calloc(count, sizeof(*all));
    size_t *bytes = strads_calloc(count, sizeof(*bytes));
    const strads_status status =
        all == NULL || bytes == NULL
            ? STRADS_ERR_NOMEM
            : strads_part_gather(how->part, &checksum, sizeof(checksum), all, bytes);
    *same = checksum != 0;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        *same = *same && memcmp(all[i], &checksum, sizeof(checksum)) == 0;
        strads_free(all[i]);
    }
    strads_free(bytes);
    strads_free(all);
    return status == STRADS_ERR_NOMEM ? data_no_memory(how->source->path) : status;
}

/* Maps the cache of a source that is read in parts, if all processes have it; whole->x is empty
 * where they have not. */
static strads_status map_whole(data_regression *whole, const data_sharing *how)
{
    const data_source *source = how->source;
    data_regression found = {.y = NULL};
    char *cache = NULL;
    uint64_t key = 0;
    uint64_t checksum = 0;
    bool same = false;
    *whole = found;
    if (source->cache == NULL) {
        return STRADS_OK;
    }
    strads_status status = regression_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    if (cache == NULL ||
        !regression_cache_load(&found, &checksum, cache, key, data_threads_of(source))) {
        checksum = 0;
    }
    strads_free(cache);
    status = agree_on_cache(&same, how, checksum);
    if (status == STRADS_OK && same && source->y_path != NULL) {
        strads_free(found.y);
        found.y = NULL;
        status = data_target_of(&found.y, source, found.x.n_rows);
    }
    if (status == STRADS_OK && !same && strads_part_index(how->part) == 0) {
        strads_info("%s: is read in parts: there is no cache that all processes have, and a run "
                    "that partitions the data makes none",
                    source->path);
    }
    if (status != STRADS_OK || !same) {
        data_regression_fini(&found);
    }
    *whole = found;
    return status;
}

/* ---- */

bool data_is_read_whole(data_format format, const data_input *input, uint64_t *n_bytes)
{
    return !data_input_has_ranges(input, n_bytes) || format == DATA_MATRIX_MARKET ||
           format == DATA_CSV;
}

/* Reads a source of which each process can read its part. */
static strads_status read_parts(data_share *share, const data_sharing *how, data_format format,
                                uint64_t n_bytes)
{
    strads_status status = STRADS_OK;
    if (format == DATA_LIBSVM) {
        status = data_share_libsvm(share, how, n_bytes);
    } else {
        data_input input;
        status = data_input_open(&input, how->source->path);
        if (status == STRADS_OK) {
            status = read_npy(share, how, &input);
            data_input_close(&input);
        }
    }
    return status == STRADS_OK && how->source->y_path != NULL ? share_target(share, how) : status;
}

/* Reads a source from its cache, or in parts, or whole. */
static strads_status read_any(data_share *share, const data_sharing *how)
{
    data_input input;
    data_regression cached;
    uint64_t n_bytes = 0;
    strads_status status = data_input_open(&input, how->source->path);
    if (status != STRADS_OK) {
        return status;
    }
    const data_format format = data_format_of(how->source, &input);
    const bool whole = data_is_read_whole(format, &input, &n_bytes) ||
                       (strads_part_count(how->part) == 1 && how->split == DATA_BY_COLUMNS);
    data_input_close(&input);
    if (whole) {
        return read_whole(share, how);
    }
    status = map_whole(&cached, how);
    if (status != STRADS_OK) {
        return status;
    }
    return cached.x.n_rows > 0 ? cut_whole(share, how, &cached)
                               : read_parts(share, how, format, n_bytes);
}

strads_status data_share_read(data_share *out, const data_source *source, data_split split,
                              strads_part *part)
{
    const uint32_t index = strads_part_index(part);
    const data_sharing how = {.source = source,
                              .split = split,
                              .part = part,
                              .first_rank = strads_part_rank(part, index),
                              .n_ranks =
                                  strads_part_rank(part, index + 1) - strads_part_rank(part, index),
                              .n_workers = strads_part_rank(part, strads_part_count(part))};
    assert(source->n_cols <= UINT32_MAX && how.n_ranks > 0);
    data_share share = {.n_shards = split == DATA_BY_ROWS ? how.n_ranks : 1};
    share.shards = strads_calloc(share.n_shards, sizeof(*share.shards));
    const strads_status status =
        share.shards == NULL ? data_no_memory(source->path) : read_any(&share, &how);
    if (status != STRADS_OK) {
        data_share_fini(&share);
        return status;
    }
    *out = share;
    return STRADS_OK;
}

void data_share_fini(data_share *share)
{
    for (size_t k = 0; k < share->n_shards && share->shards != NULL; k++) {
        data_regression_fini(&share->shards[k]);
    }
    strads_free(share->shards);
    data_names_free(share->names, share->n_cols);
    strads_free(share->entries);
    strads_free(share->firsts);
    *share = (data_share){.n_shards = 0};
}

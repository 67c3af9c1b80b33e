/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/pieces.c - threads read ranges of a text, cut at line ends, into pieces; the pieces are
 * joined in their order, so that the result does not depend on how many there are.
 */
#include <string.h>

#include "base/tasks.h"
#include "data/matrix.h"
#include "data/readers.h"

/* HELD_BYTES, measured: what a thread more holds beside its entries. */
enum { MIN_PIECE_BYTES = 1 << 20, HELD_BYTES = 5 << 20 };

/* A range of a file, and what was read of it. */
typedef struct range {
    data_piece piece;
    strads_status status;
    char fault[DATA_FAULT_BYTES]; /* what is wrong, not said yet; "": what is, was said */
} range;

typedef struct reading {
    const char *path;
    data_piece_reader read;
    const void *context;
    bool counts_only;
    uint64_t begin, end;
    range *ranges;
    size_t n_ranges;
} reading;

uint32_t data_threads_of(const data_source *source)
{
    return source->n_threads > 0 ? source->n_threads : strads_cores();
}

void data_piece_fini(data_piece *piece)
{
    data_columns_destroy(piece->columns);
    strads_free(piece->y);
    *piece = (data_piece){.n_rows = 0};
}

/* ---- reading ---- */

static uint64_t cut_at(const reading *it, size_t i)
{
    const uint64_t n = it->end - it->begin;
    return it->begin + n / it->n_ranges * i + n % it->n_ranges * i / it->n_ranges;
}

static void read_range(const reading *it, size_t i)
{
    range *to = &it->ranges[i];
    data_input input;
    to->status = data_input_open_range(&input, it->path, cut_at(it, i), cut_at(it, i + 1));
    if (to->status == STRADS_OK) {
        input.fault = to->fault;
        to->status = it->read(&to->piece, &input, it->context, it->counts_only);
        data_input_close(&input);
    }
}

static strads_status read_ranges(void *context, size_t first, size_t last)
{
    const reading *it = context;
    for (size_t i = first; i < last; i++) {
        read_range(it, i);
    }
    return STRADS_OK;
}

/* Says the first thing that is wrong. */
static strads_status check_ranges(const reading *it)
{
    for (size_t i = 0; i < it->n_ranges; i++) {
        const range *at = &it->ranges[i];
        if (at->status == STRADS_ERR_DATA && at->fault[0] != '\0') {
            strads_error("%s", at->fault);
        }
        if (at->status != STRADS_OK) {
            return at->status;
        }
    }
    return STRADS_OK;
}

/* ---- joining ---- */

static strads_status join_targets(data_piece *all, range *ranges, size_t n, size_t n_rows)
{
    double *y = strads_realloc(all->y, n_rows * sizeof(*y));
    if (y == NULL) {
        return STRADS_ERR_NOMEM;
    }
    all->y = y;
    size_t at = all->n_rows;
    for (size_t i = 1; i < n; i++) {
        const data_piece *piece = &ranges[i].piece;
        if (piece->n_rows > 0) {
            memcpy(y + at, piece->y, piece->n_rows * sizeof(*y));
        }
        at += piece->n_rows;
    }
    return STRADS_OK;
}

/* Moves all pieces into the first. */
static strads_status join_ranges(const reading *it)
{
    data_piece *all = &it->ranges[0].piece;
    size_t n_rows = 0;
    bool has_y = false;
    for (size_t i = 0; i < it->n_ranges; i++) {
        n_rows += it->ranges[i].piece.n_rows;
        has_y |= it->ranges[i].piece.y != NULL;
    }
    if (n_rows >= UINT32_MAX) {
        strads_error("%s: more than %u rows", it->path, UINT32_MAX - 1);
        return STRADS_ERR_DATA;
    }
    if (has_y && join_targets(all, it->ranges, it->n_ranges, n_rows) != STRADS_OK) {
        return data_no_memory(it->path);
    }
    for (size_t i = 1; i < it->n_ranges; i++) {
        data_piece *piece = &it->ranges[i].piece;
        if (!it->counts_only) {
            data_columns_join(all->columns, piece->columns, (uint32_t) all->n_rows);
            piece->columns = NULL;
        }
        all->n_joined++;
        all->n_rows += piece->n_rows;
        all->n_entries += piece->n_entries;
        all->wide |= piece->wide;
        all->max_index = all->max_index > piece->max_index ? all->max_index : piece->max_index;
    }
    return STRADS_OK;
}

/* ---- the whole ---- */

static size_t count_ranges(const data_source *source, uint64_t n_bytes)
{
    const uint64_t most = n_bytes / MIN_PIECE_BYTES + 1;
    const uint32_t n_threads = data_threads_of(source);
    return source->n_threads == 0 && most < n_threads ? (size_t) most : n_threads;
}

strads_status data_pieces_read(data_piece *out, data_input *input, const data_source *source,
                               data_piece_reader read, const void *context, bool counts_only)
{
    reading it = {
        .path = input->path, .read = read, .context = context, .counts_only = counts_only};
    it.begin = data_input_offset(input);
    if (data_input_has_ranges(input, &it.end) && it.end > it.begin) {
        it.n_ranges = count_ranges(source, it.end - it.begin);
    }
    if (it.n_ranges < 2) {
        return read(out, input, context, counts_only);
    }
    it.ranges = strads_calloc(it.n_ranges, sizeof(*it.ranges));
    if (it.ranges == NULL) {
        return data_no_memory(it.path);
    }
    strads_status status =
        strads_parallel_for((uint32_t) it.n_ranges, it.n_ranges, read_ranges, &it);
    if (status == STRADS_OK) {
        status = check_ranges(&it);
    }
    if (status == STRADS_OK) {
        status = join_ranges(&it);
    }
    if (status == STRADS_OK) {
        *out = it.ranges[0].piece;
        it.ranges[0].piece = (data_piece){.n_rows = 0};
    }
    for (size_t i = 0; i < it.n_ranges; i++) {
        data_piece_fini(&it.ranges[i].piece);
    }
    strads_free(it.ranges);
    return status;
}

strads_status data_piece_finish(data_piece *piece, size_t n_cols, bool dense, uint32_t n_threads,
                                data_regression *out)
{
    data_regression result = {.y = NULL};
    const strads_status status =
        data_columns_finish(piece->columns, piece->n_rows, n_cols, dense, n_threads, &result.x);
    if (status == STRADS_OK) {
        result.y = piece->y;
        piece->y = NULL;
        *out = result;
    }
    data_piece_fini(piece);
    return status;
}

data_size data_piece_size(const data_piece *piece, size_t n_cols, data_precision precision)
{
    const size_t n_rows = piece->n_rows;
    const bool dense = data_columns_dense(n_rows, n_cols, piece->n_entries);
    return (data_size){.n_rows = n_rows,
                       .n_cols = n_cols,
                       .n_entries = piece->n_entries,
                       .dense = dense,
                       .narrow = data_is_narrow(precision, dense, !piece->wide),
                       .peak_bytes = data_columns_peak_bytes(n_rows, n_cols, piece->n_entries) +
                                     piece->n_joined * HELD_BYTES};
}

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

typedef struct reading {
    const data_lines *lines;
    const uint64_t *cuts;
    data_range *ranges;
} reading;

static void read_range(const reading *it, data_input *input, size_t i)
{
    data_range *to = &it->ranges[i];
    input->fault = to->fault;
    to->status = it->lines->read(&to->piece, input, it->lines->context, it->lines->counts_only);
    if (to->status == STRADS_ERR_DATA) {
        to->line = data_input_line_number(input);
    }
}

/* One behind the other, until something is wrong. */
static strads_status read_ranges(void *context, size_t first, size_t last)
{
    const reading *it = context;
    data_input input;
    it->ranges[first].status =
        data_input_open_range(&input, it->lines->path, it->cuts[first], it->cuts[first + 1]);
    if (it->ranges[first].status != STRADS_OK) {
        return STRADS_OK;
    }
    read_range(it, &input, first);
    for (size_t i = first + 1; i < last && it->ranges[i - 1].status == STRADS_OK; i++) {
        data_input_next_range(&input, it->cuts[i + 1]);
        read_range(it, &input, i);
    }
    data_input_close(&input);
    return STRADS_OK;
}

strads_status data_ranges_read(data_range *ranges, size_t n, const uint64_t *cuts,
                               const data_lines *lines, uint32_t n_threads)
{
    reading it = {.lines = lines, .cuts = cuts, .ranges = ranges};
    return strads_parallel_for(n_threads, n, read_ranges, &it);
}

const data_range *data_ranges_failed(const data_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].status != STRADS_OK) {
            return &ranges[i];
        }
    }
    return NULL;
}

/* ---- joining ---- */

static strads_status join_targets(data_piece *all, data_range *ranges, size_t n, size_t n_rows)
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
static strads_status join_ranges(data_range *ranges, size_t n, const data_lines *lines)
{
    data_piece *all = &ranges[0].piece;
    size_t n_rows = 0;
    bool has_y = false;
    for (size_t i = 0; i < n; i++) {
        n_rows += ranges[i].piece.n_rows;
        has_y |= ranges[i].piece.y != NULL;
    }
    if (n_rows >= UINT32_MAX) {
        strads_error("%s: more than %u rows", lines->path, UINT32_MAX - 1);
        return STRADS_ERR_DATA;
    }
    if (has_y && join_targets(all, ranges, n, n_rows) != STRADS_OK) {
        return data_no_memory(lines->path);
    }
    for (size_t i = 1; i < n; i++) {
        data_piece *piece = &ranges[i].piece;
        if (!lines->counts_only) {
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

static strads_status read_and_join(data_piece *out, data_range *ranges, size_t n,
                                   const uint64_t *cuts, const data_lines *lines)
{
    strads_status status = data_ranges_read(ranges, n, cuts, lines, (uint32_t) n);
    const data_range *failed = data_ranges_failed(ranges, n);
    if (status == STRADS_OK && failed != NULL) {
        if (failed->status == STRADS_ERR_DATA && failed->fault[0] != '\0') {
            strads_error("%s", failed->fault);
        }
        status = failed->status;
    }
    if (status == STRADS_OK) {
        status = join_ranges(ranges, n, lines);
    }
    if (status == STRADS_OK) {
        *out = ranges[0].piece;
        ranges[0].piece = (data_piece){.n_rows = 0};
    }
    for (size_t i = 0; i < n; i++) {
        data_piece_fini(&ranges[i].piece);
    }
    return status;
}

strads_status data_pieces_read(data_piece *out, data_input *input, const data_source *source,
                               data_piece_reader read, const void *context, bool counts_only)
{
    const data_lines lines = {
        .path = input->path, .read = read, .context = context, .counts_only = counts_only};
    const uint64_t begin = data_input_offset(input);
    uint64_t end = 0;
    size_t n = 0;
    if (data_input_has_ranges(input, &end) && end > begin) {
        n = count_ranges(source, end - begin);
    }
    if (n < 2) {
        return read(out, input, context, counts_only);
    }
    data_range *ranges = strads_calloc(n, sizeof(*ranges));
    uint64_t *cuts = strads_alloc_array(n + 1, sizeof(*cuts));
    strads_status status = STRADS_ERR_NOMEM;
    if (ranges == NULL || cuts == NULL) {
        status = data_no_memory(input->path);
    } else {
        for (size_t i = 0; i <= n; i++) {
            cuts[i] = begin + (end - begin) / n * i + (end - begin) % n * i / n;
        }
        status = read_and_join(out, ranges, n, cuts, &lines);
    }
    strads_free(cuts);
    strads_free(ranges);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/npy_boxes.c - parts of a .npy matrix: from their places in a file, or, where it is
 * compressed, out of the stream of all its values. */
#include <assert.h>

#include "data/matrix.h"
#include "data/npy_parts.h"

/* Goes to a value; in a stream it is none before the next one. */
static strads_status go_to(npy *file, uint64_t value)
{
    const size_t item_bytes = data_value_bytes(file->is_float);
    if (!file->in_place && value > file->n_read) {
        const uint64_t n = (value - file->n_read) * item_bytes;
        uint64_t n_skipped = 0;
        const strads_status status = data_input_skip(file->input, n, &n_skipped);
        if (status != STRADS_OK || n_skipped < n) {
            return status == STRADS_OK
                       ? npy_refuse_short(file, file->n_read + n_skipped / item_bytes)
                       : status;
        }
    }
    assert(file->in_place || value >= file->n_read);
    file->n_read = value;
    return STRADS_OK;
}

/* Reads a box of a file whose values stand by lines of `width`, n lines from `first` on, of
 * each `length` values from `from` on; lines[n][length]. */
static strads_status read_lines(npy *file, uint64_t width, const data_box *lines, void *out)
{
    const bool whole = lines->n_cols == width;
    const size_t n_runs = whole ? 1 : lines->n_rows;
    const size_t length = whole ? lines->n_rows * lines->n_cols : lines->n_cols;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n_runs && status == STRADS_OK; i++) {
        status = go_to(file, (lines->first_row + i) * width + lines->first_col);
        if (status == STRADS_OK) {
            status = npy_read_values(
                file, (char *) out + i * length * data_value_bytes(file->narrow), length);
        }
    }
    return status;
}

/* n columns of a box from `first` on, of a file whose lines are columns. */
static strads_status read_columns(npy *file, const data_box *box, const data_matrix *to,
                                  size_t first, size_t n)
{
    const data_box lines = {.first_row = box->first_col + first,
                            .n_rows = n,
                            .first_col = box->first_row,
                            .n_cols = box->n_rows};
    return read_lines(file, file->shape[0], &lines, data_values_from(to, first * box->n_rows));
}

/* Boxes of such a file, in the order of what stands in it. */
static strads_status read_boxes_by_columns(npy *file, const data_box *boxes, size_t n,
                                           const data_matrix *to)
{
    const size_t n_cols = boxes[0].n_cols;
    if (n == 1) {
        return read_columns(file, boxes, to, 0, n_cols);
    }
    strads_status status = STRADS_OK;
    for (size_t j = 0; j < n_cols && status == STRADS_OK; j++) {
        for (size_t k = 0; k < n && status == STRADS_OK; k++) {
            status = read_columns(file, &boxes[k], &to[k], j, 1);
        }
    }
    return status;
}

/* A box of a file whose lines are rows. */
static strads_status read_box_by_rows(npy *file, const data_box *box, const data_matrix *to)
{
    const size_t block = box->n_cols == 0 ? 0 : npy_rows_a_block(box->n_rows, box->n_cols);
    void *rows = strads_alloc_array(block * box->n_cols, data_value_bytes(file->narrow));
    if (rows == NULL) {
        return data_no_memory(file->input->path);
    }
    strads_status status = STRADS_OK;
    for (size_t first = 0; block > 0 && first < box->n_rows && status == STRADS_OK;
         first += block) {
        data_box some = *box;
        some.first_row += first;
        some.n_rows = box->n_rows - first < block ? box->n_rows - first : block;
        status = read_lines(file, file->shape[1], &some, rows);
        if (status == STRADS_OK) {
            npy_turn_rows(to, first, rows, some.n_rows);
        }
    }
    strads_free(rows);
    return status;
}

static strads_status read_boxes(npy *file, const data_box *boxes, size_t n, const data_matrix *to)
{
    if (file->fortran) {
        return read_boxes_by_columns(file, boxes, n, to);
    }
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < n && status == STRADS_OK; k++) {
        status = read_box_by_rows(file, &boxes[k], &to[k]);
    }
    return status;
}

/* Boxes are of a header that was read before: the file may be another one by now. */
static strads_status check_boxes(const npy *file, const data_box *boxes, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (boxes[k].first_row + boxes[k].n_rows > file->shape[0] ||
            boxes[k].first_col + boxes[k].n_cols > file->shape[1]) {
            strads_error("%s: has changed while it was read", file->input->path);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* Whether the file, of so many bytes, is as long as its header says. */
static strads_status check_length(const npy *file, uint64_t bytes)
{
    const size_t item_bytes = data_value_bytes(file->is_float);
    const uint64_t n = file->shape[0] * file->shape[1];
    if (bytes == file->values_at + n * item_bytes) {
        return STRADS_OK;
    }
    if (bytes > file->values_at + n * item_bytes) {
        return npy_refuse_rest(file->input);
    }
    return npy_refuse_short(file,
                            bytes > file->values_at ? (bytes - file->values_at) / item_bytes : 0);
}

strads_status data_npy_read_boxes(data_matrix *out, const data_box *boxes, size_t n,
                                  data_input *input, data_precision precision)
{
    npy file;
    size_t n_made = 0;
    uint64_t bytes = 0;
    strads_status status = npy_read_header(&file, input);
    if (status == STRADS_OK) {
        status = check_boxes(&file, boxes, n);
    }
    if (status == STRADS_OK) {
        file.in_place = data_input_has_ranges(input, &bytes);
        file.narrow = data_is_narrow(precision, true, file.is_float);
        status = file.in_place ? check_length(&file, bytes) : STRADS_OK;
    }
    for (; n_made < n && status == STRADS_OK; n_made++) {
        const data_box *box = &boxes[n_made];
        out[n_made] = (data_matrix){.n_rows = box->n_rows, .n_cols = box->n_cols};
        if (data_values_alloc(&out[n_made], box->n_rows * box->n_cols, file.narrow) != STRADS_OK) {
            status = data_no_memory(input->path);
        }
    }
    if (status == STRADS_OK) {
        status = read_boxes(&file, boxes, n, out);
    }
    if (status == STRADS_OK && !file.in_place) {
        status = go_to(&file, file.shape[0] * file.shape[1]);
        status = status == STRADS_OK ? npy_expect_end(input) : status;
    }
    for (size_t k = 0; k < n_made && status != STRADS_OK; k++) {
        data_matrix_fini(&out[k]);
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share_npy.c - a share of a .npy file: each process reads what it keeps. */
#include "data/shares.h"

static strads_status describe(data_share *share, const data_sharing *how)
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

static strads_status read_input(data_share *share, const data_sharing *how, data_input *input)
{
    strads_status status =
        data_npy_shape(&share->n_rows, &share->n_cols, input, how->source->n_cols);
    if (status == STRADS_OK) {
        status = describe(share, how);
    }
    return status == STRADS_OK ? read_boxes(share, how) : status;
}

strads_status data_share_npy(data_share *out, const data_sharing *how)
{
    data_input input;
    strads_status status = data_input_open(&input, how->source->path);
    if (status == STRADS_OK) {
        status = read_input(out, how, &input);
        data_input_close(&input);
    }
    return status;
}

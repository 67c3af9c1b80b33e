/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/readers.h - the readers of each format, over an opened input.
 *
 * `n_cols` is what data_source.n_cols says. A measure fills all but
 * `bytes`, with the target left out of peak_bytes; for Matrix Market n_entries is
 * what the header states, before zeros are dropped.
 */
#ifndef STRADS_DATA_READERS_H
#define STRADS_DATA_READERS_H

#include "data/data.h"
#include "data/input.h"

STRADS_MUST_CHECK strads_status data_libsvm_read(data_regression *out, data_input *input,
                                                 size_t n_cols);
STRADS_MUST_CHECK strads_status data_libsvm_measure(data_size *out, data_input *input,
                                                    size_t n_cols);

STRADS_MUST_CHECK strads_status data_matrix_market_read(data_matrix *out, data_input *input,
                                                        size_t n_cols);
STRADS_MUST_CHECK strads_status data_matrix_market_measure(data_size *out, data_input *input,
                                                           size_t n_cols);

STRADS_MUST_CHECK strads_status data_npy_read_matrix(data_matrix *out, data_input *input,
                                                     size_t n_cols);
STRADS_MUST_CHECK strads_status data_npy_measure(data_size *out, data_input *input, size_t n_cols);

/* A vector: one dimension, or n x 1. */
STRADS_MUST_CHECK strads_status data_npy_read_vector(double **out, size_t *n, data_input *input);

/* The target file of a source, in any format of data_source.y_path. */
STRADS_MUST_CHECK strads_status data_target_read(double **out, size_t *n, const char *path);

/* What a file that states its size must say: n_rows and n_cols in range, and
 * n_cols as `wanted` unless that is 0. */
STRADS_MUST_CHECK strads_status data_check_size(const data_input *input, uint64_t n_rows,
                                                uint64_t n_cols, size_t wanted);

#endif

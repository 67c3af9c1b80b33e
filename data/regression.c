/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/regression.c - a matrix and its target from a source, or its size alone. */
#include <assert.h>

#include "data/readers.h"

data_format data_format_of(const data_source *source, const data_input *input)
{
    if (source->format != DATA_AUTO) {
        return source->format;
    }
    if (data_input_begins(input, "%%MatrixMarket", 14)) {
        return DATA_MATRIX_MARKET;
    }
    return data_input_begins(input, "\x93NUMPY", 6) ? DATA_NPY : DATA_LIBSVM;
}

strads_status data_check_size(const data_input *input, uint64_t n_rows, uint64_t n_cols,
                              size_t wanted)
{
    if (n_rows == 0 || n_rows >= UINT32_MAX || n_cols == 0 || n_cols > UINT32_MAX) {
        strads_error("%s: a matrix of %llu x %llu: expected 1 to %u rows and 1 to %u columns",
                     input->path, (unsigned long long) n_rows, (unsigned long long) n_cols,
                     UINT32_MAX - 1, UINT32_MAX);
        return STRADS_ERR_DATA;
    }
    if (wanted != 0 && n_cols != wanted) {
        strads_error("%s: has %llu columns: expected %zu", input->path, (unsigned long long) n_cols,
                     wanted);
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

static strads_status read_input(data_regression *out, data_input *input, const data_source *source)
{
    switch (data_format_of(source, input)) {
    case DATA_MATRIX_MARKET:
        return data_matrix_market_read(&out->x, input, source->n_cols);
    case DATA_NPY:
        return data_npy_read_matrix(&out->x, input, source->n_cols);
    default:
        return data_libsvm_read(out, input, source->n_cols);
    }
}

strads_status data_target_of(double **out, const data_source *source, size_t n_rows)
{
    double *y = NULL;
    size_t n = 0;
    const strads_status status = data_target_read(&y, &n, source->y_path);
    if (status != STRADS_OK) {
        return status;
    }
    if (n != n_rows) {
        strads_error("%s: %zu values: expected %zu, a row of %s each", source->y_path, n, n_rows,
                     source->path);
        strads_free(y);
        return STRADS_ERR_DATA;
    }
    *out = y;
    return STRADS_OK;
}

/* Puts the target of y_path in the place of what the format held. */
static strads_status read_target(data_regression *data, const data_source *source)
{
    double *y = NULL;
    const strads_status status = data_target_of(&y, source, data->x.n_rows);
    if (status == STRADS_OK) {
        strads_free(data->y);
        data->y = y;
    }
    return status;
}

strads_status data_regression_read(data_regression *out, const data_source *source)
{
    assert(source->n_cols <= UINT32_MAX);
    data_input input;
    strads_status status = data_input_open(&input, source->path);
    if (status != STRADS_OK) {
        return status;
    }
    data_regression data = {0};
    status = read_input(&data, &input, source);
    data_input_close(&input);
    if (status == STRADS_OK && source->y_path != NULL) {
        status = read_target(&data, source);
    }
    if (status != STRADS_OK) {
        data_regression_fini(&data);
        return status;
    }
    *out = data;
    return STRADS_OK;
}

void data_regression_fini(data_regression *data)
{
    data_matrix_fini(&data->x);
    strads_free(data->y);
    data->y = NULL;
}

static strads_status measure_input(data_size *size, data_input *input, const data_source *source)
{
    switch (data_format_of(source, input)) {
    case DATA_MATRIX_MARKET:
        return data_matrix_market_measure(size, input, source->n_cols);
    case DATA_NPY:
        return data_npy_measure(size, input, source->n_cols);
    default:
        return data_libsvm_measure(size, input, source->n_cols);
    }
}

strads_status data_regression_measure(data_size *out, const data_source *source)
{
    assert(source->n_cols <= UINT32_MAX);
    data_input input;
    strads_status status = data_input_open(&input, source->path);
    if (status != STRADS_OK) {
        return status;
    }
    data_size size = {0};
    status = measure_input(&size, &input, source);
    data_input_close(&input);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t y_bytes = size.n_rows * sizeof(double);
    size.bytes = y_bytes + (size.dense ? size.n_rows * size.n_cols * sizeof(double)
                                       : (size.n_cols + 1) * sizeof(int64_t) +
                                             size.n_entries * (sizeof(uint32_t) + sizeof(double)));
    size.peak_bytes += y_bytes;
    *out = size;
    return STRADS_OK;
}

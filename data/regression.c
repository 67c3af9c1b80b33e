/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/regression.c - a matrix and its target from a source, or its size alone. */
#include <assert.h>

#include "data/matrix.h"
#include "data/readers.h"
#include "data/regression_cache.h"

data_format data_format_of(const data_source *source, const data_input *input)
{
    if (source->format != DATA_AUTO) {
        return source->format;
    }
    if (data_input_begins(input, "%%MatrixMarket", 14)) {
        return DATA_MATRIX_MARKET;
    }
    if (data_input_begins(input, "\x93NUMPY", 6)) {
        return DATA_NPY;
    }
    return data_csv_is(input) ? DATA_CSV : DATA_LIBSVM;
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

strads_status data_check_value(const data_input *input, data_precision precision, double value)
{
    if (precision == DATA_FLOAT && !data_fits_float(value)) {
        return data_refuse(input, "%g: %s", value, DATA_BEYOND_FLOAT);
    }
    return STRADS_OK;
}

static strads_status read_input(data_regression *out, data_input *input, const data_source *source)
{
    switch (data_format_of(source, input)) {
    case DATA_MATRIX_MARKET:
        return data_matrix_market_read(&out->x, input, source);
    case DATA_NPY:
        return data_npy_read_matrix(&out->x, input, source);
    case DATA_CSV:
        return data_csv_read(out, input, source);
    default:
        return data_libsvm_read(out, input, source);
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

/* Reads a source without its cache and y_path. */
static strads_status read_source(data_regression *out, const data_source *source)
{
    data_input input;
    strads_status status = data_input_open(&input, source->path);
    if (status != STRADS_OK) {
        return status;
    }
    data_regression data = {.y = NULL};
    status = read_input(&data, &input, source);
    data_input_close(&input);
    if (status != STRADS_OK) {
        data_regression_fini(&data);
        return status;
    }
    if (data.x.value != NULL) {
        data_matrix_narrow(&data.x, source->precision);
    }
    *out = data;
    return STRADS_OK;
}

strads_status data_target_name(char **out, const data_source *source)
{
    data_input input;
    strads_status status = data_input_open(&input, source->path);
    if (status != STRADS_OK) {
        return status;
    }
    if (data_format_of(source, &input) == DATA_CSV) {
        status = data_csv_target_name(out, &input, source);
    } else {
        *out = NULL;
    }
    data_input_close(&input);
    return status;
}

static strads_status read_cached(data_regression *out, const data_source *source)
{
    char *cache = NULL;
    uint64_t key = 0;
    uint64_t checksum = 0;
    strads_status status = regression_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    if (cache == NULL ||
        !regression_cache_load(out, &checksum, cache, key, data_threads_of(source))) {
        status = read_source(out, source);
        if (status == STRADS_OK && cache != NULL) {
            regression_cache_save(out, cache, key);
        }
    }
    strads_free(cache);
    return status;
}

strads_status data_regression_read(data_regression *out, const data_source *source)
{
    assert(source->n_cols <= UINT32_MAX);
    data_regression data;
    strads_status status = read_cached(&data, source);
    if (status != STRADS_OK) {
        return status;
    }
    if (source->y_path != NULL) {
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
    size_t n_names = 0;
    while (data->names != NULL && data->names[n_names] != NULL) {
        n_names++;
    }
    data_names_free(data->names, n_names);
    data_matrix_fini(&data->x);
    strads_free(data->y);
    *data = (data_regression){.y = NULL};
}

static strads_status measure_input(data_size *size, data_input *input, const data_source *source)
{
    switch (data_format_of(source, input)) {
    case DATA_MATRIX_MARKET:
        return data_matrix_market_measure(size, input, source);
    case DATA_NPY:
        return data_npy_measure(size, input, source);
    case DATA_CSV:
        return data_csv_measure(size, input, source);
    default:
        return data_libsvm_measure(size, input, source);
    }
}

strads_status data_measure_cached(data_size *size, const data_source *source, bool *known)
{
    char *cache = NULL;
    uint64_t key = 0;
    const strads_status status = regression_cache_name(&cache, &key, source);
    *known = cache != NULL && regression_cache_measure(size, cache, key);
    strads_free(cache);
    return status;
}

strads_status data_regression_measure(data_size *out, const data_source *source)
{
    assert(source->n_cols <= UINT32_MAX);
    data_size size = {0};
    bool known = false;
    strads_status status = data_measure_cached(&size, source, &known);
    if (status == STRADS_OK && !known) {
        data_input input;
        status = data_input_open(&input, source->path);
        if (status == STRADS_OK) {
            status = measure_input(&size, &input, source);
            data_input_close(&input);
        }
    }
    if (status != STRADS_OK) {
        return status;
    }
    const size_t y_bytes = size.n_rows * sizeof(double);
    const size_t value_bytes = data_value_bytes(size.narrow);
    size.bytes = y_bytes + (size.dense ? size.n_rows * size.n_cols * value_bytes
                                       : (size.n_cols + 1) * sizeof(int64_t) +
                                             size.n_entries * (sizeof(uint32_t) + value_bytes));
    size.peak_bytes = known ? size.bytes : size.peak_bytes + y_bytes;
    *out = size;
    return STRADS_OK;
}

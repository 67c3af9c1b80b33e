/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/npy.c - NumPy's .npy: little-endian float64 or float32, C or Fortran order. */
#include <math.h>
#include <string.h>

#include "data/matrix.h"
#include "data/npy_parts.h"

enum {
    RUN_VALUES = 1 << 17,     /* read, widened and checked at a time */
    ROUNDED_VALUES = 1 << 12, /* read and rounded at a time */
    BLOCK_VALUES = 1 << 19    /* of C order, turned at a time */
};

static const char FINITE[] = "expected finite numbers";

/* out[i] := the i-th float of the upper half of out; in place, since what is
 * written never reaches what is still to be read. */
static void widen(double *out, size_t n)
{
    const char *floats = (const char *) out + n * sizeof(float);
    for (size_t i = 0; i < n; i++) {
        float value = 0.0F;
        memcpy(&value, floats + i * sizeof(value), sizeof(value));
        out[i] = (double) value;
    }
}

static strads_status refuse_value(const npy *file, size_t i, double value, const char *why)
{
    const uint64_t at = file->n_read + i;
    const uint64_t width = file->fortran ? file->shape[0] : file->shape[1];
    const uint64_t row = file->fortran ? at % width : at / width;
    const uint64_t col = file->fortran ? at / width : at % width;
    strads_error("%s: %g in row %llu, column %llu: %s", file->input->path, value,
                 (unsigned long long) row + 1, (unsigned long long) col + 1, why);
    return STRADS_ERR_DATA;
}

static strads_status check_finite(const npy *file, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return refuse_value(file, i, values[i], FINITE);
        }
    }
    return STRADS_OK;
}

static strads_status check_floats(const npy *file, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return refuse_value(file, i, (double) values[i], FINITE);
        }
    }
    return STRADS_OK;
}

/* out[n] := values[n] */
static strads_status round_values(const npy *file, const double *values, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        if (!data_fits_float(values[i])) {
            return refuse_value(file, i, values[i],
                                isfinite(values[i]) ? DATA_BEYOND_FLOAT : FINITE);
        }
        out[i] = (float) values[i];
    }
    return STRADS_OK;
}

strads_status npy_refuse_short(const npy *file, uint64_t n_values)
{
    strads_error("%s: cut short after %llu of the %llu values its header states", file->input->path,
                 (unsigned long long) n_values,
                 (unsigned long long) (file->shape[0] * file->shape[1]));
    return STRADS_ERR_DATA;
}

strads_status npy_refuse_rest(const data_input *input)
{
    strads_error("%s: bytes after the values that its header states", input->path);
    return STRADS_ERR_DATA;
}

/* The next n values as they are in the file. */
static strads_status read_items(const npy *file, void *out, size_t n)
{
    const size_t item_bytes = data_value_bytes(file->is_float);
    size_t n_bytes = 0;
    const strads_status status =
        file->in_place
            ? data_input_read_at(file->input, file->values_at + file->n_read * item_bytes, out,
                                 n * item_bytes, &n_bytes)
            : data_input_read(file->input, out, n * item_bytes, &n_bytes);
    return status == STRADS_OK && n_bytes < n * item_bytes
               ? npy_refuse_short(file, file->n_read + n_bytes / item_bytes)
               : status;
}

static strads_status read_doubles(const npy *file, double *out, size_t n)
{
    const size_t item_bytes = data_value_bytes(file->is_float);
    strads_status status = read_items(file, (char *) out + n * (sizeof(*out) - item_bytes), n);
    if (status == STRADS_OK && file->is_float) {
        widen(out, n);
    }
    return status == STRADS_OK ? check_finite(file, out, n) : status;
}

static strads_status read_floats(const npy *file, float *out, size_t n)
{
    double values[ROUNDED_VALUES];
    strads_status status = read_items(file, file->is_float ? (void *) out : values, n);
    if (status != STRADS_OK) {
        return status;
    }
    return file->is_float ? check_floats(file, out, n) : round_values(file, values, n, out);
}

strads_status npy_read_values(npy *file, void *out, size_t n)
{
    const size_t most = file->narrow && !file->is_float ? ROUNDED_VALUES : RUN_VALUES;
    strads_status status = STRADS_OK;
    for (size_t done = 0; done < n && status == STRADS_OK;) {
        const size_t run = n - done < most ? n - done : most;
        status = file->narrow ? read_floats(file, (float *) out + done, run)
                              : read_doubles(file, (double *) out + done, run);
        done += run;
        file->n_read += run;
    }
    return status;
}

/* values[j * n_rows + i] := rows[i * n_cols + j] for n rows. */
static void turn_doubles(double *values, size_t n_rows, const double *rows, size_t n, size_t n_cols)
{
    for (size_t j = 0; j < n_cols; j++) {
        for (size_t i = 0; i < n; i++) {
            values[j * n_rows + i] = rows[i * n_cols + j];
        }
    }
}

static void turn_floats(float *values, size_t n_rows, const float *rows, size_t n, size_t n_cols)
{
    for (size_t j = 0; j < n_cols; j++) {
        for (size_t i = 0; i < n; i++) {
            values[j * n_rows + i] = rows[i * n_cols + j];
        }
    }
}

void npy_turn_rows(const data_matrix *x, size_t first, const void *rows, size_t n)
{
    if (x->narrow != NULL) {
        turn_floats(x->narrow + first, x->n_rows, rows, n, x->n_cols);
    } else {
        turn_doubles(x->value + first, x->n_rows, rows, n, x->n_cols);
    }
}

size_t npy_rows_a_block(size_t n_rows, size_t n_cols)
{
    const size_t rows = n_cols < BLOCK_VALUES ? BLOCK_VALUES / n_cols : 1;
    return rows < n_rows ? rows : n_rows;
}

static strads_status read_by_rows(npy *file, const data_matrix *to)
{
    const size_t n_rows = to->n_rows;
    const size_t n_cols = to->n_cols;
    const size_t block = npy_rows_a_block(n_rows, n_cols);
    void *rows = strads_alloc_array(block * n_cols, data_value_bytes(file->narrow));
    if (rows == NULL) {
        return data_no_memory(file->input->path);
    }
    strads_status status = STRADS_OK;
    for (size_t first = 0; first < n_rows && status == STRADS_OK; first += block) {
        const size_t n = n_rows - first < block ? n_rows - first : block;
        status = npy_read_values(file, rows, n * n_cols);
        if (status == STRADS_OK) {
            npy_turn_rows(to, first, rows, n);
        }
    }
    strads_free(rows);
    return status;
}

strads_status npy_expect_end(data_input *input)
{
    char byte = 0;
    size_t n = 0;
    const strads_status status = data_input_read(input, &byte, 1, &n);
    return status == STRADS_OK && n > 0 ? npy_refuse_rest(input) : status;
}

/* All values by columns. */
static strads_status read_all(npy *file, data_matrix *out)
{
    const size_t n = file->shape[0] * file->shape[1];
    data_matrix all = {.n_rows = file->shape[0], .n_cols = file->shape[1]};
    if (data_values_alloc(&all, n, file->narrow) != STRADS_OK) {
        return data_no_memory(file->input->path);
    }
    strads_status status = file->fortran || all.n_cols == 1
                               ? npy_read_values(file, data_values_from(&all, 0), n)
                               : read_by_rows(file, &all);
    if (status == STRADS_OK) {
        status = npy_expect_end(file->input);
    }
    if (status != STRADS_OK) {
        data_matrix_fini(&all);
        return status;
    }
    *out = all;
    return STRADS_OK;
}

static strads_status read_matrix_header(npy *file, data_input *input, size_t n_cols)
{
    strads_status status = npy_read_header(file, input);
    if (status != STRADS_OK) {
        return status;
    }
    if (file->n_dims != 2) {
        strads_error("%s: has one dimension: expected a matrix, of two", input->path);
        return STRADS_ERR_DATA;
    }
    return data_check_size(input, file->shape[0], file->shape[1], n_cols);
}

strads_status data_npy_read_matrix(data_matrix *out, data_input *input, const data_source *source)
{
    npy file;
    const strads_status status = read_matrix_header(&file, input, source->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    file.narrow = data_is_narrow(source->precision, true, file.is_float);
    return read_all(&file, out);
}

strads_status data_npy_shape(size_t *n_rows, size_t *n_cols, data_input *input, size_t wanted)
{
    npy file;
    const strads_status status = read_matrix_header(&file, input, wanted);
    if (status == STRADS_OK) {
        *n_rows = file.shape[0];
        *n_cols = file.shape[1];
    }
    return status;
}

strads_status data_npy_measure(data_size *out, data_input *input, const data_source *source)
{
    npy file;
    const strads_status status = read_matrix_header(&file, input, source->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_rows = file.shape[0];
    const size_t width = file.shape[1];
    const size_t block = file.fortran ? 0 : npy_rows_a_block(n_rows, width) * width;
    const bool narrow = data_is_narrow(source->precision, true, file.is_float);
    *out = (data_size){.n_rows = n_rows,
                       .n_cols = width,
                       .n_entries = n_rows * width,
                       .dense = true,
                       .narrow = narrow,
                       .peak_bytes =
                           DATA_INPUT_BYTES + (n_rows * width + block) * data_value_bytes(narrow)};
    return STRADS_OK;
}

strads_status data_npy_read_vector(double **out, size_t *n, data_input *input)
{
    npy file;
    strads_status status = npy_read_header(&file, input);
    if (status == STRADS_OK) {
        status = data_check_size(input, file.shape[0], file.shape[1], 1);
    }
    data_matrix all = {.n_rows = 0};
    if (status == STRADS_OK) {
        status = read_all(&file, &all);
    }
    if (status == STRADS_OK) {
        *out = all.value;
        *n = all.n_rows;
    }
    return status;
}

strads_status data_npy_read(double **out, size_t *n, const char *path)
{
    data_input input;
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    status = data_npy_read_vector(out, n, &input);
    data_input_close(&input);
    return status;
}

strads_status data_npy_write(const char *path, const double *values, size_t n_rows, size_t n_cols)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    npy_write_header(to, n_rows, n_cols);
    fwrite(values, sizeof(*values), n_rows * (n_cols == 0 ? 1 : n_cols), to);
    return data_writer_commit(writer);
}

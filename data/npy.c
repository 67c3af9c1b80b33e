/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/npy.c - NumPy's .npy: little-endian float64 or float32, C or Fortran order,
 * format versions 1 to 3 (numpy.lib.format).
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "data/number.h"
#include "data/readers.h"

enum {
    PREFIX_BYTES = 10, /* magic, version, a length of two bytes */
    HEADER_ALIGN = 64,
    HEADER_MAX_BYTES = 1 << 16,
    RUN_VALUES = 1 << 17,  /* read, widened and checked at a time */
    BLOCK_VALUES = 1 << 19 /* of C order, turned at a time */
};

static const char MAGIC[] = "\x93NUMPY";

typedef struct npy {
    data_input *input;
    bool is_float, fortran;
    size_t n_dims;
    uint64_t shape[2];  /* 1 where there is no dimension */
    uint64_t n_read;    /* values so far, for messages */
    uint64_t values_at; /* where they begin in the file, and */
    bool in_place;      /* whether they are read from the place of n_read on */
} npy;

static strads_status refuse_header(const npy *file, const char *header)
{
    char excerpt[160];
    size_t n = 0;
    for (; n + 1 < sizeof(excerpt) && header[n] != '\0' && header[n] != '\n'; n++) {
        excerpt[n] = isprint((unsigned char) header[n]) ? header[n] : '?';
    }
    excerpt[n] = '\0';
    strads_error("%s: header \"%s\": expected 'descr' '<f8' or '<f4', 'fortran_order' True or "
                 "False, 'shape' of one or two dimensions",
                 file->input->path, excerpt);
    return STRADS_ERR_DATA;
}

/* The text of a key's value, or NULL. */
static const char *value_of(const char *header, const char *key)
{
    const char *p = strstr(header, key);
    if (p == NULL) {
        return NULL;
    }
    p += strlen(key);
    p += strspn(p, " ");
    if (*p != ':') {
        return NULL;
    }
    p++;
    return p + strspn(p, " ");
}

/* "(3,)", "(3, 4)" */
static bool scan_shape(npy *file, const char *p)
{
    if (p == NULL || *p++ != '(') {
        return false;
    }
    file->shape[0] = file->shape[1] = 1;
    for (file->n_dims = 0; *p != ')'; file->n_dims++) {
        if (file->n_dims == 2) {
            return false;
        }
        p = data_number_scan_index(p + strspn(p, " "), &file->shape[file->n_dims]);
        if (p == NULL || (*p != ',' && *p != ')')) {
            return false;
        }
        p += *p == ',';
        p += strspn(p, " ");
    }
    return file->n_dims > 0;
}

static strads_status parse_header(npy *file, const char *header)
{
    const char *type = value_of(header, "'descr'");
    const char *order = value_of(header, "'fortran_order'");
    if (type == NULL || (strncmp(type, "'<f8'", 5) != 0 && strncmp(type, "'<f4'", 5) != 0) ||
        order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0) ||
        !scan_shape(file, value_of(header, "'shape'"))) {
        return refuse_header(file, header);
    }
    file->is_float = type[3] == '4';
    file->fortran = order[0] == 'T';
    return STRADS_OK;
}

static strads_status read_exactly(data_input *input, void *out, size_t n)
{
    size_t n_read = 0;
    const strads_status status = data_input_read(input, out, n, &n_read);
    if (status == STRADS_OK && n_read < n) {
        strads_error("%s: cut short: the .npy header is not complete", input->path);
        return STRADS_ERR_DATA;
    }
    return status;
}

/* The length of the header text, which takes 2 bytes in version 1 and 4 later. */
static strads_status read_prefix(data_input *input, size_t *length, uint64_t *values_at)
{
    unsigned char bytes[PREFIX_BYTES + 2] = {0};
    const bool magic = data_input_begins(input, MAGIC, sizeof(MAGIC) - 1);
    strads_status status = magic ? read_exactly(input, bytes, PREFIX_BYTES) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    const unsigned version = bytes[6];
    if (version < 1 || version > 3) {
        strads_error("%s: not a .npy file of version 1, 2 or 3", input->path);
        return STRADS_ERR_DATA;
    }
    *length = (size_t) bytes[8] | (size_t) bytes[9] << 8;
    if (version > 1) {
        status = read_exactly(input, bytes + PREFIX_BYTES, 2);
        *length |= (size_t) bytes[10] << 16 | (size_t) bytes[11] << 24;
    }
    *values_at = (version > 1 ? PREFIX_BYTES + 2 : PREFIX_BYTES) + *length;
    return status;
}

static strads_status read_header(npy *file, data_input *input)
{
    *file = (npy){.input = input};
    size_t length = 0;
    strads_status status = read_prefix(input, &length, &file->values_at);
    if (status != STRADS_OK) {
        return status;
    }
    if (length > HEADER_MAX_BYTES) {
        strads_error("%s: a .npy header of %zu bytes: at most %d are read", input->path, length,
                     HEADER_MAX_BYTES);
        return STRADS_ERR_DATA;
    }
    char *header = strads_calloc(length + 1, 1);
    if (header == NULL) {
        return data_no_memory(input->path);
    }
    status = read_exactly(input, header, length);
    if (status == STRADS_OK) {
        status = parse_header(file, header);
    }
    strads_free(header);
    return status;
}

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

static strads_status check_finite(const npy *file, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            const uint64_t at = file->n_read + i;
            const uint64_t width = file->fortran ? file->shape[0] : file->shape[1];
            const uint64_t row = file->fortran ? at % width : at / width;
            const uint64_t col = file->fortran ? at / width : at % width;
            strads_error("%s: %g in row %llu, column %llu: expected finite numbers",
                         file->input->path, values[i], (unsigned long long) row + 1,
                         (unsigned long long) col + 1);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

static strads_status refuse_short(const npy *file, uint64_t n_values)
{
    strads_error("%s: cut short after %llu of the %llu values its header states", file->input->path,
                 (unsigned long long) n_values,
                 (unsigned long long) (file->shape[0] * file->shape[1]));
    return STRADS_ERR_DATA;
}

static strads_status refuse_rest(const data_input *input)
{
    strads_error("%s: bytes after the values that its header states", input->path);
    return STRADS_ERR_DATA;
}

/* Reads the next n values. */
static strads_status read_values(npy *file, double *out, size_t n)
{
    const size_t item_bytes = file->is_float ? sizeof(float) : sizeof(double);
    for (size_t done = 0; done < n;) {
        const size_t run = n - done < RUN_VALUES ? n - done : RUN_VALUES;
        char *target = (char *) (out + done) + run * (sizeof(double) - item_bytes);
        size_t n_bytes = 0;
        strads_status status =
            file->in_place
                ? data_input_read_at(file->input, file->values_at + file->n_read * item_bytes,
                                     target, run * item_bytes, &n_bytes)
                : data_input_read(file->input, target, run * item_bytes, &n_bytes);
        if (status == STRADS_OK && n_bytes < run * item_bytes) {
            return refuse_short(file, file->n_read + n_bytes / item_bytes);
        }
        if (status == STRADS_OK && file->is_float) {
            widen(out + done, run);
        }
        if (status == STRADS_OK) {
            status = check_finite(file, out + done, run);
        }
        if (status != STRADS_OK) {
            return status;
        }
        done += run;
        file->n_read += run;
    }
    return STRADS_OK;
}

/* values[j * n_rows + i] := rows[i * n_cols + j] for n rows. */
static void turn_rows(double *values, size_t n_rows, const double *rows, size_t n, size_t n_cols)
{
    for (size_t j = 0; j < n_cols; j++) {
        for (size_t i = 0; i < n; i++) {
            values[j * n_rows + i] = rows[i * n_cols + j];
        }
    }
}

static size_t rows_a_block(size_t n_rows, size_t n_cols)
{
    const size_t rows = n_cols < BLOCK_VALUES ? BLOCK_VALUES / n_cols : 1;
    return rows < n_rows ? rows : n_rows;
}

static strads_status read_by_rows(npy *file, double *values)
{
    const size_t n_rows = file->shape[0];
    const size_t n_cols = file->shape[1];
    const size_t block = rows_a_block(n_rows, n_cols);
    double *rows = strads_alloc_array(block * n_cols, sizeof(*rows));
    if (rows == NULL) {
        return data_no_memory(file->input->path);
    }
    strads_status status = STRADS_OK;
    for (size_t first = 0; first < n_rows && status == STRADS_OK; first += block) {
        const size_t n = n_rows - first < block ? n_rows - first : block;
        status = read_values(file, rows, n * n_cols);
        if (status == STRADS_OK) {
            turn_rows(values + first, n_rows, rows, n, n_cols);
        }
    }
    strads_free(rows);
    return status;
}

static strads_status expect_end(data_input *input)
{
    char byte = 0;
    size_t n = 0;
    const strads_status status = data_input_read(input, &byte, 1, &n);
    return status == STRADS_OK && n > 0 ? refuse_rest(input) : status;
}

/* All values by columns. */
static strads_status read_all(npy *file, double **out)
{
    double *values = strads_alloc_array(file->shape[0] * file->shape[1], sizeof(*values));
    if (values == NULL) {
        return data_no_memory(file->input->path);
    }
    strads_status status = file->fortran || file->shape[1] == 1
                               ? read_values(file, values, file->shape[0] * file->shape[1])
                               : read_by_rows(file, values);
    if (status == STRADS_OK) {
        status = expect_end(file->input);
    }
    if (status != STRADS_OK) {
        strads_free(values);
        return status;
    }
    *out = values;
    return STRADS_OK;
}

static strads_status read_matrix_header(npy *file, data_input *input, size_t n_cols)
{
    strads_status status = read_header(file, input);
    if (status != STRADS_OK) {
        return status;
    }
    if (file->n_dims != 2) {
        strads_error("%s: has one dimension: expected a matrix, of two", input->path);
        return STRADS_ERR_DATA;
    }
    return data_check_size(input, file->shape[0], file->shape[1], n_cols);
}

strads_status data_npy_read_matrix(data_matrix *out, data_input *input, size_t n_cols)
{
    npy file;
    double *values = NULL;
    strads_status status = read_matrix_header(&file, input, n_cols);
    if (status == STRADS_OK) {
        status = read_all(&file, &values);
    }
    if (status == STRADS_OK) {
        *out = (data_matrix){.n_rows = file.shape[0], .n_cols = file.shape[1], .value = values};
    }
    return status;
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

/* Reads a box of a file whose values stand by lines of `width`, n lines from `first` on, of
 * each `length` values from `from` on; lines[n][length]. */
static strads_status read_lines(npy *file, uint64_t width, const data_box *lines, double *out)
{
    const bool whole = lines->n_cols == width;
    const size_t n_runs = whole ? 1 : lines->n_rows;
    const size_t length = whole ? lines->n_rows * lines->n_cols : lines->n_cols;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n_runs && status == STRADS_OK; i++) {
        file->n_read = (lines->first_row + i) * width + lines->first_col;
        status = read_values(file, out + i * length, length);
    }
    return status;
}

/* values[n_cols][n_rows] of a box. */
static strads_status read_box(npy *file, const data_box *box, double *values)
{
    if (file->fortran) { /* its lines are columns */
        const data_box lines = {.first_row = box->first_col,
                                .n_rows = box->n_cols,
                                .first_col = box->first_row,
                                .n_cols = box->n_rows};
        return read_lines(file, file->shape[0], &lines, values);
    }
    const size_t block = box->n_cols == 0 ? 0 : rows_a_block(box->n_rows, box->n_cols);
    double *rows = strads_alloc_array(block * box->n_cols, sizeof(*rows));
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
            turn_rows(values + first, box->n_rows, rows, some.n_rows, box->n_cols);
        }
    }
    strads_free(rows);
    return status;
}

/* Whether the file is as long as its header says. */
static strads_status check_length(const npy *file)
{
    const size_t item_bytes = file->is_float ? sizeof(float) : sizeof(double);
    const uint64_t n = file->shape[0] * file->shape[1];
    uint64_t bytes = 0;
    if (!data_input_has_ranges(file->input, &bytes) || bytes == file->values_at + n * item_bytes) {
        return STRADS_OK;
    }
    if (bytes > file->values_at + n * item_bytes) {
        return refuse_rest(file->input);
    }
    return refuse_short(file, bytes > file->values_at ? (bytes - file->values_at) / item_bytes : 0);
}

strads_status data_npy_read_boxes(data_matrix *out, const data_box *boxes, size_t n,
                                  data_input *input)
{
    npy file;
    size_t n_made = 0;
    strads_status status = read_header(&file, input);
    if (status == STRADS_OK) {
        file.in_place = true;
        status = check_length(&file);
    }
    for (; n_made < n && status == STRADS_OK; n_made++) {
        const data_box *box = &boxes[n_made];
        double *values = strads_alloc_array(box->n_rows * box->n_cols, sizeof(*values));
        status = values == NULL ? data_no_memory(input->path) : read_box(&file, box, values);
        out[n_made] = (data_matrix){.n_rows = box->n_rows, .n_cols = box->n_cols, .value = values};
    }
    for (size_t k = 0; k < n_made && status != STRADS_OK; k++) {
        data_matrix_fini(&out[k]);
    }
    return status;
}

strads_status data_npy_measure(data_size *out, data_input *input, size_t n_cols)
{
    npy file;
    const strads_status status = read_matrix_header(&file, input, n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_rows = file.shape[0];
    const size_t width = file.shape[1];
    const size_t block = file.fortran ? 0 : rows_a_block(n_rows, width) * width;
    *out = (data_size){.n_rows = n_rows,
                       .n_cols = width,
                       .n_entries = n_rows * width,
                       .dense = true,
                       .peak_bytes = DATA_INPUT_BYTES + (n_rows * width + block) * sizeof(double)};
    return STRADS_OK;
}

strads_status data_npy_read_vector(double **out, size_t *n, data_input *input)
{
    npy file;
    strads_status status = read_header(&file, input);
    if (status == STRADS_OK) {
        status = data_check_size(input, file.shape[0], file.shape[1], 1);
    }
    if (status == STRADS_OK) {
        status = read_all(&file, out);
    }
    if (status == STRADS_OK) {
        *n = file.shape[0];
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

/* The header is padded with blanks, so that the values are aligned. */
static void put_header(FILE *to, size_t n_rows, size_t n_cols)
{
    char text[HEADER_ALIGN * 3];
    const int length =
        n_cols == 0
            ? snprintf(text, sizeof(text),
                       "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,), }", n_rows)
            : snprintf(text, sizeof(text),
                       "{'descr': '<f8', 'fortran_order': True, 'shape': "
                       "(%zu, %zu), }",
                       n_rows, n_cols);
    const size_t whole =
        (size_t) (PREFIX_BYTES + length + 1 + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
    const size_t padded = whole - PREFIX_BYTES;
    fwrite(MAGIC, 1, sizeof(MAGIC) - 1, to);
    fputc(1, to);
    fputc(0, to);
    fputc((int) (padded & 255), to);
    fputc((int) (padded >> 8), to);
    fprintf(to, "%-*s\n", (int) padded - 1, text);
}

strads_status data_npy_write(const char *path, const double *values, size_t n_rows, size_t n_cols)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    put_header(to, n_rows, n_cols);
    fwrite(values, sizeof(*values), n_rows * (n_cols == 0 ? 1 : n_cols), to);
    return data_writer_commit(writer);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/target.c - the small files beside a matrix: its target, names of columns. */
#include <math.h>
#include <string.h>

#include "data/number.h"
#include "data/readers.h"

enum { FIRST_ROOM = 1024 };

typedef struct numbers {
    double *values;
    size_t n, room;
} numbers;

static strads_status append(numbers *list, double value, const char *path)
{
    if (list->n == list->room) {
        const size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
        double *values = strads_realloc(list->values, room * sizeof(*values));
        if (values == NULL) {
            return data_no_memory(path);
        }
        list->values = values;
        list->room = room;
    }
    list->values[list->n++] = value;
    return STRADS_OK;
}

static strads_status append_line(numbers *list, const data_input *input, const char *line,
                                 size_t length)
{
    const char *end = line + length;
    const char *text = line + strspn(line, " \t");
    double value = 0.0;
    const char *stop = data_number_scan(text, &value);
    if (stop == NULL || stop + strspn(stop, " \t") != end || !isfinite(value)) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected one finite number on each line",
                           data_excerpt(excerpt, text, end));
    }
    return append(list, value, input->path);
}

static strads_status read_lines(double **out, size_t *n, data_input *input)
{
    numbers list = {0};
    char *line = NULL;
    size_t length = 0;
    strads_status status = data_input_line(input, &line, &length);
    while (status == STRADS_OK && line != NULL) {
        status = append_line(&list, input, line, length);
        if (status == STRADS_OK) {
            status = data_input_line(input, &line, &length);
        }
    }
    if (status == STRADS_OK && list.n == 0) {
        strads_error("%s: is empty: expected one finite number on each line", input->path);
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        strads_free(list.values);
        return status;
    }
    *out = list.values;
    *n = list.n;
    return STRADS_OK;
}

static strads_status read_matrix_market(double **out, size_t *n, data_input *input)
{
    const data_source one = {.n_cols = 1};
    data_matrix matrix = {0};
    const strads_status status = data_matrix_market_read(&matrix, input, &one);
    if (status != STRADS_OK) {
        return status;
    }
    if (matrix.col_start != NULL) {
        strads_error("%s: a sparse target: expected a Matrix Market array of one column",
                     input->path);
        data_matrix_fini(&matrix);
        return STRADS_ERR_DATA;
    }
    *out = matrix.value;
    *n = matrix.n_rows;
    return STRADS_OK;
}

strads_status data_target_read(double **out, size_t *n, const char *path)
{
    data_input input;
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    if (data_input_begins(&input, "\x93NUMPY", 6)) {
        status = data_npy_read_vector(out, n, &input);
    } else if (data_input_begins(&input, "%%MatrixMarket", 14)) {
        status = read_matrix_market(out, n, &input);
    } else {
        status = read_lines(out, n, &input);
    }
    data_input_close(&input);
    return status;
}

void data_names_free(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++) {
        strads_free(names[i]);
    }
    strads_free(names);
}

static strads_status take_name(char **out, const data_input *input, const char *line, size_t length)
{
    if (length == 0 || memchr(line, '\0', length) != NULL) {
        return data_refuse(input, "%s", "expected a name on each line, without NUL bytes");
    }
    char *name = strads_alloc(length + 1);
    if (name == NULL) {
        return data_no_memory(input->path);
    }
    memcpy(name, line, length);
    name[length] = '\0';
    *out = name;
    return STRADS_OK;
}

static strads_status read_names(char **names, size_t n, data_input *input)
{
    for (size_t i = 0;; i++) {
        char *line = NULL;
        size_t length = 0;
        strads_status status = data_input_line(input, &line, &length);
        if (status == STRADS_OK && (line == NULL) != (i == n)) {
            return data_refuse(input, "%s names: expected %zu, one a line",
                               line == NULL ? "too few" : "too many", n);
        }
        if (status == STRADS_OK && line != NULL) {
            status = take_name(&names[i], input, line, length);
        }
        if (status != STRADS_OK || line == NULL) {
            return status;
        }
    }
}

strads_status data_names_read(char ***out, size_t n, const char *path)
{
    data_input input;
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    char **names = strads_calloc(n, sizeof(*names));
    status = names != NULL ? read_names(names, n, &input) : data_no_memory(path);
    data_input_close(&input);
    if (status != STRADS_OK) {
        data_names_free(names, n);
        return status;
    }
    *out = names;
    return STRADS_OK;
}

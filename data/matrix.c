/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/matrix.c - what every matrix has, sparse or dense. */
#include "data/matrix.h"

#include <string.h>

#include <sys/mman.h>

void data_matrix_fini(data_matrix *matrix)
{
    if (matrix->map != NULL) {
        munmap(matrix->map, matrix->map_bytes);
    } else {
        strads_free(matrix->col_start);
        strads_free(matrix->row);
        strads_free(matrix->value);
        strads_free(matrix->narrow);
    }
    *matrix = (data_matrix){0};
}

size_t data_matrix_entries(const data_matrix *matrix)
{
    return matrix->col_start != NULL ? (size_t) matrix->col_start[matrix->n_cols]
                                     : matrix->n_rows * matrix->n_cols;
}

/* ---- values ---- */

bool data_is_narrow(data_precision precision, bool dense, bool exact)
{
    return precision == DATA_FLOAT || (precision == DATA_EXACT && exact) ||
           (precision == DATA_EXACT_SPARSE && !dense && exact);
}

strads_status data_values_alloc(data_matrix *x, size_t n, bool narrow)
{
    void *values = strads_alloc_array(n, data_value_bytes(narrow));
    x->value = narrow ? NULL : values;
    x->narrow = narrow ? values : NULL;
    return values == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
}

static bool are_floats(const double *values, size_t n)
{
    size_t k = 0;
    while (k < n && data_is_float(values[k])) {
        k++;
    }
    return k == n;
}

void data_matrix_narrow(data_matrix *x, data_precision precision)
{
    const size_t n = data_matrix_entries(x);
    const bool dense = x->col_start == NULL;
    /* The values are looked at only where it depends on them. */
    if (!data_is_narrow(precision, dense, true) ||
        (precision != DATA_FLOAT && !are_floats(x->value, n))) {
        return;
    }
    char *memory = (char *) x->value;
    for (size_t k = 0; k < n; k++) {
        const float value = (float) x->value[k];
        memcpy(memory + k * sizeof(value), &value, sizeof(value));
    }
    void *fitting = strads_realloc(memory, n * sizeof(*x->narrow));
    x->narrow = fitting != NULL ? fitting : (void *) memory;
    x->value = NULL;
}

/* ---- columns ---- */

/* The stored entries of a column. */
typedef struct column {
    const uint32_t *row; /* NULL: of all rows */
    size_t first, n;     /* of the values */
} column;

static column column_of(const data_matrix *matrix, size_t j)
{
    if (matrix->col_start == NULL) {
        return (column){.first = j * matrix->n_rows, .n = matrix->n_rows};
    }
    const size_t first = (size_t) matrix->col_start[j];
    return (column){
        .row = matrix->row + first, .first = first, .n = (size_t) matrix->col_start[j + 1] - first};
}

double data_matrix_dot(const data_matrix *matrix, size_t j, const double *v)
{
    const column x = column_of(matrix, j);
    double sum = 0.0;
    for (size_t i = 0; i < x.n; i++) {
        sum += data_matrix_value(matrix, x.first + i) * v[x.row == NULL ? i : x.row[i]];
    }
    return sum;
}

void data_matrix_add(const data_matrix *matrix, size_t j, double a, double *v)
{
    const column x = column_of(matrix, j);
    for (size_t i = 0; i < x.n; i++) {
        v[x.row == NULL ? i : x.row[i]] += a * data_matrix_value(matrix, x.first + i);
    }
}

double data_squares(const double *v, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += v[i] * v[i];
    }
    return sum;
}

double data_matrix_squares(const data_matrix *matrix, size_t j)
{
    const column x = column_of(matrix, j);
    double sum = 0.0;
    for (size_t i = 0; i < x.n; i++) {
        const double value = data_matrix_value(matrix, x.first + i);
        sum += value * value;
    }
    return sum;
}

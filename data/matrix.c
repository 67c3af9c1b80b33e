/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/matrix.c - what every matrix has, sparse or dense. */
#include "data/data.h"

#include <sys/mman.h>

void data_matrix_fini(data_matrix *matrix)
{
    if (matrix->map != NULL) {
        munmap(matrix->map, matrix->map_bytes);
    } else {
        strads_free(matrix->col_start);
        strads_free(matrix->row);
        strads_free(matrix->value);
    }
    *matrix = (data_matrix){0};
}

size_t data_matrix_entries(const data_matrix *matrix)
{
    return matrix->col_start != NULL ? (size_t) matrix->col_start[matrix->n_cols]
                                     : matrix->n_rows * matrix->n_cols;
}

/* The stored entries of a column. */
typedef struct column {
    const uint32_t *row; /* NULL: of all rows */
    const double *value;
    size_t n;
} column;

static column column_of(const data_matrix *matrix, size_t j)
{
    if (matrix->col_start == NULL) {
        return (column){.value = matrix->value + j * matrix->n_rows, .n = matrix->n_rows};
    }
    const int64_t start = matrix->col_start[j];
    return (column){.row = matrix->row + start,
                    .value = matrix->value + start,
                    .n = (size_t) (matrix->col_start[j + 1] - start)};
}

double data_matrix_dot(const data_matrix *matrix, size_t j, const double *v)
{
    const column x = column_of(matrix, j);
    double sum = 0.0;
    for (size_t i = 0; i < x.n; i++) {
        sum += x.value[i] * v[x.row == NULL ? i : x.row[i]];
    }
    return sum;
}

void data_matrix_add(const data_matrix *matrix, size_t j, double a, double *v)
{
    const column x = column_of(matrix, j);
    for (size_t i = 0; i < x.n; i++) {
        v[x.row == NULL ? i : x.row[i]] += a * x.value[i];
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
    return data_squares(x.value, x.n);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/matrix.c - what every matrix has, sparse or dense. */
#include "data/data.h"

void data_matrix_fini(data_matrix *matrix)
{
    strads_free(matrix->col_start);
    strads_free(matrix->row);
    strads_free(matrix->value);
    *matrix = (data_matrix){0};
}

size_t data_matrix_entries(const data_matrix *matrix)
{
    return matrix->col_start != NULL ? (size_t) matrix->col_start[matrix->n_cols]
                                     : matrix->n_rows * matrix->n_cols;
}

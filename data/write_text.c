/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/write_text.c - matrices as libsvm text and as Matrix Market. */
#include <assert.h>
#include <string.h>

#include "data/data.h"
#include "data/input.h"
#include "data/number.h"

enum { BLOCK_ENTRIES = 1 << 18 };

/* Some rows of a sparse matrix, by rows. */
typedef struct row_block {
    const data_matrix *matrix;
    size_t first, n; /* rows */
    size_t room;     /* entries that col and value hold */
    int64_t *next;   /* [n_cols] the first entry of each column not taken yet */
    size_t *start;   /* [rows a block + 1] */
    uint32_t *col;   /* [room] */
    double *value;   /* [room] */
} row_block;

static void put_entry(FILE *to, size_t col, double value)
{
    fprintf(to, " %zu:%.17g", col + 1, value);
}

static void put_dense(FILE *to, const data_regression *data)
{
    const data_matrix *x = &data->x;
    for (size_t i = 0; i < x->n_rows; i++) {
        fprintf(to, "%.17g", data->y[i]);
        for (size_t j = 0; j < x->n_cols; j++) {
            const double value = data_matrix_value(x, j * x->n_rows + i);
            if (value != 0.0) {
                put_entry(to, j, value);
            }
        }
        fputc('\n', to);
    }
}

/* Counts the entries of rows first .. first+n-1: start[i+1] of row first+i. */
static void count_rows(row_block *block)
{
    const data_matrix *x = block->matrix;
    memset(block->start, 0, (block->n + 1) * sizeof(*block->start));
    for (size_t j = 0; j < x->n_cols; j++) {
        for (int64_t k = block->next[j];
             k < x->col_start[j + 1] && x->row[k] < block->first + block->n; k++) {
            block->start[x->row[k] - block->first + 1]++;
        }
    }
    for (size_t i = 0; i < block->n; i++) {
        block->start[i + 1] += block->start[i];
    }
}

/* Takes the entries; start[i] ends as the end of row first+i. */
static void take_rows(row_block *block)
{
    const data_matrix *x = block->matrix;
    for (size_t j = 0; j < x->n_cols; j++) {
        int64_t k = block->next[j];
        for (; k < x->col_start[j + 1] && x->row[k] < block->first + block->n; k++) {
            const size_t at = block->start[x->row[k] - block->first]++;
            block->col[at] = (uint32_t) j;
            block->value[at] = data_matrix_value(x, (size_t) k);
        }
        block->next[j] = k;
    }
}

static strads_status put_block(FILE *to, row_block *block, const double *y)
{
    count_rows(block);
    const size_t n_entries = block->start[block->n];
    if (n_entries > block->room) {
        strads_free(block->col);
        strads_free(block->value);
        block->col = strads_alloc_array(n_entries, sizeof(*block->col));
        block->value = strads_alloc_array(n_entries, sizeof(*block->value));
        block->room = n_entries;
        if (block->col == NULL || block->value == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    take_rows(block);
    size_t k = 0;
    for (size_t i = 0; i < block->n; i++) {
        fprintf(to, "%.17g", y[block->first + i]);
        for (; k < block->start[i]; k++) {
            put_entry(to, block->col[k], block->value[k]);
        }
        fputc('\n', to);
    }
    return STRADS_OK;
}

/* A block of rows at a time, so that no second matrix is needed. */
static strads_status put_sparse(FILE *to, const data_regression *data)
{
    const data_matrix *x = &data->x;
    const size_t a_row = data_matrix_entries(x) / x->n_rows + 1;
    const size_t n_wanted = BLOCK_ENTRIES / a_row + 1;
    const size_t n_rows = n_wanted < x->n_rows ? n_wanted : x->n_rows;
    row_block block = {.matrix = x};
    block.next = strads_alloc_array(x->n_cols, sizeof(*block.next));
    block.start = strads_alloc_array(n_rows + 1, sizeof(*block.start));
    strads_status status = STRADS_ERR_NOMEM;
    if (block.next != NULL && block.start != NULL) {
        memcpy(block.next, x->col_start, x->n_cols * sizeof(*block.next));
        status = STRADS_OK;
    }
    for (; block.first < x->n_rows && status == STRADS_OK; block.first += n_rows) {
        block.n = x->n_rows - block.first < n_rows ? x->n_rows - block.first : n_rows;
        status = put_block(to, &block, data->y);
    }
    strads_free(block.next);
    strads_free(block.start);
    strads_free(block.col);
    strads_free(block.value);
    return status;
}

strads_status data_libsvm_write(const char *path, const data_regression *data)
{
    assert(data->y != NULL);
    data_writer *writer = NULL;
    strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    const locale_t saved = data_point_begin();
    if (data->x.col_start != NULL) {
        status = put_sparse(data_writer_stream(writer), data);
    } else {
        put_dense(data_writer_stream(writer), data);
    }
    data_point_end(saved);
    if (status != STRADS_OK) {
        data_writer_abandon(writer);
        return data_no_memory(path);
    }
    return data_writer_commit(writer);
}

static void put_coordinate(FILE *to, const data_matrix *x)
{
    fprintf(to, "%%%%MatrixMarket matrix coordinate real general\n%zu %zu %zu\n", x->n_rows,
            x->n_cols, data_matrix_entries(x));
    for (size_t j = 0; j < x->n_cols; j++) {
        for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
            fprintf(to, "%u %zu %.17g\n", x->row[k] + 1, j + 1, data_matrix_value(x, (size_t) k));
        }
    }
}

static void put_array(FILE *to, const data_matrix *x)
{
    fprintf(to, "%%%%MatrixMarket matrix array real general\n%zu %zu\n", x->n_rows, x->n_cols);
    for (size_t i = 0; i < x->n_rows * x->n_cols; i++) {
        fprintf(to, "%.17g\n", data_matrix_value(x, i));
    }
}

strads_status data_matrix_market_write(const char *path, const data_matrix *matrix)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    const locale_t saved = data_point_begin();
    if (matrix->col_start != NULL) {
        put_coordinate(data_writer_stream(writer), matrix);
    } else {
        put_array(data_writer_stream(writer), matrix);
    }
    data_point_end(saved);
    return data_writer_commit(writer);
}

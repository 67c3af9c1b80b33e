/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/columns.h - puts entries that come in any order (most often row by row)
 * into columns, in little more memory than the result takes.
 */
#ifndef STRADS_DATA_COLUMNS_H
#define STRADS_DATA_COLUMNS_H

#include "data/data.h"

typedef struct data_columns data_columns;

/* `path` is for messages, lent; n_cols is 0 when not known yet. */
STRADS_MUST_CHECK strads_status data_columns_create(data_columns **out, const char *path,
                                                    size_t n_cols);
/* NULL is allowed. */
void data_columns_destroy(data_columns *columns);

/* Adds one entry, from 0; zeros are dropped. */
STRADS_MUST_CHECK strads_status data_columns_add(data_columns *columns, uint32_t row, uint32_t col,
                                                 double value);

/* Adds the entries of `more`, whose rows count from first_row on, and destroys it. */
void data_columns_join(data_columns *columns, data_columns *more, uint32_t first_row);

typedef struct data_entry {
    uint32_t row, col;
    double value;
} data_entry;

/* A way through the entries, which must not be added to meanwhile. */
typedef struct data_columns_cursor {
    const struct bucket *bucket, *last_bucket;
    const struct chunk *chunk;
    const unsigned char *at;
    uint64_t position;
} data_columns_cursor;

/* Begins with the entries of columns [first, last), and some beside them; within a column they come
 * in the order of adding. */
void data_columns_begin(data_columns_cursor *out, data_columns *columns, uint32_t first,
                        uint32_t last);
/* False: that was all. */
bool data_columns_next(data_columns_cursor *cursor, data_entry *out);

/* From now on an entry given twice, the first one by column and row, is put in *twice instead of
 * said; its value is not 0 then. */
void data_columns_keep_twice(data_columns *columns, data_entry *twice);

/* Makes the matrix and leaves `columns` empty. All entries must be inside (asserted). DATA
 * for an entry given twice. The same for any number of threads, > 0. */
STRADS_MUST_CHECK strads_status data_columns_finish(data_columns *columns, size_t n_rows,
                                                    size_t n_cols, bool dense, uint32_t n_threads,
                                                    data_matrix *out);

/* How many entries were added, but for zeros. */
size_t data_columns_entries(const data_columns *columns);

/* Whether so many entries make a matrix dense. */
bool data_columns_dense(size_t n_rows, size_t n_cols, size_t n_entries);

/* An estimate of the most bytes held while a matrix is made this way. */
size_t data_columns_peak_bytes(size_t n_rows, size_t n_cols, size_t n_entries);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/readers.h - the readers of each format, over an opened input.
 *
 * Readers of text make matrices of doubles, which become floats when they are whole. A measure
 * fills all but `bytes`, with the target left out of peak_bytes; for Matrix Market n_entries is
 * what the header states, before zeros are dropped.
 */
#ifndef STRADS_DATA_READERS_H
#define STRADS_DATA_READERS_H

#include "data/columns.h"
#include "data/data.h"
#include "data/input.h"

/* The threads of a source. */
uint32_t data_threads_of(const data_source *source);

#define DATA_BEYOND_FLOAT "beyond the range of float, 0 and 1.2e-38 to 3.4e+38"
/* Checks a finite value of a text; one that a float cannot hold is refused with DATA_FLOAT. */
STRADS_MUST_CHECK strads_status data_check_value(const data_input *input, data_precision precision,
                                                 double value);

/* ---- pieces: ranges of lines that threads read side by side (pieces.c) ---- */

/* Rows of a text that are not a matrix yet, because its width or whether it is dense
 * depends on others; or entries of a Matrix Market file, which are of any rows. */
typedef struct data_piece {
    data_columns *columns; /* NULL: the entries were counted only, and there is no y */
    double *y;             /* [n_rows]; NULL: there is none */
    size_t n_rows, n_entries;
    uint64_t max_index; /* the largest, from 1; 0: none */
    uint64_t n_lines;   /* Matrix Market: that state an entry or a value */
    bool wide;          /* some value is not exact as a float */
    size_t n_joined;    /* pieces that were joined to it */
} data_piece;

/* Reads all lines of an input that is newly opened, or stands behind a header. */
typedef strads_status (*data_piece_reader)(data_piece *out, data_input *input, const void *context,
                                           bool counts_only);

/* How the lines of a text are read. */
typedef struct data_lines {
    const char *path;
    data_piece_reader read;
    const void *context;
    bool counts_only;
} data_lines;

/* A range of a text, and what was read of it. */
typedef struct data_range {
    data_piece piece;
    strads_status status;
    size_t line;                  /* of the file, where something is wrong */
    char fault[DATA_FAULT_BYTES]; /* what is, not said yet; "": it was said */
} data_range;

/* Reads n ranges of a regular file, which are those between cuts[n + 1] in its content, by so many
 * threads, 1 if it is compressed. The ranges are zeros before; what was read of one counts if all
 * before it are OK. */
STRADS_MUST_CHECK strads_status data_ranges_read(data_range *ranges, size_t n, const uint64_t *cuts,
                                                 const data_lines *lines, uint32_t n_threads);
/* The first one where something is wrong, or NULL. */
const data_range *data_ranges_failed(const data_range *ranges, size_t n);

/* Has threads read what is left of an input by `read`, and joins what they have. */
STRADS_MUST_CHECK strads_status data_pieces_read(data_piece *out, data_input *input,
                                                 const data_source *source, data_piece_reader read,
                                                 const void *context, bool counts_only);
/* Makes the matrix of a piece, which must hold its indices; takes the piece either way. */
STRADS_MUST_CHECK strads_status data_piece_finish(data_piece *piece, size_t n_cols, bool dense,
                                                  uint32_t n_threads, data_regression *out);
void data_piece_fini(data_piece *piece); /* one of zeros is allowed */
/* The size of a piece that was counted. */
data_size data_piece_size(const data_piece *piece, size_t n_cols, data_precision precision);

/* ---- formats ---- */

STRADS_MUST_CHECK strads_status data_libsvm_read(data_regression *out, data_input *input,
                                                 const data_source *source);
STRADS_MUST_CHECK strads_status data_libsvm_measure(data_size *out, data_input *input,
                                                    const data_source *source);
/* A data_piece_reader, of a data_source. */
STRADS_MUST_CHECK strads_status data_libsvm_read_piece(data_piece *out, data_input *input,
                                                       const void *source, bool counts_only);
/* *n_cols: what is stated, else the largest index; refuses a file without either, or rows. */
STRADS_MUST_CHECK strads_status data_libsvm_width(const char *path, size_t n_rows,
                                                  uint64_t max_index, size_t *n_cols);

STRADS_MUST_CHECK strads_status data_csv_read(data_regression *out, data_input *input,
                                              const data_source *source);
STRADS_MUST_CHECK strads_status data_csv_target_name(char **out, data_input *input,
                                                     const data_source *source);
STRADS_MUST_CHECK strads_status data_csv_measure(data_size *out, data_input *input,
                                                 const data_source *source);
/* A data_piece_reader, of a csv_header. */
STRADS_MUST_CHECK strads_status data_csv_read_piece(data_piece *out, data_input *input,
                                                    const void *header, bool counts_only);
/* Refuses a file without rows. */
STRADS_MUST_CHECK strads_status data_csv_check_rows(const char *path, size_t n_rows);
/* Whether a newly opened file looks like one. */
bool data_csv_is(const data_input *input);

STRADS_MUST_CHECK strads_status data_matrix_market_read(data_matrix *out, data_input *input,
                                                        const data_source *source);
STRADS_MUST_CHECK strads_status data_matrix_market_measure(data_size *out, data_input *input,
                                                           const data_source *source);
/* Reads up to the first entry of a coordinate file that is general and has values;
 * sizes: how many rows, columns and entries it states. */
STRADS_MUST_CHECK strads_status data_matrix_market_begin(uint64_t sizes[3], data_input *input);

typedef enum data_market_field {
    DATA_MARKET_REAL,
    DATA_MARKET_INTEGER,
    DATA_MARKET_PATTERN
} data_market_field;

/* What a Matrix Market file says before its entries. */
typedef struct data_market {
    bool array, symmetric;
    data_market_field field;
    uint64_t n_rows, n_cols, n_entries; /* n_entries: as stated, coordinate only */
    data_precision precision;
} data_market;

/* Reads it of a newly opened file, up to the first entry or value. */
STRADS_MUST_CHECK strads_status data_market_begin(data_market *out, data_input *input,
                                                  const data_source *source);
/* How many lines with an entry or a value it states. */
uint64_t data_market_lines(const data_market *header);
/* A data_piece_reader, of a data_market: entries have their places. The k-th value of an array,
 * from 0 where reading began, is kept at data_market_put(k), since the place hangs on what is
 * before. */
STRADS_MUST_CHECK strads_status data_market_read_piece(data_piece *out, data_input *input,
                                                       const void *header, bool counts_only);
/* Reads lines, but nothing in them, and says so if another number of entries or values is there
 * than stated, as far as line `last` tells, from 1. */
STRADS_MUST_CHECK strads_status data_market_check_lines(const data_source *source, size_t last);

enum { DATA_MARKET_PUT_BITS = 31 };

static inline data_entry data_market_put(uint64_t k)
{
    return (data_entry){.row = (uint32_t) (k & ((UINT64_C(1) << DATA_MARKET_PUT_BITS) - 1)),
                        .col = (uint32_t) (k >> DATA_MARKET_PUT_BITS)};
}

static inline uint64_t data_market_put_at(data_entry e)
{
    return (uint64_t) e.col << DATA_MARKET_PUT_BITS | e.row;
}

/* The matrix holds floats or doubles as the source wants, from the first value on. */
STRADS_MUST_CHECK strads_status data_npy_read_matrix(data_matrix *out, data_input *input,
                                                     const data_source *source);
/* Rows and columns of a .npy matrix. */
typedef struct data_box {
    size_t first_row, n_rows, first_col, n_cols;
} data_box;

/* The file's own n_rows and n_cols, without its values; refuses it as data_npy_read_matrix. */
STRADS_MUST_CHECK strads_status data_npy_shape(size_t *n_rows, size_t *n_cols, data_input *input,
                                               size_t wanted);
/* Reads boxes of an input that is newly opened. They stand one below the other, in order, and have
 * the same columns; may be empty. Of a compressed file all is read, and what is in no box left. */
STRADS_MUST_CHECK strads_status data_npy_read_boxes(data_matrix *out, const data_box *boxes,
                                                    size_t n, data_input *input,
                                                    data_precision precision);

STRADS_MUST_CHECK strads_status data_npy_measure(data_size *out, data_input *input,
                                                 const data_source *source);

/* A vector: one dimension, or n x 1. */
STRADS_MUST_CHECK strads_status data_npy_read_vector(double **out, size_t *n, data_input *input);

/* What format the source has. */
data_format data_format_of(const data_source *source, const data_input *input);

/* Measures a source by its cache, all but the bytes; *known false: there is none of it. */
STRADS_MUST_CHECK strads_status data_measure_cached(data_size *size, const data_source *source,
                                                    bool *known);

/* The target of y_path, one for each of n_rows. */
STRADS_MUST_CHECK strads_status data_target_of(double **out, const data_source *source,
                                               size_t n_rows);

/* The target file of a source, in any format of data_source.y_path. */
STRADS_MUST_CHECK strads_status data_target_read(double **out, size_t *n, const char *path);

/* What a file that states its size must say: n_rows and n_cols in range, and
 * n_cols as `wanted` unless that is 0. */
STRADS_MUST_CHECK strads_status data_check_size(const data_input *input, uint64_t n_rows,
                                                uint64_t n_cols, size_t wanted);

#endif

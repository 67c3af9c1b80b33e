/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/data.h - matrices with a target: readers, writers, generators.
 *
 * Every reader decompresses gzip by itself, checks every value as it enters
 * (finite, in range, in order) and refuses a bad file with FILE:LINE, the value
 * and what is allowed. On failure nothing is left allocated.
 */
#ifndef STRADS_DATA_H
#define STRADS_DATA_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An n_rows x n_cols matrix by columns. Sparse: column j holds the entries
 * col_start[j] .. col_start[j+1]-1, rows ascending, no stored zeros. Dense
 * (col_start and row are NULL): column j begins at j * n_rows. The values are in one of `value` and
 * `narrow`; the other is NULL. They may be changed in place; the arrays are the matrix's own, freed
 * by data_matrix_fini alone. */
typedef struct data_matrix {
    size_t n_rows, n_cols; /* both > 0 and below 2^32 */
    int64_t *col_start;    /* [n_cols + 1], or NULL: dense */
    uint32_t *row;         /* [entries] */
    double *value;         /* [entries], or [n_cols][n_rows] when dense */
    float *narrow;         /* as many */

    void *map; /* private: NULL, or what the arrays are parts of, a cache that is mapped; what is
                * changed is this process's own */
    size_t map_bytes;
} data_matrix;

/* Frees what the matrix holds; a matrix of zeros is allowed. */
STRADS_API void data_matrix_fini(data_matrix *matrix);

/* The k-th stored value. */
static inline double data_matrix_value(const data_matrix *matrix, size_t k)
{
    return matrix->narrow != NULL ? matrix->narrow[k] : matrix->value[k];
}

/* Stored entries: n_rows * n_cols when dense. */
STRADS_API size_t data_matrix_entries(const data_matrix *matrix);

/* Column j, x_j, with a vector v[n_rows]: x_j'v, v := v + a x_j, and |x_j|^2. */
STRADS_API double data_matrix_dot(const data_matrix *matrix, size_t j, const double *v);
STRADS_API void data_matrix_add(const data_matrix *matrix, size_t j, double a, double *v);
STRADS_API double data_matrix_squares(const data_matrix *matrix, size_t j);

/* v'v of any v[n]. */
STRADS_API double data_squares(const double *v, size_t n);

typedef enum data_format {
    DATA_AUTO, /* by the content: "%%MatrixMarket", "\x93NUMPY", a line of names: CSV; else libsvm
                */
    DATA_LIBSVM,
    DATA_MATRIX_MARKET, /* coordinate | array, real | integer | pattern, general | symmetric */
    DATA_NPY,           /* two-dimensional float64 or float32, C or Fortran order */
    DATA_CSV            /* a line of column names, then a row a line: see below */
} data_format;

/* CSV: names and numbers are parted by ',', ';' or tabs, whichever the first line has most of.
 * Quotes are as in RFC 4180, but a line ends at its end even within quotes. Every column has a name
 * of its own, every value is a finite number: cells that are empty, NA or NaN are refused. */

/* How the values of a matrix are held. A float takes half of a double's memory. Rounding to one
 * changes a value by one part in 2^24 at most: one that is beyond the range in which this is so,
 * 1.2e-38 to 3.4e38 and 0, is refused, unless it is exact. */
typedef enum data_precision {
    DATA_DOUBLE,      /* as doubles */
    DATA_FLOAT,       /* as floats, rounded */
    DATA_EXACT,       /* as floats where nothing is lost by it: .npy of float32, and other formats
                       * all of whose values are exact as floats; else as doubles */
    DATA_EXACT_SPARSE /* the same of a sparse matrix; a dense one as doubles */
} data_precision;

typedef struct data_source {
    const char *path;
    const char *y_path; /* the target: .npy, Matrix Market array, or a number a line;
                         * NULL: the format (libsvm) holds it */
    data_format format;
    data_precision precision; /* of the matrix; a target is of doubles */
    size_t n_cols;            /* below 2^32. The width to give the matrix, for files that do not
                               * state it (an index beyond it is then refused; one that states
                               * another is too); 0: what is stated, or the largest index */
    const char *target;       /* CSV: the column with the target; "": there is none. NULL: the last,
                               * unless       y_path is given or `names` has it */
    const char *const *names; /* [n_cols] CSV: the columns to take, in this order; others are left
                               * out, and the target may be missing. NULL: all */
    const char *cache;  /* where a cache is kept; "": beside the data; NULL: none. Not with names */
    uint32_t n_threads; /* that read; 0: as many as there are cores */
} data_source;

/* A matrix and its target, y[n_rows]. A libsvm, coordinate or CSV file with more than half of its
 * entries not 0 becomes dense, others of these three sparse. y is NULL when there is no y_path and
 * the file holds none. What is read does not depend on the number of threads. */
typedef struct data_regression {
    data_matrix x;
    double *y;
    char **names; /* [n_cols] of the columns, and a NULL, for data_names_free; NULL: the format has
                   * none */
} data_regression;

/* A cache holds what was read of the source but for y_path. It is bound to the path, size and time
 * of change of the source and to the options, is checked when it is taken, and mapped. One that
 * is of something else, or damaged, is said so and made anew. */

STRADS_API STRADS_MUST_CHECK strads_status data_regression_read(data_regression *out,
                                                                const data_source *source);
STRADS_API void data_regression_fini(data_regression *data);
/* The name of the column of a CSV file that is the target, by the first line alone, for
 * strads_free; NULL: there is none, or the format has no names. */
STRADS_API STRADS_MUST_CHECK strads_status data_target_name(char **out, const data_source *source);

/* ---- shares: processes read a source together, and each keeps its part ---- */

typedef enum data_split { DATA_BY_ROWS, DATA_BY_COLUMNS } data_split;

/* What a process has of a source of n_rows x n_cols. Its matrices are dense or sparse as
 * the whole would be, their rows and columns numbered from 0, and may have none of them. With
 * DATA_EXACT each of a file that is read in parts is of floats or doubles by its own values. */
typedef struct data_share {
    size_t n_rows, n_cols;
    /* By rows: one for each worker of the process, in order of rank, and of the rows. By
     * columns: one, with those of all its workers, and with all of y. */
    data_regression *shards;
    size_t n_shards;
    uint32_t *entries; /* [n_cols] stored ones of each column, in all rows */
    uint32_t *firsts;  /* [workers + 1] by columns, where each worker's begin: they have about
                        * equal numbers of entries; NULL by rows */
    char **names;      /* [n_cols] of all columns, as of data_regression */
} data_share;

/* All processes of `part` call. Of a text, compressed or not, each keeps only the lines of a range
 * of bytes; by columns, and of Matrix Market, they then swap entries. Of a .npy file each takes
 * what it keeps. One that is alone reads a pipe, too: whole, before it is cut; several refuse it.
 * Where all have a cache of the same, each takes its part of it; none is made of a source that is
 * read in parts. What is wrong with a text process 0 says, and CLOSED is what the others give. */
STRADS_API STRADS_MUST_CHECK strads_status data_share_read(data_share *out,
                                                           const data_source *source,
                                                           data_split split, strads_part *part);
STRADS_API void data_share_fini(data_share *share);

/* What a source holds, without keeping it: for memory estimates. From the header
 * where the format has one (stated zeros count as entries), by a pass over the
 * file where it has none. */
typedef struct data_size {
    size_t n_rows, n_cols, n_entries;
    bool dense;
    bool narrow;       /* of floats; said only where that is known: see data_regression_measure */
    size_t bytes;      /* what reading leaves in memory */
    size_t peak_bytes; /* the most that reading holds at once */
} data_size;

/* Whether all values of a Matrix Market file are exact as floats is not looked at, unless it is of
 * patterns: it counts as one of doubles. */
STRADS_API STRADS_MUST_CHECK strads_status data_regression_measure(data_size *out,
                                                                   const data_source *source);

/* What each of so many processes, with so many workers in all, holds of a source that they
 * share: its size is that of the whole, its bytes are of the process that has most. */
STRADS_API STRADS_MUST_CHECK strads_status data_share_measure(data_size *out,
                                                              const data_source *source,
                                                              data_split split,
                                                              uint32_t n_processes,
                                                              uint32_t n_workers);

/* One name a line, exactly n of them; owned by the caller, data_names_free. */
STRADS_API STRADS_MUST_CHECK strads_status data_names_read(char ***out, size_t n, const char *path);
STRADS_API void data_names_free(char **names, size_t n);

/* ---- writing: to a temporary file beside `path`, synced, then renamed, so that
 * `path` is whole or not there; the temporary has no name before, where the system can do
 * that ---- */

typedef struct data_writer data_writer;

STRADS_API STRADS_MUST_CHECK strads_status data_writer_open(data_writer **out, const char *path);
/* The same, the temporary being `named` even where it need not. */
STRADS_MUST_CHECK strads_status data_writer_open_as(data_writer **out, const char *path,
                                                    bool named);
/* The stream to write to; errors on it are seen by commit. What is there already
 * under the name must be a regular file. */
STRADS_API FILE *data_writer_stream(data_writer *writer);
/* Ends the file well, or says what failed and removes the temporary. Frees the
 * writer either way. */
STRADS_API STRADS_MUST_CHECK strads_status data_writer_commit(data_writer *writer);
/* As commit, but does not wait for the disk: for what can be made again, and is checked when it
 * is read. */
STRADS_MUST_CHECK strads_status data_writer_publish(data_writer *writer);
/* Gives the file up. NULL is allowed. */
STRADS_API void data_writer_abandon(data_writer *writer);

/* Writes a float64 .npy file, version 1.0: values[n_rows] of one dimension when
 * n_cols is 0, else the matrix values[n_cols][n_rows] (Fortran order). */
STRADS_API STRADS_MUST_CHECK strads_status data_npy_write(const char *path, const double *values,
                                                          size_t n_rows, size_t n_cols);
/* Reads a .npy vector, one-dimensional or n x 1, float64 or float32; owned by the
 * caller. */
STRADS_API STRADS_MUST_CHECK strads_status data_npy_read(double **out, size_t *n, const char *path);

/* Writes libsvm text (1-based, %.17g); y must be there (asserted). */
STRADS_API STRADS_MUST_CHECK strads_status data_libsvm_write(const char *path,
                                                             const data_regression *data);
/* Writes Matrix Market: coordinate for a sparse matrix, array for a dense one. */
STRADS_API STRADS_MUST_CHECK strads_status data_matrix_market_write(const char *path,
                                                                    const data_matrix *matrix);

/* ---- text: documents with a target become binary words ---- */

typedef struct data_words_options {
    uint32_t min_documents; /* a word in fewer documents is dropped, >= 1 */
    double test_fraction;   /* of the documents, drawn by `seed`; 0: no test file */
    uint64_t seed;
} data_words_options;

/* What data_words_convert wrote. */
typedef struct data_words_counts {
    size_t n_train, n_test, n_words, n_entries;
} data_words_counts;

/* Reads lines "TARGET<TAB>TEXT", cuts TEXT into words (runs of ASCII letters and
 * digits with at least one letter, at least two bytes, lower-cased) and writes
 * `out_prefix`.libsvm, `out_prefix`.test.libsvm (when asked for) and
 * `out_prefix`.words, whose line k names column k. Words are in alphabetical
 * order; a document without words is kept as a row of zeros. */
STRADS_API STRADS_MUST_CHECK strads_status data_words_convert(const char *path,
                                                              const char *out_prefix,
                                                              const data_words_options *options,
                                                              data_words_counts *counts);

/* ---- generated regressions ---- */

typedef struct data_lasso_design {
    size_t n_rows, n_cols;
    size_t column_entries; /* nonzeros a column of a sparse design; 0: dense AR(1) */
    double correlation;    /* [0, 1): of a column with the one before it */
    double shared;         /* [0, 1]: share of sparse columns that take the support of the
                            * one before them (the rest are fresh); ignored when dense */
    size_t n_informative;  /* columns with a true coefficient, <= n_cols */
    double noise;          /* standard deviation of the noise over that of the signal */
    uint64_t seed;
} data_lasso_design;

/* Unit-norm columns, y = X b + noise; the same for the same options, and on any
 * machine up to the last bit of its C library's log(). coefficients, when not NULL, receives
 * b[n_cols], owned by the caller. */
STRADS_API STRADS_MUST_CHECK strads_status data_lasso_generate(data_regression *out,
                                                               double **coefficients,
                                                               const data_lasso_design *design);

#ifdef __cplusplus
}
#endif

#endif

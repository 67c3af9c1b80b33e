/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/counts.h - large matrices of whole numbers, of which no copy is held: .npy files of uint32
 * by rows that are written row by row and read in place, and Matrix Market entries as they come.
 */
#ifndef STRADS_DATA_COUNTS_H
#define STRADS_DATA_COUNTS_H

#include "data/data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- dense, .npy ---- */

typedef struct data_counts {
    size_t n_rows, n_cols;
    const uint32_t *values; /* [n_rows][n_cols], pages of the file itself */

    void *map; /* private */
    size_t map_bytes;
} data_counts;

/* Maps a .npy file of two dimensions, little-endian uint32 in C order. Whole files alone are
 * taken: what is cut short, or longer than it says, is refused. */
STRADS_API STRADS_MUST_CHECK strads_status data_counts_map(data_counts *out, const char *path);
STRADS_API void data_counts_fini(data_counts *counts); /* one of zeros is allowed */

typedef struct data_counts_writer data_counts_writer;

STRADS_API STRADS_MUST_CHECK strads_status data_counts_writer_open(data_counts_writer **out,
                                                                   const char *path, size_t n_rows,
                                                                   size_t n_cols);
/* Writes values[n_cols] as a row; in any order of rows, each once. An error is seen by commit. */
STRADS_API void data_counts_writer_put(data_counts_writer *writer, size_t row,
                                       const uint32_t *values);
/* After all rows (asserted), as data_writer_commit; and abandon as data_writer_abandon. */
STRADS_API STRADS_MUST_CHECK strads_status data_counts_writer_commit(data_counts_writer *writer);
STRADS_API void data_counts_writer_abandon(data_counts_writer *writer);

/* ---- sparse, Matrix Market coordinate integer ---- */

typedef struct data_entries_writer data_entries_writer;

STRADS_API STRADS_MUST_CHECK strads_status data_entries_writer_open(data_entries_writer **out,
                                                                    const char *path, size_t n_rows,
                                                                    size_t n_cols);
/* Writes n entries of a row, both numbered from 0; in any order of rows. */
STRADS_API void data_entries_writer_put(data_entries_writer *writer, size_t row,
                                        const uint32_t *columns, const uint32_t *values, size_t n);
STRADS_API STRADS_MUST_CHECK strads_status data_entries_writer_commit(data_entries_writer *writer);
STRADS_API void data_entries_writer_abandon(data_entries_writer *writer);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/npy_parts.h - a .npy file that is read: its header is read by npy_header.c, its values by
 * npy.c, those of parts by npy_boxes.c. */
#ifndef STRADS_DATA_NPY_PARTS_H
#define STRADS_DATA_NPY_PARTS_H

#include "data/readers.h"

typedef struct npy {
    data_input *input;
    bool is_float, fortran; /* what it holds */
    bool narrow;            /* whether floats are made of it, or doubles */
    size_t n_dims;
    uint64_t shape[2];  /* 1 where there is no dimension */
    uint64_t n_read;    /* values so far, for messages */
    uint64_t values_at; /* where they begin in the file, and */
    bool in_place;      /* whether they are read from the place of n_read on */
} npy;

/* Reads up to the first value; `narrow` is false. */
STRADS_MUST_CHECK strads_status npy_read_header(npy *file, data_input *input);

/* Reads the next n values, of the type that is made. */
STRADS_MUST_CHECK strads_status npy_read_values(npy *file, void *out, size_t n);
/* How many rows of so many columns are turned at a time. */
size_t npy_rows_a_block(size_t n_rows, size_t n_cols);
/* Puts n rows, of as many columns as the matrix, into it from `first` on. */
void npy_turn_rows(const data_matrix *x, size_t first, const void *rows, size_t n);

/* After n values; both return DATA. */
strads_status npy_refuse_short(const npy *file, uint64_t n_values);
strads_status npy_refuse_rest(const data_input *input);
STRADS_MUST_CHECK strads_status npy_expect_end(data_input *input);

/* Writes the header of float64 values, as of data_npy_write. */
void npy_write_header(FILE *to, size_t n_rows, size_t n_cols);

#endif

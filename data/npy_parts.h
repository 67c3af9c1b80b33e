/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/npy_parts.h - a .npy file that is read: its header is read by npy_header.c, its values by
 * npy.c. */
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
/* Writes the header of float64 values, as of data_npy_write. */
void npy_write_header(FILE *to, size_t n_rows, size_t n_cols);

#endif

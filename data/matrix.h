/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/matrix.h - values as doubles or as floats, for those who make matrices. */
#ifndef STRADS_DATA_MATRIX_H
#define STRADS_DATA_MATRIX_H

#include <float.h>
#include <math.h>

#include "data/data.h"

/* Whether a float is the same number. */
static inline bool data_is_float(double value)
{
    return (double) (float) value == value;
}

/* Whether rounding to a float keeps it: neither overflows nor loses more than the last bit. */
static inline bool data_fits_float(double value)
{
    return isfinite((float) value) && (fabs(value) >= (double) FLT_MIN || data_is_float(value));
}

/* Whether a matrix is to hold floats, if all its values are exact as such or not. */
bool data_is_narrow(data_precision precision, bool dense, bool exact);

static inline size_t data_value_bytes(bool narrow)
{
    return narrow ? sizeof(float) : sizeof(double);
}

/* The k-th value, in memory; those that follow are behind it. */
static inline void *data_values_from(const data_matrix *x, size_t k)
{
    return x->narrow != NULL ? (void *) (x->narrow + k) : (void *) (x->value + k);
}

/* Gives a matrix room for n values. */
STRADS_MUST_CHECK strads_status data_values_alloc(data_matrix *x, size_t n, bool narrow);

/* Makes the doubles of a matrix floats, in place, where the precision wants that. For DATA_FLOAT
 * all must fit. */
void data_matrix_narrow(data_matrix *x, data_precision precision);

#endif

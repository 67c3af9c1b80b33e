/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/toy_state.h - what the callbacks of the toy program share; see toy.h. */
#ifndef STRADS_TESTS_TOY_STATE_H
#define STRADS_TESTS_TOY_STATE_H

#include <stdatomic.h>

#include "tests/support/toy.h"

extern toy_problem *toy_in_use;
extern _Atomic uint32_t toy_n_open;
extern _Atomic uint64_t toy_n_sweeps;

/* The memory; ends the program when that is NULL. */
void *toy_must(void *memory);

const double *toy_column(uint32_t j); /* [n_rows] of X */
double toy_dot(const double *a, const double *b, size_t n);
double toy_ridge(double stage);

/* Counts a call. OK, or the status it is to fail with; *nan: it is to give NaN. */
strads_status toy_begin(toy_callback callback, bool *nan);
strads_status toy_begin_plain(toy_callback callback);

/* Adds to the record. Any thread. */
void toy_note(toy_event event, const uint32_t *vars);

/* Keeps what save was given. */
void toy_keep(const double *values);

#endif

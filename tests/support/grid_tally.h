/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/grid_tally.h - a table beside the grid of grid_case.h, in which each worker counts
 * what it does, and a log of the same that all processes share: each read is held to it.
 */
#ifndef STRADS_TESTS_GRID_TALLY_H
#define STRADS_TESTS_GRID_TALLY_H

#include "ssp/ssp.h"

/* An empty log, which the processes that fork from now on share. */
void grid_tally_begin(void);

/* Counts one for the worker, and reads what all have counted: no less than the staleness of the
 * session promises, no more than was done, and all of its own. */
STRADS_MUST_CHECK strads_status grid_tally_count(ssp_session *session, uint32_t rank);

/* After a barrier: reads what all have counted, which is all that was done, at equal clocks. */
STRADS_MUST_CHECK strads_status grid_tally_look(ssp_session *session);

/* Of all workers since grid_tally_begin. */
uint32_t grid_tally_n_counts(void);
uint32_t grid_tally_n_wrong(void); /* reads */

#endif

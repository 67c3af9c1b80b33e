/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/worker_work.h - how much work a worker's callbacks do, told to net/ where that
 * decides what time they take (net_work).
 *
 * The unit is the program's `cost`, which is that of an update: two products with a
 * column, one to look at it and one to change the shared state.
 */
#ifndef STRADS_STRADS_WORKER_WORK_H
#define STRADS_STRADS_WORKER_WORK_H

#include "strads/strads.h"

/* A block is about to be pushed: fetching it counts as one update of each variable. */
void worker_count_block(strads_worker *worker, const strads_block *block);
/* n variables of that block were updated. */
void worker_count_updates(strads_worker *worker, double n);
/* The shared state, n numbers, was gone through a few times. */
void worker_count_numbers(strads_worker *worker, size_t n);
/* vars[n] were scored, or the whole range (NULL). */
void worker_count_looks(strads_worker *worker, const uint32_t *vars, size_t n);
/* The pairs were compared that are this worker's to answer. */
void worker_count_pairs(strads_worker *worker, const strads_pairs *pairs);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/working_set.h - which variables a plan solves together.
 *
 * The set keeps the variables whose value is not 0 or that still violate their
 * optimum, and takes in as many again of those that violate it most, 500 at least.
 * Between scans of everything only a pool is scored: the variables, one in a
 * hundred, that are nearest to entering. Sets chosen by violation and growing with the support:
 * Massias, Gramfort, Salmon, "Celer", ICML 2018.
 */
#ifndef STRADS_STRADS_WORKING_SET_H
#define STRADS_STRADS_WORKING_SET_H

#include "base/base.h"

typedef struct working_set {
    uint32_t n_vars;

    uint32_t *vars;   /* [n] the set, ascending */
    uint32_t *places; /* [n] where in the pool */
    size_t n;
    uint8_t *inside; /* [n_vars] 1: in the set */

    uint32_t *pool; /* [n_pool] ascending; holds the set */
    float *scores;  /* [n_pool] of the pool, as of the last scan */
    size_t n_pool;

    uint32_t scans_left;  /* of the pool, before everything is to be scanned again */
    double outside;       /* the largest score outside the set, as of the last scan */
    double whole_outside; /* that of the last scan of everything */

    uint32_t *spare; /* [n_vars] */
} working_set;

STRADS_MUST_CHECK strads_status working_set_init(working_set *set, uint32_t n_vars);
void working_set_fini(working_set *set);

/* How many variables the next pool should have. */
size_t working_set_pool_size(const working_set *set);

/* A worker's part of a pool: positions[n] are, ascending, those whose score is above
 * `bar`; takes in kept[n_kept], ascending too, and returns the new n. spare[n_kept] is
 * scratch. */
size_t working_set_add_kept(const float *scores, float bar, const uint32_t *kept, size_t n_kept,
                            uint32_t *positions, size_t n, uint32_t *spare);

/* Takes set->pool[n_pool] with set->scores as the new pool, which the caller has filled
 * in after a scan of everything; it holds the set. */
void working_set_scan_all(working_set *set, size_t n_pool);

/* Takes set->scores, the pool's, which the caller has filled in. */
void working_set_scan_pool(working_set *set);

/* Chooses the next set, set->vars; values are all variables'. */
void working_set_choose(working_set *set, const double *values);

#endif

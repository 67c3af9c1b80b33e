/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/policy.h - what a policy is, and the state that all of them share.
 *
 * prioritizer.c keeps the scores and the pool of variables that can be drawn; a
 * policy decides which to draw and keeps what it needs for that in `state`.
 * Every policy is one file that ends in its table.
 */
#ifndef STRADS_PRIORITIZER_POLICY_H
#define STRADS_PRIORITIZER_POLICY_H

#include "base/random.h"
#include "prioritizer/pool.h"
#include "prioritizer/prioritizer.h"
#include "prioritizer/sum_tree.h"

enum { PRIO_STRIP = 32 }; /* variables that a scan of the scores looks at together */

/* The order of calls: init once; then draw, and vars_changed or range_changed
 * after every change of a score or of the pool that the policy did not make
 * itself; fini last. All but draw may be NULL: nothing to do. */
typedef struct prio_policy_table {
    /* Sets prio->state; the scores are 1 and all variables open. NOMEM is not logged. */
    strads_status (*init)(prioritizer *prio);
    void (*fini)(prioritizer *prio);

    void (*vars_changed)(prioritizer *prio, const uint32_t *vars, size_t n);
    void (*range_changed)(prioritizer *prio, uint32_t first, uint32_t n);

    /* Chooses up to n open variables and takes each with prio_take. */
    size_t (*draw)(prioritizer *prio, size_t n, double floor, uint32_t *vars);

    /* The sum of the scores above 0 that can be drawn; NULL: not known. */
    double (*sum)(const prioritizer *prio);

    /* Bytes that init allocated. */
    size_t (*bytes)(const prioritizer *prio);
} prio_policy_table;

struct prioritizer {
    prio_options options;
    const prio_policy_table *policy;
    strads_random random;
    float *scores;       /* [n_vars], and zeros to a whole strip; aligned to a cache line */
    void *scores_memory; /* what to free */
    prio_pool pool;      /* neither out nor retired */
    uint32_t n_positive; /* variables of the pool with a score above 0 */
    union {
        prio_sum_tree tree; /* sampled */
        uint32_t *scratch;  /* greedy: [n_vars] */
        uint32_t cursor;    /* cyclic: where to go on */
    } state;
};

/* Marks a variable of the pool as out. */
void prio_take(prioritizer *prio, uint32_t var);

extern const prio_policy_table prio_sampled, prio_greedy, prio_uniform, prio_cyclic;

#endif

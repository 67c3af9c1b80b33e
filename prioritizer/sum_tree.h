/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/sum_tree.h - draws with probability proportional to a score.
 *
 * A variable weighs its score when it is open and the score is positive, nothing
 * otherwise. The tree does not store these weights: it keeps the double sums of
 * every 16 variables, of every 16 of those, and so on, 0.53 bytes a variable, one
 * or two cache lines a node's children.
 *
 * A sum is never patched by a difference. It is added up afresh, left to right,
 * from its 16 children whenever one of them changed, so that it cannot drift: the
 * tree is at all times, bit for bit, the one that would be built anew.
 */
#ifndef STRADS_PRIORITIZER_SUM_TREE_H
#define STRADS_PRIORITIZER_SUM_TREE_H

#include "base/base.h"

enum { PRIO_SUM_TREE_FAN = 16, PRIO_SUM_TREE_LEVELS = 7 }; /* 16 * 16^7 = 2^32 variables */

typedef struct prio_sum_tree {
    const float *scores;  /* lent; padded to whole blocks of 16 and aligned to 64 bytes */
    const uint64_t *open; /* lent; a bit a variable, zeros in the padding */
    uint32_t n_levels;
    size_t n_nodes[PRIO_SUM_TREE_LEVELS];
    double *sums[PRIO_SUM_TREE_LEVELS]; /* [level][node], padded with zeros to 16s */
    void *memory;
    size_t bytes; /* of memory */
} prio_sum_tree;

/* A tree over n_vars > 0 variables, all sums zero; pair with fini. `scores` and
 * `open` must outlive it. NOMEM is not logged. */
STRADS_MUST_CHECK strads_status prio_sum_tree_init(prio_sum_tree *tree, uint32_t n_vars,
                                                   const float *scores, const uint64_t *open);
void prio_sum_tree_fini(prio_sum_tree *tree);

/* Brings the sums up to date after variables first .. first+n-1, or those listed,
 * changed their score or their bit. */
void prio_sum_tree_refresh_range(prio_sum_tree *tree, uint32_t first, uint32_t n);
void prio_sum_tree_refresh(prio_sum_tree *tree, const uint32_t *vars, size_t n);

/* The sum of all weights. */
double prio_sum_tree_total(const prio_sum_tree *tree);

/* Finds for each target, in [0, total), the variable on whose stretch of the sum
 * it lies; never one that weighs nothing. All go down together, a level at a time,
 * so that their cache misses overlap. Destroys the targets. */
void prio_sum_tree_find(const prio_sum_tree *tree, double *targets, uint32_t *vars, size_t n);

#endif

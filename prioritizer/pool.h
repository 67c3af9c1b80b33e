/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/pool.h - which variables can be drawn: neither out nor retired.
 *
 * A bit a variable, and a tree of counts over them with 16 children a node, so
 * that the k-th open variable is found in O(log J). About 0.13 bytes a variable.
 */
#ifndef STRADS_PRIORITIZER_POOL_H
#define STRADS_PRIORITIZER_POOL_H

#include "base/base.h"

enum { PRIO_POOL_LEVELS = 6 }; /* 2^32 variables = 2^10 a block * 2^2 * 16^5 */

typedef struct prio_pool {
    uint32_t n_vars;
    uint32_t n_open;
    uint32_t n_levels;
    size_t n_words;
    uint64_t *words;                    /* bit j % 64 of word j / 64: j is open; zeros to the end */
    uint32_t *counts[PRIO_POOL_LEVELS]; /* open variables among 2^10, 2^14, ... */
    size_t bytes;                       /* held by the arrays */
} prio_pool;

/* A pool of n_vars > 0 open variables; pair with fini. NOMEM is not logged. */
STRADS_MUST_CHECK strads_status prio_pool_init(prio_pool *pool, uint32_t n_vars);
void prio_pool_fini(prio_pool *pool);

static inline bool prio_pool_has(const prio_pool *pool, uint32_t var)
{
    return (pool->words[var / 64] >> (var % 64) & 1) != 0;
}

/* Closes an open variable; opens a closed one (both asserted). */
void prio_pool_close(prio_pool *pool, uint32_t var);
void prio_pool_open(prio_pool *pool, uint32_t var);

/* The open variable that has k open ones before it, k < n_open. */
uint32_t prio_pool_select(const prio_pool *pool, uint32_t k);

/* The first open variable that is not below `from`, which is below n_vars; n_vars
 * when there is none. */
uint32_t prio_pool_next(const prio_pool *pool, uint32_t from);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/sum_tree.c - a tree of sums with 16 children a node. */
#include "prioritizer/sum_tree.h"

#include <assert.h>
#include <float.h>

#include "prioritizer/cache.h"

enum { FAN = PRIO_SUM_TREE_FAN, FAN_SHIFT = 4, LINE_DOUBLES = 8 };

/* The weights of the 16 variables of a block. */
static inline void block_weights(const prio_sum_tree *tree, size_t block, double *weights)
{
    static const uint32_t bits[FAN] = {1 << 0,  1 << 1,  1 << 2,  1 << 3, 1 << 4,  1 << 5,
                                       1 << 6,  1 << 7,  1 << 8,  1 << 9, 1 << 10, 1 << 11,
                                       1 << 12, 1 << 13, 1 << 14, 1 << 15};
    const float *scores = tree->scores + block * FAN;
    const uint32_t open = (uint32_t) (tree->open[block / 4] >> (block % 4 * FAN));
    for (size_t i = 0; i < FAN; i++) {
        const float positive = scores[i] > 0.0F ? scores[i] : 0.0F;
        weights[i] = (open & bits[i]) != 0 ? (double) positive : 0.0;
    }
}

static inline double sum_of(const double *weights)
{
    double sum = 0.0;
    for (size_t i = 0; i < FAN; i++) {
        sum += weights[i];
    }
    return sum;
}

static inline double block_sum(const prio_sum_tree *tree, size_t block)
{
    double weights[FAN];
    block_weights(tree, block, weights);
    return sum_of(weights);
}

/* The child on whose stretch of the sum *target lies, and what is left of *target
 * inside it. With the prefix sums p_k, added in sum_of's order, p_15 is the stored
 * sum and *target < p_15; so the count of p_k <= *target is a child, and as its
 * p_k exceeds p_{k-1} its weight is not zero. What is left can round up to that
 * weight, and is held below it. */
static inline uint32_t child_at(const double *weights, double *target)
{
    const double just_below_one = 1.0 - DBL_EPSILON / 2;
    double prefix = 0.0;
    double before = 0.0;
    uint32_t child = 0;
    for (size_t i = 0; i < FAN; i++) {
        prefix += weights[i];
        const bool passed = prefix <= *target;
        before = passed ? prefix : before;
        child += passed;
    }
    assert(child < FAN);
    const double left = *target - before;
    const double most = weights[child] * just_below_one;
    *target = left < most ? left : most;
    return child;
}

static inline void prefetch_children(const double *first)
{
    __builtin_prefetch(first);
    __builtin_prefetch(first + LINE_DOUBLES);
}

strads_status prio_sum_tree_init(prio_sum_tree *tree, uint32_t n_vars, const float *scores,
                                 const uint64_t *open)
{
    assert(n_vars > 0 && (uintptr_t) scores % PRIO_LINE_BYTES == 0);
    prio_sum_tree made = {.scores = scores, .open = open};
    size_t first[PRIO_SUM_TREE_LEVELS];
    size_t n_sums = 0;
    size_t width = n_vars;
    do {
        assert(made.n_levels < PRIO_SUM_TREE_LEVELS);
        width = (width + FAN - 1) / FAN;
        first[made.n_levels] = n_sums;
        made.n_nodes[made.n_levels++] = width;
        n_sums += (width + FAN - 1) / FAN * FAN;
    } while (width > FAN);

    void *sums = NULL;
    made.memory = prio_alloc_lines(n_sums * sizeof(double), &sums);
    if (made.memory == NULL) {
        return STRADS_ERR_NOMEM;
    }
    made.bytes = n_sums * sizeof(double) + PRIO_LINE_BYTES;
    for (uint32_t level = 0; level < made.n_levels; level++) {
        made.sums[level] = (double *) sums + first[level];
    }
    *tree = made;
    return STRADS_OK;
}

void prio_sum_tree_fini(prio_sum_tree *tree)
{
    strads_free(tree->memory);
}

static void refresh_nodes(prio_sum_tree *tree, uint32_t level, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        tree->sums[level][i] =
            level == 0 ? block_sum(tree, i) : sum_of(tree->sums[level - 1] + i * FAN);
    }
}

void prio_sum_tree_refresh_range(prio_sum_tree *tree, uint32_t first, uint32_t n)
{
    if (n == 0) {
        return;
    }
    size_t from = first;
    size_t to = (size_t) first + n - 1;
    for (uint32_t level = 0; level < tree->n_levels; level++) {
        from >>= FAN_SHIFT;
        to >>= FAN_SHIFT;
        refresh_nodes(tree, level, from, to);
    }
}

/* Turns nodes into their parents, leaving out one that repeats the one before it;
 * returns how many are left. */
static size_t parents_of(uint32_t *nodes, size_t n)
{
    size_t n_parents = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t parent = nodes[i] >> FAN_SHIFT;
        if (n_parents == 0 || nodes[n_parents - 1] != parent) {
            nodes[n_parents++] = parent;
        }
    }
    return n_parents;
}

/* `nodes` holds variables and is used up. A level with fewer nodes than were
 * touched is summed whole. */
static void refresh_batch(prio_sum_tree *tree, uint32_t *nodes, size_t n)
{
    for (uint32_t level = 0; level < tree->n_levels; level++) {
        double *sums = tree->sums[level];
        n = parents_of(nodes, n);
        if (tree->n_nodes[level] <= n) {
            refresh_nodes(tree, level, 0, tree->n_nodes[level] - 1);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            prefetch_children(sums + nodes[i] / FAN * FAN);
        }
        for (size_t i = 0; i < n; i++) {
            refresh_nodes(tree, level, nodes[i], nodes[i]);
        }
    }
}

void prio_sum_tree_refresh(prio_sum_tree *tree, const uint32_t *vars, size_t n)
{
    uint32_t nodes[PRIO_BATCH];
    for (size_t done = 0; done < n; done += PRIO_BATCH) {
        const size_t n_batch = n - done < PRIO_BATCH ? n - done : PRIO_BATCH;
        for (size_t i = 0; i < n_batch; i++) {
            nodes[i] = vars[done + i];
        }
        refresh_batch(tree, nodes, n_batch);
    }
}

double prio_sum_tree_total(const prio_sum_tree *tree)
{
    return sum_of(tree->sums[tree->n_levels - 1]);
}

void prio_sum_tree_find(const prio_sum_tree *tree, double *targets, uint32_t *vars, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        vars[i] = 0;
    }
    for (uint32_t level = tree->n_levels; level-- > 1;) {
        for (size_t i = 0; i < n; i++) {
            const size_t first = (size_t) vars[i] * FAN;
            vars[i] = (uint32_t) first + child_at(tree->sums[level] + first, &targets[i]);
            prefetch_children(tree->sums[level - 1] + (size_t) vars[i] * FAN);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const size_t first = (size_t) vars[i] * FAN;
        vars[i] = (uint32_t) first + child_at(tree->sums[0] + first, &targets[i]);
        __builtin_prefetch(tree->scores + (size_t) vars[i] * FAN);
        __builtin_prefetch(tree->open + vars[i] / 4);
    }
    for (size_t i = 0; i < n; i++) {
        double weights[FAN];
        block_weights(tree, vars[i], weights);
        vars[i] = vars[i] * FAN + child_at(weights, &targets[i]);
    }
}

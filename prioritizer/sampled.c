/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/sampled.c - with probability proportional to max(score, 0) + e, where e
 * is the floor of the call.
 *
 * One file serves priorities by |delta| and by violation: they differ only in
 * what the caller puts into the scores.
 *
 * The weights are a mixture: with S the sum of the positive scores and A the
 * number of open variables, a draw is uniform over the open ones with probability
 * e A / (S + e A), and proportional to the scores otherwise. So e follows the
 * scores at no cost, and is no part of the sum tree.
 *
 * Without replacement: a batch is drawn with replacement, repetitions are dropped,
 * and what is missing is drawn again from the variables that are left. That has
 * the distribution of drawing one by one.
 */
#include "prioritizer/cache.h"
#include "prioritizer/policy.h"

static strads_status init(prioritizer *prio)
{
    const uint32_t n_vars = prio->options.n_vars;
    const strads_status status =
        prio_sum_tree_init(&prio->state.tree, n_vars, prio->scores, prio->pool.words);
    if (status == STRADS_OK) {
        prio_sum_tree_refresh_range(&prio->state.tree, 0, n_vars);
    }
    return status;
}

static void fini(prioritizer *prio)
{
    prio_sum_tree_fini(&prio->state.tree);
}

static void vars_changed(prioritizer *prio, const uint32_t *vars, size_t n)
{
    prio_sum_tree_refresh(&prio->state.tree, vars, n);
}

static void range_changed(prioritizer *prio, uint32_t first, uint32_t n)
{
    prio_sum_tree_refresh_range(&prio->state.tree, first, n);
}

static size_t bytes(const prioritizer *prio)
{
    return prio->state.tree.bytes;
}

static double sum(const prioritizer *prio)
{
    return prio_sum_tree_total(&prio->state.tree);
}

/* Draws n variables of the pool with replacement, n <= PRIO_BATCH. */
static void pick(prioritizer *prio, double weight, double extra, uint32_t *vars, size_t n)
{
    const double scored = weight / (weight + extra);
    double targets[PRIO_BATCH];
    uint32_t found[PRIO_BATCH];
    size_t slots[PRIO_BATCH] = {0}; /* of the targets among vars */
    size_t n_targets = 0;
    for (size_t i = 0; i < n; i++) {
        if (strads_random_uniform(&prio->random) < scored) {
            targets[n_targets] = strads_random_uniform(&prio->random) * weight;
            slots[n_targets++] = i;
        } else {
            const uint64_t k = strads_random_below(&prio->random, prio->pool.n_open);
            vars[i] = prio_pool_select(&prio->pool, (uint32_t) k);
        }
    }
    prio_sum_tree_find(&prio->state.tree, targets, found, n_targets);
    for (size_t i = 0; i < n_targets; i++) {
        vars[slots[i]] = found[i];
    }
}

/* Takes those of the n picked variables that are still in the pool, and moves
 * them to the front; returns how many. */
static size_t take(prioritizer *prio, uint32_t *vars, size_t n)
{
    size_t n_taken = 0;
    for (size_t i = 0; i < n; i++) {
        if (prio_pool_has(&prio->pool, vars[i])) {
            prio_take(prio, vars[i]);
            vars[n_taken++] = vars[i];
        }
    }
    prio_sum_tree_refresh(&prio->state.tree, vars, n_taken);
    return n_taken;
}

static size_t draw(prioritizer *prio, size_t n, double floor, uint32_t *vars)
{
    size_t n_drawn = 0;
    while (n_drawn < n) {
        const double weight = prio_sum_tree_total(&prio->state.tree);
        const double extra = floor * prio->pool.n_open;
        if (!(weight + extra > 0.0)) {
            break;
        }
        const size_t n_batch = n - n_drawn < PRIO_BATCH ? n - n_drawn : PRIO_BATCH;
        pick(prio, weight, extra, vars + n_drawn, n_batch);
        n_drawn += take(prio, vars + n_drawn, n_batch);
    }
    return n_drawn;
}

const prio_policy_table prio_sampled = {.init = init,
                                        .fini = fini,
                                        .vars_changed = vars_changed,
                                        .range_changed = range_changed,
                                        .draw = draw,
                                        .sum = sum,
                                        .bytes = bytes};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/uniform.c - every open variable with equal probability (Shotgun). */
#include "prioritizer/policy.h"

static size_t draw(prioritizer *prio, size_t n, double floor, uint32_t *vars)
{
    (void) floor;
    for (size_t i = 0; i < n; i++) {
        const uint64_t k = strads_random_below(&prio->random, prio->pool.n_open);
        vars[i] = prio_pool_select(&prio->pool, (uint32_t) k);
        prio_take(prio, vars[i]);
    }
    return n;
}

const prio_policy_table prio_uniform = {.draw = draw};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/cyclic.c - one after another, round and round; who is out is passed by. */
#include "prioritizer/policy.h"

static size_t draw(prioritizer *prio, size_t n, double floor, uint32_t *vars)
{
    (void) floor;
    const uint32_t n_vars = prio->options.n_vars;
    for (size_t i = 0; i < n; i++) {
        uint32_t var = prio_pool_next(&prio->pool, prio->state.cursor);
        if (var == n_vars) {
            var = prio_pool_next(&prio->pool, 0);
        }
        vars[i] = var;
        prio_take(prio, var);
        prio->state.cursor = var + 1 < n_vars ? var + 1 : 0;
    }
    return n;
}

const prio_policy_table prio_cyclic = {.draw = draw};

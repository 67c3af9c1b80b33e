/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/rule.c - what a table may do with increments instead of adding them. */
#include <assert.h>
#include <math.h>

#include "ssp/ssp.h"

static void apply_adagrad(const ssp_rule *rule, double *row, double *state, const double *deltas,
                          uint32_t columns)
{
    const double rate = rule->params[0];
    const double epsilon = rule->params[1];
    for (uint32_t j = 0; j < columns; j++) {
        state[j] += deltas[j] * deltas[j];
        row[j] -= rate * deltas[j] / (epsilon + sqrt(state[j]));
    }
}

ssp_rule ssp_rule_adagrad(double rate, double epsilon)
{
    assert(rate > 0.0 && epsilon > 0.0);
    return (ssp_rule){
        .name = "adagrad", .apply = apply_adagrad, .n_states = 1, .params = {rate, epsilon}};
}

static void apply_proximal(const ssp_rule *rule, double *row, double *state, const double *deltas,
                           uint32_t columns)
{
    (void) state;
    const double threshold = rule->params[0];
    for (uint32_t j = 0; j < columns; j++) {
        const double moved = row[j] + deltas[j];
        row[j] = deltas[j] == 0.0 ? row[j] : copysign(fmax(fabs(moved) - threshold, 0.0), moved);
    }
}

ssp_rule ssp_rule_proximal(double threshold)
{
    assert(threshold >= 0.0);
    return (ssp_rule){.name = "proximal", .apply = apply_proximal, .params = {threshold}};
}

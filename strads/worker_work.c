/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker_work.c - what callbacks cost, in units. */
#include "strads/worker_work.h"

#include "strads/worker_state.h"

static double units_of(const strads_worker *worker, uint32_t var)
{
    const worker_options *options = &worker->options;
    return options->app->cost == NULL ? 1.0 : options->app->cost(options->site, var);
}

static double sum_units(const strads_worker *worker, const uint32_t *vars, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += units_of(worker, vars == NULL ? worker->options.first + (uint32_t) i : vars[i]);
    }
    return sum;
}

void worker_count_updates(strads_worker *worker, double n)
{
    if (worker->mean_units > 0.0) {
        net_work(worker->node, n * worker->mean_units);
    }
}

void worker_count_numbers(strads_worker *worker, size_t n)
{
    net_work(worker->node, (double) n);
}

void worker_count_looks(strads_worker *worker, const uint32_t *vars, size_t n)
{
    if (!net_counts_work(worker->node)) {
        return;
    }
    if (vars == NULL && worker->range_units < 0.0) {
        worker->range_units = sum_units(worker, NULL, n);
    }
    net_work(worker->node, 0.5 * (vars == NULL ? worker->range_units : sum_units(worker, vars, n)));
}

void worker_count_block(strads_worker *worker, const strads_block *block)
{
    worker->mean_units = 0.0;
    if (net_counts_work(worker->node) && block->n_vars > 0) {
        worker->mean_units = sum_units(worker, block->vars, block->n_vars) / block->n_vars;
        worker_count_updates(worker, block->n_vars);
    }
}

/* A pair is a look at one of the two columns. */
void worker_count_pairs(strads_worker *worker, const strads_pairs *pairs)
{
    if (!net_counts_work(worker->node)) {
        return;
    }
    double units = 0.0;
    for (uint32_t a = pairs->first_new; a < pairs->n; a++) {
        if (a % pairs->n_ranks == pairs->rank) {
            units += 0.5 * a * units_of(worker, pairs->vars[a]);
        }
    }
    net_work(worker->node, units);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/round.c - blocks and the dispatcher. */
#include "strads/round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void round_fini(strads_round *round)
{
    strads_free(round->vars);
    strads_free(round->starts);
    *round = (strads_round){.n_vars = 0};
}

void round_clear(strads_round *round)
{
    round->n_vars = 0;
    round->n_blocks = 0;
}

strads_status strads_round_add(strads_round *round, const uint32_t *vars, size_t n)
{
    strads_status status = strads_reserve(&round->vars, &round->vars_capacity, round->n_vars + n,
                                          sizeof(*round->vars));
    if (status == STRADS_OK) {
        status = strads_reserve(&round->starts, &round->starts_capacity, round->n_blocks + 2,
                                sizeof(*round->starts));
    }
    if (status != STRADS_OK || n == 0) {
        return status;
    }
    memcpy(round->vars + round->n_vars, vars, n * sizeof(*vars));
    round->starts[round->n_blocks] = round->n_vars;
    round->n_vars += n;
    round->n_blocks++;
    round->starts[round->n_blocks] = round->n_vars;
    return STRADS_OK;
}

strads_status round_cost(const strads_app *app, const void *site, uint32_t var, double *cost)
{
    const double told = app->cost == NULL ? 1.0 : app->cost(site, var);
    if (told > 0.0 && told < INFINITY) {
        *cost = told;
        return STRADS_OK;
    }
    strads_error("%s: cost gave %g for variable %u; it must be above 0 and finite", app->name, told,
                 var);
    return isfinite(told) ? STRADS_ERR_APP : STRADS_ERR_NUMERIC;
}

strads_status round_cut(strads_round *round, const uint32_t *vars, const double *costs, size_t n,
                        uint32_t n_parts)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        total += costs[i];
    }
    double before = 0.0;
    size_t first = 0;
    for (uint32_t part = 0; part < n_parts; part++) {
        const double end = total * (part + 1) / n_parts;
        size_t last = first;
        /* A variable goes where its middle falls. */
        while (last < n && (part + 1 == n_parts || before + 0.5 * costs[last] <= end)) {
            before += costs[last++];
        }
        const strads_status status = strads_round_add(round, vars + first, last - first);
        if (status != STRADS_OK) {
            return status;
        }
        first = last;
    }
    return STRADS_OK;
}

typedef struct job {
    double cost;
    size_t block;
    uint32_t worker;
} job;

static int by_cost(const void *left, const void *right)
{
    const job *a = left;
    const job *b = right;
    if (a->cost != b->cost) {
        return a->cost > b->cost ? -1 : 1;
    }
    return a->block < b->block ? -1 : 1;
}

static int by_block(const void *left, const void *right)
{
    const job *a = left;
    const job *b = right;
    return a->block < b->block ? -1 : 1;
}

static void deal(job *jobs, size_t n_jobs, double *loads, uint32_t n_parts)
{
    qsort(jobs, n_jobs, sizeof(*jobs), by_cost);
    for (size_t i = 0; i < n_jobs; i++) {
        uint32_t least = 0;
        for (uint32_t k = 1; k < n_parts; k++) {
            least = loads[k] < loads[least] ? k : least;
        }
        jobs[i].worker = least;
        loads[least] += jobs[i].cost;
    }
    qsort(jobs, n_jobs, sizeof(*jobs), by_block);
}

/* Lists the variables of each worker, blocks in their order. */
static void gather(const strads_round *round, const job *jobs, assignment *to, uint32_t n_workers)
{
    size_t n = 0;
    for (uint32_t k = 0; k < n_workers; k++) {
        to->starts[k] = n;
        for (size_t b = 0; b < round->n_blocks; b++) {
            if (jobs[b].worker == k) {
                const size_t length = round->starts[b + 1] - round->starts[b];
                memcpy(to->vars + n, round->vars + round->starts[b], length * sizeof(*to->vars));
                n += length;
            }
        }
    }
    to->starts[n_workers] = n;
}

strads_status dispatch(const strads_round *round, assignment *to, uint32_t n_parts,
                       uint32_t n_workers, double (*cost)(const void *site, uint32_t var),
                       const void *site)
{
    strads_status status =
        strads_reserve(&to->vars, &to->vars_capacity, round->n_vars, sizeof(*to->vars));
    if (status != STRADS_OK) {
        return status;
    }
    job *jobs = strads_calloc(round->n_blocks, sizeof(*jobs));
    double *loads = strads_calloc(n_parts, sizeof(*loads));
    if (jobs == NULL || loads == NULL) {
        status = STRADS_ERR_NOMEM;
        goto done;
    }
    for (size_t b = 0; b < round->n_blocks; b++) {
        jobs[b].block = b;
        for (size_t i = round->starts[b]; i < round->starts[b + 1]; i++) {
            jobs[b].cost += cost == NULL || n_parts == 1 ? 1.0 : cost(site, round->vars[i]);
        }
    }
    deal(jobs, round->n_blocks, loads, n_parts);
    gather(round, jobs, to, n_workers);

done:
    strads_free(loads);
    strads_free(jobs);
    return status;
}

uint32_t round_owner(const uint32_t *firsts, uint32_t n_workers, uint32_t var)
{
    uint32_t low = 0;
    uint32_t high = n_workers;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (firsts[middle] <= var) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t round_shard_first(const strads_structure *structure, const uint32_t *firsts,
                           uint32_t n_workers, uint32_t k)
{
    return structure->split == STRADS_SPLIT_SAMPLES
               ? (uint32_t) ((uint64_t) structure->n_vars * k / n_workers)
               : firsts[k];
}

strads_status dispatch_to_owners(const strads_round *round, assignment *to, const uint32_t *firsts,
                                 uint32_t n_workers)
{
    strads_status status =
        strads_reserve(&to->vars, &to->vars_capacity, round->n_vars, sizeof(*to->vars));
    if (status != STRADS_OK) {
        return status;
    }
    memset(to->starts, 0, (n_workers + 1) * sizeof(*to->starts));
    for (size_t i = 0; i < round->n_vars; i++) {
        to->starts[round_owner(firsts, n_workers, round->vars[i]) + 1]++;
    }
    for (uint32_t k = 0; k < n_workers; k++) {
        to->starts[k + 1] += to->starts[k];
    }
    /* While they are filled in, starts[k] is where worker k's list goes on. */
    for (size_t i = 0; i < round->n_vars; i++) {
        to->vars[to->starts[round_owner(firsts, n_workers, round->vars[i])]++] = round->vars[i];
    }
    for (uint32_t k = n_workers; k > 0; k--) {
        to->starts[k] = to->starts[k - 1];
    }
    to->starts[0] = 0;
    return STRADS_OK;
}

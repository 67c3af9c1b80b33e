/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/whole.c - what the members of a working set tell each other of it. */
#include "apps/lasso/whole.h"

#include <math.h>
#include <string.h>

void lasso_whole_fini(lasso_whole *whole)
{
    lasso_block_fini(&whole->block);
    strads_free(whole->start);
    strads_free(whole->numbers);
    strads_free(whole->gathered);
    *whole = (lasso_whole){.n = 0};
}

/* n zeros to be filled in. */
static strads_status reserve_numbers(lasso_whole *whole, size_t n)
{
    const strads_status status =
        strads_reserve(&whole->numbers, &whole->numbers_capacity, n, sizeof(*whole->numbers));
    if (status == STRADS_OK) {
        memset(whole->numbers, 0, n * sizeof(*whole->numbers));
    }
    return status;
}

static double count_unlike(const lasso_block *block)
{
    double n = 0.0;
    for (size_t k = 0; k < block->n && block->columns.row != NULL; k++) {
        const bool alike = block->columns.alike != NULL && block->columns.alike[k];
        n += alike ? 0.0 : (double) lasso_block_entries(block, k);
    }
    return n;
}

strads_status lasso_whole_measure(lasso_whole *whole, strads_worker *worker,
                                  const lasso_block *block, bool fits)
{
    enum { COST, UNLIKE, UNFIT, SIZES };
    const uint32_t n_members = strads_worker_members(worker);
    const uint32_t rank = strads_worker_rank(worker);
    whole->n = block->n;
    whole->first = 0;
    whole->n_mine = block->n;
    whole->cost = block->cost;
    whole->unlike = count_unlike(block);
    whole->fits = fits;
    whole->vars = block->vars;
    if (n_members == 1) {
        return STRADS_OK;
    }
    strads_status status = reserve_numbers(whole, SIZES + (size_t) n_members);
    if (status != STRADS_OK) {
        return status;
    }
    double *numbers = whole->numbers;
    numbers[COST] = block->cost;
    numbers[UNLIKE] = whole->unlike;
    numbers[UNFIT] = fits ? 0.0 : 1.0;
    numbers[SIZES + rank] = (double) block->n;
    status = strads_exchange(worker, numbers, NULL, SIZES + (size_t) n_members);
    whole->cost = numbers[COST];
    whole->unlike = numbers[UNLIKE];
    whole->fits = numbers[UNFIT] == 0.0;
    whole->n = 0;
    for (uint32_t k = 0; k < n_members; k++) {
        whole->first = k == rank ? whole->n : whole->first;
        whole->n += (size_t) numbers[SIZES + k];
    }
    return status;
}

/* A hash (FNV-1a) of which variables have products, in which places. */
static uint32_t hash_known(const lasso_quadratic *q)
{
    uint32_t hash = 2166136261U;
    for (size_t k = 0; k < q->n; k++) {
        for (int byte = 0; byte < 4; byte++) {
            hash = (hash ^ (q->vars[k] >> (8 * byte) & 0xFFU)) * 16777619U;
        }
    }
    return hash;
}

strads_status lasso_whole_gather(lasso_whole *whole, strads_worker *worker,
                                 const lasso_block *block, lasso_quadratic *q)
{
    enum { SWEEPS, PATIENCE, HASHES };
    const uint32_t n_members = strads_worker_members(worker);
    const uint32_t rank = strads_worker_rank(worker);
    const size_t n_facts = HASHES + (size_t) n_members;
    if (n_members == 1) {
        return STRADS_OK;
    }
    strads_status status = reserve_numbers(whole, n_facts + whole->n);
    if (status == STRADS_OK) {
        status = strads_reserve(&whole->gathered, &whole->gathered_capacity, whole->n,
                                sizeof(*whole->gathered));
    }
    if (status != STRADS_OK) {
        return status;
    }
    double *numbers = whole->numbers;
    numbers[SWEEPS] = rank == 0 ? (double) q->n_sweeps : 0.0;
    numbers[PATIENCE] = rank == 0 ? (double) q->patience : 0.0;
    numbers[HASHES + rank] = (double) hash_known(q);
    for (size_t k = 0; k < block->n; k++) {
        numbers[n_facts + whole->first + k] = (double) block->vars[k];
    }
    status = strads_exchange(worker, numbers, NULL, n_facts + whole->n);
    if (status != STRADS_OK) {
        return status;
    }
    bool alike = true;
    for (uint32_t k = 1; k < n_members; k++) {
        alike = alike && numbers[HASHES + k] == numbers[HASHES];
    }
    if (!alike) {
        lasso_quadratic_forget(q);
    }
    q->n_sweeps = (size_t) numbers[SWEEPS];
    q->patience = (size_t) numbers[PATIENCE];
    for (size_t k = 0; k < whole->n; k++) {
        whole->gathered[k] = (uint32_t) numbers[n_facts + k];
    }
    whole->vars = whole->gathered;
    return STRADS_OK;
}

strads_status lasso_whole_load(lasso_whole *whole, const lasso_site *site, const lasso_block *block,
                               double l1, double l2)
{
    const lasso_borrowed none = {.n = 0};
    strads_status status = reserve_numbers(whole, whole->n);
    if (status != STRADS_OK) {
        return status;
    }
    memcpy(whole->numbers + whole->first, block->b, block->n * sizeof(*block->b));
    const strads_block task = {
        .n_vars = (uint32_t) whole->n, .vars = whole->vars, .values = whole->numbers};
    lasso_block_weigh(&whole->block, block->root, block->total);
    return lasso_block_load(&whole->block, site, &none, &task, l1, l2);
}

strads_status lasso_whole_start(lasso_whole *whole, const lasso_quadratic *q, double half_squares)
{
    const strads_status status =
        strads_reserve(&whole->start, &whole->start_capacity, 2 * q->n, sizeof(*whole->start));
    if (status == STRADS_OK) {
        memcpy(whole->start, q->point, 2 * q->n * sizeof(*whole->start));
        whole->start_value = half_squares;
    }
    return status;
}

double lasso_whole_objective(const lasso_whole *whole, const lasso_quadratic *q, double l2)
{
    const double *gradient = whole->start;
    const double *b = whole->start + q->n;
    double squares = 0.0;
    double l1_sum = 0.0;
    double l2_sum = 0.0;
    for (size_t k = 0; k < q->n; k++) {
        const double scaled = q->column[k].weight * q->b[k];
        squares -= (gradient[k] + q->gradient[k]) * (q->b[k] - b[k]);
        l1_sum += q->column[k].l1 * fabs(q->b[k]);
        l2_sum += scaled * scaled;
    }
    return whole->start_value + 0.5 * squares + l1_sum + 0.5 * l2 * l2_sum;
}

strads_status lasso_whole_note(lasso_whole *whole, const double *state, size_t n, double **noted)
{
    const strads_status status = reserve_numbers(whole, n);
    if (status == STRADS_OK) {
        memcpy(whole->numbers, state, n * sizeof(*state));
        *noted = whole->numbers;
    }
    return status;
}

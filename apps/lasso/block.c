/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/block.c - packing columns. */
#include "apps/lasso/block.h"

#include <math.h>
#include <string.h>

void lasso_block_fini(lasso_block *block)
{
    strads_free(block->b);
    strads_free(block->all);
    strads_free(block->active);
    strads_free(block->start);
    strads_free(block->column);
    strads_free(block->row);
    strads_free(block->value);
    *block = (lasso_block){.n = 0};
}

static strads_status reserve_columns(lasso_block *block, size_t n)
{
    if (n <= block->capacity) {
        return STRADS_OK;
    }
    lasso_block fresh = {.capacity = 2 * n, .entries_capacity = block->entries_capacity};
    fresh.row = block->row;
    fresh.value = block->value;
    block->row = NULL;
    block->value = NULL;
    lasso_block_fini(block);
    fresh.b = strads_alloc_array(fresh.capacity, sizeof(*fresh.b));
    fresh.all = strads_alloc_array(fresh.capacity, sizeof(*fresh.all));
    fresh.active = strads_alloc_array(fresh.capacity, sizeof(*fresh.active));
    fresh.start = strads_alloc_array(fresh.capacity + 1, sizeof(*fresh.start));
    fresh.column = strads_alloc_array(fresh.capacity, sizeof(*fresh.column));
    if (fresh.b == NULL || fresh.all == NULL || fresh.active == NULL || fresh.start == NULL ||
        fresh.column == NULL) {
        lasso_block_fini(&fresh);
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < fresh.capacity; k++) {
        fresh.all[k] = (uint32_t) k;
    }
    *block = fresh;
    return STRADS_OK;
}

static strads_status reserve_entries(lasso_block *block, size_t n)
{
    if (n <= block->entries_capacity) {
        return STRADS_OK;
    }
    const size_t capacity = n + n / 2;
    strads_free(block->row);
    strads_free(block->value);
    block->entries_capacity = 0;
    block->row = strads_alloc_array(capacity, sizeof(*block->row));
    block->value = strads_alloc_array(capacity, sizeof(*block->value));
    if (block->row == NULL || block->value == NULL) {
        return STRADS_ERR_NOMEM;
    }
    block->entries_capacity = capacity;
    return STRADS_OK;
}

static strads_status find(const lasso_site *site, const lasso_borrowed *held, uint32_t var,
                          lasso_view *view)
{
    if (lasso_find_column(site, held, var, view)) {
        return STRADS_OK;
    }
    strads_error("lasso: column %u is with another worker, which has not lent it", var);
    return STRADS_ERR_APP;
}

/* Copies the columns side by side. */
static strads_status pack(lasso_block *block, const lasso_site *site, const lasso_borrowed *held,
                          const uint32_t *vars, size_t n)
{
    size_t n_entries = 0;
    lasso_view view;
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < n && status == STRADS_OK; k++) {
        status = find(site, held, vars[k], &view);
        block->start[k] = (int64_t) n_entries;
        n_entries += status == STRADS_OK ? view.n : 0;
    }
    block->start[n] = (int64_t) n_entries;
    if (status == STRADS_OK) { /* never none: columns.row tells sparse from dense */
        status = reserve_entries(block, n_entries > 0 ? n_entries : 1);
    }
    for (size_t k = 0; k < n && status == STRADS_OK; k++) {
        status = find(site, held, vars[k], &view);
        if (view.row != NULL) {
            memcpy(block->row + block->start[k], view.row, view.n * sizeof(*view.row));
        }
        memcpy(block->value + block->start[k], view.value, view.n * sizeof(*view.value));
    }
    block->columns.row = site->x.col_start == NULL ? NULL : block->row;
    block->columns.value = block->value;
    block->cost = (double) n_entries;
    return status;
}

static void point_dense(lasso_block *block, const lasso_site *site, const uint32_t *vars, size_t n)
{
    const data_matrix *x = &site->x;
    for (size_t k = 0; k < n; k++) {
        block->start[k] = (int64_t) ((vars[k] - site->first_col) * x->n_rows);
    }
    block->columns.row = NULL;
    block->columns.value = x->value;
    block->cost = (double) n * (double) x->n_rows;
}

static lasso_column column_from(const double *traits, double n_rows, double l1, double l2)
{
    const double norm2 = traits[LASSO_NORM2];
    const double scale = traits[LASSO_SCALE];
    const double mean = traits[LASSO_MEAN];
    if (norm2 == 0.0 || scale == 0.0) {
        return (lasso_column){.norm2 = 0.0};
    }
    const double weight = 1.0 / scale;
    const double curvature = norm2 + l2 * weight * weight;
    return (lasso_column){.norm2 = norm2,
                          .inverse = 1.0 / curvature,
                          .l1 = l1 * weight,
                          .sum = mean * n_rows,
                          .mean = mean,
                          .urgency = curvature * scale / l1,
                          .weight = weight};
}

lasso_column lasso_column_of(const lasso_site *site, uint32_t var, double l1, double l2)
{
    const double traits[LASSO_N_TRAITS] = {[LASSO_NORM2] = lasso_norm2(site, var),
                                           [LASSO_SCALE] = lasso_scale(site, var),
                                           [LASSO_MEAN] = lasso_mean(site, var)};
    return column_from(traits, (double) site->n_rows, l1, l2);
}

strads_status lasso_block_load(lasso_block *block, const lasso_site *site,
                               const lasso_borrowed *held, const strads_block *task, double l1,
                               double l2)
{
    const size_t n = task->n_vars;
    strads_status status = reserve_columns(block, n > 0 ? n : 1);
    if (status != STRADS_OK) {
        return status;
    }
    block->n = n;
    block->n_active = 0;
    if (site->x.col_start != NULL || held->n > 0) {
        status = pack(block, site, held, task->vars, n);
        if (status != STRADS_OK) {
            return status;
        }
    } else {
        point_dense(block, site, task->vars, n);
    }
    for (size_t k = 0; k < n; k++) {
        const uint32_t place = held->n == 0 ? 0 : held->place[task->vars[k]];
        block->b[k] = task->values[k];
        block->column[k] = place == 0
                               ? lasso_column_of(site, task->vars[k], l1, l2)
                               : column_from(held->traits + (size_t) LASSO_N_TRAITS * (place - 1),
                                             (double) site->n_rows, l1, l2);
    }
    block->columns.start = block->start;
    block->columns.column = block->column;
    block->columns.n_rows = site->x.n_rows;
    return STRADS_OK;
}

void lasso_block_find_active(lasso_block *block)
{
    size_t n = 0;
    for (size_t k = 0; k < block->n; k++) {
        block->active[n] = (uint32_t) k;
        n += block->b[k] != 0.0;
    }
    block->n_active = n;
}

double lasso_block_penalty(const lasso_block *block, double l2)
{
    double l1_sum = 0.0;
    double l2_sum = 0.0;
    for (size_t k = 0; k < block->n; k++) {
        const double scaled = block->column[k].weight * block->b[k];
        l1_sum += block->column[k].l1 * fabs(block->b[k]);
        l2_sum += scaled * scaled;
    }
    return l1_sum + 0.5 * l2 * l2_sum;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/block.c - packing columns. */
#include "apps/lasso/block.h"

#include <math.h>
#include <string.h>

/* Sparse columns of so many entries are long: they come from memory by themselves. */
enum { LONG = 256 };

void lasso_block_fini(lasso_block *block)
{
    strads_free(block->b);
    strads_free(block->before);
    strads_free(block->all);
    strads_free(block->active);
    strads_free(block->start);
    strads_free(block->end);
    strads_free(block->column);
    strads_free(block->alike);
    strads_free(block->row);
    strads_free(block->value);
    *block = (lasso_block){.n = 0};
}

static strads_status reserve_columns(lasso_block *block, size_t n)
{
    if (n <= block->capacity) {
        return STRADS_OK;
    }
    lasso_block fresh = {.capacity = 2 * n,
                         .entries_capacity = block->entries_capacity,
                         .root = block->root,
                         .total = block->total};
    fresh.row = block->row;
    fresh.value = block->value;
    block->row = NULL;
    block->value = NULL;
    lasso_block_fini(block);
    fresh.b = strads_alloc_array(fresh.capacity, sizeof(*fresh.b));
    fresh.before = strads_alloc_array(fresh.capacity, sizeof(*fresh.before));
    fresh.all = strads_alloc_array(fresh.capacity, sizeof(*fresh.all));
    fresh.active = strads_alloc_array(fresh.capacity, sizeof(*fresh.active));
    fresh.start = strads_alloc_array(fresh.capacity + 1, sizeof(*fresh.start));
    fresh.end = strads_alloc_array(fresh.capacity, sizeof(*fresh.end));
    fresh.column = strads_alloc_array(fresh.capacity, sizeof(*fresh.column));
    fresh.alike = strads_alloc_array(fresh.capacity, sizeof(*fresh.alike));
    if (fresh.b == NULL || fresh.before == NULL || fresh.all == NULL || fresh.active == NULL ||
        fresh.start == NULL || fresh.end == NULL || fresh.column == NULL || fresh.alike == NULL) {
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

/* Makes to[n] the values of a column. */
static void copy_values(const lasso_view *view, double *to)
{
    if (view->narrow == NULL) {
        memcpy(to, view->value, view->n * sizeof(*to));
        return;
    }
    for (size_t i = 0; i < view->n; i++) {
        to[i] = (double) view->narrow[i];
    }
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
        copy_values(&view, block->value + block->start[k]);
    }
    block->columns.row = site->x.col_start == NULL ? NULL : block->row;
    block->columns.value = block->value;
    block->columns.narrow = NULL;
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
    block->columns.narrow = x->narrow;
    block->cost = (double) n * (double) x->n_rows;
}

/* Whether the block's sparse columns are all the site's, and long. */
static bool may_stay(const lasso_site *site, const lasso_borrowed *held, const uint32_t *vars,
                     size_t n)
{
    int64_t n_entries = 0;
    bool all = held->n == 0 && n > 0;
    for (size_t k = 0; k < n && all; k++) {
        const size_t col = (size_t) vars[k] - site->first_col;
        all = vars[k] >= site->first_col && col < site->x.n_cols;
        n_entries += all ? site->x.col_start[col + 1] - site->x.col_start[col] : 0;
    }
    return all && n_entries >= LONG * (int64_t) n;
}

static void point_sparse(lasso_block *block, const lasso_site *site, const uint32_t *vars, size_t n)
{
    const data_matrix *x = &site->x;
    int64_t n_entries = 0;
    for (size_t k = 0; k < n; k++) {
        block->start[k] = x->col_start[vars[k] - site->first_col];
        block->end[k] = x->col_start[vars[k] - site->first_col + 1];
        n_entries += block->end[k] - block->start[k];
    }
    block->columns.end = block->end;
    block->columns.row = x->row;
    block->columns.value = x->value;
    block->columns.narrow = x->narrow;
    block->cost = (double) n_entries;
}

/* What was lent with a column; NULL: it is the site's. */
static const double *traits_of(const lasso_borrowed *held, uint32_t var)
{
    const uint32_t place = held->n == 0 ? 0 : held->place[var];
    return place == 0 ? NULL : held->traits + (size_t) LASSO_N_TRAITS * (place - 1);
}

static double scale_of(const lasso_site *site, const lasso_borrowed *held, uint32_t var)
{
    const double *traits = traits_of(held, var);
    return traits == NULL ? lasso_scale(site, var) : traits[LASSO_SCALE];
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

/* ---- with weights ---- */

/* What a column is like under the weights. */
static void weigh_column(const lasso_block *block, const lasso_site *site, const lasso_view *view,
                         double *traits)
{
    const double *root = block->root;
    double sum = 0.0;
    double stored = 0.0; /* weight of the entries */
    double mean = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < view->n; i++) {
        const double s = root[view->row != NULL ? view->row[i] : i];
        sum += s * s * view->value[i];
        stored += s * s;
    }
    if (site->centre != NULL) {
        mean = sum / block->total;
    }
    for (size_t i = 0; i < view->n; i++) {
        const double z = root[view->row != NULL ? view->row[i] : i] * (view->value[i] - mean);
        squares += z * z;
    }
    squares += view->row != NULL ? (block->total - stored) * mean * mean : 0.0;
    traits[LASSO_NORM2] = lasso_squares(site, squares, mean);
    traits[LASSO_MEAN] = mean;
}

/* Copies a column's entries times root; a dense one's less its mean. Returns how many. They may be
 * there already. */
static size_t copy_weighted(lasso_block *block, const lasso_view *view, double mean, size_t at)
{
    const double *root = block->root;
    double *value = block->value + at;
    if (view->row == NULL) {
        for (size_t i = 0; i < view->n; i++) {
            value[i] = root[i] * (view->value[i] - mean);
        }
        return view->n;
    }
    uint32_t *row = block->row + at;
    size_t n = 0;
    for (size_t i = 0; i < view->n; i++) {
        row[n] = view->row[i];
        value[n] = root[view->row[i]] * view->value[i];
        n += root[view->row[i]] != 0.0;
    }
    return n;
}

static strads_status pack_weighted(lasso_block *block, const lasso_site *site,
                                   const lasso_borrowed *held, const strads_block *task, double l1,
                                   double l2)
{
    size_t n_entries = 0;
    lasso_view view;
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < task->n_vars && status == STRADS_OK; k++) {
        status = find(site, held, task->vars[k], &view);
        n_entries += status == STRADS_OK ? view.n : 0;
    }
    if (status == STRADS_OK) {
        status = reserve_entries(block, n_entries + 1); /* a dropped one may be written last */
    }
    n_entries = 0;
    for (size_t k = 0; k < task->n_vars && status == STRADS_OK; k++) {
        status = find(site, held, task->vars[k], &view);
        if (status == STRADS_OK) {
            double traits[LASSO_N_TRAITS] = {[LASSO_SCALE] = scale_of(site, held, task->vars[k])};
            if (view.narrow != NULL) {
                copy_values(&view, block->value + n_entries);
                view.value = block->value + n_entries;
            }
            weigh_column(block, site, &view, traits);
            block->start[k] = (int64_t) n_entries;
            n_entries += copy_weighted(block, &view, traits[LASSO_MEAN], n_entries);
            traits[LASSO_MEAN] = view.row == NULL ? 0.0 : traits[LASSO_MEAN];
            block->column[k] = column_from(traits, block->total, l1, l2);
            block->alike[k] = false;
        }
    }
    block->start[task->n_vars] = (int64_t) n_entries;
    block->columns.row = site->x.col_start == NULL ? NULL : block->row;
    block->columns.value = block->value;
    block->columns.narrow = NULL;
    block->cost = (double) n_entries;
    return status;
}

/* ---- loading ---- */

void lasso_block_weigh(lasso_block *block, const double *root, double total)
{
    block->root = root;
    block->total = total;
}

static strads_status load_as_they_are(lasso_block *block, const lasso_site *site,
                                      const lasso_borrowed *held, const strads_block *task,
                                      double l1, double l2)
{
    const size_t n = task->n_vars;
    const bool sparse = site->x.col_start != NULL;
    if (sparse && may_stay(site, held, task->vars, n)) {
        point_sparse(block, site, task->vars, n);
    } else if (sparse || held->n > 0) {
        const strads_status status = pack(block, site, held, task->vars, n);
        if (status != STRADS_OK) {
            return status;
        }
    } else {
        point_dense(block, site, task->vars, n);
    }
    for (size_t k = 0; k < n; k++) {
        const double *traits = traits_of(held, task->vars[k]);
        block->column[k] = traits == NULL ? lasso_column_of(site, task->vars[k], l1, l2)
                                          : column_from(traits, (double) site->n_rows, l1, l2);
        block->alike[k] = traits == NULL && lasso_alike(site, task->vars[k]);
    }
    return STRADS_OK;
}

strads_status lasso_block_reload(lasso_block *block, const lasso_site *site,
                                 const lasso_borrowed *held, const strads_block *task, double l1,
                                 double l2)
{
    block->n = task->n_vars;
    block->vars = task->vars;
    block->n_active = 0;
    block->columns.start = block->start;
    block->columns.end = NULL;
    block->columns.column = block->column;
    block->columns.alike = site->alike == NULL ? NULL : block->alike;
    block->columns.n_rows = site->x.n_rows;
    return block->root != NULL ? pack_weighted(block, site, held, task, l1, l2)
                               : load_as_they_are(block, site, held, task, l1, l2);
}

strads_status lasso_block_load(lasso_block *block, const lasso_site *site,
                               const lasso_borrowed *held, const strads_block *task, double l1,
                               double l2)
{
    const size_t n = task->n_vars;
    const strads_status status = reserve_columns(block, n > 0 ? n : 1);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t k = 0; k < n; k++) {
        block->b[k] = task->values[k];
    }
    return lasso_block_reload(block, site, held, task, l1, l2);
}

void lasso_block_find_active(lasso_block *block)
{
    block->n_active = lasso_list_active(block->active, block->b, block->n);
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

double lasso_block_half_squares(const lasso_block *block, const lasso_site *site,
                                const double *state)
{
    const size_t n_rows = site->x.n_rows;
    const double offset = state[n_rows];
    if (block->root == NULL || offset == 0.0) {
        return 0.5 * site->kernels->sum_of_squares(state, offset, n_rows);
    }
    double sum = 0.0;
    for (size_t i = 0; i < n_rows; i++) {
        const double r = state[i] + offset * block->root[i];
        sum += r * r;
    }
    return 0.5 * sum;
}

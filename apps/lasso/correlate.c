/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/correlate.c - the cosines between columns, less their means.
 *
 * Sparse columns meet only where they share a row: columns are entered into a list a
 * row, and a column's products with all before it are gathered along its rows. A pair
 * that shares none is left out; with an intercept its cosine is about minus the
 * geometric mean of the two densities, too little to mind.
 */
#include <math.h>

#include "apps/lasso/solver.h"

enum { NONE = -1 };

typedef struct entry {
    uint32_t var; /* position among the pairs' variables */
    int32_t next; /* in the list of its row */
    double value;
} entry;

typedef struct row_lists {
    int32_t *heads; /* [n_rows] */
    entry *entries;
    size_t n_entries;
    double *products;  /* [n] of the running column with each before it, 0 between */
    uint32_t *touched; /* [n] those that share a row with the running column */
    uint32_t *seen_by; /* [n] the column that touched it last */
    double *norms;     /* [n] */
} row_lists;

static void free_lists(row_lists *lists)
{
    strads_free(lists->heads);
    strads_free(lists->entries);
    strads_free(lists->products);
    strads_free(lists->touched);
    strads_free(lists->seen_by);
    strads_free(lists->norms);
}

static strads_status make_lists(row_lists *lists, const data_matrix *x, const strads_pairs *pairs)
{
    size_t n_entries = 0;
    for (uint32_t a = 0; a < pairs->n; a++) {
        n_entries += (size_t) (x->col_start[pairs->vars[a] + 1] - x->col_start[pairs->vars[a]]);
    }
    *lists = (row_lists){.n_entries = 0};
    lists->heads = strads_alloc_array(x->n_rows, sizeof(*lists->heads));
    lists->entries =
        n_entries > INT32_MAX ? NULL : strads_alloc_array(n_entries, sizeof(*lists->entries));
    lists->products = strads_calloc(pairs->n, sizeof(*lists->products));
    lists->touched = strads_alloc_array(pairs->n, sizeof(*lists->touched));
    lists->seen_by = strads_calloc(pairs->n, sizeof(*lists->seen_by));
    lists->norms = strads_alloc_array(pairs->n, sizeof(*lists->norms));
    if (lists->heads == NULL || lists->entries == NULL || lists->products == NULL ||
        lists->touched == NULL || lists->seen_by == NULL || lists->norms == NULL) {
        free_lists(lists);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < x->n_rows; i++) {
        lists->heads[i] = NONE;
    }
    return STRADS_OK;
}

/* Gathers and reports the products of column a with those entered before it. */
static void report(const lasso_site *site, row_lists *lists, const strads_pairs *pairs, uint32_t a,
                   strads_gram *gram)
{
    const data_matrix *x = &site->x;
    const uint32_t var = pairs->vars[a];
    size_t n_touched = 0;
    for (int64_t k = x->col_start[var]; k < x->col_start[var + 1]; k++) {
        for (int32_t e = lists->heads[x->row[k]]; e != NONE; e = lists->entries[e].next) {
            const entry *other = &lists->entries[e];
            if (lists->seen_by[other->var] != a) { /* 0 at first, and a > other->var >= 0 */
                lists->seen_by[other->var] = a;
                lists->touched[n_touched++] = other->var;
            }
            lists->products[other->var] += x->value[k] * other->value;
        }
    }
    for (size_t i = 0; i < n_touched; i++) {
        const uint32_t b = lists->touched[i];
        const double shift =
            (double) x->n_rows * lasso_mean(site, var) * lasso_mean(site, pairs->vars[b]);
        const double norms = lists->norms[a] * lists->norms[b];
        if (norms > 0.0) {
            strads_gram_add(gram, a, b, (lists->products[b] - shift) / norms);
        }
        lists->products[b] = 0.0;
    }
}

static void enter(const data_matrix *x, row_lists *lists, uint32_t position, uint32_t var)
{
    for (int64_t k = x->col_start[var]; k < x->col_start[var + 1]; k++) {
        int32_t *head = &lists->heads[x->row[k]];
        lists->entries[lists->n_entries] =
            (entry){.var = position, .next = *head, .value = x->value[k]};
        *head = (int32_t) lists->n_entries++;
    }
}

static strads_status correlate_sparse(const lasso_site *site, const strads_pairs *pairs,
                                      strads_gram *gram)
{
    row_lists lists;
    const strads_status status = make_lists(&lists, &site->x, pairs);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t a = 0; a < pairs->n; a++) {
        lists.norms[a] = sqrt(lasso_norm2(site, pairs->vars[a]));
        if (a >= pairs->first_new && a % pairs->n_ranks == pairs->rank) {
            report(site, &lists, pairs, a, gram);
        }
        enter(&site->x, &lists, a, pairs->vars[a]);
    }
    free_lists(&lists);
    return STRADS_OK;
}

static strads_status correlate_dense(const lasso_site *site, const strads_pairs *pairs,
                                     strads_gram *gram)
{
    const data_matrix *x = &site->x;
    double *norms = strads_alloc_array(pairs->n, sizeof(*norms));
    if (norms == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t a = 0; a < pairs->n; a++) {
        const uint32_t var = pairs->vars[a];
        const double *column = x->value + (size_t) var * x->n_rows;
        norms[a] = sqrt(lasso_norm2(site, var));
        for (uint32_t b = 0; b < a; b++) {
            if (a < pairs->first_new || a % pairs->n_ranks != pairs->rank ||
                norms[a] * norms[b] == 0.0) {
                continue;
            }
            const double product = lasso_dot(site, pairs->vars[b], column);
            strads_gram_add(gram, a, b, product / (norms[a] * norms[b]));
        }
    }
    strads_free(norms);
    return STRADS_OK;
}

strads_status lasso_correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    const lasso_worker *self = state;
    return self->site->x.col_start == NULL ? correlate_dense(self->site, pairs, gram)
                                           : correlate_sparse(self->site, pairs, gram);
}

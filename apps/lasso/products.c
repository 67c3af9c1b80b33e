/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/products.c - products of sparse columns, along lists of the rows' entries. */
#include "apps/lasso/products.h"

enum { NONE = -1 };

typedef struct entry {
    uint32_t place; /* of its column in the list */
    int32_t next;   /* in the list of its row */
    double value;
} entry;

typedef struct row_lists {
    int32_t *heads; /* [n_rows] */
    entry *entries;
    size_t n_entries;
    double *products;  /* [n] of the running column with each before it, 0 between */
    uint32_t *touched; /* [n] those that share a row with the running column */
    uint32_t *seen_by; /* [n] the column that touched it last */
} row_lists;

static void free_lists(row_lists *lists)
{
    strads_free(lists->heads);
    strads_free(lists->entries);
    strads_free(lists->products);
    strads_free(lists->touched);
    strads_free(lists->seen_by);
}

static strads_status make_lists(row_lists *lists, const lasso_products *of)
{
    const data_matrix *x = of->x;
    size_t n_entries = 0;
    for (uint32_t a = 0; a < of->n; a++) {
        n_entries += (size_t) (x->col_start[of->cols[a] + 1] - x->col_start[of->cols[a]]);
    }
    *lists = (row_lists){.n_entries = 0};
    lists->heads = strads_alloc_array(x->n_rows, sizeof(*lists->heads));
    lists->entries =
        n_entries > INT32_MAX ? NULL : strads_alloc_array(n_entries, sizeof(*lists->entries));
    lists->products = strads_calloc(of->n, sizeof(*lists->products));
    lists->touched = strads_alloc_array(of->n, sizeof(*lists->touched));
    lists->seen_by = strads_calloc(of->n, sizeof(*lists->seen_by));
    if (lists->heads == NULL || lists->entries == NULL || lists->products == NULL ||
        lists->touched == NULL || lists->seen_by == NULL) {
        free_lists(lists);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < x->n_rows; i++) {
        lists->heads[i] = NONE;
    }
    return STRADS_OK;
}

/* Gathers and reports the products of column a with those entered before it. */
static void report(const lasso_products *of, row_lists *lists, uint32_t a)
{
    const data_matrix *x = of->x;
    const uint32_t col = of->cols[a];
    size_t n_touched = 0;
    for (int64_t k = x->col_start[col]; k < x->col_start[col + 1]; k++) {
        for (int32_t e = lists->heads[x->row[k]]; e != NONE; e = lists->entries[e].next) {
            const entry *other = &lists->entries[e];
            if (lists->seen_by[other->place] != a) { /* 0 at first, and a > other->place >= 0 */
                lists->seen_by[other->place] = a;
                lists->touched[n_touched++] = other->place;
            }
            lists->products[other->place] += x->value[k] * other->value;
        }
    }
    for (size_t i = 0; i < n_touched; i++) {
        const uint32_t b = lists->touched[i];
        of->take(of->context, a, b, lists->products[b]);
        lists->products[b] = 0.0;
    }
}

static void enter(const data_matrix *x, row_lists *lists, uint32_t place, uint32_t col)
{
    for (int64_t k = x->col_start[col]; k < x->col_start[col + 1]; k++) {
        int32_t *head = &lists->heads[x->row[k]];
        lists->entries[lists->n_entries] =
            (entry){.place = place, .next = *head, .value = x->value[k]};
        *head = (int32_t) lists->n_entries++;
    }
}

strads_status lasso_products_take(const lasso_products *of)
{
    row_lists lists;
    const strads_status status = make_lists(&lists, of);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t a = 0; a < of->n; a++) {
        if (a >= of->first_new && a % of->n_ranks == of->rank) {
            report(of, &lists, a);
        }
        enter(of->x, &lists, a, of->cols[a]);
    }
    free_lists(&lists);
    return STRADS_OK;
}

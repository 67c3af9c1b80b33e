/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/borrowed.c - a growing heap of columns, and where each of them is. */
#include "apps/lasso/borrowed.h"

#include <string.h>

void lasso_borrowed_fini(lasso_borrowed *held)
{
    strads_free(held->place);
    strads_free(held->start);
    strads_free(held->traits);
    strads_free(held->row);
    strads_free(held->value);
    *held = (lasso_borrowed){.n = 0};
}

void lasso_borrowed_clear(lasso_borrowed *held, size_t n_cols)
{
    if (held->place != NULL) {
        memset(held->place, 0, n_cols * sizeof(*held->place));
    }
    held->n = 0;
}

static strads_status reserve_columns(lasso_borrowed *held, size_t n)
{
    size_t capacity = held->capacity;
    strads_status status = strads_reserve(&held->start, &capacity, n + 1, sizeof(*held->start));
    if (status == STRADS_OK) {
        capacity = held->capacity;
        status =
            strads_reserve(&held->traits, &capacity, n + 1, LASSO_N_TRAITS * sizeof(*held->traits));
    }
    if (status == STRADS_OK) {
        held->capacity = capacity;
    }
    return status;
}

static strads_status reserve_entries(lasso_borrowed *held, size_t n, bool sparse)
{
    size_t capacity = held->entries_capacity;
    strads_status status = strads_reserve(&held->value, &capacity, n, sizeof(*held->value));
    if (status == STRADS_OK && sparse) {
        capacity = held->entries_capacity;
        status = strads_reserve(&held->row, &capacity, n, sizeof(*held->row));
    }
    if (status == STRADS_OK) {
        held->entries_capacity = capacity;
    }
    return status;
}

strads_status lasso_borrowed_add(lasso_borrowed *held, size_t n_cols, const uint32_t *vars,
                                 const data_matrix *x, const double *traits)
{
    const bool sparse = x->col_start != NULL;
    const size_t n_entries = data_matrix_entries(x);
    const size_t first = held->n == 0 ? 0 : held->start[held->n];
    if (held->place == NULL) {
        held->place = strads_calloc(n_cols, sizeof(*held->place));
    }
    strads_status status = held->place == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK) {
        status = reserve_columns(held, held->n + x->n_cols);
    }
    if (status == STRADS_OK) {
        status = reserve_entries(held, first + n_entries, sparse);
    }
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t k = 0; k < x->n_cols; k++) {
        held->start[held->n + k] = first + (sparse ? (size_t) x->col_start[k] : k * x->n_rows);
        held->place[vars[k]] = (uint32_t) (held->n + k + 1);
    }
    memcpy(held->traits + LASSO_N_TRAITS * held->n, traits,
           LASSO_N_TRAITS * x->n_cols * sizeof(*traits));
    memcpy(held->value + first, x->value, n_entries * sizeof(*x->value));
    if (sparse) {
        memcpy(held->row + first, x->row, n_entries * sizeof(*x->row));
    }
    held->n += x->n_cols;
    held->start[held->n] = first + n_entries;
    return STRADS_OK;
}

bool lasso_find_column(const lasso_site *site, const lasso_borrowed *held, uint32_t var,
                       lasso_view *view)
{
    const data_matrix *x = &site->x;
    const uint32_t place = held->place == NULL ? 0 : held->place[var];
    if (place > 0) {
        const size_t start = held->start[place - 1];
        *view = (lasso_view){.row = x->col_start == NULL ? NULL : held->row + start,
                             .value = held->value + start,
                             .n = held->start[place] - start};
        return true;
    }
    const size_t col = (size_t) var - site->first_col;
    if (var < site->first_col || col >= x->n_cols) {
        return false;
    }
    const size_t start = x->col_start == NULL ? col * x->n_rows : (size_t) x->col_start[col];
    const size_t end = x->col_start == NULL ? start + x->n_rows : (size_t) x->col_start[col + 1];
    *view = (lasso_view){.row = x->col_start == NULL ? NULL : x->row + start,
                         .value = x->narrow == NULL ? x->value + start : NULL,
                         .narrow = x->narrow == NULL ? NULL : x->narrow + start,
                         .n = end - start};
    return true;
}

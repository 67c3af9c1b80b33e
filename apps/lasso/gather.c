/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/gather.c - every worker fills in its own columns of the list, and an exchange
 * adds up what all have: traits, values, and, of sparse columns, behind them their rows.
 */
#include "apps/lasso/gather.h"

#include <string.h>

void lasso_gathered_fini(lasso_gathered *gathered)
{
    strads_free(gathered->x.col_start);
    strads_free(gathered->x.row);
    strads_free(gathered->numbers);
    *gathered = (lasso_gathered){.numbers = NULL};
}

static void note_traits(const lasso_site *site, uint32_t var, double *traits)
{
    traits[LASSO_NORM2] = lasso_norm2(site, var);
    traits[LASSO_MEAN] = lasso_mean(site, var);
    traits[LASSO_SCALE] = lasso_scale(site, var);
}

strads_status lasso_find_traits(const lasso_site *site, const uint32_t *vars, size_t n,
                                lasso_gathered *out)
{
    double *traits = strads_calloc(n, LASSO_N_TRAITS * sizeof(*traits));
    if (traits == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        note_traits(site, vars[k], traits + LASSO_N_TRAITS * k);
    }
    *out = (lasso_gathered){.numbers = traits};
    return STRADS_OK;
}

/* Makes room for the columns, whose lengths all workers know; *n_numbers are exchanged. */
static strads_status reserve(lasso_gathered *to, const lasso_site *site, const uint32_t *vars,
                             size_t n, size_t *n_numbers)
{
    const bool sparse = site->x.col_start != NULL;
    const size_t n_traits = LASSO_N_TRAITS * n;
    size_t n_entries = 0;
    *to = (lasso_gathered){.x = {.n_rows = site->x.n_rows, .n_cols = n}};
    to->x.col_start = sparse ? strads_alloc_array(n + 1, sizeof(*to->x.col_start)) : NULL;
    if (sparse && to->x.col_start == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        if (sparse) {
            to->x.col_start[k] = (int64_t) n_entries;
        }
        n_entries += sparse ? site->entries[vars[k]] : site->x.n_rows;
    }
    *n_numbers = n_traits + (sparse ? 2 : 1) * n_entries;
    to->numbers = strads_calloc(*n_numbers, sizeof(*to->numbers));
    to->x.row = sparse ? strads_alloc_array(n_entries + 1, sizeof(*to->x.row)) : NULL;
    if (to->numbers == NULL || (sparse && to->x.row == NULL)) {
        lasso_gathered_fini(to);
        return STRADS_ERR_NOMEM;
    }
    to->x.value = to->numbers + n_traits;
    if (sparse) {
        to->x.col_start[n] = (int64_t) n_entries;
    }
    return STRADS_OK;
}

static void copy_values(double *to, const data_matrix *from, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = data_matrix_value(from, first + i);
    }
}

static void fill_in(lasso_gathered *to, const lasso_worker *self, const uint32_t *vars, size_t n)
{
    const data_matrix *from = &self->site->x;
    const size_t n_entries = data_matrix_entries(&to->x);
    for (size_t k = 0; k < n; k++) {
        if (vars[k] < self->first || vars[k] - self->first >= self->n) {
            continue;
        }
        const size_t col = vars[k] - self->site->first_col;
        note_traits(self->site, vars[k], to->numbers + LASSO_N_TRAITS * k);
        if (from->col_start == NULL) {
            copy_values(to->x.value + k * from->n_rows, from, col * from->n_rows, from->n_rows);
            continue;
        }
        const size_t first = (size_t) from->col_start[col];
        const size_t n_own = (size_t) from->col_start[col + 1] - first;
        double *value = to->x.value + to->x.col_start[k];
        copy_values(value, from, first, n_own);
        for (size_t i = 0; i < n_own; i++) {
            value[n_entries + i] = from->row[first + i];
        }
    }
}

strads_status lasso_gather(lasso_worker *self, const uint32_t *vars, size_t n, lasso_gathered *out)
{
    lasso_gathered all;
    size_t n_numbers = 0;
    strads_status status = reserve(&all, self->site, vars, n, &n_numbers);
    if (status != STRADS_OK) {
        return status;
    }
    fill_in(&all, self, vars, n);
    status = strads_exchange(self->worker, all.numbers, NULL, n_numbers);
    if (status != STRADS_OK) {
        lasso_gathered_fini(&all);
        return status;
    }
    const size_t n_entries = data_matrix_entries(&all.x);
    for (size_t i = 0; i < n_entries && all.x.row != NULL; i++) {
        all.x.row[i] = (uint32_t) all.x.value[n_entries + i];
    }
    *out = all;
    return STRADS_OK;
}

/* ---- lending ---- */

/* Those of a loan that the only borrower does not have itself; returns how many. */
static size_t drop_own(const lasso_site *site, const strads_loan *loan, uint32_t *vars)
{
    size_t n = 0;
    for (uint32_t k = 0; k < loan->n; k++) {
        vars[n] = loan->vars[k];
        n += loan->n_borrowers > 1 || loan->vars[k] >= site->firsts[1];
    }
    return n;
}

strads_status lasso_lend(void *state, const strads_loan *loan)
{
    lasso_worker *self = state;
    const lasso_site *site = self->site;
    const bool borrows = strads_worker_rank(self->worker) < loan->n_borrowers;
    uint32_t *vars = strads_alloc_array(loan->n, sizeof(*vars));
    if (vars == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const size_t n = drop_own(site, loan, vars);
    lasso_gathered lent = {.numbers = NULL};
    strads_status status = n > 0 ? lasso_gather(self, vars, n, &lent) : STRADS_OK;
    if (loan->afresh) {
        lasso_borrowed_clear(&self->borrowed, site->n_cols);
    }
    if (status == STRADS_OK && borrows && n > 0) {
        status = lasso_borrowed_add(&self->borrowed, site->n_cols, vars, &lent.x, lent.numbers);
    }
    lasso_gathered_fini(&lent);
    strads_free(vars);
    return status;
}

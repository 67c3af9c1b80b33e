/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/correlate.c - the cosines between columns, less their means.
 *
 * A pair of sparse columns that share no row is left out; with an intercept its cosine is
 * about minus the geometric mean of the two densities, too little to mind.
 *
 * Where workers hold their own columns only, all first give what is asked about to all, in
 * two exchanges: of what each column is like, and of their entries.
 */
#include <math.h>
#include <string.h>

#include "apps/lasso/products.h"
#include "apps/lasso/solver.h"

/* What a column is asked by, in an exchange a row of these. */
enum { LENGTH, NORM2, MEAN, N_TRAITS };

/* The columns that are asked about. */
typedef struct asked {
    const strads_pairs *pairs;
    strads_gram *gram;
    data_matrix x;  /* they are in it; what was gathered is the asker's own */
    uint32_t *cols; /* [n] which of x */
    double *traits; /* [n][N_TRAITS] */
    double *norms;  /* [n] */
    const lasso_kernels *kernels;
    double n_rows;
    bool gathered;
} asked;

static void asked_fini(asked *all)
{
    if (all->gathered) {
        data_matrix_fini(&all->x);
    }
    strads_free(all->cols);
    strads_free(all->traits);
    strads_free(all->norms);
}

static strads_status asked_init(asked *all, const lasso_site *site, const strads_pairs *pairs,
                                strads_gram *gram)
{
    *all = (asked){.pairs = pairs,
                   .gram = gram,
                   .x = site->x,
                   .kernels = site->kernels,
                   .n_rows = (double) site->n_rows};
    all->cols = strads_alloc_array(pairs->n, sizeof(*all->cols));
    all->traits = strads_calloc(pairs->n, N_TRAITS * sizeof(*all->traits));
    all->norms = strads_alloc_array(pairs->n, sizeof(*all->norms));
    return all->cols == NULL || all->traits == NULL || all->norms == NULL ? STRADS_ERR_NOMEM
                                                                          : STRADS_OK;
}

/* Traits of the columns that the worker may look at. */
static void find_traits(asked *all, const lasso_worker *self)
{
    const lasso_site *site = self->site;
    const bool own = site->split == STRADS_SPLIT_VARIABLES;
    for (uint32_t a = 0; a < all->pairs->n; a++) {
        const uint32_t var = all->pairs->vars[a];
        if (own && (var < self->first || var - self->first >= self->n)) {
            continue;
        }
        const size_t col = var - site->first_col;
        double *traits = all->traits + (size_t) N_TRAITS * a;
        traits[LENGTH] = site->x.col_start == NULL
                             ? all->n_rows
                             : (double) (site->x.col_start[col + 1] - site->x.col_start[col]);
        traits[NORM2] = lasso_norm2(site, var);
        traits[MEAN] = lasso_mean(site, var);
    }
}

/* ---- gathering ---- */

/* Makes a matrix of the asked columns, whose lengths are known; fills in nothing. */
static strads_status create_gathered(asked *all, bool sparse)
{
    const uint32_t n = all->pairs->n;
    data_matrix x = {.n_rows = all->x.n_rows, .n_cols = n};
    size_t n_entries = 0;
    for (uint32_t a = 0; a < n; a++) {
        n_entries += (size_t) all->traits[(size_t) N_TRAITS * a + LENGTH];
    }
    x.value = strads_calloc(n_entries, (sparse ? 2 : 1) * sizeof(*x.value));
    x.col_start = sparse ? strads_alloc_array(n + 1, sizeof(*x.col_start)) : NULL;
    x.row = sparse ? strads_alloc_array(n_entries, sizeof(*x.row)) : NULL;
    if (x.value == NULL || (sparse && (x.col_start == NULL || x.row == NULL))) {
        data_matrix_fini(&x);
        return STRADS_ERR_NOMEM;
    }
    int64_t at = 0;
    for (uint32_t a = 0; a < n && sparse; a++) {
        x.col_start[a] = at;
        at += (int64_t) all->traits[(size_t) N_TRAITS * a + LENGTH];
    }
    if (sparse) {
        x.col_start[n] = at;
    }
    all->x = x;
    all->gathered = true;
    return STRADS_OK;
}

/* Copies the worker's own columns to their places: values, and behind all of these rows. */
static void copy_own(const asked *all, const lasso_worker *self)
{
    const data_matrix *from = &self->site->x;
    const size_t n_entries = data_matrix_entries(&all->x);
    for (uint32_t a = 0; a < all->pairs->n; a++) {
        const uint32_t var = all->pairs->vars[a];
        if (var < self->first || var - self->first >= self->n) {
            continue;
        }
        const size_t col = var - self->site->first_col;
        if (from->col_start == NULL) {
            memcpy(all->x.value + a * from->n_rows, from->value + col * from->n_rows,
                   from->n_rows * sizeof(*from->value));
            continue;
        }
        double *to = all->x.value + all->x.col_start[a];
        for (int64_t k = from->col_start[col]; k < from->col_start[col + 1]; k++, to++) {
            to[0] = from->value[k];
            to[n_entries] = from->row[k];
        }
    }
}

/* Leaves all columns that are asked about with every worker. */
static strads_status gather(asked *all, lasso_worker *self)
{
    const bool sparse = self->site->x.col_start != NULL;
    strads_status status =
        strads_exchange(self->worker, all->traits, NULL, (size_t) N_TRAITS * all->pairs->n);
    if (status == STRADS_OK) {
        status = create_gathered(all, sparse);
    }
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_entries = data_matrix_entries(&all->x);
    copy_own(all, self);
    status = strads_exchange(self->worker, all->x.value, NULL, (sparse ? 2 : 1) * n_entries);
    for (size_t k = 0; k < n_entries && sparse && status == STRADS_OK; k++) {
        all->x.row[k] = (uint32_t) all->x.value[n_entries + k];
    }
    return status;
}

/* ---- answering ---- */

static void answer(void *context, uint32_t a, uint32_t b, double product)
{
    const asked *all = context;
    const double *of_a = all->traits + (size_t) N_TRAITS * a;
    const double *of_b = all->traits + (size_t) N_TRAITS * b;
    const double norms = all->norms[a] * all->norms[b];
    if (norms > 0.0) {
        strads_gram_add(all->gram, a, b, (product - all->n_rows * of_a[MEAN] * of_b[MEAN]) / norms);
    }
}

static void answer_dense(asked *all)
{
    const data_matrix *x = &all->x;
    for (uint32_t a = all->pairs->first_new; a < all->pairs->n; a++) {
        if (a % all->pairs->n_ranks != all->pairs->rank) {
            continue;
        }
        const double *column = x->value + (size_t) all->cols[a] * x->n_rows;
        for (uint32_t b = 0; b < a; b++) {
            if (all->norms[a] * all->norms[b] > 0.0) {
                const double *other = x->value + (size_t) all->cols[b] * x->n_rows;
                answer(all, a, b, all->kernels->dot(other, column, x->n_rows));
            }
        }
    }
}

static strads_status answer_all(asked *all)
{
    const strads_pairs *pairs = all->pairs;
    for (uint32_t a = 0; a < pairs->n; a++) {
        all->norms[a] = sqrt(all->traits[(size_t) N_TRAITS * a + NORM2]);
    }
    if (all->x.col_start == NULL) {
        answer_dense(all);
        return STRADS_OK;
    }
    const lasso_products products = {.x = &all->x,
                                     .cols = all->cols,
                                     .n = pairs->n,
                                     .first_new = pairs->first_new,
                                     .rank = pairs->rank,
                                     .n_ranks = pairs->n_ranks,
                                     .take = answer,
                                     .context = all};
    return lasso_products_take(&products);
}

strads_status lasso_correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    lasso_worker *self = state;
    asked all;
    strads_status status = asked_init(&all, self->site, pairs, gram);
    if (status == STRADS_OK) {
        find_traits(&all, self);
        status = self->site->split == STRADS_SPLIT_VARIABLES ? gather(&all, self) : STRADS_OK;
    }
    for (uint32_t a = 0; a < pairs->n && status == STRADS_OK; a++) {
        all.cols[a] = all.gathered ? a : pairs->vars[a];
    }
    if (status == STRADS_OK) {
        status = answer_all(&all);
    }
    asked_fini(&all);
    return status;
}

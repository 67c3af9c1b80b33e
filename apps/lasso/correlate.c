/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/correlate.c - the cosines between columns, less their means.
 *
 * A pair of sparse columns that share no row is left out; with an intercept its cosine is
 * about minus the geometric mean of the two densities, too little to mind.
 *
 * Where workers hold their own columns only, all first give to all what is asked about.
 */
#include <math.h>

#include "apps/lasso/gather.h"
#include "apps/lasso/products.h"
#include "apps/lasso/solver.h"

/* The columns that are asked about. */
typedef struct asked {
    const strads_pairs *pairs;
    strads_gram *gram;
    data_matrix x;   /* they are in it, lent */
    uint32_t *cols;  /* [n] which of x */
    double *traits;  /* [n][LASSO_N_TRAITS], lent */
    double *norms;   /* [n] */
    double *scratch; /* [n_rows] of x */
    const lasso_kernels *kernels;
    double n_rows;
} asked;

/* ---- answering ---- */

static void answer(void *context, uint32_t a, uint32_t b, double product)
{
    const asked *all = context;
    const double *of_a = all->traits + (size_t) LASSO_N_TRAITS * a;
    const double *of_b = all->traits + (size_t) LASSO_N_TRAITS * b;
    const double norms = all->norms[a] * all->norms[b];
    if (norms > 0.0) {
        strads_gram_add(all->gram, a, b,
                        (product - all->n_rows * of_a[LASSO_MEAN] * of_b[LASSO_MEAN]) / norms);
    }
}

static void answer_dense(asked *all)
{
    const data_matrix *x = &all->x;
    const lasso_columns columns = lasso_columns_of(x);
    for (uint32_t a = all->pairs->first_new; a < all->pairs->n; a++) {
        if (a % all->pairs->n_ranks != all->pairs->rank) {
            continue;
        }
        size_t n = 0;
        const double *column = lasso_column_values(x, all->cols[a], all->scratch, &n);
        for (uint32_t b = 0; b < a; b++) {
            if (all->norms[a] * all->norms[b] > 0.0) {
                answer(all, a, b, all->kernels->dot_column(&columns, all->cols[b], column));
            }
        }
    }
}

static strads_status answer_all(asked *all)
{
    const strads_pairs *pairs = all->pairs;
    for (uint32_t a = 0; a < pairs->n; a++) {
        all->norms[a] = sqrt(all->traits[(size_t) LASSO_N_TRAITS * a + LASSO_NORM2]);
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

/* Where the columns are: with the worker, or gathered by all. */
static strads_status find_columns(asked *all, lasso_worker *self, lasso_gathered *gathered)
{
    const strads_pairs *pairs = all->pairs;
    const bool apart = self->site->split == STRADS_SPLIT_VARIABLES;
    strads_status status = apart ? lasso_gather(self, pairs->vars, pairs->n, gathered)
                                 : lasso_find_traits(self->site, pairs->vars, pairs->n, gathered);
    all->x = apart ? gathered->x : self->site->x;
    all->traits = gathered->numbers;
    for (uint32_t a = 0; a < pairs->n; a++) {
        all->cols[a] = apart ? a : pairs->vars[a];
    }
    return status;
}

strads_status lasso_correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    lasso_worker *self = state;
    const lasso_site *site = self->site;
    lasso_gathered gathered = {.numbers = NULL};
    asked all = {
        .pairs = pairs, .gram = gram, .kernels = site->kernels, .n_rows = (double) site->n_rows};
    all.cols = strads_alloc_array(pairs->n, sizeof(*all.cols));
    all.norms = strads_alloc_array(pairs->n, sizeof(*all.norms));
    all.scratch = strads_alloc_array(site->x.n_rows, sizeof(*all.scratch));
    strads_status status =
        all.cols == NULL || all.norms == NULL || all.scratch == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK) {
        status = find_columns(&all, self, &gathered);
    }
    if (status == STRADS_OK) {
        status = answer_all(&all);
    }
    lasso_gathered_fini(&gathered);
    strads_free(all.cols);
    strads_free(all.norms);
    strads_free(all.scratch);
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/products.h - inner products of sparse columns, all pairs of a list.
 *
 * Sparse columns meet only where they share a row: columns are entered into lists, one
 * a row, and a column's products with all before it are gathered along its rows.
 */
#ifndef STRADS_LASSO_PRODUCTS_H
#define STRADS_LASSO_PRODUCTS_H

#include "apps/lasso/kernels.h"
#include "data/data.h"

typedef struct lasso_products {
    const data_matrix *x; /* sparse */
    const uint32_t *cols; /* [n] of x */
    uint32_t n;
    uint32_t first_new, rank, n_ranks; /* which pairs, as of strads_pairs */
    /* Takes the product of the columns of cols[a] and cols[b], b < a, as they are stored, once
     * a pair; not called for pairs that share no row. */
    void (*take)(void *context, uint32_t a, uint32_t b, double product);
    void *context;
} lasso_products;

STRADS_MUST_CHECK strads_status lasso_products_take(const lasso_products *of);

/* Columns of which those from first_new on have no products yet. They take least time when the
 * new ones with the most entries come first, and a fraction of it where columns are alike: then
 * their common rows need only be counted. */
typedef struct lasso_added {
    const lasso_columns *columns; /* sparse, rows ascending */
    const uint32_t *cols;         /* [n] which of them */
    uint32_t n, first_new;
    size_t stride; /* >= n - first_new */
    const lasso_kernels *kernels;
} lasso_added;

/* Adds the products of the columns of cols[a] and cols[b] to products[b * stride + a - first_new],
 * for all a >= first_new and b < a; b >= a is scratch, and so are LASSO_MARKED numbers behind
 * the last row. Columns that have entries in many rows take a fraction of the time that
 * lasso_products_take needs. */
STRADS_MUST_CHECK strads_status lasso_products_add(const lasso_added *of, double *products);

#endif

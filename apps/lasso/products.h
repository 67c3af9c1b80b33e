/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/products.h - inner products of sparse columns, all pairs of a list.
 *
 * Sparse columns meet only where they share a row: columns are entered into lists, one
 * a row, and a column's products with all before it are gathered along its rows.
 */
#ifndef STRADS_LASSO_PRODUCTS_H
#define STRADS_LASSO_PRODUCTS_H

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

/* The same, added to products[(a - first_new) * stride + b], b < a, for columns whose rows ascend;
 * `take`, `rank` and `n_ranks` are not looked at. Some rows at a time, so that their entries stay
 * in cache: where few columns have many entries it takes a fraction of the time. */
STRADS_MUST_CHECK strads_status lasso_products_add(const lasso_products *of, double *products,
                                                   size_t stride);

#endif

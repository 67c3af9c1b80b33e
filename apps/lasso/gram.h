/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/gram.h - solving blocks by rows: each worker adds up, over its rows, its
 * share of the gradient and of the products of the block's columns, the shares are summed
 * by one exchange, and all workers descend on the sums, alike to the bit.
 *
 * Products are kept from block to block: those of the variables that the next one has too
 * are not made again. A block of more than LASSO_GRAM_MOST variables is solved in slices of
 * so many, one after another and over again.
 */
#ifndef STRADS_LASSO_GRAM_H
#define STRADS_LASSO_GRAM_H

#include "apps/lasso/lasso.h"

enum { LASSO_GRAM_MOST = 2048 };

typedef struct lasso_gram {
    size_t n;             /* variables whose products are known */
    uint32_t *vars;       /* [n] by place */
    double *products;     /* [n][n] of the columns less their means */
    lasso_column *column; /* [n] */
    double *gradient;     /* [n] */
    double *b;            /* [n] */
    uint32_t *order;      /* [n] places in the order of the block */
    uint32_t *active;     /* [n] those of them whose coefficient is not 0 */

    uint32_t *place_of; /* [n_vars] place + 1; 0: not known */
    double *spare;      /* products, or what is exchanged */
    size_t capacity, products_capacity, spare_capacity;
} lasso_gram;

void lasso_gram_fini(lasso_gram *gram);

#endif

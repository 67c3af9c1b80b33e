/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/borrowed.h - columns that other workers have lent, kept from set to set.
 */
#ifndef STRADS_LASSO_BORROWED_H
#define STRADS_LASSO_BORROWED_H

#include "apps/lasso/lasso.h"

/* What a column is like, in a row of traits. */
enum { LASSO_NORM2, LASSO_MEAN, LASSO_SCALE, LASSO_N_TRAITS };

/* A struct of zeros holds nothing. */
typedef struct lasso_borrowed {
    uint32_t *place; /* [all columns] 1 + which of the held; 0: not held; NULL: none is */
    size_t n, capacity;
    size_t *start;  /* [n + 1] */
    double *traits; /* [n][LASSO_N_TRAITS] */
    uint32_t *row;  /* [start[n]] when sparse */
    double *value;  /* [start[n]] */
    size_t entries_capacity;
} lasso_borrowed;

void lasso_borrowed_fini(lasso_borrowed *held);

/* Forgets all columns; keeps the memory. */
void lasso_borrowed_clear(lasso_borrowed *held, size_t n_cols);

/* Takes copies of the columns of x, which are vars[x->n_cols] of n_cols. */
STRADS_MUST_CHECK strads_status lasso_borrowed_add(lasso_borrowed *held, size_t n_cols,
                                                   const uint32_t *vars, const data_matrix *x,
                                                   const double *traits);

/* A column, lent by who holds it. */
typedef struct lasso_view {
    const uint32_t *row; /* [n], or NULL: dense */
    const double *value; /* [n], or NULL ... */
    const float *narrow; /* ... where they are floats, which no borrowed ones are */
    size_t n;
} lasso_view;

/* Finds a column with the site or among those held; false: it is with others. */
bool lasso_find_column(const lasso_site *site, const lasso_borrowed *held, uint32_t var,
                       lasso_view *view);

#endif

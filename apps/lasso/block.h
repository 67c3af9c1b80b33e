/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/block.h - a block of columns made ready to be swept over: short sparse ones are copied
 * side by side, as doubles, which makes a sweep more than twice as fast; long and dense ones stay
 * where they are, as they are, unless some are borrowed or the rows have weights.
 */
#ifndef STRADS_LASSO_BLOCK_H
#define STRADS_LASSO_BLOCK_H

#include "apps/lasso/borrowed.h"

typedef struct lasso_block {
    lasso_columns columns;
    size_t n;
    const uint32_t *vars; /* [n] lent by the task */
    double *b;            /* [n] coefficients */
    double *before;       /* [n] scratch of a Newton step */
    uint32_t *all;        /* [n] 0 .. n-1 */
    uint32_t *active;     /* [n_active] those whose coefficient is not 0 */
    size_t n_active;
    double cost; /* entries */

    const double *root; /* [n_rows] roots of the rows' weights, lent; NULL: all 1 */
    double total;       /* sum of the weights */

    int64_t *start, *end; /* `end` of columns that stay where they are */
    lasso_column *column;
    bool *alike;
    uint32_t *row;
    double *value;
    size_t capacity, entries_capacity;
} lasso_block;

void lasso_block_fini(lasso_block *block);

/* Of the loads that follow: each row times root[row], less rows of root 0, and columns less
 * their weighted means. root is lent. */
void lasso_block_weigh(lasso_block *block, const double *root, double total);

/* Loads columns vars[n] with coefficients values[n], for the penalty
 * w_j (l1 |b_j| + l2 w_j b_j^2 / 2). Keeps its memory from load to load. APP when a column
 * is neither with the site nor held. */
STRADS_MUST_CHECK strads_status lasso_block_load(lasso_block *block, const lasso_site *site,
                                                 const lasso_borrowed *held,
                                                 const strads_block *task, double l1, double l2);

/* The same columns again, with what root[] has become; coefficients stay. */
STRADS_MUST_CHECK strads_status lasso_block_reload(lasso_block *block, const lasso_site *site,
                                                   const lasso_borrowed *held,
                                                   const strads_block *task, double l1, double l2);

/* What an update of a coefficient needs to know of its column. */
lasso_column lasso_column_of(const lasso_site *site, uint32_t var, double l1, double l2);

/* How many entries the sparse column k has. */
static inline size_t lasso_block_entries(const lasso_block *block, size_t k)
{
    const lasso_columns *columns = &block->columns;
    return (size_t) ((columns->end != NULL ? columns->end[k] : columns->start[k + 1]) -
                     columns->start[k]);
}

/* active[] := the places of b[n] that are not 0, of which it returns the number; there is room for
 * n. */
static inline size_t lasso_list_active(uint32_t *active, const double *b, size_t n)
{
    size_t n_active = 0;
    for (size_t k = 0; k < n; k++) {
        active[n_active] = (uint32_t) k;
        n_active += b[k] != 0.0;
    }
    return n_active;
}

/* Renews the list of active columns. */
void lasso_block_find_active(lasso_block *block);

/* The penalty of the block's coefficients. */
double lasso_block_penalty(const lasso_block *block, double l2);

/* Half the squares of a residual with its offset. */
double lasso_block_half_squares(const lasso_block *block, const lasso_site *site,
                                const double *state);

#endif

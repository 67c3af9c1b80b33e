/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/quadratic.h - a block solved on the products of its columns.
 *
 * With P = X'X of the block's n columns, less their means, and g = X'r, the objective at b + d
 * differs from that at b by -g'd + 1/2 d'P d + penalty(b + d) - penalty(b) so an update takes n
 * numbers where the columns take twice their entries, and one that does not move takes none. Where
 * descent by coordinates is slow, as it is for strongly correlated columns, a step of Newton's
 * method on the coefficients that are not 0 ends it: the quadratic function that they have, their
 * signs given, is minimised.
 *
 * Products are kept from block to block: those of variables that the next one has too are
 * not made again. They are kept as floats, of which twice as many stay near: a block then ends
 * next to its optimum, and the next one, whose gradient is that of the columns, goes the rest.
 */
#ifndef STRADS_LASSO_QUADRATIC_H
#define STRADS_LASSO_QUADRATIC_H

#include "apps/lasso/block.h"

/* So many rows of the columns are multiplied at a time, of so many new columns with all before. */
enum { LASSO_STRIP_ROWS = 256, LASSO_PANEL = 128 };

typedef struct lasso_quadratic {
    size_t n;             /* variables, each at a place */
    uint32_t *vars;       /* [n] by place */
    float *products;      /* [n][stride] */
    double *point;        /* [2][n] these: */
    double *gradient;     /* [n] g at b */
    double *b;            /* [n] */
    lasso_column *column; /* [n] */
    uint32_t *all;        /* [n] 0 .. n-1 */
    uint32_t *active;     /* [n_active] places whose coefficient is not 0 */
    size_t n_active;

    uint32_t *place_of; /* [all columns] place + 1; 0: none */
    uint64_t *keys;     /* [n] scratch: columns in order of their entries */
    double *trial;      /* [3][stride] a point, its gradient, the way there */
    double *factor;     /* [n_active][n_active] of Cholesky */
    float *strip;       /* [n][some rows] of dense columns, side by side */
    float *panel;       /* [LASSO_PANEL][n] products of a strip */
    double *fresh;      /* [new][n], of sparse columns [n][new], products before they are rounded */
    size_t stride, factor_capacity, strip_capacity, panel_capacity, fresh_capacity;
    size_t n_sweeps, patience; /* since a try of Newton's method; how long to wait for one */
    const lasso_kernels *kernels;
} lasso_quadratic;

/* Members who load the same block share the work: each makes the gradient of the variables first
 * .. end-1, and gives only these back. One that is alone makes all. */
typedef struct lasso_part {
    strads_worker *worker;
    size_t first, end;
} lasso_part;

/* Before there are workers, which are the threads: BLAS then has none of its own. */
void lasso_quadratic_prepare(void);

void lasso_quadratic_fini(lasso_quadratic *q);

/* Forgets all products: the weights of the rows have changed. */
void lasso_quadratic_forget(lasso_quadratic *q);

/* How many of vars[n] have no products yet. */
size_t lasso_quadratic_n_new(const lasso_quadratic *q, const uint32_t *vars, size_t n);

/* Takes over a block, whose residual is `state`. All members call, who must know the products of
 * the same variables in the same places; the point is then the same with all. */
STRADS_MUST_CHECK strads_status lasso_quadratic_load(lasso_quadratic *q, const lasso_site *site,
                                                     const lasso_block *block,
                                                     const lasso_part *part, const double *state);

/* Gives the part's coefficients back to the block, and what they moved to its residual, if that is
 * not NULL. */
void lasso_quadratic_unload(const lasso_quadratic *q, lasso_block *block, const lasso_part *part,
                            double *state);

/* Updates the coefficients of places[n] in that order; returns the most urgent move. */
double lasso_quadratic_sweep(lasso_quadratic *q, const uint32_t *places, size_t n);

/* Renews the list of active places. */
void lasso_quadratic_find_active(lasso_quadratic *q);

/* What the objective changes from b to another point, whose gradient is given; 0 where that is
 * rounding. */
double lasso_quadratic_change(const lasso_quadratic *q, const double *b, const double *gradient);

typedef enum lasso_newton {
    LASSO_NEWTON_VAIN,   /* the step does not lower the objective, or P is singular */
    LASSO_NEWTON_LOWEST, /* the step changes nothing but rounding */
    LASSO_NEWTON_LOWERED /* it was taken */
} lasso_newton;

/* A step of Newton's method on the active coefficients; what would change its sign becomes 0. It is
 * taken where it lowers the objective. */
STRADS_MUST_CHECK strads_status lasso_quadratic_newton(lasso_quadratic *q, lasso_newton *outcome);

#endif

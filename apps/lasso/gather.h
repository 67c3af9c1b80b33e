/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/gather.h - copies of columns of which each worker holds only its own.
 */
#ifndef STRADS_LASSO_GATHER_H
#define STRADS_LASSO_GATHER_H

#include "apps/lasso/solver.h"

/* Columns of a list, in its order. A struct of zeros is empty. */
typedef struct lasso_gathered {
    data_matrix x;   /* [n_rows][n]; its values are in `numbers` */
    double *numbers; /* double traits[n][LASSO_N_TRAITS], and what is gathered */
} lasso_gathered;

/* Copies the columns vars[n], which are with any of the workers; all of them call, with the
 * same list. Takes one exchange. */
STRADS_MUST_CHECK strads_status lasso_gather(lasso_worker *self, const uint32_t *vars, size_t n,
                                             lasso_gathered *out);

/* The traits alone, of columns that the site has. */
STRADS_MUST_CHECK strads_status lasso_find_traits(const lasso_site *site, const uint32_t *vars,
                                                  size_t n, lasso_gathered *out);

void lasso_gathered_fini(lasso_gathered *gathered);

#endif

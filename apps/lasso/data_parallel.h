/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/data_parallel.h - a worker's step through tables. */
#ifndef STRADS_LASSO_DATA_PARALLEL_H
#define STRADS_LASSO_DATA_PARALLEL_H

#include "strads/strads.h"

typedef struct lasso_tables lasso_tables;
typedef struct ssp_session ssp_session;

void lasso_tables_destroy(lasso_tables *self);

/* The callback `step`. */
strads_status lasso_step_by_tables(void *state, ssp_session *session, const strads_block *block,
                                   double *partial);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/tables.h - matrix factorisation by data parallelism (schedule.kind: data_parallel):
 * users stay with their worker, as on the grid, and items are rows of a table.
 */
#ifndef STRADS_MF_TABLES_H
#define STRADS_MF_TABLES_H

#include "apps/mf/mf.h"

/* A worker's part in it. */
typedef struct mf_tables mf_tables;

bool mf_uses_tables(const mf_site *site);

strads_status mf_tables_create(mf_tables **out, const mf_site *site);
void mf_tables_destroy(mf_tables *self);

/* What comes next goes on from the last state that was kept. */
void mf_tables_go_back(mf_tables *self);

/* All columns as they were read last, as floats: the same on all workers. */
const float *mf_tables_columns(const mf_tables *self);
size_t mf_tables_floats(const mf_site *site);

/* ---- callbacks ---- */

strads_status mf_step_by_tables(void *state, struct ssp_session *session, const strads_block *block,
                                double *partial);
strads_status mf_measure_by_tables(void *state, double *measures);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/data_parallel.h - topic models by data parallelism (schedule.kind: data_parallel):
 * documents stay with their worker, as on the grid, and words are rows of a table.
 */
#ifndef STRADS_LDA_DATA_PARALLEL_H
#define STRADS_LDA_DATA_PARALLEL_H

#include "apps/lda/worker.h"

/* A worker's part in it. */
typedef struct lda_tables lda_tables;

bool lda_uses_tables(const strads_config *config);

/* How many columns n_words are dealt to: what a worker has room for at a time. */
uint32_t lda_tables_n_columns(uint32_t n_words, uint32_t n_topics, uint32_t n_workers);
/* Bytes of memory for a column; and of the rows of n_words, in the store or copied. */
double lda_tables_room_bytes(uint32_t n_topics);
double lda_tables_row_bytes(uint32_t n_topics, double n_words);

/* `mine` of the worker says which columns it looks at in a scan. */
STRADS_MUST_CHECK strads_status lda_tables_create(lda_tables **out, const lda_worker *worker);
void lda_tables_destroy(lda_tables *self); /* NULL is allowed */

/* ---- what a worker leaves of words, for the coordinator has no table ---- */

/* In 32-bit units: the counts of its own tokens, a column after the other. */
size_t lda_tables_units(const lda_site *site);
void lda_tables_give(lda_worker *worker, uint32_t *units);
/* Adds them to columns[n_columns], of which NULL is taken as zeros. DATA: they are none. */
STRADS_MUST_CHECK strads_status lda_tables_take(const lda_site *site, uint32_t **columns,
                                                const uint32_t *units);

/* ---- callbacks ---- */

strads_status lda_step_by_tables(void *state, struct ssp_session *session,
                                 const strads_block *block, double *partial);
strads_status lda_measure_by_tables(void *state, double *measures);

#endif

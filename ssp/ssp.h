/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/ssp.h - tables of rows of doubles that workers share under stale synchronous
 * parallelism.
 *
 * Every worker opens a session, and every session has a clock: the number of periods
 * that it has finished. An increment belongs to the period in which it was made. With
 * staleness s, a read at clock c sees
 *
 * - all increments that any session made in its periods 0 .. c-s-1,
 * - all increments of its own session, at once,
 * - and perhaps newer ones of others: whole periods of them, row by row.
 *
 * A read that could not keep this waits for the slowest session. Staleness 0 is bulk
 * synchronous, SSP_ASYNC never waits. Increments of a session are added up in a log of
 * its own and go into the table when it clocks, in the order in which sessions happen
 * to come: sums may differ in their last bits from one run to the next.
 *
 * A session and its tables belong to one thread at a time; different sessions may be
 * used side by side. Those of a store are all in one process.
 */
#ifndef STRADS_SSP_H
#define STRADS_SSP_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ssp_store ssp_store;     /* the tables and the clocks */
typedef struct ssp_session ssp_session; /* a worker's part in them */
typedef struct ssp_table ssp_table;     /* a session's handle of one table */

/* The staleness of a table whose reads never wait. */
#define SSP_ASYNC UINT32_MAX

/* Starts as zeros, so that a field left out means what it did before it was there. */
typedef struct ssp_table_options {
    uint32_t columns;   /* doubles a row, > 0 */
    uint32_t staleness; /* periods, or SSP_ASYNC */
} ssp_table_options;

/* ---- the store: created before its sessions, destroyed after them ---- */

/* For n_sessions > 0 sessions. Reads wait for all of them, those too that are not open
 * yet, whose clock is 0. Pair with ssp_store_destroy. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_store_create(ssp_store **out, uint32_t n_sessions);

/* Frees the tables. NULL is allowed. Every session must be closed. */
STRADS_API void ssp_store_destroy(ssp_store *store);

/* Lets go whoever waits: from now on reads and clocks return CLOSED. For a run that has
 * failed elsewhere; from any thread, any number of times. */
STRADS_API void ssp_store_abort(ssp_store *store);

/* ---- sessions ---- */

/* Opens session `rank` < n_sessions, once in the life of the store (asserted), at clock
 * 0. Pair with ssp_session_close. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_session_open(ssp_session **out, ssp_store *store,
                                                            uint32_t rank);

/* Adds what was incremented since the last clock to the tables, and leaves: nobody waits
 * for this session any more. Its tables and views are gone. NULL is allowed. */
STRADS_API void ssp_session_close(ssp_session *session);

/* Opens the table `name`, which the first session to do so creates; lent until the session
 * is closed. Opened again, it is the same. APP when it has other options already, or no
 * columns. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_table_open(ssp_table **out, ssp_session *session,
                                                          const char *name,
                                                          const ssp_table_options *options);

/* Ends the current period of the session: its increments go into the tables, and readers
 * that were held back by it go on. Never waits. CLOSED after ssp_store_abort. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_clock(ssp_session *session);

/* The periods that this session has finished, and that every open session has. */
STRADS_API uint64_t ssp_clock_own(const ssp_session *session);
STRADS_API uint64_t ssp_clock_slowest(const ssp_session *session);

/* ---- rows: any 64-bit key is one, of zeros until it is incremented ---- */

/* Lends the row in *view, [columns], until this session's next clock or close. It is
 * brought up to date at the first read of a period, and only then; increments of the
 * session show in it at once. NOMEM; CLOSED after ssp_store_abort. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_row(ssp_table *table, uint64_t key,
                                                        const double **view);

/* The same with the staleness of this read: the tighter of `staleness` and the table's
 * counts. It may bring earlier views of the row up to date. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_row_within(ssp_table *table, uint64_t key,
                                                               uint32_t staleness,
                                                               const double **view);

/* Adds to one column of a row, or deltas[columns] to all of them. Never waits. APP for a
 * column that is not there, NUMERIC for a delta that is not finite, NOMEM: nothing was
 * added then. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_inc(ssp_table *table, uint64_t key, uint32_t column,
                                                   double delta);
STRADS_API STRADS_MUST_CHECK strads_status ssp_inc_row(ssp_table *table, uint64_t key,
                                                       const double *deltas);

#ifdef __cplusplus
}
#endif

#endif

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
 * - and perhaps newer ones of others, row by row.
 *
 * A read that could not keep this waits for the slowest session. Staleness 0 is bulk
 * synchronous, SSP_ASYNC never waits. Increments of a session are added up in a log of
 * its own and go into the table when it clocks, in the order in which sessions happen
 * to come: sums may differ in their last bits from one run to the next.
 *
 * A session and its tables belong to one thread at a time; different sessions may be
 * used side by side. Those of a store that a program creates are all in one process; the
 * framework has stores of several (schedule.kind: data_parallel, and beside a grid), and all
 * below holds for both.
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

/* What a table does with the increments of a row and period of a session when they come,
 * where they are not just added. `apply` changes row[columns] by deltas[columns], and may
 * keep state[columns][n_states], zeros at first; it is called for one change of a row at a
 * time, on any thread. */
typedef struct ssp_rule {
    const char *name; /* NULL: deltas are added; lent for the store's life */
    void (*apply)(const struct ssp_rule *rule, double *row, double *state, const double *deltas,
                  uint32_t columns);
    uint32_t n_states;
    double params[2]; /* its own */
} ssp_rule;

/* Deltas are gradients: each column moves against its own by rate / (epsilon + the root of
 * the sum of all their squares so far). */
STRADS_API ssp_rule ssp_rule_adagrad(double rate, double epsilon);

/* Deltas are added, then each column that they have moved, by any amount but 0, goes
 * `threshold` towards 0, and stops there: a proximal step of the l1 norm. */
STRADS_API ssp_rule ssp_rule_proximal(double threshold);

/* Starts as zeros, so that a field left out means what it did before it was there. */
typedef struct ssp_table_options {
    uint32_t columns;   /* doubles a row, > 0 */
    uint32_t staleness; /* periods, or SSP_ASYNC */
    bool eager;         /* other processes are sent rows that they have read, when they change */
    ssp_rule rule;
} ssp_table_options;

/* What a session has read, and how long it has waited. */
enum { SSP_BINS = 16 };
typedef struct ssp_stats {
    uint64_t seen[SSP_BINS]; /* reads by how many of the periods before their own they could
                              * not be sure to see whole; the last: so many or more */
    uint64_t n_copied;       /* reads for which the row had to be copied first */
    uint64_t n_fetched;      /* ... of them, from another process, asked at the read or ahead */
    uint64_t bytes_out, bytes_in; /* of messages to and from other processes */
    uint64_t n_forgotten;         /* rows that went to keep the bound of bytes */
    uint64_t n_waits;             /* for others, and for answers of their processes */
    double wait_seconds;
} ssp_stats;

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
 * is closed. Opened again, it is the same. With several processes it waits until a session
 * of each has opened it: so all open theirs in one order. APP when it has other options
 * already, or no columns. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_table_open(ssp_table **out, ssp_session *session,
                                                          const char *name,
                                                          const ssp_table_options *options);

/* Ends the current period of the session: its increments go into the tables, and readers
 * that were held back by it go on. It waits for no clock; for the way to another process, when
 * much is under way there. CLOSED after ssp_store_abort, and when another process is lost. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_clock(ssp_session *session);

/* Ends the period as ssp_clock does, and waits until every session has ended as many. A
 * read after it sees all increments that others made before it, for any staleness but
 * SSP_ASYNC, of which it needs to be asked within 0. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_barrier(ssp_session *session);

/* The periods that this session has finished, and that every open session has. */
STRADS_API uint64_t ssp_clock_own(const ssp_session *session);
STRADS_API uint64_t ssp_clock_slowest(const ssp_session *session);

/* Bounds the memory of this session's copies of rows; 0, as at first: no bound. Rows that
 * were not used lately are forgotten, and copied again when they are read. Those read or
 * incremented in the current period stay, though they may be more. */
STRADS_API void ssp_session_bound(ssp_session *session, size_t bytes);

/* What the tables of this session are to be like where their program leaves it open: zeros
 * until who opened the session suggests something, which the framework does from ssp.*. */
STRADS_API void ssp_session_suggest(ssp_session *session, const ssp_table_options *options);
STRADS_API ssp_table_options ssp_session_options(const ssp_session *session);

/* What has been so far; and the seconds that were spent waiting for the clock of session
 * `rank`, or, where no clock was behind, for answers of its process, which has it as the
 * first. */
STRADS_API ssp_stats ssp_session_stats(const ssp_session *session);
STRADS_API double ssp_session_waited_for(const ssp_session *session, uint32_t rank);

/* ---- rows: any 64-bit key is one, of zeros until it is incremented ---- */

/* Lends the row in *view, [columns], until this session's next clock or close. It is
 * brought up to date at the first read of a period; later reads and increments, of any row,
 * may bring it further, where another process has it. Increments of the session show in it at once,
 * but those for a rule after the clock. NOMEM; CLOSED after ssp_store_abort. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_row(ssp_table *table, uint64_t key,
                                                        const double **view);

/* The same with the staleness of this read: the tighter of `staleness` and the table's
 * counts. It may bring earlier views of the row up to date. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_row_within(ssp_table *table, uint64_t key,
                                                               uint32_t staleness,
                                                               const double **view);

/* The same for keys[n] at once, which is faster; views[n]. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_rows(ssp_table *table, const uint64_t *keys,
                                                         size_t n, const double **views);
STRADS_API STRADS_MUST_CHECK strads_status ssp_read_rows_within(ssp_table *table,
                                                                const uint64_t *keys, size_t n,
                                                                uint32_t staleness,
                                                                const double **views);

/* Asks for those of keys[n] that are in other processes and would not be fresh enough for a
 * read now, and does not wait for them. A read does, and finds them there or on their way. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_prefetch(ssp_table *table, const uint64_t *keys,
                                                        size_t n);

/* Adds to one column of a row, or deltas[columns] to all of them. Never waits. APP for a
 * column that is not there, NUMERIC for a delta that is not finite, NOMEM: nothing was
 * added then. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_inc(ssp_table *table, uint64_t key, uint32_t column,
                                                   double delta);
STRADS_API STRADS_MUST_CHECK strads_status ssp_inc_row(ssp_table *table, uint64_t key,
                                                       const double *deltas);

/* deltas[n][columns] for keys[n], which may name a row twice. A row whose deltas are refused
 * ends it: those before it were added. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_inc_rows(ssp_table *table, const uint64_t *keys,
                                                        size_t n, const double *deltas);

/* ---- snapshots ---- */

/* All sessions must call, and end two periods by it: writes the table as it is then, rule state
 * included, into the folder `dir`, which must be there. What was there of the name is
 * replaced once all is written. IO. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_table_save(ssp_table *table, const char *dir);

/* All sessions must call, and end two periods by it: the table, which must have no rows yet,
 * takes those that were saved, by any number of sessions. IO; DATA for a file that is
 * damaged or of another table: the store is then aborted, for the table is not whole. */
STRADS_API STRADS_MUST_CHECK strads_status ssp_table_restore(ssp_table *table, const char *dir);

#ifdef __cplusplus
}
#endif

#endif

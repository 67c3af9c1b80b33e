/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/session_state.h - what the parts of a session share. session.c has its life and its
 * clock, rows.c its reads, increments.c its log, forget.c what it forgets.
 */
#ifndef STRADS_SSP_SESSION_STATE_H
#define STRADS_SSP_SESSION_STATE_H

#include "ssp/store.h"
#include "ssp/wire.h"

enum { SSP_OUTDATED = 0 }; /* the version of no shared row */

#define SSP_NOT_LOGGED SIZE_MAX
#define SSP_NO_PERIOD UINT64_MAX

/* Rows of a batch whose memory is fetched ahead of their use. */
enum { SSP_AHEAD = 16 };

/* Increments of a row that were sent while a copy of it could be on its way without them. */
typedef struct ssp_sent {
    struct ssp_sent *next;
    uint32_t batch;
    double deltas[]; /* [columns] */
} ssp_sent;

/* A row that this session has touched. From its first read of a period on, `values` are
 * those of `version` plus what is logged. */
typedef struct ssp_own_row {
    ssp_shared_row *shared; /* NULL: another part has it */
    uint64_t key;
    size_t logged;    /* its position in the log, or SSP_NOT_LOGGED */
    uint64_t version; /* of the shared row, when it was copied, or SSP_OUTDATED; of another
                       * part: SSP_OUTDATED until there is a copy */
    uint64_t period;  /* of the last time it was brought up to date, or SSP_NO_PERIOD */
    uint64_t slowest; /* clock known then */
    uint8_t bin;      /* of ssp_stats.seen, for reads of this period */
    bool used;        /* since the hand of the cache last came by */
    bool told;        /* of another part, which tells of its changes, and of all so far */
    bool came;        /* of another part, a copy that was asked for, and has not been read yet */
    uint32_t n_asked; /* GETs of it that are under way */
    uint64_t asked;   /* the clock that the last of them needs */
    uint32_t since;   /* the last update to its part with it that is not in `sent` */
    ssp_sent *sent;   /* the later ones, in order */
    double values[];  /* [columns] */
} ssp_own_row;

/* The increments of the current period, added up by row. */
typedef struct ssp_log {
    ssp_own_row **rows; /* [n] NULL: sent to another part */
    double *deltas;     /* [n][columns] */
    size_t n, rows_capacity, deltas_capacity;
} ssp_log;

struct ssp_table {
    ssp_table *next;
    ssp_session *session;
    ssp_shared_table *shared;
    uint32_t columns, staleness;
    bool additive;
    size_t row_bytes; /* of an own row and its entry in the map */
    ssp_map rows;     /* of ssp_own_row */
    size_t hand;      /* of the cache, in the map's entries */
    ssp_log log;

    /* Where there are other parts: */
    uint32_t number;   /* as they are told */
    uint32_t n_opened; /* of them that have answered */
    strads_status opened;
    uint64_t *pushed; /* [parts] the clock up to which each has told of changes */
    uint64_t *keys;   /* [batch] of the message that is being made */
    uint64_t *wanted; /* [n_wanted] rows to ask for when the period ends */
    size_t n_wanted, wanted_capacity;
};

/* What a session and another part have told each other. */
typedef struct ssp_far {
    uint32_t n_batches, n_acked; /* updates sent, and known to be applied */
    ssp_lists said, heard;
    double free_at; /* when the way is free for increments before their clock */
} ssp_far;

struct ssp_session {
    ssp_store *store;
    uint32_t rank;
    uint64_t clock;
    uint64_t slowest; /* clock, as last seen; it may have moved on */
    ssp_table *tables;
    size_t n_bytes, max_bytes; /* of rows; max 0: no bound */
    uint64_t full;             /* 1 + the period in which nothing could be forgotten */
    uint32_t n_tables;
    ssp_stats stats;
    double *waited; /* [sessions] seconds, for whom */
    ssp_far *fars;  /* [parts] NULL: there is one alone */
    ssp_table_options suggested;
    bool closing; /* it waits for nothing any more */
};

static inline void ssp_add(double *restrict to, const double *restrict deltas, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += deltas[i];
    }
}

static inline bool ssp_session_is_broken(const ssp_session *session)
{
    return atomic_load_explicit(&session->store->clocks.broken, memory_order_relaxed);
}

/* Waits until no clock is below `needed`, and counts for whom. CLOSED: aborted. */
STRADS_MUST_CHECK strads_status ssp_session_wait(ssp_session *session, uint64_t needed,
                                                 const char *where);

/* The same with other parts, or until one has told something, which was then heard. server: it
 * ends only then, though what is to be told may wait for the clocks; and it is the worker at
 * which the server is that is to tell. */
#define SSP_NO_SERVER UINT32_MAX
#define SSP_ANY_SERVER (UINT32_MAX - 1)
STRADS_MUST_CHECK strads_status ssp_session_pause(ssp_session *session, uint64_t needed,
                                                  uint32_t server, const char *where);

/* ---- rows.c ---- */

/* The session's row of this key, made if need be. */
STRADS_MUST_CHECK strads_status ssp_own_row_find(ssp_table *table, uint64_t key, ssp_own_row **out);

/* Frees the table's rows. */
void ssp_own_rows_fini(ssp_table *table);

/* Forgets what was sent of the row: copies without that are not taken any more. */
void ssp_own_row_forget_sent(ssp_own_row *row);

/* Reads ahead into the processor's cache what the next reads or increments of keys[n]
 * will touch. */
void ssp_rows_touch(const ssp_table *table, const uint64_t *keys, size_t n);

/* ---- increments.c ---- */

/* Puts the log into the shared tables, here and elsewhere, and empties it. */
STRADS_MUST_CHECK strads_status ssp_log_publish(ssp_table *table);
void ssp_log_fini(ssp_log *log);

bool ssp_all_finite(const double *values, size_t n);

/* ---- forget.c ---- */

/* Forgets rows that were not used lately until there is room for one more of the table,
 * as far as they are neither lent nor logged. */
void ssp_cache_make_room(ssp_table *table);

/* ---- remote.c: rows of other parts ---- */

STRADS_MUST_CHECK strads_status ssp_remote_init(ssp_session *session);
void ssp_remote_fini(ssp_session *session);

/* Opens the table at all other parts, and waits until they have it too. */
STRADS_MUST_CHECK strads_status ssp_remote_open(ssp_table *table);
void ssp_remote_table_fini(ssp_table *table);

/* Sends the logged rows of other parts to them, which leave the log. */
STRADS_MUST_CHECK strads_status ssp_remote_flush(ssp_table *table);
/* Sends the rows of other parts that have changed most before their clock, where the way to
 * their part is free and may be used for that (early.c). */
STRADS_MUST_CHECK strads_status ssp_early_send(ssp_table *table);
/* Sends log->rows[from[0 .. n-1]], whose keys are in table->keys; flags: as of UPDATE. */
STRADS_MUST_CHECK strads_status ssp_remote_send(ssp_table *table, uint32_t part, const size_t *from,
                                                uint32_t n, uint32_t flags);
/* Asks for what is wanted; tells all other parts the session's clock. */
STRADS_MUST_CHECK strads_status ssp_remote_tick(ssp_session *session);

/* Asks for the rows of other parts that no copy and no question is fresh enough of. */
STRADS_MUST_CHECK strads_status ssp_remote_ask(ssp_table *table, const uint64_t *keys, size_t n,
                                               uint64_t needed);
/* Brings a row of another part up to date. */
STRADS_MUST_CHECK strads_status ssp_remote_refresh(ssp_table *table, ssp_own_row *row,
                                                   uint64_t needed);
/* Sends to another part; takes the message. */
STRADS_MUST_CHECK strads_status ssp_remote_tell(ssp_session *session, uint32_t part,
                                                net_message *message);

/* ---- inbox.c: what other parts have told ---- */

/* Hears all that has come. */
STRADS_MUST_CHECK strads_status ssp_inbox_hear(ssp_session *session);

#endif

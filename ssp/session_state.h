/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/session_state.h - what the parts of a session share. session.c has its life and its
 * clock, rows.c its reads, log.c its increments, cache.c what it forgets.
 */
#ifndef STRADS_SSP_SESSION_STATE_H
#define STRADS_SSP_SESSION_STATE_H

#include "ssp/store.h"

enum { SSP_OUTDATED = 0 }; /* the version of no shared row */

#define SSP_NOT_LOGGED SIZE_MAX
#define SSP_NO_PERIOD UINT64_MAX

/* Rows of a batch whose memory is fetched ahead of their use. */
enum { SSP_AHEAD = 16 };

/* A row that this session has touched. From its first read of a period on, `values` are
 * those of `version` plus what is logged. */
typedef struct ssp_own_row {
    ssp_shared_row *shared;
    size_t logged;    /* its position in the log, or SSP_NOT_LOGGED */
    uint64_t version; /* of the shared row, when it was copied, or SSP_OUTDATED */
    uint64_t period;  /* of the last time it was brought up to date, or SSP_NO_PERIOD */
    uint64_t slowest; /* clock known then */
    uint8_t bin;      /* of ssp_stats.seen, for reads of this period */
    bool used;        /* since the hand of the cache last came by */
    double values[];  /* [columns] */
} ssp_own_row;

/* The increments of the current period, added up by row. */
typedef struct ssp_log {
    ssp_own_row **rows; /* [n] */
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
};

struct ssp_session {
    ssp_store *store;
    uint32_t rank;
    uint64_t clock;
    uint64_t slowest; /* clock, as last seen; it may have moved on */
    ssp_table *tables;
    size_t n_bytes, max_bytes; /* of rows; max 0: no bound */
    uint64_t full;             /* 1 + the period in which nothing could be forgotten */
    ssp_stats stats;
    double *waited; /* [sessions] seconds, for whom */
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
STRADS_MUST_CHECK strads_status ssp_session_wait(ssp_table *table, uint64_t needed);

/* ---- rows.c ---- */

/* The session's row of this key, made if need be. */
STRADS_MUST_CHECK strads_status ssp_own_row_find(ssp_table *table, uint64_t key, ssp_own_row **out);

/* Reads ahead into the processor's cache what the next reads or increments of keys[n]
 * will touch. */
void ssp_rows_touch(const ssp_table *table, const uint64_t *keys, size_t n);

/* ---- log.c ---- */

/* Puts the log into the shared table and empties it. */
void ssp_log_publish(ssp_table *table);
void ssp_log_fini(ssp_log *log);

bool ssp_all_finite(const double *values, size_t n);

/* ---- cache.c ---- */

/* Forgets rows that were not used lately until there is room for one more of the table,
 * as far as they are neither lent nor logged. */
void ssp_cache_make_room(ssp_table *table);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/session.c - a worker's part in the tables: its copies of rows, its log of
 * increments, its clock. Nothing in here is seen by another thread, but through the store.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ssp/store.h"

enum { OUTDATED = 0 }; /* the version of no shared row */

#define NOT_LOGGED SIZE_MAX
#define NO_PERIOD UINT64_MAX

/* A row that this session has touched. From its first read of a period on, `values` are
 * those of `version` plus what is logged. */
typedef struct own_row {
    ssp_shared_row *shared;
    size_t logged;    /* its position in the log, or NOT_LOGGED */
    uint64_t version; /* of the shared row, when it was copied, or OUTDATED */
    uint64_t period;  /* of the last time it was brought up to date, or NO_PERIOD */
    uint64_t slowest; /* clock known then */
    double values[];  /* [columns] */
} own_row;

/* The increments of the current period, added up by row. */
typedef struct row_log {
    own_row **rows; /* [n] */
    double *deltas; /* [n][columns] */
    size_t n, rows_capacity, deltas_capacity;
} row_log;

struct ssp_table {
    ssp_table *next;
    ssp_session *session;
    ssp_shared_table *shared;
    uint32_t columns, staleness;
    ssp_map rows; /* of own_row */
    row_log log;
};

struct ssp_session {
    ssp_store *store;
    uint32_t rank;
    uint64_t clock;
    uint64_t slowest; /* clock, as last seen; it may have moved on */
    ssp_table *tables;
};

/* ---- sessions and their tables ---- */

strads_status ssp_session_open(ssp_session **out, ssp_store *store, uint32_t rank)
{
    assert(out != NULL && store != NULL);
    ssp_session *session = strads_calloc(1, sizeof(*session));
    if (session == NULL) {
        return STRADS_ERR_NOMEM;
    }
    ssp_store_take(store, rank);
    session->store = store;
    session->rank = rank;
    *out = session;
    return STRADS_OK;
}

/* Puts the log into the shared table and empties it. */
static void publish(ssp_table *table)
{
    row_log *log = &table->log;
    for (size_t i = 0; i < log->n; i++) {
        ssp_shared_row_add(log->rows[i]->shared, log->deltas + i * table->columns, table->columns);
        log->rows[i]->logged = NOT_LOGGED;
    }
    log->n = 0;
}

static void advance(ssp_session *session, uint64_t to)
{
    for (ssp_table *table = session->tables; table != NULL; table = table->next) {
        publish(table);
    }
    session->clock = to;
    ssp_clocks_advance(&session->store->clocks, session->rank, to);
}

void ssp_session_close(ssp_session *session)
{
    if (session == NULL) {
        return;
    }
    advance(session, SSP_CLOCK_LEFT);
    while (session->tables != NULL) {
        ssp_table *table = session->tables;
        session->tables = table->next;
        ssp_map_fini(&table->rows);
        strads_free(table->log.rows);
        strads_free(table->log.deltas);
        strads_free(table);
    }
    strads_free(session);
}

strads_status ssp_table_open(ssp_table **out, ssp_session *session, const char *name,
                             const ssp_table_options *options)
{
    assert(out != NULL && session != NULL && name != NULL && options != NULL);
    ssp_shared_table *shared = NULL;
    const strads_status status = ssp_store_table(session->store, name, options, &shared);
    if (status != STRADS_OK) {
        return status;
    }
    ssp_table *table = session->tables;
    while (table != NULL && table->shared != shared) {
        table = table->next;
    }
    if (table == NULL) {
        table = strads_calloc(1, sizeof(*table));
        if (table == NULL) {
            return STRADS_ERR_NOMEM;
        }
        table->session = session;
        table->shared = shared;
        table->columns = options->columns;
        table->staleness = options->staleness;
        table->next = session->tables;
        session->tables = table;
    }
    *out = table;
    return STRADS_OK;
}

static bool is_broken(const ssp_session *session)
{
    return atomic_load_explicit(&session->store->clocks.broken, memory_order_relaxed);
}

strads_status ssp_clock(ssp_session *session)
{
    if (is_broken(session)) {
        return STRADS_ERR_CLOSED;
    }
    advance(session, session->clock + 1);
    return STRADS_OK;
}

uint64_t ssp_clock_own(const ssp_session *session)
{
    return session->clock;
}

uint64_t ssp_clock_slowest(const ssp_session *session)
{
    return ssp_clocks_slowest(&session->store->clocks);
}

/* ---- rows ---- */

static strads_status create_row(ssp_table *table, uint64_t key, own_row **out)
{
    ssp_shared_row *shared = NULL;
    strads_status status = ssp_shared_row_find(table->shared, key, &shared);
    if (status != STRADS_OK) {
        return status;
    }
    own_row *row = strads_alloc(sizeof(*row) + table->columns * sizeof(*row->values));
    if (row == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *row =
        (own_row){.shared = shared, .logged = NOT_LOGGED, .version = OUTDATED, .period = NO_PERIOD};
    status = ssp_map_add(&table->rows, key, row);
    if (status != STRADS_OK) {
        strads_free(row);
        return status;
    }
    *out = row;
    return STRADS_OK;
}

static strads_status find_row(ssp_table *table, uint64_t key, own_row **out)
{
    own_row *row = ssp_map_find(&table->rows, key);
    if (row == NULL) {
        return create_row(table, key, out);
    }
    *out = row;
    return STRADS_OK;
}

static void add(double *restrict to, const double *restrict deltas, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += deltas[i];
    }
}

/* Brings the row up to date, once every clock is at least `needed`. Whoever has advanced
 * to there counted up the versions before, so that an unchanged version may be trusted. */
static strads_status refresh(ssp_table *table, own_row *row, uint64_t needed)
{
    ssp_session *session = table->session;
    if (session->slowest < needed) {
        const strads_status status =
            ssp_clocks_wait(&session->store->clocks, needed, &session->slowest);
        if (status != STRADS_OK) {
            return status;
        }
    }
    if (row->version != atomic_load_explicit(&row->shared->version, memory_order_relaxed)) {
        row->version = ssp_shared_row_copy(row->shared, row->values, table->columns);
        if (row->logged != NOT_LOGGED) {
            add(row->values, table->log.deltas + row->logged * table->columns, table->columns);
        }
    }
    row->period = session->clock;
    row->slowest = session->slowest;
    return STRADS_OK;
}

strads_status ssp_read_row(ssp_table *table, uint64_t key, const double **view)
{
    return ssp_read_row_within(table, key, table->staleness, view);
}

strads_status ssp_read_row_within(ssp_table *table, uint64_t key, uint32_t staleness,
                                  const double **view)
{
    const ssp_session *session = table->session;
    const uint64_t bound = staleness < table->staleness ? staleness : table->staleness;
    const uint64_t needed =
        bound == SSP_ASYNC || session->clock < bound ? 0 : session->clock - bound;
    if (is_broken(session)) {
        return STRADS_ERR_CLOSED;
    }
    own_row *row = NULL;
    strads_status status = find_row(table, key, &row);
    if (status == STRADS_OK && (row->period != session->clock || row->slowest < needed)) {
        status = refresh(table, row, needed);
    }
    if (status == STRADS_OK) {
        *view = row->values;
    }
    return status;
}

/* ---- increments ---- */

/* Gives the row a place of zeros in the log. */
static strads_status log_row(ssp_table *table, own_row *row)
{
    row_log *log = &table->log;
    const size_t bytes = table->columns * sizeof(double);
    strads_status status =
        strads_reserve(&log->rows, &log->rows_capacity, log->n + 1, sizeof(*log->rows));
    if (status == STRADS_OK) {
        status = strads_reserve(&log->deltas, &log->deltas_capacity, log->n + 1, bytes);
    }
    if (status == STRADS_OK) {
        memset(log->deltas + log->n * table->columns, 0, bytes);
        log->rows[log->n] = row;
        row->logged = log->n++;
    }
    return status;
}

static strads_status find_logged_row(ssp_table *table, uint64_t key, own_row **out)
{
    strads_status status = find_row(table, key, out);
    if (status == STRADS_OK && (*out)->logged == NOT_LOGGED) {
        status = log_row(table, *out);
    }
    return status;
}

/* Whether an increment has to be added to the copy too; if not, the copy is outdated. */
static bool shows_in_view(const ssp_table *table, own_row *row)
{
    if (row->period == table->session->clock) {
        return true;
    }
    row->version = OUTDATED;
    return false;
}

static strads_status refuse_delta(const ssp_table *table, uint64_t key, uint32_t column,
                                  double delta)
{
    strads_error("table %s: row %llu, column %u: %g is not finite", table->shared->name,
                 (unsigned long long) key, column, delta);
    return STRADS_ERR_NUMERIC;
}

strads_status ssp_inc(ssp_table *table, uint64_t key, uint32_t column, double delta)
{
    if (column >= table->columns) {
        strads_error("table %s: column %u is not below %u", table->shared->name, column,
                     table->columns);
        return STRADS_ERR_APP;
    }
    if (!isfinite(delta)) {
        return refuse_delta(table, key, column, delta);
    }
    own_row *row = NULL;
    const strads_status status = find_logged_row(table, key, &row);
    if (status != STRADS_OK) {
        return status;
    }
    table->log.deltas[row->logged * table->columns + column] += delta;
    if (shows_in_view(table, row)) {
        row->values[column] += delta;
    }
    return STRADS_OK;
}

/* One added to the exponent of a double reaches the sign bit when the exponent is the
 * highest, that of infinities and NaN. Whole numbers, for the compiler then checks several
 * at a time. */
static bool all_finite(const double *values, size_t n)
{
    static const uint64_t EXPONENT = UINT64_C(0x7ff) << 52, ONE = UINT64_C(1) << 52;
    uint64_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof(bits));
        seen |= (bits & EXPONENT) + ONE;
    }
    return seen >> 63 == 0;
}

strads_status ssp_inc_row(ssp_table *table, uint64_t key, const double *deltas)
{
    const uint32_t columns = table->columns;
    if (!all_finite(deltas, columns)) {
        uint32_t column = 0;
        while (isfinite(deltas[column])) {
            column++;
        }
        return refuse_delta(table, key, column, deltas[column]);
    }
    own_row *row = NULL;
    const strads_status status = find_logged_row(table, key, &row);
    if (status != STRADS_OK) {
        return status;
    }
    add(table->log.deltas + row->logged * columns, deltas, columns);
    if (shows_in_view(table, row)) {
        add(row->values, deltas, columns);
    }
    return STRADS_OK;
}

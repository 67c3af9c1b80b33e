/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/rows.c - a session's copies of rows, and reading them. */
#include "ssp/session_state.h"

/* ---- finding ---- */

/* A row of another part may have been forgotten here, and be on its way: whatever was sent
 * to that part may have been for it. */
static strads_status create_row(ssp_table *table, uint64_t key, ssp_own_row **out)
{
    const ssp_session *session = table->session;
    const uint32_t part = ssp_store_part(session->store, key);
    const bool here = part == session->store->place.me;
    ssp_shared_row *shared = NULL;
    strads_status status = here ? ssp_shared_row_find(table->shared, key, &shared) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    ssp_cache_make_room(table);
    ssp_own_row *row = strads_alloc(sizeof(*row) + table->columns * sizeof(*row->values));
    if (row == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *row = (ssp_own_row){.shared = shared,
                         .key = key,
                         .since = here ? 0 : session->fars[part].n_batches,
                         .logged = SSP_NOT_LOGGED,
                         .version = SSP_OUTDATED,
                         .period = SSP_NO_PERIOD};
    status = ssp_map_add(&table->rows, key, row);
    if (status != STRADS_OK) {
        strads_free(row);
        return status;
    }
    table->session->n_bytes += table->row_bytes;
    *out = row;
    return STRADS_OK;
}

strads_status ssp_own_row_find(ssp_table *table, uint64_t key, ssp_own_row **out)
{
    ssp_own_row *row = ssp_map_find(&table->rows, key);
    if (row == NULL) {
        return create_row(table, key, out);
    }
    *out = row;
    return STRADS_OK;
}

void ssp_own_row_forget_sent(ssp_own_row *row)
{
    while (row->sent != NULL) {
        ssp_sent *first = row->sent;
        row->since = first->batch;
        row->sent = first->next;
        strads_free(first);
    }
}

void ssp_own_rows_fini(ssp_table *table)
{
    for (size_t i = 0; i < table->rows.capacity; i++) {
        if (table->rows.entries[i].value != NULL) {
            ssp_own_row_forget_sent(table->rows.entries[i].value);
        }
    }
    ssp_map_fini(&table->rows);
}

void ssp_rows_touch(const ssp_table *table, const uint64_t *keys, size_t n)
{
    enum { LINE = 64 };
    if (table->rows.capacity == 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        ssp_map_touch(&table->rows, keys[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const ssp_own_row *row = ssp_map_find(&table->rows, keys[i]);
        if (row != NULL) {
            __builtin_prefetch(row);
            __builtin_prefetch((const char *) row + LINE);
        }
    }
}

/* ---- reading ---- */

/* How many of the periods before the session's own the copy may lack. */
static uint8_t bin_of(uint64_t clock, uint64_t slowest)
{
    const uint64_t behind = slowest < clock ? clock - slowest : 0;
    return (uint8_t) (behind < SSP_BINS ? behind : SSP_BINS - 1);
}

/* Brings the row up to date, once every clock is at least `needed`. Whoever has advanced
 * to there counted up the versions before, so that an unchanged version may be trusted. */
static strads_status refresh_here(ssp_table *table, ssp_own_row *row, uint64_t needed)
{
    ssp_session *session = table->session;
    if (session->slowest < needed) {
        const strads_status status = ssp_session_wait(session, needed, table->shared->name);
        if (status != STRADS_OK) {
            return status;
        }
    }
    if (row->version != atomic_load_explicit(&row->shared->version, memory_order_relaxed)) {
        row->version = ssp_shared_row_copy(row->shared, row->values, table->columns);
        if (row->logged != SSP_NOT_LOGGED && table->additive) {
            ssp_add(row->values, table->log.deltas + row->logged * table->columns, table->columns);
        }
        session->stats.n_copied++;
    }
    row->slowest = session->slowest;
    return STRADS_OK;
}

static strads_status refresh(ssp_table *table, ssp_own_row *row, uint64_t needed)
{
    const strads_status status = row->shared != NULL ? refresh_here(table, row, needed)
                                                     : ssp_remote_refresh(table, row, needed);
    if (status == STRADS_OK) {
        row->period = table->session->clock;
        row->bin = bin_of(row->period, row->slowest);
        row->used = true;
    }
    return status;
}

/* What all clocks must be at a read of this staleness or the table's, the tighter. */
static uint64_t clock_needed(const ssp_table *table, uint32_t staleness)
{
    const uint64_t clock = table->session->clock;
    const uint64_t bound = staleness < table->staleness ? staleness : table->staleness;
    return bound == SSP_ASYNC || clock < bound ? 0 : clock - bound;
}

static inline strads_status read_row(ssp_table *table, uint64_t key, uint64_t needed,
                                     const double **view)
{
    ssp_session *session = table->session;
    ssp_own_row *row = NULL;
    strads_status status = ssp_own_row_find(table, key, &row);
    if (status == STRADS_OK && (row->period != session->clock || row->slowest < needed)) {
        status = refresh(table, row, needed);
    }
    if (status == STRADS_OK) {
        session->stats.seen[row->bin]++;
        *view = row->values;
    }
    return status;
}

strads_status ssp_read_row(ssp_table *table, uint64_t key, const double **view)
{
    return ssp_read_row_within(table, key, table->staleness, view);
}

strads_status ssp_read_row_within(ssp_table *table, uint64_t key, uint32_t staleness,
                                  const double **view)
{
    return ssp_session_is_broken(table->session)
               ? STRADS_ERR_CLOSED
               : read_row(table, key, clock_needed(table, staleness), view);
}

strads_status ssp_prefetch(ssp_table *table, const uint64_t *keys, size_t n)
{
    return ssp_session_is_broken(table->session)
               ? STRADS_ERR_CLOSED
               : ssp_remote_ask(table, keys, n, clock_needed(table, table->staleness));
}

strads_status ssp_read_rows(ssp_table *table, const uint64_t *keys, size_t n, const double **views)
{
    return ssp_read_rows_within(table, keys, n, table->staleness, views);
}

strads_status ssp_read_rows_within(ssp_table *table, const uint64_t *keys, size_t n,
                                   uint32_t staleness, const double **views)
{
    const uint64_t needed = clock_needed(table, staleness);
    strads_status status = ssp_session_is_broken(table->session)
                               ? STRADS_ERR_CLOSED
                               : ssp_remote_ask(table, keys, n, needed);
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        if (i % SSP_AHEAD == 0) {
            ssp_rows_touch(table, keys + i, n - i < SSP_AHEAD ? n - i : SSP_AHEAD);
        }
        status = read_row(table, keys[i], needed, &views[i]);
    }
    return status;
}

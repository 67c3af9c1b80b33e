/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/session.c - a worker's part in the tables: its life, its clock, its waits. Nothing
 * of it is seen by another thread, but through the store.
 */
#include <assert.h>

#include "base/clock.h"
#include "ssp/session_state.h"

strads_status ssp_session_open(ssp_session **out, ssp_store *store, uint32_t rank)
{
    assert(out != NULL && store != NULL);
    ssp_session *session = strads_calloc(1, sizeof(*session));
    if (session == NULL) {
        return STRADS_ERR_NOMEM;
    }
    session->waited = strads_calloc(store->clocks.n, sizeof(*session->waited));
    if (session->waited == NULL) {
        strads_free(session);
        return STRADS_ERR_NOMEM;
    }
    ssp_store_take(store, rank);
    session->store = store;
    session->rank = rank;
    *out = session;
    return STRADS_OK;
}

static void advance(ssp_session *session, uint64_t to)
{
    for (ssp_table *table = session->tables; table != NULL; table = table->next) {
        ssp_log_publish(table);
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
        ssp_log_fini(&table->log);
        strads_free(table);
    }
    strads_free(session->waited);
    strads_free(session);
}

static strads_status create_table(ssp_table **out, ssp_session *session, ssp_shared_table *shared)
{
    ssp_table *table = strads_calloc(1, sizeof(*table));
    if (table == NULL) {
        return STRADS_ERR_NOMEM;
    }
    table->session = session;
    table->shared = shared;
    table->columns = shared->options.columns;
    table->staleness = shared->options.staleness;
    table->additive = shared->options.rule.name == NULL;
    table->row_bytes =
        sizeof(ssp_own_row) + table->columns * sizeof(double) + 2 * sizeof(ssp_map_entry);
    table->next = session->tables;
    session->tables = table;
    *out = table;
    return STRADS_OK;
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
        return create_table(out, session, shared);
    }
    *out = table;
    return STRADS_OK;
}

strads_status ssp_clock(ssp_session *session)
{
    if (ssp_session_is_broken(session)) {
        return STRADS_ERR_CLOSED;
    }
    advance(session, session->clock + 1);
    session->slowest = ssp_clocks_slowest(&session->store->clocks);
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

/* ---- waiting ---- */

static void say_who_holds(const ssp_session *session, const char *where, double seconds)
{
    uint64_t clock = 0;
    const uint32_t rank = ssp_clocks_holder(&session->store->clocks, &clock);
    strads_warn("%s: worker %u waits at clock %llu since %.0f s for worker %u, whose clock is %llu",
                where, session->rank, (unsigned long long) session->clock, seconds, rank,
                (unsigned long long) clock);
}

static strads_status wait_for(ssp_session *session, uint64_t needed, const char *where)
{
    ssp_clocks *clocks = &session->store->clocks;
    const double begun = strads_now();
    uint64_t clock = 0;
    const uint32_t holder = ssp_clocks_holder(clocks, &clock);
    strads_status status =
        ssp_clocks_wait(clocks, needed, session->store->patience, &session->slowest);
    while (status == STRADS_ERR_AGAIN) {
        say_who_holds(session, where, strads_now() - begun);
        status = ssp_clocks_wait(clocks, needed, session->store->patience, &session->slowest);
    }
    const double seconds = strads_now() - begun;
    session->stats.n_waits++;
    session->stats.wait_seconds += seconds;
    session->waited[holder] += seconds;
    return status;
}

strads_status ssp_session_wait(ssp_table *table, uint64_t needed)
{
    return wait_for(table->session, needed, table->shared->name);
}

strads_status ssp_barrier(ssp_session *session)
{
    const strads_status status = ssp_clock(session);
    return status != STRADS_OK || session->slowest >= session->clock
               ? status
               : wait_for(session, session->clock, "barrier");
}

/* ---- what has been ---- */

void ssp_session_bound(ssp_session *session, size_t bytes)
{
    session->max_bytes = bytes;
}

ssp_stats ssp_session_stats(const ssp_session *session)
{
    return session->stats;
}

double ssp_session_waited_for(const ssp_session *session, uint32_t rank)
{
    assert(rank < session->store->clocks.n);
    return session->waited[rank];
}

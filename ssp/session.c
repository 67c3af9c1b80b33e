/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/session.c - a worker's part in the tables: its life, its clock, its waits. Nothing
 * of it is seen by another thread, but through the store.
 */
#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "ssp/server.h"
#include "ssp/session_state.h"

strads_status ssp_session_open(ssp_session **out, ssp_store *store, uint32_t rank)
{
    assert(out != NULL && store != NULL);
    ssp_session *session = strads_calloc(1, sizeof(*session));
    if (session == NULL) {
        return STRADS_ERR_NOMEM;
    }
    session->store = store;
    session->rank = rank;
    session->waited = strads_calloc(store->clocks.n, sizeof(*session->waited));
    if (session->waited == NULL || ssp_remote_init(session) != STRADS_OK) {
        strads_free(session->waited);
        strads_free(session);
        return STRADS_ERR_NOMEM;
    }
    ssp_store_take(store, rank);
    *out = session;
    return STRADS_OK;
}

/* Increments first, then the clock that says that they are there. */
static strads_status advance(ssp_session *session, uint64_t to)
{
    strads_status status = STRADS_OK;
    for (ssp_table *table = session->tables; table != NULL && status == STRADS_OK;
         table = table->next) {
        status = ssp_log_publish(table);
    }
    if (status != STRADS_OK) {
        return status;
    }
    session->clock = to;
    ssp_store_advance(session->store, session->rank, to);
    return ssp_remote_tick(session);
}

void ssp_session_close(ssp_session *session)
{
    if (session == NULL) {
        return;
    }
    session->closing = true;
    if (advance(session, SSP_CLOCK_LEFT) == STRADS_ERR_NOMEM) {
        strads_error("worker %u: no memory for its last increments", session->rank);
        ssp_store_abort(session->store);
    }
    while (session->tables != NULL) {
        ssp_table *table = session->tables;
        session->tables = table->next;
        ssp_own_rows_fini(table);
        ssp_log_fini(&table->log);
        ssp_remote_table_fini(table);
        strads_free(table);
    }
    ssp_remote_fini(session);
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
    table->number = session->n_tables++;
    table->next = session->tables;
    session->tables = table;
    table->opened = STRADS_OK;
    table->opened = ssp_remote_open(table);
    if (table->opened == STRADS_OK) {
        *out = table;
    }
    return table->opened;
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
    if (session->store->server != NULL) {
        ssp_server_look(session->store->server); /* others may wait for this table */
    }
    ssp_table *table = session->tables;
    while (table != NULL && table->shared != shared) {
        table = table->next;
    }
    if (table == NULL) {
        return create_table(out, session, shared);
    }
    if (table->opened == STRADS_OK) {
        *out = table;
    }
    return table->opened;
}

strads_status ssp_clock(ssp_session *session)
{
    if (ssp_session_is_broken(session)) {
        return STRADS_ERR_CLOSED;
    }
    const strads_status status = advance(session, session->clock + 1);
    if (status != STRADS_OK) {
        ssp_store_abort(session->store); /* what is half sent cannot be sent again */
        return status;
    }
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

/* Whose clock holds a wait, or whose server has not answered; UINT32_MAX: nobody's that is
 * known. */
static uint32_t find_holder(const ssp_session *session, uint64_t needed, uint32_t server,
                            uint64_t *clock)
{
    const uint32_t holder = ssp_clocks_holder(&session->store->clocks, clock);
    return *clock < needed ? holder : server < session->store->clocks.n ? server : UINT32_MAX;
}

static void say_who_holds(const ssp_session *session, uint64_t needed, uint32_t server,
                          const char *where, double seconds)
{
    const unsigned long long own = session->clock;
    uint64_t clock = 0;
    const uint32_t holder = find_holder(session, needed, server, &clock);
    if (clock < needed) {
        strads_warn("%s: worker %u waits at clock %llu since %.0f s for worker %u, whose clock is "
                    "%llu",
                    where, session->rank, own, seconds, holder, (unsigned long long) clock);
    } else if (holder != UINT32_MAX) {
        strads_warn("%s: worker %u waits at clock %llu since %.0f s for an answer of worker %u's "
                    "process",
                    where, session->rank, own, seconds, holder);
    } else {
        strads_warn("%s: worker %u waits at clock %llu since %.0f s for other processes to open it",
                    where, session->rank, own, seconds);
    }
}

/* A wait, and for whom; UINT32_MAX: for nobody in particular. */
typedef struct wait_begun {
    double at;
    uint32_t holder;
} wait_begun;

static wait_begun begin_wait(const ssp_session *session, uint64_t needed, uint32_t server)
{
    uint64_t clock = 0;
    const uint32_t holder = find_holder(session, needed, server, &clock);
    return (wait_begun){.at = strads_now(), .holder = holder};
}

static void count_wait(ssp_session *session, const wait_begun *begun)
{
    const double seconds = strads_now() - begun->at;
    session->stats.n_waits++;
    session->stats.wait_seconds += seconds;
    if (begun->holder != UINT32_MAX) {
        session->waited[begun->holder] += seconds;
    }
}

/* What a session waits for among other parts. */
typedef struct hold {
    const ssp_session *session;
    uint64_t needed;
    bool answer; /* something has to be told */
} hold;

static bool is_over(void *context)
{
    const hold *self = context;
    const ssp_store *store = self->session->store;
    return atomic_load(&store->inboxes[self->session->rank].n) > 0 ||
           (!self->answer && ssp_clocks_slowest(&store->clocks) >= self->needed) ||
           atomic_load(&store->clocks.broken);
}

strads_status ssp_session_pause(ssp_session *session, uint64_t needed, uint32_t server,
                                const char *where)
{
    ssp_store *store = session->store;
    ssp_inbox *inbox = &store->inboxes[session->rank];
    const net_id me = session->rank + 1;
    hold until = {.session = session, .needed = needed, .answer = server != SSP_NO_SERVER};
    const wait_begun begun = begin_wait(session, needed, server);
    atomic_store(&inbox->waits, true);
    strads_status status =
        net_wait_until(store->place.network, me, store->patience, is_over, &until);
    if (status == STRADS_ERR_AGAIN) {
        say_who_holds(session, needed, server, where, strads_now() - begun.at);
        status = net_wait_until(store->place.network, me, INFINITY, is_over, &until);
    }
    atomic_store(&inbox->waits, false);
    count_wait(session, &begun);
    session->slowest = ssp_clocks_slowest(&store->clocks);
    if (status == STRADS_OK && ssp_session_is_broken(session)) {
        return STRADS_ERR_CLOSED;
    }
    return status == STRADS_OK ? ssp_inbox_hear(session) : status;
}

/* All sessions are of this store, and share its condition. */
static strads_status wait_here(ssp_session *session, uint64_t needed, const char *where)
{
    ssp_clocks *clocks = &session->store->clocks;
    const wait_begun begun = begin_wait(session, needed, SSP_NO_SERVER);
    strads_status status =
        ssp_clocks_wait(clocks, needed, session->store->patience, &session->slowest);
    if (status == STRADS_ERR_AGAIN) {
        say_who_holds(session, needed, SSP_NO_SERVER, where, strads_now() - begun.at);
    }
    while (status == STRADS_ERR_AGAIN) {
        status = ssp_clocks_wait(clocks, needed, session->store->patience, &session->slowest);
    }
    count_wait(session, &begun);
    return status;
}

strads_status ssp_session_wait(ssp_session *session, uint64_t needed, const char *where)
{
    strads_status status = STRADS_OK;
    if (session->store->inboxes == NULL) {
        return wait_here(session, needed, where);
    }
    while (status == STRADS_OK && session->slowest < needed) {
        status = ssp_session_pause(session, needed, SSP_NO_SERVER, where);
    }
    return status;
}

strads_status ssp_barrier(ssp_session *session)
{
    const strads_status status = ssp_clock(session);
    return status != STRADS_OK || session->slowest >= session->clock
               ? status
               : ssp_session_wait(session, session->clock, "barrier");
}

/* ---- what has been ---- */

void ssp_session_bound(ssp_session *session, size_t bytes)
{
    session->max_bytes = bytes;
}

void ssp_session_suggest(ssp_session *session, const ssp_table_options *options)
{
    session->suggested = *options;
}

ssp_table_options ssp_session_options(const ssp_session *session)
{
    return session->suggested;
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/remote.c - rows that other parts have: asked for, brought up to date, and their
 * increments sent.
 *
 * What a session tells a part arrives in order: so a part that is asked for a row has
 * applied all that the session has sent before. What is sent while a copy may be on its way
 * is remembered, and added to copies that lack it (inbox.c).
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "ssp/session_state.h"

enum {
    MOST_UNACKED = 64, /* updates of a session that a part may not have applied yet */
    ACK_EACH = 16
};

/* ---- life ---- */

strads_status ssp_remote_init(ssp_session *session)
{
    const uint32_t n_parts = session->store->place.n_parts;
    if (n_parts > 1) {
        session->fars = strads_calloc(n_parts, sizeof(*session->fars));
        return session->fars == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    return STRADS_OK;
}

void ssp_remote_fini(ssp_session *session)
{
    for (uint32_t p = 0; p < session->store->place.n_parts && session->fars != NULL; p++) {
        ssp_lists_fini(&session->fars[p].said);
        ssp_lists_fini(&session->fars[p].heard);
    }
    strads_free(session->fars);
}

strads_status ssp_remote_tell(ssp_session *session, uint32_t part, net_message *message)
{
    const ssp_place *place = &session->store->place;
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    session->stats.bytes_out += message->bytes;
    return net_tell(place->network, session->rank + 1, place->firsts[part] + 1, message);
}

void ssp_remote_table_fini(ssp_table *table)
{
    strads_free(table->pushed);
    strads_free(table->keys);
    strads_free(table->wanted);
}

strads_status ssp_remote_open(ssp_table *table)
{
    ssp_session *session = table->session;
    const ssp_place *place = &session->store->place;
    if (session->fars == NULL) {
        return STRADS_OK;
    }
    table->pushed = strads_calloc(place->n_parts, sizeof(*table->pushed));
    table->keys = strads_alloc_array(ssp_batch_rows(table->columns), sizeof(*table->keys));
    strads_status status =
        table->pushed == NULL || table->keys == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t p = 0; p < place->n_parts && status == STRADS_OK; p++) {
        if (p != place->me) {
            status = ssp_remote_tell(
                session, p,
                ssp_message_open(table->number, table->shared->name, &table->shared->options));
        }
    }
    while (status == STRADS_OK && table->n_opened < place->n_parts - 1) {
        status = ssp_session_pause(session, 0, SSP_ANY_SERVER, table->shared->name);
    }
    return status == STRADS_OK ? table->opened : status;
}

/* ---- increments ---- */

/* Too many updates under way would take all the memory there is on a way that is slow. */
static strads_status make_way(ssp_table *table, uint32_t part)
{
    const ssp_far *far = &table->session->fars[part];
    const uint32_t server = table->session->store->place.firsts[part];
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && far->n_batches - far->n_acked >= MOST_UNACKED &&
           !table->session->closing) {
        status = ssp_session_pause(table->session, 0, server, table->shared->name);
    }
    return status;
}

/* Remembers what is sent of a row; without memory for that, copies that lack it are not
 * taken. */
static void remember(ssp_own_row *row, uint32_t batch, const double *deltas, uint32_t columns)
{
    ssp_sent *one = strads_alloc(sizeof(*one) + columns * sizeof(*deltas));
    if (one == NULL) {
        ssp_own_row_forget_sent(row);
        row->since = batch;
        return;
    }
    *one = (ssp_sent){.batch = batch};
    memcpy(one->deltas, deltas, columns * sizeof(*deltas));
    ssp_sent **at = &row->sent;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = one;
}

/* A row leaves the log with the batch. The copy of one with a rule is what it was before
 * that is applied. */
static void note_sent(ssp_table *table, ssp_own_row *row, uint32_t batch, const double *deltas)
{
    row->logged = SSP_NOT_LOGGED;
    if (table->additive && (row->n_asked > 0 || row->told)) {
        remember(row, batch, deltas, table->columns);
        return;
    }
    row->since = batch;
    if (!table->additive) {
        row->version = SSP_OUTDATED;
    }
}

strads_status ssp_remote_send(ssp_table *table, uint32_t part, const size_t *from, uint32_t n,
                              uint32_t flags)
{
    ssp_far *far = &table->session->fars[part];
    ssp_log *log = &table->log;
    strads_status status = make_way(table, part);
    if (status != STRADS_OK) {
        return status;
    }
    const uint32_t batch = far->n_batches + 1;
    const ssp_head head = {.table = table->number,
                           .batch = batch,
                           .n_keys = n,
                           .flags = batch % ACK_EACH == 0 ? SSP_ANSWER : flags};
    net_message *message =
        ssp_message_create(SSP_UPDATE, &head, table->keys, &far->said, table->columns);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        const double *deltas = log->deltas + from[i] * table->columns;
        ssp_message_put(message, i, deltas, table->columns);
        note_sent(table, log->rows[from[i]], batch, deltas);
        log->rows[from[i]] = NULL;
    }
    far->n_batches = batch;
    return ssp_remote_tell(table->session, part, message);
}

/* Increments may go early while nothing is under way; so what goes at a clock has to be known
 * to have come. */
static strads_status flush_to(ssp_table *table, uint32_t part, size_t *from)
{
    const ssp_log *log = &table->log;
    const size_t most = ssp_batch_rows(table->columns);
    const uint32_t flags = table->session->store->place.bandwidth > 0.0 ? SSP_ANSWER : 0;
    strads_status status = STRADS_OK;
    uint32_t n = 0;
    for (size_t i = 0; i < log->n && status == STRADS_OK; i++) {
        const ssp_own_row *row = log->rows[i];
        if (row == NULL || row->shared != NULL ||
            ssp_store_part(table->session->store, row->key) != part) {
            continue;
        }
        table->keys[n] = row->key;
        from[n++] = i;
        if (n == most) {
            status = ssp_remote_send(table, part, from, n, flags);
            n = 0;
        }
    }
    return status == STRADS_OK && n > 0 ? ssp_remote_send(table, part, from, n, flags) : status;
}

strads_status ssp_remote_flush(ssp_table *table)
{
    const ssp_place *place = &table->session->store->place;
    if (table->session->fars == NULL || table->log.n == 0) {
        return STRADS_OK;
    }
    size_t *from = strads_alloc_array(ssp_batch_rows(table->columns), sizeof(*from));
    strads_status status = from == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t p = 0; p < place->n_parts && status == STRADS_OK; p++) {
        status = p == place->me ? STRADS_OK : flush_to(table, p, from);
    }
    strads_free(from);
    return status;
}

static bool anything(void *context)
{
    (void) context;
    return true;
}

/* Where time is simulated, all that has come by now is there after it. */
strads_status ssp_remote_tick(ssp_session *session)
{
    const ssp_place *place = &session->store->place;
    const ssp_head head = {.clock = session->clock};
    strads_status status = STRADS_OK;
    if (session->fars == NULL) {
        return STRADS_OK;
    }
    for (uint32_t p = 0; p < place->n_parts && status == STRADS_OK; p++) {
        if (p != place->me) {
            status = ssp_remote_tell(session, p, ssp_message_head(SSP_TICK, &head));
        }
    }
    for (ssp_table *table = session->tables; table != NULL && status == STRADS_OK;
         table = table->next) {
        status = ssp_remote_ask(table, table->wanted, table->n_wanted, 0);
        table->n_wanted = 0;
    }
    if (status != STRADS_OK || session->closing) {
        return status;
    }
    status = net_wait_until(place->network, session->rank + 1, 0.0, anything, NULL);
    return status == STRADS_OK ? ssp_inbox_hear(session) : status;
}

/* ---- reads ---- */

/* The clock up to which the copy has all increments. */
static uint64_t freshness(const ssp_table *table, const ssp_own_row *row)
{
    const uint64_t pushed =
        row->told ? table->pushed[ssp_store_part(table->session->store, row->key)] : 0;
    return row->slowest > pushed ? row->slowest : pushed;
}

static bool is_fresh(const ssp_table *table, const ssp_own_row *row, uint64_t needed)
{
    return row->version != SSP_OUTDATED && freshness(table, row) >= needed;
}

/* Whether a read has to ask: a question under way may do, and so may what comes unasked. */
static bool must_ask(const ssp_table *table, const ssp_own_row *row, uint64_t needed)
{
    return !is_fresh(table, row, needed) && (row->n_asked == 0 || row->asked < needed) &&
           !(row->told && row->version != SSP_OUTDATED);
}

static strads_status send_get(ssp_table *table, uint32_t part, uint32_t n, uint64_t needed)
{
    ssp_far *far = &table->session->fars[part];
    const ssp_head head = {.table = table->number, .n_keys = n, .clock = needed};
    return ssp_remote_tell(
        table->session, part,
        ssp_message_create(SSP_GET, &head, table->keys, &far->said, table->columns));
}

/* needed 0 asks for a newer copy of what has one. */
static strads_status ask_part(ssp_table *table, uint32_t part, const uint64_t *keys, size_t n,
                              uint64_t needed)
{
    const size_t most = ssp_batch_rows(table->columns);
    strads_status status = STRADS_OK;
    uint32_t n_keys = 0;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        ssp_own_row *row = NULL;
        if (ssp_store_part(table->session->store, keys[i]) != part) {
            continue;
        }
        status = ssp_own_row_find(table, keys[i], &row);
        if (status != STRADS_OK ||
            !(must_ask(table, row, needed) || (keys == table->wanted && row->n_asked == 0))) {
            continue;
        }
        row->n_asked++;
        row->asked = needed;
        table->keys[n_keys++] = keys[i];
        if (n_keys == most) {
            status = send_get(table, part, n_keys, needed);
            n_keys = 0;
        }
    }
    return status == STRADS_OK && n_keys > 0 ? send_get(table, part, n_keys, needed) : status;
}

strads_status ssp_remote_ask(ssp_table *table, const uint64_t *keys, size_t n, uint64_t needed)
{
    const ssp_place *place = &table->session->store->place;
    strads_status status = STRADS_OK;
    if (table->session->fars == NULL || n == 0) {
        return STRADS_OK;
    }
    for (uint32_t p = 0; p < place->n_parts && status == STRADS_OK; p++) {
        status = p == place->me ? STRADS_OK : ask_part(table, p, keys, n, needed);
    }
    return status;
}

/* Where no bound makes copies outdated, those that are read are asked for anew when the
 * period ends, so that they are never much older than that. */
static strads_status want(ssp_table *table, uint64_t key)
{
    if (table->staleness != SSP_ASYNC || table->shared->options.eager) {
        return STRADS_OK;
    }
    const strads_status status = strads_reserve(&table->wanted, &table->wanted_capacity,
                                                table->n_wanted + 1, sizeof(*table->wanted));
    if (status == STRADS_OK) {
        table->wanted[table->n_wanted++] = key;
    }
    return status;
}

strads_status ssp_remote_refresh(ssp_table *table, ssp_own_row *row, uint64_t needed)
{
    ssp_session *session = table->session;
    const ssp_store *store = session->store;
    const uint32_t server = store->place.firsts[ssp_store_part(store, row->key)];
    strads_status status = ssp_inbox_hear(session);
    const bool waits = !is_fresh(table, row, needed);
    while (status == STRADS_OK && !is_fresh(table, row, needed)) {
        if (must_ask(table, row, needed)) {
            status = ssp_remote_ask(table, &row->key, 1, needed);
        }
        if (status == STRADS_OK) {
            status = ssp_session_pause(session, needed, server, table->shared->name);
        }
    }
    if (status == STRADS_OK && row->period != session->clock) {
        status = want(table, row->key);
    }
    if (status == STRADS_OK) {
        const bool fetched = waits || row->came;
        row->slowest = freshness(table, row);
        row->came = false;
        session->stats.n_copied += fetched;
        session->stats.n_fetched += fetched;
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/server.c - a part's server: requests of other parts' sessions. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ssp/server_state.h"

/* ---- telling ---- */

strads_status ssp_server_tell(ssp_server *server, const ssp_peer *peer, net_message *message)
{
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const ssp_place *place = &server->store->place;
    const strads_status status =
        net_tell(place->network, place->firsts[place->me] + 1, peer->rank + 1, message);
    return status == STRADS_ERR_CLOSED ? STRADS_OK : status; /* it has left, and wants nothing */
}

/* Reads a row ahead of its use, of rows[n] that are used in turn, when the i-th is. */
static void touch(ssp_shared_row *const *rows, uint32_t i, uint32_t n, uint32_t columns)
{
    enum { AHEAD = 4, LINE = 64 / sizeof(double), MOST = 1024 };
    const double *values = n - i > AHEAD ? rows[i + AHEAD]->values : NULL;
    for (uint32_t j = 0; j < columns && j < MOST && values != NULL; j += LINE) {
        __builtin_prefetch(&values[j]);
    }
}

strads_status ssp_server_send_rows(ssp_server *server, ssp_peer *peer, const ssp_head *given,
                                   const uint64_t *keys, ssp_shared_row *const *rows, uint32_t n)
{
    const uint32_t columns = peer->tables[given->table].shared->options.columns;
    ssp_head head = *given;
    head.batch = peer->applied;
    head.n_keys = n;
    net_message *message = ssp_message_create(SSP_ROWS, &head, keys, &peer->said, columns);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    ssp_stripe *held = NULL;
    for (uint32_t i = 0; i < n; i++) {
        touch(rows, i, n, columns);
        held = ssp_stripe_hold(held, rows[i]->stripe);
        ssp_message_put(message, i, rows[i]->values, columns);
    }
    (void) ssp_stripe_hold(held, NULL);
    server->units += (double) n * columns;
    return ssp_server_tell(server, peer, message);
}

/* ---- tables ---- */

static void end_request(ssp_request *request)
{
    net_message_destroy(request->open);
    strads_free(request->keys);
    strads_free(request->rows);
    strads_free(request);
}

static strads_status hold(ssp_server *server, const ssp_request *given)
{
    ssp_request *request = strads_alloc(sizeof(*request));
    if (request == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *request = *given;
    request->next = NULL;
    *server->held_end = request;
    server->held_end = &request->next;
    return STRADS_OK;
}

static bool is_text(const char *text, const char *bytes, uint32_t n)
{
    return strlen(text) == n && memcmp(text, bytes, n) == 0;
}

static bool is_same(const ssp_table_options *mine, const ssp_open *open, const char *rule)
{
    return mine->columns == open->columns && mine->staleness == open->staleness &&
           mine->eager == (open->eager != 0) && mine->rule.n_states == open->n_states &&
           mine->rule.params[0] == open->params[0] && mine->rule.params[1] == open->params[1] &&
           is_text(mine->rule.name == NULL ? "" : mine->rule.name, rule, open->rule_bytes);
}

static strads_status take_table(ssp_peer *peer, uint32_t number, ssp_shared_table *shared)
{
    const strads_status status =
        strads_reserve(&peer->tables, &peer->tables_capacity, number + 1, sizeof(*peer->tables));
    if (status != STRADS_OK) {
        return status;
    }
    peer->tables[number] = (ssp_far_table){.shared = shared};
    peer->n_tables = number + 1;
    return STRADS_OK;
}

/* Answers once a session of this part has opened the table too; AGAIN: none has. */
static strads_status answer_open(ssp_server *server, ssp_peer *peer, const net_message *message)
{
    ssp_head head;
    ssp_open open;
    const char *name = NULL, *rule = NULL, *why = NULL;
    strads_status status = ssp_message_read(message, &head)
                               ? ssp_message_read_open(message, &open, &name, &rule, &why)
                               : STRADS_ERR_DATA;
    if (status != STRADS_OK || head.table != peer->n_tables) {
        return STRADS_ERR_DATA;
    }
    ssp_shared_table *shared = ssp_store_find(server->store, name, open.name_bytes);
    if (shared == NULL) {
        return STRADS_ERR_AGAIN;
    }
    if (!is_same(&shared->options, &open, rule)) {
        strads_error("table %s: worker %u has opened it with other columns, staleness or rule",
                     shared->name, peer->rank);
        const ssp_head answer = {.table = head.table, .flags = STRADS_ERR_APP};
        return ssp_server_tell(server, peer, ssp_message_head(SSP_OPENED, &answer));
    }
    status = take_table(peer, head.table, shared);
    if (status != STRADS_OK) {
        return status;
    }
    const ssp_head answer = {.table = head.table, .flags = STRADS_OK};
    return ssp_server_tell(server, peer, ssp_message_head(SSP_OPENED, &answer));
}

/* ---- rows ---- */

/* Its row of each key of the list. */
static strads_status find_rows(ssp_shared_table *table, ssp_list *list)
{
    strads_status status = STRADS_OK;
    for (uint32_t i = 0; i < list->n && status == STRADS_OK; i++) {
        ssp_shared_row *row = list->rows[i];
        if (row == NULL) {
            status = ssp_shared_row_find(table, list->keys[i], &row);
            list->rows[i] = row;
        }
    }
    return status;
}

static strads_status reserve_scratch(ssp_server *server, uint32_t columns)
{
    const size_t before = server->scratch_capacity;
    const strads_status status = strads_reserve(&server->scratch, &server->scratch_capacity,
                                                columns, sizeof(*server->scratch));
    if (status == STRADS_OK && server->scratch_capacity > before) {
        memset(server->scratch + before, 0,
               (server->scratch_capacity - before) * sizeof(*server->scratch));
    }
    return status;
}

static strads_status update(ssp_server *server, ssp_peer *peer, const ssp_head *head,
                            const net_message *message, const char **why)
{
    ssp_shared_table *table = peer->tables[head->table].shared;
    const uint32_t columns = table->options.columns;
    ssp_rows rows;
    strads_status status =
        ssp_message_read_rows(message, head, &peer->heard, columns, true, &rows, why);
    if (status == STRADS_OK) {
        status = reserve_scratch(server, columns);
    }
    if (status == STRADS_OK) {
        status = find_rows(table, rows.list);
    }
    if (status != STRADS_OK) {
        return status;
    }
    ssp_shared_row *const *found = (ssp_shared_row **) (void *) rows.list->rows;
    ssp_stripe *held = NULL;
    for (uint32_t i = 0; i < head->n_keys; i++) {
        const double *deltas = ssp_rows_next(&rows, server->scratch, columns);
        touch(found, i, head->n_keys, columns);
        held = ssp_stripe_hold(held, found[i]->stripe);
        ssp_shared_row_apply(table, found[i], deltas);
        if (deltas == server->scratch) {
            memset(server->scratch, 0, columns * sizeof(*deltas));
        }
    }
    (void) ssp_stripe_hold(held, NULL);
    server->units += (double) head->n_keys * columns;
    peer->applied = head->batch;
    const ssp_head answer = {.table = head->table, .batch = peer->applied};
    return (head->flags & SSP_ANSWER) == 0
               ? STRADS_OK
               : ssp_server_tell(server, peer, ssp_message_head(SSP_ACK, &answer));
}

/* Whether the request was answered; AGAIN: it is not due. */
static strads_status answer_get(ssp_server *server, const ssp_request *request)
{
    const uint64_t slowest = ssp_clocks_slowest(&server->store->clocks);
    if (slowest < request->clock) {
        return STRADS_ERR_AGAIN;
    }
    const ssp_head head = {.table = request->table, .flags = SSP_ANSWER, .clock = slowest};
    ssp_far_table *table = &request->peer->tables[request->table];
    strads_status status = STRADS_OK;
    if (table->shared->options.eager) {
        status = ssp_push_note(table, request->keys, request->rows, request->n);
    }
    return status == STRADS_OK ? ssp_server_send_rows(server, request->peer, &head, request->keys,
                                                      request->rows, request->n)
                               : status;
}

static strads_status get(ssp_server *server, ssp_peer *peer, const ssp_head *head,
                         const net_message *message, const char **why)
{
    ssp_shared_table *table = peer->tables[head->table].shared;
    ssp_rows rows;
    strads_status status = ssp_message_read_rows(message, head, &peer->heard,
                                                 table->options.columns, false, &rows, why);
    if (status == STRADS_OK) {
        status = find_rows(table, rows.list);
    }
    if (status != STRADS_OK) {
        return status;
    }
    const uint32_t n = head->n_keys;
    ssp_request request = {.peer = peer,
                           .table = head->table,
                           .n = n,
                           .clock = head->clock,
                           .keys = rows.list->keys,
                           .rows = (ssp_shared_row **) (void *) rows.list->rows};
    status = answer_get(server, &request);
    if (status != STRADS_ERR_AGAIN) {
        return status;
    }
    request.keys = strads_alloc_array(n, sizeof(*request.keys));
    request.rows = strads_alloc_array(n, sizeof(*request.rows));
    status = request.keys == NULL || request.rows == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK) {
        memcpy(request.keys, rows.list->keys, n * sizeof(*request.keys));
        memcpy(request.rows, rows.list->rows, n * sizeof(*request.rows));
        status = hold(server, &request);
    }
    if (status != STRADS_OK) {
        strads_free(request.keys);
        strads_free(request.rows);
    }
    return status;
}

/* ---- the queue ---- */

static strads_status tick(ssp_server *server, const ssp_peer *peer, const ssp_head *head)
{
    ssp_clocks *clocks = &server->store->clocks;
    if (head->clock <= atomic_load(&clocks->clocks[peer->rank])) {
        return STRADS_ERR_DATA;
    }
    if (ssp_clocks_advance(clocks, peer->rank, head->clock)) {
        ssp_store_wake(server->store);
        pthread_mutex_lock(&server->lock);
        server->must_look = true; /* by whoever runs it, which is this thread */
        pthread_mutex_unlock(&server->lock);
    }
    return STRADS_OK;
}

/* Takes the message, unless it is held (then *message is NULL). */
static strads_status act_on(ssp_server *server, net_message **message, const char **why)
{
    ssp_head head;
    *why = "it makes no sense";
    ssp_peer *peer = &server->peers[(*message)->from - 1];
    if (!ssp_message_read(*message, &head)) {
        return STRADS_ERR_DATA;
    }
    const bool has_table = head.table < peer->n_tables;
    switch ((*message)->type) {
    case SSP_OPEN: {
        const ssp_request request = {.peer = peer, .open = *message};
        strads_status status = answer_open(server, peer, *message);
        if (status == STRADS_ERR_AGAIN) {
            status = hold(server, &request);
            *message = status == STRADS_OK ? NULL : *message;
        }
        return status;
    }
    case SSP_UPDATE:
        return has_table && head.batch == peer->applied + 1
                   ? update(server, peer, &head, *message, why)
                   : STRADS_ERR_DATA;
    case SSP_GET:
        return has_table ? get(server, peer, &head, *message, why) : STRADS_ERR_DATA;
    case SSP_TICK:
        return tick(server, peer, &head);
    default:
        return STRADS_ERR_DATA;
    }
}

/* Answers what is due of what was held. */
static strads_status look(ssp_server *server)
{
    strads_status status = STRADS_OK;
    ssp_request **at = &server->held;
    while (*at != NULL && (status == STRADS_OK || status == STRADS_ERR_AGAIN)) {
        ssp_request *request = *at;
        status = request->open != NULL ? answer_open(server, request->peer, request->open)
                                       : answer_get(server, request);
        if (status == STRADS_ERR_AGAIN) {
            at = &request->next;
        } else {
            *at = request->next;
            end_request(request);
        }
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    server->held_end = at;
    if (status != STRADS_OK && status != STRADS_ERR_AGAIN) {
        return status;
    }
    const uint64_t slowest = ssp_clocks_slowest(&server->store->clocks);
    if (slowest > server->pushed && slowest != SSP_CLOCK_LEFT) {
        server->pushed = slowest;
        return ssp_push_all(server, slowest);
    }
    return STRADS_OK;
}

/* Whoever waits for an answer hears that none will come. */
static void tell_others(ssp_server *server)
{
    const ssp_place *place = &server->store->place;
    const ssp_head head = {.table = 0};
    for (uint32_t rank = 0; rank < server->store->clocks.n; rank++) {
        const bool here = rank >= place->firsts[place->me] && rank < place->firsts[place->me + 1];
        if (!here && ssp_server_tell(server, &server->peers[rank],
                                     ssp_message_head(SSP_ABORT, &head)) != STRADS_OK) {
            strads_warn("worker %u is not told that a table's server has failed", rank);
        }
    }
}

static void fail(ssp_server *server, strads_status status, const net_message *message,
                 const char *why)
{
    if (status == STRADS_ERR_DATA && message != NULL) {
        strads_error("worker %u sent a table's server a bad message %u: %s", message->from - 1,
                     message->type, why);
    } else {
        strads_error("a table's server gives up: %s", strads_status_name(status));
    }
    ssp_store_abort(server->store);
    tell_others(server);
}

/* One thing that is there to do, by who runs the server; the lock is free meanwhile. */
static void do_one(ssp_server *server, net_node *node, net_message *message)
{
    const char *why = "";
    if (atomic_load(&server->store->clocks.broken)) {
        net_message_destroy(message); /* what it has may lack something */
        return;
    }
    const strads_status status = message == NULL ? look(server) : act_on(server, &message, &why);
    if (status != STRADS_OK) {
        fail(server, status, message, why);
    }
    if (node != NULL && net_counts_work(node)) {
        net_work(node, server->units);
    }
    server->units = 0.0;
    net_message_destroy(message);
}

/* What is brought is done in order; looking comes after all messages that are there. */
static void run(ssp_server *server, net_node *node)
{
    pthread_mutex_lock(&server->lock);
    const bool mine = !server->runs;
    server->runs = true;
    while (mine && (server->first != NULL || server->must_look)) {
        net_message *message = server->first;
        if (message != NULL) {
            server->first = message->next;
        } else {
            server->must_look = false;
        }
        pthread_mutex_unlock(&server->lock);
        do_one(server, node, message);
        pthread_mutex_lock(&server->lock);
    }
    server->runs = !mine;
    pthread_mutex_unlock(&server->lock);
}

void ssp_server_take(ssp_server *server, net_node *node, net_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&server->lock);
    *(server->first == NULL ? &server->first : &server->last->next) = message;
    server->last = message;
    pthread_mutex_unlock(&server->lock);
    run(server, node);
}

void ssp_server_look(ssp_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->must_look = true;
    pthread_mutex_unlock(&server->lock);
    run(server, NULL);
}

/* ---- life ---- */

strads_status ssp_server_create(ssp_server **out, ssp_store *store)
{
    strads_status status = STRADS_ERR_NOMEM;
    ssp_server *server = strads_calloc(1, sizeof(*server));
    if (server == NULL) {
        return status;
    }
    server->store = store;
    server->held_end = &server->held;
    server->peers = strads_calloc(store->clocks.n, sizeof(*server->peers));
    if (server->peers == NULL) {
        goto err_free;
    }
    for (uint32_t rank = 0; rank < store->clocks.n; rank++) {
        server->peers[rank].rank = rank;
    }
    if (pthread_mutex_init(&server->lock, NULL) != 0) {
        status = STRADS_ERR_SYSTEM;
        goto err_free_peers;
    }
    *out = server;
    return STRADS_OK;

err_free_peers:
    strads_free(server->peers);
err_free:
    strads_free(server);
    return status;
}

static void fini_peer(ssp_peer *peer)
{
    for (size_t i = 0; i < peer->n_tables; i++) {
        ssp_map_fini(&peer->tables[i].wishes);
    }
    strads_free(peer->tables);
    ssp_lists_fini(&peer->heard);
    ssp_lists_fini(&peer->said);
}

void ssp_server_destroy(ssp_server *server)
{
    if (server == NULL) {
        return;
    }
    for (uint32_t rank = 0; rank < server->store->clocks.n; rank++) {
        fini_peer(&server->peers[rank]);
    }
    while (server->held != NULL) {
        ssp_request *request = server->held;
        server->held = request->next;
        end_request(request);
    }
    while (server->first != NULL) {
        net_message *message = server->first;
        server->first = message->next;
        net_message_destroy(message);
    }
    pthread_mutex_destroy(&server->lock);
    strads_free(server->scratch);
    strads_free(server->peers);
    strads_free(server);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/inbox.c - what servers of other parts have told a session, heard on its own thread. */
#include <string.h>

#include "ssp/session_state.h"

static net_message *take(ssp_inbox *inbox)
{
    if (atomic_load(&inbox->n) == 0) {
        return NULL;
    }
    pthread_mutex_lock(&inbox->lock);
    net_message *message = inbox->first;
    inbox->first = message->next;
    atomic_fetch_sub(&inbox->n, 1);
    pthread_mutex_unlock(&inbox->lock);
    return message;
}

static ssp_table *find_table(const ssp_session *session, uint32_t number)
{
    ssp_table *table = session->tables;
    while (table != NULL && table->number != number) {
        table = table->next;
    }
    return table;
}

/* The part whose server is at that node; n_parts: none. */
static uint32_t part_of(const ssp_place *place, net_id node)
{
    uint32_t p = 0;
    while (p < place->n_parts && (p == place->me || place->firsts[p] + 1 != node)) {
        p++;
    }
    return p;
}

/* Forgets what the copy has, and adds what it lacks of what was sent and logged. */
static void add_own(ssp_table *table, ssp_own_row *row, uint32_t batch)
{
    const uint32_t columns = table->columns;
    while (row->sent != NULL && (int32_t) (batch - row->sent->batch) >= 0) {
        ssp_sent *first = row->sent;
        row->since = first->batch;
        row->sent = first->next;
        strads_free(first);
    }
    for (const ssp_sent *one = row->sent; one != NULL; one = one->next) {
        ssp_add(row->values, one->deltas, columns);
    }
    if (row->logged != SSP_NOT_LOGGED && table->additive) {
        ssp_add(row->values, table->log.deltas + row->logged * columns, columns);
    }
}

/* A copy that lacks updates of this session's own that are not remembered is not taken, and
 * its part's word on it not any more: it is asked for when it is read. */
static void take_row(ssp_table *table, ssp_own_row *row, const ssp_head *head, const double *values)
{
    if ((head->flags & SSP_ANSWER) != 0 && row->n_asked > 0) {
        row->n_asked--;
    }
    if ((int32_t) (head->batch - row->since) < 0) {
        row->told = false;
        if (row->n_asked == 0) {
            ssp_own_row_forget_sent(row);
        }
        return;
    }
    memcpy(row->values, values, table->columns * sizeof(*values));
    add_own(table, row, head->batch);
    row->version = SSP_OUTDATED + 1;
    row->slowest = head->clock;
    row->told = table->shared->options.eager;
    row->came = row->came || (head->flags & SSP_ANSWER) != 0;
}

/* Rows that were forgotten may be among those that the list had found. */
static ssp_own_row **rows_of(const ssp_session *session, ssp_list *list)
{
    if (list->lost != session->stats.n_forgotten) {
        memset(list->rows, 0, list->n * sizeof(*list->rows));
        list->lost = session->stats.n_forgotten;
    }
    return (ssp_own_row **) (void *) list->rows;
}

/* NULL: the session has no such row of that part. */
static ssp_own_row *find_row(const ssp_table *table, uint32_t part, uint64_t key)
{
    return ssp_store_part(table->session->store, key) == part ? ssp_map_find(&table->rows, key)
                                                              : NULL;
}

/* Reads a row ahead of its use, of rows[n] that are used in turn, when the i-th is. */
static void touch(ssp_own_row *const *rows, uint32_t i, uint32_t n, uint32_t columns)
{
    enum { AHEAD = 4, LINE = 64 / sizeof(double), MOST = 1024 };
    const ssp_own_row *row = n - i > AHEAD ? rows[i + AHEAD] : NULL;
    if (row != NULL) {
        __builtin_prefetch(row, 1);
        for (uint32_t j = 0; j < columns && j < MOST; j += LINE) {
            __builtin_prefetch(&row->values[j], 1);
        }
    }
}

static strads_status hear_rows(ssp_table *table, uint32_t part, const ssp_head *head,
                               const net_message *message, const char **why)
{
    const uint32_t columns = table->columns;
    ssp_rows rows;
    double *scratch = strads_calloc(columns, sizeof(*scratch));
    strads_status status =
        scratch == NULL ? STRADS_ERR_NOMEM
                        : ssp_message_read_rows(message, head, &table->session->fars[part].heard,
                                                columns, true, &rows, why);
    ssp_own_row **own = status == STRADS_OK ? rows_of(table->session, rows.list) : NULL;
    for (uint32_t i = 0; i < head->n_keys && status == STRADS_OK; i++) {
        const double *values = ssp_rows_next(&rows, scratch, columns);
        touch(own, i, head->n_keys, columns);
        if (own[i] == NULL) {
            own[i] = find_row(table, part, rows.list->keys[i]);
        }
        if (own[i] != NULL) {
            take_row(table, own[i], head, values);
        }
        if (values == scratch) {
            memset(scratch, 0, columns * sizeof(*scratch));
        }
    }
    if (status == STRADS_OK && (head->flags & SSP_PUSHED) != 0) {
        table->pushed[part] = head->clock;
    }
    strads_free(scratch);
    return status;
}

static strads_status hear(ssp_session *session, const net_message *message, const char **why)
{
    const uint32_t part = part_of(&session->store->place, message->from);
    ssp_head head;
    *why = "it makes no sense";
    if (part == session->store->place.n_parts || !ssp_message_read(message, &head)) {
        return STRADS_ERR_DATA;
    }
    if (message->type == SSP_ABORT) {
        ssp_store_abort(session->store);
        return STRADS_ERR_CLOSED;
    }
    ssp_far *far = &session->fars[part];
    ssp_table *table = find_table(session, head.table);
    session->stats.bytes_in += message->bytes;
    if (table == NULL) {
        return STRADS_ERR_DATA;
    }
    switch (message->type) {
    case SSP_OPENED:
        table->n_opened++;
        table->opened = head.flags == STRADS_OK ? table->opened : STRADS_ERR_APP;
        return STRADS_OK;
    case SSP_ACK:
        if (head.batch - far->n_acked > far->n_batches - far->n_acked) {
            return STRADS_ERR_DATA;
        }
        far->n_acked = head.batch;
        return STRADS_OK;
    default:
        return hear_rows(table, part, &head, message, why);
    }
}

strads_status ssp_inbox_hear(ssp_session *session)
{
    const char *why = "";
    if (session->fars == NULL) {
        return STRADS_OK;
    }
    ssp_inbox *inbox = &session->store->inboxes[session->rank];
    strads_status status = STRADS_OK;
    for (net_message *message = take(inbox); message != NULL && status == STRADS_OK;
         message = status == STRADS_OK ? take(inbox) : NULL) {
        status = hear(session, message, &why);
        if (status == STRADS_ERR_DATA) {
            strads_error("node %u sent worker %u a bad message %u of a table: %s", message->from,
                         session->rank, message->type, why);
            ssp_store_abort(session->store);
        }
        net_message_destroy(message);
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/early.c - increments that travel before their clock: while the way to a part is free,
 * as much as the bandwidth for it allows, and first what changes a row the most.
 *
 * A row that was sent leaves its place in the log empty; what is added to it later has a new
 * one.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ssp/session_state.h"

typedef struct change {
    double size; /* relative to the row, as far as there is a copy */
    size_t at;   /* in the log */
} change;

static int by_size(const void *a, const void *b)
{
    const change *x = a;
    const change *y = b;
    return x->size != y->size ? (x->size < y->size ? 1 : -1) : (x->at > y->at) - (x->at < y->at);
}

/* From 0 to 1; what is beyond a double counts as all there is. */
static double size_of(const ssp_table *table, const ssp_own_row *row, const double *deltas)
{
    double change_squares = 0.0, squares = 0.0;
    for (uint32_t j = 0; j < table->columns; j++) {
        change_squares += deltas[j] * deltas[j];
        squares += row->version == SSP_OUTDATED ? 0.0 : row->values[j] * row->values[j];
    }
    if (change_squares == 0.0) {
        return 0.0;
    }
    const double size = change_squares / (squares + change_squares);
    return isfinite(squares + change_squares) ? size : 1.0;
}

/* The rows of a part in the log, by how much they change; the last one logged is about to
 * be added to, and stays. */
static size_t list_changes(const ssp_table *table, uint32_t part, change *out)
{
    const ssp_log *log = &table->log;
    size_t n = 0;
    for (size_t i = 0; i + 1 < log->n; i++) {
        const ssp_own_row *row = log->rows[i];
        if (row != NULL && row->shared == NULL &&
            ssp_store_part(table->session->store, row->key) == part) {
            out[n++] =
                (change){.size = size_of(table, row, log->deltas + i * table->columns), .at = i};
        }
    }
    qsort(out, n, sizeof(*out), by_size);
    return n;
}

static strads_status send_largest(ssp_table *table, uint32_t part, change *changes, size_t *from)
{
    const size_t most = ssp_batch_rows(table->columns);
    size_t n = list_changes(table, part, changes);
    n = n < most ? n : most;
    for (size_t i = 0; i < n; i++) {
        from[i] = changes[i].at;
        table->keys[i] = table->log.rows[from[i]]->key;
    }
    return n == 0 ? STRADS_OK : ssp_remote_send(table, part, from, (uint32_t) n, SSP_ANSWER);
}

/* Free: nothing is under way that was not acknowledged, and what went early has had its
 * time. */
static bool is_free(const ssp_far *far, double now)
{
    return far->n_acked == far->n_batches && now >= far->free_at;
}

static bool any_is_free(const ssp_session *session)
{
    const ssp_place *place = &session->store->place;
    const double now = strads_now();
    bool any = false;
    for (uint32_t p = 0; p < place->n_parts; p++) {
        any = any || (p != place->me && is_free(&session->fars[p], now));
    }
    return any;
}

strads_status ssp_early_send(ssp_table *table)
{
    ssp_session *session = table->session;
    const ssp_place *place = &session->store->place;
    if (session->fars == NULL || place->bandwidth <= 0.0 || !table->additive) {
        return STRADS_OK;
    }
    strads_status status = ssp_inbox_hear(session); /* acknowledgements */
    if (status != STRADS_OK || !any_is_free(session)) {
        return status;
    }
    change *changes = strads_alloc_array(table->log.n, sizeof(*changes));
    size_t *from = strads_alloc_array(ssp_batch_rows(table->columns), sizeof(*from));
    if (changes == NULL || from == NULL) {
        status = STRADS_ERR_NOMEM;
    }
    for (uint32_t p = 0; p < place->n_parts && status == STRADS_OK; p++) {
        ssp_far *far = &session->fars[p];
        const double now = strads_now();
        if (p != place->me && is_free(far, now)) {
            const uint64_t before = session->stats.bytes_out;
            status = send_largest(table, p, changes, from);
            far->free_at = now + (double) (session->stats.bytes_out - before) / place->bandwidth;
        }
    }
    strads_free(from);
    strads_free(changes);
    return status;
}

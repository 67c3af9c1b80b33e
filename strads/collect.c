/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/collect.c - what workers give when they are closed: the state of their rows, and of
 * columns that have travelled. */
#include "base/clock.h"
#include "strads/buffer.h"
#include "strads/coordinator_state.h"
#include "strads/worker_state.h"

/* ---- a worker ---- */

strads_status worker_give(strads_worker *worker, strads_buffer *buffer, uint32_t type)
{
    net_message *message = buffer->message;
    buffer->message = NULL;
    message->type = type;
    message->lane = NET_DATA; /* services have told columns to each other so far */
    return worker_reply(worker, message);
}

strads_status worker_give_rows(strads_worker *worker)
{
    strads_buffer buffer = {.index = worker->options.rank};
    worker_enter(worker, worker->options.n_workers);
    strads_status status = worker->options.app->grid->give_rows(worker->state, &buffer);
    worker_leave(worker);
    if (status == STRADS_OK && buffer.message == NULL) {
        status = strads_buffer_resize(&buffer, 0);
    }
    if (status == STRADS_OK) {
        status = worker_give(worker, &buffer, MSG_ROWS);
    }
    net_message_destroy(buffer.message);
    return status;
}

/* ---- the coordinator ---- */

bool coordinator_collects(const coordinator *self, const net_message *message)
{
    return self->options.app->grid != NULL && self->ending &&
           (message->type == MSG_ROWS ||
            (message->type == MSG_COLUMN && schedule_is_grid(self->options.run.kind)));
}

void coordinator_collect(coordinator *self, uint32_t rank, const net_message *message)
{
    const bool rows = message->type == MSG_ROWS;
    const strads_grid *grid = self->options.app->grid;
    void *model = self->options.model;
    if (!buffer_is_sound(message,
                         rows ? coordinator_workers(self) : self->options.structure.n_vars)) {
        strads_error(
            "worker %u sent the coordinator the state of its %s in %zu bytes that are none", rank,
            rows ? "rows" : "columns", message->bytes);
        coordinator_fail(self, STRADS_ERR_DATA);
        return;
    }
    const buffer_head *head = buffer_head_of(message);
    const double before = strads_now();
    const strads_status status =
        rows ? grid->take_rows(model, rank, buffer_data_of(message), (size_t) head->bytes)
             : grid->take_column(model, (uint32_t) head->index, buffer_data_of(message),
                                 (size_t) head->bytes);
    self->busy_seconds += strads_now() - before;
    if (status != STRADS_OK) {
        coordinator_fail(self, status);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/collect.c - what workers on a grid give when they are closed: their rows and columns. */
#include "base/clock.h"
#include "strads/buffer.h"
#include "strads/coordinator_state.h"

bool coordinator_collects(const coordinator *self, const net_message *message)
{
    return schedule_is_grid(self->options.run.kind) && self->ending &&
           (message->type == MSG_ROWS || message->type == MSG_COLUMN);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_grid.c - what the services of a grid's workers tell each other, from any
 * bytes: each is acted on or refused, and nothing is lost. The first byte is the worker
 * that hears; then come messages, each of a type, a sender, a kind and what it says: two
 * numbers, or so many bytes.
 */
#include <string.h>

#include "strads/grid_state.h"
#include "tests/fuzz/fuzz_file.h"

enum { WORKERS = 3, COLUMNS = 5, MOST_BYTES = 256 };

static uint32_t two_rows(const void *site)
{
    (void) site;
    return 2;
}

/* Reads a message at *bytes and moves past it; NULL: there is none. */
static net_message *next_of(const uint8_t **bytes, size_t *n, net_id *from)
{
    enum { HEAD = 5 };
    if (*n < HEAD) {
        return NULL;
    }
    const uint8_t *head = *bytes;
    const bool word = head[2] % 2 == 0;
    const size_t most = *n - HEAD < MOST_BYTES ? *n - HEAD : MOST_BYTES;
    const size_t size = word ? sizeof(grid_word) : head[3] < most ? head[3] : most;
    net_message *message =
        net_message_create(GRID_FIRST + head[0] % NET_SERVICE_TYPES, NET_DATA, size);
    fuzz_require(message != NULL);
    *from = head[1] % (WORKERS + 1);
    *bytes += HEAD;
    *n -= HEAD;
    if (word) {
        const grid_word said = {.column = head[3], .value = head[4]};
        memcpy(message->body, &said, sizeof(said));
    } else {
        memcpy(message->body, *bytes, size);
        *bytes += size;
        *n -= size;
    }
    message->foreign = true;
    return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const strads_grid grid = {.n_rows = two_rows};
    static const strads_app app = {.name = "grid", .grid = &grid};
    const net_options nodes = {.n_nodes = WORKERS + 1, .queue_messages = 4};
    const size_t live = strads_mem_live();
    if (n == 0) {
        return 0;
    }
    grid_options options = {.app = &app,
                            .rank = bytes[0] % WORKERS,
                            .n_workers = WORKERS,
                            .n_columns = COLUMNS,
                            .kind = SCHEDULE_FREE};
    grid_worker *self = NULL;
    net_id from = 0;
    fuzz_require(net_create(&options.network, "threads", &nodes) == STRADS_OK);
    fuzz_require(grid_worker_create(&self, &options) == STRADS_OK);
    bytes++;
    n--;
    for (net_message *one = next_of(&bytes, &n, &from); one != NULL;
         one = next_of(&bytes, &n, &from)) {
        if (from == options.rank + 1) { /* who tells itself sends nothing */
            net_message_destroy(one);
        } else {
            fuzz_require(net_tell(options.network, from, options.rank + 1, one) == STRADS_OK);
        }
    }
    for (uint32_t c = 0; c < COLUMNS; c++) {
        net_message *column = atomic_load(&self->slots[c]);
        fuzz_require(column == NULL ||
                     (buffer_is_sound(column, COLUMNS) && buffer_head_of(column)->index == c));
    }
    grid_worker_destroy(self);
    net_destroy(options.network);
    fuzz_require(strads_mem_live() == live);
    return 0;
}

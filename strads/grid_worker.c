/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/grid_worker.c - the columns of a worker, and what the services of all tell each other. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "strads/grid_state.h"
#include "strads/worker_state.h"

struct ssp_session *strads_grid_session(const strads_worker *worker)
{
    return worker->options.grid != NULL ? worker->tables.session : NULL;
}

/* ---- telling ---- */

static net_id node_of(uint32_t rank)
{
    return rank + 1;
}

static void serve_word(grid_worker *self, uint32_t from, uint32_t type, grid_word word);

strads_status grid_tell(grid_worker *self, uint32_t to, uint32_t type, grid_word word)
{
    if (to == self->options.rank) {
        serve_word(self, to, type, word);
        return STRADS_OK;
    }
    net_message *message = net_message_create(type, NET_DATA, sizeof(word));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(message->body, &word, sizeof(word));
    return net_tell(self->options.network, node_of(self->options.rank), node_of(to), message);
}

static void wake(grid_worker *self)
{
    net_wake(self->options.network, node_of(self->options.rank));
}

/* Keeps the first status of a service, which has nobody to tell it to. The worker may wait for a
 * column, or for a row. */
static void fail(grid_worker *self, strads_status status)
{
    int none = STRADS_OK;
    atomic_compare_exchange_strong(&self->failed, &none, (int) status);
    if (self->options.store != NULL) {
        ssp_store_abort(self->options.store);
    }
    wake(self);
}

/* ---- columns ---- */

static void put_column(grid_worker *self, net_message *message)
{
    const uint64_t column = buffer_head_of(message)->index;
    net_message *none = NULL;
    if (!atomic_compare_exchange_strong(&self->slots[column], &none, message)) {
        net_message_destroy(message);
        strads_error("worker %u got column %u twice", self->options.rank, (uint32_t) column);
        fail(self, STRADS_ERR_DATA);
        return;
    }
    wake(self);
}

strads_status grid_pass_on(grid_worker *self, uint32_t to, strads_buffer *buffer)
{
    net_message *message = buffer->message;
    buffer->message = NULL;
    if (to == self->options.rank) {
        put_column(self, message);
        return STRADS_OK;
    }
    message->type = GRID_COLUMN;
    return net_tell(self->options.network, node_of(self->options.rank), node_of(to), message);
}

typedef struct wanted {
    grid_worker *self;
    uint32_t column;
} wanted;

static bool is_here(void *context)
{
    wanted *it = context;
    return atomic_load(&it->self->slots[it->column]) != NULL ||
           atomic_load(&it->self->failed) != STRADS_OK;
}

strads_status grid_wait(grid_worker *self, strads_worker *worker, double seconds,
                        bool (*over)(void *context), void *context)
{
    const double before = strads_now();
    const strads_status status =
        net_wait_until(self->options.network, node_of(self->options.rank), seconds, over, context);
    worker->waited += strads_now() - before;
    const strads_status failed = (strads_status) atomic_load(&self->failed);
    return failed != STRADS_OK ? failed : status;
}

strads_status grid_take(grid_worker *self, strads_worker *worker, uint32_t column,
                        strads_buffer *buffer)
{
    wanted it = {.self = self, .column = column};
    const strads_status status = grid_wait(self, worker, INFINITY, is_here, &it);
    if (status != STRADS_OK) {
        return status;
    }
    *buffer = (strads_buffer){.message = atomic_exchange(&self->slots[column], NULL),
                              .type = GRID_COLUMN,
                              .index = column};
    return STRADS_OK;
}

/* ---- the service ---- */

/* The hub's decisions, until there are none. */
static void follow_hub(grid_worker *self)
{
    grid_order order;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && grid_hub_decide(&self->hub, &order)) {
        status = grid_tell(self, order.to, order.type, order.word);
    }
    if (status != STRADS_OK && status != STRADS_ERR_CLOSED) {
        fail(self, status);
    }
    wake(self); /* it may be that all is done */
}

static void send_column(grid_worker *self, grid_word word)
{
    strads_buffer buffer = {.message = atomic_exchange(&self->slots[word.column], NULL)};
    if (buffer.message == NULL) {
        strads_error("worker %u was asked for column %u, which it has not", self->options.rank,
                     (uint32_t) word.column);
        fail(self, STRADS_ERR_DATA);
        return;
    }
    const strads_status status = grid_pass_on(self, (uint32_t) word.value, &buffer);
    if (status != STRADS_OK && status != STRADS_ERR_CLOSED) {
        fail(self, status);
    }
    wake(self); /* it may have been the last that was not its own */
}

/* All have done so many steps. This worker, who would hear of it if a message failed, goes
 * last. */
static void tell_go(grid_worker *self, uint64_t n_steps)
{
    strads_status status = STRADS_OK;
    for (uint32_t k = self->options.n_workers; k > 0 && status == STRADS_OK; k--) {
        status = grid_tell(self, k - 1, GRID_GO, (grid_word){.value = n_steps});
    }
    if (status != STRADS_OK && status != STRADS_ERR_CLOSED) {
        fail(self, status);
    }
}

/* Of a pass. */
static uint64_t count_cells(const grid_worker *self)
{
    return (uint64_t) self->options.n_workers * self->options.n_columns * self->n_rows;
}

static void serve_word(grid_worker *self, uint32_t from, uint32_t type, grid_word word)
{
    uint64_t n_steps = 0;
    switch (type) {
    case GRID_DONE:
        if (grid_hub_done(&self->hub, &n_steps)) {
            tell_go(self, n_steps);
        }
        break;
    case GRID_GO:
        atomic_store(&self->go, word.value);
        wake(self);
        break;
    case GRID_ASK:
        grid_hub_ask(&self->hub, from, word.value, count_cells(self));
        follow_hub(self);
        break;
    case GRID_FREE:
        grid_hub_free(&self->hub, (uint32_t) word.column);
        follow_hub(self);
        break;
    case GRID_NEXT:
        atomic_store(&self->next_number, word.value);
        atomic_store(&self->next, word.column + 1);
        wake(self);
        break;
    default:
        send_column(self, word);
    }
}

/* Whether a word may be acted on. */
static bool accepts(const grid_worker *self, uint32_t from, uint32_t type, const grid_word *word)
{
    const bool to_hub = type == GRID_DONE || type == GRID_ASK || type == GRID_FREE;
    const bool of_hub = type == GRID_GO || type == GRID_NEXT || type == GRID_SEND;
    const uint64_t n_columns = self->options.n_columns;
    return from < self->options.n_workers &&
           ((to_hub && self->options.rank == 0) || (of_hub && from == 0)) &&
           word->column < n_columns + (type == GRID_NEXT) &&
           (type != GRID_SEND || word->value < self->options.n_workers) &&
           (type != GRID_NEXT || word->value < count_cells(self));
}

static void refuse(grid_worker *self, net_message *message)
{
    strads_error("worker %u sent worker %u a message %u that cannot be, of %zu bytes",
                 message->from - 1, self->options.rank, message->type, message->bytes);
    net_message_destroy(message);
    fail(self, STRADS_ERR_DATA);
}

static void serve(void *context, net_node *node, net_message *message)
{
    (void) node;
    grid_worker *self = context;
    grid_word word;
    if (message->type == GRID_COLUMN) {
        if (!buffer_is_sound(message, self->options.n_columns)) {
            refuse(self, message);
            return;
        }
        buffer_align(message);
        put_column(self, message);
        return;
    }
    if (message->bytes == sizeof(word)) {
        memcpy(&word, message->body, sizeof(word));
        if (accepts(self, message->from - 1, message->type, &word)) {
            const uint32_t from = message->from - 1;
            const uint32_t type = message->type;
            net_message_destroy(message);
            serve_word(self, from, type, word);
            return;
        }
    }
    refuse(self, message);
}

/* ---- the end ---- */

strads_status grid_give(grid_worker *self, strads_worker *worker)
{
    const uint32_t n = self->options.n_workers;
    const uint32_t first = grid_first(self->options.n_columns, n, self->options.rank);
    const uint32_t end = grid_first(self->options.n_columns, n, self->options.rank + 1);
    strads_status status = STRADS_OK;
    for (uint32_t c = first; c < end && status == STRADS_OK && self->has_columns; c++) {
        strads_buffer buffer = {.message = NULL};
        status = grid_take(self, worker, c, &buffer);
        if (status == STRADS_OK) {
            status = worker_give(worker, &buffer, MSG_COLUMN);
        }
    }
    return status;
}

/* ---- life ---- */

strads_status grid_worker_create(grid_worker **out, const grid_options *options)
{
    grid_worker *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->options = *options;
    self->grid = options->app->grid;
    self->n_rows = self->grid->n_rows(options->site);
    self->slots = strads_calloc(options->n_columns, sizeof(*self->slots));
    self->visits = strads_calloc(options->n_columns, sizeof(*self->visits));
    self->held = strads_calloc(options->n_columns, sizeof(*self->held));
    strads_status status = self->slots == NULL || self->visits == NULL || self->held == NULL
                               ? STRADS_ERR_NOMEM
                               : STRADS_OK;
    if (status == STRADS_OK && self->n_rows == 0) {
        strads_error("%s: n_rows gave 0; a worker has a block of rows at least",
                     options->app->name);
        status = STRADS_ERR_APP;
    }
    if (status == STRADS_OK && options->rank == 0) {
        status = grid_hub_init(&self->hub, options->n_workers, options->n_columns);
    }
    if (status != STRADS_OK) {
        grid_worker_destroy(self);
        return status;
    }
    net_serve(options->network, node_of(options->rank), GRID_FIRST, serve, self);
    *out = self;
    return STRADS_OK;
}

void grid_worker_destroy(grid_worker *self)
{
    if (self == NULL) {
        return;
    }
    for (uint32_t c = 0; c < self->options.n_columns; c++) {
        if (self->slots != NULL) {
            net_message_destroy(atomic_load(&self->slots[c]));
        }
        if (self->held != NULL) {
            net_message_destroy(self->held[c].message);
        }
    }
    strads_free(self->slots);
    strads_free(self->visits);
    strads_free(self->held);
    grid_hub_fini(&self->hub);
    strads_free(self);
}

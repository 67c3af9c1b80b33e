/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker.c - from message to callback and back. */
#include "strads/worker_state.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "strads/data_parallel.h"

enum { VOTE_STOP = 1 };

/* Of strads_step_solve in one round; what is left then is another round's. */
enum { MAX_STEPS = 1000 };

/* ---- services ---- */

uint32_t strads_worker_rank(const strads_worker *worker)
{
    return worker->options.rank;
}

void strads_worker_range(const strads_worker *worker, uint32_t *first, uint32_t *n)
{
    *first = worker->options.first;
    *n = worker->options.n_vars;
}

const double *strads_worker_values(const strads_worker *worker)
{
    assert(worker->values != NULL); /* a program with sync keeps its own */
    return worker->values;
}

uint32_t strads_worker_members(const strads_worker *worker)
{
    return worker->n_members;
}

bool worker_must_stop(const strads_worker *worker)
{
    const worker_limits *limits = &worker->options.limits;
    return atomic_load_explicit(limits->signal, memory_order_relaxed) ||
           (limits->deadline < INFINITY && strads_now() > limits->deadline);
}

strads_status worker_exchange(strads_worker *worker, double *vector, const double *base, size_t n,
                              double *extra, size_t n_extra)
{
    uint32_t votes = worker_must_stop(worker) ? VOTE_STOP : 0;
    const net_exchange exchange = {.n_members = worker->n_members,
                                   .vector = vector,
                                   .base = base,
                                   .n = n,
                                   .extra = extra,
                                   .n_extra = n_extra,
                                   .votes = &votes};
    if (worker->n_members > 1) {
        const double before = strads_now();
        const strads_status status = net_exchange_sum(worker->node, &exchange);
        worker->waited += strads_now() - before;
        if (status != STRADS_OK) {
            return status;
        }
    }
    worker->stopping = (votes & VOTE_STOP) != 0;
    return STRADS_OK;
}

strads_status strads_exchange(strads_worker *worker, double *vector, const double *base, size_t n)
{
    return worker_exchange(worker, vector, base, n, NULL, 0);
}

double strads_exchange_units(const strads_worker *worker, size_t n)
{
    return worker->options.deterministic ? 0.0
                                         : net_exchange_units(worker->node, worker->n_members, n);
}

bool strads_stopping(const strads_worker *worker)
{
    return worker->n_members > 1 ? worker->stopping : worker_must_stop(worker);
}

strads_status strads_step_run(strads_worker *worker, const strads_step *step, double *farthest)
{
    return step_guard_run(&worker->guard, worker, step, farthest);
}

strads_status strads_step_solve(strads_worker *worker, const strads_step *step,
                                const strads_block *block)
{
    double farthest = INFINITY;
    uint32_t n_left = block->solve ? MAX_STEPS : 1;
    strads_status status = STRADS_OK;
    while (n_left > 0 && farthest > block->target && status == STRADS_OK) {
        status = strads_step_run(worker, step, &farthest);
        n_left = strads_stopping(worker) ? 0 : n_left - 1;
    }
    return status;
}

void strads_worker_count(strads_worker *worker, double n_updates, double units)
{
    worker->guard.n_updates += n_updates;
    net_work(worker->node, units);
}

/* ---- answers ---- */

static void fail(strads_worker *worker, strads_status status)
{
    net_message *message = net_message_create(MSG_FAILED, NET_CONTROL, sizeof(msg_failed));
    if (message != NULL) {
        ((msg_failed *) message->body)->status = (uint64_t) status;
        if (net_send(worker->node, NET_COORDINATOR, message) != STRADS_OK) {
            net_message_destroy(message); /* it learns from NET_LOST */
        }
    }
    net_leave(worker->node);
}

/* Tells the coordinator, once, that this process was asked to end. */
static strads_status tell_stop(strads_worker *worker)
{
    const worker_limits *limits = &worker->options.limits;
    if (!limits->alone || worker->told_stop ||
        !atomic_load_explicit(limits->signal, memory_order_relaxed)) {
        return STRADS_OK;
    }
    net_message *message = net_message_create(MSG_STOP, NET_CONTROL, 0);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = net_send(worker->node, NET_COORDINATOR, message);
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    worker->told_stop = status == STRADS_OK;
    return status;
}

strads_status worker_reply(strads_worker *worker, net_message *message)
{
    strads_status status = tell_stop(worker);
    if (status == STRADS_OK) {
        status = net_send(worker->node, NET_COORDINATOR, message);
    }
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    return status;
}

void worker_enter(strads_worker *worker, uint32_t n_members)
{
    worker->n_members = n_members;
    worker->entered = strads_now();
    worker->waited = 0.0;
}

void worker_leave(strads_worker *worker)
{
    const double now = strads_now();
    worker->busy_seconds += now - worker->entered - worker->waited;
    worker->entered = now; /* a pass over a grid leaves in a push, which leaves then */
    worker->waited = 0.0;
}

static strads_status open_worker(strads_worker *worker)
{
    const strads_app *app = worker->options.app;
    worker_enter(worker, worker->options.n_workers);
    strads_status status = app->open_worker(worker->options.site, worker, &worker->state);
    worker_leave(worker);
    net_message *message = NULL;
    if (status == STRADS_OK) {
        message = net_message_create(MSG_READY, NET_DATA, sizeof(msg_ready));
        status = message == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    if (status == STRADS_OK) {
        *(msg_ready *) message->body = msg_found(&worker->options.structure, app);
        status = worker_reply(worker, message);
    }
    return status;
}

static strads_status push_block(strads_worker *worker, const strads_block *block, double *partial)
{
    const worker_options *options = &worker->options;
    return options->grid != NULL     ? grid_train(options->grid, worker)
           : options->tables != NULL ? data_parallel_push(worker, block, partial)
                                     : options->app->push(worker->state, block, partial);
}

/* Of a run that failed, others may be amid a pass, with the columns that this one would give. */
static strads_status on_close(strads_worker *worker, const net_message *message)
{
    const msg_close *close = (const msg_close *) message->body;
    strads_status status = STRADS_OK;
    if (close->give != 0 && worker->options.app->grid != NULL) {
        status = worker_give_rows(worker);
    }
    if (close->give != 0 && status == STRADS_OK && worker->options.grid != NULL) {
        status = grid_give(worker->options.grid, worker);
    }
    if (status == STRADS_OK) {
        net_leave(worker->node);
    }
    return status;
}

static strads_status on_push(strads_worker *worker, const net_message *request)
{
    const msg_push *push = (const msg_push *) request->body;
    const double *values = (const double *) (push + 1);
    const strads_block block = {.round = push->round,
                                .n_vars = (uint32_t) push->n_vars,
                                .vars = (const uint32_t *) (values + push->n_vars),
                                .values = values,
                                .solve = push->solve != 0,
                                .target = push->target};
    const size_t n_doubles = push->n_vars * worker->options.structure.partial_width;
    net_message *message =
        net_message_create(MSG_DONE, NET_DATA, sizeof(msg_done) + n_doubles * sizeof(double));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_done *done = (msg_done *) message->body;
    memset(done + 1, 0, n_doubles * sizeof(double));
    worker->stopping = false;
    /* Only where it can have fewer members may a round end without its step. */
    step_guard_start(&worker->guard,
                     block.solve &&
                         (worker->options.structure.split == STRADS_SPLIT_NONE || push->lent != 0));
    worker_count_block(worker, &block);
    worker_enter(worker, (uint32_t) push->n_members);
    const strads_status status = push_block(worker, &block, (double *) (done + 1));
    worker_leave(worker);
    if (status != STRADS_OK) {
        net_message_destroy(message);
        return status;
    }
    double n_updates = worker->guard.n_updates;
    if (n_updates == 0.0) { /* a push without strads_step is one update a variable */
        n_updates = (double) push->n_vars;
        worker_count_updates(worker, n_updates);
    }
    *done = (msg_done){.round = push->round,
                       .busy_seconds = worker->busy_seconds,
                       .n_steps = worker->guard.n_steps,
                       .n_guarded = worker->guard.n_guarded,
                       .n_updates = (uint64_t) llround(n_updates),
                       .n_doubles = worker_is_heard(worker) ? n_doubles : 0};
    message->bytes = sizeof(*done) + done->n_doubles * sizeof(double);
    if (block.solve && push->n_members < worker->options.n_workers) {
        worker_note_processor(worker);
    }
    return worker_reply(worker, message);
}

static strads_status on_lend(strads_worker *worker, const net_message *request)
{
    const msg_lend *lend = (const msg_lend *) request->body;
    const strads_loan loan = {.vars = (const uint32_t *) (lend + 1),
                              .n = (uint32_t) lend->n_vars,
                              .n_borrowers = (uint32_t) lend->n_borrowers,
                              .afresh = lend->afresh != 0};
    worker_enter(worker, worker->options.n_workers);
    const strads_status status = worker->options.app->lend(worker->state, &loan);
    worker_leave(worker);
    return status;
}

static strads_status on_sync(strads_worker *worker, const net_message *request)
{
    const msg_sync *sync = (const msg_sync *) request->body;
    const double *values = (const double *) (sync + 1);
    const uint32_t *vars = (const uint32_t *) (values + sync->n_vars);
    if (worker->values != NULL) {
        for (size_t i = 0; i < sync->n_vars; i++) {
            worker->values[vars[i] - worker->options.first] = values[i];
        }
        return STRADS_OK;
    }
    worker_enter(worker, 1);
    const strads_status status =
        worker->options.app->sync(worker->state, vars, sync->n_vars, values);
    worker_leave(worker);
    return status;
}

static strads_status on_stage(strads_worker *worker, const net_message *request)
{
    const strads_stage *stage = (const strads_stage *) request->body;
    if (stage->restart && worker->values != NULL) {
        memset(worker->values, 0, worker->options.n_vars * sizeof(*worker->values));
    }
    worker_enter(worker, 1);
    const strads_status status = worker->options.app->begin_stage(worker->state, stage);
    worker_leave(worker);
    return status;
}

/* Whether a message may be acted on: within a process any. */
static strads_status check_source(const strads_worker *worker, const net_message *message)
{
    const worker_options *options = &worker->options;
    if (!message->foreign) {
        return STRADS_OK;
    }
    msg_bounds bounds = {.to = options->rank + 1,
                         .data = msg_found(&options->structure, options->app),
                         .n_workers = options->n_workers,
                         .first = options->first,
                         .n_range = options->n_vars,
                         .draws = options->draws,
                         .shard_first = options->shard_first,
                         .n_shard = options->shard.n_vars,
                         .own_only = options->structure.split != STRADS_SPLIT_NONE};
    if (message->from == NET_COORDINATOR) {
        bounds.types = 1U << MSG_SCAN | 1U << MSG_PUSH | 1U << MSG_SYNC | 1U << MSG_CLOSE;
        bounds.types |= options->app->begin_stage != NULL ? 1U << MSG_STAGE : 0;
        bounds.types |= options->app->correlate != NULL ? 1U << MSG_CORRELATE : 0;
        bounds.types |= options->app->lend != NULL && bounds.own_only ? 1U << MSG_LEND : 0;
        bounds.types |= options->draws ? 1U << MSG_DRAW : 0;
    }
    return msg_check(message, &bounds);
}

static strads_status on_message(strads_worker *worker, const net_message *message)
{
    const strads_status status = check_source(worker, message);
    if (status != STRADS_OK) {
        return status;
    }
    switch (message->type) {
    case MSG_SCAN:
        return worker_scan(worker, message);
    case MSG_STAGE:
        return on_stage(worker, message);
    case MSG_CORRELATE:
        return worker_correlate(worker, message);
    case MSG_LEND:
        return on_lend(worker, message);
    case MSG_PUSH:
        return on_push(worker, message);
    case MSG_SYNC:
        return on_sync(worker, message);
    case MSG_DRAW:
        return worker_draw(worker, message);
    case MSG_CLOSE:
        return on_close(worker, message);
    default:
        assert(false && "a worker got a message that is not for workers");
        return STRADS_ERR_APP;
    }
}

void worker_handle(void *self, net_node *node, const net_event *event)
{
    strads_worker *worker = self;
    worker->node = node;
    strads_status status = STRADS_OK;
    switch (event->kind) {
    case NET_STARTED:
        status = open_worker(worker);
        break;
    case NET_MESSAGE:
        status = on_message(worker, event->message);
        break;
    case NET_LOST:
        if (event->peer == NET_COORDINATOR) {
            net_leave(node);
        }
        break;
    }
    if (status != STRADS_OK) {
        fail(worker, status);
    }
}

strads_status worker_create(strads_worker **out, const worker_options *options)
{
    strads_worker *worker = strads_calloc(1, sizeof(*worker));
    if (worker == NULL) {
        grid_worker_destroy(options->grid);
        return STRADS_ERR_NOMEM;
    }
    worker->options = *options;
    worker->range_units = -1.0;
    worker->guard.off = options->unguarded;
    if (options->app->sync == NULL) {
        worker->values = strads_calloc(options->n_vars, sizeof(*worker->values));
        if (worker->values == NULL) {
            worker_destroy(worker);
            return STRADS_ERR_NOMEM;
        }
    }
    *out = worker;
    return STRADS_OK;
}

void worker_destroy(strads_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    table_session_close(&worker->tables);
    grid_worker_destroy(worker->options.grid);
    if (worker->state != NULL) {
        worker->options.app->close_worker(worker->state);
    }
    step_guard_fini(&worker->guard);
    worker_scan_fini(worker);
    prio_destroy(worker->shard);
    strads_free(worker->values);
    strads_free(worker);
}

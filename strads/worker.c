/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker.c - from message to callback and back. */
#include "strads/worker.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "strads/guard.h"
#include "strads/protocol.h"

enum { VOTE_STOP = 1 };

/* Of strads_step_solve in one round; what is left then is another round's. */
enum { MAX_STEPS = 1000 };

struct strads_worker {
    worker_options options;
    net_node *node;     /* set by the first event */
    void *state;        /* the program's; NULL before open and after close */
    uint32_t n_members; /* of the exchanges of the callback that runs */
    bool stopping;      /* as of the last exchange */
    double *values;     /* [n_vars] committed, of its range; NULL: the program has sync */

    double entered;      /* when the running callback began */
    double busy_seconds; /* in callbacks */
    double waited;       /* of these, in exchanges */
    step_guard guard;    /* of the running push */
};

struct strads_gram {
    double rho;
    msg_edge *edges;
    size_t n_edges, capacity;
    size_t max_edges; /* 0: no bound */
    bool no_memory;
};

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

static bool must_stop(const strads_worker *worker)
{
    const worker_limits *limits = &worker->options.limits;
    return atomic_load_explicit(limits->signal, memory_order_relaxed) ||
           (limits->deadline < INFINITY && strads_now() > limits->deadline);
}

strads_status strads_exchange(strads_worker *worker, double *vector, const double *base, size_t n)
{
    uint32_t votes = must_stop(worker) ? VOTE_STOP : 0;
    const net_exchange exchange = {
        .n_members = worker->n_members, .vector = vector, .base = base, .n = n, .votes = &votes};
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

bool strads_stopping(const strads_worker *worker)
{
    return worker->n_members > 1 ? worker->stopping : must_stop(worker);
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

/* A bar this high leaves only copies of each other: then any of them will do. */
static const double HIGHEST_BAR = 0.999;

/* Makes room in a full answer: raises the bar by steps until a quarter is gone. */
static void drop_weakest(strads_gram *gram)
{
    const size_t keep = gram->max_edges / 4 * 3;
    while (gram->n_edges > keep && gram->rho < HIGHEST_BAR) {
        gram->rho += 0.1 * (1.0 - gram->rho);
        size_t n = 0;
        for (size_t i = 0; i < gram->n_edges; i++) {
            if (gram->edges[i].cosine > gram->rho) {
                gram->edges[n++] = gram->edges[i];
            }
        }
        gram->n_edges = n;
    }
    gram->n_edges = gram->n_edges < keep ? gram->n_edges : keep;
}

void strads_gram_add(strads_gram *gram, uint32_t a, uint32_t b, double cosine)
{
    const double size = fmin(fabs(cosine), 1.0);
    if (size <= gram->rho || gram->no_memory) {
        return;
    }
    if (gram->max_edges > 0 && gram->n_edges == gram->max_edges) {
        drop_weakest(gram);
    }
    if (gram->n_edges == gram->capacity) {
        const size_t capacity = 2 * gram->capacity + 64;
        msg_edge *edges = strads_realloc(gram->edges, capacity * sizeof(*edges));
        if (edges == NULL) {
            gram->no_memory = true;
            return;
        }
        gram->edges = edges;
        gram->capacity = capacity;
    }
    gram->edges[gram->n_edges++] = (msg_edge){.a = a, .b = b, .cosine = size};
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

/* Sends a reply whose fields the caller has filled in. */
static strads_status reply(strads_worker *worker, net_message *message)
{
    const strads_status status = net_send(worker->node, NET_COORDINATOR, message);
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    return status;
}

static void enter(strads_worker *worker, uint32_t n_members)
{
    worker->n_members = n_members;
    worker->entered = strads_now();
    worker->waited = 0.0;
}

static void leave(strads_worker *worker)
{
    worker->busy_seconds += strads_now() - worker->entered - worker->waited;
}

static strads_status open_worker(strads_worker *worker)
{
    const strads_app *app = worker->options.app;
    enter(worker, worker->options.n_workers);
    strads_status status = app->open_worker(worker->options.site, worker, &worker->state);
    leave(worker);
    net_message *message = NULL;
    if (status == STRADS_OK) {
        message = net_message_create(MSG_READY, NET_DATA, 0);
        status = message == NULL ? STRADS_ERR_NOMEM : reply(worker, message);
    }
    return status;
}

/* Finds the largest score and checks all in one pass, in lanes, so that it runs as
 * vector instructions. */
static strads_status check_scores(const strads_app *app, const float *scores, size_t n,
                                  double *largest)
{
    enum { LANES = 16 };
    float lanes[LANES];
    int bad = 0;
    for (size_t k = 0; k < LANES; k++) {
        lanes[k] = -INFINITY;
    }
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            bad |= !(scores[i + k] < INFINITY);
            lanes[k] = scores[i + k] > lanes[k] ? scores[i + k] : lanes[k];
        }
    }
    for (; i < n; i++) {
        bad |= !(scores[i] < INFINITY);
        lanes[0] = scores[i] > lanes[0] ? scores[i] : lanes[0];
    }
    for (i = 0; bad && i < n; i++) {
        if (!(scores[i] < INFINITY)) {
            strads_error("%s: score gave %g; a score is below infinity and not NaN", app->name,
                         (double) scores[i]);
            return STRADS_ERR_NUMERIC;
        }
    }
    for (size_t k = 1; k < LANES; k++) {
        lanes[0] = lanes[k] > lanes[0] ? lanes[k] : lanes[0];
    }
    *largest = lanes[0];
    return STRADS_OK;
}

static strads_status check_measures(const strads_app *app, const double *measures)
{
    for (size_t i = 0; i < app->n_measures; i++) {
        if (isnan(measures[i])) {
            strads_error("%s: measure gave %s = nan", app->name, app->measures[i].name);
            return STRADS_ERR_NUMERIC;
        }
    }
    return STRADS_OK;
}

static strads_status on_scan(strads_worker *worker, const net_message *request)
{
    const strads_app *app = worker->options.app;
    const msg_scan *scan = (const msg_scan *) request->body;
    const uint32_t *vars = scan->whole ? NULL : (const uint32_t *) (scan + 1);
    const size_t n = scan->whole ? worker->options.n_vars : scan->n_vars;
    const size_t bytes =
        sizeof(msg_scores) + app->n_measures * sizeof(double) + msg_pad(n, sizeof(float));
    net_message *message = net_message_create(MSG_SCORES, NET_DATA, bytes);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_scores *scores = (msg_scores *) message->body;
    double *measures = (double *) (scores + 1);
    float *values = (float *) (measures + app->n_measures);
    memset(measures, 0, app->n_measures * sizeof(*measures));
    enter(worker, worker->options.n_workers);
    strads_status status = app->score(worker->state, vars, n, values);
    if (status == STRADS_OK && app->n_measures > 0) {
        status = app->measure(worker->state, measures);
    }
    leave(worker);
    double largest = -INFINITY;
    if (status == STRADS_OK) {
        status = check_scores(app, values, n, &largest);
    }
    if (status == STRADS_OK) {
        status = check_measures(app, measures);
    }
    if (status != STRADS_OK) {
        net_message_destroy(message);
        return status;
    }
    *scores = (msg_scores){.busy_seconds = worker->busy_seconds,
                           .whole = scan->whole,
                           .largest = largest,
                           .n_measures = app->n_measures,
                           .n_vars = n};
    return reply(worker, message);
}

static strads_status on_correlate(strads_worker *worker, const net_message *request)
{
    const msg_correlate *ask = (const msg_correlate *) request->body;
    strads_gram gram = {.rho = ask->rho, .max_edges = ask->max_edges};
    const strads_pairs pairs = {.vars = (const uint32_t *) (ask + 1),
                                .n = (uint32_t) ask->n_vars,
                                .first_new = (uint32_t) ask->first_new,
                                .rank = worker->options.rank,
                                .n_ranks = worker->options.n_workers};
    enter(worker, 1);
    strads_status status = worker->options.app->correlate(worker->state, &pairs, &gram);
    leave(worker);
    net_message *message = NULL;
    if (status == STRADS_OK && !gram.no_memory) {
        message = net_message_create(MSG_EDGES, NET_DATA,
                                     sizeof(msg_edges) + gram.n_edges * sizeof(msg_edge));
    }
    if (status == STRADS_OK && message == NULL) {
        status = STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        msg_edges *edges = (msg_edges *) message->body;
        *edges = (msg_edges){.busy_seconds = worker->busy_seconds, .n_edges = gram.n_edges};
        if (gram.n_edges > 0) {
            memcpy(edges + 1, gram.edges, gram.n_edges * sizeof(msg_edge));
        }
        status = reply(worker, message);
    }
    strads_free(gram.edges);
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
    const size_t n_doubles = push->n_vars * worker->options.partial_width;
    net_message *message =
        net_message_create(MSG_DONE, NET_DATA, sizeof(msg_done) + n_doubles * sizeof(double));
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_done *done = (msg_done *) message->body;
    memset(done + 1, 0, n_doubles * sizeof(double));
    worker->stopping = false;
    step_guard_start(&worker->guard);
    enter(worker, (uint32_t) push->n_members);
    const strads_status status =
        worker->options.app->push(worker->state, &block, (double *) (done + 1));
    leave(worker);
    if (status != STRADS_OK) {
        net_message_destroy(message);
        return status;
    }
    /* A push without strads_step counts as one update a variable. */
    const uint64_t swept = worker->guard.n_updates;
    *done = (msg_done){.round = push->round,
                       .busy_seconds = worker->busy_seconds,
                       .n_steps = worker->guard.n_steps,
                       .n_guarded = worker->guard.n_guarded,
                       .n_updates = swept > 0 ? swept : push->n_vars,
                       .n_doubles = n_doubles};
    return reply(worker, message);
}

static void keep_values(strads_worker *worker, const uint32_t *vars, size_t n, const double *values)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = vars[i] - worker->options.first; /* wraps round below the range */
        if (k < worker->options.n_vars) {
            worker->values[k] = values[i];
        }
    }
}

static strads_status on_sync(strads_worker *worker, const net_message *request)
{
    const msg_sync *sync = (const msg_sync *) request->body;
    const double *values = (const double *) (sync + 1);
    const uint32_t *vars = (const uint32_t *) (values + sync->n_vars);
    if (worker->values != NULL) {
        keep_values(worker, vars, sync->n_vars, values);
        return STRADS_OK;
    }
    enter(worker, 1);
    const strads_status status =
        worker->options.app->sync(worker->state, vars, sync->n_vars, values);
    leave(worker);
    return status;
}

static strads_status on_stage(strads_worker *worker, const net_message *request)
{
    enter(worker, 1);
    const strads_status status =
        worker->options.app->begin_stage(worker->state, (const strads_stage *) request->body);
    leave(worker);
    return status;
}

static strads_status on_message(strads_worker *worker, const net_message *message)
{
    switch (message->type) {
    case MSG_SCAN:
        return on_scan(worker, message);
    case MSG_STAGE:
        return on_stage(worker, message);
    case MSG_CORRELATE:
        return on_correlate(worker, message);
    case MSG_PUSH:
        return on_push(worker, message);
    case MSG_SYNC:
        return on_sync(worker, message);
    case MSG_CLOSE:
        net_leave(worker->node);
        return STRADS_OK;
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
        return STRADS_ERR_NOMEM;
    }
    worker->options = *options;
    if (options->app->sync == NULL) {
        worker->values = strads_calloc(options->n_vars, sizeof(*worker->values));
        if (worker->values == NULL) {
            strads_free(worker);
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
    if (worker->state != NULL) {
        worker->options.app->close_worker(worker->state);
    }
    step_guard_fini(&worker->guard);
    strads_free(worker->values);
    strads_free(worker);
}

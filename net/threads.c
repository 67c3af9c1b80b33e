/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/threads.c - the driver whose nodes are threads, all of this process or, with
 * links, of several.
 *
 * Within a process a message changes hands by its pointer. The coordinator's node runs
 * on the thread that calls net_run, and takes turns there with the first worker: between
 * these two nobody ever waits for a wake-up. Every other worker has a thread.
 *
 * Lock ranks: a mailbox's lock is the only lock; none is held in a handler.
 */
#include <assert.h>

#include "base/tasks.h"
#include "net/threads_state.h"

/* The type of a message that stands for NET_LOST; no sender can use it. */
static const uint32_t LOST_TYPE = UINT32_MAX;

/* ---- mailboxes ---- */

static void queue_put(queue *lane, net_message *message)
{
    message->next = NULL;
    if (lane->first == NULL) {
        lane->first = message;
    } else {
        lane->last->next = message;
    }
    lane->last = message;
}

static net_message *queue_take(queue *lane)
{
    net_message *message = lane->first;
    if (message != NULL) {
        lane->first = message->next;
    }
    return message;
}

static void put_locked(threads_node *to, net_message *message)
{
    queue_put(&to->lanes[message->lane], message);
    atomic_fetch_add_explicit(&to->n_waiting, 1, memory_order_release);
    pthread_cond_signal(&to->host->arrived);
}

static net_message *take_locked(threads_node *node)
{
    net_message *message = queue_take(&node->lanes[NET_CONTROL]);
    if (message == NULL) {
        message = queue_take(&node->lanes[NET_DATA]);
    }
    if (message != NULL) {
        atomic_fetch_sub_explicit(&node->n_waiting, 1, memory_order_relaxed);
    }
    return message;
}

/* The nodes of a thread, of which the first hosts. */
typedef struct company {
    threads_node *nodes[2];
    size_t n;
} company;

static bool any_waits(const company *of)
{
    bool waits = false;
    for (size_t i = 0; i < of->n; i++) {
        waits = waits || atomic_load_explicit(&of->nodes[i]->n_waiting, memory_order_acquire) > 0;
    }
    return waits;
}

/* A message to one of those that have not left, the first before the others; NULL: there is none.
 */
static net_message *take_any_locked(const company *of, threads_node **to)
{
    net_message *message = NULL;
    for (size_t i = 0; i < of->n && message == NULL; i++) {
        *to = of->nodes[i];
        message = atomic_load(&(*to)->left) ? NULL : take_locked(*to);
    }
    return message;
}

static net_message *take(const company *of, threads_node **to)
{
    threads_node *host = of->nodes[0];
    for (int spin = 0; spin < NET_SPINS && !any_waits(of); spin++) {
        net_pause();
    }
    pthread_mutex_lock(&host->lock);
    net_message *message = take_any_locked(of, to);
    while (message == NULL) {
        pthread_cond_wait(&host->arrived, &host->lock);
        message = take_any_locked(of, to);
    }
    pthread_mutex_unlock(&host->lock);
    return message;
}

static strads_status threads_send(net_node *from, net_id id, net_message *message)
{
    threads_net *network = threads_net_of(from);
    threads_node *to = &network->nodes[id];
    if (!threads_is_here(network, id)) {
        return atomic_load(&to->left) ? STRADS_ERR_CLOSED
                                      : net_links_send(network->links, from->id, id, message);
    }
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&to->host->lock);
    uint32_t *used = &to->used[message->lane][from->id];
    if (atomic_load(&to->left)) {
        status = STRADS_ERR_CLOSED;
    } else if (*used == network->head.options.queue_messages) {
        status = STRADS_ERR_AGAIN;
    } else {
        *used += 1;
        message->from = from->id;
        put_locked(to, message);
    }
    pthread_mutex_unlock(&to->host->lock);
    return status;
}

/* Tells the nodes of this process that one has left; once for each. */
static void tell_left(threads_net *network, net_id gone)
{
    const bool left_before = atomic_exchange(&network->nodes[gone].left, true);
    assert(!left_before);
    if (gone != NET_COORDINATOR) {
        atomic_store(&network->closed, true);
        net_barrier_break(&network->entry);
    }
    for (net_id id = network->first; id < network->end; id++) {
        threads_node *peer = &network->nodes[id];
        if (id != gone) {
            pthread_mutex_lock(&peer->host->lock);
            put_locked(peer, peer->lost[gone]);
            pthread_cond_signal(&peer->woken);
            pthread_mutex_unlock(&peer->host->lock);
        }
    }
}

static void threads_leave(net_node *node)
{
    threads_net *network = threads_net_of(node);
    tell_left(network, node->id);
    if (network->links != NULL) {
        net_links_leave(network->links, node->id);
    }
}

/* ---- what other processes say, on any thread ---- */

static void deliver(void *context, net_id id, net_message *message)
{
    threads_net *network = context;
    threads_node *to = &network->nodes[id];
    pthread_mutex_lock(&to->host->lock);
    put_locked(to, message);
    pthread_mutex_unlock(&to->host->lock);
}

static void serve(void *context, net_id id, net_message *message)
{
    threads_give(context, id, message);
}

static void hear_left(void *context, net_id node)
{
    tell_left(context, node);
}

/* ---- running ---- */

/* The handler has returned: its sender may send another. */
static void give_back(threads_node *node, const net_message *message)
{
    threads_net *network = threads_net_of(&node->head);
    if (!threads_is_here(network, message->from)) {
        net_links_done(network->links, node->head.id, message);
        return;
    }
    pthread_mutex_lock(&node->host->lock);
    node->used[message->lane][message->from]--;
    pthread_mutex_unlock(&node->host->lock);
}

/* What a handler has sent to another process goes in one frame. */
static void flush(threads_node *node)
{
    threads_net *network = threads_net_of(&node->head);
    if (network->links != NULL) {
        net_links_flush(network->links);
    }
}

static void handle(threads_node *node, net_message *message)
{
    if (message->type == LOST_TYPE) {
        const net_event event = {.kind = NET_LOST, .peer = message->from};
        node->handler(node->self, &node->head, &event);
        flush(node);
        return; /* the node owns it */
    }
    const net_event event = {.kind = NET_MESSAGE, .peer = message->from, .message = message};
    node->handler(node->self, &node->head, &event);
    give_back(node, message);
    flush(node);
    net_message_destroy(message);
}

static void start(threads_node *node)
{
    const net_event event = {.kind = NET_STARTED, .peer = node->head.id};
    node->handler(node->self, &node->head, &event);
    flush(node);
}

static bool all_left(const company *of)
{
    bool left = true;
    for (size_t i = 0; i < of->n; i++) {
        left = left && atomic_load(&of->nodes[i]->left);
    }
    return left;
}

static void run_company(const company *of)
{
    for (size_t i = 0; i < of->n; i++) {
        start(of->nodes[i]);
    }
    while (!all_left(of)) {
        threads_node *node = NULL;
        net_message *message = take(of, &node);
        handle(node, message);
    }
}

static void *run_worker(void *argument)
{
    threads_node *node = argument;
    threads_net *network = threads_net_of(&node->head);
    if (net_barrier_wait(&network->gate, network->n_threads)) {
        run_company(&(company){.nodes = {node}, .n = 1});
    }
    return NULL;
}

/* Those that run on the calling thread. */
static company first_company(threads_net *network)
{
    threads_node *first = &network->nodes[network->first];
    company of = {.nodes = {first}, .n = 1};
    const uint32_t n_nodes = network->end - network->first;
    const bool alone = network->head.options.n_nodes == 2;
    if (network->first == NET_COORDINATOR && n_nodes > 1 &&
        (alone || !network->head.options.apart)) {
        of.nodes[of.n++] = first + 1;
        first[1].host = first;
    }
    return of;
}

/* All others run on a thread each. */
static strads_status run_nodes(threads_net *network, const company *of)
{
    const uint32_t n_nodes = network->end - network->first;
    strads_status status = STRADS_OK;
    uint32_t n_started = (uint32_t) of->n;
    network->n_threads = n_nodes - (uint32_t) of->n + 1;
    while (n_started < n_nodes && status == STRADS_OK) {
        threads_node *node = &network->nodes[network->first + n_started];
        char name[16];
        snprintf(name, sizeof(name), "strads-w%u", node->head.id - 1);
        status = strads_thread_start(&node->thread, name, run_worker, node);
        n_started += status == STRADS_OK ? 1 : 0;
    }
    if (status == STRADS_OK &&
        (network->n_threads == 1 || net_barrier_wait(&network->gate, network->n_threads))) {
        run_company(of);
    } else {
        net_barrier_break(&network->gate);
    }
    for (uint32_t i = (uint32_t) of->n; i < n_started; i++) {
        pthread_join(network->nodes[network->first + i].thread, NULL);
    }
    return status;
}

static strads_status threads_run(net *base)
{
    threads_net *network = (threads_net *) base;
    const company of = first_company(network); /* before others can put anything into mailboxes */
    if (network->links != NULL) {
        const net_sink sink = {
            .deliver = deliver, .serve = serve, .left = hear_left, .context = network};
        net_links_attach(network->links, &sink);
    }
    const strads_status status = run_nodes(network, &of);
    if (network->links != NULL) {
        net_links_detach(network->links);
    }
    return status;
}

/* ---- life ---- */

static void fini_node(threads_node *node, uint32_t n_nodes)
{
    for (int lane = 0; lane < NET_N_LANES; lane++) {
        net_message *message = queue_take(&node->lanes[lane]);
        while (message != NULL) {
            if (message->type != LOST_TYPE) {
                net_message_destroy(message);
            }
            message = queue_take(&node->lanes[lane]);
        }
        strads_free(node->used[lane]);
    }
    for (uint32_t i = 0; i < n_nodes && node->lost != NULL; i++) {
        net_message_destroy(node->lost[i]);
    }
    strads_free(node->lost);
    pthread_cond_destroy(&node->woken);
    pthread_cond_destroy(&node->arrived);
    pthread_mutex_destroy(&node->lock);
}

static strads_status init_node(threads_node *node, net *network, net_id id)
{
    const uint32_t n_nodes = network->options.n_nodes;
    *node = (threads_node){.head = {.network = network, .id = id}, .host = node};
    if (pthread_mutex_init(&node->lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    if (pthread_cond_init(&node->arrived, NULL) != 0) {
        goto err_destroy_lock;
    }
    if (strads_cond_init(&node->woken) != STRADS_OK) {
        goto err_destroy_arrived;
    }
    bool whole = true;
    for (int lane = 0; lane < NET_N_LANES; lane++) {
        node->used[lane] = strads_calloc(n_nodes, sizeof(*node->used[lane]));
        whole = whole && node->used[lane] != NULL;
    }
    node->lost = whole ? strads_calloc(n_nodes, sizeof(*node->lost)) : NULL;
    whole = whole && node->lost != NULL;
    for (net_id peer = 0; peer < n_nodes && whole; peer++) {
        node->lost[peer] = net_message_create(LOST_TYPE, NET_DATA, 0);
        whole = node->lost[peer] != NULL;
        if (whole) {
            node->lost[peer]->from = peer;
        }
    }
    if (!whole) {
        fini_node(node, n_nodes);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;

err_destroy_arrived:
    pthread_cond_destroy(&node->arrived);
err_destroy_lock:
    pthread_mutex_destroy(&node->lock);
    return STRADS_ERR_SYSTEM;
}

/* The first n of this process. */
static void fini_nodes(threads_net *network, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        fini_node(&network->nodes[network->first + i], network->head.options.n_nodes);
    }
}

static void free_arrays(threads_net *network)
{
    net_trade_fini(&network->trade);
    strads_free(network->votes);
    strads_free(network->extras);
    strads_free(network->vectors);
    strads_free(network->nodes);
    strads_free(network);
}

static void threads_destroy(net *base)
{
    threads_net *network = (threads_net *) base;
    fini_nodes(network, network->end - network->first);
    net_barrier_fini(&network->gate);
    net_barrier_fini(&network->exit);
    net_barrier_fini(&network->middle);
    net_barrier_fini(&network->entry);
    free_arrays(network);
}

static strads_status init_barriers(threads_net *network)
{
    net_barrier *const barriers[] = {&network->entry, &network->middle, &network->exit,
                                     &network->gate};
    const size_t n = sizeof(barriers) / sizeof(barriers[0]);
    for (size_t i = 0; i < n; i++) {
        const strads_status status = net_barrier_init(barriers[i]);
        if (status != STRADS_OK) {
            while (i > 0) {
                net_barrier_fini(barriers[--i]);
            }
            return status;
        }
    }
    return STRADS_OK;
}

static strads_status threads_create(net **out, const net_options *options)
{
    threads_net *network = strads_calloc(1, sizeof(*network));
    if (network == NULL) {
        return STRADS_ERR_NOMEM;
    }
    network->head = (net){.driver = &net_threads, .options = *options};
    network->links = options->links;
    network->end = options->n_nodes;
    if (network->links != NULL) {
        net_id n = 0;
        net_links_nodes(network->links, net_links_me(network->links), &network->first, &n);
        network->end = network->first + n;
    }
    network->nodes = strads_calloc(options->n_nodes, sizeof(*network->nodes));
    network->vectors = strads_calloc(options->n_nodes, sizeof(*network->vectors));
    network->extras = strads_calloc(options->n_nodes, sizeof(*network->extras));
    network->votes = strads_calloc(options->n_nodes, sizeof(*network->votes));
    strads_status status = net_trade_init(&network->trade, network->links, options->n_nodes);
    if (network->nodes == NULL || network->vectors == NULL || network->extras == NULL ||
        network->votes == NULL) {
        status = STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        status = init_barriers(network);
    }
    if (status != STRADS_OK) {
        free_arrays(network);
        return status;
    }
    const uint32_t n_here = network->end - network->first;
    uint32_t n_ready = 0;
    while (n_ready < n_here && status == STRADS_OK) {
        const net_id id = network->first + n_ready;
        status = init_node(&network->nodes[id], &network->head, id);
        n_ready += status == STRADS_OK ? 1 : 0;
    }
    if (status != STRADS_OK) {
        network->end = network->first + n_ready;
        threads_destroy(&network->head);
        return status;
    }
    *out = &network->head;
    return STRADS_OK;
}

static void threads_attach(net *base, net_id id, net_handler handler, void *self)
{
    threads_net *network = (threads_net *) base;
    network->nodes[id].handler = handler;
    network->nodes[id].self = self;
}

/* A unit of work is about a multiplication: a nanosecond. */
static double threads_exchange_units(const net *base, uint32_t n_members, size_t n)
{
    return 1e9 * net_trade_seconds(&((const threads_net *) base)->trade, n_members, n);
}

const net_driver net_threads = {
    .name = "threads",
    .create = threads_create,
    .destroy = threads_destroy,
    .attach = threads_attach,
    .run = threads_run,
    .send = threads_send,
    .leave = threads_leave,
    .exchange = threads_exchange,
    .exchange_units = threads_exchange_units,
    .node_of = threads_node_of,
    .tell = threads_tell,
    .wait = threads_wait,
    .wake = threads_wake,
};

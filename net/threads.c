/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/threads.c - the driver whose nodes are threads of this process.
 *
 * A message changes hands by its pointer. The coordinator's node runs on the
 * thread that calls net_run, every worker on its own; with a single worker both
 * take turns on the calling thread, and nobody ever waits for a wake-up.
 *
 * Lock ranks: a mailbox's lock is the only lock; none is held in a handler.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/tasks.h"
#include "net/barrier.h"
#include "net/driver.h"
#include "net/sum.h"

typedef struct queue {
    net_message *first, *last;
} queue;

typedef struct threads_node {
    net_node head;
    net_handler handler;
    void *self;
    pthread_t thread;
    _Atomic bool left;

    pthread_mutex_t lock;        /* guards everything below */
    pthread_cond_t arrived;      /* a message came */
    queue lanes[NET_N_LANES];    /* waiting, not yet handled */
    uint32_t *used[NET_N_LANES]; /* [n_nodes] credits that each sender has out */
    net_message **lost;          /* [n_nodes] what tells me that node i left */
    _Atomic size_t n_waiting;    /* read without the lock while spinning */
} threads_node;

typedef struct threads_net {
    net head;
    threads_node *nodes; /* [n_nodes] */
    net_barrier entry;   /* of the exchange; broken when a worker leaves */
    net_barrier exit;    /* of the exchange; never broken: whoever entered gets there */
    double **vectors;    /* [n_nodes] lent to the running exchange */
    uint32_t *votes;     /* [n_nodes] alike */
    net_barrier gate;    /* workers wait here until all threads could be started */
} threads_net;

/* The type of a message that stands for NET_LOST; no sender can use it. */
static const uint32_t LOST_TYPE = UINT32_MAX;

static threads_net *net_of(const net_node *node)
{
    return (threads_net *) node->network;
}

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
    pthread_cond_signal(&to->arrived);
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

static net_message *take_or_null(threads_node *node)
{
    pthread_mutex_lock(&node->lock);
    net_message *message = take_locked(node);
    pthread_mutex_unlock(&node->lock);
    return message;
}

static net_message *take(threads_node *node)
{
    for (int spin = 0; spin < NET_SPINS; spin++) {
        if (atomic_load_explicit(&node->n_waiting, memory_order_acquire) > 0) {
            break;
        }
        net_pause();
    }
    pthread_mutex_lock(&node->lock);
    net_message *message = take_locked(node);
    while (message == NULL) {
        pthread_cond_wait(&node->arrived, &node->lock);
        message = take_locked(node);
    }
    pthread_mutex_unlock(&node->lock);
    return message;
}

static strads_status threads_send(net_node *from, net_id id, net_message *message)
{
    threads_net *network = net_of(from);
    threads_node *to = &network->nodes[id];
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&to->lock);
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
    pthread_mutex_unlock(&to->lock);
    return status;
}

static void threads_leave(net_node *node)
{
    threads_net *network = net_of(node);
    const bool left_before = atomic_exchange(&network->nodes[node->id].left, true);
    assert(!left_before);
    if (node->id != NET_COORDINATOR) {
        net_barrier_break(&network->entry);
    }
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        threads_node *peer = &network->nodes[id];
        if (id != node->id) {
            pthread_mutex_lock(&peer->lock);
            put_locked(peer, peer->lost[node->id]);
            pthread_mutex_unlock(&peer->lock);
        }
    }
}

/* ---- running ---- */

static void handle(threads_node *node, net_message *message)
{
    if (message->type == LOST_TYPE) {
        const net_event event = {.kind = NET_LOST, .peer = message->from};
        node->handler(node->self, &node->head, &event);
        return; /* the node owns it */
    }
    const net_event event = {.kind = NET_MESSAGE, .peer = message->from, .message = message};
    node->handler(node->self, &node->head, &event);
    pthread_mutex_lock(&node->lock);
    node->used[message->lane][message->from]--;
    pthread_mutex_unlock(&node->lock);
    net_message_destroy(message);
}

static void start(threads_node *node)
{
    const net_event event = {.kind = NET_STARTED, .peer = node->head.id};
    node->handler(node->self, &node->head, &event);
}

static void run_node(threads_node *node)
{
    start(node);
    while (!atomic_load(&node->left)) {
        handle(node, take(node));
    }
}

static void *run_worker(void *argument)
{
    threads_node *node = argument;
    threads_net *network = net_of(&node->head);
    if (net_barrier_wait(&network->gate, network->head.options.n_nodes)) {
        run_node(node);
    }
    return NULL;
}

/* Both nodes of a net with one worker, in turn. That neither has left and neither
 * has a message cannot be, for a handler that waits for nothing is a mistake. */
static void run_pair(threads_node *coordinator, threads_node *worker)
{
    start(coordinator);
    start(worker);
    while (!atomic_load(&coordinator->left) || !atomic_load(&worker->left)) {
        threads_node *node = atomic_load(&worker->left) ? coordinator : worker;
        net_message *message = take_or_null(node);
        if (message == NULL) {
            node = node == worker ? coordinator : worker;
            assert(!atomic_load(&node->left));
            message = take_or_null(node);
            assert(message != NULL);
        }
        handle(node, message);
    }
}

static strads_status threads_run(net *base)
{
    threads_net *network = (threads_net *) base;
    const uint32_t n_nodes = base->options.n_nodes;
    if (n_nodes == 2) {
        run_pair(&network->nodes[0], &network->nodes[1]);
        return STRADS_OK;
    }
    strads_status status = STRADS_OK;
    uint32_t n_started = 1;
    while (n_started < n_nodes && status == STRADS_OK) {
        threads_node *node = &network->nodes[n_started];
        char name[16];
        snprintf(name, sizeof(name), "strads-w%u", n_started - 1);
        status = strads_thread_start(&node->thread, name, run_worker, node);
        n_started += status == STRADS_OK ? 1 : 0;
    }
    if (status == STRADS_OK && net_barrier_wait(&network->gate, n_nodes)) {
        run_node(&network->nodes[NET_COORDINATOR]);
    } else {
        net_barrier_break(&network->gate);
    }
    for (uint32_t i = 1; i < n_started; i++) {
        pthread_join(network->nodes[i].thread, NULL);
    }
    return status;
}

/* ---- the exchange ---- */

static strads_status threads_exchange(net_node *node, const net_exchange *exchange)
{
    threads_net *network = net_of(node);
    const uint32_t n_members = exchange->n_members;
    const uint32_t rank = node->id - 1;
    if (n_members == 1) {
        return STRADS_OK; /* the sum over one is what it has */
    }
    network->vectors[rank] = exchange->vector;
    network->votes[rank] = *exchange->votes;
    if (!net_barrier_wait(&network->entry, n_members)) {
        return STRADS_ERR_CLOSED; /* for all members, so nobody reads another's vector */
    }
    uint32_t votes = 0;
    for (uint32_t k = 0; k < n_members; k++) {
        votes |= network->votes[k];
    }
    net_sum_vectors(network->vectors, n_members, exchange->base, exchange->n * rank / n_members,
                    exchange->n * (rank + 1) / n_members);
    const bool out = net_barrier_wait(&network->exit, n_members);
    assert(out);
    *exchange->votes = votes;
    return STRADS_OK;
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
    pthread_cond_destroy(&node->arrived);
    pthread_mutex_destroy(&node->lock);
}

static strads_status init_node(threads_node *node, net *network, net_id id)
{
    const uint32_t n_nodes = network->options.n_nodes;
    *node = (threads_node){.head = {.network = network, .id = id}};
    if (pthread_mutex_init(&node->lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    if (pthread_cond_init(&node->arrived, NULL) != 0) {
        pthread_mutex_destroy(&node->lock);
        return STRADS_ERR_SYSTEM;
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
}

static void fini_nodes(threads_net *network, uint32_t n_nodes)
{
    for (uint32_t i = 0; i < n_nodes; i++) {
        fini_node(&network->nodes[i], network->head.options.n_nodes);
    }
}

static void threads_destroy(net *base)
{
    threads_net *network = (threads_net *) base;
    fini_nodes(network, base->options.n_nodes);
    net_barrier_fini(&network->gate);
    net_barrier_fini(&network->exit);
    net_barrier_fini(&network->entry);
    strads_free(network->votes);
    strads_free(network->vectors);
    strads_free(network->nodes);
    strads_free(network);
}

static strads_status threads_create(net **out, const net_options *options)
{
    threads_net *network = strads_calloc(1, sizeof(*network));
    if (network == NULL) {
        return STRADS_ERR_NOMEM;
    }
    network->head = (net){.driver = &net_threads, .options = *options};
    network->nodes = strads_calloc(options->n_nodes, sizeof(*network->nodes));
    network->vectors = strads_calloc(options->n_nodes, sizeof(*network->vectors));
    network->votes = strads_calloc(options->n_nodes, sizeof(*network->votes));
    strads_status status = STRADS_ERR_NOMEM;
    if (network->nodes == NULL || network->vectors == NULL || network->votes == NULL) {
        goto err_free;
    }
    status = net_barrier_init(&network->entry);
    if (status != STRADS_OK) {
        goto err_free;
    }
    status = net_barrier_init(&network->exit);
    if (status != STRADS_OK) {
        goto err_fini_entry;
    }
    status = net_barrier_init(&network->gate);
    if (status != STRADS_OK) {
        goto err_fini_exit;
    }
    uint32_t n_ready = 0;
    while (n_ready < options->n_nodes && status == STRADS_OK) {
        status = init_node(&network->nodes[n_ready], &network->head, n_ready);
        n_ready += status == STRADS_OK ? 1 : 0;
    }
    if (status != STRADS_OK) {
        goto err_fini_nodes;
    }
    *out = &network->head;
    return STRADS_OK;

err_fini_nodes:
    fini_nodes(network, n_ready);
    net_barrier_fini(&network->gate);
err_fini_exit:
    net_barrier_fini(&network->exit);
err_fini_entry:
    net_barrier_fini(&network->entry);
err_free:
    strads_free(network->votes);
    strads_free(network->vectors);
    strads_free(network->nodes);
    strads_free(network);
    return status;
}

static void threads_attach(net *base, net_id id, net_handler handler, void *self)
{
    threads_net *network = (threads_net *) base;
    network->nodes[id].handler = handler;
    network->nodes[id].self = self;
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
};

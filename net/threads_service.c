/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/threads_service.c - services of the driver `threads`. What another process has sent
 * is handled on the thread that received it, what a node of this one tells another on the
 * thread of the sender.
 */
#include "base/clock.h"
#include "base/tasks.h"
#include "net/threads_state.h"

net_node *threads_node_of(net *base, net_id id)
{
    return &((threads_net *) base)->nodes[id].head;
}

void threads_give(threads_net *network, net_id id, net_message *message)
{
    threads_node *node = &network->nodes[id];
    if (atomic_load(&node->left)) {
        net_message_destroy(message);
        return;
    }
    net_node_serve(&node->head, message);
}

strads_status threads_tell(net *base, net_id id, net_id to, net_message *message)
{
    threads_net *network = (threads_net *) base;
    message->from = id;
    if (atomic_load(&network->nodes[to].left) || atomic_load(&network->nodes[id].left)) {
        net_message_destroy(message);
        return STRADS_ERR_CLOSED;
    }
    if (!threads_is_here(network, to)) {
        return net_links_tell(network->links, id, to, message);
    }
    threads_give(network, to, message);
    return STRADS_OK;
}

/* Whoever wakes has changed what `over` looks at before it takes the lock. */
static strads_status sleep_until(threads_node *node, double until, bool (*over)(void *context),
                                 void *context)
{
    threads_net *network = threads_net_of(&node->head);
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&node->host->lock);
    while (!over(context)) {
        const double left = until - strads_now();
        if (atomic_load(&network->closed)) {
            status = STRADS_ERR_CLOSED;
            break;
        }
        if (left <= 0.0) {
            status = STRADS_ERR_AGAIN;
            break;
        }
        strads_cond_wait(&node->woken, &node->host->lock, left);
    }
    pthread_mutex_unlock(&node->host->lock);
    return status;
}

strads_status threads_wait(net *base, net_id id, double seconds, bool (*over)(void *context),
                           void *context)
{
    static const double YEAR = 365.0 * 24.0 * 3600.0; /* what a clock can add up */
    threads_net *network = (threads_net *) base;
    for (int spin = 0; spin < NET_SPINS; spin++) {
        if (over(context)) {
            return STRADS_OK;
        }
        net_pause();
    }
    if (network->links != NULL) {
        net_links_waits(network->links, true);
    }
    const strads_status status = sleep_until(
        &network->nodes[id], strads_now() + (seconds < YEAR ? seconds : YEAR), over, context);
    if (network->links != NULL) {
        net_links_waits(network->links, false);
    }
    return status;
}

void threads_wake(net *base, net_id id)
{
    threads_node *node = &((threads_net *) base)->nodes[id];
    pthread_mutex_lock(&node->host->lock);
    pthread_cond_signal(&node->woken);
    pthread_mutex_unlock(&node->host->lock);
}

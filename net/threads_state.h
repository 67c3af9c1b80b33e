/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/threads_state.h - what the parts of the driver `threads` share. threads.c has the
 * mailboxes and the life of the nodes, threads_exchange.c the sum over the workers,
 * threads_service.c their services.
 */
#ifndef STRADS_NET_THREADS_STATE_H
#define STRADS_NET_THREADS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/barrier.h"
#include "net/driver.h"
#include "net/trade.h"

typedef struct queue {
    net_message *first, *last;
} queue;

typedef struct threads_node {
    net_node head;
    net_handler handler;
    void *self;
    pthread_t thread;
    _Atomic bool left; /* also of a node of another process, of which nothing else is set */

    struct threads_node *host;   /* whose lock and `arrived` it goes by: its own or, of two that
                                  * share a thread, the first one's */
    pthread_mutex_t lock;        /* guards everything below */
    pthread_cond_t arrived;      /* a message came */
    queue lanes[NET_N_LANES];    /* waiting, not yet handled */
    uint32_t *used[NET_N_LANES]; /* [n_nodes] credits that each sender has out */
    net_message **lost;          /* [n_nodes] what tells me that node i left */
    _Atomic size_t n_waiting;    /* read without the lock while spinning */
    pthread_cond_t woken;        /* look again, in net_wait_until */
} threads_node;

typedef struct threads_net {
    net head;
    threads_node *nodes; /* [n_nodes] */
    net_links *links;    /* to the nodes of other processes; NULL: there are none */
    net_id first, end;   /* the nodes of this process: first .. end - 1 */
    net_barrier entry;   /* of the exchange; broken when a worker leaves */
    net_barrier middle;  /* of the exchange; never broken: whoever entered gets there */
    net_barrier exit;    /* alike */
    double **vectors;    /* [n_nodes] lent to the running exchange */
    double **extras;     /* [n_nodes] alike */
    uint32_t *votes;     /* [n_nodes] alike */
    net_trade trade;     /* of the exchange, with other processes */
    strads_status traded;
    _Atomic bool closed; /* a worker has left: nobody waits for a service any more */
    net_barrier gate;    /* workers wait here until all threads could be started */
    uint32_t n_threads;  /* that run nodes */
} threads_net;

static inline threads_net *threads_net_of(const net_node *node)
{
    return (threads_net *) node->network;
}

static inline bool threads_is_here(const threads_net *network, net_id id)
{
    return id >= network->first && id < network->end;
}

/* threads_service.c */
net_node *threads_node_of(net *base, net_id id);
strads_status threads_tell(net *base, net_id id, net_id to, net_message *message);
strads_status threads_wait(net *base, net_id id, double seconds, bool (*over)(void *context),
                           void *context);
void threads_wake(net *base, net_id id);
void threads_give(threads_net *network, net_id id, net_message *message); /* to its services */

/* threads_exchange.c */
strads_status threads_exchange(net_node *node, const net_exchange *exchange);

#endif

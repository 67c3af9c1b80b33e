/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/wait.h - one thread waits for one callback, patiently or not.
 */
#ifndef STRADS_NET_WAIT_H
#define STRADS_NET_WAIT_H

#include <pthread.h>

#include "net/stream.h"

typedef struct net_wait {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t ended;
    bool has_ended;
    strads_status status;
    size_t n;
} net_wait;

void net_wait_init(net_wait *self);

/* From the callback, once. */
void net_wait_end(net_wait *self, strads_status status, size_t n);

/* OK: it has ended. IO: too late; CLOSED: stopped. Without patience it waits for ever. */
strads_status net_wait_for(net_wait *self, const net_patience *patience);

/* What net_wait_end was told; after it has ended. */
strads_status net_wait_fini(net_wait *self, size_t *n);

/* Waits until the deadline: OK; CLOSED: stopped before. */
STRADS_MUST_CHECK strads_status net_wait_pause(const net_patience *patience);

#endif

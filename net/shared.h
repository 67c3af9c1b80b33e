/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/shared.h - memory that the processes of a run share which were forked from one:
 * through it they exchange in microseconds, where a connection takes tens of them.
 *
 * Each worker has a slot, twice: who writes for the next exchange must not disturb
 * those who still read for this one. They meet once an exchange, when all have written.
 */
#ifndef STRADS_NET_SHARED_H
#define STRADS_NET_SHARED_H

#include <stdatomic.h>

#include "base/base.h"

typedef struct net_shared net_shared;

/* For n_workers; before the processes are forked. Memory is used as it is touched. */
STRADS_MUST_CHECK strads_status net_shared_create(net_shared **out, uint32_t n_workers);
/* Of this process's view; NULL: nothing. */
void net_shared_destroy(net_shared *shared);

/* Doubles that a slot has room for. */
size_t net_shared_room(const net_shared *shared);

/* The number of the exchange that comes next; of those who take part in it, the same. */
uint64_t net_shared_turn(const net_shared *shared);

/* The slot of worker `rank` for that exchange. */
double *net_shared_slot(net_shared *shared, uint32_t rank, uint64_t turn);

/* Waits until n processes have come; false: `broken` became true before. */
STRADS_MUST_CHECK bool net_shared_meet(net_shared *shared, uint32_t n, const _Atomic bool *broken);

#endif

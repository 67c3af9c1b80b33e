/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/barrier.h - a barrier that spins for some microseconds and then blocks, so
 * that it costs little both when the members run side by side and when something
 * else has taken their cores.
 */
#ifndef STRADS_NET_BARRIER_H
#define STRADS_NET_BARRIER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

/* How often a waiter looks before it blocks: about ten microseconds. */
enum { NET_SPINS = 400 };

enum { NET_SEAT_WORDS = 16 }; /* of 64 processors each; of more than 1,024 some count as one */

/* On which processors the members of exchanges run, a bit each; zeros at first. */
typedef struct net_seats {
    _Atomic uint64_t taken[NET_SEAT_WORDS];  /* by who has come */
    _Atomic uint64_t twice[NET_SEAT_WORDS];  /* by two of them */
    _Atomic uint64_t shared[NET_SEAT_WORDS]; /* taken twice at the last exchange */
} net_seats;

/* I am coming; returns my seat. */
int net_seats_take(net_seats *seats);
/* All have come, and nobody comes again before this returns. */
void net_seats_clear(net_seats *seats);

/* How often a member of an exchange looks. Where each has a processor they all come within a
 * fraction of a sweep: then ten times as often, for to block and to be woken takes longer. But if
 * mine was shared the last time, hardly ever: who shares it cannot come before I block. */
int net_spins(uint32_t n_members, const net_seats *seats, int seat);

/* Tells the core that this is a spin loop. */
static inline void net_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* One word decides, so that all members of a generation are let go alike. */
typedef struct net_barrier {
    _Atomic uint64_t state; /* generation, how many have arrived, broken: see barrier.c */
    _Atomic uint32_t sleepers;
    net_seats seats;
    pthread_mutex_t lock; /* for `moved`: the generation changed, or the barrier broke */
    pthread_cond_t moved;
} net_barrier;

STRADS_MUST_CHECK strads_status net_barrier_init(net_barrier *barrier);
void net_barrier_fini(net_barrier *barrier);

/* Waits for n_members callers, as many as the others of this generation say; false
 * when the barrier was broken before all had come: then for all of them. */
STRADS_MUST_CHECK bool net_barrier_wait(net_barrier *barrier, uint32_t n_members);

/* Lets all waiters go, now and for ever. */
void net_barrier_break(net_barrier *barrier);

#endif

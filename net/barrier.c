/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/barrier.c - spin, then block. */
#define _GNU_SOURCE /* sched_getcpu */
#include "net/barrier.h"

#include <sched.h>
#include <unistd.h>

enum { SPINS_OF_ALL = 10 * NET_SPINS, SPINS_SHARED = 4 };

/* The state: bit 0 broken, bits 1 .. 31 arrived, bits 32 .. 63 generation. */
static const uint64_t BROKEN = 1, ONE_ARRIVED = 2, ONE_GENERATION = UINT64_C(1) << 32;

static uint64_t generation_of(uint64_t state)
{
    return state / ONE_GENERATION;
}

static uint64_t arrived_of(uint64_t state)
{
    return state % ONE_GENERATION / ONE_ARRIVED;
}

/* Asked once: to ask takes longer than an exchange. */
static long n_processors(void)
{
    static _Atomic long known;
    long n = atomic_load_explicit(&known, memory_order_relaxed);
    if (n == 0) {
        n = sysconf(_SC_NPROCESSORS_ONLN);
        atomic_store_explicit(&known, n, memory_order_relaxed);
    }
    return n;
}

enum { WORD_BITS = 64 };

/* As many as the processors that there are need. */
static int n_seat_words(void)
{
    const long n = (n_processors() + WORD_BITS - 1) / WORD_BITS;
    return n < 1 ? 1 : n > NET_SEAT_WORDS ? NET_SEAT_WORDS : (int) n;
}

int net_seats_take(net_seats *seats)
{
    const int cpu = sched_getcpu();
    if (cpu < 0) {
        return -1; /* it is not known: as if nobody shared it */
    }
    const int seat = cpu % (n_seat_words() * WORD_BITS);
    const uint64_t bit = UINT64_C(1) << (seat % WORD_BITS);
    const uint64_t before =
        atomic_fetch_or_explicit(&seats->taken[seat / WORD_BITS], bit, memory_order_relaxed);
    if ((before & bit) != 0) {
        atomic_fetch_or_explicit(&seats->twice[seat / WORD_BITS], bit, memory_order_relaxed);
    }
    return seat;
}

void net_seats_clear(net_seats *seats)
{
    for (int i = 0; i < n_seat_words(); i++) {
        const uint64_t twice = atomic_load_explicit(&seats->twice[i], memory_order_relaxed);
        atomic_store_explicit(&seats->shared[i], twice, memory_order_relaxed);
        atomic_store_explicit(&seats->twice[i], 0, memory_order_relaxed);
        atomic_store_explicit(&seats->taken[i], 0, memory_order_relaxed);
    }
}

int net_spins(uint32_t n_members, const net_seats *seats, int seat)
{
    if (seat >= 0 &&
        (atomic_load_explicit(&seats->shared[seat / WORD_BITS], memory_order_relaxed) >>
             (seat % WORD_BITS) &
         1) != 0) {
        return SPINS_SHARED;
    }
    return (long) n_members <= n_processors() ? SPINS_OF_ALL : NET_SPINS;
}

strads_status net_barrier_init(net_barrier *barrier)
{
    *barrier = (net_barrier){.state = 0};
    if (pthread_mutex_init(&barrier->lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    if (pthread_cond_init(&barrier->moved, NULL) != 0) {
        pthread_mutex_destroy(&barrier->lock);
        return STRADS_ERR_SYSTEM;
    }
    return STRADS_OK;
}

void net_barrier_fini(net_barrier *barrier)
{
    pthread_cond_destroy(&barrier->moved);
    pthread_mutex_destroy(&barrier->lock);
}

/* A sleeper counts itself before it looks at the state, and whoever changes the
 * state does so before it looks for sleepers; both in one total order (seq_cst), so
 * one of the two sees the other. */
static void wake_sleepers(net_barrier *barrier)
{
    if (atomic_load(&barrier->sleepers) > 0) {
        pthread_mutex_lock(&barrier->lock);
        pthread_cond_broadcast(&barrier->moved);
        pthread_mutex_unlock(&barrier->lock);
    }
}

static bool has_moved(net_barrier *barrier, uint64_t generation)
{
    const uint64_t state = atomic_load(&barrier->state);
    return generation_of(state) != generation || (state & BROKEN) != 0;
}

static void sleep_until_moved(net_barrier *barrier, uint64_t generation)
{
    pthread_mutex_lock(&barrier->lock);
    atomic_fetch_add(&barrier->sleepers, 1);
    while (!has_moved(barrier, generation)) {
        pthread_cond_wait(&barrier->moved, &barrier->lock);
    }
    atomic_fetch_sub(&barrier->sleepers, 1);
    pthread_mutex_unlock(&barrier->lock);
}

/* The last to arrive opens the next generation, unless the barrier is broken. */
static bool release(net_barrier *barrier, uint64_t state)
{
    net_seats_clear(&barrier->seats);
    const uint64_t next = (uint64_t) (uint32_t) (generation_of(state) + 1) * ONE_GENERATION;
    if (!atomic_compare_exchange_strong(&barrier->state, &state, next)) {
        return false; /* only a break can change the state of a full barrier */
    }
    wake_sleepers(barrier);
    return true;
}

bool net_barrier_wait(net_barrier *barrier, uint32_t n_members)
{
    const int seat = net_seats_take(&barrier->seats);
    const uint64_t state = atomic_fetch_add(&barrier->state, ONE_ARRIVED) + ONE_ARRIVED;
    const uint64_t generation = generation_of(state);
    if ((state & BROKEN) != 0) {
        return false;
    }
    if (arrived_of(state) == n_members) {
        return release(barrier, state);
    }
    for (int spin = net_spins(n_members, &barrier->seats, seat);
         spin > 0 && !has_moved(barrier, generation); spin--) {
        net_pause();
    }
    if (!has_moved(barrier, generation)) {
        sleep_until_moved(barrier, generation);
    }
    return generation_of(atomic_load(&barrier->state)) != generation;
}

void net_barrier_break(net_barrier *barrier)
{
    atomic_fetch_or(&barrier->state, BROKEN);
    wake_sleepers(barrier);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/barrier.c - spin, then block. */
#include "net/barrier.h"

strads_status net_barrier_init(net_barrier *barrier)
{
    *barrier = (net_barrier){.arrived = 0};
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

/* A sleeper counts itself before it looks at the generation, and the releaser
 * changes the generation before it looks for sleepers; both in one total order
 * (seq_cst), so one of the two sees the other. */
static void wake_sleepers(net_barrier *barrier)
{
    if (atomic_load(&barrier->sleepers) > 0) {
        pthread_mutex_lock(&barrier->lock);
        pthread_cond_broadcast(&barrier->moved);
        pthread_mutex_unlock(&barrier->lock);
    }
}

static bool has_moved(net_barrier *barrier, uint32_t generation)
{
    return atomic_load(&barrier->generation) != generation || atomic_load(&barrier->broken);
}

static void sleep_until_moved(net_barrier *barrier, uint32_t generation)
{
    pthread_mutex_lock(&barrier->lock);
    atomic_fetch_add(&barrier->sleepers, 1);
    while (!has_moved(barrier, generation)) {
        pthread_cond_wait(&barrier->moved, &barrier->lock);
    }
    atomic_fetch_sub(&barrier->sleepers, 1);
    pthread_mutex_unlock(&barrier->lock);
}

bool net_barrier_wait(net_barrier *barrier, uint32_t n_members)
{
    const uint32_t generation = atomic_load(&barrier->generation);
    if (atomic_fetch_add(&barrier->arrived, 1) + 1 == n_members) {
        atomic_store(&barrier->arrived, 0);
        atomic_store(&barrier->generation, generation + 1);
        wake_sleepers(barrier);
        return !atomic_load(&barrier->broken);
    }
    for (int spin = 0; spin < NET_SPINS; spin++) {
        if (has_moved(barrier, generation)) {
            return atomic_load(&barrier->generation) != generation;
        }
        net_pause();
    }
    sleep_until_moved(barrier, generation);
    return atomic_load(&barrier->generation) != generation;
}

void net_barrier_break(net_barrier *barrier)
{
    atomic_store(&barrier->broken, true);
    wake_sleepers(barrier);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/clocks.c - spin, then block, as net/barrier.c does. */
#include "ssp/clocks.h"

#include "base/clock.h"
#include "base/tasks.h"
#include "net/barrier.h"

strads_status ssp_clocks_init(ssp_clocks *clocks, uint32_t n)
{
    *clocks = (ssp_clocks){.n = n};
    clocks->clocks = strads_calloc(n, sizeof(*clocks->clocks));
    if (clocks->clocks == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (pthread_mutex_init(&clocks->lock, NULL) != 0) {
        goto err_free_clocks;
    }
    if (strads_cond_init(&clocks->moved) != STRADS_OK) {
        goto err_destroy_lock;
    }
    return STRADS_OK;

err_destroy_lock:
    pthread_mutex_destroy(&clocks->lock);
err_free_clocks:
    strads_free(clocks->clocks);
    return STRADS_ERR_SYSTEM;
}

void ssp_clocks_fini(ssp_clocks *clocks)
{
    pthread_cond_destroy(&clocks->moved);
    pthread_mutex_destroy(&clocks->lock);
    strads_free(clocks->clocks);
}

/* A sleeper counts itself before it looks at the clocks, and whoever changes them does
 * so before it looks for sleepers; all in one total order (seq_cst), so one of the two
 * sees the other. */
static void wake_sleepers(ssp_clocks *clocks)
{
    if (atomic_load(&clocks->sleepers) > 0) {
        pthread_mutex_lock(&clocks->lock);
        pthread_cond_broadcast(&clocks->moved);
        pthread_mutex_unlock(&clocks->lock);
    }
}

uint32_t ssp_clocks_holder(const ssp_clocks *clocks, uint64_t *clock)
{
    uint32_t holder = 0;
    *clock = atomic_load(&clocks->clocks[0]);
    for (uint32_t i = 1; i < clocks->n; i++) {
        const uint64_t one = atomic_load(&clocks->clocks[i]);
        holder = one < *clock ? i : holder;
        *clock = one < *clock ? one : *clock;
    }
    return holder;
}

uint64_t ssp_clocks_slowest(const ssp_clocks *clocks)
{
    uint64_t slowest = 0;
    (void) ssp_clocks_holder(clocks, &slowest);
    return slowest;
}

/* Of several that advance from the slowest clock at once, the last in the total order
 * sees that it has moved. */
bool ssp_clocks_advance(ssp_clocks *clocks, uint32_t rank, uint64_t to)
{
    const uint64_t from = atomic_exchange(&clocks->clocks[rank], to);
    const bool moved = ssp_clocks_slowest(clocks) > from;
    if (moved) {
        wake_sleepers(clocks);
    }
    return moved;
}

static bool is_over(ssp_clocks *clocks, uint64_t needed, uint64_t *slowest)
{
    *slowest = ssp_clocks_slowest(clocks);
    return *slowest >= needed || atomic_load(&clocks->broken);
}

/* False: it is not over, but the time is. */
static bool sleep_until_over(ssp_clocks *clocks, uint64_t needed, double seconds, uint64_t *slowest)
{
    const double until = strads_now() + seconds;
    pthread_mutex_lock(&clocks->lock);
    atomic_fetch_add(&clocks->sleepers, 1);
    bool over = is_over(clocks, needed, slowest);
    for (double now = until - seconds; !over && now < until; now = strads_now()) {
        strads_cond_wait(&clocks->moved, &clocks->lock, until - now);
        over = is_over(clocks, needed, slowest);
    }
    atomic_fetch_sub(&clocks->sleepers, 1);
    pthread_mutex_unlock(&clocks->lock);
    return over;
}

strads_status ssp_clocks_wait(ssp_clocks *clocks, uint64_t needed, double seconds,
                              uint64_t *slowest)
{
    uint64_t seen = 0;
    bool over = is_over(clocks, needed, &seen);
    for (int spin = 0; spin < NET_SPINS && !over; spin++) {
        net_pause();
        over = is_over(clocks, needed, &seen);
    }
    if (!over && !sleep_until_over(clocks, needed, seconds, &seen)) {
        return STRADS_ERR_AGAIN;
    }
    if (seen < needed) {
        return STRADS_ERR_CLOSED;
    }
    *slowest = seen;
    return STRADS_OK;
}

void ssp_clocks_break(ssp_clocks *clocks)
{
    atomic_store(&clocks->broken, true);
    wake_sleepers(clocks);
}

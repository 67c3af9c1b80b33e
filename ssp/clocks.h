/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/clocks.h - the clocks of all sessions, and waiting for the slowest.
 *
 * What a thread wrote before it advanced its clock is seen by whoever has waited for that.
 */
#ifndef STRADS_SSP_CLOCKS_H
#define STRADS_SSP_CLOCKS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

/* The clock of a session that has left. */
#define SSP_CLOCK_LEFT UINT64_MAX

typedef struct ssp_clocks {
    _Atomic uint64_t *clocks; /* [n] finished periods; never go back */
    uint32_t n;
    atomic_bool broken;
    _Atomic uint32_t sleepers;
    pthread_mutex_t lock; /* for `moved`: the slowest clock moved, or all is broken */
    pthread_cond_t moved;
} ssp_clocks;

STRADS_MUST_CHECK strads_status ssp_clocks_init(ssp_clocks *clocks, uint32_t n);
void ssp_clocks_fini(ssp_clocks *clocks);

/* Sets the clock of session `rank`, which is its alone to set, to `to`, which is later.
 * Whether the slowest clock has moved. */
bool ssp_clocks_advance(ssp_clocks *clocks, uint32_t rank, uint64_t to);

uint64_t ssp_clocks_slowest(const ssp_clocks *clocks);

/* Which session's clock is the slowest, the first of them, and what it is. */
uint32_t ssp_clocks_holder(const ssp_clocks *clocks, uint64_t *clock);

/* Waits until no clock is below `needed`: *slowest is the slowest then. CLOSED: broken
 * before. AGAIN: not within so many seconds. */
STRADS_MUST_CHECK strads_status ssp_clocks_wait(ssp_clocks *clocks, uint64_t needed, double seconds,
                                                uint64_t *slowest);

/* Lets all waiters go, now and for ever. */
void ssp_clocks_break(ssp_clocks *clocks);

#endif

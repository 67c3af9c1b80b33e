/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_barrier.c - the barrier, alone and among threads. */
#define _GNU_SOURCE /* cpu_set_t */
#include "net/barrier.h"

#include <sched.h>

#include "base/tasks.h"
#include "tests/support/suite.h"

enum { MEMBERS = 4, GENERATIONS = 2000 };

typedef struct crowd {
    net_barrier barrier;
    _Atomic uint32_t arrived;
    _Atomic uint32_t n_wrong;
    _Atomic uint32_t n_let_go;
} crowd;

static void a_member_alone_does_not_wait(void)
{
    net_barrier barrier;
    REQUIRE_OK(net_barrier_init(&barrier));
    CHECK(net_barrier_wait(&barrier, 1));
    CHECK(net_barrier_wait(&barrier, 1));
    net_barrier_fini(&barrier);
}

/* After the k-th wait everybody has arrived k times, before the next nobody more. */
static void *arrive(void *argument)
{
    crowd *self = argument;
    for (uint32_t k = 1; k <= GENERATIONS; k++) {
        atomic_fetch_add(&self->arrived, 1);
        if (!net_barrier_wait(&self->barrier, MEMBERS) ||
            atomic_load(&self->arrived) != k * MEMBERS ||
            !net_barrier_wait(&self->barrier, MEMBERS)) {
            atomic_fetch_add(&self->n_wrong, 1);
            return NULL;
        }
    }
    return NULL;
}

static void nobody_passes_before_all_have_arrived(void)
{
    crowd self = {.arrived = 0};
    pthread_t threads[MEMBERS];
    REQUIRE_OK(net_barrier_init(&self.barrier));
    for (int i = 0; i < MEMBERS; i++) {
        REQUIRE_OK(strads_thread_start(&threads[i], "member", arrive, &self));
    }
    for (int i = 0; i < MEMBERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&self.n_wrong) == 0);
    CHECK(atomic_load(&self.arrived) == MEMBERS * GENERATIONS);
    net_barrier_fini(&self.barrier);
}

static void *wait_in_vain(void *argument)
{
    crowd *self = argument;
    atomic_fetch_add(&self->arrived, 1);
    if (net_barrier_wait(&self->barrier, MEMBERS)) {
        atomic_fetch_add(&self->n_wrong, 1);
    }
    atomic_fetch_add(&self->n_let_go, 1);
    return NULL;
}

static void a_break_lets_everybody_go_and_nobody_pass(void)
{
    crowd self = {.arrived = 0};
    pthread_t threads[MEMBERS - 1];
    REQUIRE_OK(net_barrier_init(&self.barrier));
    for (int i = 0; i < MEMBERS - 1; i++) {
        REQUIRE_OK(strads_thread_start(&threads[i], "member", wait_in_vain, &self));
    }
    net_barrier_break(&self.barrier);
    for (int i = 0; i < MEMBERS - 1; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&self.n_wrong) == 0);
    CHECK(atomic_load(&self.n_let_go) == MEMBERS - 1);
    CHECK(!net_barrier_wait(&self.barrier, 1)); /* for ever */
    net_barrier_fini(&self.barrier);
}

/* Two members on this thread's processor, which it keeps, then one. */
static void who_shares_a_processor_hardly_spins(void)
{
    net_seats seats = {.shared = false};
    cpu_set_t all, one;
    REQUIRE(sched_getaffinity(0, sizeof(all), &all) == 0);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(net_spins(2, &seats) >= NET_SPINS);
    net_seats_take(&seats);
    net_seats_take(&seats);
    net_seats_clear(&seats, 2);
    CHECK(net_spins(2, &seats) < NET_SPINS / 10);
    net_seats_take(&seats);
    net_seats_clear(&seats, 1);
    CHECK(net_spins(2, &seats) >= NET_SPINS);
    CHECK(net_spins(1, &seats) >= net_spins(1 << 20, &seats)); /* nowhere are as many */
    REQUIRE(sched_setaffinity(0, sizeof(all), &all) == 0);
}

SUITE("net/barrier", {"a member alone does not wait", a_member_alone_does_not_wait},
      {"who shares a processor hardly spins", who_shares_a_processor_hardly_spins},
      {"nobody passes before all have arrived", nobody_passes_before_all_have_arrived},
      {"a break lets everybody go and nobody pass", a_break_lets_everybody_go_and_nobody_pass})

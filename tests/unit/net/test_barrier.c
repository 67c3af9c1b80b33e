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
    cpu_set_t where; /* members stay */
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

static void stay_on(const cpu_set_t *where)
{
    REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof(*where), where) == 0);
}

static void *meet_once(void *argument)
{
    crowd *self = argument;
    stay_on(&self->where);
    if (!net_barrier_wait(&self->barrier, 2)) {
        atomic_fetch_add(&self->n_wrong, 1);
    }
    return NULL;
}

static void who_shared_a_processor_hardly_spins(void)
{
    crowd self = {.arrived = 0};
    pthread_t other;
    cpu_set_t all;
    REQUIRE_OK(net_barrier_init(&self.barrier));
    REQUIRE(sched_getaffinity(0, sizeof(all), &all) == 0);
    CPU_ZERO(&self.where);
    CPU_SET(sched_getcpu(), &self.where);
    stay_on(&self.where);
    REQUIRE_OK(strads_thread_start(&other, "member", meet_once, &self));
    CHECK(net_barrier_wait(&self.barrier, 2));
    pthread_join(other, NULL);
    const net_seats *seats = &self.barrier.seats;
    net_seats none = {.taken = {0}};
    const int seat = net_seats_take(&none);
    CHECK(net_spins(2, seats, seat) < NET_SPINS / 10);
    CHECK(net_spins(2, seats, seat == 0 ? 1 : 0) >= NET_SPINS); /* others' */
    CHECK(net_spins(2, seats, -1) >= NET_SPINS);
    CHECK(net_spins(2, &none, seat) >= NET_SPINS);
    CHECK(net_spins(1, &none, seat) > net_spins(1 << 20, &none, seat)); /* so many are nowhere */
    CHECK(net_barrier_wait(&self.barrier, 1));                          /* alone on it */
    CHECK(net_spins(2, seats, seat) >= NET_SPINS);
    CHECK(atomic_load(&self.n_wrong) == 0);
    stay_on(&all);
    net_barrier_fini(&self.barrier);
}

SUITE("net/barrier", {"a member alone does not wait", a_member_alone_does_not_wait},
      {"who shared a processor hardly spins", who_shared_a_processor_hardly_spins},
      {"nobody passes before all have arrived", nobody_passes_before_all_have_arrived},
      {"a break lets everybody go and nobody pass", a_break_lets_everybody_go_and_nobody_pass})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_clocks.c - clocks, and waiting for the slowest. */
#include "ssp/clocks.h"

#include <sched.h>

#include "base/tasks.h"
#include "tests/support/suite.h"

enum { MEMBERS = 4, PERIODS = 2000 };

typedef struct crowd {
    ssp_clocks clocks;
    _Atomic uint32_t n_started;
    _Atomic uint32_t n_wrong;
    _Atomic uint32_t n_done;
    uint64_t written[MEMBERS]; /* by its member, before it advances */
} crowd;

static void the_slowest_clock_is_the_least_of_those_who_have_not_left(void)
{
    ssp_clocks clocks;
    uint64_t slowest = 99;
    REQUIRE_OK(ssp_clocks_init(&clocks, 3));
    CHECK(ssp_clocks_slowest(&clocks) == 0);
    ssp_clocks_advance(&clocks, 0, 5);
    ssp_clocks_advance(&clocks, 1, 2);
    CHECK(ssp_clocks_slowest(&clocks) == 0);
    ssp_clocks_advance(&clocks, 2, 7);
    CHECK(ssp_clocks_slowest(&clocks) == 2);
    REQUIRE_OK(ssp_clocks_wait(&clocks, 2, 60.0, &slowest));
    CHECK(slowest == 2);
    ssp_clocks_advance(&clocks, 1, SSP_CLOCK_LEFT);
    REQUIRE_OK(ssp_clocks_wait(&clocks, 3, 60.0, &slowest));
    CHECK(slowest == 5);
    ssp_clocks_fini(&clocks);
}

static void a_wait_ends_when_its_time_is_over_and_tells_who_holds_it(void)
{
    ssp_clocks clocks;
    uint64_t slowest = 99;
    uint64_t clock = 99;
    REQUIRE_OK(ssp_clocks_init(&clocks, 3));
    ssp_clocks_advance(&clocks, 0, 3);
    ssp_clocks_advance(&clocks, 1, 1);
    ssp_clocks_advance(&clocks, 2, 2);
    CHECK_STATUS(ssp_clocks_wait(&clocks, 2, 0.001, &slowest), STRADS_ERR_AGAIN);
    CHECK(slowest == 99);
    CHECK(ssp_clocks_holder(&clocks, &clock) == 1);
    CHECK(clock == 1);
    ssp_clocks_fini(&clocks);
}

/* Waits for its own clock, as staleness 0 does. */
static void *keep_step(void *argument)
{
    crowd *self = argument;
    const uint32_t rank = atomic_fetch_add(&self->n_started, 1);
    uint64_t slowest = 0;
    for (uint64_t clock = 1; clock <= PERIODS; clock++) {
        self->written[rank] = clock;
        ssp_clocks_advance(&self->clocks, rank, clock);
        const strads_status status = ssp_clocks_wait(&self->clocks, clock, 60.0, &slowest);
        atomic_fetch_add(&self->n_wrong, status != STRADS_OK || slowest != clock);
    }
    for (uint32_t i = 0; i < MEMBERS; i++) {
        atomic_fetch_add(&self->n_wrong, self->written[i] != PERIODS);
    }
    return NULL;
}

static void whoever_has_waited_sees_what_was_written_before(void)
{
    crowd self = {.n_started = 0};
    pthread_t threads[MEMBERS];
    REQUIRE_OK(ssp_clocks_init(&self.clocks, MEMBERS));
    for (int i = 0; i < MEMBERS; i++) {
        REQUIRE_OK(strads_thread_start(&threads[i], "member", keep_step, &self));
    }
    for (int i = 0; i < MEMBERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&self.n_wrong) == 0);
    CHECK(atomic_load(&self.clocks.sleepers) == 0);
    ssp_clocks_fini(&self.clocks);
}

static void *wait_in_vain(void *argument)
{
    crowd *self = argument;
    uint64_t slowest = 99;
    if (ssp_clocks_wait(&self->clocks, 1, 60.0, &slowest) != STRADS_ERR_CLOSED || slowest != 99) {
        atomic_fetch_add(&self->n_wrong, 1);
    }
    atomic_fetch_add(&self->n_done, 1);
    return NULL;
}

static void a_break_lets_sleepers_go_and_nobody_wait(void)
{
    crowd self = {.n_started = 0};
    pthread_t threads[MEMBERS];
    uint64_t slowest = 99;
    REQUIRE_OK(ssp_clocks_init(&self.clocks, 2));
    ssp_clocks_advance(&self.clocks, 0, 1); /* not the last: nobody is let go */
    for (int i = 0; i < MEMBERS; i++) {
        REQUIRE_OK(strads_thread_start(&threads[i], "member", wait_in_vain, &self));
    }
    while (atomic_load(&self.clocks.sleepers) < MEMBERS && atomic_load(&self.n_done) == 0) {
        sched_yield();
    }
    ssp_clocks_break(&self.clocks);
    for (int i = 0; i < MEMBERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&self.n_wrong) == 0);
    CHECK_STATUS(ssp_clocks_wait(&self.clocks, 1, 60.0, &slowest), STRADS_ERR_CLOSED);
    CHECK(slowest == 99);
    ssp_clocks_fini(&self.clocks);
}

SUITE("ssp/clocks",
      {"the slowest clock is the least of those who have not left",
       the_slowest_clock_is_the_least_of_those_who_have_not_left},
      {"a wait ends when its time is over, and tells who holds it",
       a_wait_ends_when_its_time_is_over_and_tells_who_holds_it},
      {"whoever has waited sees what was written before",
       whoever_has_waited_sees_what_was_written_before},
      {"a break lets sleepers go and nobody wait", a_break_lets_sleepers_go_and_nobody_wait})

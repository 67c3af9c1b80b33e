/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_queue.c - events come out in order of time, then of coming. */
#include "net/sim_queue.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_EVENTS = 2000, N_TIMES = 50 };

static void put(sim_queue *queue, double time, net_id node)
{
    REQUIRE_OK(sim_queue_reserve(queue));
    sim_queue_put(queue, (sim_event){.time = time, .node = node});
}

static void events_come_out_in_order_of_time_then_of_coming(void)
{
    sim_queue queue = {0};
    strads_random random = strads_random_start(3, 0);
    for (net_id i = 0; i < N_EVENTS; i++) {
        put(&queue, (double) strads_random_below(&random, N_TIMES), i);
    }
    sim_event last = {.time = -1.0};
    sim_event event;
    for (int i = 0; i < N_EVENTS; i++) {
        REQUIRE(sim_queue_take(&queue, &event));
        CHECK(event.time > last.time || (event.time == last.time && event.node > last.node));
        last = event;
    }
    CHECK(!sim_queue_take(&queue, &event));
    sim_queue_fini(&queue);
}

/* Against a slow oracle: the least of all that are in it. */
static void puts_and_takes_may_alternate(void)
{
    sim_queue queue = {0};
    strads_random random = strads_random_start(4, 0);
    double times[N_EVENTS];
    size_t n = 0;
    for (net_id i = 0; i < N_EVENTS; i++) {
        const bool more = n < N_TIMES / 2 || (n < N_TIMES && strads_random_below(&random, 2) == 0);
        if (more) {
            times[n++] = strads_random_uniform(&random);
            put(&queue, times[n - 1], i);
        } else {
            sim_event event = {0};
            size_t least = 0;
            for (size_t k = 1; k < n; k++) {
                least = times[k] < times[least] ? k : least;
            }
            REQUIRE(sim_queue_take(&queue, &event));
            CHECK(event.time == times[least]);
            times[least] = times[--n];
        }
    }
    sim_queue_fini(&queue);
}

static void room_that_cannot_be_had_changes_nothing(void)
{
    sim_queue queue = {0};
    sim_event event;
    strads_mem_fail_after(1);
    CHECK_STATUS(sim_queue_reserve(&queue), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK(!sim_queue_take(&queue, &event));
    put(&queue, 1.0, 7);
    CHECK(sim_queue_take(&queue, &event) && event.node == 7);
    sim_queue_fini(&queue);
}

SUITE("net/sim_queue",
      {"events come out in order of time, then of coming",
       events_come_out_in_order_of_time_then_of_coming},
      {"puts and takes may alternate", puts_and_takes_may_alternate},
      {"room that cannot be had changes nothing", room_that_cannot_be_had_changes_nothing})

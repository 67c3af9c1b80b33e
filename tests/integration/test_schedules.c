/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_schedules.c - every schedule, on random small problems: it
 * must reach the oracle's optimum, and every round must keep its promises.
 */
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/schedules.h"
#include "tests/support/suite.h"

static void every_schedule_reaches_the_optimum_and_keeps_the_promises_of_a_round(void)
{
    const size_t live = strads_mem_live();
    alarm(120);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        CHECK(schedules_try(seed, 30, 4));
    }
    alarm(0);
    CHECK(strads_mem_live() == live);
}

SUITE("integration/schedules",
      {"every schedule reaches the optimum and keeps the promises of a round",
       every_schedule_reaches_the_optimum_and_keeps_the_promises_of_a_round})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/stress/test_rounds.c - many rounds by many workers, more than there are
 * cores: the properties of tests/integration/test_schedules.c at length.
 */
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/schedules.h"
#include "tests/support/suite.h"

static void many_rounds_by_many_workers_keep_their_promises(void)
{
    const size_t live = strads_mem_live();
    alarm(600);
    for (uint64_t seed = 1000; seed < 1080; seed++) {
        CHECK(schedules_try(seed, 80, 16));
    }
    alarm(0);
    CHECK(strads_mem_live() == live);
}

SUITE("stress/rounds", {"many rounds by many workers keep their promises",
                        many_rounds_by_many_workers_keep_their_promises})

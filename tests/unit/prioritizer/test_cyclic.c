/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_cyclic.c - one after another, round and round. */
#include <string.h>

#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

static prioritizer *cyclic(uint32_t n_vars)
{
    prioritizer *prio = NULL;
    const prio_options options = {.policy = PRIO_CYCLIC, .n_vars = n_vars};
    REQUIRE_OK(prio_create(&prio, &options));
    return prio;
}

static void check_draw(prioritizer *prio, size_t n, const uint32_t *expected, size_t n_expected)
{
    uint32_t vars[16];
    REQUIRE(prio_draw(prio, n, 0.0, vars) == n_expected);
    CHECK(memcmp(vars, expected, n_expected * sizeof(vars[0])) == 0);
}

static void it_goes_round_from_where_it_was(void)
{
    prioritizer *prio = cyclic(5);
    const uint32_t all[] = {0, 1, 2, 3, 4};
    check_draw(prio, 3, all, 3);
    prio_return(prio, all, 3);
    check_draw(prio, 3, (uint32_t[]){3, 4, 0}, 3);
    prio_return(prio, (uint32_t[]){0, 4, 3}, 3);
    check_draw(prio, 9, (uint32_t[]){1, 2, 3, 4, 0}, 5);
    check_draw(prio, 1, all, 0);
    prio_destroy(prio);
}

static void it_passes_by_who_is_out_or_retired(void)
{
    prioritizer *prio = cyclic(6);
    check_draw(prio, 3, (uint32_t[]){0, 1, 2}, 3);
    prio_return(prio, (uint32_t[]){0, 2}, 2); /* 1 stays out */
    prio_update(prio, (uint32_t[]){4, 2}, 2, (float[]){PRIO_RETIRED, -3});
    check_draw(prio, 4, (uint32_t[]){3, 5, 0, 2}, 4);
    prio_return(prio, (uint32_t[]){1}, 1);
    check_draw(prio, 2, (uint32_t[]){1}, 1);
    prio_destroy(prio);
}

SUITE("prioritizer/cyclic", {"it goes round from where it was", it_goes_round_from_where_it_was},
      {"it passes by who is out or retired", it_passes_by_who_is_out_or_retired})

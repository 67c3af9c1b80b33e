/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_wheel.c - choices by weight, against plain loops. */
#include "prioritizer/wheel.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { MOST = 200 };

/* Weights of many sizes, two in three nothing; whole numbers, so that sums are exact. */
static double any_weight(strads_random *random)
{
    const uint64_t kind = strads_random_below(random, 3);
    return kind > 0 ? 0.0 : (double) (1 + strads_random_below(random, 1000));
}

static uint32_t choose_slowly(const double *weights, uint32_t n, double turn)
{
    double total = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        total += weights[i];
    }
    double target = turn * total;
    for (uint32_t i = 0; i < n; i++) {
        if (weights[i] > 0.0 && target < weights[i]) {
            return i;
        }
        target -= weights[i];
    }
    return UINT32_MAX;
}

static uint32_t largest_slowly(const double *weights, uint32_t n)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        if (weights[i] > (best == UINT32_MAX ? 0.0 : weights[best])) {
            best = i;
        }
    }
    return best;
}

static void choices_are_those_of_a_plain_loop(void)
{
    static const uint32_t sizes[] = {1, 2, 31, 32, 33, MOST};
    strads_random random = strads_random_start(1, 0);
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        double weights[MOST] = {0.0};
        const uint32_t n = sizes[k];
        prio_wheel wheel;
        REQUIRE_OK(prio_wheel_init(&wheel, n));
        CHECK(prio_wheel_choose(&wheel, 0.5) == UINT32_MAX);
        CHECK(prio_wheel_largest(&wheel) == UINT32_MAX);
        for (int step = 0; step < 3000; step++) {
            const uint32_t i = (uint32_t) strads_random_below(&random, n);
            weights[i] = any_weight(&random);
            prio_wheel_set(&wheel, i, weights[i]);
            /* Quarters of a total of whole numbers: no rounding decides. */
            const double turn = (double) strads_random_below(&random, 4) / 4.0;
            CHECK(prio_wheel_choose(&wheel, turn) == choose_slowly(weights, n, turn));
            CHECK(prio_wheel_largest(&wheel) == largest_slowly(weights, n));
        }
        prio_wheel_fini(&wheel);
    }
}

/* A target that rounding leads beyond the end. */
static void the_last_turn_rests_on_one_that_weighs_something(void)
{
    prio_wheel wheel;
    REQUIRE_OK(prio_wheel_init(&wheel, 70));
    for (uint32_t i = 0; i < 60; i++) {
        prio_wheel_set(&wheel, i, i % 2 == 0 ? 0.1 : 0.0);
    }
    CHECK(prio_wheel_choose(&wheel, nextafter(1.0, 0.0)) == 58);
    const uint32_t last = prio_wheel_choose(&wheel, 1.0); /* as if by rounding */
    CHECK(last >= 32 && last < 60 && last % 2 == 0);
    prio_wheel_fini(&wheel);
}

static void no_memory_is_told_and_nothing_is_lost(void)
{
    const size_t live = strads_mem_live();
    for (size_t n = 1; n <= 3; n++) {
        prio_wheel wheel;
        strads_mem_fail_after(n);
        CHECK_STATUS(prio_wheel_init(&wheel, 40), STRADS_ERR_NOMEM);
        strads_mem_fail_after(0);
        CHECK(strads_mem_live() == live);
    }
}

SUITE("prioritizer/wheel", {"choices are those of a plain loop", choices_are_those_of_a_plain_loop},
      {"the last turn rests on one that weighs something",
       the_last_turn_rests_on_one_that_weighs_something},
      {"no memory is told and nothing is lost", no_memory_is_told_and_nothing_is_lost})

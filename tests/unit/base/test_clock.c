/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_clock.c - time goes forward, and its source can be replaced. */
#include "base/clock.h"

#include "tests/support/suite.h"

static void time_never_goes_back(void)
{
    double before = strads_now();
    CHECK(before > 0.0);
    for (int i = 0; i < 10000; i++) {
        const double now = strads_now();
        CHECK(now >= before);
        before = now;
    }
}

static double ticking(void *context)
{
    double *now = context;
    return *now += 0.5;
}

static void the_source_can_be_replaced_and_restored(void)
{
    double now = 10.0;
    const double before = strads_now();
    strads_clock_set_source(ticking, &now);
    CHECK_NEAR(strads_now(), 10.5, 0.0);
    CHECK_NEAR(strads_now(), 11.0, 0.0);
    strads_clock_set_source(NULL, NULL);
    CHECK(strads_now() >= before);
    CHECK_NEAR(now, 11.0, 0.0);
}

static void the_time_of_a_thread_is_real_whatever_the_source(void)
{
    double now = 10.0;
    strads_clock_set_source(ticking, &now);
    const double before = strads_thread_seconds();
    while (strads_thread_seconds() <= before) {
    }
    strads_clock_set_source(NULL, NULL);
    CHECK_NEAR(now, 10.0, 0.0);
}

static void a_thread_is_delayed_by_real_time_only(void)
{
    double now = 10.0;
    const double before = strads_thread_delayed();
    CHECK(before >= 0.0 && strads_thread_delayed() >= before);
    strads_clock_set_source(ticking, &now);
    CHECK_NEAR(strads_thread_delayed(), 0.0, 0.0);
    strads_clock_set_source(NULL, NULL);
}

SUITE("base/clock", {"time never goes back", time_never_goes_back},
      {"the source can be replaced and restored", the_source_can_be_replaced_and_restored},
      {"the time of a thread is real, whatever the source",
       the_time_of_a_thread_is_real_whatever_the_source},
      {"a thread is delayed by real time only", a_thread_is_delayed_by_real_time_only})

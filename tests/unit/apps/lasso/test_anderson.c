/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_anderson.c - on a linear iteration of few dimensions the
 * extrapolation lands on the fixed point.
 */
#include "apps/lasso/anderson.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { DIMENSIONS = 4, N_SHARED = 3 };

static strads_worker worker;

/* x_i := 1 + a_i (x_i - 1): the fixed point is 1. shared is linear in x. */
static void iterate(double *x, double *shared, double unit)
{
    static const double rate[DIMENSIONS] = {0.9, 0.5, -0.7, 0.99};
    for (int i = 0; i < DIMENSIONS; i++) {
        x[i] = unit + rate[i] * (x[i] - unit);
    }
    shared[0] = 2.0 * x[0] - x[3];
    shared[1] = x[1] + x[2] + 5.0 * unit;
    shared[2] = x[2];
}

static void check_fixed_point(double unit)
{
    anderson mix = {.n_own = 0};
    double x[DIMENSIONS] = {7.0 * unit, -3.0 * unit, 2.0 * unit, 30.0 * unit};
    double shared[N_SHARED];
    bool possible = false;
    REQUIRE_OK(anderson_start(&mix, DIMENSIONS, N_SHARED));
    for (int i = 0; i <= ANDERSON_DEPTH; i++) {
        iterate(x, shared, unit);
        CHECK(anderson_note(&mix, x, shared) == (i == ANDERSON_DEPTH));
    }
    REQUIRE_OK(anderson_combine(&mix, &worker, &possible));
    REQUIRE(possible);
    for (int i = 0; i < DIMENSIONS; i++) {
        CHECK_NEAR(mix.own[0][i], unit, 0.02 * unit); /* from 27 away; the ridge blurs */
    }
    CHECK_NEAR(mix.shared[0][0], 2.0 * mix.own[0][0] - mix.own[0][3], 1e-9 * unit);
    CHECK_NEAR(mix.shared[0][1], mix.own[0][1] + mix.own[0][2] + 5.0 * unit, 1e-9 * unit);
    anderson_fini(&mix);
}

static void a_linear_iteration_is_brought_to_its_fixed_point_at_any_scale(void)
{
    static const double units[] = {1.0, 1e-100, 1e100, 1e-150, 1e150};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        check_fixed_point(units[i]);
    }
}

static void iterates_that_stand_still_or_overflow_give_nothing(void)
{
    static const double values[] = {0.0, 3.0, 1e300, INFINITY, NAN};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        anderson mix = {.n_own = 0};
        bool possible = true;
        REQUIRE_OK(anderson_start(&mix, 1, 1));
        for (int k = 0; k <= ANDERSON_DEPTH; k++) {
            const double x = values[i] >= 1e300 && k % 2 == 1 ? -values[i] : values[i];
            anderson_note(&mix, &x, &x);
        }
        REQUIRE_OK(anderson_combine(&mix, &worker, &possible));
        CHECK(!possible);
        anderson_fini(&mix);
    }
}

static void a_member_without_coefficients_takes_part(void)
{
    anderson mix = {.n_own = 0};
    bool possible = true;
    const double shared = 1.0;
    REQUIRE_OK(anderson_start(&mix, 0, 1));
    for (int k = 0; k <= ANDERSON_DEPTH; k++) {
        anderson_note(&mix, NULL, &shared);
    }
    CHECK_STATUS(anderson_combine(&mix, &worker, &possible), STRADS_OK);
    CHECK(!possible);
    anderson_fini(&mix);
}

static void starting_survives_the_failure_of_every_allocation(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    for (; status != STRADS_OK && n_failed < 100; n_failed++) {
        anderson mix = {.n_own = 0};
        REQUIRE_OK(anderson_start(&mix, 2, 2)); /* grows below */
        strads_mem_fail_after(n_failed + 1);
        status = anderson_start(&mix, 50, 60);
        strads_mem_fail_after(0);
        anderson_fini(&mix);
        CHECK(strads_mem_live() == live);
    }
    CHECK(n_failed == 2 * (ANDERSON_DEPTH + 1) + 1);
}

SUITE("apps/lasso/anderson",
      {"a linear iteration is brought to its fixed point at any scale",
       a_linear_iteration_is_brought_to_its_fixed_point_at_any_scale},
      {"iterates that stand still or overflow give nothing",
       iterates_that_stand_still_or_overflow_give_nothing},
      {"a member without coefficients takes part", a_member_without_coefficients_takes_part},
      {"starting survives the failure of every allocation",
       starting_survives_the_failure_of_every_allocation})

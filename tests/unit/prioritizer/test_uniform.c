/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_uniform.c - equal probabilities. */
#include <gsl/gsl_cdf.h>

#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

enum { J = 6, TRIALS = 120000 };

/* Scores do not matter, retirement and being out do: of 0 .. 5, 2 is retired and
 * the first drawn stays out; ordered pairs of the other four are equally likely. */
static void pairs_of_the_open_variables_are_equally_likely(void)
{
    prioritizer *prio = NULL;
    const prio_options options = {.policy = PRIO_UNIFORM, .n_vars = J, .seed = 4};
    REQUIRE_OK(prio_create(&prio, &options));
    prio_set_range(prio, 0, J, (float[]){1, 1e9F, PRIO_RETIRED, -5, 0, 2});
    uint32_t out = 0;
    REQUIRE(prio_draw(prio, 1, 0.0, &out) == 1);

    size_t counts[J][J] = {{0}};
    for (size_t trial = 0; trial < TRIALS; trial++) {
        uint32_t pair[2];
        REQUIRE(prio_draw(prio, 2, 0.0, pair) == 2);
        counts[pair[0]][pair[1]]++;
        prio_return(prio, pair, 2);
    }
    const double expected = TRIALS / 12.0;
    double chi = 0.0;
    for (uint32_t a = 0; a < J; a++) {
        for (uint32_t b = 0; b < J; b++) {
            if (a == b || a == 2 || b == 2 || a == out || b == out) {
                CHECK(counts[a][b] == 0);
            } else {
                chi += pow((double) counts[a][b] - expected, 2) / expected;
            }
        }
    }
    CHECK(gsl_cdf_chisq_Q(chi, 11.0) > 1e-3);
    prio_destroy(prio);
}

SUITE("prioritizer/uniform", {"pairs of the open variables are equally likely",
                              pairs_of_the_open_variables_are_equally_likely})

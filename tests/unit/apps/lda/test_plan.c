/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_plan.c - the smoothing of words while the start grows. */
#include "apps/lda/lda.h"

#include "tests/support/suite.h"

enum { N_STAGES = 3, N_WORDS = 1000, N_TOKENS = 1600000 };
static const double BETA = 0.01;
static const double TOLERANCE = 1e-12; /* relative */

static lda_site site_of(uint32_t n_topics)
{
    return (lda_site){.n_stages = N_STAGES,
                      .n_topics = n_topics,
                      .n_tokens = N_TOKENS,
                      .beta = BETA,
                      .words.n = N_WORDS};
}

static double beta_in(uint32_t n_topics, uint32_t stage)
{
    const lda_site site = site_of(n_topics);
    const lda_pass pass = {.stage = stage};
    return lda_plan_beta(&site, &pass);
}

static void beta_is_that_of_the_run_from_the_first_sweep_on(void)
{
    const lda_site site = site_of(10);
    const lda_pass first = {.first = true, .stage = N_STAGES - 1, .sweep = 1};
    const lda_pass evenly = {.counts = true};
    CHECK_NEAR(lda_plan_beta(&site, &first), BETA, 0.0);
    CHECK_NEAR(lda_plan_beta(&site, &evenly), BETA, 0.0);
}

/* The first documents have 100,000 tokens: with 10 topics 10 of a word in each. */
static void the_start_smooths_by_half_of_the_first_counts(void)
{
    CHECK_NEAR(beta_in(10, 0), 5.0, 5.0 * TOLERANCE);
    CHECK_NEAR(beta_in(10, 1), 5.0, 5.0 * TOLERANCE);
    CHECK_NEAR(beta_in(100, 0), 0.5, 0.5 * TOLERANCE);
}

static void the_start_does_not_smooth_less_than_the_run_will(void)
{
    const double share = 0.25; /* of the documents, in the stages before the last */
    CHECK_NEAR(beta_in(50000, 1), BETA * share, BETA * TOLERANCE);
    CHECK_NEAR(beta_in(50000, 0), 0.001, 0.001 * TOLERANCE);
}

SUITE("lda plan",
      {"beta is that of the run from the first sweep on",
       beta_is_that_of_the_run_from_the_first_sweep_on},
      {"the start smooths by half of the first counts",
       the_start_smooths_by_half_of_the_first_counts},
      {"the start does not smooth less than the run will",
       the_start_does_not_smooth_less_than_the_run_will})

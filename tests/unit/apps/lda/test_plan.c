/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_plan.c - how documents begin while the start grows, and what their
 * topics are drawn by. */
#include "apps/lda/lda.h"

#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { N_STAGES = 3, N_DOCUMENTS = 64000, N_WORDS = 1000, N_TOKENS = 1600000 };
static const double BETA = 0.01;
static const double TOLERANCE = 1e-12; /* relative */

static lda_site site_of(uint32_t n_topics)
{
    return (lda_site){.n_stages = N_STAGES,
                      .n_topics = n_topics,
                      .n_documents = N_DOCUMENTS,
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
    const double share = 0.25; /* of the documents, in the stage before the last */
    CHECK_NEAR(beta_in(50000, 1), BETA * share, BETA * TOLERANCE);
    CHECK_NEAR(beta_in(50000, 0), BETA * share * share, BETA * TOLERANCE);
}

/* 64,000 documents, 4,000 in the first stage. */
static void few_documents_a_topic_begin_together(void)
{
    strads_config *config = lda_run_configure(lda_run_documents(), "rotation", NULL, 0);
    lda_site few = site_of(1000);
    lda_site many = site_of(500);
    lda_site whole = site_of(64000);
    few.config = many.config = whole.config = config;
    whole.n_stages = 1;
    CHECK(lda_plan_is_together(&few) && !lda_plan_is_together(&many));
    CHECK(!lda_plan_is_together(&whole));
    CHECK(lda_plan_pass(&few, 0).counts && !lda_plan_pass(&few, 0).first);
    CHECK(!lda_plan_pass(&many, 0).counts && lda_plan_pass(&many, 0).first);
    CHECK(!lda_plan_pass(&few, 1).counts && lda_plan_pass(&few, 1).sweep == 0);
    /* Both starts have as many passes. */
    uint64_t n = 0;
    while (lda_plan_pass(&few, n).sweep == 0) {
        CHECK(lda_plan_pass(&many, n).sweep == 0);
        n++;
    }
    CHECK(lda_plan_pass(&many, n).sweep == 1 && lda_plan_pass(&few, n).first);
    /* They smooth less: a topic has 100 tokens of the first documents, a word .1 of these. */
    CHECK_NEAR(beta_in(1000, 0), 0.03, 0.03 * TOLERANCE);
    strads_config_destroy(config);
}

static void sweeps_that_count_draw_by_alpha_itself(void)
{
    const lda_pass first = {.first = true};
    const lda_pass later = {.first = true, .stage = 1};
    const lda_pass last = {.first = true, .stage = 2, .sweep = 1};
    const lda_pass sweep = {.stage = 2, .sweep = 2};
    const lda_pass small = {.stage = 0};
    const lda_pass more = {.stage = 1};
    CHECK(lda_plan_alpha(&first) == 1.0 && lda_plan_alpha(&small) == 1.0);
    CHECK(lda_plan_alpha(&sweep) == 1.0);
    CHECK(lda_plan_alpha(&later) < 1.0 && lda_plan_alpha(&last) == lda_plan_alpha(&later));
    CHECK(lda_plan_alpha(&more) > 1.0);
}

SUITE("lda plan", {"few documents a topic begin together", few_documents_a_topic_begin_together},
      {"sweeps that count draw by alpha itself", sweeps_that_count_draw_by_alpha_itself},
      {"beta is that of the run from the first sweep on",
       beta_is_that_of_the_run_from_the_first_sweep_on},
      {"the start smooths by half of the first counts",
       the_start_smooths_by_half_of_the_first_counts},
      {"the start does not smooth less than the run will",
       the_start_does_not_smooth_less_than_the_run_will})

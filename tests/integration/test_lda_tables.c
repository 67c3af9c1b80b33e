/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lda_tables.c - topic models by data parallelism: as good as on the grid,
 * the same files, and a table that ends with what the tokens have.
 */
#include <string.h>

#include "tests/support/lda_command.h"

enum { NAME = 500 };

static void set_up(void)
{
    lda_command_set_up("schedule: {kind: data_parallel}\nssp: {periods: 6}\n");
}

static void run(const char *out, const char *more)
{
    CHECK(lda_command_run(out, more));
}

/* ---- how good it is ---- */

static void all_ways_come_to_the_likelihood_of_the_grid(void)
{
    static const char *const ways[] = {
        "--workers 1",
        "",
        "--set ssp.staleness=0",
        "--set ssp.staleness=3 --workers 7",
        "--set ssp.staleness=inf --workers 3",
        "--processes 2",
        "--processes 2 --set ssp.staleness=0 --set ssp.eager=true",
        "--processes 2 --workers 3 --set ssp.staleness=4 --set ssp.cache_mb=0.001",
        "--processes 2 --set ssp.staleness=inf --set ssp.bandwidth_mbps=100",
        "--set run.driver=sim --workers 3 --set cluster.speed=[1,0.1,1]",
        "--set run.driver=sim --workers 4 --set ssp.staleness=3 --set ssp.eager=true",
        "--set ssp.periods=1 --workers 3",
        "--set ssp.periods=1000 --set lda.sweeps=40"};
    set_up();
    run("grid", "--set schedule.kind=rotation --set ssp.periods=32");
    const double grid = lda_command_likelihood("grid");
    CHECK_NEAR(grid, -3.289, 0.02);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i += SUITE_SANITIZED ? 3 : 1) {
        run("tables", ways[i]);
        const double other = lda_command_likelihood("tables");
        CHECK_NEAR(other, grid, 0.03);
        if (!(fabs(other - grid) <= 0.03)) {
            printf("%s: %.4f, not %.4f\n", ways[i], other, grid);
        }
    }
}

static void the_growing_start_and_many_topics_will_do(void)
{
    char more[NAME];
    set_up();
    CHECK(command_run("generate lda --documents 2100 --words 90 --topics 3 --length 9 --beta 0.1 "
                      "--seed 5 --out stages.txt") == 0);
    /* With as few topics as there are in truth some runs still have two in one after 20 sweeps. */
    for (int topics = 10; topics <= 200; topics += 190) {
        snprintf(more, sizeof(more),
                 "--set data.corpus=stages.txt --set lda.start=growing --set lda.sweeps=20 "
                 "--set lda.save_assignments=false --set lda.topics=%d",
                 topics);
        run("tables", more);
        const double tables = command_number("tables", "log_likelihood_per_token");
        snprintf(more + strlen(more), sizeof(more) - strlen(more),
                 " --set schedule.kind=rotation --set ssp.periods=32");
        run("grid", more);
        CHECK_NEAR(tables, command_number("grid", "log_likelihood_per_token"), 0.2);
    }
}

static void documents_held_out_and_a_fitted_prior_are_as_on_the_grid(void)
{
    static const char more[] = "--processes 2 --set lda.heldout_fraction=0.3 "
                               "--set lda.optimize_alpha=true --set lda.save_assignments=false";
    char grid[NAME];
    set_up();
    run("tables", more);
    snprintf(grid, sizeof(grid), "%s --set schedule.kind=rotation --set ssp.periods=32", more);
    run("grid", grid);
    CHECK_NEAR(command_number("tables", "perplexity") / command_number("grid", "perplexity"), 1.0,
               0.03);
    CHECK(command_number("tables", "heldout_tokens") == command_number("grid", "heldout_tokens"));
    CHECK_NEAR(command_number("tables", "coherence"), command_number("grid", "coherence"), 0.1);
}

/* ---- what is written ---- */

static void the_topics_are_those_that_the_corpus_was_made_of(void)
{
    static const char *const ways[] = {"--workers 3", "--processes 2",
                                       "--set run.driver=sim --workers 3"};
    set_up();
    for (size_t i = 0; i < 3; i++) {
        run("tables", ways[i]);
        CHECK(lda_command_distance("tables") < 0.06);
    }
    CHECK(command_number("tables", "ssp_bytes") > 0.0);
    CHECK(command_left("tables/document_topics.mtx") && command_left("tables/topics.txt"));
    CHECK(command_run("predict tables corpus.txt") == 0);
}

static void an_interrupted_run_leaves_its_topics(void)
{
    set_up();
    lda_command_interrupt();
}

/* ---- what goes wrong ---- */

static void keys_that_do_not_go_together_are_refused(void)
{
    static const struct {
        const char *settings, *words;
    } cases[] = {
        {"--set run.deterministic=true", "data_parallel has no schedule.pipeline, and no "
                                         "run.deterministic"},
        {"--set schedule.slow_worker_agnostic=true", "needs schedule.kind: rotation"},
        {"--set ssp.staleness=-1", "ssp.staleness: -1 is not a whole number"},
        {"--set schedule.kind=rotation", "ssp.periods: lda has no rounds of so many periods"}};
    set_up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(command_run("run lda.yaml --out bad %s", cases[i].settings) == 2);
        CHECK_HAS(command_err, cases[i].words);
    }
}

static void what_it_takes_is_told_beforehand(void)
{
    set_up();
    CHECK(command_run("check lda.yaml --workers 2") == 0);
    CHECK_HAS(command_out, "200 documents, 120 words");
}

SUITE("integration/lda_tables",
      {"all ways come to the likelihood of the grid", all_ways_come_to_the_likelihood_of_the_grid},
      {"the growing start and many topics will do", the_growing_start_and_many_topics_will_do},
      {"documents held out and a fitted prior are as on the grid",
       documents_held_out_and_a_fitted_prior_are_as_on_the_grid},
      {"the topics are those that the corpus was made of",
       the_topics_are_those_that_the_corpus_was_made_of},
      {"an interrupted run leaves its topics", an_interrupted_run_leaves_its_topics},
      {"keys that do not go together are refused", keys_that_do_not_go_together_are_refused},
      {"what it takes is told beforehand", what_it_takes_is_told_beforehand})

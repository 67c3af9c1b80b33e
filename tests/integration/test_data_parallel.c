/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_data_parallel.c - the Lasso by data parallelism: it ends at the
 * optimum with any staleness, on threads, simulated machines and real processes.
 */
#include <signal.h>
#include <string.h>

#include "tests/support/crew.h"
#include "tests/support/lasso_run.h"

static const char KIND[] = "--set schedule.kind=data_parallel --set data.partition=rows";

static void the_optimum_is_found_with_any_staleness(void)
{
    static const char *const modes[] = {"ssp.staleness=0", "ssp.staleness=1", "ssp.staleness=4"};
    static const char *const drivers[] = {"run.driver=threads", "run.driver=sim"};
    for (unsigned i = 0; i < 4; i += SUITE_SANITIZED ? 3 : 1) {
        lasso_case self = lasso_case_draw(30, 70, i % 2 == 0 ? 1.0 : 0.3, 80 + i);
        self.problem.l1_ratio = i % 2 == 0 ? 1.0 : 0.6;
        self.problem.standardize = i / 2 % 2 == 0;
        self.problem.intercept = i % 3 != 0;
        self.problem.lambda = 0.1 * lasso_oracle_lambda_max(&self.problem);
        lasso_case_write(&self, i % 2 == 1);
        lasso_answer best = lasso_case_solve(&self);
        for (size_t k = 0; k < 6; k++) {
            const lasso_asked asked = {.schedule = {"schedule.kind=data_parallel",
                                                    "data.partition=rows", modes[k % 3],
                                                    drivers[k / 3]},
                                       .gap = 1e-5,
                                       .workers = 3};
            CHECK(lasso_case_holds(&self, &best, &asked));
        }
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

static void eager_and_unbounded_tables_come_to_the_goal_too(void)
{
    static const char *const modes[] = {"--set ssp.eager=true --set ssp.staleness=4",
                                        "--set ssp.staleness=inf --set stop.rounds=2000",
                                        "--set ssp.staleness=2 --set ssp.cache_mb=0.001"};
    command_set_up();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        CHECK(command_run("run small.yaml --workers 3 --set run.driver=sim --set stop.gap=1e-3 "
                          "%s %s --out sim",
                          KIND, modes[i]) == 0);
        CHECK_HAS(command_out, "converged");
    }
}

/* There are more rows of the tables than wait for their clock together. */
static void increments_that_go_early_come_to_the_goal_too(void)
{
    static const char *const ways[] = {"--processes 3", "--set run.driver=sim"};
    command_set_up();
    CHECK(command_run("generate lasso --rows 60 --cols 1400 --entries 20 --informative 5 "
                      "--out wide") == 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CHECK(command_run("run small.yaml --set data.path=wide.libsvm --workers 4 "
                          "--set stop.gap=1e-2 --set ssp.staleness=2 "
                          "--set ssp.bandwidth_mbps=1000 %s %s --out early",
                          KIND, ways[i]) == 0);
        CHECK_HAS(command_out, "converged");
    }
}

static void processes_share_tables_over_their_links(void)
{
    static char text[COMMAND_TEXT_BYTES];
    command_set_up();
    CHECK(command_run("run small.yaml --workers 4 --processes 3 --set stop.gap=1e-4 "
                      "--set ssp.staleness=2 %s --out forked",
                      KIND) == 0);
    CHECK_HAS(command_out, "converged");
    command_read("forked/summary.json", text);
    CHECK_HAS(text, "\"ssp_fetched\": ");
    CHECK_LACKS(text, "\"ssp_fetched\": 0.0");
    CHECK_HAS(text, "\"ssp_bytes_in\": ");
    CHECK_LACKS(text, "\"ssp_bytes_in\": 0.0");
    CHECK_HAS(text, "\"ssp_reads_behind_2\": ");
    CHECK_LACKS(text, "\"ssp_reads_behind_3\": ");
}

/* The others wait for it in their tables, and hear of it. */
static void a_process_that_is_killed_ends_the_run(void)
{
    char url[COMMAND_BYTES];
    command_set_up();
    crew coordinator =
        crew_start("c",
                   "coordinator small.yaml --listen tcp://127.0.0.1:0 --processes 2 "
                   "--workers 2 --out killed --set stop.gap=0 --set stop.seconds=300 "
                   "--set net.timeout=2 --set net.heartbeat=0.2 %s",
                   KIND);
    CHECK(crew_url(&coordinator, url));
    crew worker = crew_start("w", "worker --join %s", url);
    CHECK(crew_says(&coordinator, "updates/s"));
    kill(worker.pid, SIGKILL);
    (void) crew_wait(&worker);
    CHECK(crew_wait(&coordinator) == 1);
    CHECK_HAS(crew_words(&coordinator), "is lost: ");
}

static void what_makes_no_sense_is_refused(void)
{
    static const char *const wrong[][2] = {
        {"--set schedule.kind=data_parallel", "needs samples that are split"},
        {"--set schedule.kind=data_parallel --set ssp.staleness=-1", "-1 is not a whole number"},
        {"--set schedule.kind=data_parallel --set ssp.staleness=1.5", "1.5 is not a whole number"},
        {"--set schedule.kind=data_parallel --set run.deterministic=true", "no run.deterministic"},
        {"--set schedule.kind=data_parallel --set schedule.pipeline=1", "no schedule.pipeline"},
        {"--set ssp.eager=true", "has no tables with schedule.kind"}};
    command_set_up();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(command_run("run small.yaml --workers 2 --out wrong %s", wrong[i][0]) == 2);
        CHECK_HAS(command_err, wrong[i][1]);
    }
}

/* The defaults of `ssp` stand in it. */
static void what_a_run_of_another_kind_leaves_can_be_run_again(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --quiet --out first") == 0);
    CHECK(command_run("run first/config.yaml --quiet --out second") == 0);
    CHECK_TEXT(command_err, "");
    static const char *const ways[] = {"lasso.lambda=0.5", "lasso.path.count=3",
                                       "'lasso.path.values=[0.5, 0.4]'"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CHECK(command_run("run small.yaml --quiet --out first --set lasso.lambda_ratio= --set %s",
                          ways[i]) == 0);
        CHECK(command_run("run first/config.yaml --quiet --out second") == 0);
        CHECK_TEXT(command_err, "");
    }
}

SUITE("integration/data_parallel",
      {"the optimum is found with any staleness", the_optimum_is_found_with_any_staleness},
      {"eager and unbounded tables come to the goal too",
       eager_and_unbounded_tables_come_to_the_goal_too},
      {"increments that go early come to the goal too",
       increments_that_go_early_come_to_the_goal_too},
      {"processes share tables over their links", processes_share_tables_over_their_links},
      {"a process that is killed ends the run", a_process_that_is_killed_ends_the_run},
      {"what makes no sense is refused", what_makes_no_sense_is_refused},
      {"what a run of another kind leaves can be run again",
       what_a_run_of_another_kind_leaves_can_be_run_again})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_estimate.c - what `strads check` foretells: the memory of runs on
 * many simulated machines and of processes, and what a run would refuse.
 */
#include <string.h>

#include "tests/support/command.h"

static const char config[] = "app: lasso\n"
                             "data:\n"
                             "  path: wide.libsvm\n"
                             "schedule:\n"
                             "  round: 256\n"
                             "stop:\n"
                             "  rounds: 2\n"
                             "run:\n"
                             "  driver: sim\n"
                             "  workers: 1024\n"
                             "  out: wide\n";

static void make_problem(void)
{
    command_set_up();
    if (!command_left("wide.yaml")) {
        REQUIRE(command_run("generate lasso --rows 4000 --cols 3000 --entries 10 --informative 5"
                            " --out wide") == 0);
        strads_free(suite_file("wide.yaml", config));
    }
}

/* The number behind `label`, in MB. */
static double number_behind(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    char unit = 'M';
    double number = 0.0;
    REQUIRE(at != NULL);
    REQUIRE(sscanf(at + strlen(label), "%lf%c", &number, &unit) >= 1);
    return unit == 'G' ? 1000.0 * number : unit == 'k' ? 0.001 * number : number;
}

/* Estimated over what the first process of NAME.yaml came to. */
static double estimate_to_peak_of(const char *name, const char *options)
{
    static char summary[COMMAND_TEXT_BYTES];
    REQUIRE(command_run("check %s.yaml %s", name, options) == 0);
    const bool several = strstr(command_out, "by each of") != NULL;
    const double estimated = number_behind(command_out, several ? "needed, " : "memory: about ");
    const int code = command_run("run %s.yaml --quiet %s", name, options);
    CHECK(code == 0 || code == 6);
    snprintf(summary, sizeof(summary), "%s/summary.json", name);
    command_read(summary, summary);
    return estimated / (number_behind(summary, "\"peak_rss_mb\": ") * 1.048576);
}

static double estimate_to_peak(const char *options)
{
    return estimate_to_peak_of("wide", options);
}

static void the_memory_of_a_thousand_machines_is_foretold(void)
{
    make_problem();
    for (int random = 0; random < 2 && !SUITE_SANITIZED; random++) {
        const double ratio = estimate_to_peak(random ? "--set schedule.kind=random" : "");
        CHECK(ratio > 1 / 1.3 && ratio < 1.3);
    }
}

/* How many workers share a set, and whether it is extrapolated, the data decide. */
static void that_of_working_sets_is_not_more(void)
{
    make_problem();
    CHECK(SUITE_SANITIZED || estimate_to_peak("--set schedule.round=0") > 1 / 1.3);
}

/* Little beside the data is in the shares of a problem that is large enough to tell. */
static void a_process_that_has_a_part_of_the_data_takes_less(void)
{
    static const char *const partitions[] = {"none", "columns", "rows"};
    command_set_up();
    REQUIRE(command_run("generate lasso --rows 20000 --cols 20000 --entries 150 --informative 5"
                        " --out large") == 0);
    for (size_t k = 0; k < 3 && !SUITE_SANITIZED; k++) {
        double estimated[2];
        char options[COMMAND_BYTES];
        for (int P = 1; P <= 4; P += 3) {
            snprintf(options, sizeof(options),
                     "--processes %d --workers 4 --set run.driver=threads --set"
                     " data.path=large.libsvm --set data.partition=%s",
                     P, partitions[k]);
            const double ratio = estimate_to_peak(options);
            CHECK(ratio > 1 / 1.4 && ratio < 1.4);
            REQUIRE(command_run("check wide.yaml %s", options) == 0);
            estimated[P > 1] = number_behind(command_out, P > 1 ? "needed, " : "memory: about ");
        }
        CHECK(k == 0 || estimated[1] < 0.75 * estimated[0]);
    }
}

/* Products of columns, and columns that folds weigh, are most of what comes beside dense data. */
static void that_of_dense_working_sets_is_foretold(void)
{
    static const char *const options[] = {"", "--set lasso.folds=2", "--set data.precision=float",
                                          "--set data.cache=true --set run.deterministic=true"};
    command_set_up();
    if (SUITE_SANITIZED) {
        return;
    }
    REQUIRE(command_run("generate lasso --rows 1500 --cols 4000 --informative 600 --noise 9"
                        " --format npy --out dense") == 0);
    strads_free(suite_file("dense.yaml", "app: lasso\ndata:\n  path: dense.npy\n  y: dense.y.npy\n"
                                         "lasso:\n  lambda_ratio: 0.02\nstop:\n  gap: 1e-2\n"
                                         "run:\n  workers: 1\n  out: dense\n"));
    for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
        const double ratio = estimate_to_peak_of("dense", options[k]);
        CHECK(ratio > 1 / 1.25 && ratio < 1.25);
    }
}

static const char factors[] = "app: mf\n"
                              "data:\n"
                              "  train: ratings.txt\n"
                              "mf:\n"
                              "  epochs: 1\n"
                              "schedule:\n"
                              "  kind: rotation\n"
                              "run:\n"
                              "  workers: 2\n"
                              "  out: factors\n";

/* By the ratings, and by the factors. */
static void the_memory_of_a_factorisation_is_foretold(void)
{
    static const char *const options[] = {
        "--set mf.rank=80", "--set mf.rank=400",
        "--set mf.rank=200 --set mf.method=ccd --set schedule.kind=cyclic",
        "--set mf.rank=200 --set schedule.kind=data_parallel", "--set mf.rank=400 --processes 2"};
    command_set_up();
    if (SUITE_SANITIZED) {
        return;
    }
    REQUIRE(command_run("generate ratings --rows 20000 --cols 2000 --ratings 2000000 --rank 3"
                        " --out ratings.txt") == 0);
    strads_free(suite_file("factors.yaml", factors));
    for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
        const double ratio = estimate_to_peak_of("factors", options[k]);
        CHECK(ratio > 1 / 1.4 && ratio < 1.4);
    }
}

static const char topics[] = "app: lda\n"
                             "data: {corpus: topics.txt}\n"
                             "lda: {topics: 50, sweeps: 2, start: random, evaluate_every: 100}\n"
                             "schedule: {kind: rotation}\n"
                             "run: {workers: 2, out: topics}\n";

/* By what is read, what is saved, and what is judged by. */
static void the_memory_of_topics_is_foretold(void)
{
    static const char *const options[] = {
        "",
        "--set lda.save_assignments=true",
        "--set lda.heldout_fraction=0.5",
        "--set lda.topics=600 --set lda.optimize_alpha=true --set lda.sweeps=12",
        "--set schedule.kind=data_parallel",
        "--processes 2"};
    command_set_up();
    if (SUITE_SANITIZED) {
        return;
    }
    REQUIRE(command_run("generate lda --documents 10000 --words 8000 --topics 20 --length 100 "
                        "--beta 0.1 --seed 3 --out topics.txt") == 0);
    strads_free(suite_file("topics.yaml", topics));
    for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
        /* What a prior is fitted to is foretold for much longer documents than there are. */
        const double most = strstr(options[k], "optimize_alpha") != NULL ? 1.7 : 1.4;
        const double ratio = estimate_to_peak_of("topics", options[k]);
        CHECK(ratio > 1 / 1.4 && ratio < most);
        if (!(ratio > 1 / 1.4 && ratio < most)) {
            printf("%s: %.2f\n", options[k], ratio);
        }
    }
}

static void check_refuses_what_a_run_would(void)
{
    command_set_up();
    CHECK(command_run("check small.yaml --set schedule.pipeline=1") == 2);
    CHECK_HAS(command_err, "schedule.pipeline: 1 needs a schedule.round above 0");
    CHECK(command_run("check small.yaml --set run.driver=sim --set cluster.nodes=3") == 2);
    CHECK_HAS(command_err, "cluster.nodes: 3 is not run.workers, 2");
    CHECK(command_run("check small.yaml --set run.driver=sim") == 0);
}

SUITE("estimate",
      {"the memory of a thousand machines is foretold",
       the_memory_of_a_thousand_machines_is_foretold},
      {"that of working sets is not more", that_of_working_sets_is_not_more},
      {"that of dense working sets is foretold", that_of_dense_working_sets_is_foretold},
      {"a process that has a part of the data takes less",
       a_process_that_has_a_part_of_the_data_takes_less},
      {"the memory of a factorisation is foretold", the_memory_of_a_factorisation_is_foretold},
      {"the memory of topics is foretold", the_memory_of_topics_is_foretold},
      {"check refuses what a run would", check_refuses_what_a_run_would})

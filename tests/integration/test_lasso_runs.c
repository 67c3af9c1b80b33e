/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_runs.c - what a run of the Lasso program promises beside
 * its optimum: the same bits, and files that are whole or not there.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/lasso/lasso.h"
#include "base/random.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { MAX_WORKERS = 3, MAX_SETTINGS = 8 };

/* Four workers and late working sets: the dependency checker has its say. */
static void wide_problems_reach_the_optimum_with_checked_sets(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case self = lasso_case_draw(50, 160, sparse ? 0.1 : 1.0, 61);
        self.problem.lambda = 0.1 * lasso_oracle_lambda_max(&self.problem);
        lasso_case_write(&self, sparse);
        lasso_answer best = lasso_case_solve(&self);
        CHECK(lasso_case_holds(&self, &best, &(lasso_asked){.gap = 1e-10, .workers = 4}));
        CHECK(lasso_case_holds(&self, &best,
                               &(lasso_asked){.schedule = {"schedule.round=60", "schedule.rho=0.5",
                                                           "schedule.pipeline=1"},
                                              .gap = 1e-6,
                                              .workers = 4}));
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

static void the_same_seed_and_workers_give_the_same_bits(void)
{
    static const char *const schedules[][2] = {
        {"schedule.round=0", "run.seed=1"},           {"schedule.round=9", "run.seed=2"},
        {"schedule.round=9", "schedule.pipeline=1"},  {"schedule.kind=random", "schedule.round=9"},
        {"schedule.kind=cyclic", "schedule.round=9"},
    };
    lasso_case self = lasso_case_draw(30, 40, 1.0, 62);
    self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, false);
    for (size_t i = 0; i < sizeof(schedules) / sizeof(schedules[0]); i++) {
        for (int workers = 1; workers <= MAX_WORKERS; workers++) {
            char setting[32];
            snprintf(setting, sizeof(setting), "run.workers=%d", workers);
            const char *settings[MAX_SETTINGS] = {setting, "run.deterministic=true",
                                                  schedules[i][0], schedules[i][1]};
            lasso_outcome first = lasso_case_run(&self, lasso_case_eager_app(), settings);
            lasso_outcome second = lasso_case_run(&self, lasso_case_eager_app(), settings);
            REQUIRE(first.status == STRADS_OK && second.status == STRADS_OK);
            CHECK(memcmp(first.b, second.b, self.problem.p * sizeof(double)) == 0);
            CHECK(first.intercept == second.intercept);
            CHECK(first.result.last.objective == second.result.last.objective);
            CHECK(first.result.last.updates == second.result.last.updates);
            lasso_outcome_fini(&first);
            lasso_outcome_fini(&second);
        }
    }
    lasso_case_fini(&self);
}

/* Columns that share a factor, which descent by coordinates takes many rounds for. */
static lasso_case draw_with_factor(size_t n, size_t p)
{
    strads_random random = strads_random_start(66, 0);
    double *x = calloc(n * (p + 2), sizeof(*x));
    REQUIRE(x != NULL);
    double *factor = x + n * p;
    double *y = factor + n;
    for (size_t k = 0; k < n * (p + 2); k++) {
        x[k] = 3.5 * (strads_random_uniform(&random) - 0.5); /* of variance 1, about */
    }
    for (size_t j = 0; j < p; j++) {
        for (size_t i = 0; i < n; i++) {
            x[j * n + i] += factor[i];
            y[i] += j % 20 == 0 ? x[j * n + i] * (j % 40 == 0 ? 1.0 : -0.7) : 0.0;
        }
    }
    lasso_case self = lasso_case_of(n, p, x, y);
    free(x);
    return self;
}

/* Which products of columns are for, of one worker's block or of all members' set. */
static void correlated_columns_take_few_rounds_and_updates(void)
{
    static const struct {
        const char *lambdas;
        uint64_t rounds, updates;
    } cases[] = {{"lasso.lambda_ratio=0.01", 60, 100000}, {"lasso.path.count=50", 300, 300000}};
    lasso_case self = draw_with_factor(400, 800);
    self.problem.intercept = true;
    self.problem.l1_ratio = 1.0;
    lasso_case_write(&self, false);
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const settings[] = {cases[i / 2].lambdas,
                                        i % 2 == 0 ? "run.workers=1" : "run.workers=2", NULL};
        lasso_outcome got =
            lasso_case_run(&self, i % 2 == 0 ? &lasso_app : lasso_case_eager_app(), settings);
        REQUIRE_OK(got.status);
        CHECK(got.result.verdict == STRADS_CONVERGED);
        CHECK(got.result.last.round < cases[i / 2].rounds);
        CHECK(got.result.last.updates < cases[i / 2].updates);
        lasso_outcome_fini(&got);
    }
    lasso_case_fini(&self);
}

/* The members of a set on the products of its columns, dense and sparse, on threads and on
 * simulated machines. */
static void members_solve_correlated_columns_to_the_optimum(void)
{
    for (int kind = 0; kind < 8; kind++) {
        lasso_case self = draw_with_factor(60, 80);
        self.problem.intercept = kind & 1;
        self.problem.l1_ratio = kind & 2 ? 0.5 : 1.0;
        self.problem.lambda = 0.02 * lasso_oracle_lambda_max(&self.problem);
        lasso_case_write(&self, kind & 4);
        lasso_answer best = lasso_case_solve(&self);
        for (int workers = 2; workers <= MAX_WORKERS; workers++) {
            lasso_asked ask = {.gap = 1e-8, .workers = workers};
            CHECK(lasso_case_holds(&self, &best, &ask));
            ask.schedule[0] = "run.driver=sim";
            CHECK(lasso_case_holds(&self, &best, &ask));
        }
        lasso_answer_fini(&best);
        lasso_case_fini(&self);
    }
}

/* ---- trouble with files ---- */

/* Whether the folder holds a file whose name has `part`. */
static bool holds(const char *folder, const char *part)
{
    DIR *entries = opendir(folder);
    bool found = false;
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        found = found || strstr(entry->d_name, part) != NULL;
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return found;
}

/* Runs the case in a process of its own, where no file may grow beyond `bytes`. */
static strads_status run_in_small_files(const lasso_case *self, const char *const *settings,
                                        rlim_t bytes)
{
    fflush(NULL);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        lasso_outcome got = lasso_case_run(self, lasso_case_eager_app(), settings);
        _exit((int) got.status);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return (strads_status) WEXITSTATUS(status);
}

static void a_full_disk_leaves_no_part_of_a_file(void)
{
    char folder[128];
    char setting[160];
    const char *const settings[] = {setting, "lasso.lambda_ratio=0.5", "run.workers=2", NULL};
    lasso_case self = lasso_case_draw(5, 2000, 1.0, 63);
    lasso_case_write(&self, false);
    snprintf(folder, sizeof(folder), "%s/full", suite_folder());
    snprintf(setting, sizeof(setting), "run.out=%s", folder);
    CHECK_STATUS(run_in_small_files(&self, settings, 8192), STRADS_ERR_IO);
    CHECK(holds(folder, "config.yaml"));
    CHECK(holds(folder, "summary.json")); /* which says that the run has failed */
    CHECK(!holds(folder, "coefficients") && !holds(folder, "tmp"));
    CHECK_STATUS(run_in_small_files(&self, settings, 16), STRADS_ERR_IO);
    CHECK(!holds(folder, "config.yaml") && !holds(folder, "summary.json"));
    CHECK_STATUS(run_in_small_files(&self, settings, 1 << 20), STRADS_OK);
    CHECK(holds(folder, "coefficients.csv") && holds(folder, "intercept.npy"));
    lasso_case_fini(&self);
}

static void a_folder_that_cannot_be_made_is_refused_before_the_data_are_read(void)
{
    static const char *const settings[] = {"run.out=/proc/none/run", "data.path=/none", NULL};
    lasso_case self = lasso_case_draw(5, 3, 1.0, 64);
    lasso_case_write(&self, false);
    const size_t errors = strads_log_n_errors();
    lasso_outcome got = lasso_case_run(&self, lasso_case_eager_app(), settings);
    CHECK_STATUS(got.status, STRADS_ERR_IO);
    CHECK(strads_log_n_errors() == errors + 1);
    lasso_case_fini(&self);
}

static void settings_out_of_range_are_refused(void)
{
    static const char *const bad[] = {
        "lasso.lambda=0",     "lasso.lambda=-1",      "lasso.lambda=nan",
        "lasso.lambda=inf",   "lasso.lambda_ratio=0", "lasso.l1_ratio=0",
        "lasso.l1_ratio=1.5", "lasso.intercept=5",    "data.format=parquet"};
    lasso_case self = lasso_case_draw(5, 3, 1.0, 65);
    lasso_case_write(&self, false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *const settings[] = {bad[i], NULL};
        const size_t errors = strads_log_n_errors();
        CHECK(lasso_case_config(&self, lasso_case_eager_app(), settings) == NULL);
        CHECK(strads_log_n_errors() == errors + 1);
    }
    lasso_case_fini(&self);
}

SUITE("integration/lasso_runs",
      {"members solve correlated columns to the optimum",
       members_solve_correlated_columns_to_the_optimum},
      {"wide problems reach the optimum with checked sets",
       wide_problems_reach_the_optimum_with_checked_sets},
      {"the same seed and workers give the same bits",
       the_same_seed_and_workers_give_the_same_bits},
      {"correlated columns take few rounds and updates",
       correlated_columns_take_few_rounds_and_updates},
      {"a full disk leaves no part of a file", a_full_disk_leaves_no_part_of_a_file},
      {"a folder that cannot be made is refused before the data are read",
       a_folder_that_cannot_be_made_is_refused_before_the_data_are_read},
      {"settings out of range are refused", settings_out_of_range_are_refused})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_path.c - whole paths and cross-validations: every value is
 * the oracle's optimum, the files are the same whatever the nodes are, and a run that is cut
 * short leaves what it has.
 */
#include <string.h>
#include <unistd.h>

#include "data/data.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { N = 40, P = 12, COUNT = 8, FILE_BYTES = 1 << 16, MAX_SETTINGS = 12 };

/* A file that the run left. */
typedef struct left {
    char bytes[FILE_BYTES];
    size_t n;
} left;

static left *read_left(const char *name)
{
    char path[256];
    left *self = calloc(1, sizeof(*self));
    snprintf(path, sizeof(path), "%s/out/%s", suite_folder(), name);
    FILE *file = fopen(path, "r");
    REQUIRE(self != NULL && file != NULL);
    self->n = fread(self->bytes, 1, sizeof(self->bytes), file);
    fclose(file);
    REQUIRE(self->n > 0 && self->n < sizeof(self->bytes));
    return self;
}

static void run(const lasso_case *data, const char *const *settings)
{
    lasso_outcome outcome = lasso_case_run(data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    lasso_outcome_fini(&outcome);
}

static void files_are_the_same_on_threads_and_simulated_machines(void)
{
    static const char *const names[] = {"path.npy", "path.csv", "cv.csv", "folds.npy"};
    static const char *const workers[] = {"run.workers=1", "run.workers=2", "run.workers=3"};
    static const char *const kinds[] = {"schedule.round=0", "schedule.round=4"};
    lasso_case data = lasso_case_draw(N, P, 1.0, 51);
    lasso_case_write(&data, false);
    for (int i = 0; i < 6; i++) {
        left *kept[4];
        const char *settings[] = {"lasso.path.count=8",
                                  "lasso.folds=4",
                                  "run.deterministic=true",
                                  workers[i % 3],
                                  kinds[i / 3],
                                  "run.driver=threads",
                                  NULL};
        run(&data, settings);
        for (size_t k = 0; k < 4; k++) {
            kept[k] = read_left(names[k]);
        }
        settings[5] = "run.driver=sim";
        run(&data, settings);
        for (size_t k = 0; k < 4; k++) {
            left *again = read_left(names[k]);
            CHECK(again->n == kept[k]->n && memcmp(again->bytes, kept[k]->bytes, again->n) == 0);
            free(again);
            free(kept[k]);
        }
    }
    lasso_case_fini(&data);
}

static int count_lines(const left *file)
{
    int n = 0;
    for (const char *end = file->bytes; (end = strchr(end, '\n')) != NULL; end++) {
        n++;
    }
    return n;
}

/* The number in that column of line `line` of a CSV file, line 1 behind its head. */
static double number_in(const left *file, int line, int column)
{
    const char *at = file->bytes;
    for (int i = 0; i < line; i++) {
        at = strchr(at, '\n') + 1;
    }
    for (int i = 0; i < column; i++) {
        at = strchr(at, ',') + 1;
    }
    return strtod(at, NULL);
}

static void every_value_of_a_path_is_an_optimum(void)
{
    static const char *const settings[] = {"lasso.path.count=8", "lasso.path.ratio=1e-3",
                                           "stop.gap=1e-10", "run.workers=2", NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 52);
    lasso_case_write(&data, false);
    run(&data, settings);
    left *path = read_left("path.csv");
    for (int i = 1; i <= COUNT; i++) {
        lasso_case at = data;
        at.problem.lambda = number_in(path, i, 0);
        lasso_answer best = lasso_case_solve(&at);
        CHECK_NEAR(number_in(path, i, 2), best.objective, 1e-9 * best.objective);
        CHECK_NEAR(number_in(path, i, 5), best.intercept, 1e-4 * (1.0 + fabs(best.intercept)));
        CHECK(number_in(path, i, 4) == 1.0);
        lasso_answer_fini(&best);
    }
    free(path);
    lasso_case_fini(&data);
}

static void a_path_that_is_cut_short_leaves_what_it_has(void)
{
    static const char *const settings[] = {"lasso.path.count=8", "stop.rounds=3", "run.workers=1",
                                           NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 53);
    lasso_case_write(&data, false);
    lasso_outcome outcome = lasso_case_run(&data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    CHECK(outcome.result.verdict == STRADS_STOPPED);
    left *path = read_left("path.csv");
    const int n = count_lines(path);
    CHECK(n >= 3 && n < 1 + COUNT);
    free(path);
    lasso_outcome_fini(&outcome);
    lasso_case_fini(&data);
}

/* The row of path.csv that has this intercept; 0: none. */
static int row_with(const left *path, double intercept)
{
    int row = 0;
    int line = 0;
    for (const char *at = strchr(path->bytes, '\n'); at[1] != '\0'; at = strchr(at + 1, '\n')) {
        row = number_in(path, ++line, 5) == intercept ? line : row;
    }
    return row;
}

static bool summary_says(const char *what)
{
    left *summary = read_left("summary.json");
    const bool said = strstr(summary->bytes, what) != NULL;
    free(summary);
    return said;
}

/* Wherever it ends: objective, gap and coefficients are of one value of the path. */
static void check_ended(const lasso_case *data, const char *setting, bool *converged)
{
    const char *const settings[] = {"lasso.path.count=4", "lasso.folds=3", "run.workers=2", setting,
                                    NULL};
    lasso_outcome outcome = lasso_case_run(data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    left *path = read_left("path.csv");
    const int row = row_with(path, outcome.intercept);
    size_t n = 0;
    for (size_t j = 0; j < P; j++) {
        n += outcome.b[j] != 0.0;
    }
    REQUIRE(row > 0);
    CHECK(number_in(path, row, 1) == (double) n && outcome.result.last.nonzeros == n);
    CHECK(number_in(path, row, 2) == outcome.result.last.objective);
    CHECK(fabs(number_in(path, row, 3) / outcome.result.last.gap - 1.0) < 0.01 ||
          number_in(path, row, 3) == outcome.result.last.gap);
    *converged = outcome.result.verdict == STRADS_CONVERGED;
    CHECK(*converged == summary_says("\"folds_done\": 3.0"));
    CHECK(summary_says("\"folds\": 3.0"));
    free(path);
    lasso_outcome_fini(&outcome);
}

static void a_run_that_is_ended_anywhere_tells_of_what_it_keeps(void)
{
    char setting[32];
    bool converged = false;
    lasso_case data = lasso_case_draw(N, P, 1.0, 53);
    lasso_case_write(&data, false);
    for (int rounds = 1; rounds < 100 && !converged; rounds++) {
        snprintf(setting, sizeof(setting), "stop.rounds=%d", rounds);
        check_ended(&data, setting, &converged);
    }
    CHECK(converged);
    check_ended(&data, "stop.seconds=1e-9", &converged);
    CHECK(!converged);
    lasso_case_fini(&data);
}

/* Then nothing is known but that there are no coefficients. */
static void a_run_that_is_ended_before_its_first_round_makes_nothing_up(void)
{
    static const char *const settings[] = {"lasso.lambda_ratio=0.5", "stop.seconds=1e-9",
                                           "run.workers=1", NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 53);
    double mean = 0.0;
    lasso_case_write(&data, false);
    lasso_outcome outcome = lasso_case_run(&data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    for (size_t i = 0; i < N; i++) {
        mean += data.y[i] / N;
    }
    CHECK_NEAR(outcome.intercept, mean, 1e-12 * fabs(mean));
    CHECK(summary_says("\"r2\": 0.0") && summary_says("\"gap\": null"));
    CHECK(outcome.result.verdict == STRADS_STOPPED && outcome.result.last.round == 0);
    lasso_outcome_fini(&outcome);
    lasso_case_fini(&data);
}

/* Beyond what doubles hold a value is marked, and the path goes on. */
static void a_value_that_doubles_cannot_solve_does_not_end_the_path(void)
{
    static const char *const settings[] = {"lasso.path.count=8", "stop.gap=1e-300", "run.workers=1",
                                           NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 54);
    lasso_case_write(&data, false);
    alarm(60);
    run(&data, settings);
    alarm(0);
    left *path = read_left("path.csv");
    for (int i = 2; i <= COUNT; i++) {
        CHECK(number_in(path, i, 3) < 1e-12);
    }
    free(path);
    lasso_case_fini(&data);
}

static void run_short(void *data)
{
    static const char *const settings[] = {"lasso.path.values=[3, 1]", "lasso.folds=3",
                                           "stop.gap=1e-300", "run.workers=1", NULL};
    lasso_outcome outcome = lasso_case_run(data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    CHECK(outcome.result.verdict == STRADS_STOPPED);
    lasso_outcome_fini(&outcome);
}

static void values_of_folds_that_doubles_cannot_solve_are_counted(void)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 54);
    char expected[64];
    double n_short = 0.0;
    lasso_case_write(&data, false);
    char *said = suite_stderr_of(run_short, &data);
    left *cv = read_left("cv.csv");
    left *path = read_left("path.csv");
    for (int i = 1; i <= 2; i++) {
        n_short += number_in(cv, i, 3) + (number_in(path, i, 4) == 0.0);
    }
    CHECK(number_in(cv, 1, 3) + number_in(cv, 2, 3) >= 1.0);
    snprintf(expected, sizeof(expected), "\"not_reached\": %.1f", n_short);
    CHECK(summary_says(expected));
    CHECK(strstr(said, "short of the goal, the first with fold 1 held out, lambda 3;") != NULL);
    free(cv);
    free(path);
    strads_free(said);
    lasso_case_fini(&data);
}

/* Whose mean a sparse column keeps: the intercept has to make up for it. */
static void sparse_columns_far_from_0_have_the_folds_of_dense_ones(void)
{
    static const char *const settings[] = {"lasso.path.count=8", "lasso.path.ratio=1e-2",
                                           "lasso.folds=3",      "stop.gap=1e-9",
                                           "run.workers=1",      NULL};
    left *cv[2];
    lasso_case data = lasso_case_draw(N, P, 0.2, 57);
    lasso_case_classify(&data, 2, 0.0);
    for (size_t i = 0; i < N; i++) {
        data.x[i] += 1000.0;
    }
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case_write(&data, sparse);
        run(&data, settings);
        cv[sparse] = read_left("cv.csv");
    }
    for (int i = 1; i <= COUNT; i++) {
        const double error = number_in(cv[0], i, 1);
        CHECK_NEAR(number_in(cv[1], i, 0), number_in(cv[0], i, 0), 1e-9);
        CHECK_NEAR(number_in(cv[1], i, 1), error, 1e-3 * error);
        CHECK(number_in(cv[1], i, 3) == 0.0);
    }
    free(cv[0]);
    free(cv[1]);
    lasso_case_fini(&data);
}

/* Classes that column 0 tells apart. */
static lasso_case draw_separable(void)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 56);
    for (size_t i = 0; i < N; i++) {
        data.y[i] = data.x[i] > data.x[N / 2] ? 1.0 : 0.0;
    }
    data.problem.logistic = true;
    lasso_case_write(&data, false);
    return data;
}

static void a_path_ends_where_classes_are_separable(void)
{
    static const char *const settings[] = {"lasso.path.count=30", "lasso.path.ratio=1e-8",
                                           "lasso.folds=3", "run.workers=2", NULL};
    lasso_case data = draw_separable();
    lasso_outcome outcome = lasso_case_run(&data, lasso_case_eager_app(), settings);
    REQUIRE_OK(outcome.status);
    CHECK(outcome.result.verdict == STRADS_CONVERGED);
    left *path = read_left("path.csv");
    left *cv = read_left("cv.csv");
    const int n = count_lines(path) - 1;
    REQUIRE(n > 2 && n < 30);
    CHECK(count_lines(cv) == n + 1);
    CHECK(number_in(path, n - 1, 6) < 0.999 && number_in(path, n, 6) >= 0.999);
    CHECK(number_in(path, n, 4) == 1.0);
    CHECK(summary_says("\"separable\": 1.0"));
    free(cv);
    free(path);
    lasso_outcome_fini(&outcome);
    lasso_case_fini(&data);
}

static void a_lambda_of_almost_nothing_ends_where_classes_are_separable(void)
{
    static const char *const settings[] = {"lasso.lambda_ratio=1e-14", "run.workers=1", NULL};
    lasso_case data = draw_separable();
    alarm(60);
    lasso_outcome outcome = lasso_case_run(&data, lasso_case_eager_app(), settings);
    alarm(0);
    REQUIRE_OK(outcome.status);
    CHECK(outcome.result.verdict == STRADS_STOPPED && outcome.result.last.gap > 1e-6);
    CHECK(summary_says("\"separable\": 1.0"));
    lasso_outcome_fini(&outcome);
    lasso_case_fini(&data);
}

static void a_cross_validation_is_that_of_glmnet(void)
{
    static const char *const settings[] = {"lasso.path.count=8", "lasso.folds=4", "stop.gap=1e-12",
                                           "run.workers=2", NULL};
    double off[3];
    int same = 0;
    char command[1024];
    if (system("Rscript -e 'library(glmnet)' >/dev/null 2>&1") != 0) {
        printf("glmnet is not installed: skipped\n");
        return;
    }
    lasso_case data = lasso_case_draw(N, P, 1.0, 55);
    lasso_case_write(&data, false);
    run(&data, settings);
    snprintf(command, sizeof(command),
             "Rscript tests/integration/peer_glmnet_cv.R %s %s %s/out 2>/dev/null", data.x_path,
             data.y_path, suite_folder());
    FILE *said = popen(command, "r");
    REQUIRE(said != NULL);
    CHECK(fscanf(said, "%lf %lf %lf %d", &off[0], &off[1], &off[2], &same) == 4);
    while (fgetc(said) != EOF) { /* or it may write to a pipe that is closed */
    }
    CHECK(pclose(said) == 0);
    CHECK(off[0] < 1e-5 && off[1] < 1e-5 && off[2] < 1e-5 && same == 1);
    lasso_case_fini(&data);
}

SUITE("integration/lasso_path",
      {"files are the same on threads and simulated machines",
       files_are_the_same_on_threads_and_simulated_machines},
      {"every value of a path is an optimum", every_value_of_a_path_is_an_optimum},
      {"a path that is cut short leaves what it has", a_path_that_is_cut_short_leaves_what_it_has},
      {"a run that is ended anywhere tells of what it keeps",
       a_run_that_is_ended_anywhere_tells_of_what_it_keeps},
      {"a run that is ended before its first round makes nothing up",
       a_run_that_is_ended_before_its_first_round_makes_nothing_up},
      {"a value that doubles cannot solve does not end the path",
       a_value_that_doubles_cannot_solve_does_not_end_the_path},
      {"values of folds that doubles cannot solve are counted",
       values_of_folds_that_doubles_cannot_solve_are_counted},
      {"sparse columns far from 0 have the folds of dense ones",
       sparse_columns_far_from_0_have_the_folds_of_dense_ones},
      {"a path ends where classes are separable", a_path_ends_where_classes_are_separable},
      {"a lambda of almost nothing ends where classes are separable",
       a_lambda_of_almost_nothing_ends_where_classes_are_separable},
      {"a cross-validation is that of glmnet", a_cross_validation_is_that_of_glmnet})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_precision.c - runs on floats: the same bits as on doubles where the
 * values are the same numbers, and little else where they are not.
 */
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "tests/support/command.h"
#include "tests/support/lasso_run.h"

enum { N = 60, P = 40 };

static char *file_of(const char *name)
{
    return suite_file(name, "");
}

/* An .npy file of float32. */
static void write_floats(const char *name, const double *x)
{
    char *path = file_of(name);
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    char header[119];
    snprintf(header, sizeof(header), "{'descr': '<f4', 'fortran_order': True, 'shape': (%d, %d), }",
             N, P);
    fprintf(file, "\x93NUMPY\x01%c\x76%c%-*s\n", '\0', '\0', 117, header);
    for (size_t k = 0; k < (size_t) N * P; k++) {
        const float value = (float) x[k];
        REQUIRE(fwrite(&value, sizeof(value), 1, file) == 1);
    }
    REQUIRE(fclose(file) == 0);
    strads_free(path);
}

static void write_text(const char *name, const double *x, const double *y)
{
    char *path = file_of(name);
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    for (size_t i = 0; i < N; i++) {
        fprintf(file, "%.17g", y[i]);
        for (size_t j = 0; j < P; j++) {
            if (x[j * N + i] != 0.0) {
                fprintf(file, " %zu:%.17g", j + 1, x[j * N + i]);
            }
        }
        fputc('\n', file);
    }
    REQUIRE(fclose(file) == 0);
    strads_free(path);
}

/* dense64.npy and dense32.npy hold the same numbers; sparse.libsvm numbers that are exact as
 * floats. */
static void make_files(void)
{
    command_set_up();
    if (command_left("precision.yaml")) {
        return;
    }
    lasso_case dense = lasso_case_draw(N, P, 1.0, 5);
    lasso_case sparse = lasso_case_draw(N, P, 0.3, 6);
    for (size_t k = 0; k < (size_t) N * P; k++) {
        dense.x[k] = (double) (float) dense.x[k];
        sparse.x[k] = (double) (float) sparse.x[k];
    }
    lasso_case_classify(&sparse, 7, 0.0);
    lasso_case_classify(&dense, 7, 0.0);
    char *paths[] = {file_of("dense64.npy"), file_of("y.npy")};
    REQUIRE_OK(data_npy_write(paths[0], dense.x, N, P));
    REQUIRE_OK(data_npy_write(paths[1], dense.y, N, 0));
    write_floats("dense32.npy", dense.x);
    write_text("sparse.libsvm", sparse.x, sparse.y);
    strads_free(suite_file("precision.yaml",
                           "app: lasso\nlasso:\n  lambda_ratio: 0.05\nstop:\n"
                           "  gap: 1e-9\nrun:\n  workers: 1\n  deterministic: true\n"));
    strads_free(paths[0]);
    strads_free(paths[1]);
    lasso_case_fini(&dense);
    lasso_case_fini(&sparse);
}

static const char *const dense_doubles =
    "--set data.path=dense64.npy --set data.y=y.npy --set data.precision=double";
static const char *const sparse_doubles =
    "--set data.path=sparse.libsvm --set data.precision=double";

static void run_into(const char *out, const char *data, const char *options)
{
    const int code = command_run("run precision.yaml --quiet --out %s %s %s", out, data, options);
    CHECK(code == 0);
    if (code != 0) {
        printf("%s %s: %s\n", data, options, command_err);
    }
}

/* Whether two runs left the same bits. */
static bool same_bits(const char *one, const char *other)
{
    static const char *const files[] = {"coefficients.npy", "intercept.npy"};
    bool same = true;
    for (size_t i = 0; i < 2; i++) {
        char command[512];
        snprintf(command, sizeof(command), "cd %s && cmp %s/%s %s/%s", suite_folder(), one,
                 files[i], other, files[i]);
        same = same && system(command) == 0;
    }
    return same;
}

static void check_same(const char *doubles, const char *floats, const char *options)
{
    run_into("doubles", doubles, options);
    run_into("floats", floats, options);
    CHECK(same_bits("doubles", "floats"));
}

#define PLAIN "--set lasso.intercept=false "

static void floats_that_are_exact_give_the_bits_of_doubles(void)
{
    static const char *const options[] = {
        PLAIN "--workers 1 --set run.deterministic=false",
        PLAIN "--workers 3",
        "--workers 3",
        PLAIN
        "--workers 2 --set lasso.standardize=true --set schedule.kind=random --set stop.gap=1e-6",
        PLAIN "--workers 4 --set schedule.round=16",
        PLAIN "--workers 2 --set lasso.loss=logistic",
        PLAIN "--workers 2 --set lasso.lambda_ratio=null --set lasso.path.count=4 --set "
              "lasso.folds=3"};
    make_files();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        check_same(dense_doubles, "--set data.path=dense32.npy --set data.y=y.npy", options[i]);
        check_same(sparse_doubles, "--set data.path=sparse.libsvm", options[i]);
    }
}

static void so_do_parts_of_them(void)
{
    static const char *const options[] = {
        PLAIN "--workers 3 --set data.partition=rows",
        PLAIN "--workers 3 --set data.partition=columns",
        PLAIN "--workers 3 --set data.partition=columns --set schedule.round=16",
        PLAIN "--workers 3 --processes 2 --set data.partition=rows",
        PLAIN "--workers 1 --set data.partition=rows --set schedule.kind=data_parallel --set "
              "run.deterministic=false --set stop.gap=1e-3",
        "--workers 3 --processes 3 --set data.partition=columns"};
    make_files();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        check_same(dense_doubles, "--set data.path=dense32.npy --set data.y=y.npy", options[i]);
        check_same(sparse_doubles, "--set data.path=sparse.libsvm", options[i]);
    }
}

/* Dense columns that lose their mean are doubles, unless the rounding of what is left is asked
 * for. */
static void what_is_held_is_said_by_check(void)
{
    static const char *const dense = "--set data.path=dense32.npy --set data.y=y.npy";
    make_files();
    REQUIRE(command_run("check precision.yaml %s --set lasso.intercept=false", dense) == 0);
    CHECK_HAS(command_out, "60 rows, 40 columns, 2400 entries (dense), as floats");
    REQUIRE(command_run("check precision.yaml %s", dense) == 0);
    CHECK_LACKS(command_out, "as floats");
    REQUIRE(command_run("check precision.yaml %s --set data.precision=float", dense) == 0);
    CHECK_HAS(command_out, "as floats");
    REQUIRE(command_run("check precision.yaml --set data.path=sparse.libsvm") == 0);
    CHECK_HAS(command_out, "as floats");
    CHECK(command_run("check precision.yaml %s --set data.precision=half", dense) != 0);
    CHECK_HAS(command_err, "data.precision");
}

static void a_cache_is_of_the_precision_that_it_was_made_for(void)
{
    static const char stale[] = "is of an older file, or for other options";
    make_files();
    const char *run = "run precision.yaml --set data.cache=true --set data.path=sparse.libsvm";
    REQUIRE(command_run("%s --out cached0", run) == 0);
    REQUIRE(command_run("%s --out cached1", run) == 0);
    CHECK_LACKS(command_err, "read anew");
    CHECK(same_bits("cached0", "cached1"));
    REQUIRE(command_run("%s --out cached2 --set data.precision=double", run) == 0);
    CHECK_HAS(command_err, stale);
    CHECK(same_bits("cached0", "cached2"));
    REQUIRE(command_run("%s --out cached3 --set data.precision=double --workers 2 --processes 2 "
                        "--set data.partition=rows",
                        run) == 0);
    CHECK_LACKS(command_err, "read anew");
}

static void values_beyond_floats_are_refused_with_their_line(void)
{
    make_files();
    strads_free(suite_file("beyond.libsvm", "1 1:2\n2 2:1e-39\n3 1:1e300\n"));
    CHECK(command_run("run precision.yaml --set data.path=beyond.libsvm --set "
                      "data.precision=float") == 3);
    CHECK_HAS(command_err, "beyond.libsvm:2: 1e-39: beyond the range of float");
    CHECK(command_run("run precision.yaml --processes 2 --workers 2 --set data.partition=columns "
                      "--set data.path=beyond.libsvm --set data.precision=float") == 3);
    CHECK_HAS(command_err, "1e-39: beyond the range of float");
}

/* ---- rounded ---- */

static void check_rounded(bool sparse, bool intercept, bool logistic)
{
    static const char *const settings[] = {"data.precision=float", "stop.gap=1e-9", "run.workers=2",
                                           NULL};
    lasso_case data = lasso_case_draw(200, 60, sparse ? 0.2 : 1.0, 11);
    if (logistic) {
        lasso_case_classify(&data, 12, -1.0);
    }
    data.problem.intercept = intercept;
    data.problem.lambda = 0.1 * lasso_oracle_lambda_max(&data.problem);
    lasso_case_write(&data, sparse);
    lasso_answer best = lasso_case_solve(&data);
    lasso_outcome got = lasso_case_run(&data, lasso_case_eager_app(), settings);
    REQUIRE_OK(got.status);
    /* The point that was found is as good on the data as they are. */
    const double objective = lasso_oracle_objective(&data.problem, got.b, got.intercept);
    CHECK(fabs(got.result.last.objective - best.objective) <= 1e-7 * best.objective);
    CHECK(objective - best.objective <= 1e-7 * best.objective);
    lasso_outcome_fini(&got);
    lasso_answer_fini(&best);
    lasso_case_fini(&data);
}

static void rounding_moves_the_optimum_by_next_to_nothing(void)
{
    for (int kind = 0; kind < 8; kind++) {
        check_rounded(kind & 1, kind & 2, kind & 4);
    }
}

SUITE("integration/lasso_precision",
      {"floats that are exact give the bits of doubles",
       floats_that_are_exact_give_the_bits_of_doubles},
      {"so do parts of them", so_do_parts_of_them},
      {"what is held is said by check", what_is_held_is_said_by_check},
      {"a cache is of the precision that it was made for",
       a_cache_is_of_the_precision_that_it_was_made_for},
      {"values beyond floats are refused with their line",
       values_beyond_floats_are_refused_with_their_line},
      {"rounding moves the optimum by next to nothing",
       rounding_moves_the_optimum_by_next_to_nothing})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_processes_data.c - data of every format in parts: the bits of threads with
 * as many workers, whatever the processes, and what is wrong said where it is.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/data.h"
#include "tests/support/crew.h"

static const char FIXED[] = "--workers 5 --set run.deterministic=true --set stop.gap=1e-4";
static const char *const splits[] = {"columns", "rows"};

/* ---- small.libsvm in other formats ---- */

static FILE *create(const char *name)
{
    FILE *file = fopen(command_path("", name), "w");
    REQUIRE(file != NULL);
    return file;
}

static void write_csv(const char *name, const data_regression *data)
{
    FILE *file = create(name);
    for (size_t j = 0; j < data->x.n_cols; j++) {
        fprintf(file, "c%zu,", j);
    }
    fprintf(file, "y\n");
    double *row = strads_alloc_array(data->x.n_cols, sizeof(*row));
    REQUIRE(row != NULL);
    for (size_t i = 0; i < data->x.n_rows; i++) {
        memset(row, 0, data->x.n_cols * sizeof(*row));
        for (size_t j = 0; j < data->x.n_cols; j++) {
            for (int64_t k = data->x.col_start[j]; k < data->x.col_start[j + 1]; k++) {
                row[j] = data->x.row[k] == i ? data_matrix_value(&data->x, (size_t) k) : row[j];
            }
        }
        for (size_t j = 0; j < data->x.n_cols; j++) {
            fprintf(file, "%.17g,", row[j]);
        }
        fprintf(file, "%.17g\n", data->y[i]);
    }
    strads_free(row);
    REQUIRE(fclose(file) == 0);
}

static void compress_file(const char *name)
{
    static char to[COMMAND_BYTES];
    snprintf(to, sizeof(to), "%s.gz", command_path("", name));
    FILE *from = fopen(command_path("", name), "r");
    gzFile file = gzopen(to, "w");
    REQUIRE(from != NULL && file != NULL);
    char bytes[4096];
    for (size_t n = 1; n > 0;) {
        n = fread(bytes, 1, sizeof(bytes), from);
        REQUIRE(gzwrite(file, bytes, (unsigned) n) == (int) n);
    }
    REQUIRE(gzclose(file) == Z_OK && fclose(from) == 0);
}

/* The same numbers, sparse; once. */
static void write_formats(void)
{
    data_regression data = {.y = NULL};
    command_set_up();
    if (command_left("small.csv")) {
        return;
    }
    CHECK(command_run("generate lasso --rows 60 --cols 40 --entries 12 --out small") == 0);
    REQUIRE_OK(
        data_regression_read(&data, &(data_source){.path = command_path("", "small.libsvm")}));
    REQUIRE(data.x.col_start != NULL);
    write_csv("small.csv", &data);
    REQUIRE_OK(data_matrix_market_write(command_path("", "small.mtx"), &data.x));
    FILE *y = create("small.y");
    for (size_t i = 0; i < data.x.n_rows; i++) {
        fprintf(y, "%.17g\n", data.y[i]);
    }
    REQUIRE(fclose(y) == 0);
    compress_file("small.libsvm");
    compress_file("small.csv");
    compress_file("small.mtx");
    data_regression_fini(&data);
    CHECK(command_run("generate lasso --rows 60 --cols 40 --entries 0 --format npy --out dense") ==
          0);
    compress_file("dense.npy");
}

static const char *const sources[] = {"data.path=small.libsvm",
                                      "data.path=small.libsvm.gz",
                                      "data.path=small.csv",
                                      "data.path=small.csv.gz",
                                      "data.path=small.mtx --set data.y=small.y",
                                      "data.path=small.mtx.gz --set data.y=small.y",
                                      "data.path=dense.npy --set data.y=dense.y.npy",
                                      "data.path=dense.npy.gz --set data.y=dense.y.npy"};
enum { DENSE = 6 }; /* from here on other numbers */
enum { N_SOURCES = sizeof(sources) / sizeof(sources[0]) };

static bool same_bits(const char *one, const char *other)
{
    char command[COMMAND_BYTES];
    snprintf(command, sizeof(command), "cd %s && cmp %s/coefficients.npy %s/coefficients.npy",
             suite_folder(), one, other);
    return system(command) == 0;
}

/* By threads and by processes: whether both leave the same bits, in these folders. */
static bool runs_alike(size_t source, const char *split, const char *more, const char *threads,
                       const char *forked)
{
    char run[COMMAND_BYTES / 4];
    snprintf(run, sizeof(run), "run small.yaml %s --set %s --set data.partition=%s %s", FIXED,
             sources[source], split, more);
    const bool good = command_run("%s --out %s", run, threads) == 0 &&
                      command_run("%s --processes 3 --out %s", run, forked) == 0 &&
                      same_bits(threads, forked);
    if (!good) {
        fprintf(stderr, "%s: %s\n", run, command_err);
    }
    return good;
}

/* A text is cut alike whether it is compressed or not; by columns nothing hangs on where it is. */
static void every_format_has_the_bits_of_threads(void)
{
    write_formats();
    for (size_t i = 0; i < N_SOURCES; i++) {
        const bool plain = i % 2 == 0;
        CHECK(runs_alike(i, "rows", "", "threads", plain ? "plain" : "compressed"));
        CHECK(plain || same_bits("plain", "compressed"));
        const bool first = i == 0 || i == DENSE;
        CHECK(runs_alike(i, "columns", "", "threads", first ? "first" : "other"));
        CHECK(first || same_bits("first", "other"));
    }
}

static void floats_folds_weights_and_losses_go_with_parts(void)
{
    write_formats();
    for (int k = 0; k < 2; k++) {
        CHECK(runs_alike(2, splits[k], "--set data.precision=float", "a", "b"));
        CHECK(runs_alike(4, splits[k], "--set data.precision=auto --set lasso.standardize=true",
                         "a", "b"));
        CHECK(runs_alike(5, splits[k], "--set lasso.intercept=false", "a", "b"));
    }
    FILE *labels = create("labels");
    for (int i = 0; i < 60; i++) {
        fprintf(labels, "%d\n", i % 3 == 0);
    }
    REQUIRE(fclose(labels) == 0);
    CHECK(runs_alike(5, "columns", "--set data.y=labels --set lasso.loss=logistic", "a", "b"));
    strads_free(suite_file("folds.yaml",
                           "app: lasso\ndata: {path: small.csv.gz, partition: columns}"
                           "\nlasso: {folds: 3, path: {count: 5}}\n"));
    CHECK(command_run("run folds.yaml %s --out a", FIXED) == 0);
    CHECK(command_run("run folds.yaml %s --processes 3 --out b", FIXED) == 0);
    CHECK(same_bits("a", "b"));
}

static void names_of_columns_are_those_of_the_file(void)
{
    static char text[COMMAND_TEXT_BYTES];
    write_formats();
    for (int k = 0; k < 2; k++) {
        CHECK(command_run("run small.yaml %s --processes 3 --set data.path=small.csv.gz --set"
                          " data.partition=%s --out named",
                          FIXED, splits[k]) == 0);
        command_read("named/names.txt", text);
        CHECK_HAS(text, "c0\nc1\n");
        CHECK_HAS(text, "c39\n");
        command_read("named/target.txt", text);
        CHECK_TEXT(text, "y\n");
    }
}

/* Runs with what comes out of a pipe. */
static int run_piped(const char *split, const char *more)
{
    return command_run("version && cat small.libsvm | %s run small.yaml %s --set data.partition=%s"
                       " --set data.path=/dev/stdin %s --out piped",
                       command_binary(), FIXED, split, more);
}

/* Which opens it once, however it cuts what comes: a text by bytes, what is read whole by rows. */
static void a_pipe_is_for_one_process(void)
{
    static const char *const all[] = {"columns", "rows", "none"};
    write_formats();
    for (int k = 0; k < 3; k++) {
        CHECK(command_run("run small.yaml %s --set data.partition=%s --out file", FIXED, all[k]) ==
              0);
        CHECK(run_piped(all[k], "") == 0);
        CHECK(strcmp(all[k], "rows") == 0 || same_bits("file", "piped"));
        CHECK_NEAR(command_number("piped", "objective"), command_number("file", "objective"), 1e-4);
        CHECK(run_piped(all[k], "--processes 2") == 2);
        CHECK_HAS(command_err, "data.path: /dev/stdin is no regular file, and 2 processes cannot");
        CHECK(command_run("version && cat small.libsvm | %s check small.yaml --set data.path="
                          "/dev/stdin --set run.processes=2 --set data.partition=%s",
                          command_binary(), all[k]) == 2);
        CHECK_HAS(command_err, "data.path: /dev/stdin is no regular file, and 2 processes cannot");
    }
}

/* ---- refusals ---- */

static size_t count_lines(const char *text, const char *with)
{
    size_t n = 0;
    for (const char *at = strstr(text, with); at != NULL; at = strstr(at + 1, with)) {
        n++;
    }
    return n;
}

/* The first of two mistakes, in whosever part it is. */
static void a_mistake_is_said_once_and_all_end(void)
{
    write_formats();
    for (int k = 0; k < 2; k++) {
        FILE *bad = create("bad.csv");
        fprintf(bad, "a,b,y\n");
        for (int line = 2; line <= 30; line++) {
            fprintf(bad, line == 12 ? "1,x,2\n" : line == 28 ? "z,1,2\n" : "1,2,3\n");
        }
        REQUIRE(fclose(bad) == 0);
        compress_file("bad.csv");
        CHECK(command_run("run small.yaml %s --processes 4 --set data.path=bad.csv%s --set"
                          " data.partition=%s --out bad",
                          FIXED, k == 0 ? "" : ".gz", splits[k]) == 3);
        CHECK_HAS(command_err, k == 0 ? "bad.csv:12: column 'b': 'x'" : "bad.csv.gz:12: column");
        CHECK(count_lines(command_err, "expected a finite number") == 1);
    }
}

/* On other machines they hear of it. */
static void who_has_joined_hears_what_is_wrong(void)
{
    char url[COMMAND_BYTES];
    write_formats();
    FILE *bad = create("bad.mtx");
    fprintf(bad, "%%%%MatrixMarket matrix coordinate real general\n60 9 6\n1 1 1\n2 2 2\n3 3 3\n"
                 "4 4 4\n5 5 5\n6 10 6\n");
    REQUIRE(fclose(bad) == 0);
    crew coordinator =
        crew_start("c", "coordinator small.yaml --workers 2 --processes 2 --listen"
                        " tcp://127.0.0.1:0 --set data.path=bad.mtx --set data.y=small.y"
                        " --set data.partition=rows");
    CHECK(crew_url(&coordinator, url));
    CHECK(command_run("worker --join %s", url) != 0);
    CHECK_HAS(command_err, "gives up: ");
    CHECK_HAS(command_err, "bad.mtx:8: '6 10 6': expected ROW COLUMN VALUE");
    CHECK(crew_wait(&coordinator) == 3);
    CHECK_HAS(crew_words(&coordinator), "bad.mtx:8: '6 10 6': expected ROW COLUMN VALUE");
}

SUITE("integration/processes_data",
      {"every format has the bits of threads", every_format_has_the_bits_of_threads},
      {"floats, folds, weights and losses go with parts",
       floats_folds_weights_and_losses_go_with_parts},
      {"a pipe is for one process", a_pipe_is_for_one_process},
      {"names of columns are those of the file", names_of_columns_are_those_of_the_file},
      {"a mistake is said once and all end", a_mistake_is_said_once_and_all_end},
      {"who has joined hears what is wrong", who_has_joined_hears_what_is_wrong})

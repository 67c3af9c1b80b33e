/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lasso_files.c - what runs of the Lasso leave in their folder and find
 * again: names of columns and of the target, and nothing of an earlier run.
 */
#include <string.h>

#include "tests/support/command.h"

enum { N = 24 };

/* A CSV file of these columns; price is 2 a - b + 10, and d neither here nor there. */
static void write_csv(const char *name, const char *columns)
{
    char text[4096];
    size_t at = (size_t) snprintf(text, sizeof(text), "%s", columns);
    for (int i = 0; i < N; i++) {
        const int a = i * 7 % 5;
        const int b = i * 3 % 11;
        char separator = '\n';
        for (const char *column = columns; column != NULL; column = strchr(column + 1, ',')) {
            const char what = column == columns ? column[0] : column[1];
            const int value = what == 'p' ? 2 * a - b + 10 : what == 'a' ? a : what == 'b' ? b : i;
            at += (size_t) snprintf(text + at, sizeof(text) - at, "%c%d", separator, value);
            separator = ',';
        }
    }
    snprintf(text + at, sizeof(text) - at, "\n");
    strads_free(suite_file(name, text));
}

static void make_files(void)
{
    command_set_up();
    write_csv("train.csv", "a,b,price");
    strads_free(suite_file("prices.yaml", "app: lasso\ndata:\n  path: train.csv\nlasso:\n"
                                          "  lambda_ratio: 0.0001\nrun:\n  workers: 2\n"));
}

static void check_has(const char *file, const char *text)
{
    static char held[COMMAND_TEXT_BYTES];
    command_read(file, held);
    CHECK_HAS(held, text);
}

static void the_target_is_known_by_its_name(void)
{
    make_files();
    REQUIRE(command_run("run prices.yaml --out prices") == 0);
    check_has("prices/names.txt", "a\nb\n");
    check_has("prices/target.txt", "price\n");
    write_csv("moved.csv", "price,b,a,d");
    CHECK(command_run("predict prices moved.csv") == 0);
    CHECK_HAS(command_err, "R^2 1.0000");
    write_csv("unpriced.csv", "b,a,d"); /* d is no target */
    CHECK(command_run("predict prices unpriced.csv") == 0);
    CHECK_LACKS(command_err, "R^2");
    write_csv("short.csv", "a,price");
    CHECK(command_run("predict prices short.csv") == 3);
    CHECK_HAS(command_err, "there is no column 'b', which the model has a coefficient for");
}

/* The model has none where it was trained by a target in a file of its own. */
static void a_target_of_its_own_has_no_name(void)
{
    char y[256] = "";
    make_files();
    for (int i = 0; i < N; i++) {
        const size_t at = strlen(y);
        snprintf(y + at, sizeof(y) - at, "%d\n", 2 * (i * 7 % 5) - i * 3 % 11 + 10);
    }
    strads_free(suite_file("prices.txt", y));
    write_csv("rows.csv", "a,b");
    REQUIRE(command_run("run prices.yaml --set data.path=rows.csv --set data.y=prices.txt"
                        " --out bare") == 0);
    CHECK(!command_left("bare/target.txt"));
    write_csv("unpriced.csv", "b,a,d");
    CHECK(command_run("predict bare unpriced.csv") == 0);
    CHECK_LACKS(command_err, "R^2");
    CHECK(command_run("predict bare train.csv --set data.target=price") == 0);
    CHECK_HAS(command_err, "R^2 1.0000");
}

static void data_to_test_have_the_names_of_the_file_whatever_they_are_called(void)
{
    make_files();
    strads_free(suite_file("names", "first\nsecond\n"));
    write_csv("test.csv", "d,price,b,a");
    REQUIRE(command_run("run prices.yaml --set data.test=test.csv --set data.names=names"
                        " --out called") == 0);
    check_has("called/summary.json", "\"test_r2\": 0.99");
    check_has("called/coefficients.csv", "0,first,");
    check_has("called/names.txt", "a\nb\n");
    CHECK(command_run("predict called test.csv") == 0);
    CHECK_HAS(command_err, "R^2 1.0000");
}

static void a_cache_knows_the_names_too(void)
{
    make_files();
    for (int i = 0; i < 2; i++) {
        REQUIRE(command_run("run prices.yaml --set data.cache=true --set data.test=train.csv"
                            " --out cached%d",
                            i) == 0);
        check_has(i == 0 ? "cached0/names.txt" : "cached1/names.txt", "a\nb\n");
        check_has(i == 0 ? "cached0/target.txt" : "cached1/target.txt", "price\n");
        check_has(i == 0 ? "cached0/summary.json" : "cached1/summary.json", "\"test_r2\": 0.99");
    }
    CHECK(command_left("train.csv.matrix"));
    write_csv("moved.csv", "price,b,a,d");
    CHECK(command_run("predict cached1 moved.csv") == 0);
    CHECK_HAS(command_err, "R^2 1.0000");
}

static void nothing_of_an_earlier_run_is_left(void)
{
    static const char *const old[] = {"path.csv",  "path.npy",  "path_columns.csv", "cv.csv",
                                      "folds.npy", "names.txt", "target.txt"};
    enum { N_OLD = sizeof(old) / sizeof(old[0]) };
    char name[64];
    make_files();
    REQUIRE(command_run("run prices.yaml --out again --set lasso.lambda_ratio=null"
                        " --set lasso.path.count=4 --set lasso.folds=3") == 0);
    CHECK(command_run("run prices.yaml --out again --set data.path=none.csv") != 0);
    for (size_t i = 0; i < N_OLD; i++) {
        snprintf(name, sizeof(name), "again/%s", old[i]);
        CHECK(command_left(name));
    }
    REQUIRE(command_run("run small.yaml --out again") == 0);
    for (size_t i = 0; i < N_OLD; i++) {
        snprintf(name, sizeof(name), "again/%s", old[i]);
        CHECK(!command_left(name));
    }
    CHECK(command_left("again/coefficients.npy"));
}

SUITE("integration/lasso_files",
      {"the target is known by its name", the_target_is_known_by_its_name},
      {"a target of its own has no name", a_target_of_its_own_has_no_name},
      {"data to test have the names of the file, whatever they are called",
       data_to_test_have_the_names_of_the_file_whatever_they_are_called},
      {"a cache knows the names too", a_cache_knows_the_names_too},
      {"nothing of an earlier run is left", nothing_of_an_earlier_run_is_left})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_plugin.c - a model program outside the tree: docs/examples
 * built against what `make install` leaves, run by the installed command and as a
 * program of its own, against the closed form of ridge regression.
 *
 * STRADS_BIN names the command of the tree that is installed, BUILD/bin/strads. What is
 * installed from a sanitized tree is not for programs outside it, so there every case
 * but the one about the text is skipped.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/data.h"
#include "tests/support/suite.h"

enum { COMMAND_BYTES = 8192, TEXT_BYTES = 1 << 16 };

static const double LAMBDA = 0.5;
/* Of a coefficient, relative to the largest, at the default goal of 1e-6. */
static const double TOLERANCE = 1e-5;

/* Runs a command through the shell in the folder, what it says going to log.txt; shows
 * that when the exit code is not `code`. */
static STRADS_PRINTF(2, 3) bool run(int code, const char *format, ...)
{
    char command[COMMAND_BYTES], whole[COMMAND_BYTES + 256];
    va_list list;
    va_start(list, format);
    vsnprintf(command, sizeof(command), format, list);
    va_end(list);
    snprintf(whole, sizeof(whole), "cd %s && { %s; } >log.txt 2>&1 </dev/null", suite_folder(),
             command);
    const int status = system(whole);
    const bool good = WIFEXITED(status) && WEXITSTATUS(status) == code;
    if (!good) {
        fprintf(stderr, "%s\n", command);
        snprintf(whole, sizeof(whole), "cat %s/log.txt >&2", suite_folder());
        (void) !system(whole);
    }
    return good;
}

static bool said(const char *part)
{
    char command[COMMAND_BYTES];
    snprintf(command, sizeof(command), "grep -qF '%s' %s/log.txt", part, suite_folder());
    return system(command) == 0;
}

/* Installs, builds and writes the configuration, once; false: skipped. */
static bool set_up(void)
{
    static bool ready;
    static char root[COMMAND_BYTES / 4], tree[COMMAND_BYTES / 4];
    if (SUITE_SANITIZED) {
        printf("skipped: what is installed is not for programs outside a sanitized tree\n");
        return false;
    }
    if (ready) {
        return true;
    }
    const char *named = getenv("STRADS_BIN");
    REQUIRE(named != NULL && realpath(named, tree) != NULL && realpath(".", root) != NULL);
    char *tail = strstr(tree, "/bin/strads");
    REQUIRE(tail != NULL);
    *tail = '\0';
    /* The tree is built, and perhaps with other flags than make would choose here. */
    REQUIRE(run(0, "env -u MAKEFLAGS -u MAKELEVEL make -C %s -o all install B=%s PREFIX=$PWD/usr",
                root, tree));
    REQUIRE(run(0,
                "cp %s/docs/examples/* . && export PKG_CONFIG_PATH=$PWD/usr/lib/pkgconfig && "
                "warn='-std=c11 -Wall -Wextra -Wpedantic -Werror' && "
                "flags=$(pkg-config --cflags --libs strads) && "
                "cc $warn -O2 -fvisibility=hidden -shared -fPIC ridge.c $flags -o ridge.so && "
                "cc $warn -O2 ridge_main.c ridge.c $flags -lm -Wl,-rpath,$PWD/usr/lib -o ridge",
                root));
    strads_free(suite_file("ridge.yaml", "app: ./ridge.so\n"
                                         "data:\n"
                                         "  path: ridge.libsvm\n"
                                         "ridge:\n"
                                         "  lambda: 0.5\n"));
    ready = true;
    return true;
}

/* ---- the oracle ---- */

/* Solves the p x p system a b = c in place by Gaussian elimination; a is symmetric and
 * positive definite, so that no pivoting is needed. */
static void eliminate(double *a, double *c, size_t p)
{
    for (size_t k = 0; k < p; k++) {
        for (size_t i = k + 1; i < p; i++) {
            const double factor = a[i * p + k] / a[k * p + k];
            for (size_t j = k; j < p; j++) {
                a[i * p + j] -= factor * a[k * p + j];
            }
            c[i] -= factor * c[k];
        }
    }
    for (size_t k = p; k-- > 0;) {
        for (size_t j = k + 1; j < p; j++) {
            c[k] -= a[k * p + j] * c[j];
        }
        c[k] /= a[k * p + k];
    }
}

/* (X'X + lambda I)^-1 X'y; for strads_free. */
static double *closed_form(const data_regression *data)
{
    const size_t n = data->x.n_rows;
    const size_t p = data->x.n_cols;
    double *a = strads_calloc(p * p, sizeof(double));
    double *c = strads_calloc(p, sizeof(double));
    double *column = strads_calloc(n, sizeof(double));
    REQUIRE(a != NULL && c != NULL && column != NULL);
    for (size_t j = 0; j < p; j++) {
        memset(column, 0, n * sizeof(double));
        data_matrix_add(&data->x, j, 1.0, column);
        for (size_t k = 0; k < p; k++) {
            a[j * p + k] = data_matrix_dot(&data->x, k, column) + (j == k ? LAMBDA : 0.0);
        }
        c[j] = data_matrix_dot(&data->x, j, data->y);
    }
    eliminate(a, c, p);
    strads_free(column);
    strads_free(a);
    return c;
}

static void check_against_closed_form(const char *run_name)
{
    char path[COMMAND_BYTES];
    double *found = NULL;
    size_t n = 0;
    data_regression data;
    snprintf(path, sizeof(path), "%s/ridge.libsvm", suite_folder());
    REQUIRE_OK(data_regression_read(&data, &(data_source){.path = path}));
    snprintf(path, sizeof(path), "%s/%s/values.npy", suite_folder(), run_name);
    REQUIRE_OK(data_npy_read(&found, &n, path));
    REQUIRE(n == data.x.n_cols);
    double *wanted = closed_form(&data);
    double largest = 0.0;
    double farthest = 0.0;
    for (size_t j = 0; j < n; j++) {
        largest = fmax(largest, fabs(wanted[j]));
        farthest = fmax(farthest, fabs(found[j] - wanted[j]));
    }
    CHECK(largest > 0.1);
    CHECK_NEAR(farthest / largest, 0.0, TOLERANCE);
    strads_free(wanted);
    strads_free(found);
    data_regression_fini(&data);
}

/* ---- cases ---- */

static void every_schedule_comes_to_the_closed_form(void)
{
    static const char *const data[] = {"--rows 60 --cols 40 --correlation 0.8",
                                       "--rows 60 --cols 150 --entries 12 --correlation 0.5"};
    static const char *const schedules[] = {
        "", "--set schedule.round=16", "--set schedule.round=16 --set schedule.pipeline=1",
        "--set schedule.kind=random --set schedule.round=16", "--set schedule.kind=cyclic"};
    if (!set_up()) {
        return;
    }
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        REQUIRE(run(0, "usr/bin/strads generate lasso %s --out ridge", data[i]));
        for (size_t k = 0; k < sizeof(schedules) / sizeof(schedules[0]); k++) {
            for (int workers = 1; workers <= 3; workers++) {
                REQUIRE(run(0, "usr/bin/strads run ridge.yaml --out run --workers %d %s", workers,
                            schedules[k]));
                CHECK(said("ridge converged"));
                check_against_closed_form("run");
            }
        }
    }
}

static void a_program_of_its_own_comes_to_the_closed_form(void)
{
    if (!set_up()) {
        return;
    }
    REQUIRE(run(0, "usr/bin/strads generate lasso --rows 60 --cols 40 --out ridge"));
    CHECK(run(0, "./ridge ridge.yaml"));
    CHECK(said("converged after"));
    check_against_closed_form("runs/latest");
}

static void workers_that_count_in_a_table_find_pi(void)
{
    if (!set_up()) {
        return;
    }
    REQUIRE(run(0, "export PKG_CONFIG_PATH=$PWD/usr/lib/pkgconfig && "
                   "cc -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -pthread counter.c "
                   "$(pkg-config --cflags --libs strads) -Wl,-rpath,$PWD/usr/lib -o counter"));
    CHECK(run(0, "./counter"));
    CHECK(said("2000000 darts, pi is about 3.14"));
}

/* The points are even in squares of side 1: 0.408 is the root of a sixth. */
static void workers_that_share_sums_in_a_table_find_the_clusters(void)
{
    if (!set_up()) {
        return;
    }
    REQUIRE(run(0, "export PKG_CONFIG_PATH=$PWD/usr/lib/pkgconfig && "
                   "cc -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -pthread kmeans.c "
                   "$(pkg-config --cflags --libs strads) -lm -Wl,-rpath,$PWD/usr/lib -o kmeans"));
    for (int staleness = 0; staleness < 4; staleness++) {
        CHECK(run(0, "./kmeans %d", staleness));
        CHECK(said("8000 points, 0.40"));
    }
}

static void the_options_of_a_plugin_are_checked_like_any_other(void)
{
    if (!set_up()) {
        return;
    }
    CHECK(run(2, "usr/bin/strads run ridge.yaml --set ridge.lamda=1"));
    CHECK(said("did you mean ridge.lambda?"));
    CHECK(run(2, "usr/bin/strads run ridge.yaml --set ridge.lambda=0"));
    CHECK(run(4, "usr/bin/strads run ridge.yaml --set data.path=none.libsvm"));
    CHECK(said("none.libsvm"));
}

static void the_configuration_that_is_installed_runs_as_it_stands(void)
{
    if (!set_up()) {
        return;
    }
    CHECK(run(0, "usr/bin/strads run usr/share/strads/lasso.yaml"));
    CHECK(said("lasso converged"));
}

static char *slurp(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = strads_calloc(TEXT_BYTES, 1);
    REQUIRE(file != NULL && text != NULL);
    const size_t n = fread(text, 1, TEXT_BYTES - 1, file);
    REQUIRE(n > 0 && n < TEXT_BYTES - 1);
    fclose(file);
    return text;
}

/* Of the counter, the function that uses a table. */
static void the_manual_shows_the_examples_as_they_are(void)
{
    char *manual = slurp("docs/MODELS.md");
    char *example = slurp("docs/examples/ridge.c");
    char *program = slurp("docs/examples/ridge_main.c");
    char *counter = slurp("docs/examples/counter.c");
    char *count = strstr(counter, "static strads_status count(");
    REQUIRE(count != NULL);
    char *end = strstr(count, "\n}\n");
    REQUIRE(end != NULL);
    end[3] = '\0';
    CHECK(strstr(manual, example) != NULL);
    CHECK(strstr(manual, program) != NULL);
    CHECK(strstr(manual, count) != NULL);
    strads_free(counter);
    strads_free(program);
    strads_free(example);
    strads_free(manual);
}

SUITE("integration/plugin",
      {"every schedule comes to the closed form", every_schedule_comes_to_the_closed_form},
      {"a program of its own comes to the closed form",
       a_program_of_its_own_comes_to_the_closed_form},
      {"the options of a plug-in are checked like any other",
       the_options_of_a_plugin_are_checked_like_any_other},
      {"the configuration that is installed runs as it stands",
       the_configuration_that_is_installed_runs_as_it_stands},
      {"workers that count in a table find pi", workers_that_count_in_a_table_find_pi},
      {"workers that share sums in a table find the clusters",
       workers_that_share_sums_in_a_table_find_the_clusters},
      {"the manual shows the examples as they are", the_manual_shows_the_examples_as_they_are})

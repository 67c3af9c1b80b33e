/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_mf_tables.c - matrix factorisation by data parallelism: as good as on
 * the grid, and the same files.
 */
#include <math.h>

#include "tests/support/crew.h"

enum { PATH = 4096, NAME = 500, USERS = 600, ITEMS = 200, RANK = 4 };

/* How far a RMSE may be from the grid's. */
static const double NEAR = 0.003;

static void set_up(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    CHECK(command_run("generate ratings --rows %d --cols %d --ratings 40000 --rank 3 --noise 0.5 "
                      "--seed 5 --out all.txt",
                      USERS, ITEMS) == 0);
    strads_free(suite_file("mf.yaml", "app: mf\n"
                                      "data: {train: all.txt}\n"
                                      "mf: {rank: 4, epochs: 20, lambda: 0.03, decay: 0.8}\n"));
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[PATH];
    snprintf(path, sizeof(path), "%s/%s/%s", suite_folder(), folder, name);
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL);
    return file;
}

/* The RMSE of a run with these settings. */
static double run_as(const char *kind, const char *out, const char *more)
{
    CHECK(command_run("run mf.yaml --quiet --workers 2 --set schedule.kind=%s --out %s %s", kind,
                      out, more) == 0);
    return command_number(out, "test_rmse");
}

static double run_grid(const char *out, const char *more)
{
    return run_as("rotation", out, more);
}

static double run_tables(const char *out, const char *more)
{
    return run_as("data_parallel", out, more);
}

/* ---- how good it is ---- */

static void it_is_as_good_as_on_the_grid_with_any_bound(void)
{
    static const char *const modes[] = {"--set ssp.staleness=0", "--set ssp.staleness=4",
                                        "--set ssp.staleness=4 --set ssp.eager=true"};
    static const char *const ways[] = {"", "--processes 2", "--set run.driver=sim"};
    set_up();
    const double rmse = run_grid("grid", "");
    CHECK(rmse < 0.56); /* .5 is the noise */
    for (size_t i = 0; i < 9; i += SUITE_SANITIZED ? 4 : 1) {
        char more[NAME];
        snprintf(more, sizeof(more), "%s %s", modes[i / 3], ways[i % 3]);
        CHECK_NEAR(run_tables("tables", more), rmse, NEAR);
    }
    CHECK(command_number("tables", "epochs") == 20.0 &&
          command_number("tables", "ssp_bytes") > 0.0);
}

/* A worker may be done with all of a pass before it hears of the others'. */
static void without_a_bound_it_is_not_far_from_it(void)
{
    set_up();
    CHECK(run_tables("inf", "--set ssp.staleness=inf --processes 2") < 0.8); /* 1.0 at first */
    CHECK(run_tables("inf", "--set ssp.staleness=inf --set run.driver=sim") < 0.56);
}

/* In a long period workers change the same items without knowing. */
static void any_number_of_workers_and_periods_will_do(void)
{
    static const char *const ways[] = {
        "--workers 5 --processes 3",    "--workers 7 --set run.driver=sim",
        "--set ssp.periods=1",          "--set ssp.periods=7 --set run.driver=sim",
        "--set ssp.periods=1000",       "--set ssp.periods=33 --workers 3",
        "--workers 3 --set mf.rank=17", "--set ssp.cache_mb=0.001 --processes 2"};
    set_up();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CHECK(run_tables("tables", ways[i]) < 0.7);
    }
    strads_free(suite_file("one.txt", "1 2 3\n"));
    (void) run_tables("one", "--set data.train=one.txt --workers 3");
}

static void machines_join_by_tcp(void)
{
    char url[COMMAND_BYTES];
    set_up();
    const double rmse = run_grid("grid", "");
    crew coordinator =
        crew_start("c", "coordinator mf.yaml --listen tcp://127.0.0.1:0 --processes 2 --workers 2 "
                        "--set ssp.staleness=4 --out joined --set schedule.kind=data_parallel");
    CHECK(crew_url(&coordinator, url));
    crew worker = crew_start("w", "worker --join %s", url);
    CHECK(crew_wait(&worker) == 0);
    CHECK(crew_wait(&coordinator) == 0);
    CHECK_NEAR(command_number("joined", "test_rmse"), rmse, NEAR);
}

/* ---- what is written ---- */

/* How far the numbers of two .npy files, whose headers say their own lengths, are apart. */
static double distance(const char *left, const char *right, const char *name, size_t n)
{
    const char *const folders[2] = {left, right};
    double most = 0.0;
    FILE *files[2];
    for (int i = 0; i < 2; i++) {
        unsigned char head[10];
        files[i] = open_file(folders[i], name);
        REQUIRE(fread(head, 1, sizeof(head), files[i]) == sizeof(head));
        REQUIRE(fseek(files[i], 10 + head[8] + 256 * head[9], SEEK_SET) == 0);
    }
    for (size_t k = 0; k < n; k++) {
        double values[2];
        REQUIRE(fread(&values[0], sizeof(double), 1, files[0]) == 1);
        REQUIRE(fread(&values[1], sizeof(double), 1, files[1]) == 1);
        most = fmax(most, fabs(values[0] - values[1]));
    }
    fclose(files[0]);
    fclose(files[1]);
    return most;
}

/* Bits may differ: norms are made afresh more often, and tables add in any order. */
static bool are_alike(const char *left, const char *right)
{
    return distance(left, right, "user_factors.npy", USERS * RANK) < 1e-3 &&
           distance(left, right, "item_factors.npy", ITEMS * RANK) < 1e-3 &&
           distance(left, right, "user_biases.npy", USERS) < 1e-3 &&
           distance(left, right, "item_biases.npy", ITEMS) < 1e-3;
}

static void a_lone_worker_makes_what_it_makes_on_the_grid(void)
{
    set_up();
    CHECK_NEAR(run_tables("lone", "--workers 1"), run_grid("lone_grid", "--workers 1"), 1e-4);
    CHECK(are_alike("lone", "lone_grid"));
}

static void in_step_all_drivers_make_the_same(void)
{
    static const char STEP[] = "--workers 3 --set ssp.staleness=0";
    static const char *const ways[] = {"--processes 3", "--processes 2", "--set run.driver=sim"};
    set_up();
    const double rmse = run_tables("step", STEP);
    for (size_t i = 0; i < 3; i++) {
        char more[NAME];
        snprintf(more, sizeof(more), "%s %s", STEP, ways[i]);
        CHECK_NEAR(run_tables("other", more), rmse, 1e-4);
        CHECK(are_alike("step", "other"));
    }
}

/* ---- what goes wrong ---- */

static void steps_that_diverge_are_halved(void)
{
    static const char *const ways[] = {"", "--workers 3 --processes 2",
                                       "--set run.driver=sim --set ssp.staleness=4"};
    set_up();
    for (size_t i = 0; i < 3; i++) {
        char more[NAME];
        snprintf(more, sizeof(more),
                 "--set mf.step=60 --set mf.decay=1 --set mf.lambda=0 --set mf.epochs=6 %s",
                 ways[i]);
        CHECK(run_tables("wild", more) < 1.5);
        CHECK_HAS(command_err, "1: goes on after epoch 0 with half the step");
        CHECK(command_number("wild", "halved") >= 1.0);
        CHECK(command_number("wild", "epochs") == 6.0);
    }
}

SUITE("integration/mf_tables",
      {"it is as good as on the grid with any bound", it_is_as_good_as_on_the_grid_with_any_bound},
      {"without a bound it is not far from it", without_a_bound_it_is_not_far_from_it},
      {"any number of workers and periods will do", any_number_of_workers_and_periods_will_do},
      {"machines join by tcp", machines_join_by_tcp},
      {"a lone worker makes what it makes on the grid",
       a_lone_worker_makes_what_it_makes_on_the_grid},
      {"in step all drivers make the same", in_step_all_drivers_make_the_same},
      {"steps that diverge are halved", steps_that_diverge_are_halved})

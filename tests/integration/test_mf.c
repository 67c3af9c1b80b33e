/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_mf.c - matrix factorisation as its users run it: what is written
 * predicts what the summary says, and all schedules and drivers come to the same quality.
 */
#include <math.h>
#include <string.h>

#include "data/ratings.h"
#include "tests/support/command.h"

enum { PATH = 4096, NAME = 500 };

static char folder_path[PATH];

static const char *path_of(const char *name)
{
    snprintf(folder_path, sizeof(folder_path), "%s/%s", suite_folder(), name);
    return folder_path;
}

/* Ratings to train on and others to test, of the same users and items but one each. */
static void set_up(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    CHECK(command_run("generate ratings --rows 300 --cols 200 --ratings 12000 --rank 3 --noise 0.3 "
                      "--seed 5 --out all.txt") == 0);
    data_ratings all = {.n = 0};
    data_ratings test = {.n = 0};
    const data_ratings_source source = {.path = path_of("all.txt")};
    REQUIRE_OK(data_ratings_read(&all, &source));
    REQUIRE_OK(data_ratings_split(&all, &test, 0.2, 3));
    for (int side = 0; side < DATA_N_SIDES; side++) { /* names for what is written */
        test.ids[side] = all.ids[side];
    }
    REQUIRE_OK(data_ratings_write(path_of("train.txt"), &all));
    REQUIRE_OK(data_ratings_write(path_of("test.txt"), &test));
    memset(test.ids, 0, sizeof(test.ids));
    data_ratings_fini(&test);
    data_ratings_fini(&all);
    FILE *more = fopen(path_of("test.txt"), "a");
    REQUIRE(more != NULL);
    fprintf(more, "4000000000 5 3\n5 4000000000 4\n4000000001 4000000001 2\n");
    fclose(more);
    strads_free(suite_file("mf.yaml", "app: mf\n"
                                      "data: {train: train.txt, test: test.txt}\n"
                                      "mf: {rank: 6, epochs: 15, lambda: 0.02}\n"
                                      "schedule: {kind: rotation}\n"));
}

static bool run(const char *out, const char *more)
{
    return command_run("run mf.yaml --workers 2 --out %s %s", out, more) == 0;
}

/* ---- what is written ---- */

/* The doubles of a .npy file, whose header says its own length. */
static double *numbers_of(const char *folder, const char *name, size_t n)
{
    char file[NAME];
    unsigned char head[10];
    snprintf(file, sizeof(file), "%s/%s", folder, name);
    FILE *from = fopen(path_of(file), "rb");
    double *numbers = strads_alloc_array(n, sizeof(*numbers));
    REQUIRE(from != NULL && numbers != NULL);
    REQUIRE(fread(head, 1, sizeof(head), from) == sizeof(head));
    REQUIRE(fseek(from, 10 + head[8] + 256 * head[9], SEEK_SET) == 0);
    REQUIRE(fread(numbers, sizeof(*numbers), n, from) == n);
    fclose(from);
    return numbers;
}

/* A model as it was written; index DATA_UNSEEN has no part in a prediction. */
typedef struct model {
    size_t n[2], rank;
    double *factors[2], *biases[2], *mean;
} model;

static double predict(const model *self, uint32_t row, uint32_t column)
{
    double sum = self->mean[0];
    sum += row == DATA_UNSEEN ? 0.0 : self->biases[0][row];
    sum += column == DATA_UNSEEN ? 0.0 : self->biases[1][column];
    for (size_t f = 0; f < self->rank && row != DATA_UNSEEN && column != DATA_UNSEEN; f++) {
        sum += self->factors[0][f * self->n[0] + row] * self->factors[1][f * self->n[1] + column];
    }
    return sum;
}

static void what_is_written_predicts_as_the_summary_says(void)
{
    data_ratings train = {.n = 0};
    data_ratings test = {.n = 0};
    data_ratings_source source = {.path = NULL};
    double squares = 0.0;
    double absolute = 0.0;
    set_up();
    CHECK(run("written", ""));
    source.path = path_of("train.txt");
    REQUIRE_OK(data_ratings_read(&train, &source));
    source.path = path_of("test.txt");
    REQUIRE_OK(data_ratings_read_test(&test, &train, &source));
    model self = {.n = {train.ids[0].n, train.ids[1].n},
                  .rank = 6,
                  .mean = numbers_of("written", "mean.npy", 1)};
    static const char *const names[2][2] = {{"user_factors.npy", "user_biases.npy"},
                                            {"item_factors.npy", "item_biases.npy"}};
    for (int side = 0; side < 2; side++) {
        self.factors[side] = numbers_of("written", names[side][0], 6 * self.n[side]);
        self.biases[side] = numbers_of("written", names[side][1], self.n[side]);
    }
    for (size_t i = 0; i < test.n; i++) {
        const data_rating *one = &test.entries[i];
        const double error = (double) one->value - predict(&self, one->row, one->column);
        squares += error * error;
        absolute += fabs(error);
    }
    CHECK(test.n_unseen == 3 && command_number("written", "unseen_test_ratings") == 3.0);
    CHECK_NEAR(sqrt(squares / (double) test.n), command_number("written", "test_rmse"), 1e-5);
    CHECK_NEAR(absolute / (double) test.n, command_number("written", "test_mae"), 1e-5);
    CHECK(command_number("written", "test_rmse") < 0.6); /* .3 is the noise, .85 the mean's */
    CHECK(command_number("written", "best_epoch") >= 5.0);
    for (int side = 0; side < 2; side++) {
        strads_free(self.factors[side]);
        strads_free(self.biases[side]);
    }
    strads_free(self.mean);
    data_ratings_fini(&test);
    data_ratings_fini(&train);
}

static void the_ids_are_those_of_the_file(void)
{
    static char text[COMMAND_TEXT_BYTES];
    data_ratings train = {.n = 0};
    set_up();
    CHECK(run("ids", "--set mf.epochs=1"));
    const data_ratings_source source = {.path = path_of("train.txt")};
    REQUIRE_OK(data_ratings_read(&train, &source));
    command_read("ids/items.txt", text);
    char *line = strtok(text, "\n");
    for (uint32_t i = 0; i < train.ids[DATA_ITEMS].n; i++) {
        char digits[DATA_ID_BYTES];
        REQUIRE(line != NULL);
        CHECK_TEXT(line, data_ids_name(&train.ids[DATA_ITEMS], i, digits));
        line = strtok(NULL, "\n");
    }
    CHECK(line == NULL);
    data_ratings_fini(&train);
}

/* ---- schedules and drivers ---- */

static bool same_file(const char *left, const char *right, const char *name)
{
    return command_run("version >/dev/null; cmp -s %s/%s %s/%s", left, name, right, name) == 0;
}

static void the_same_bits_come_of_threads_processes_and_simulated_machines(void)
{
    static const char *const ways[] = {"", "--processes 2", "--set run.driver=sim"};
    static const char *const outs[] = {"bits0", "bits1", "bits2"};
    static const char *const files[] = {"user_factors.npy", "item_factors.npy", "user_biases.npy",
                                        "item_biases.npy"};
    set_up();
    for (size_t i = 0; i < 3; i++) {
        char more[NAME];
        snprintf(more, sizeof(more), "--set run.deterministic=true %s", ways[i]);
        CHECK(run(outs[i], more));
        for (size_t k = 0; k < 4; k++) {
            CHECK(same_file(outs[0], outs[i], files[k]));
        }
    }
}

static void all_schedules_come_to_about_the_same_quality(void)
{
    static const char *const alike[] = {"--workers 1", "--workers 5",
                                        "--set schedule.kind=free --set run.driver=sim"};
    /* Who works on what goes by time: a worker that gets none has rows that are not trained. */
    static const char *const by_time[] = {"--set schedule.kind=free",
                                          "--set schedule.kind=free --processes 2",
                                          "--set schedule.slow_worker_agnostic=true"};
    set_up();
    CHECK(run("rotation", ""));
    const double rmse = command_number("rotation", "test_rmse");
    for (size_t i = 0; i < 3; i++) {
        CHECK(run("other", alike[i]));
        CHECK_NEAR(command_number("other", "test_rmse"), rmse, 0.05);
        CHECK(run("other", by_time[i]));
        CHECK(command_number("other", "test_rmse") < 0.84); /* .85 is the mean's */
    }
}

static void factors_alone_are_worse(void)
{
    set_up();
    CHECK(run("with", ""));
    CHECK(run("plain", "--set mf.biases=false"));
    CHECK(run("mild", "--set mf.weighted=false"));
    CHECK(command_number("with", "test_rmse") < command_number("plain", "test_rmse"));
    CHECK(isfinite(command_number("mild", "test_rmse")));
    double *biases = numbers_of("plain", "user_biases.npy", 100);
    for (size_t i = 0; i < 100; i++) {
        CHECK(biases[i] == 0.0);
    }
    strads_free(biases);
}

/* ---- what goes wrong ---- */

static void steps_that_diverge_are_halved(void)
{
    set_up();
    CHECK(run("wild", "--set mf.step=60 --set mf.decay=1 --set mf.lambda=0"));
    CHECK_HAS(command_err, "1: goes on after epoch 0 with half the step");
    CHECK(command_number("wild", "halved") >= 1.0);
    CHECK(command_number("wild", "test_rmse") < 1.5);
    CHECK(command_number("wild", "epochs") == 15.0);
}

/* Of several columns, on whatever side a worker meets them first. */
static void any_column_is_put_back(void)
{
    static const char *const ways[] = {
        "--set schedule.kind=free",
        "--set schedule.kind=free --processes 2",
        "--set schedule.kind=free --set run.driver=sim",
        "--set mf.rank=1500 --workers 1",
        "--set mf.rank=1500 --set schedule.slow_worker_agnostic=true",
        "--set schedule.kind=data_parallel"};
    set_up();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char more[NAME];
        snprintf(more, sizeof(more), "--set mf.step=9 --set mf.epochs=4 %s", ways[i]);
        CHECK(run("wild", more));
        CHECK(command_number("wild", "halved") >= 1.0 && command_number("wild", "halved") < 12.0);
        CHECK(command_number("wild", "test_rmse") < 1.2);
    }
}

/* Of 60 users with a rating each about half have none to train on. */
static void who_has_no_rating_left_is_of_no_effect(void)
{
    char text[60 * 24];
    size_t n = 0;
    set_up();
    for (uint32_t i = 0; i < 60; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %u\n", i, i % 3, 1 + i % 5);
    }
    strads_free(suite_file("single.txt", text));
    strads_free(suite_file("single.yaml", "app: mf\ndata: {train: single.txt, test_fraction: .5}\n"
                                          "mf: {rank: 6}\nschedule: {kind: rotation}\n"));
    CHECK(command_run("run single.yaml --workers 2 --out single") == 0);
    CHECK(command_number("single", "unseen_test_ratings") ==
          command_number("single", "test_ratings"));
    double *factors = numbers_of("single", "user_factors.npy", 60 * 6);
    size_t n_none = 0;
    for (size_t i = 0; i < 60; i++) {
        n_none += factors[i] == 0.0;
    }
    CHECK((double) n_none == command_number("single", "test_ratings") && n_none > 0);
    strads_free(factors);
}

static void no_goal_is_taken_that_would_not_count(void)
{
    set_up();
    CHECK(command_run("run mf.yaml --set stop.gap=0.5") == 2);
    CHECK_HAS(command_err, "stop.gap: 0.5: mf says by itself when it is done");
    CHECK(command_run("run mf.yaml --quiet --out gap --set stop.gap=0 --set mf.epochs=1") == 0);
    CHECK(command_number("gap", "updates") == command_number("gap", "train_ratings"));
}

static void mistakes_are_refused_with_their_place(void)
{
    set_up();
    strads_free(suite_file("bad.txt", "1 2 3\n2 3 nan\n"));
    CHECK(command_run("run mf.yaml --set data.train=bad.txt") != 0);
    CHECK_HAS(command_err, "bad.txt:2");
    CHECK(command_run("run mf.yaml --set mf.rank=0") != 0);
    CHECK_HAS(command_err, "mf.rank");
    CHECK(command_run("run mf.yaml --set schedule.kind=random") != 0);
    CHECK_HAS(command_err, "schedule.kind: random is not for mf, which works on a grid: rotation "
                           "or free");
    CHECK(command_run("run mf.yaml --set data.train=") != 0);
    CHECK_HAS(command_err, "data.train");
    strads_free(suite_file("timeless.yaml", "app: mf\ndata: {train: train.txt, split: latest}\n"
                                            "schedule: {kind: rotation}\n"));
    CHECK(command_run("run timeless.yaml") != 0);
    CHECK_HAS(command_err, "train.txt");
    strads_free(suite_file("one.txt", "1 2 3\n"));
    CHECK(command_run("run mf.yaml --set data.train=one.txt --workers 3") == 0);
}

SUITE("integration/mf",
      {"what is written predicts as the summary says",
       what_is_written_predicts_as_the_summary_says},
      {"the ids are those of the file", the_ids_are_those_of_the_file},
      {"the same bits come of threads, processes and simulated machines",
       the_same_bits_come_of_threads_processes_and_simulated_machines},
      {"all schedules come to about the same quality",
       all_schedules_come_to_about_the_same_quality},
      {"factors alone are worse", factors_alone_are_worse},
      {"steps that diverge are halved", steps_that_diverge_are_halved},
      {"any column is put back", any_column_is_put_back},
      {"who has no rating left is of no effect", who_has_no_rating_left_is_of_no_effect},
      {"no goal is taken that would not count", no_goal_is_taken_that_would_not_count},
      {"mistakes are refused with their place", mistakes_are_refused_with_their_place})

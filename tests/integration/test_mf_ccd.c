/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_mf_ccd.c - matrix factorisation by CCD++: what it writes has the
 * objective that it says, which never rises, and is the same whoever works on it.
 */
#include <jansson.h>
#include <math.h>

#include "apps/mf/saved.h"
#include "tests/support/command.h"

enum { PATH = 4096, NAME = 500, EPOCHS = 5 };

static const double LAMBDA = 0.04;

static void set_up(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    CHECK(command_run("generate ratings --rows 300 --cols 200 --ratings 12000 --rank 3 --noise 0.3 "
                      "--seed 5 --out all.txt") == 0);
    strads_free(suite_file("mf.yaml", "app: mf\n"
                                      "data: {train: all.txt}\n"
                                      "mf: {rank: 6, epochs: 15, lambda: 0.04, method: ccd}\n"
                                      "schedule: {kind: cyclic}\n"));
}

static const char *path_of(const char *folder, const char *name)
{
    static char path[PATH];
    snprintf(path, sizeof(path), "%s/%s/%s", suite_folder(), folder, name);
    return path;
}

static void run(const char *out, const char *more)
{
    CHECK(command_run("run mf.yaml --workers 2 --out %s %s", out, more) == 0);
}

/* ---- the objective ---- */

typedef struct counts {
    double users[300], items[200];
} counts;

/* Half the sum of penalties, of which biases have 1 / unit: they are as ratings, factors as their
 * roots. */
static double penalty_of(const mf_saved *model, const counts *n, bool weighted, double unit)
{
    const double *const counts_of[] = {n->users, n->items};
    double sum = 0.0;
    for (int side = 0; side < DATA_N_SIDES; side++) {
        const data_matrix *factors = &model->factors[side];
        for (size_t i = 0; i < factors->n_rows; i++) {
            const double bias = model->biases[side][i];
            double squares = bias * bias / unit;
            for (size_t f = 0; f < factors->n_cols; f++) {
                const double x = factors->value[f * factors->n_rows + i];
                squares += x * x;
            }
            sum += LAMBDA * (weighted ? counts_of[side][i] : 1.0) * squares;
        }
    }
    return 0.5 * sum;
}

/* That of the model in a folder, from its files and all ratings. */
static double objective_of(const char *folder, bool weighted)
{
    data_ratings all = {.n = 0};
    mf_saved model = {.mean = 0.0};
    counts n = {.users = {0}};
    const data_ratings_source source = {.path = path_of(".", "all.txt")};
    double sum = 0.0;
    double squares = 0.0;
    double errors = 0.0;
    REQUIRE_OK(data_ratings_read(&all, &source));
    REQUIRE_OK(mf_saved_read(&model, path_of(folder, ".")));
    for (size_t k = 0; k < all.n; k++) {
        const data_rating *one = &all.entries[k];
        const double r = (double) one->value;
        const double error = r - mf_saved_predict(&model, one->row, one->column);
        sum += r;
        squares += r * r;
        errors += error * error;
        n.users[one->row]++;
        n.items[one->column]++;
    }
    const double mean = sum / (double) all.n;
    const double unit = sqrt(squares / (double) all.n - mean * mean);
    const double objective = 0.5 * errors + penalty_of(&model, &n, weighted, unit);
    mf_saved_fini(&model);
    data_ratings_fini(&all);
    return objective;
}

/* The gap in the last line of a journal. */
static double last_gap(const char *folder)
{
    char text[PATH];
    double gap = NAN;
    FILE *journal = fopen(path_of(folder, "journal.jsonl"), "r");
    REQUIRE(journal != NULL);
    while (fgets(text, sizeof(text), journal) != NULL) {
        json_t *line = json_loads(text, 0, NULL);
        gap = json_number_value(json_object_get(line, "gap"));
        json_decref(line);
    }
    fclose(journal);
    return gap;
}

static void each_pass_lowers_the_objective_by_the_gap_it_says(void)
{
    static const char *const kinds[] = {"", "--set mf.weighted=false", "--set mf.biases=false"};
    set_up();
    for (size_t i = 0; i < 3; i++) {
        double before = INFINITY;
        for (int epochs = 1; epochs <= EPOCHS; epochs++) {
            char more[NAME];
            snprintf(more, sizeof(more), "--set mf.epochs=%d --set data.test_fraction=0 %s", epochs,
                     kinds[i]);
            run("pass", more);
            const double now = objective_of("pass", i != 1);
            CHECK(now < before);
            if (epochs > 1) {
                CHECK_NEAR(last_gap("pass"), 1.0 - now / before, 1e-5);
            }
            before = now;
        }
    }
}

static void it_ends_when_a_pass_gains_little(void)
{
    set_up();
    run("long", "--set mf.epochs=1000 --set stop.gap=1e-4");
    CHECK(last_gap("long") <= 1e-4 && last_gap("long") >= 0.0);
    CHECK(command_number("long", "epochs") < 300.0);
    CHECK(command_number("long", "epochs") == command_number("long", "rounds"));
}

/* ---- who works on it ---- */

static bool same_file(const char *left, const char *right, const char *name)
{
    return command_run("version >/dev/null; cmp -s %s/%s %s/%s", left, name, right, name) == 0;
}

static void the_same_bits_come_of_any_workers_on_any_driver(void)
{
    static const char *const ways[] = {"--workers 1",
                                       "--workers 5",
                                       "--processes 2",
                                       "--workers 5 --processes 3",
                                       "--set run.driver=sim --workers 8",
                                       "--set run.deterministic=true"};
    static const char *const files[] = {"user_factors.npy", "item_factors.npy", "user_biases.npy",
                                        "item_biases.npy",  "users.txt",        "items.txt"};
    set_up();
    run("two", "");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run("other", ways[i]);
        for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
            CHECK(same_file("two", "other", files[k]));
        }
    }
}

static void a_round_is_a_pass_over_more_factors_than_a_round_of_others_has(void)
{
    set_up();
    run("wide", "--workers 1 --set mf.rank=200 --set mf.epochs=3");
    CHECK(command_number("wide", "rounds") == 3.0 && command_number("wide", "updates") == 600.0);
}

/* ---- how good it is ---- */

static void it_is_as_good_as_steps(void)
{
    set_up();
    run("ccd", "--set mf.epochs=30");
    run("sgd", "--set mf.epochs=30 --set mf.method=sgd --set schedule.kind=rotation");
    CHECK(command_number("ccd", "test_rmse") < command_number("sgd", "test_rmse") + 0.01);
    CHECK(command_number("ccd", "test_rmse") < 0.5); /* .3 is the noise, .85 the mean's */
}

/* Most ratings are held out, so that some users and items have none to train on. */
static void users_and_items_without_ratings_are_not_in_the_way(void)
{
    mf_saved model = {.mean = 0.0};
    size_t n_zero = 0;
    set_up();
    run("few", "--set data.test_fraction=0.9 --set mf.lambda=0");
    CHECK(isfinite(command_number("few", "test_rmse")));
    REQUIRE_OK(mf_saved_read(&model, path_of("few", ".")));
    for (size_t i = 0; i < model.factors[DATA_USERS].n_rows; i++) {
        n_zero += model.factors[DATA_USERS].value[i] == 0.0 && model.biases[DATA_USERS][i] == 0.0;
    }
    CHECK(n_zero > 0 && n_zero < model.factors[DATA_USERS].n_rows / 2);
    mf_saved_fini(&model);
    strads_free(suite_file("one.txt", "1 2 3\n"));
    run("one", "--set data.train=one.txt --workers 3");
    run("one", "--set data.train=one.txt --workers 4 --processes 3");
}

/* ---- what goes wrong ---- */

static void a_schedule_of_the_other_method_is_refused_with_its_place(void)
{
    static const char *const others[] = {"rotation", "free", "data_parallel"};
    set_up();
    for (size_t i = 0; i < 3; i++) {
        CHECK(command_run("run mf.yaml --set schedule.kind=%s", others[i]) != 0);
        CHECK_HAS(command_err, "mf.method: ccd needs cyclic");
        CHECK_HAS(command_err, others[i]);
    }
    CHECK(command_run("run mf.yaml --set mf.method=sgd") != 0);
    CHECK_HAS(command_err, "mf.yaml:4:");
    CHECK_HAS(command_err, "schedule.kind: cyclic: mf.method: sgd needs rotation, free or "
                           "data_parallel");
    CHECK(command_run("run mf.yaml --set schedule.kind=random") != 0);
    CHECK_HAS(command_err, "schedule.kind: random is not for mf");
}

SUITE("integration/mf_ccd",
      {"each pass lowers the objective by the gap it says",
       each_pass_lowers_the_objective_by_the_gap_it_says},
      {"it ends when a pass gains little", it_ends_when_a_pass_gains_little},
      {"the same bits come of any workers on any driver",
       the_same_bits_come_of_any_workers_on_any_driver},
      {"a round is a pass over more factors than a round of others has",
       a_round_is_a_pass_over_more_factors_than_a_round_of_others_has},
      {"it is as good as steps", it_is_as_good_as_steps},
      {"users and items without ratings are not in the way",
       users_and_items_without_ratings_are_not_in_the_way},
      {"a schedule of the other method is refused with its place",
       a_schedule_of_the_other_method_is_refused_with_its_place})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_mf_predict.c - a model of ratings is asked as its users ask it. */
#include <jansson.h>
#include <string.h>

#include "tests/support/command.h"

enum { N_USERS = 300, N_ITEMS = 200 };

static bool rated[N_USERS][N_ITEMS];

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

/* A model of ratings, all of which are noted in `rated`, the held-out part too. */
static void set_up(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    CHECK(command_run("generate ratings --rows 300 --cols 200 --ratings 9000 --rank 3 --noise 0.3 "
                      "--seed 5 --out ratings.txt") == 0);
    strads_free(suite_file("mf.yaml", "app: mf\n"
                                      "data: {train: ratings.txt, cache: true}\n"
                                      "mf: {rank: 6}\n"
                                      "schedule: {kind: rotation}\n"));
    CHECK(command_run("run mf.yaml --workers 2 --out model") == 0);
    CHECK_HAS(command_out, "strads predict model DATA");
    FILE *from = fopen(path_of("ratings.txt"), "r");
    REQUIRE(from != NULL);
    unsigned user = 0;
    unsigned item = 0;
    while (fscanf(from, "%u %u %*f", &user, &item) == 2) {
        REQUIRE(user < N_USERS && item < N_ITEMS);
        rated[user][item] = true;
    }
    fclose(from);
}

static void predictions_of_the_test_part_are_as_good_as_the_run_said(void)
{
    double rmse = 0.0;
    set_up();
    CHECK(command_run("generate ratings --rows 300 --cols 200 --ratings 4000 --rank 3 --noise 0.3 "
                      "--seed 6 --out test.txt") == 0);
    CHECK(command_run("run mf.yaml --out tested --set data.test=test.txt") == 0);
    json_t *summary = json_load_file(path_of("tested/summary.json"), 0, NULL);
    const double expected = json_number_value(json_object_get(summary, "test_rmse"));
    json_decref(summary);
    CHECK(command_run("predict tested test.txt --out predicted.txt") == 0);
    CHECK_HAS(command_err, "4000 pairs, ");
    REQUIRE(strstr(command_err, "RMSE ") != NULL);
    REQUIRE(sscanf(strstr(command_err, "RMSE "), "RMSE %lf", &rmse) == 1);
    CHECK_NEAR(rmse, expected, 1e-4);
    CHECK_TEXT(command_out, "");
    CHECK(command_left("predicted.txt"));
}

static void what_was_rated_is_not_recommended(void)
{
    char users[16 * N_USERS] = "";
    int n_lines = 0;
    set_up();
    for (int u = 0; u < N_USERS; u++) {
        sprintf(users + strlen(users), "%d\n", u);
    }
    strads_free(suite_file("users.txt", users));
    CHECK(command_run("predict model users.txt --top 5") == 0);
    double before = 0.0;
    for (const char *line = strtok(command_out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned user = 0;
        unsigned item = 0;
        double score = 0.0;
        REQUIRE(sscanf(line, "%u\t%u\t%lf", &user, &item, &score) == 3);
        CHECK(user == (unsigned) n_lines / 5 && item < N_ITEMS && !rated[user][item]);
        CHECK(n_lines % 5 == 0 || score <= before);
        before = score;
        n_lines++;
    }
    CHECK(n_lines == 5 * N_USERS);
}

static void similar_items_are_found(void)
{
    set_up();
    strads_free(suite_file("items.txt", "7\n11\n"));
    CHECK(command_run("predict model items.txt --nearest 3") == 0);
    CHECK(strncmp(command_out, "7\t", 2) == 0);
    CHECK_HAS(command_out, "\n11\t");
    CHECK_LACKS(command_out, "\n7\t7\t");
}

static void mistakes_are_refused(void)
{
    set_up();
    strads_free(suite_file("users.txt", "5\n5000\n"));
    CHECK(command_run("predict model users.txt --top 5") == 3);
    CHECK_HAS(command_err, "users.txt:2: '5000': there is no such user");
    CHECK(command_run("predict model users.txt --top 0") == 2);
    CHECK_HAS(command_err, "predict.top");
    CHECK(command_run("predict model users.txt --top 5 --nearest 5") == 2);
    strads_free(suite_file("users.txt", "5\n"));
    CHECK(command_run("predict model users.txt --top 5 --set data.train=gone.txt") == 4);
    CHECK_HAS(command_err, "gone.txt");
    CHECK_TEXT(command_out, "");
}

SUITE("integration/mf_predict",
      {"predictions of the test part are as good as the run said",
       predictions_of_the_test_part_are_as_good_as_the_run_said},
      {"what was rated is not recommended", what_was_rated_is_not_recommended},
      {"similar items are found", similar_items_are_found},
      {"mistakes are refused", mistakes_are_refused})

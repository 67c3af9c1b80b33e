/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/mf/test_predict.c - a saved model that is asked, against slow answers.
 *
 * Factors are small whole numbers, so that scores are exact and many are the same.
 */
#include <string.h>

#include "apps/mf/mf.h"
#include "apps/mf/saved.h"
#include "base/mem.h"
#include "tests/support/suite.h"

enum { N_USERS = 30, N_ITEMS = 41, RANK = 5, TEXT = 1 << 20 };

static const size_t n_of[] = {N_USERS, N_ITEMS};
static double factors[2][RANK * N_ITEMS], biases[2][N_ITEMS];
static bool rated[N_USERS][N_ITEMS];
static const double mean = 3.5;

/* ---- the model ---- */

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

static void write_array(const char *name, const double *values, size_t n_rows, size_t n_cols)
{
    REQUIRE_OK(data_npy_write(path_of(name), values, n_rows, n_cols));
}

static void write_ids(const char *name, const char *form, size_t n)
{
    char text[4096] = "";
    for (size_t i = 0, at = 0; i < n; i++) {
        at += (size_t) snprintf(text + at, sizeof(text) - at, form, i);
    }
    strads_free(suite_file(name, text));
}

static void write_ratings(void)
{
    FILE *to = fopen(path_of("train.txt"), "w");
    REQUIRE(to != NULL);
    for (size_t u = 0; u < N_USERS; u++) {
        for (size_t i = 0; i < N_ITEMS; i++) {
            rated[u][i] = (u * 7 + i * 5) % 3 == 0 || u == 4;
            if (rated[u][i]) {
                fprintf(to, "u%zu %zu 3\n", u, i);
            }
        }
    }
    fclose(to);
}

/* Users are u0, u1, ..., items 0, 1, ...; user 4 has rated all. */
static void write_model(void)
{
    unsigned drawn = 1;
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < RANK * n_of[side]; k++) {
            drawn = drawn * 1103515245 + 12345;
            factors[side][k] = (double) (drawn >> 16) / 13107.0;
            factors[side][k] = floor(factors[side][k]) - 2.0;
        }
        for (size_t k = 0; k < n_of[side]; k++) {
            biases[side][k] = (double) (k % 4) / 4.0;
        }
    }
    for (size_t f = 0; f < RANK; f++) {
        factors[1][f * N_ITEMS + 8] = 0.0; /* an item without a direction */
    }
    write_array("mean.npy", &mean, 1, 0);
    write_array("user_factors.npy", factors[0], N_USERS, RANK);
    write_array("item_factors.npy", factors[1], N_ITEMS, RANK);
    write_array("user_biases.npy", biases[0], N_USERS, 0);
    write_array("item_biases.npy", biases[1], N_ITEMS, 0);
    write_ids("users.txt", "u%zu\n", N_USERS);
    write_ids("items.txt", "%zu\n", N_ITEMS);
    write_ratings();
}

/* ---- asking ---- */

typedef struct question {
    const char *settings[3]; /* key=value; NULL: no more */
    const char *path;
    FILE *to; /* NULL: `text` */
    size_t fail_after;
    char *text;
    strads_status status;
} question;

static strads_config *make_config(const question *q)
{
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, mf_app.options, mf_app.n_options));
    for (size_t i = 0; i < 3 && q->settings[i] != NULL; i++) {
        REQUIRE_OK(strads_config_set(config, q->settings[i]));
    }
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

static void ask(void *context)
{
    static char text[TEXT];
    question *q = context;
    strads_config *config = make_config(q);
    FILE *to = q->to != NULL ? q->to : tmpfile();
    REQUIRE(to != NULL);
    strads_mem_fail_after(q->fail_after);
    q->status = mf_predict(config, suite_folder(), q->path, to);
    strads_mem_fail_after(0);
    if (q->to == NULL) {
        rewind(to);
        text[fread(text, 1, TEXT - 1, to)] = '\0';
        fclose(to);
    }
    q->text = text;
    strads_config_destroy(config);
}

/* What is written for a file of this text; what is said must have `part`. */
static const char *answer(const char *text, const char *setting, const char *part)
{
    char train[300];
    char *path = suite_file("asked.txt", text);
    snprintf(train, sizeof(train), "data.train=%s", path_of("train.txt"));
    question q = {.settings = {train, setting}, .path = path};
    char *said = suite_stderr_of(ask, &q);
    CHECK_STATUS(q.status, STRADS_OK);
    CHECK(strstr(said, part) != NULL);
    strads_free(said);
    strads_free(path);
    return q.text;
}

/* ---- slow answers ---- */

static double product(int side, size_t a, size_t b)
{
    double sum = 0.0;
    for (size_t f = 0; f < RANK; f++) {
        sum += factors[side][f * n_of[side] + a] * factors[1][f * N_ITEMS + b];
    }
    return sum;
}

static double predicted(size_t u, size_t i)
{
    return mean + biases[0][u] + biases[1][i] + product(0, u, i);
}

static double cosine(size_t a, size_t b)
{
    const double lengths = sqrt(product(1, a, a)) * sqrt(product(1, b, b));
    return lengths > 0.0 ? product(1, a, b) / lengths : 0.0;
}

/* The next best of what is not done, the first of equals; N_ITEMS: none is left. */
static size_t next_best(const double *scores, bool *done)
{
    size_t best = N_ITEMS;
    for (size_t i = 0; i < N_ITEMS; i++) {
        if (!done[i] && (best == N_ITEMS || scores[i] > scores[best])) {
            best = i;
        }
    }
    if (best < N_ITEMS) {
        done[best] = true;
    }
    return best;
}

static size_t put_top(char *to, size_t u, size_t n)
{
    double scores[N_ITEMS];
    bool done[N_ITEMS];
    size_t at = 0;
    to[0] = '\0';
    for (size_t i = 0; i < N_ITEMS; i++) {
        scores[i] = predicted(u, i);
        done[i] = rated[u][i];
    }
    for (size_t k = 0; k < n; k++) {
        const size_t i = next_best(scores, done);
        if (i < N_ITEMS) {
            at += (size_t) sprintf(to + at, "u%zu\t%zu\t%.7g\n", u, i, scores[i]);
        }
    }
    return at;
}

/* ---- pairs ---- */

static void a_pair_is_the_sum_of_its_parts(void)
{
    char expected[64];
    write_model();
    sprintf(expected, "%.7g\n%.7g\n", predicted(29, 40), predicted(3, 0));
    CHECK_TEXT(answer("u29 40\nu3 0\n", NULL, "2 pairs, 0 with an unseen user or item\n"),
               expected);
}

static void what_is_unseen_falls_back_to_the_biases_that_are_known(void)
{
    char expected[64];
    write_model();
    sprintf(expected, "%.7g\n%.7g\n%.7g\n%.7g\n", mean + biases[1][7], mean + biases[0][3], mean,
            predicted(3, 7));
    CHECK_TEXT(answer("u99,7\nu3,99\nx,\"y\"\nu3,7\n", NULL, "4 pairs, 3 with an unseen"),
               expected);
}

static void how_good_predictions_are_is_said_where_there_are_ratings(void)
{
    char text[64];
    write_model();
    sprintf(text, "u1 2 %g\nu3 4 %g\n", predicted(1, 2) + 1.0, predicted(3, 4) - 3.0);
    answer(text, NULL, "2 pairs, 0 with an unseen user or item  RMSE 2.2361  MAE 2.0000\n");
    answer("u1 2 3\nu3 4\n", NULL, "with an unseen user or item\n");
}

/* ---- items for users ---- */

static void users_get_the_best_of_what_they_have_not_rated(void)
{
    static const size_t counts[] = {1, 2, 7, N_ITEMS, 4000000000};
    static char expected[TEXT];
    char text[16 * N_USERS] = "";
    write_model();
    for (size_t u = 0; u < N_USERS; u++) {
        sprintf(text + strlen(text), "u%zu\n", N_USERS - 1 - u);
    }
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        char setting[64];
        size_t at = 0;
        for (size_t u = 0; u < N_USERS; u++) {
            at +=
                put_top(expected + at, N_USERS - 1 - u, counts[k] < N_ITEMS ? counts[k] : N_ITEMS);
        }
        sprintf(setting, "predict.top=%zu", counts[k]);
        CHECK_TEXT(answer(text, setting, ""), expected);
    }
    CHECK_TEXT(answer("u4\n", "predict.top=3", ""), "");
}

static void many_users_are_the_same_as_one_after_another(void)
{
    enum { MANY = 700 };
    static char text[8 * MANY];
    static char expected[TEXT];
    size_t at = 0;
    write_model();
    text[0] = '\0';
    for (size_t k = 0; k < MANY; k++) {
        sprintf(text + strlen(text), "u%zu\n", k * 11 % N_USERS);
        at += put_top(expected + at, k * 11 % N_USERS, 2);
    }
    CHECK_TEXT(answer(text, "predict.top=2", ""), expected);
}

/* ---- items for items ---- */

/* A line of what is nearest to item `a`, n-th among them; returns the next line. */
static const char *check_nearest(const char *line, size_t a, const double *scores, bool *done)
{
    size_t from = N_ITEMS;
    size_t to = N_ITEMS;
    double score = 0.0;
    int length = 0;
    const size_t best = next_best(scores, done);
    REQUIRE(sscanf(line, "%zu\t%zu\t%lf\n%n", &from, &to, &score, &length) == 3);
    CHECK(from == a && to != a && to < N_ITEMS);
    CHECK_NEAR(score, scores[best], 1e-6); /* equals may come in any order */
    CHECK_NEAR(score, cosine(a, to), 1e-6);
    return line + length;
}

static void items_get_the_nearest_others(void)
{
    write_model();
    const char *line = answer("8\n0\n40\n", "predict.nearest=4000000000", "");
    static const size_t asked[] = {8, 0, 40};
    for (size_t k = 0; k < 3; k++) {
        double scores[N_ITEMS];
        bool done[N_ITEMS] = {false};
        done[asked[k]] = true;
        for (size_t i = 0; i < N_ITEMS; i++) {
            scores[i] = cosine(asked[k], i);
        }
        for (size_t i = 1; i < N_ITEMS; i++) {
            line = check_nearest(line, asked[k], scores, done);
        }
    }
    CHECK_TEXT(line, "");
    line = answer("8\n", "predict.nearest=2", "");
    CHECK_TEXT(line, "8\t0\t0\n8\t1\t0\n");
}

/* ---- what goes wrong ---- */

static void check_refused(question *q, strads_status status, const char *part)
{
    const size_t errors = strads_log_n_errors();
    const size_t live = strads_mem_live();
    char *said = suite_stderr_of(ask, q);
    CHECK_STATUS(q->status, status);
    if (strstr(said, part) == NULL) {
        fprintf(stderr, "message '%s' (expected '%s')\n", said, part);
    }
    CHECK(strstr(said, part) != NULL);
    CHECK(strads_log_n_errors() == errors + 1);
    CHECK(q->to != NULL || q->text[0] == '\0');
    strads_free(said);
    CHECK(strads_mem_live() == live);
}

static void files_that_do_not_fit_each_other_are_refused(void)
{
    static const struct {
        const char *name, *form, *part;
        size_t n_rows, n_cols;
    } cases[] = {
        {"mean.npy", NULL, "mean.npy: 2 numbers: expected 1", 2, 0},
        {"user_biases.npy", NULL, "user_biases.npy: 29 numbers: expected 30", 29, 0},
        {"item_biases.npy", NULL, "item_biases.npy: 30 numbers: expected 41", 30, 0},
        {"item_factors.npy", NULL, "user_factors.npy is 30 x 5 and item_factors.npy 41 x 4", 41, 4},
        {"user_factors.npy", NULL, "user_biases.npy: 30 numbers: expected 29", 29, 5},
        {"users.txt", "u%zu\n", "users.txt: 29 ids: expected 30, as there are rows", 29, 0},
        {"items.txt", "%zu\n", "items.txt: 42 ids: expected 41", 42, 0},
    };
    char *path = suite_file("asked.txt", "u1 2\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        question q = {.path = path};
        write_model();
        if (cases[i].form == NULL) {
            write_array(cases[i].name, factors[0], cases[i].n_rows, cases[i].n_cols);
        } else {
            write_ids(cases[i].name, cases[i].form, cases[i].n_rows);
        }
        check_refused(&q, STRADS_ERR_DATA, cases[i].part);
    }
    strads_free(path);
}

static void what_cannot_be_asked_is_refused(void)
{
    write_model();
    char train[300];
    char *users = suite_file("users", "u1\nu99\n");
    char *items = suite_file("items", "1\nu1\n");
    char *empty = suite_file("empty", "");
    char *good = suite_file("good", "u1\n");
    snprintf(train, sizeof(train), "data.train=%s", path_of("train.txt"));
    question cases[] = {
        {.settings = {"predict.top=3", train}, .path = users},
        {.settings = {"predict.nearest=3"}, .path = items},
        {.settings = {"predict.top=3", train}, .path = empty},
        {.settings = {"predict.nearest=3"}, .path = empty},
        {.path = empty},
        {.path = good},
    };
    static const char *const parts[] = {"users:2: 'u99': there is no such user",
                                        "items:2: 'u1': there is no such item",
                                        "empty: is empty: expected the id of one user a line",
                                        "empty: is empty: expected the id of one item a line",
                                        "empty: holds 0 pairs",
                                        "good:1: 'u1': expected USER ITEM"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_refused(&cases[i], STRADS_ERR_DATA, parts[i]);
    }
    question both = {.settings = {"predict.top=3", "predict.nearest=3"}, .path = good};
    check_refused(&both, STRADS_ERR_USAGE, "are both given");
    question none = {.settings = {"predict.top=3"}, .path = good};
    check_refused(&none, STRADS_ERR_USAGE, "data.train is not set");
    question gone = {.settings = {"predict.top=3", "data.train=/nowhere/ratings"}, .path = good};
    check_refused(&gone, STRADS_ERR_IO, "/nowhere/ratings");
    REQUIRE(remove(path_of("mean.npy")) == 0);
    check_refused(&both, STRADS_ERR_USAGE, "are both given");
    question lost = {.path = good};
    check_refused(&lost, STRADS_ERR_IO, "mean.npy");
    strads_free(good);
    strads_free(empty);
    strads_free(items);
    strads_free(users);
}

static void what_cannot_be_written_is_an_error(void)
{
    static const char *const settings[] = {NULL, "predict.top=3", "predict.nearest=3"};
    static const char *const texts[] = {"u1 2\n", "u1\n", "1\n"};
    char train[300];
    write_model();
    snprintf(train, sizeof(train), "data.train=%s", path_of("train.txt"));
    for (size_t i = 0; i < 3; i++) {
        char *path = suite_file("asked.txt", texts[i]);
        FILE *full = fopen("/dev/full", "w");
        REQUIRE(full != NULL);
        setvbuf(full, NULL, _IONBF, 0);
        question q = {.settings = {train, settings[i]}, .path = path, .to = full};
        check_refused(&q, STRADS_ERR_IO, "cannot write the");
        fclose(full);
        strads_free(path);
    }
}

static void ratings_of_another_model_are_noticed(void)
{
    write_model();
    strads_free(suite_file("train.txt", "u1 2 3\nu99 3 1\nu2 99 4\n"));
    answer("u1\n", "predict.top=1", "train.txt: 2 ratings of users or items that the model");
}

static void all_survive_the_failure_of_every_allocation(void)
{
    static const char *const settings[] = {NULL, "predict.top=3", "predict.nearest=3"};
    static const char *const texts[] = {"u1 2\n", "u1\n", "1\n"};
    char train[300];
    write_model();
    strads_free(suite_file("train.txt", "u1 2 3\n"));
    snprintf(train, sizeof(train), "data.train=%s", path_of("train.txt"));
    for (size_t i = 0; i < 3; i++) {
        char *path = suite_file("asked.txt", texts[i]);
        const size_t live = strads_mem_live();
        question q = {.settings = {train, settings[i]}, .path = path, .status = STRADS_ERR_NOMEM};
        while (q.fail_after < 300 && q.status != STRADS_OK) {
            q.fail_after++;
            const size_t errors = strads_log_n_errors();
            strads_free(suite_stderr_of(ask, &q));
            CHECK(q.status == STRADS_OK || q.status == STRADS_ERR_NOMEM);
            CHECK(q.status == STRADS_OK || strads_log_n_errors() == errors + 1);
            CHECK(strads_mem_live() == live);
        }
        CHECK(q.status == STRADS_OK && q.fail_after > 10);
        strads_free(path);
    }
}

SUITE("apps/mf/predict", {"a pair is the sum of its parts", a_pair_is_the_sum_of_its_parts},
      {"what is unseen falls back to the biases that are known",
       what_is_unseen_falls_back_to_the_biases_that_are_known},
      {"how good predictions are is said where there are ratings",
       how_good_predictions_are_is_said_where_there_are_ratings},
      {"users get the best of what they have not rated",
       users_get_the_best_of_what_they_have_not_rated},
      {"many users are the same as one after another",
       many_users_are_the_same_as_one_after_another},
      {"items get the nearest others", items_get_the_nearest_others},
      {"files that do not fit each other are refused",
       files_that_do_not_fit_each_other_are_refused},
      {"what cannot be asked is refused", what_cannot_be_asked_is_refused},
      {"what cannot be written is an error", what_cannot_be_written_is_an_error},
      {"ratings of another model are noticed", ratings_of_another_model_are_noticed},
      {"all survive the failure of every allocation", all_survive_the_failure_of_every_allocation})

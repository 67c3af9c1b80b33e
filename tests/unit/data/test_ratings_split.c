/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_split.c - test parts: drawn, the latest, a file. */
#include "base/random.h"
#include "tests/unit/data/ratings_case.h"

enum { N = 4000 };

/* N ratings whose value is their position, with times if there are any. */
static data_ratings positions(const double *times)
{
    data_ratings r = {.n = N, .entries = strads_alloc_array(N, sizeof(data_rating))};
    REQUIRE(r.entries != NULL);
    for (uint32_t i = 0; i < N; i++) {
        r.entries[i] = (data_rating){.row = i / 7, .column = i % 7, .value = (float) i};
    }
    if (times != NULL) {
        r.times = strads_alloc_array(N, sizeof(double));
        REQUIRE(r.times != NULL);
        memcpy(r.times, times, N * sizeof(double));
    }
    return r;
}

/* Marks which positions are in a part, which must have kept their order. */
static void mark(const data_ratings *part, uint8_t *seen)
{
    for (size_t i = 0; i < part->n; i++) {
        CHECK(i == 0 || part->entries[i - 1].value < part->entries[i].value);
        seen[(size_t) part->entries[i].value]++;
    }
}

static void a_fraction_is_drawn_by_the_seed(void)
{
    static uint8_t first[N], again[N], other[N];
    uint8_t *const marks[] = {first, again, other};
    for (size_t k = 0; k < 3; k++) {
        uint8_t all[N] = {0};
        data_ratings test;
        data_ratings train = positions(NULL);
        REQUIRE_OK(data_ratings_split(&train, &test, 0.25, k == 2 ? 2 : 1));
        CHECK(train.n + test.n == N && test.n > N / 5 && test.n < N / 10 * 3);
        mark(&test, marks[k]);
        mark(&train, all);
        mark(&test, all);
        CHECK(memchr(all, 0, N) == NULL);
        data_ratings_fini(&train);
        data_ratings_fini(&test);
    }
    CHECK(memcmp(first, again, N) == 0 && memcmp(first, other, N) != 0);
}

static void nothing_is_drawn_of_a_fraction_of_nothing(void)
{
    const double times[N] = {0.0};
    data_ratings train = positions(times);
    data_ratings test;
    REQUIRE_OK(data_ratings_split(&train, &test, 0.0, 1));
    CHECK(train.n == N && test.n == 0);
    data_ratings_fini(&test);
    REQUIRE_OK(data_ratings_split_latest(&train, &test, 0.0001));
    CHECK(train.n == N && test.n == 0);
    data_ratings_fini(&test);
    data_ratings_fini(&train);
}

/* How many ratings are later than one, by the rule in the header. */
static size_t count_later(const double *times, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < N; k++) {
        n += times[k] > times[i] || (times[k] == times[i] && k > i);
    }
    return n;
}

static void the_latest_are_taken_and_of_equal_times_the_last(void)
{
    static double times[N];
    for (uint64_t seed = 0; seed < 4; seed++) {
        strads_random random = strads_random_start(seed, 0);
        for (size_t i = 0; i < N; i++) {
            const double at = (double) strads_random_below(&random, 200) - 100.0;
            times[i] = seed == 0 ? 0.0 * at : seed == 1 ? at : at * strads_random_uniform(&random);
        }
        uint8_t taken[N] = {0};
        data_ratings train = positions(times);
        data_ratings test;
        REQUIRE_OK(data_ratings_split_latest(&train, &test, 0.3));
        CHECK(test.n == N / 10 * 3 && train.n + test.n == N);
        mark(&test, taken);
        for (size_t i = 0; i < N; i++) {
            CHECK((taken[i] == 1) == (count_later(times, i) < N / 10 * 3));
        }
        CHECK(train.times == NULL && test.times == NULL);
        data_ratings_fini(&train);
        data_ratings_fini(&test);
    }
}

/* Reads a test file with the maps of a train file. */
static data_ratings test_of(const data_ratings *train, const char *text, bool times)
{
    char *path = suite_file("test.ratings", text);
    data_ratings test;
    REQUIRE_OK(data_ratings_read_test(
        &test, train, &(data_ratings_source){.path = path, .times = times, .n_threads = 2}));
    strads_free(path);
    return test;
}

static void a_test_file_gets_the_indices_of_train(void)
{
    data_ratings train = ratings_of("5 10 1\n6 11 1\n9 12 1\n");
    data_ratings test =
        test_of(&train, "7,10,1,1\n9,10,2,2\n5,13,3,3\n06,12,4,4\nx,99,5,5\n", true);
    REQUIRE(test.n == 5 && test.n_unseen == 3 && test.times != NULL);
    const data_rating expected[] = {{2, 0, 2.0F},
                                    {1, 2, 4.0F},
                                    {DATA_UNSEEN, 0, 1.0F},
                                    {0, DATA_UNSEEN, 3.0F},
                                    {DATA_UNSEEN, DATA_UNSEEN, 5.0F}};
    const double times[] = {2, 4, 1, 3, 5};
    for (size_t i = 0; i < test.n; i++) {
        CHECK(memcmp(&test.entries[i], &expected[i], sizeof(expected[i])) == 0);
        CHECK(test.times[i] == times[i]);
    }
    CHECK(test.ids[DATA_USERS].n == 0 && test.ids[DATA_ITEMS].number == NULL);
    data_ratings_fini(&test);
    data_ratings_fini(&train);
}

static void a_test_files_ids_are_texts_where_those_of_train_are(void)
{
    data_ratings train = ratings_of("05 1 1\nann 2 1\n");
    data_ratings test = test_of(&train, "05 2 1\n5 1 2\n", false);
    REQUIRE(test.n == 2 && test.n_unseen == 1 && test.times == NULL);
    CHECK(test.entries[0].row == 0 && test.entries[0].column == 1);
    CHECK(test.entries[1].row == DATA_UNSEEN && test.entries[1].column == 0);
    data_ratings_fini(&test);
    data_ratings_fini(&train);
}

typedef struct test_attempt {
    const data_ratings *train;
    const char *path;
    size_t fail_after;
    strads_status status;
} test_attempt;

static void attempt_test(void *context)
{
    test_attempt *a = context;
    data_ratings test = {.n = 0};
    strads_mem_fail_after(a->fail_after);
    a->status = data_ratings_read_test(&test, a->train,
                                       &(data_ratings_source){.path = a->path, .n_threads = 1});
    strads_mem_fail_after(0);
    data_ratings_fini(&test);
}

static void every_allocation_that_fails_is_said(void)
{
    data_ratings train = ratings_of("1 2 3\n");
    char *path = suite_file("test.ratings", "1 2 3\n4 2 3\n");
    const size_t live = strads_mem_live();
    test_attempt a = {.train = &train, .path = path, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM && a.fail_after < 100) {
        a.fail_after++;
        char *message = suite_stderr_of(attempt_test, &a);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
    CHECK(a.status == STRADS_OK && a.fail_after > 12);
    strads_free(path);
    data_ratings_fini(&train);
}

SUITE("data/ratings_split", {"a fraction is drawn by the seed", a_fraction_is_drawn_by_the_seed},
      {"nothing is drawn of a fraction of nothing", nothing_is_drawn_of_a_fraction_of_nothing},
      {"the latest are taken, and of equal times the last",
       the_latest_are_taken_and_of_equal_times_the_last},
      {"a test file gets the indices of train", a_test_file_gets_the_indices_of_train},
      {"a test file's ids are texts where those of train are",
       a_test_files_ids_are_texts_where_those_of_train_are},
      {"every allocation that fails is said", every_allocation_that_fails_is_said})

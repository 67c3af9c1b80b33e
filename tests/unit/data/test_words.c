/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_words.c - documents to binary words. */
#include <unistd.h>

#include "tests/unit/data/reading.h"

static const data_words_options keep_all = {.min_documents = 1};

typedef struct converting {
    const char *path;
    data_words_options options;
    size_t fail_after;
    strads_status status;
    data_words_counts counts;
} converting;

static void output(char path[200], const char *suffix)
{
    snprintf(path, 200, "%s/out%s", suite_folder(), suffix);
}

static void convert(void *context)
{
    converting *c = context;
    char prefix[200];
    output(prefix, "");
    strads_mem_fail_after(c->fail_after);
    c->status = data_words_convert(c->path, prefix, &c->options, &c->counts);
    strads_mem_fail_after(0);
}

static data_words_counts convert_text(const char *text, data_words_options options)
{
    char *path = suite_file("documents", text);
    converting c = {.path = path, .options = options};
    convert(&c);
    REQUIRE_OK(c.status);
    strads_free(path);
    return c.counts;
}

static void check_output(const char *suffix, const char *expected)
{
    char path[200];
    size_t n = 0;
    output(path, suffix);
    char *bytes = contents(path, &n);
    CHECK_TEXT(bytes, expected);
    strads_free(bytes);
}

static void documents_become_binary_words_in_alphabetical_order(void)
{
    const data_words_counts n = convert_text("1.5\tThe cat, the CAT-flap 42 x86 7\n"
                                             "-2\tA cat9 z caf\xc3\xa9 the\n"
                                             "3e1\t\n",
                                             keep_all);
    check_output(".words", "caf\ncat\ncat9\nflap\nthe\nx86\n");
    check_output(".libsvm", "1.5 2:1 4:1 5:1 6:1\n-2 1:1 3:1 5:1\n30\n");
    CHECK(n.n_train == 3 && n.n_test == 0 && n.n_words == 6 && n.n_entries == 7);
}

static void rare_words_are_dropped(void)
{
    const data_words_counts n = convert_text("1\taa bb aa aa\n2\tbb cc\r\n3\tcc bb\n",
                                             (data_words_options){.min_documents = 2});
    check_output(".words", "bb\ncc\n");
    check_output(".libsvm", "1 1:1\n2 1:1 2:1\n3 1:1 2:1\n");
    CHECK(n.n_words == 2 && n.n_entries == 5);
}

/* Every document lands in one of the files, in order, the same for the same seed. */
static void the_split_is_a_partition_that_the_seed_decides(void)
{
    enum { N = 400 };
    char text[N * 16];
    size_t n = 0;
    for (int i = 0; i < N; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%d\tword\n", i);
    }
    const data_words_options options = {.min_documents = 1, .test_fraction = 0.25, .seed = 3};
    const data_words_counts counts = convert_text(text, options);
    CHECK(counts.n_train + counts.n_test == N);
    CHECK(counts.n_test > N / 8 && counts.n_test < N / 2);
    char train_path[200];
    char test_path[200];
    output(train_path, ".libsvm");
    output(test_path, ".test.libsvm");
    data_regression train = {0};
    data_regression test = {0};
    REQUIRE_OK(data_regression_read(&train, &(data_source){.path = train_path}));
    REQUIRE_OK(data_regression_read(&test, &(data_source){.path = test_path}));
    REQUIRE(train.x.n_rows == counts.n_train && test.x.n_rows == counts.n_test);
    size_t i_train = 0;
    size_t i_test = 0;
    for (int i = 0; i < N; i++) {
        if (i_train < counts.n_train && train.y[i_train] == i) {
            i_train++;
        } else {
            CHECK(i_test < counts.n_test && test.y[i_test] == i);
            i_test++;
        }
    }
    size_t bytes = 0;
    char *before = contents(test_path, &bytes);
    convert_text(text, options);
    char *after = contents(test_path, &bytes);
    CHECK_TEXT(before, after);
    strads_free(before);
    strads_free(after);
    data_regression_fini(&train);
    data_regression_fini(&test);
}

static void bad_documents_are_refused_and_leave_no_files(void)
{
    static const char *const cases[][2] = {
        {"", "documents: is empty: expected lines of TARGET"},
        {"1 text\n", "documents:1: '1 text': expected TARGET, a finite number, a tab"},
        {"1\taa\n\n", "documents:2: '': expected TARGET"},
        {"1\taa\nnan\tbb\n", "documents:2: 'nan"},
        {"1\taa\n\tbb\n", "documents:2: "},
        {"1\n", "documents:1: '1': expected TARGET"},
        {"1\tx 1 2\n", "documents: no word is in 1 documents or more"}};
    char path[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        output(path, ".libsvm");
        unlink(path);
        char *in = suite_file("documents", cases[i][0]);
        const size_t live = strads_mem_live();
        converting c = {.path = in, .options = keep_all};
        char *message = suite_stderr_of(convert, &c);
        CHECK_STATUS(c.status, STRADS_ERR_DATA);
        CHECK(strstr(message, cases[i][1]) != NULL);
        CHECK(access(path, F_OK) != 0);
        strads_free(message);
        CHECK(strads_mem_live() == live);
        strads_free(in);
    }
}

static void a_split_that_leaves_a_side_empty_is_refused(void)
{
    char *in = suite_file("documents", "1\taa\n");
    converting c = {.path = in, .options = {.min_documents = 1, .test_fraction = 0.5}};
    char *message = suite_stderr_of(convert, &c);
    CHECK_STATUS(c.status, STRADS_ERR_DATA);
    CHECK(strstr(message, "a test fraction of 0.5 leaves") != NULL);
    strads_free(message);
    strads_free(in);
}

/* Enough words for the hash to grow while memory fails. */
static void no_memory_is_an_error_wherever_it_strikes(void)
{
    char text[20000];
    size_t n = (size_t) snprintf(text, sizeof(text), "1\t");
    for (int i = 0; i < 1500; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "w%d ", i);
    }
    char *in = suite_file("documents", text);
    const size_t live = strads_mem_live();
    converting c = {.path = in, .options = keep_all, .status = STRADS_ERR_NOMEM};
    for (c.fail_after = 1; c.status == STRADS_ERR_NOMEM; c.fail_after++) {
        char *message = suite_stderr_of(convert, &c);
        CHECK((c.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(c.status, STRADS_OK);
    CHECK(c.fail_after > 1500);
    strads_free(in);
}

SUITE("data/words",
      {"documents become binary words in alphabetical order",
       documents_become_binary_words_in_alphabetical_order},
      {"rare words are dropped", rare_words_are_dropped},
      {"the split is a partition that the seed decides",
       the_split_is_a_partition_that_the_seed_decides},
      {"bad documents are refused and leave no files",
       bad_documents_are_refused_and_leave_no_files},
      {"a split that leaves a side empty is refused", a_split_that_leaves_a_side_empty_is_refused},
      {"no memory is an error wherever it strikes", no_memory_is_an_error_wherever_it_strikes})

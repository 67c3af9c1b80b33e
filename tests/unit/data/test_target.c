/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_target.c - target files and names. */
#include "tests/unit/data/reading.h"

/* Three rows, to which the target is given beside. */
static data_source with_target(char **x_path, char **y_path, const char *y_text)
{
    *x_path = suite_file("x", "9 1:1\n9 2:1\n9 3:1\n");
    *y_path = suite_file("y", y_text);
    return (data_source){.path = *x_path, .y_path = *y_path};
}

static void check_target(const char *y_text)
{
    char *x_path = NULL;
    char *y_path = NULL;
    const data_source source = with_target(&x_path, &y_path, y_text);
    data_regression d = {0};
    REQUIRE_OK(data_regression_read(&d, &source));
    CHECK(d.y[0] == 1.5 && d.y[1] == -2.0 && d.y[2] == 300.0);
    data_regression_fini(&d);
    check_every_allocation(source);
    strads_free(x_path);
    strads_free(y_path);
}

static void a_target_file_takes_the_place_of_the_labels(void)
{
    check_target("1.5\n-2\n3e2\n");
    check_target(" 1.5\r\n-2 \t\r\n3e2");
    check_target("%%MatrixMarket matrix array real general\n3 1\n1.5\n-2\n300\n");
}

static void a_target_of_npy_is_read(void)
{
    static const double y[3] = {1.5, -2, 300};
    char *x_path = suite_file("x", "9 1:1\n9 2:1\n9 3:1\n");
    char *y_path = suite_file("y.npy", "");
    for (size_t n_cols = 0; n_cols < 2; n_cols++) {
        data_regression d = {0};
        REQUIRE_OK(data_npy_write(y_path, y, 3, n_cols));
        REQUIRE_OK(data_regression_read(&d, &(data_source){.path = x_path, .y_path = y_path}));
        CHECK(memcmp(d.y, y, sizeof(y)) == 0);
        data_regression_fini(&d);
    }
    strads_free(x_path);
    strads_free(y_path);
}

static void a_bad_target_file_is_refused_with_its_line(void)
{
    static const char *const cases[][2] = {
        {"1\n2\n", "y: 2 values: expected 3, a row of "},
        {"1\n2\n3\n4\n", "y: 4 values: expected 3"},
        {"", "y: is empty: expected one finite number on each line"},
        {"1\n\n3\n", "y:2: '': expected one finite number"},
        {"1\n2 3\n", "y:2: '2 3': expected one finite number"},
        {"1\ninf\n", "y:2: 'inf': expected one finite number"},
        {"1\n1e999\n", "y:2: '1e999': expected one finite number"},
        {"%%MatrixMarket matrix array real general\n1 3\n1\n2\n3\n",
         "y: has 3 columns: expected 1"},
        {"%%MatrixMarket matrix coordinate real general\n3 1 1\n1 1 1\n",
         "y: a sparse target: expected a Matrix Market array"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *x_path = NULL;
        char *y_path = NULL;
        const data_source source = with_target(&x_path, &y_path, cases[i][0]);
        check_refused_source(source, STRADS_ERR_DATA, cases[i][1]);
        strads_free(x_path);
        strads_free(y_path);
    }
}

static void names_are_read_one_a_line(void)
{
    char *path = suite_file("names", "one\r\ntwo words\n\xc3\xa9\n");
    char **names = NULL;
    REQUIRE_OK(data_names_read(&names, 3, path));
    CHECK_TEXT(names[0], "one");
    CHECK_TEXT(names[1], "two words");
    CHECK_TEXT(names[2], "\xc3\xa9");
    data_names_free(names, 3);
    data_names_free(NULL, 3);
    strads_free(path);
}

typedef struct names_attempt {
    const char *path;
    size_t n, fail_after;
    strads_status status;
} names_attempt;

static void read_names(void *context)
{
    names_attempt *a = context;
    char **names = NULL;
    strads_mem_fail_after(a->fail_after);
    a->status = data_names_read(&names, a->n, a->path);
    strads_mem_fail_after(0);
    data_names_free(names, a->n);
}

static void names_that_are_missing_or_too_many_are_refused(void)
{
    static const struct {
        const char *text;
        size_t n;
        const char *part;
    } cases[] = {{"a\nb\n", 3, "names:3: too few names: expected 3"},
                 {"a\nb\nc\nd", 3, "names:4: too many names: expected 3"},
                 {"a\n\nc\n", 3, "names:2: expected a name on each line"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = suite_file("names", cases[i].text);
        const size_t live = strads_mem_live();
        names_attempt a = {.path = path, .n = cases[i].n};
        char *message = suite_stderr_of(read_names, &a);
        CHECK_STATUS(a.status, STRADS_ERR_DATA);
        CHECK(strstr(message, cases[i].part) != NULL);
        strads_free(message);
        CHECK(strads_mem_live() == live);
        strads_free(path);
    }
}

static void names_survive_no_memory_without_a_leak(void)
{
    char *path = suite_file("names", "a\nb\n");
    const size_t live = strads_mem_live();
    names_attempt a = {.path = path, .n = 2, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM) {
        a.fail_after++;
        strads_free(suite_stderr_of(read_names, &a));
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(a.fail_after == 5); /* a buffer, the list, two names */
    strads_free(path);
}

SUITE("data/target",
      {"a target file takes the place of the labels", a_target_file_takes_the_place_of_the_labels},
      {"a target of .npy is read", a_target_of_npy_is_read},
      {"a bad target file is refused with its line", a_bad_target_file_is_refused_with_its_line},
      {"names are read one a line", names_are_read_one_a_line},
      {"names that are missing or too many are refused",
       names_that_are_missing_or_too_many_are_refused},
      {"names survive no memory without a leak", names_survive_no_memory_without_a_leak})

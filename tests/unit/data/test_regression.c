/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_regression.c - the choice of format, and sizes. */
#include "tests/unit/data/reading.h"

static data_size measure(const char *path)
{
    data_size size = {0};
    REQUIRE_OK(data_regression_measure(&size, &(data_source){.path = path}));
    return size;
}

/* What measuring promises must be what reading gives. */
static void check_measured(const char *path)
{
    const data_size size = measure(path);
    data_regression d = {0};
    REQUIRE_OK(data_regression_read(&d, &(data_source){.path = path}));
    CHECK(size.n_rows == d.x.n_rows && size.n_cols == d.x.n_cols);
    CHECK(size.n_entries == data_matrix_entries(&d.x) || d.x.col_start == NULL);
    CHECK(size.dense == (d.x.col_start == NULL));
    const size_t n = data_matrix_entries(&d.x);
    const size_t x_bytes = d.x.col_start == NULL ? n * 8 : n * 12 + (d.x.n_cols + 1) * 8;
    CHECK(size.bytes == x_bytes + d.x.n_rows * 8);
    CHECK(size.peak_bytes >= size.bytes);
    data_regression_fini(&d);
}

static void every_format_is_found_by_its_content_and_measured_as_read(void)
{
    static const char *const texts[] = {
        "1 1:2 7:3\n2 3:4\n5\n",
        "1 1:2 2:3\n2 1:4 2:0\n",
        "%%MatrixMarket matrix coordinate real general\n4 5 2\n1 1 3\n4 5 6\n",
        "%%MatrixMarket matrix coordinate real symmetric\n5 5 2\n2 1 3\n5 4 6\n",
        "%%MatrixMarket matrix coordinate pattern general\n2 2 3\n1 1\n1 2\n2 1\n",
        "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *path = suite_file("x", texts[i]);
        check_measured(path);
        strads_free(path);
        char *zipped = bytes_file("x.gz", "", 0);
        append_gzip(zipped, texts[i], strlen(texts[i]));
        check_measured(zipped);
        strads_free(zipped);
    }
    static const double values[6] = {1, 2, 3, 4, 5, 6};
    char *path = suite_file("x.npy", "");
    REQUIRE_OK(data_npy_write(path, values, 2, 3));
    check_measured(path);
    strads_free(path);
}

static void sizes_come_from_the_header_without_reading_the_rest(void)
{
    char *path = suite_file("header", "%%MatrixMarket matrix coordinate real general\n"
                                      "1000000 2000000 300000000\n");
    const data_size size = measure(path);
    CHECK(size.n_rows == 1000000 && size.n_cols == 2000000 && size.n_entries == 300000000);
    CHECK(size.bytes == 8 * 1000000UL + 8 * 2000001UL + 12 * 300000000UL);
    CHECK((double) size.peak_bytes < 1.02 * (double) size.bytes);
    strads_free(path);
}

static void a_stated_format_is_not_guessed(void)
{
    char *path = suite_file("text", "1 1:2\n");
    check_refused_source((data_source){.path = path, .format = DATA_NPY}, STRADS_ERR_DATA,
                         "not a .npy file");
    check_refused_source((data_source){.path = path, .format = DATA_MATRIX_MARKET}, STRADS_ERR_DATA,
                         "text:1: '1': expected %%MatrixMarket");
    strads_free(path);
}

static void measure_and_drop(void *context)
{
    attempt *a = context;
    data_size size;
    strads_mem_fail_after(a->fail_after);
    a->status = data_regression_measure(&size, &a->source);
    strads_mem_fail_after(0);
}

static void measuring_a_bad_file_says_what_is_wrong(void)
{
    char *path = suite_file("bad", "1 1:2\n1 1:x\n");
    const size_t live = strads_mem_live();
    attempt a = {.source = {.path = path}};
    char *message = suite_stderr_of(measure_and_drop, &a);
    CHECK_STATUS(a.status, STRADS_ERR_DATA);
    CHECK(strstr(message, "bad:2: '1:x': expected INDEX:VALUE") != NULL);
    strads_free(message);
    a.fail_after = 1;
    strads_free(suite_stderr_of(measure_and_drop, &a));
    CHECK_STATUS(a.status, STRADS_ERR_NOMEM);
    CHECK(strads_mem_live() == live);
    strads_free(path);
}

SUITE("data/regression",
      {"every format is found by its content and measured as read",
       every_format_is_found_by_its_content_and_measured_as_read},
      {"sizes come from the header without reading the rest",
       sizes_come_from_the_header_without_reading_the_rest},
      {"a stated format is not guessed", a_stated_format_is_not_guessed},
      {"measuring a bad file says what is wrong", measuring_a_bad_file_says_what_is_wrong})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_pieces.c - texts that are read by several threads. */
#include "base/random.h"
#include "tests/unit/data/reading.h"

enum { ROWS = 1200, COLS = 700, MOST = 7 };

/* A libsvm file; each row has about so many entries. */
static char *random_file(uint32_t n_a_row)
{
    strads_random random = strads_random_start(n_a_row, 0);
    char *path = suite_file("random", "");
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    for (int i = 0; i < ROWS; i++) {
        fprintf(file, "%d", i);
        for (uint32_t j = 0; j < COLS; j++) {
            if (strads_random_below(&random, COLS) < n_a_row) {
                fprintf(file, " %u:%.9g", j + 1, strads_random_uniform(&random) - 0.5);
            }
        }
        fprintf(file, i % 50 == 0 ? " # a comment\n" : "\n");
    }
    REQUIRE(fclose(file) == 0);
    return path;
}

static bool same_bits(const data_regression *a, const data_regression *b)
{
    const size_t n = data_matrix_entries(&a->x);
    return a->x.n_rows == b->x.n_rows && a->x.n_cols == b->x.n_cols &&
           (a->x.col_start == NULL) == (b->x.col_start == NULL) &&
           n == data_matrix_entries(&b->x) &&
           memcmp(a->x.value, b->x.value, n * sizeof(double)) == 0 &&
           (a->x.row == NULL ||
            (memcmp(a->x.row, b->x.row, n * sizeof(uint32_t)) == 0 &&
             memcmp(a->x.col_start, b->x.col_start, (a->x.n_cols + 1) * sizeof(int64_t)) == 0)) &&
           memcmp(a->y, b->y, a->x.n_rows * sizeof(double)) == 0;
}

static void the_bits_are_those_of_one_thread(void)
{
    for (uint32_t n_a_row = 120; n_a_row <= 420; n_a_row += 300) {
        char *path = random_file(n_a_row);
        data_regression one = {0};
        data_size size = {0};
        REQUIRE_OK(data_regression_read(&one, &(data_source){.path = path, .n_threads = 1}));
        REQUIRE_OK(data_regression_measure(&size, &(data_source){.path = path, .n_threads = 1}));
        CHECK((one.x.col_start == NULL) == (n_a_row == 420));
        for (uint32_t n = 2; n <= MOST; n++) {
            const data_source source = {.path = path, .n_threads = n};
            data_regression more = {0};
            data_size again = {0};
            REQUIRE_OK(data_regression_read(&more, &source));
            REQUIRE_OK(data_regression_measure(&again, &source));
            CHECK(same_bits(&one, &more));
            CHECK(again.n_entries == size.n_entries && again.n_rows == size.n_rows &&
                  again.n_cols == size.n_cols && again.bytes == size.bytes &&
                  again.peak_bytes >= size.peak_bytes);
            data_regression_fini(&more);
        }
        data_regression_fini(&one);
        strads_free(path);
    }
}

static void more_threads_than_lines_change_nothing(void)
{
    char *path = suite_file("short", "1 1:2 700:3\n2 5:1");
    for (uint32_t n = 1; n <= 40; n++) {
        data_regression d = {0};
        REQUIRE_OK(data_regression_read(&d, &(data_source){.path = path, .n_threads = n}));
        CHECK(d.x.n_rows == 2 && d.x.n_cols == 700 && at(&d.x, 0, 699) == 3.0);
        CHECK(at(&d.x, 1, 4) == 1.0 && d.y[1] == 2.0);
        data_regression_fini(&d);
    }
    strads_free(path);
}

/* Whoever finds the first mistake, it alone is said. */
static void the_first_mistake_is_said_once_with_its_line(void)
{
    char *path = suite_file("bad", "1 1:1\n2 1:1\n3 1:x\n4 1:1\n5 1:1\n6 1:y\n7 0:1\n");
    for (uint32_t n = 1; n <= MOST; n++) {
        attempt a = {.source = {.path = path, .n_threads = n}};
        char *message = suite_stderr_of(read_and_drop, &a);
        CHECK_STATUS(a.status, STRADS_ERR_DATA);
        CHECK(strstr(message, "bad:3: '1:x': expected INDEX:VALUE") != NULL);
        CHECK(strchr(message, '\n') == message + strlen(message) - 1);
        strads_free(message);
    }
    strads_free(path);
    path = suite_file("bad.csv", "a,y\n1,1\n2,2\n3,NA\n4,\n5,5\n6,z\n");
    for (uint32_t n = 1; n <= MOST; n++) {
        check_refused_source((data_source){.path = path, .n_threads = n}, STRADS_ERR_DATA,
                             "bad.csv:4: column 'y': 'NA': expected");
    }
    strads_free(path);
}

SUITE("data/pieces", {"the bits are those of one thread", the_bits_are_those_of_one_thread},
      {"more threads than lines change nothing", more_threads_than_lines_change_nothing},
      {"the first mistake is said once, with its line",
       the_first_mistake_is_said_once_with_its_line})

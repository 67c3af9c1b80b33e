/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_matrix_market.c - Matrix Market, good and bad. */
#include "tests/unit/data/reading.h"

#define COORDINATE "%%MatrixMarket matrix coordinate real general\n"
#define SYMMETRIC "%%MatrixMarket matrix coordinate real symmetric\n"
#define ARRAY "%%MatrixMarket matrix array real general\n"

static void a_coordinate_file_in_any_order_is_read(void)
{
    data_regression d = read_text(COORDINATE "% a comment\n%\n\n 3 4  4 \n3 4 -1.5\n1 1 2e1\n\n"
                                             "  2 4 7\n1\t2 .5\r\n\n");
    CHECK(d.x.n_rows == 3 && d.x.n_cols == 4 && d.y == NULL);
    REQUIRE(d.x.col_start != NULL && data_matrix_entries(&d.x) == 4);
    CHECK(at(&d.x, 2, 3) == -1.5 && at(&d.x, 0, 0) == 20.0);
    CHECK(at(&d.x, 1, 3) == 7.0 && at(&d.x, 0, 1) == 0.5);
    CHECK(d.x.row[2] == 1 && d.x.row[3] == 2);
    data_regression_fini(&d);
}

static void zeros_are_dropped_and_patterns_are_ones(void)
{
    data_regression d = read_text(COORDINATE "2 3 3\n1 1 0\n2 3 5\n1 2 -0.0\n");
    CHECK(data_matrix_entries(&d.x) == 1 && at(&d.x, 1, 2) == 5.0);
    data_regression_fini(&d);
    d = read_text("%%MatrixMarket MATRIX Coordinate PATTERN general\n2 3 2\n1 1\n2 3 \n");
    CHECK(at(&d.x, 0, 0) == 1.0 && at(&d.x, 1, 2) == 1.0 && data_matrix_entries(&d.x) == 2);
    data_regression_fini(&d);
    d = read_text("%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 -4\n");
    CHECK(at(&d.x, 0, 0) == -4.0);
    data_regression_fini(&d);
}

static void a_symmetric_file_gives_both_triangles(void)
{
    data_regression d = read_text(SYMMETRIC "4 4 3\n1 1 5\n3 1 2\n4 2 3\n");
    CHECK(data_matrix_entries(&d.x) == 5);
    CHECK(at(&d.x, 0, 0) == 5 && at(&d.x, 2, 0) == 2 && at(&d.x, 0, 2) == 2);
    CHECK(at(&d.x, 1, 3) == 3 && at(&d.x, 3, 1) == 3);
    data_regression_fini(&d);
    d = read_text("%%MatrixMarket matrix array integer symmetric\n3 3\n1\n2\n3\n4\n5\n6\n");
    static const double all[9] = {1, 2, 3, 2, 4, 5, 3, 5, 6};
    REQUIRE(d.x.col_start == NULL);
    CHECK(memcmp(d.x.value, all, sizeof(all)) == 0);
    data_regression_fini(&d);
}

static void an_array_is_dense_by_columns(void)
{
    data_regression d = read_text(ARRAY "2 3\n1\n2\n0\n\n-4\n5\n6e0");
    static const double all[6] = {1, 2, 0, -4, 5, 6};
    REQUIRE(d.x.col_start == NULL && d.x.n_rows == 2 && d.x.n_cols == 3);
    CHECK(memcmp(d.x.value, all, sizeof(all)) == 0);
    data_regression_fini(&d);
}

static void every_mistake_is_named_with_its_line(void)
{
    static const char *const cases[][2] = {
        {"%%MatrixMarketX matrix array real general\n", "refused:1: '%%MatrixMarketX': expected"},
        {"%%MatrixMarket\n", "refused:1: '': expected matrix in the %%MatrixMarket line"},
        {"%%MatrixMarket vector", "'vector': expected matrix"},
        {"%%MatrixMarket matrix sparse", "'sparse': expected coordinate or array"},
        {"%%MatrixMarket matrix array complex", "'complex': expected real or integer or pattern"},
        {"%%MatrixMarket matrix array real hermitian", "'hermitian': expected general or symm"},
        {"%%MatrixMarket matrix array real general x", "text after the last word"},
        {"%%MatrixMarket matrix array pattern general\n1 1\n", "'pattern': an array is real"},
        {COORDINATE, "refused:2: the file ends here: expected ROWS COLUMNS ENTRIES"},
        {ARRAY "% only\n", "refused:3: the file ends here: expected ROWS COLUMNS"},
        {COORDINATE "2 2\n", "refused:2: '2 2': expected ROWS COLUMNS ENTRIES"},
        {COORDINATE "2 -2 1\n", "expected ROWS COLUMNS ENTRIES"},
        {ARRAY "2 2 4\n", "expected ROWS COLUMNS"},
        {COORDINATE "0 2 0\n", "a matrix of 0 x 2: expected 1 to"},
        {COORDINATE "2 4294967296 0\n", "a matrix of 2 x 4294967296: expected"},
        {COORDINATE "99999999999999999999 2 0\n", "expected 1 to 4294967294 rows"},
        {COORDINATE "2 2 5\n", "refused:2: 5 entries: a matrix of 2 x 2 has fewer"},
        {SYMMETRIC "2 3 1\n1 1 1\n", "2 x 3: a symmetric matrix is square"},
        {COORDINATE "2 2 2\n1 1 1\n", "refused:4: the file ends here: expected another entry"},
        {COORDINATE "2 2 1\n1 1 1\n2 2 1\n", "refused:4: more entries than the header states"},
        {COORDINATE "2 2 1\n0 1 1\n", "refused:3: '0 1 1': expected ROW COLUMN VALUE within 1"},
        {COORDINATE "2 2 1\n3 1 1\n", "'3 1 1': expected ROW COLUMN VALUE within 1 .. 2, 1 .. 2"},
        {COORDINATE "2 2 1\n1 3 1\n", "'1 3 1': expected ROW COLUMN VALUE"},
        {COORDINATE "2 2 1\n1.0 1 1\n", "'1.0 1 1': expected ROW COLUMN VALUE"},
        {COORDINATE "2 2 1\n1 1\n", "refused:3: '': expected a finite number"},
        {COORDINATE "2 2 1\n1 1 x\n", "refused:3: 'x': expected a finite number"},
        {COORDINATE "2 2 1\n1 1 nan\n", "'nan': expected a finite number"},
        {COORDINATE "2 2 1\n1 1 1e999\n", "'1e999': expected a finite number"},
        {COORDINATE "2 2 1\n1 1 1 1\n", "'1 1': expected a finite number to end the line"},
        {COORDINATE "2 2 2\n1 2 1\n1 2 3\n", "the entry in row 1, column 2 is given twice"},
        {SYMMETRIC "2 2 2\n1 2 1\n2 1 3\n", "is given twice"},
        {"%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1 1\n",
         "'1 1 1': expected ROW COLUMN within"},
        {"%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1.5\n",
         "'1.5': expected a whole number"},
        {ARRAY "2 1\n1\n", "refused:4: the file ends here: expected another value"},
        {ARRAY "2 1\n1\n2\n3\n", "refused:5: more entries than the header states"},
        {ARRAY "2 1\n1 2\n", "refused:3: '1 2': expected a finite number to end the line"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_refused(cases[i][0], cases[i][1]);
    }
    check_refused_bytes(COORDINATE "2 2 1\n1 1\0 1\n", sizeof(COORDINATE) - 1 + 13,
                        "refused:3: '1 1\\x00 1': expected ROW COLUMN VALUE");
}

static void another_width_than_wanted_is_refused(void)
{
    char *path = suite_file("width", ARRAY "1 3\n1\n2\n3\n");
    check_refused_source((data_source){.path = path, .n_cols = 4}, STRADS_ERR_DATA,
                         "width: has 3 columns: expected 4");
    strads_free(path);
}

static void a_matrix_larger_than_memory_is_refused(void)
{
    char *path = suite_file("large", ARRAY "4294967294 4294967295\n1\n");
    check_refused_source((data_source){.path = path}, STRADS_ERR_NOMEM, "large: no memory");
    strads_free(path);
}

static void every_allocation_may_fail_and_every_truncation_ends_in_a_status(void)
{
    static const char *const texts[] = {COORDINATE "3 4 3\n2 2 1.5\n1 2 2\n3 4 1e3\n",
                                        SYMMETRIC "3 3 2\n2 1 1.5\n3 3 2\n",
                                        ARRAY "2 2\n1.5\n2\n3\n4\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *path = suite_file("good.mtx", texts[i]);
        check_every_allocation((data_source){.path = path});
        check_every_truncation(path);
        strads_free(path);
    }
}

static void a_zero_has_no_sign(void)
{
    data_regression d = read_text("%%MatrixMarket matrix array real general\n2 1\n-0.0\n-1\n");
    CHECK(d.x.value[0] == 0.0 && !signbit(d.x.value[0]) && d.x.value[1] == -1.0);
    data_regression_fini(&d);
}

SUITE("data/matrix_market", {"a zero has no sign", a_zero_has_no_sign},
      {"a coordinate file in any order is read", a_coordinate_file_in_any_order_is_read},
      {"zeros are dropped and patterns are ones", zeros_are_dropped_and_patterns_are_ones},
      {"a symmetric file gives both triangles", a_symmetric_file_gives_both_triangles},
      {"an array is dense by columns", an_array_is_dense_by_columns},
      {"every mistake is named with its line", every_mistake_is_named_with_its_line},
      {"another width than wanted is refused", another_width_than_wanted_is_refused},
      {"a matrix larger than memory is refused", a_matrix_larger_than_memory_is_refused},
      {"every allocation may fail and every truncation ends in a status",
       every_allocation_may_fail_and_every_truncation_ends_in_a_status})

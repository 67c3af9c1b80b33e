/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_npy.c - .npy files, good and bad, and back. */
#include "base/random.h"
#include "tests/unit/data/reading.h"

/* Writes a file of version 1 (or 2) with this header and these bytes. */
static char *npy_file(int version, const char *header, const void *values, size_t n_bytes)
{
    char *path = suite_file("x.npy", "");
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    const size_t length = strlen(header);
    fprintf(file, "\x93NUMPY%c%c%c%c", version, 0, (int) (length & 255), (int) (length >> 8));
    if (version > 1) {
        fprintf(file, "%c%c", 0, 0);
    }
    fputs(header, file);
    REQUIRE(fwrite(values, 1, n_bytes, file) == n_bytes);
    REQUIRE(fclose(file) == 0);
    return path;
}

static data_matrix read_matrix(char *path)
{
    data_regression d = {0};
    REQUIRE_OK(data_regression_read(&d, &(data_source){.path = path}));
    strads_free(path);
    return d.x;
}

static const double by_columns[6] = {1, 4, 2, 5, 3, -6};
static const double by_rows[6] = {1, 2, 3, 4, 5, -6};
static const float float_rows[6] = {1, 2, 3, 4, 5, -6};

static void both_orders_and_both_types_give_the_same_matrix(void)
{
    data_matrix all[] = {
        read_matrix(npy_file(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }  \n",
                             by_columns, sizeof(by_columns))),
        read_matrix(npy_file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n",
                             by_rows, sizeof(by_rows))),
        read_matrix(npy_file(2, "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}\n", float_rows,
                             sizeof(float_rows)))};
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(all[i].n_rows == 2 && all[i].n_cols == 3 && all[i].col_start == NULL);
        CHECK(memcmp(all[i].value, by_columns, sizeof(by_columns)) == 0);
        data_matrix_fini(&all[i]);
    }
}

static void a_large_matrix_of_floats_by_rows_is_turned(void)
{
    enum { N = 1100, P = 1300 };
    float *rows = strads_alloc_array((size_t) N * P, sizeof(*rows));
    REQUIRE(rows != NULL);
    strads_random random = strads_random_start(1, 0);
    for (size_t i = 0; i < (size_t) N * P; i++) {
        rows[i] = (float) strads_random_uniform(&random);
    }
    data_matrix x = read_matrix(
        npy_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1100, 1300), }\n", rows,
                 (size_t) N * P * sizeof(*rows)));
    bool same = true;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < P; j++) {
            same = same && x.value[j * N + i] == (double) rows[i * P + j];
        }
    }
    CHECK(same);
    data_matrix_fini(&x);
    strads_free(rows);
}

static void check_bad(int version, const char *header, size_t n_bytes, const char *part)
{
    double values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    char *path = npy_file(version, header, values, n_bytes);
    check_refused_source((data_source){.path = path}, STRADS_ERR_DATA, part);
    strads_free(path);
}

static void a_header_that_is_not_understood_is_refused(void)
{
    static const char *const headers[] = {
        "",
        "{}",
        "{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 6, }",
        "{'descr' '<f8', 'fortran_order': False, 'shape': (2, 3), }"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        check_bad(1, headers[i], 48, "expected 'descr' '<f8' or '<f4'");
    }
    check_bad(9, "{}", 0, "not a .npy file of version 1, 2 or 3");
}

static void sizes_that_do_not_fit_the_content_are_refused(void)
{
    static const char two_by_three[] = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
    check_bad(1, two_by_three, 47, "cut short after 5 of the 6 values");
    check_bad(1, two_by_three, 49, "bytes after the values");
    check_bad(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (6,), }", 48,
              "has one dimension: expected a matrix");
    check_bad(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 3), }", 0,
              "a matrix of 0 x 3: expected 1 to");
    check_bad(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (99999999999999999999999, 3)}",
              0, "expected 1 to 4294967294 rows");
    check_refused_bytes("\x93NUMPY\x01\x00", 8, "the .npy header is not complete");
    check_refused_bytes("\x93NUMPY\x01\x00\xff\xff{}", 12, "the .npy header is not complete");
    check_refused_bytes("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12, "at most 65536 are read");
}

static void a_value_that_is_not_finite_is_placed(void)
{
    double values[6] = {1, 2, 3, 4, NAN, 6};
    static const char *const orders[] = {"True", "False"};
    static const char *const parts[] = {"nan in row 1, column 3", "nan in row 2, column 2"};
    for (size_t i = 0; i < 2; i++) {
        char header[100];
        snprintf(header, sizeof(header), "{'descr': '<f8', 'fortran_order': %s, 'shape': (2, 3), }",
                 orders[i]);
        char *path = npy_file(1, header, values, sizeof(values));
        check_refused_source((data_source){.path = path}, STRADS_ERR_DATA, parts[i]);
        strads_free(path);
    }
}

static void a_value_far_into_the_file_is_placed(void)
{
    enum { N = 300000, BAD = 200000 };
    double *values = strads_calloc(N, sizeof(*values));
    REQUIRE(values != NULL);
    values[BAD] = INFINITY;
    char *path = npy_file(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (100000, 3), }",
                          values, N * sizeof(*values));
    check_refused_source((data_source){.path = path}, STRADS_ERR_DATA, "inf in row 1, column 3");
    strads_free(path);
    strads_free(values);
}

static void what_is_written_is_read_back(void)
{
    static const double values[6] = {1.5, -2, 3e300, 4e-300, 0.1, 6};
    char *path = suite_file("back.npy", "");
    double *back = NULL;
    size_t n = 0;
    REQUIRE_OK(data_npy_write(path, values, 6, 0));
    REQUIRE_OK(data_npy_read(&back, &n, path));
    CHECK(n == 6 && memcmp(back, values, sizeof(values)) == 0);
    strads_free(back);
    REQUIRE_OK(data_npy_write(path, values, 3, 2));
    size_t n_bytes = 0;
    char *bytes = contents(path, &n_bytes);
    CHECK((n_bytes - sizeof(values)) % 64 == 0);
    CHECK(strstr(bytes + 10, "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }") ==
          bytes + 10);
    strads_free(bytes);
    data_matrix x = read_matrix(path);
    CHECK(x.n_rows == 3 && x.n_cols == 2 && memcmp(x.value, values, sizeof(values)) == 0);
    data_matrix_fini(&x);
}

static void every_allocation_may_fail_and_every_truncation_ends_in_a_status(void)
{
    char *path = npy_file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n",
                          by_rows, sizeof(by_rows));
    check_every_allocation((data_source){.path = path});
    check_every_truncation(path);
    strads_free(path);
}

SUITE("data/npy",
      {"both orders and both types give the same matrix",
       both_orders_and_both_types_give_the_same_matrix},
      {"a large matrix of floats by rows is turned", a_large_matrix_of_floats_by_rows_is_turned},
      {"a header that is not understood is refused", a_header_that_is_not_understood_is_refused},
      {"sizes that do not fit the content are refused",
       sizes_that_do_not_fit_the_content_are_refused},
      {"a value that is not finite is placed", a_value_that_is_not_finite_is_placed},
      {"a value far into the file is placed", a_value_far_into_the_file_is_placed},
      {"what is written is read back", what_is_written_is_read_back},
      {"every allocation may fail and every truncation ends in a status",
       every_allocation_may_fail_and_every_truncation_ends_in_a_status})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_precision.c - matrices of floats: when they are, and what is in them. */
#include "tests/unit/data/reading.h"

static data_regression read_as(const char *path, data_precision precision)
{
    data_regression d = {.y = NULL};
    REQUIRE_OK(data_regression_read(
        &d, &(data_source){.path = path, .target = "y", .precision = precision}));
    CHECK((d.x.value == NULL) == (d.x.narrow != NULL));
    return d;
}

static data_size measure_as(const char *path, data_precision precision)
{
    data_size size;
    REQUIRE_OK(data_regression_measure(
        &size, &(data_source){.path = path, .target = "y", .precision = precision}));
    return size;
}

/* Whether it is of floats, with each precision in turn. */
static void check_kinds(const char *path, const bool narrow[4])
{
    data_regression plain = read_as(path, DATA_DOUBLE);
    const data_size plain_size = measure_as(path, DATA_DOUBLE);
    for (size_t k = 0; k < 4; k++) {
        const data_precision precision = (data_precision) k;
        data_regression d = read_as(path, precision);
        const data_size size = measure_as(path, precision);
        const size_t saved = data_matrix_entries(&d.x) * (sizeof(double) - sizeof(float));
        CHECK((d.x.narrow != NULL) == narrow[k]);
        CHECK(size.narrow == narrow[k]);
        CHECK(plain_size.bytes - size.bytes == (narrow[k] ? saved : 0));
        CHECK(size.peak_bytes <= plain_size.peak_bytes);
        CHECK(precision == DATA_FLOAT || same_matrix(&d.x, &plain.x));
        for (size_t i = 0; i < data_matrix_entries(&d.x); i++) {
            const double value = data_matrix_value(&plain.x, i);
            CHECK(data_matrix_value(&d.x, i) == (narrow[k] ? (double) (float) value : value));
        }
        data_regression_fini(&d);
    }
    data_regression_fini(&plain);
}

static void check_text_kinds(const char *text, const bool narrow[4])
{
    char *path = suite_file("kinds", text);
    check_kinds(path, narrow);
    strads_free(path);
}

static const bool exact_sparse[] = {false, true, true, true};
static const bool exact_dense[] = {false, true, true, false};
static const bool inexact[] = {false, true, false, false};

static void text_becomes_floats_where_nothing_is_lost(void)
{
    check_text_kinds("0.1 2:1 7:-2.5\n0.2 1:16777216\n0.3\n", exact_sparse);
    check_text_kinds("0.1 2:1 7:-2.5\n0.2 1:16777217\n0.3\n", inexact);
    check_text_kinds("0.1 2:1 7:0.1\n0.2\n0.3\n", inexact);
    check_text_kinds("0.1 1:1 2:2\n0.2 1:3 2:4\n", exact_dense);
    check_text_kinds("0.1 1:1 2:2\n0.2 1:3 2:4.1\n", inexact);
    check_text_kinds("a,b,y\n1,0,0.1\n2,3,0.7\n", exact_dense);
    check_text_kinds("a,b,c,y\n1,0,0,0.1\n0,0,3.3,0.7\n", inexact);
    check_text_kinds("%%MatrixMarket matrix coordinate pattern general\n3 3 2\n1 1\n3 2\n",
                     exact_sparse);
}

/* Their values are not looked at by a measure. */
static void of_matrix_market_only_patterns_are_foretold(void)
{
    char *path = suite_file("array", "%%MatrixMarket matrix array real general\n2 1\n1\n2\n");
    data_regression d = read_as(path, DATA_EXACT);
    CHECK(d.x.narrow != NULL && d.x.narrow[1] == 2.0F);
    CHECK(!measure_as(path, DATA_EXACT).narrow && measure_as(path, DATA_FLOAT).narrow);
    data_regression_fini(&d);
    strads_free(path);
}

/* An .npy matrix of 3000 x 3, more than is rounded at a time. */
static char *npy_file(bool fortran, bool floats, double last)
{
    enum { N = 9000 };
    char *path = suite_file("x.npy", "");
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    char header[119];
    const int length = snprintf(header, sizeof(header),
                                "{'descr': '<f%d', 'fortran_order': %s, 'shape': (3000, 3), }",
                                floats ? 4 : 8, fortran ? "True" : "False");
    fprintf(file, "\x93NUMPY\x01%c\x76%c%-*s\n", '\0', '\0', 117, header);
    REQUIRE(length > 0);
    for (size_t k = 0; k < N; k++) {
        const double value = k + 1 == N ? last : 0.1 * (double) k;
        const float small = (float) value;
        fwrite(floats ? (const void *) &small : &value, floats ? sizeof(small) : sizeof(value), 1,
               file);
    }
    REQUIRE(fclose(file) == 0);
    return path;
}

static void of_npy_float32_stays_float(void)
{
    for (int kind = 0; kind < 4; kind++) {
        char *path = npy_file(kind & 1, kind & 2, 0.3);
        check_kinds(path, kind & 2 ? exact_dense : inexact);
        CHECK(measure_as(path, DATA_FLOAT).peak_bytes < measure_as(path, DATA_DOUBLE).peak_bytes);
        strads_free(path);
    }
}

static void check_beyond(const char *text, const char *part)
{
    char *path = suite_file("beyond", text);
    data_regression d = read_as(path, DATA_EXACT);
    CHECK(d.x.narrow == NULL);
    data_regression_fini(&d);
    check_refused_source((data_source){.path = path, .target = "y", .precision = DATA_FLOAT},
                         STRADS_ERR_DATA, part);
    strads_free(path);
}

static void what_a_float_cannot_hold_is_refused(void)
{
    check_beyond("1 1:2\n2 3:1e39\n3\n",
                 "beyond:2: 1e+39: beyond the range of float, 0 and 1.2e-38 to 3.4e+38");
    check_beyond("1 1:2\n2\n3 3:-1e-50\n", "beyond:3: -1e-50: beyond the range of float");
    check_beyond("a,b,y\n1,2,3\n4,3.41e38,6\n", "beyond:3: 3.41e+38: beyond the range of float");
    check_beyond("%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n3 2 1e-39\n",
                 "beyond:4: 1e-39: beyond the range of float");
    check_beyond("%%MatrixMarket matrix array real general\n2 1\n1\n-1e300\n",
                 "beyond:4: -1e+300: beyond the range of float");
    for (int fortran = 0; fortran < 2; fortran++) {
        char *path = npy_file(fortran, false, 1e39);
        check_refused_source((data_source){.path = path, .target = "y", .precision = DATA_FLOAT},
                             STRADS_ERR_DATA,
                             "1e+39 in row 3000, column 3: beyond the range of float");
        strads_free(path);
        path = npy_file(fortran, fortran, (double) INFINITY);
        check_refused_source((data_source){.path = path, .target = "y", .precision = DATA_FLOAT},
                             STRADS_ERR_DATA, "inf in row 3000, column 3: expected finite numbers");
        strads_free(path);
    }
}

/* Targets stay doubles, whatever is in them; so do floats below the range that are exact. */
static void what_a_float_holds_exactly_is_taken(void)
{
    char *path = suite_file("fine", "1e300 1:1.401298464324817e-45\n1e-300 5:0\n2\n3\n");
    data_regression d = read_as(path, DATA_FLOAT);
    CHECK(d.x.narrow != NULL && d.y[0] == 1e300 && d.y[1] == 1e-300);
    CHECK(data_matrix_value(&d.x, 0) == 0x1p-149);
    data_regression_fini(&d);
    strads_free(path);
}

static void columns_of_floats_are_multiplied_like_those_of_doubles(void)
{
    static const char *const texts[] = {"1 1:2 9:1\n2 4:3\n3 4:-0.5\n", "1 1:2 2:1\n2 1:3\n"};
    static const double v[] = {0.5, -7, 3};
    for (size_t i = 0; i < 2; i++) {
        char *path = suite_file("columns", texts[i]);
        data_regression d = read_as(path, DATA_DOUBLE);
        data_regression f = read_as(path, DATA_FLOAT);
        for (size_t j = 0; j < d.x.n_cols; j++) {
            double sums[2][3] = {{0.0}, {0.0}};
            data_matrix_add(&d.x, j, -1.5, sums[0]);
            data_matrix_add(&f.x, j, -1.5, sums[1]);
            CHECK(memcmp(sums[0], sums[1], sizeof(sums[0])) == 0);
            CHECK(data_matrix_dot(&d.x, j, v) == data_matrix_dot(&f.x, j, v));
            CHECK(data_matrix_squares(&d.x, j) == data_matrix_squares(&f.x, j));
        }
        data_regression_fini(&d);
        data_regression_fini(&f);
        strads_free(path);
    }
}

static void floats_are_written_as_they_are(void)
{
    static const char *const texts[] = {"1.25 1:0.1 9:1\n2 4:3\n", "1 1:0.1 2:0.2\n2 1:0.3\n"};
    for (size_t i = 0; i < 2; i++) {
        char *path = suite_file("written", texts[i]);
        data_regression d = read_as(path, DATA_FLOAT);
        strads_free(path);
        path = suite_file("back", "");
        REQUIRE_OK(data_libsvm_write(path, &d));
        data_regression back = read_as(path, DATA_EXACT);
        CHECK(same_matrix(&d.x, &back.x) && back.x.narrow != NULL);
        data_regression_fini(&back);
        REQUIRE_OK(data_matrix_market_write(path, &d.x));
        back = read_as(path, DATA_EXACT);
        CHECK(same_matrix(&d.x, &back.x) && back.x.narrow != NULL);
        data_regression_fini(&back);
        data_regression_fini(&d);
        strads_free(path);
    }
}

static void every_allocation_may_fail(void)
{
    char *path = suite_file("fails", "1 1:2 3:4\n2 2:5\n");
    check_every_allocation((data_source){.path = path, .target = "y", .precision = DATA_FLOAT});
    strads_free(path);
    for (int fortran = 0; fortran < 2; fortran++) {
        path = npy_file(fortran, false, 1.0);
        check_every_allocation((data_source){.path = path, .target = "y", .precision = DATA_FLOAT});
        strads_free(path);
    }
}

SUITE("data/precision",
      {"text becomes floats where nothing is lost", text_becomes_floats_where_nothing_is_lost},
      {"of Matrix Market only patterns are foretold", of_matrix_market_only_patterns_are_foretold},
      {"of npy float32 stays float", of_npy_float32_stays_float},
      {"what a float cannot hold is refused", what_a_float_cannot_hold_is_refused},
      {"what a float holds exactly is taken", what_a_float_holds_exactly_is_taken},
      {"columns of floats are multiplied like those of doubles",
       columns_of_floats_are_multiplied_like_those_of_doubles},
      {"floats are written as they are", floats_are_written_as_they_are},
      {"every allocation may fail", every_allocation_may_fail})

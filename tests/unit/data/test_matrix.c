/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_matrix.c - columns of a sparse and of a dense matrix. */
#include "data/data.h"
#include "tests/support/suite.h"

enum { ROWS = 3, COLS = 3 };

/* The same matrix twice: columns (1 0 -2), (0 0 0) and (3 4 5). */
static double dense_values[] = {1, 0, -2, 0, 0, 0, 3, 4, 5};
static int64_t starts[] = {0, 2, 2, 5};
static uint32_t rows[] = {0, 2, 0, 1, 2};
static double values[] = {1, -2, 3, 4, 5};
static const data_matrix dense = {.n_rows = ROWS, .n_cols = COLS, .value = dense_values};
static const data_matrix sparse = {
    .n_rows = ROWS, .n_cols = COLS, .col_start = starts, .row = rows, .value = values};
static const data_matrix *const both[] = {&dense, &sparse};

static void entries_are_those_that_are_stored(void)
{
    CHECK(data_matrix_entries(&dense) == (size_t) ROWS * COLS);
    CHECK(data_matrix_entries(&sparse) == 5);
}

static void a_column_meets_a_vector_alike_sparse_and_dense(void)
{
    const double v[ROWS] = {2, 3, 5};
    for (size_t k = 0; k < 2; k++) {
        CHECK_NEAR(data_matrix_dot(both[k], 0, v), 2 - 10, 0.0);
        CHECK_NEAR(data_matrix_dot(both[k], 1, v), 0, 0.0);
        CHECK_NEAR(data_matrix_dot(both[k], 2, v), 6 + 12 + 25, 0.0);
        CHECK_NEAR(data_squares(v, 0), 0, 0.0);
        CHECK_NEAR(data_matrix_squares(both[k], 0), 5, 0.0);
        CHECK_NEAR(data_matrix_squares(both[k], 1), 0, 0.0);
        CHECK_NEAR(data_matrix_squares(both[k], 2), 50, 0.0);
    }
}

static void adding_a_column_touches_its_rows_only(void)
{
    for (size_t k = 0; k < 2; k++) {
        double v[ROWS] = {1, 1, 1};
        data_matrix_add(both[k], 0, 0.5, v);
        CHECK_NEAR(v[0], 1.5, 0.0);
        CHECK_NEAR(v[1], 1.0, 0.0);
        CHECK_NEAR(v[2], 0.0, 0.0);
        data_matrix_add(both[k], 1, 7.0, v);
        CHECK_NEAR(v[0] + v[1] + v[2], 2.5, 0.0);
    }
}

static void a_matrix_of_zeros_may_be_finished(void)
{
    data_matrix none = {0};
    data_matrix_fini(&none);
    data_matrix_fini(&none);
    CHECK(none.value == NULL);
}

SUITE("data/matrix", {"entries are those that are stored", entries_are_those_that_are_stored},
      {"a column meets a vector alike, sparse and dense",
       a_column_meets_a_vector_alike_sparse_and_dense},
      {"adding a column touches its rows only", adding_a_column_touches_its_rows_only},
      {"a matrix of zeros may be finished", a_matrix_of_zeros_may_be_finished})

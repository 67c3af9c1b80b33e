/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_columns.c - entries in any order against a plain list. */
#include "data/columns.h"

#include "base/random.h"
#include "tests/unit/data/reading.h"

typedef struct triplet {
    uint32_t row, col;
    double value;
} triplet;

static int by_column(const void *a, const void *b)
{
    const triplet *left = a;
    const triplet *right = b;
    const uint64_t l = (uint64_t) left->col << 32 | left->row;
    const uint64_t r = (uint64_t) right->col << 32 | right->row;
    return (l > r) - (l < r);
}

/* Draws distinct places by a step through all places that is prime to their number. */
static void draw(triplet *entries, size_t n, size_t n_rows, size_t n_cols, strads_random *random)
{
    const uint64_t places = (uint64_t) n_rows * n_cols;
    const uint64_t step = 1000003;
    REQUIRE(n <= places && places % step != 0);
    for (size_t i = 0; i < n; i++) {
        const uint64_t place = i * step % places;
        entries[i] = (triplet){.row = (uint32_t) (place % n_rows),
                               .col = (uint32_t) (place / n_rows),
                               .value = strads_random_uniform(random) + 0.5};
    }
}

static void check_case(size_t n_rows, size_t n_cols, size_t n, bool known)
{
    strads_random random = strads_random_start(n_cols, n);
    triplet *entries = strads_alloc_array(n, sizeof(*entries));
    data_columns *columns = NULL;
    REQUIRE(entries != NULL);
    REQUIRE_OK(data_columns_create(&columns, "test", known ? n_cols : 0));
    draw(entries, n, n_rows, n_cols, &random);
    for (size_t i = 0; i < n; i++) {
        REQUIRE_OK(data_columns_add(columns, entries[i].row, entries[i].col, entries[i].value));
        REQUIRE_OK(data_columns_add(columns, entries[i].row, entries[i].col, 0.0));
    }
    data_matrix matrix = {0};
    REQUIRE_OK(data_columns_finish(columns, n_rows, n_cols, data_columns_dense(n_rows, n_cols, n),
                                   3, &matrix));
    CHECK((matrix.col_start == NULL) == data_columns_dense(n_rows, n_cols, n));
    qsort(entries, n, sizeof(*entries), by_column);
    for (size_t i = 0; i < n && matrix.col_start != NULL; i++) {
        REQUIRE((int64_t) i >= matrix.col_start[entries[i].col]);
        REQUIRE((int64_t) i < matrix.col_start[entries[i].col + 1]);
        REQUIRE(matrix.row[i] == entries[i].row && matrix.value[i] == entries[i].value);
    }
    for (size_t i = 0; i < n && matrix.col_start == NULL; i++) {
        REQUIRE(at(&matrix, entries[i].row, entries[i].col) == entries[i].value);
    }
    data_matrix_fini(&matrix);
    data_columns_destroy(columns);
    strads_free(entries);
}

static void entries_in_any_order_become_sorted_columns(void)
{
    static const size_t cases[][3] = {{1, 1, 1},          {1, 1, 0},        {7, 511, 900},
                                      {7, 512, 900},      {7, 513, 900},    {7, 1025, 900},
                                      {40, 3, 40},        {4000, 1, 1900},  {3, 70001, 100000},
                                      {900, 600, 200000}, {5, 1000000, 50}, {4294967294, 2, 1000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_case(cases[i][0], cases[i][1], cases[i][2], true);
        check_case(cases[i][0], cases[i][1], cases[i][2], false);
    }
}

static void more_than_half_of_the_entries_make_a_dense_matrix(void)
{
    check_case(10, 10, 50, false);
    check_case(10, 10, 51, false);
    check_case(10, 10, 100, true);
    check_case(300, 700, 200001, false);
}

static void columns_beyond_the_last_entry_are_empty(void)
{
    data_columns *columns = NULL;
    data_matrix m = {0};
    REQUIRE_OK(data_columns_create(&columns, "test", 0));
    REQUIRE_OK(data_columns_add(columns, 1, 0, 5.0));
    REQUIRE_OK(data_columns_finish(columns, 2, 2000, false, 1, &m));
    CHECK(m.col_start[0] == 0 && m.col_start[1] == 1 && m.col_start[2000] == 1);
    data_matrix_fini(&m);
    data_columns_destroy(columns);
}

typedef struct twice {
    size_t n_rows;
    strads_status status;
} twice;

static void add_twice(void *context)
{
    twice *t = context;
    data_columns *columns = NULL;
    data_matrix m = {0};
    REQUIRE_OK(data_columns_create(&columns, "twice", 0));
    REQUIRE_OK(data_columns_add(columns, 1, 2, 5.0));
    REQUIRE_OK(data_columns_add(columns, 0, 2, 5.0));
    REQUIRE_OK(data_columns_add(columns, 0, 1, 5.0));
    REQUIRE_OK(data_columns_add(columns, 1, 2, 6.0));
    t->status = data_columns_finish(columns, t->n_rows, 3, t->n_rows == 2, 1, &m);
    data_columns_destroy(columns);
}

/* All entries of columns first .. last-1, each once, those of a column as they were added. */
static void check_cursor(data_columns *columns, const triplet *entries, size_t n, uint32_t first,
                         uint32_t last)
{
    data_columns_cursor cursor;
    data_entry e = {.row = 0};
    size_t expected = 0;
    size_t got = 0;
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        expected += entries[i].col >= first && entries[i].col < last;
    }
    size_t *next = strads_calloc(last, sizeof(*next)); /* of each column, where to look on */
    REQUIRE(next != NULL);
    data_columns_begin(&cursor, columns, first, last);
    while (data_columns_next(&cursor, &e)) {
        if (e.col >= first && e.col < last) {
            size_t i = next[e.col];
            while (i < n && entries[i].col != e.col) {
                i++;
            }
            good = good && i < n && entries[i].row == e.row && entries[i].value == e.value;
            next[e.col] = i + 1;
            got++;
        }
    }
    CHECK(good && got == expected);
    strads_free(next);
}

static void entries_can_be_gone_through_by_columns(void)
{
    enum { N = 900, N_COLS = 3000 };
    strads_random random = strads_random_start(5, 0);
    triplet entries[N] = {{0}};
    data_columns *columns = NULL;
    REQUIRE_OK(data_columns_create(&columns, "test", 0));
    check_cursor(columns, entries, 0, 0, 1);
    draw(entries, N, 7, N_COLS, &random);
    for (size_t i = 0; i < N; i++) {
        REQUIRE_OK(data_columns_add(columns, entries[i].row, entries[i].col, entries[i].value));
        if (i == N / 2) {
            check_cursor(columns, entries, i + 1, 0, N_COLS);
        }
    }
    static const uint32_t ranges[][2] = {{0, N_COLS}, {0, 1},      {N_COLS - 1, N_COLS},
                                         {100, 101},  {500, 2001}, {9000, 9001}};
    for (size_t k = 0; k < sizeof(ranges) / sizeof(ranges[0]); k++) {
        check_cursor(columns, entries, N, ranges[k][0], ranges[k][1]);
    }
    data_columns_destroy(columns);
}

/* Whoever added it when, it is the first by column and row. */
static void what_is_given_twice_may_be_kept_instead_of_said(void)
{
    for (uint32_t k = 0; k < 4; k++) {
        data_columns *columns = NULL;
        data_matrix m = {0};
        data_entry kept;
        const uint32_t n_rows = k < 2 ? 3 : 40;
        REQUIRE_OK(data_columns_create(&columns, "twice", 4));
        data_columns_keep_twice(columns, &kept);
        for (uint32_t i = 0; i < 16; i++) { /* (2, 1), (1, 2) and (2, 2) are there twice */
            const uint32_t at = k % 2 == 0 ? i : 15 - i;
            static const uint32_t places[16][2] = {{0, 0}, {2, 2}, {1, 2}, {2, 1}, {0, 3}, {1, 2},
                                                   {2, 1}, {2, 2}, {1, 0}, {2, 0}, {0, 1}, {1, 1},
                                                   {0, 2}, {1, 3}, {2, 3}, {2, 1}};
            REQUIRE_OK(data_columns_add(columns, places[at][0], places[at][1], 1.0));
        }
        CHECK_STATUS(data_columns_finish(columns, n_rows, 4, k < 2, 1, &m), STRADS_ERR_DATA);
        CHECK(kept.value != 0.0 && kept.row == 2 && kept.col == 1);
        data_columns_destroy(columns);
    }
}

/* Columns that are made together, two of which have something twice, unordered. */
static void the_first_of_a_bucket_is_kept(void)
{
    static const uint32_t places[5][2] = {{2, 0}, {0, 0}, {2, 0}, {1, 1}, {1, 1}};
    enum { MANY = 4096 };
    data_columns *columns = NULL;
    data_matrix m = {0};
    data_entry kept;
    REQUIRE_OK(data_columns_create(&columns, "twice", MANY));
    data_columns_keep_twice(columns, &kept);
    for (uint32_t i = 0; i < 5; i++) {
        REQUIRE_OK(data_columns_add(columns, places[i][0], places[i][1], 1.0));
    }
    CHECK_STATUS(data_columns_finish(columns, 4, MANY, false, 1, &m), STRADS_ERR_DATA);
    CHECK(kept.value != 0.0 && kept.row == 2 && kept.col == 0);
    data_columns_destroy(columns);
}

static void an_entry_given_twice_is_refused_sparse_or_dense(void)
{
    for (size_t n_rows = 2; n_rows <= 20; n_rows += 18) {
        const size_t live = strads_mem_live();
        twice t = {.n_rows = n_rows};
        char *message = suite_stderr_of(add_twice, &t);
        CHECK_STATUS(t.status, STRADS_ERR_DATA);
        CHECK(strstr(message, "twice: the entry in row 2, column 3 is given twice") != NULL);
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
}

SUITE("data/columns",
      {"entries in any order become sorted columns", entries_in_any_order_become_sorted_columns},
      {"more than half of the entries make a dense matrix",
       more_than_half_of_the_entries_make_a_dense_matrix},
      {"columns beyond the last entry are empty", columns_beyond_the_last_entry_are_empty},
      {"entries can be gone through by columns", entries_can_be_gone_through_by_columns},
      {"what is given twice may be kept instead of said",
       what_is_given_twice_may_be_kept_instead_of_said},
      {"the first of a bucket is kept", the_first_of_a_bucket_is_kept},
      {"an entry given twice is refused, sparse or dense",
       an_entry_given_twice_is_refused_sparse_or_dense})

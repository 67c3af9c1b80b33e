/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_write_text.c - what is written is read back, bit by bit. */
#include "tests/unit/data/reading.h"

static data_regression generate(size_t n_rows, size_t n_cols, size_t column_entries)
{
    data_regression d = {0};
    REQUIRE_OK(data_lasso_generate(&d, NULL,
                                   &(data_lasso_design){.n_rows = n_rows,
                                                        .n_cols = n_cols,
                                                        .column_entries = column_entries,
                                                        .correlation = 0.5,
                                                        .shared = 0.5,
                                                        .n_informative = 3,
                                                        .noise = 0.1,
                                                        .seed = 7}));
    return d;
}

static void check_back(const data_regression *d, const char *path)
{
    data_regression back = {0};
    REQUIRE_OK(data_regression_read(&back, &(data_source){.path = path, .n_cols = d->x.n_cols}));
    CHECK(same_matrix(&d->x, &back.x));
    CHECK(back.y == NULL || memcmp(d->y, back.y, d->x.n_rows * sizeof(double)) == 0);
    data_regression_fini(&back);
}

static void a_matrix_written_is_read_back_sparse_or_dense(void)
{
    static const size_t cases[][3] = {{50, 40, 3}, {20, 30, 0}, {1, 5, 0}, {7, 3, 1}};
    char *path = suite_file("back", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        data_regression d = generate(cases[i][0], cases[i][1], cases[i][2]);
        REQUIRE_OK(data_libsvm_write(path, &d));
        check_back(&d, path);
        REQUIRE_OK(data_matrix_market_write(path, &d.x));
        check_back(&d, path);
        data_regression_fini(&d);
    }
    strads_free(path);
}

/* More entries than the writer turns at a time. */
static void many_blocks_of_rows_are_written_in_order(void)
{
    data_regression d = generate(3000, 20000, 30);
    char *path = suite_file("blocks", "");
    REQUIRE_OK(data_libsvm_write(path, &d));
    data_regression back = {0};
    REQUIRE_OK(data_regression_read(&back, &(data_source){.path = path, .n_cols = 20000}));
    const size_t n = data_matrix_entries(&d.x);
    REQUIRE(data_matrix_entries(&back.x) == n);
    CHECK(memcmp(d.x.row, back.x.row, n * sizeof(*d.x.row)) == 0);
    CHECK(memcmp(d.x.value, back.x.value, n * sizeof(*d.x.value)) == 0);
    CHECK(memcmp(d.y, back.y, d.x.n_rows * sizeof(double)) == 0);
    data_regression_fini(&back);
    data_regression_fini(&d);
    strads_free(path);
}

typedef struct writing {
    const data_regression *data;
    const char *path;
    size_t fail_after;
    strads_status status;
} writing;

static void write_libsvm(void *context)
{
    writing *w = context;
    strads_mem_fail_after(w->fail_after);
    w->status = data_libsvm_write(w->path, w->data);
    strads_mem_fail_after(0);
}

static void no_memory_leaves_the_old_file(void)
{
    data_regression d = generate(50, 40, 3);
    char *path = suite_file("old", "old");
    const size_t live = strads_mem_live();
    writing w = {.data = &d, .path = path, .status = STRADS_ERR_NOMEM};
    while (w.status == STRADS_ERR_NOMEM) {
        size_t n = 0;
        char *bytes = contents(path, &n);
        CHECK_TEXT(bytes, "old");
        strads_free(bytes);
        w.fail_after++;
        strads_free(suite_stderr_of(write_libsvm, &w));
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(w.status, STRADS_OK);
    CHECK(w.fail_after > 5);
    data_regression_fini(&d);
    strads_free(path);
}

SUITE("data/write_text",
      {"a matrix written is read back, sparse or dense",
       a_matrix_written_is_read_back_sparse_or_dense},
      {"many blocks of rows are written in order", many_blocks_of_rows_are_written_in_order},
      {"no memory leaves the old file", no_memory_leaves_the_old_file})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_libsvm.c - libsvm text, good and bad. */
#include "base/random.h"
#include "tests/unit/data/reading.h"

enum { LONG_LINE_COLS = 400000 };

static void a_small_file_is_read_as_written(void)
{
    data_regression d = read_text("1.5 1:2 3:-4e0\n"
                                  "-2 2:+.5   4:7 \t\n"
                                  "0\n"
                                  "3 1:0 4:0.0\n");
    CHECK(d.x.n_rows == 4 && d.x.n_cols == 4);
    REQUIRE(d.x.col_start != NULL && data_matrix_entries(&d.x) == 4);
    CHECK(at(&d.x, 0, 0) == 2.0 && at(&d.x, 0, 2) == -4.0);
    CHECK(at(&d.x, 1, 1) == 0.5 && at(&d.x, 1, 3) == 7.0);
    CHECK(d.y[0] == 1.5 && d.y[1] == -2.0 && d.y[2] == 0.0 && d.y[3] == 3.0);
    data_regression_fini(&d);
}

static void crlf_comments_and_a_missing_last_newline_change_nothing(void)
{
    data_regression plain = read_text("1 1:2 2:3 9:1\n2 9:4\n");
    static const char *const others[] = {
        "1 1:2 2:3 9:1\n2 9:4",     "1 1:2 2:3 9:1\r\n2 9:4\r\n",
        "1 1:2 2:3 9:1\r\n2 9:4\r", "# head 1:1\n1 1:2 2:3 9:1# tail\n#\n  2\t9:4 # x",
        "1 1:2 2:3 9:1 \n2 9:4 ",   "1 1:2 2:3 5:0 9:1 \n2 9:4#"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        data_regression d = read_text(others[i]);
        CHECK(same_matrix(&plain.x, &d.x));
        CHECK(memcmp(plain.y, d.y, 2 * sizeof(double)) == 0);
        data_regression_fini(&d);
    }
    data_regression_fini(&plain);
}

static void one_row_and_one_column_are_enough(void)
{
    data_regression d = read_text("5 1:2");
    CHECK(d.x.n_rows == 1 && d.x.n_cols == 1 && d.x.col_start == NULL);
    CHECK(d.x.value[0] == 2.0 && d.y[0] == 5.0);
    data_regression_fini(&d);
}

static void a_file_more_than_half_full_becomes_dense(void)
{
    data_regression half = read_text("1 1:1 2:2\n2\n");
    CHECK(half.x.col_start != NULL);
    data_regression_fini(&half);
    data_regression more = read_text("1 1:1 2:2\n2 1:3\n");
    REQUIRE(more.x.col_start == NULL);
    CHECK(more.x.value[0] == 1 && more.x.value[1] == 3 && more.x.value[2] == 2);
    CHECK(more.x.value[3] == 0);
    data_regression_fini(&more);
}

static void every_mistake_is_named_with_its_line(void)
{
    static const char *const cases[][2] = {
        {"", "holds no rows"},
        {"# nothing\n", "holds no rows"},
        {"1\n2\n", "holds no INDEX:VALUE, so its number of columns is unknown"},
        {"1 1:1\n\n2 1:1\n", "refused:2: an empty line"},
        {"1 1:1\n \t\r\n", "refused:2: an empty line"},
        {"\xef\xbb\xbf"
         "1 1:1\n",
         "refused:1: '\\xef\\xbb\\xbf1': expected the target"},
        {"1:1 2:2\n", "refused:1: '1:1': expected the target, a finite number"},
        {"abc 1:1\n", "refused:1: 'abc': expected the target"},
        {"nan 1:1\n", "'nan': expected the target, a finite number"},
        {"1 1:1\n1e999 1:1\n", "refused:2: '1e999': expected the target"},
        {"1,2 1:1\n", "'1,2': expected the target"},
        {"1 1:nan\n", "'1:nan': expected INDEX:VALUE with a finite number"},
        {"1 1:-inf\n", "'1:-inf': expected INDEX:VALUE with a finite number"},
        {"1 1:1e400\n", "'1:1e400': expected INDEX:VALUE with a finite number"},
        {"1 1:0x10\n", "'1:0x10': expected INDEX:VALUE"},
        {"1 1: 2\n", "'1:': expected INDEX:VALUE"},
        {"1 1\n", "'1': expected INDEX:VALUE"},
        {"1 1:", "'1:': expected INDEX:VALUE"},
        {"1 :1\n", "':1': expected INDEX:VALUE"},
        {"1 -1:1\n", "'-1:1': expected INDEX:VALUE"},
        {"1 1.0:1\n", "'1.0:1': expected INDEX:VALUE"},
        {"1 1:1,2:2\n", "'1:1,2:2': expected INDEX:VALUE"},
        {"1 qid:3 1:1\n", "'qid:3': expected INDEX:VALUE; query ids belong to ranking"},
        {"1 0:1\n", "'0:1': expected an index from 1 to 4294967295"},
        {"1 4294967296:1\n", "'4294967296:1': expected an index from 1 to 4294967295"},
        {"1 99999999999999999999999:1\n", "expected an index from 1 to 4294967295"},
        {"1 1:1\n1 2:1 2:1\n", "refused:2: index 2 after index 2: expected ascending"},
        {"1 1:1\n1 7:1 2:1\n", "refused:2: index 2 after index 7: expected ascending"},
        {"1 2:0 2:0\n", "refused:1: index 2 after index 2: expected ascending"},
        {"1 1:1\r2 1:1\n", "refused:1: '2': expected INDEX:VALUE"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_refused(cases[i][0], cases[i][1]);
    }
}

static void nul_bytes_are_refused_wherever_they_are(void)
{
    check_refused_bytes("1 1:1\n\0", 7, "refused:2: '\\x00': expected the target");
    check_refused_bytes("1 1:1\0\n", 7, "refused:1: '1:1\\x00': expected INDEX:VALUE");
    check_refused_bytes("1 1:1 \0", 7, "refused:1: '\\x00': expected INDEX:VALUE");
    check_refused_bytes("\0", 1, "refused:1: '\\x00': expected the target");
}

static void a_stated_width_is_kept_and_enforced(void)
{
    char *path = suite_file("narrow", "1 1:1\n2 3:1\n");
    data_regression d = {0};
    REQUIRE_OK(data_regression_read(&d, &(data_source){.path = path, .n_cols = 5}));
    CHECK(d.x.n_cols == 5 && d.x.col_start[5] == 2);
    data_regression_fini(&d);
    check_refused_source((data_source){.path = path, .n_cols = 2}, STRADS_ERR_DATA,
                         "narrow:2: '3:1': expected an index from 1 to 2");
    strads_free(path);
}

static void a_line_longer_than_any_buffer_is_read(void)
{
    enum { COMMENT_BYTES = 3 << 20 };
    char *text = strads_alloc((size_t) LONG_LINE_COLS * 16 + COMMENT_BYTES);
    REQUIRE(text != NULL);
    char *p = text + sprintf(text, "7");
    for (int j = 1; j <= LONG_LINE_COLS; j++) {
        p += sprintf(p, " %d:%d", j, j % 10 + 1);
    }
    sprintf(p, " #%*s\n", 2 << 20, "end");
    data_regression d = read_text(text);
    CHECK(d.x.n_rows == 1 && d.x.n_cols == LONG_LINE_COLS);
    bool same = true;
    for (int j = 0; j < LONG_LINE_COLS; j++) {
        same = same && at(&d.x, 0, (size_t) j) == (j + 1) % 10 + 1;
    }
    CHECK(same);
    data_regression_fini(&d);
    strads_free(text);
}

static void a_word_longer_than_the_buffer_is_refused(void)
{
    enum { N = 1 << 21 };
    char *text = strads_alloc(N + 1);
    REQUIRE(text != NULL);
    memset(text, '1', N);
    text[1] = ' ';
    text[N] = '\0';
    check_refused(text, "refused:1: a line or word of more than 1048576 bytes");
    strads_free(text);
}

enum { ROWS = 60, COLS = 900 };

/* Writes random rows in random spelling; oracle[i][0] is the target, oracle[i][j]
 * column j, by strtod. */
static void write_random(FILE *file, double oracle[ROWS][COLS + 1], double density,
                         strads_random *random)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j <= COLS; j++) {
            oracle[i][j] = 0.0;
            if (j > 0 && j < COLS && strads_random_uniform(random) >= density) {
                continue;
            }
            char word[64];
            const double scale = pow(10, (double) strads_random_below(random, 40) - 20);
            snprintf(word, sizeof(word), "%.*g", 1 + (int) strads_random_below(random, 20),
                     (strads_random_uniform(random) - 0.5) * scale);
            oracle[i][j] = strtod(word, NULL);
            if (j > 0) {
                fprintf(file, " %zu:", j);
            }
            fputs(word, file);
        }
        fputc('\n', file);
    }
}

static void random_files_are_read_as_strtod_reads_them(void)
{
    static double oracle[ROWS][COLS + 1];
    strads_random random = strads_random_start(5, 0);
    for (int round = 0; round < 20; round++) {
        char *path = suite_file("random", "");
        FILE *file = fopen(path, "w");
        REQUIRE(file != NULL);
        write_random(file, oracle, round % 2 == 0 ? 0.02 : 0.7, &random);
        REQUIRE(fclose(file) == 0);
        data_regression d = {0};
        REQUIRE_OK(data_regression_read(&d, &(data_source){.path = path}));
        REQUIRE(d.x.n_rows == ROWS && d.x.n_cols == COLS);
        CHECK((d.x.col_start == NULL) == (round % 2 == 1));
        bool same = true;
        for (size_t i = 0; i < ROWS; i++) {
            same = same && d.y[i] == oracle[i][0];
            for (size_t j = 1; j <= COLS; j++) {
                same = same && at(&d.x, i, j - 1) == oracle[i][j];
            }
        }
        CHECK(same);
        data_regression_fini(&d);
        strads_free(path);
    }
}

static void every_allocation_may_fail(void)
{
    char *path = suite_file("alloc", "1 1:1\n2 600:1\n3 4000:1\n");
    check_every_allocation((data_source){.path = path});
    strads_free(path);
    path = suite_file("alloc", "1 1:1 2:1\n");
    check_every_allocation((data_source){.path = path});
    strads_free(path);
    path = bytes_file("alloc.gz", "", 0);
    append_gzip(path, "1 1:1\n2 600:1\n", 14);
    check_every_allocation((data_source){.path = path});
    strads_free(path);
}

static void every_truncation_ends_in_a_status(void)
{
    char *path = suite_file("truncate", "1 1:1.25 3:4e5 # c\r\n-2.5 2:+7\n3 1:1 700:1e-3\n");
    check_every_truncation(path);
    size_t n = 0;
    char *text = contents(path, &n);
    char *zipped = bytes_file("truncate.gz", "", 0);
    append_gzip(zipped, text, n);
    check_every_truncation(zipped);
    strads_free(text);
    strads_free(zipped);
    strads_free(path);
}

SUITE("data/libsvm", {"a small file is read as written", a_small_file_is_read_as_written},
      {"CRLF, comments and a missing last newline change nothing",
       crlf_comments_and_a_missing_last_newline_change_nothing},
      {"one row and one column are enough", one_row_and_one_column_are_enough},
      {"a file more than half full becomes dense", a_file_more_than_half_full_becomes_dense},
      {"every mistake is named with its line", every_mistake_is_named_with_its_line},
      {"NUL bytes are refused wherever they are", nul_bytes_are_refused_wherever_they_are},
      {"a stated width is kept and enforced", a_stated_width_is_kept_and_enforced},
      {"a line longer than any buffer is read", a_line_longer_than_any_buffer_is_read},
      {"a word longer than the buffer is refused", a_word_longer_than_the_buffer_is_refused},
      {"random files are read as strtod reads them", random_files_are_read_as_strtod_reads_them},
      {"every allocation may fail", every_allocation_may_fail},
      {"every truncation ends in a status", every_truncation_ends_in_a_status})

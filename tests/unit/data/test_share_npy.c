/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_share_npy.c - of a .npy file, compressed or not, each takes what it keeps.
 */
#include <math.h>
#include <string.h>

#include "tests/unit/data/share_case.h"

/* A .npy file of n_rows x n_cols whose value in row i, column j is i + j / 100. */
static char *npy_file(size_t n_rows, size_t n_cols, bool fortran, bool floats)
{
    char header[129];
    const int n = snprintf(header, sizeof(header),
                           "\x93NUMPY\x01%c\x76%c{'descr': '<f%d', 'fortran_order': %s, 'shape': "
                           "(%zu, %zu), }",
                           '\0', '\0', floats ? 4 : 8, fortran ? "True" : "False", n_rows, n_cols);
    memset(header + n, ' ', sizeof(header) - 2 - (size_t) n);
    header[127] = '\n';
    char *path = suite_file("x.npy", "");
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL && fwrite(header, 1, 128, file) == 128);
    for (size_t k = 0; k < n_rows * n_cols; k++) {
        const size_t i = fortran ? k % n_rows : k / n_cols;
        const size_t j = fortran ? k / n_rows : k % n_cols;
        const double value = (double) i + (double) j / 100.0;
        const float small = (float) value;
        REQUIRE(floats ? fwrite(&small, sizeof(small), 1, file) == 1
                       : fwrite(&value, sizeof(value), 1, file) == 1);
    }
    REQUIRE(fclose(file) == 0);
    return path;
}

/* The same, compressed in two members. */
static char *compressed(const char *name, const char *path)
{
    size_t n = 0;
    char *bytes = contents(path, &n);
    char *to = bytes_file(name, "", 0);
    append_gzip(to, bytes, n / 3);
    append_gzip(to, bytes + n / 3, n - n / 3);
    strads_free(bytes);
    return to;
}

static void check_both(char *path)
{
    char *gz = compressed("x.npy.gz", path);
    const char *const paths[] = {path, gz};
    for (size_t i = 0; i < 2; i++) {
        check_shares((data_source){.path = paths[i]});
        check_shares((data_source){.path = paths[i], .precision = DATA_FLOAT});
    }
    strads_free(gz);
    strads_free(path);
}

static void each_takes_what_it_keeps(void)
{
    static const size_t shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {3, 4}, {37, 23}};
    for (size_t k = 0; k < 4 * sizeof(shapes) / sizeof(shapes[0]); k++) {
        check_both(npy_file(shapes[k / 4][0], shapes[k / 4][1], k % 2 == 0, k / 2 % 2 == 0));
    }
}

/* Several buffers of a stream. */
static void a_long_stream_is_the_same_in_shares(void)
{
    for (size_t k = 0; k < 2; k++) {
        char *path = npy_file(900, 400, k == 0, false);
        char *gz = compressed("long.npy.gz", path);
        check_some_shares((data_source){.path = gz}, 5);
        strads_free(gz);
        strads_free(path);
    }
}

static void a_process_holds_little_more_than_its_part(void)
{
    for (size_t k = 0; k < 2; k++) {
        char *path = npy_file(800, 96, k == 0, false);
        char *gz = compressed("x.npy.gz", path);
        check_bytes(path);
        check_bytes(gz);
        strads_free(gz);
        strads_free(path);
    }
}

static size_t count_words(const char *text, const char *words)
{
    size_t n = 0;
    for (const char *at = strstr(text, words); at != NULL; at = strstr(at + 1, words)) {
        n++;
    }
    return n;
}

/* Processes find these for themselves, and `n_say` of 3 say so; 1: at least one. */
static void check_refused_by(size_t n_say, data_source source, const char *message)
{
    team self = {.source = source, .count = 3, .n_workers = 3};
    for (int k = 0; k < 2; k++) {
        self.split = k == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS;
        char *said = suite_stderr_of(read_together, &self);
        CHECK_STATUS(self.status, STRADS_ERR_DATA);
        CHECK(count_words(said, message) >= 1 &&
              (n_say == 1 || count_words(said, message) == n_say));
        strads_free(said);
        drop(&self); /* who has not met it has its share */
    }
}

/* Plain and compressed. */
static void check_bytes_refused(const void *bytes, size_t n, size_t n_say, const char *message)
{
    char *path = bytes_file("bad.npy", bytes, n);
    char *gz = compressed("bad.npy.gz", path);
    char *y_path = suite_file("y", "1\n2\n3\n4\n5\n"); /* those that are well go on to it */
    check_refused_by(n_say, (data_source){.path = path}, message);
    check_refused_by(n_say, (data_source){.path = gz}, message);
    check_refused_by(n_say, (data_source){.path = gz, .y_path = y_path}, message);
    strads_free(y_path);
    strads_free(gz);
    strads_free(path);
}

static void a_file_of_another_length_is_refused(void)
{
    for (size_t k = 0; k < 2; k++) {
        char *path = npy_file(5, 4, k == 0, false);
        size_t n = 0;
        char *bytes = contents(path, &n);
        check_bytes_refused(bytes, n - 8, 1, "cut short after 19 of the 20 values");
        check_bytes_refused(bytes, n + 1, 3, "bytes after the values");
        check_bytes_refused(bytes, 128 + 3, 1, "cut short after 0 of the 20 values");
        strads_free(bytes);
        strads_free(path);
    }
}

static void a_value_that_is_not_finite_is_named(void)
{
    const double bad = INFINITY;
    char *path = npy_file(5, 4, true, false);
    size_t n = 0;
    char *bytes = contents(path, &n);
    memcpy(bytes + 128 + 8 * 6, &bad, sizeof(bad));
    check_bytes_refused(bytes, n, 1, "inf in row 2, column 2");
    strads_free(bytes);
    strads_free(path);
}

/* Of what the first block does not show all processes say so: each reads it to the end. */
static void damaged_gzip_is_refused(void)
{
    for (size_t k = 0; k < 2; k++) {
        const size_t n_say = k == 0 ? 1 : 3;
        char *path = k == 0 ? npy_file(50, 40, true, false) : npy_file(900, 400, false, false);
        char *gz = compressed("x.npy.gz", path);
        size_t n = 0;
        char *bytes = contents(gz, &n);
        char *cut = bytes_file("cut.npy.gz", bytes, n - 9);
        check_refused_by(n_say, (data_source){.path = cut},
                         "cut.npy.gz: the gzip data is cut short");
        bytes[n - 6] = (char) ~bytes[n - 6];
        char *damaged = bytes_file("damaged.npy.gz", bytes, n);
        check_refused_by(n_say, (data_source){.path = damaged}, "damaged gzip data");
        strads_free(damaged);
        strads_free(cut);
        strads_free(bytes);
        strads_free(gz);
        strads_free(path);
    }
}

static void every_allocation_of_a_lone_process_may_fail(void)
{
    for (size_t k = 0; k < 2; k++) {
        char *path = npy_file(6, 5, k == 0, false);
        char *gz = compressed("x.npy.gz", path);
        check_alone_without_memory((data_source){.path = path});
        check_alone_without_memory((data_source){.path = gz});
        strads_free(gz);
        strads_free(path);
    }
}

SUITE("data/share_npy", {"each takes what it keeps", each_takes_what_it_keeps},
      {"a long stream is the same in shares", a_long_stream_is_the_same_in_shares},
      {"a process holds little more than its part", a_process_holds_little_more_than_its_part},
      {"a file of another length is refused", a_file_of_another_length_is_refused},
      {"a value that is not finite is named", a_value_that_is_not_finite_is_named},
      {"damaged gzip is refused", damaged_gzip_is_refused},
      {"every allocation of a lone process may fail", every_allocation_of_a_lone_process_may_fail})

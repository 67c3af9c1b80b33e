/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_counts.c - matrices of counts: what is written is read back, or refused. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/counts.h"
#include "tests/support/suite.h"

enum { N_ROWS = 53, N_COLS = 37 };

static uint32_t value_of(size_t row, size_t col)
{
    return row % 5 == 1 || col % 3 == 0 ? 0 : (uint32_t) (row * 2654435761U + col * 40503U);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

/* ---- dense ---- */

static void put_row(data_counts_writer *writer, size_t row)
{
    uint32_t values[N_COLS];
    for (size_t j = 0; j < N_COLS; j++) {
        values[j] = value_of(row, j);
    }
    data_counts_writer_put(writer, row, values);
}

/* Rows in the order of i * step. */
static strads_status write_dense(const char *path, size_t step)
{
    data_counts_writer *writer = NULL;
    const strads_status status = data_counts_writer_open(&writer, path, N_ROWS, N_COLS);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        put_row(writer, i * step % N_ROWS);
    }
    return data_counts_writer_commit(writer);
}

static void dense(void)
{
    static const size_t steps[] = {1, 2, 52, 20};
    for (size_t s = 0; s < 4; s++) {
        const char *path = path_of("dense.npy");
        REQUIRE_OK(write_dense(path, steps[s]));
        data_counts counts;
        REQUIRE_OK(data_counts_map(&counts, path));
        CHECK(counts.n_rows == N_ROWS && counts.n_cols == N_COLS);
        for (size_t i = 0; i < N_ROWS * N_COLS; i++) {
            CHECK(counts.values[i] == value_of(i / N_COLS, i % N_COLS));
        }
        data_counts_fini(&counts);
    }
    data_counts none = {.n_rows = 0};
    data_counts_fini(&none);
}

/* As numpy.save writes it: a header of 128 bytes, blanks before the newline. */
static void header(void)
{
    char bytes[256] = "";
    REQUIRE_OK(write_dense(path_of("dense.npy"), 1));
    FILE *from = fopen(path_of("dense.npy"), "r");
    REQUIRE(from != NULL && fread(bytes, 1, 128, from) == 128);
    fclose(from);
    CHECK(memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    CHECK(strncmp(bytes + 10, "{'descr': '<u4', 'fortran_order': False, 'shape': (53, 37), }  ",
                  62) == 0);
    CHECK(bytes[126] == ' ' && bytes[127] == '\n');
}

typedef struct asked {
    const char *path;
    strads_status status;
} asked;

static void map_once(void *context)
{
    asked *a = context;
    data_counts counts = {.n_rows = 99};
    a->status = data_counts_map(&counts, a->path);
    CHECK(counts.n_rows == 99);
}

static void check_refused(const char *path, strads_status status, const char *part)
{
    asked a = {.path = path};
    char *said = suite_stderr_of(map_once, &a);
    CHECK_STATUS(a.status, status);
    CHECK(strstr(said, part) != NULL);
    strads_free(said);
}

/* Writes n bytes of a header of 64 and values after it. */
static const char *write_raw(const char *text, size_t n)
{
    char bytes[128] = "\x93NUMPY\x01\x00\x36\x00";
    snprintf(bytes + 10, 54, "%s", text);
    FILE *to = fopen(path_of("raw.npy"), "w");
    REQUIRE(to != NULL && fwrite(bytes, 1, n, to) == n);
    fclose(to);
    return path_of("raw.npy");
}

static void refused(void)
{
    static const char good[] = "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }";
    check_refused(path_of("missing"), STRADS_ERR_IO, "missing: No such file");
    check_refused(suite_folder(), STRADS_ERR_DATA, "expected a .npy file");
    for (size_t n = 0; n < 10; n++) {
        check_refused(write_raw(good, n), STRADS_ERR_DATA, "expected a .npy file");
    }
    check_refused(write_raw(good, 63), STRADS_ERR_DATA, "expected a .npy file");
    check_refused(write_raw("{'descr': '<f8', 'fortran_order': False, 'shape': (1,2)", 72),
                  STRADS_ERR_DATA, "'<u4'");
    check_refused(write_raw("", 64), STRADS_ERR_DATA, "'<u4'");
}

/* Files of a good header whose values are not as many. */
static void lengths(void)
{
    REQUIRE_OK(write_dense(path_of("cut.npy"), 1));
    const off_t whole = 128 + (off_t) (N_ROWS * N_COLS * sizeof(uint32_t));
    static const off_t changes[] = {-1, -4, -(off_t) (N_ROWS * N_COLS * sizeof(uint32_t)), 1, 4};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        REQUIRE(truncate(path_of("cut.npy"), whole + changes[i]) == 0);
        check_refused(path_of("cut.npy"), STRADS_ERR_DATA, "expected 53 x 37 numbers of 4 bytes");
    }
}

/* ---- sparse ---- */

static strads_status write_sparse(const char *path)
{
    data_entries_writer *writer = NULL;
    const strads_status status = data_entries_writer_open(&writer, path, N_ROWS, N_COLS);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        const size_t row = i * 30 % N_ROWS;
        uint32_t columns[N_COLS];
        uint32_t values[N_COLS];
        size_t n = 0;
        for (uint32_t j = 0; j < N_COLS; j++) {
            columns[n] = j;
            values[n] = value_of(row, j);
            n += values[n] > 0;
        }
        data_entries_writer_put(writer, row, columns, values, n);
    }
    return data_entries_writer_commit(writer);
}

static void sparse(void)
{
    const char *path = path_of("sparse.mtx");
    REQUIRE_OK(write_sparse(path));
    FILE *from = fopen(path, "r");
    char line[128] = "";
    size_t n_rows = 0;
    size_t n_cols = 0;
    size_t n_entries = 0;
    REQUIRE(from != NULL && fgets(line, sizeof(line), from) != NULL);
    CHECK_TEXT(line, "%%MatrixMarket matrix coordinate integer general\n");
    REQUIRE(fscanf(from, "%zu %zu %zu", &n_rows, &n_cols, &n_entries) == 3);
    CHECK(n_rows == N_ROWS && n_cols == N_COLS);
    size_t expected = 0;
    for (size_t i = 0; i < N_ROWS * N_COLS; i++) {
        expected += value_of(i / N_COLS, i % N_COLS) > 0;
    }
    CHECK(n_entries == expected);
    for (size_t e = 0; e < n_entries; e++) {
        size_t row = 0;
        size_t col = 0;
        uint32_t value = 0;
        REQUIRE(fscanf(from, "%zu %zu %u", &row, &col, &value) == 3);
        CHECK(value > 0 && value == value_of(row - 1, col - 1));
    }
    CHECK(fgetc(from) == '\n' && fgetc(from) == EOF);
    fclose(from);
}

/* A row of more entries than a block of text has. */
static void long_rows(void)
{
    enum { N = 65535 };
    static uint32_t columns[N];
    static uint32_t values[N];
    data_entries_writer *writer = NULL;
    for (uint32_t j = 0; j < N; j++) {
        columns[j] = j;
        values[j] = UINT32_MAX - j;
    }
    REQUIRE_OK(data_entries_writer_open(&writer, path_of("long.mtx"), SIZE_MAX, N));
    data_entries_writer_put(writer, SIZE_MAX - 2, columns, values, N);
    REQUIRE_OK(data_entries_writer_commit(writer));
    FILE *from = fopen(path_of("long.mtx"), "r");
    char line[128];
    REQUIRE(from != NULL && fgets(line, sizeof(line), from) && fgets(line, sizeof(line), from));
    for (uint32_t j = 0; j < N; j++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "%zu %u %u\n", SIZE_MAX - 1, j + 1, UINT32_MAX - j);
        REQUIRE(fgets(line, sizeof(line), from) != NULL);
        REQUIRE(strcmp(line, expected) == 0);
    }
    fclose(from);
}

static void read_by_ours(void)
{
    data_regression read;
    const char *path = path_of("sparse.mtx");
    REQUIRE_OK(write_sparse(path));
    const data_source source = {.path = path};
    REQUIRE_OK(data_regression_read(&read, &source));
    CHECK(read.x.n_rows == N_ROWS && read.x.n_cols == N_COLS);
    data_regression_fini(&read);
}

/* ---- what fails ---- */

typedef struct writing {
    strads_status (*write)(const char *path);
    strads_status status;
} writing;

static strads_status write_plain(const char *path)
{
    return write_dense(path, 2);
}

static void write_once(void *context)
{
    writing *w = context;
    w->status = w->write(path_of("new"));
}

static void writing_fails(void)
{
    const size_t live = strads_mem_live();
    writing kinds[] = {{.write = write_plain}, {.write = write_sparse}};
    struct rlimit saved;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &saved);
    for (size_t k = 0; k < 2; k++) {
        for (size_t n = 1; n <= 4; n++) {
            strads_mem_fail_after(n);
            strads_free(suite_stderr_of(write_once, &kinds[k]));
            strads_mem_fail_after(0);
            CHECK_STATUS(kinds[k].status, STRADS_ERR_NOMEM);
        }
        const struct rlimit limit = {.rlim_cur = 200, .rlim_max = saved.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        strads_free(suite_stderr_of(write_once, &kinds[k]));
        setrlimit(RLIMIT_FSIZE, &saved);
        CHECK_STATUS(kinds[k].status, STRADS_ERR_IO);
        CHECK(access(path_of("new"), F_OK) != 0);
    }
    data_counts_writer *dense_writer = NULL;
    data_entries_writer *sparse_writer = NULL;
    REQUIRE_OK(data_counts_writer_open(&dense_writer, path_of("new"), 2, 2));
    REQUIRE_OK(data_entries_writer_open(&sparse_writer, path_of("new"), 2, 2));
    data_counts_writer_abandon(dense_writer);
    data_entries_writer_abandon(sparse_writer);
    data_counts_writer_abandon(NULL);
    data_entries_writer_abandon(NULL);
    CHECK(access(path_of("new"), F_OK) != 0);
    CHECK(strads_mem_live() == live);
}

SUITE("counts", {"dense counts are read back, in whatever order rows were written", dense},
      {"the header is the one that NumPy writes", header},
      {"other files are refused with what is expected", refused},
      {"a file that is cut short or too long is refused", lengths},
      {"sparse counts are Matrix Market, with their number at the top", sparse},
      {"rows of any length are written", long_rows},
      {"the reader of matrices takes sparse counts", read_by_ours},
      {"a full disk and missing memory are said, and leave no file", writing_fails})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/reading.h - what the tests of the readers share. */
#ifndef STRADS_TESTS_UNIT_DATA_READING_H
#define STRADS_TESTS_UNIT_DATA_READING_H

#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/data.h"
#include "tests/support/suite.h"

/* Writes n bytes, any bytes; the path is for strads_free. */
static inline char *bytes_file(const char *name, const void *bytes, size_t n)
{
    char *path = suite_file(name, "");
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    const size_t written = fwrite(bytes, 1, n, file);
    REQUIRE(fclose(file) == 0 && written == n);
    return path;
}

/* Appends a gzip member. */
static inline void append_gzip(const char *path, const void *bytes, size_t n)
{
    gzFile file = gzopen(path, "ab");
    REQUIRE(file != NULL);
    REQUIRE(gzwrite(file, bytes, (unsigned) n) == (int) n);
    REQUIRE(gzclose(file) == Z_OK);
}

/* The whole of a file; *n bytes, for strads_free. */
static inline char *contents(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL);
    char *bytes = NULL;
    size_t got = 1;
    for (*n = 0; got > 0; *n += got) {
        bytes = strads_realloc(bytes, *n + 65537);
        REQUIRE(bytes != NULL);
        got = fread(bytes + *n, 1, 65536, file);
    }
    bytes[*n] = '\0';
    fclose(file);
    return bytes;
}

typedef struct attempt {
    data_source source;
    size_t fail_after; /* for strads_mem_fail_after */
    strads_status status;
} attempt;

static inline void read_and_drop(void *context)
{
    attempt *a = context;
    data_regression data = {0};
    strads_mem_fail_after(a->fail_after);
    a->status = data_regression_read(&data, &a->source);
    strads_mem_fail_after(0);
    data_regression_fini(&data);
}

/* Reading the source must fail so, with a message that contains `part`. */
static inline void check_refused_source(data_source source, strads_status status, const char *part)
{
    const size_t live = strads_mem_live();
    attempt a = {.source = source};
    char *message = suite_stderr_of(read_and_drop, &a);
    if (a.status != status || strstr(message, part) == NULL) {
        fprintf(stderr, "status %d (expected %d), message '%s' (expected '%s')\n", a.status, status,
                message, part);
    }
    CHECK(a.status == status);
    CHECK(strstr(message, part) != NULL);
    strads_free(message);
    CHECK(strads_mem_live() == live);
}

/* As above for a file of these bytes. */
static inline void check_refused_bytes(const void *bytes, size_t n, const char *part)
{
    char *path = bytes_file("refused", bytes, n);
    check_refused_source((data_source){.path = path}, STRADS_ERR_DATA, part);
    strads_free(path);
}

static inline void check_refused(const char *text, const char *part)
{
    check_refused_bytes(text, strlen(text), part);
}

/* Reads a file of this text, which must be good. */
static inline data_regression read_text(const char *text)
{
    char *path = suite_file("good", text);
    data_regression data = {0};
    REQUIRE_OK(data_regression_read(&data, &(data_source){.path = path}));
    strads_free(path);
    return data;
}

/* x[i, j], whatever the storage: the slow oracle. */
static inline double at(const data_matrix *x, size_t i, size_t j)
{
    if (x->col_start == NULL) {
        return data_matrix_value(x, j * x->n_rows + i);
    }
    for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
        if (x->row[k] == i) {
            return data_matrix_value(x, (size_t) k);
        }
    }
    return 0.0;
}

static inline bool same_matrix(const data_matrix *a, const data_matrix *b)
{
    bool same = a->n_rows == b->n_rows && a->n_cols == b->n_cols &&
                (a->col_start == NULL) == (b->col_start == NULL);
    for (size_t j = 0; same && j < a->n_cols; j++) {
        for (size_t i = 0; same && i < a->n_rows; i++) {
            same = at(a, i, j) == at(b, i, j);
        }
    }
    return same;
}

/* Reads with the first, second, ... allocation failing until none does. */
static inline void check_every_allocation(data_source source)
{
    const size_t live = strads_mem_live();
    attempt a = {.source = source, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM && a.fail_after < 1000) {
        a.fail_after++;
        char *message = suite_stderr_of(read_and_drop, &a);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(a.fail_after > 2);
}

/* Reading any beginning of a good file must end in a status, without a leak. */
static inline void check_every_truncation(const char *path)
{
    size_t n = 0;
    char *bytes = contents(path, &n);
    const size_t live = strads_mem_live();
    for (size_t cut = 0; cut < n; cut += 1 + n / 300) {
        char *shorter = bytes_file("cut", bytes, cut);
        attempt a = {.source = {.path = shorter}};
        char *message = suite_stderr_of(read_and_drop, &a);
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_DATA);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        strads_free(shorter);
        CHECK(strads_mem_live() == live);
    }
    strads_free(bytes);
}

#endif

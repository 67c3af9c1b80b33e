/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_file.h - hands the fuzzer's bytes to a reader as a file, and
 * checks what the reader promises.
 *
 * Build: clang -g -O1 -fsanitize=fuzzer,address,undefined ... ; run with
 * -close_fd_mask=2, as each refusal prints its message.
 */
#ifndef STRADS_TESTS_FUZZ_FUZZ_FILE_H
#define STRADS_TESTS_FUZZ_FUZZ_FILE_H

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Matrices above this are measured and not read: a few bytes may state any size. */
enum { FUZZ_MAX_BYTES = 1 << 24 };

static inline void fuzz_require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* A file of these bytes; valid until the next call. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t n)
{
    static char path[] = "/tmp/strads-fuzz-XXXXXX";
    static char name[32];
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(path);
        fuzz_require(fd >= 0 && unlink(path) == 0);
        snprintf(name, sizeof(name), "/dev/fd/%d", fd);
    }
    fuzz_require(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, n, 0) == (ssize_t) n);
    return name;
}

static inline void fuzz_check_matrix(const data_matrix *x)
{
    const size_t n = data_matrix_entries(x);
    fuzz_require(x->n_rows > 0 && x->n_cols > 0 && (x->value == NULL) == (x->narrow != NULL));
    for (size_t k = 0; k < n; k++) {
        fuzz_require(isfinite(data_matrix_value(x, k)));
    }
    for (size_t j = 0; x->col_start != NULL && j < x->n_cols; j++) {
        fuzz_require(x->col_start[j] <= x->col_start[j + 1]);
        for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
            fuzz_require(x->row[k] < x->n_rows && data_matrix_value(x, (size_t) k) != 0.0);
            fuzz_require(k == x->col_start[j] || x->row[k - 1] < x->row[k]);
        }
    }
}

static inline void fuzz_read_as(const uint8_t *bytes, size_t n, data_format format,
                                data_precision precision)
{
    const size_t live = strads_mem_live();
    const data_source source = {
        .path = fuzz_file(bytes, n), .format = format, .precision = precision};
    data_size size = {0};
    if (data_regression_measure(&size, &source) == STRADS_OK && size.peak_bytes < FUZZ_MAX_BYTES) {
        data_regression data = {0};
        if (data_regression_read(&data, &source) == STRADS_OK) {
            fuzz_require(size.n_rows == data.x.n_rows && size.n_cols == data.x.n_cols);
            fuzz_check_matrix(&data.x);
            data_regression_fini(&data);
        }
    }
    fuzz_require(strads_mem_live() == live);
}

/* Reads the bytes as a source of this format: what is read keeps the promises of
 * data_matrix and has the size that was measured; nothing stays allocated. */
static inline void fuzz_read(const uint8_t *bytes, size_t n, data_format format)
{
    fuzz_read_as(bytes, n, format, DATA_DOUBLE);
    fuzz_read_as(bytes, n, format, DATA_FLOAT);
    fuzz_read_as(bytes, n, format, DATA_EXACT);
}

#endif

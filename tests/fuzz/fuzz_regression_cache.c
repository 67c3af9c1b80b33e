/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_regression_cache.c - any bytes as a cache of a matrix.
 *
 * A hash cannot be guessed, so the bytes are tried twice: as they are, and as changes of a matrix
 * that is then saved, with hashes of its own.
 */
#include <string.h>

#include "data/regression_cache.h"
#include "tests/fuzz/fuzz_file.h"

static void load(const char *path, uint64_t key)
{
    data_regression d = {.y = NULL};
    uint64_t checksum = 0;
    if (regression_cache_load(&d, &checksum, path, key, 1)) {
        fuzz_check_matrix(&d.x);
        data_regression_fini(&d);
    }
}

static void change(void *memory, size_t room, const uint8_t **bytes, size_t *n)
{
    const size_t take = *n < room ? *n : room;
    for (size_t i = 0; i < take; i++) {
        ((uint8_t *) memory)[i] ^= (*bytes)[i];
    }
    *bytes += take;
    *n -= take;
}

/* A matrix of three values, doubles or floats, with the bytes over it. */
static void save_changed(const char *path, const uint8_t *bytes, size_t n, bool narrow)
{
    int64_t starts[] = {0, 2, 3};
    uint32_t rows[] = {0, 2, 1};
    double values[] = {1.0, 2.0, 3.0};
    float floats[] = {1.0F, 2.0F, 3.0F};
    double y[] = {1.0, 2.0, 3.0};
    change(starts, 2 * sizeof(*starts), &bytes, &n); /* the last says how many values there are */
    change(rows, sizeof(rows), &bytes, &n);
    if (narrow) {
        change(floats, sizeof(floats), &bytes, &n);
    } else {
        change(values, sizeof(values), &bytes, &n);
    }
    change(y, sizeof(y), &bytes, &n);
    const data_regression d = {.x = {.n_rows = 3,
                                     .n_cols = 2,
                                     .col_start = starts,
                                     .row = rows,
                                     .value = narrow ? NULL : values,
                                     .narrow = narrow ? floats : NULL},
                               .y = y};
    regression_cache_save(&d, path, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[64];
    const size_t live = strads_mem_live();
    uint64_t key = 0;
    if (n > offsetof(regression_cache_head, key) + sizeof(key)) {
        memcpy(&key, bytes + offsetof(regression_cache_head, key), sizeof(key));
    }
    load(fuzz_file(bytes, n), key);
    snprintf(path, sizeof(path), "/tmp/strads-fuzz-matrix-%ld", (long) getpid());
    for (int narrow = 0; narrow < 2; narrow++) {
        save_changed(path, bytes, n, narrow);
        load(path, 1);
    }
    unlink(path);
    fuzz_require(strads_mem_live() == live);
    return 0;
}

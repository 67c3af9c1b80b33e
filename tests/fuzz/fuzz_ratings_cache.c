/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_ratings_cache.c - any bytes as a cache of ratings.
 *
 * A checksum cannot be guessed, so the bytes are tried twice: as they are, and as changes
 * of a set that is then saved, with a checksum of its own.
 */
#include <string.h>

#include "data/ratings_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void load(const char *path, uint64_t key)
{
    data_ratings r;
    if (ratings_cache_load(&r, path, key)) {
        for (size_t i = 0; i < r.n; i++) {
            fuzz_require(r.entries[i].row < r.ids[DATA_USERS].n);
            fuzz_require(r.entries[i].column < r.ids[DATA_ITEMS].n);
            fuzz_require(isfinite(r.entries[i].value));
        }
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            char digits[DATA_ID_BYTES];
            for (uint32_t i = 0; i < r.ids[side].n; i++) {
                (void) data_ids_find(&r.ids[side], data_ids_name(&r.ids[side], i, digits));
            }
        }
        data_ratings_fini(&r);
    }
}

/* A set of two ratings, users by number and items by text, with the bytes over it. */
static void save_changed(const char *path, const uint8_t *bytes, size_t n)
{
    data_rating entries[2] = {{0, 0, 1.0F}, {1, 1, 2.0F}};
    double times[2] = {1.0, 2.0};
    uint32_t numbers[2] = {5, 6};
    size_t starts[2] = {0, 3};
    char text[6] = "ab\0cd";
    struct {
        void *at;
        size_t bytes;
    } parts[] = {{entries, sizeof(entries)},
                 {times, sizeof(times)},
                 {numbers, sizeof(numbers)},
                 {starts, sizeof(starts)},
                 {text, sizeof(text)}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const size_t take = n < parts[i].bytes ? n : parts[i].bytes;
        for (size_t k = 0; k < take; k++) {
            ((uint8_t *) parts[i].at)[k] ^= bytes[k];
        }
        bytes += take;
        n -= take;
    }
    const data_ratings r = {.entries = entries,
                            .times = times,
                            .n = 2,
                            .ids = {{.n = 2, .number = numbers},
                                    {.n = 2, .start = starts, .text = text, .text_bytes = 6}}};
    ratings_cache_save(&r, path, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[64];
    const size_t live = strads_mem_live();
    uint64_t key = 0;
    if (n > offsetof(ratings_cache_head, key) + sizeof(key)) {
        memcpy(&key, bytes + offsetof(ratings_cache_head, key), sizeof(key));
    }
    load(fuzz_file(bytes, n), key);
    snprintf(path, sizeof(path), "/tmp/strads-fuzz-cache-%ld", (long) getpid());
    save_changed(path, bytes, n);
    load(path, 1);
    unlink(path);
    fuzz_require(strads_mem_live() == live);
    return 0;
}

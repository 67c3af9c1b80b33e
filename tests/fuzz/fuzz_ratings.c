/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_ratings.c - any bytes as a file of ratings; the first one picks options. */
#include <string.h>

#include "data/ratings.h"
#include "tests/fuzz/fuzz_file.h"

static void check_ids(const data_ids *ids)
{
    char digits[DATA_ID_BYTES];
    for (uint32_t i = 0; i < ids->n; i++) {
        fuzz_require(data_ids_find(ids, data_ids_name(ids, i, digits)) == i);
    }
}

/* Whatever is read keeps the promises of data_ratings, and is read so by more threads too. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) {
        return 0;
    }
    const size_t live = strads_mem_live();
    data_ratings_source source = {.path = fuzz_file(bytes + 1, n - 1),
                                  .texts = {bytes[0] & 1, bytes[0] >> 1 & 1},
                                  .times = bytes[0] >> 2 & 1,
                                  .n_threads = 1};
    data_ratings r;
    data_ratings again;
    const strads_status status = data_ratings_read(&r, &source);
    source.n_threads = 3;
    fuzz_require(data_ratings_read(&again, &source) == status);
    if (status == STRADS_OK) {
        fuzz_require(r.n > 0 && r.n == again.n && r.n_duplicates == again.n_duplicates);
        fuzz_require(memcmp(r.entries, again.entries, r.n * sizeof(*r.entries)) == 0);
        fuzz_require((r.times != NULL) == source.times);
        for (size_t i = 0; i < r.n; i++) {
            fuzz_require(r.entries[i].row < r.ids[DATA_USERS].n);
            fuzz_require(r.entries[i].column < r.ids[DATA_ITEMS].n);
            fuzz_require(isfinite(r.entries[i].value));
        }
        check_ids(&r.ids[DATA_USERS]);
        check_ids(&r.ids[DATA_ITEMS]);
        data_ratings_fini(&r);
        data_ratings_fini(&again);
    }
    fuzz_require(strads_mem_live() == live);
    return 0;
}

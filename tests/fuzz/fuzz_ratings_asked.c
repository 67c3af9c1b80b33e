/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_ratings_asked.c - any bytes as a map, a list or pairs, as the first one says. */
#include <string.h>

#include "data/ratings.h"
#include "tests/fuzz/fuzz_file.h"

/* A map that is read finds its ids again. */
static void check_map(const char *path)
{
    data_ids ids;
    char digits[DATA_ID_BYTES];
    if (data_ids_read(&ids, path) == STRADS_OK) {
        fuzz_require(ids.n > 0);
        for (uint32_t i = 0; i < ids.n; i++) {
            fuzz_require(data_ids_find(&ids, data_ids_name(&ids, i, digits)) == i);
        }
        data_ids_fini(&ids);
    }
}

static void check_list(const data_ids *ids, data_side side, const char *path)
{
    uint32_t *list = NULL;
    size_t n = 0;
    if (data_ids_read_list(&list, &n, ids, side, path) == STRADS_OK) {
        fuzz_require(n > 0);
        for (size_t i = 0; i < n; i++) {
            fuzz_require(list[i] < ids[side].n);
        }
        strads_free(list);
    }
}

static void check_pairs(const data_ids *ids, const char *path)
{
    data_ratings pairs;
    if (data_ratings_read_pairs(&pairs, ids, path) == STRADS_OK) {
        size_t n_unseen = 0;
        for (size_t i = 0; i < pairs.n; i++) {
            const data_rating *pair = &pairs.entries[i];
            fuzz_require(pair->row < ids[DATA_USERS].n || pair->row == DATA_UNSEEN);
            fuzz_require(pair->column < ids[DATA_ITEMS].n || pair->column == DATA_UNSEEN);
            fuzz_require(!isinf(pair->value));
            n_unseen += pair->row == DATA_UNSEEN || pair->column == DATA_UNSEEN;
        }
        fuzz_require(pairs.n > 0 && pairs.n_unseen == n_unseen);
        data_ratings_fini(&pairs);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char numbers[] = "1\n2\n30\n";
    static const char texts[] = "a\nb c\n1\n";
    static data_ids ids[DATA_N_SIDES];
    if (ids[0].n == 0) {
        fuzz_require(data_ids_read(&ids[DATA_USERS], fuzz_file((const uint8_t *) numbers,
                                                               strlen(numbers))) == STRADS_OK);
        fuzz_require(data_ids_read(&ids[DATA_ITEMS],
                                   fuzz_file((const uint8_t *) texts, strlen(texts))) == STRADS_OK);
    }
    if (n == 0) {
        return 0;
    }
    const size_t live = strads_mem_live();
    const char *path = fuzz_file(bytes + 1, n - 1);
    switch (bytes[0] % 4) {
    case 0:
        check_map(path);
        break;
    case 1:
        check_list(ids, DATA_USERS, path);
        break;
    case 2:
        check_list(ids, DATA_ITEMS, path);
        break;
    default:
        check_pairs(ids, path);
    }
    fuzz_require(strads_mem_live() == live);
    return 0;
}

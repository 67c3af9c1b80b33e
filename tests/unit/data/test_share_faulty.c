/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/data/test_share_faulty.c - one of the processes that read together tells other
 * things than it should: the others refuse them, and never read or write beyond what is there.
 */
#include "base/part.h"
#include "tests/unit/data/share_case.h"

enum { COUNT = 3, LIAR = 1, MAX_SWAPS = 40, N_ROWS = 7 };

typedef enum lie { SHORTER, LONGER, ODD, OTHER, N_LIES } lie;

/* What the liar says otherwise: all of its n-th swap. */
typedef struct faulty {
    data_source source;
    data_split split;
    lie how;
    uint32_t at;      /* which swap */
    uint32_t n_swaps; /* of the liar so far */
    strads_part *honest;
    strads_status status;
} faulty;

/* A copy of what goes to each process, of another length or other content. */
static strads_status swap_wrongly(faulty *it, const void *const *out, const size_t *out_bytes,
                                  void **in, size_t *in_bytes)
{
    static const int more[N_LIES] = {
        [SHORTER] = -(int) sizeof(double), [LONGER] = sizeof(double), [ODD] = 1};
    void *told[COUNT] = {NULL};
    size_t bytes[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        const size_t n = out_bytes[i];
        bytes[i] = it->how == SHORTER && n < sizeof(double) ? 0 : n + (size_t) more[it->how];
        told[i] = strads_calloc(bytes[i] + 1, 1);
        if (told[i] != NULL && n > 0 && it->how != OTHER) {
            memcpy(told[i], out[i], n < bytes[i] ? n : bytes[i]);
        } else if (told[i] != NULL) {
            memset(told[i], 0x7f, bytes[i]);
        }
    }
    const strads_status status =
        strads_part_swap(it->honest, (const void *const *) told, bytes, in, in_bytes);
    for (uint32_t i = 0; i < COUNT; i++) {
        strads_free(told[i]);
    }
    return status;
}

static strads_status swap_of_liar(void *context, const void *const *out, const size_t *out_bytes,
                                  void **in, size_t *in_bytes)
{
    faulty *it = context;
    return it->n_swaps++ == it->at ? swap_wrongly(it, out, out_bytes, in, in_bytes)
                                   : strads_part_swap(it->honest, out, out_bytes, in, in_bytes);
}

static strads_status read_part(void *context, strads_part *part)
{
    faulty *it = context;
    strads_part liar = *part;
    data_share share = {.n_shards = 0};
    if (part->index == LIAR) {
        it->honest = part;
        liar.context = it;
        liar.swap = swap_of_liar;
    }
    const strads_status status =
        data_share_read(&share, &it->source, it->split, part->index == LIAR ? &liar : part);
    data_share_fini(&share);
    return status;
}

static void read_together_faulty(void *context)
{
    ((faulty *) context)->status = parts_run(COUNT, COUNT, read_part, context);
}

/* Tells each swap in turn wrongly, as can only be an error or do no harm; returns how many of
 * them were refused with these words. */
static int times_said(faulty it, const char *words)
{
    int n_said = 0;
    bool done = false;
    for (it.at = 0; !done; it.at++) {
        const size_t live = strads_mem_live();
        it.n_swaps = 0;
        char *said = suite_stderr_of(read_together_faulty, &it);
        done = it.n_swaps <= it.at; /* there is no such swap */
        n_said += strstr(said, words) != NULL;
        CHECK(it.status == STRADS_OK ||
              (!done && (it.status == STRADS_ERR_DATA || it.status == STRADS_ERR_APP)));
        strads_free(said);
        CHECK(strads_mem_live() == live);
        REQUIRE(it.at < MAX_SWAPS);
    }
    return n_said;
}

static void targets_of_another_length_are_refused(void)
{
    char *path = suite_file("x", "a,b,c,y\n1,0,0,1\n0,0,2,2\n0,3,0,3\n0,0,4,4\n5,0,0,5\n6,0,0,6\n"
                                 "7,1,0,7\n");
    for (lie how = SHORTER; how <= ODD; how++) {
        const faulty it = {.source = {.path = path}, .split = DATA_BY_COLUMNS, .how = how};
        CHECK(times_said(it, "the processes sent other than a target for each of its 7 rows: they "
                             "do not load alike") == 1);
    }
    strads_free(path);
}

static void more_rows_than_there_are_find_no_targets(void)
{
    char *path = suite_file("x", "%%MatrixMarket matrix coordinate real general\n7 2 2\n1 1 1\n"
                                 "7 2 3\n");
    char *y_path = suite_file("y", "1\n2\n3\n4\n5\n6\n7\n");
    const faulty it = {
        .source = {.path = path, .y_path = y_path}, .split = DATA_BY_ROWS, .how = OTHER};
    CHECK(times_said(it, "x: has 7 rows, and processes read more: they do not load alike") == 1);
    strads_free(y_path);
    strads_free(path);
}

static void what_is_no_count_of_entries_is_refused(void)
{
    char *path = suite_file("x", "%%MatrixMarket matrix coordinate real general\n7 3 2\n1 1 1\n"
                                 "7 2 3\n");
    const faulty it = {.source = {.path = path}, .split = DATA_BY_COLUMNS, .how = OTHER};
    CHECK(times_said(it, "entries by what the processes sent: they do not load alike") == 2);
    strads_free(path);
}

SUITE("data/share_faulty",
      {"targets of another length are refused", targets_of_another_length_are_refused},
      {"what is no count of entries is refused", what_is_no_count_of_entries_is_refused},
      {"more rows than there are find no targets", more_rows_than_there_are_find_no_targets})

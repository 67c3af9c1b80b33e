/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_part.c - what processes that load together do with data. */
#include "base/part.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/parts.h"
#include "tests/support/suite.h"

enum { N = 23, SHARES = 3 };

/* Ends of magnitudes that do not add up exactly, so that the order of the sum shows. */
static double number(uint32_t rank, size_t i)
{
    return (rank % 2 == 0 ? 1.0 : -0.3) / (double) (1 + rank * N + i) + (i == 5 ? 1e15 : 0.0);
}

typedef struct outcome {
    double sums[PARTS_MOST][N];
    bool swapped[PARTS_MOST];
} outcome;

static strads_status sum(void *context, strads_part *part)
{
    outcome *all = context;
    const uint32_t me = strads_part_index(part);
    const uint32_t first = strads_part_rank(part, me);
    const uint32_t n = strads_part_rank(part, me + 1) - first;
    double shares[PARTS_MOST * N];
    for (uint32_t k = 0; k < n; k++) {
        for (size_t i = 0; i < N; i++) {
            shares[k * N + i] = number(first + k, i);
        }
    }
    const strads_status status = strads_part_sum(part, shares, n, N);
    if (status == STRADS_OK) {
        memcpy(all->sums[me], shares, sizeof(all->sums[me]));
    }
    return status;
}

static void a_sum_has_the_same_bits_however_workers_are_dealt_to_processes(void)
{
    double expected[N] = {0};
    for (uint32_t rank = 0; rank < PARTS_MOST; rank++) {
        for (size_t i = 0; i < N; i++) {
            expected[i] += number(rank, i);
        }
    }
    const size_t live = strads_mem_live();
    for (uint32_t count = 1; count <= PARTS_MOST; count++) {
        outcome all;
        REQUIRE_OK(parts_run(count, PARTS_MOST, sum, &all));
        for (uint32_t i = 0; i < count; i++) {
            CHECK(memcmp(all.sums[i], expected, sizeof(expected)) == 0);
        }
    }
    CHECK(strads_mem_live() == live);
}

/* Process i gives process j i + j bytes of the value 16 i + j. */
static strads_status swap_bytes(void *context, strads_part *part)
{
    outcome *all = context;
    const uint32_t me = strads_part_index(part);
    const uint32_t count = strads_part_count(part);
    unsigned char bytes[PARTS_MOST][2 * PARTS_MOST];
    const void *out[PARTS_MOST];
    void *in[PARTS_MOST];
    size_t out_bytes[PARTS_MOST];
    size_t in_bytes[PARTS_MOST];
    for (uint32_t j = 0; j < count; j++) {
        out_bytes[j] = me + j;
        out[j] = me + j > 0 ? bytes[j] : NULL;
        memset(bytes[j], (int) (16 * me + j), me + j);
    }
    const strads_status status = strads_part_swap(part, out, out_bytes, in, in_bytes);
    all->swapped[me] = status == STRADS_OK;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        const unsigned char *got = in[i];
        all->swapped[me] = all->swapped[me] && in_bytes[i] == i + me;
        for (size_t k = 0; k < in_bytes[i]; k++) {
            all->swapped[me] = all->swapped[me] && got[k] == 16 * i + me;
        }
        strads_free(in[i]);
    }
    return status;
}

static void a_swap_gives_everybody_what_is_addressed_to_it(void)
{
    for (uint32_t count = 1; count <= PARTS_MOST; count++) {
        outcome all;
        REQUIRE_OK(parts_run(count, count, swap_bytes, &all));
        for (uint32_t i = 0; i < count; i++) {
            CHECK(all.swapped[i]);
        }
    }
}

static void things_are_cut_evenly_and_wholly(void)
{
    const uint32_t ranks[] = {0, 2, 3, 7};
    const strads_part part = {.index = 1, .count = 3, .ranks = ranks};
    static const size_t sizes[] = {0, 1, 6, 7, 100, SIZE_MAX};
    CHECK(strads_part_index(&part) == 1 && strads_part_count(&part) == 3);
    CHECK(strads_part_rank(&part, 2) == 3 && strads_part_rank(&part, 3) == 7);
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        CHECK(strads_part_start(&part, sizes[k], 0) == 0);
        CHECK(strads_part_start(&part, sizes[k], 7) == sizes[k]);
        for (uint32_t rank = 0; rank < 7; rank++) {
            const size_t n = strads_part_start(&part, sizes[k], rank + 1) -
                             strads_part_start(&part, sizes[k], rank);
            CHECK(n == sizes[k] / 7 || n == sizes[k] / 7 + 1);
        }
    }
}

/* Process 1 adds up fewer numbers. */
static strads_status sum_unlike(void *context, strads_part *part)
{
    double shares[N] = {0};
    (void) context;
    return strads_part_sum(part, shares, 1, strads_part_index(part) == 1 ? 4 : N);
}

static void unlike_sums(void *context)
{
    *(strads_status *) context = parts_run(3, 3, sum_unlike, NULL);
}

static void sums_of_other_lengths_are_refused(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_OK;
    char *message = suite_stderr_of(unlike_sums, &status);
    CHECK_STATUS(status, STRADS_ERR_APP);
    CHECK(strstr(message, "of a sum of another length") != NULL);
    strads_free(message);
    CHECK(strads_mem_live() == live);
}

static strads_status fail_or_sum(void *context, strads_part *part)
{
    return strads_part_index(part) == 1 ? STRADS_ERR_DATA : sum(context, part);
}

static void who_fails_sets_the_others_free(void)
{
    outcome all;
    const size_t live = strads_mem_live();
    CHECK_STATUS(parts_run(4, 4, fail_or_sum, &all), STRADS_ERR_DATA);
    CHECK(strads_mem_live() == live);
}

static void every_allocation_of_a_sum_may_fail(void)
{
    const uint32_t ranks[] = {0, SHARES};
    strads_part part = {.count = 1, .ranks = ranks};
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t k = 1; status == STRADS_ERR_NOMEM && k < 100; k++) {
        double shares[SHARES * N] = {0};
        strads_mem_fail_after(k);
        status = strads_part_sum(&part, shares, SHARES, N);
        strads_mem_fail_after(0);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
}

SUITE("base/part",
      {"a sum has the same bits however workers are dealt to processes",
       a_sum_has_the_same_bits_however_workers_are_dealt_to_processes},
      {"a swap gives everybody what is addressed to it",
       a_swap_gives_everybody_what_is_addressed_to_it},
      {"things are cut evenly and wholly", things_are_cut_evenly_and_wholly},
      {"who fails sets the others free", who_fails_sets_the_others_free},
      {"every allocation of a sum may fail", every_allocation_of_a_sum_may_fail},
      {"sums of other lengths are refused", sums_of_other_lengths_are_refused})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_layout.c - rows of factors: their size and their start. */
#include "apps/mf/layout.h"

#include <string.h>

#include "tests/support/suite.h"

static void every_rank_fits_in_whole_lines(void)
{
    for (uint32_t rank = 1; rank <= MF_RANK_MAX; rank++) {
        const mf_layout layout = mf_layout_of(rank);
        CHECK(layout.rank == rank);
        CHECK(layout.width % 8 == 0 && layout.width >= rank && layout.width < rank + 8);
        CHECK(layout.stride % MF_LINE == 0 && layout.stride >= layout.width + MF_N_EXTRA &&
              layout.stride < layout.width + MF_N_EXTRA + MF_LINE);
        const uint32_t lines = layout.stride / MF_LINE;
        CHECK(mf_layout_rows_max(&layout) * lines <= MF_OFFSET_MAX);
        CHECK((mf_layout_rows_max(&layout) + 1) * lines > MF_OFFSET_MAX);
    }
}

static void a_row_starts_the_same_from_its_seed_and_stream(void)
{
    const mf_layout layout = mf_layout_of(37);
    float row[3][64];
    REQUIRE(layout.stride <= 64);
    mf_row_start(&layout, row[0], 0.25F, 5, 11);
    mf_row_start(&layout, row[1], 0.25F, 5, 11);
    CHECK(memcmp(row[0], row[1], layout.stride * sizeof(float)) == 0);
    mf_row_start(&layout, row[1], 0.25F, 6, 11);
    mf_row_start(&layout, row[2], 0.25F, 5, 12);
    CHECK(memcmp(row[0], row[1], layout.rank * sizeof(float)) != 0);
    CHECK(memcmp(row[0], row[2], layout.rank * sizeof(float)) != 0);
}

static void a_row_starts_near_zero_with_its_numbers_behind_it(void)
{
    enum { RANK = 1001, STRIDE = 1024 };
    static float row[STRIDE];
    const mf_layout layout = mf_layout_of(RANK);
    REQUIRE(layout.stride == STRIDE);
    mf_row_start(&layout, row, 0.25F, 1, 2);
    double sum = 0.0;
    double norm2 = 0.0;
    const double most = 0.5 / sqrt(RANK);
    for (uint32_t i = 0; i < RANK; i++) {
        CHECK(fabsf(row[i]) <= (float) most);
        sum += (double) row[i];
        norm2 += (double) row[i] * row[i];
    }
    /* Means of uniform numbers: five standard deviations. */
    CHECK_NEAR(sum / RANK, 0.0, 5.0 * most / sqrt(3.0 * RANK));
    CHECK_NEAR(norm2, 1.0 / 12.0, 5.0 * sqrt(4.0 / 45.0 / RANK) / 4.0);
    CHECK_NEAR((double) row[layout.width + MF_NORM2], norm2, 1e-6);
    CHECK(row[layout.width + MF_BIAS] == 0.0F);
    CHECK(row[layout.width + MF_SUM] == 1.0F);
    CHECK(row[layout.width + MF_SCALE] == 1.0F);
    CHECK(row[layout.width + MF_LAMBDA] == 0.25F);
    for (uint32_t i = RANK; i < layout.width; i++) {
        CHECK(row[i] == 0.0F);
    }
}

static void padding_is_all_zero_but_for_its_sum_and_scale(void)
{
    const mf_layout layout = mf_layout_of(3);
    float row[16];
    memset(row, 0xff, sizeof(row));
    mf_row_padding(&layout, row);
    for (uint32_t i = 0; i < layout.stride; i++) {
        const bool is_one = i == layout.width + MF_SUM || i == layout.width + MF_SCALE;
        CHECK(row[i] == (is_one ? 1.0F : 0.0F));
    }
}

SUITE("mf layout", {"every rank fits in whole lines", every_rank_fits_in_whole_lines},
      {"a row starts the same from its seed and stream",
       a_row_starts_the_same_from_its_seed_and_stream},
      {"a row starts near zero, with its numbers behind it",
       a_row_starts_near_zero_with_its_numbers_behind_it},
      {"padding is all zero but for its sum and scale",
       padding_is_all_zero_but_for_its_sum_and_scale})

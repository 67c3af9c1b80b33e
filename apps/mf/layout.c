/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/layout.c - rows of factors: their size and their start. */
#include "apps/mf/layout.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/random.h"

static uint32_t round_up(uint32_t n, uint32_t step)
{
    return (n + step - 1) / step * step;
}

mf_layout mf_layout_of(uint32_t rank)
{
    assert(rank >= 1 && rank <= MF_RANK_MAX);
    const uint32_t width = round_up(rank, 8);
    return (mf_layout){
        .rank = rank, .width = width, .stride = round_up(width + MF_N_EXTRA, MF_LINE)};
}

uint32_t mf_layout_rows_max(const mf_layout *layout)
{
    return MF_OFFSET_MAX / (layout->stride / MF_LINE);
}

void mf_row_padding(const mf_layout *layout, float *row)
{
    memset(row, 0, layout->stride * sizeof(*row));
    row[layout->width + MF_SUM] = 1.0F;
    row[layout->width + MF_SCALE] = 1.0F;
}

void mf_row_start(const mf_layout *layout, float *row, float lambda, uint64_t seed, uint64_t stream)
{
    strads_random random = strads_random_start(seed, stream);
    const float scale = 0x1p-32F / sqrtf((float) layout->rank);
    double norm2 = 0.0;
    mf_row_padding(layout, row);
    for (uint32_t i = 0; i < layout->rank; i++) {
        row[i] = ((float) strads_random_bits(&random) - 0x1p31F) * scale;
        norm2 += (double) row[i] * row[i];
    }
    row[layout->width + MF_NORM2] = (float) norm2;
    row[layout->width + MF_LAMBDA] = lambda;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_mf.c - the inner loops of matrix factorisation on one thread: a pass of
 * training over blocks, by variant and rank; and the arranging of their ratings. One
 * JSON line a case.
 *
 * One block of columns stays in the second cache, blocks of rows come and go, as in a
 * run. Ratings are skewed, nine in a thousand of all pairs. Variants take turns, so that
 * what else the machine does falls on all of them alike. The median is the figure; the
 * fastest says how much of it is the machine's noise.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/mf/kernels.h"
#include "base/clock.h"
#include "base/random.h"

enum {
    BLOCKS = 16,
    PASSES = 60,
    ROW_BYTES = 150 << 10,    /* of a block of rows */
    COLUMN_BYTES = 240 << 10, /* of the block of columns */
    VARIANTS_MAX = 3
};

static const double density = 0.009;

static void fail(const char *what)
{
    fprintf(stderr, "bench_mf: %s\n", what);
    exit(1);
}

static void *allocate(size_t count, size_t bytes)
{
    void *memory = aligned_alloc(64, (count * bytes + 63) / 64 * 64);
    if (memory == NULL) {
        fail("no memory");
    }
    return memory;
}

/* ---- blocks ---- */

typedef struct problem {
    mf_layout layout;
    uint32_t n_rows, n_columns; /* of a block */
    size_t n;                   /* ratings of a block */
    mf_group *groups[BLOCKS];
    size_t n_groups[BLOCKS];
    double arrange_s; /* all blocks */
} problem;

static void draw(const problem *p, uint64_t stream, mf_rating *ratings)
{
    strads_random random = strads_random_start(1, stream);
    for (size_t k = 0; k < p->n; k++) {
        const double row = pow(strads_random_uniform(&random), 1.5) * p->n_rows;
        const double column = pow(strads_random_uniform(&random), 2.0) * p->n_columns;
        const double value = strads_random_uniform(&random) * 3.0 - 1.5;
        ratings[k] = (mf_rating){(uint16_t) row, (uint16_t) column, (float) value};
    }
}

static problem make(uint32_t rank)
{
    problem p = {.layout = mf_layout_of(rank)};
    const size_t row_bytes = p.layout.stride * sizeof(float);
    p.n_rows = (uint32_t) (ROW_BYTES / row_bytes);
    p.n_columns = (uint32_t) (COLUMN_BYTES / row_bytes);
    p.n = (size_t) (density * p.n_rows * p.n_columns);
    mf_rating *ratings = allocate(p.n + 1, sizeof(*ratings));
    mf_arranger *arranger = NULL;
    if (mf_arranger_create(&arranger) != STRADS_OK) {
        fail("no memory");
    }
    for (uint32_t b = 0; b < BLOCKS; b++) {
        const mf_group *groups = NULL;
        draw(&p, b, ratings);
        const mf_block block = {ratings, p.n, p.n_rows, p.n_columns, p.layout.stride / MF_LINE};
        const double start = strads_now();
        if (mf_arrange(arranger, &block, b, &groups, &p.n_groups[b]) != STRADS_OK) {
            fail("no memory");
        }
        p.arrange_s += strads_now() - start;
        p.groups[b] = allocate(p.n_groups[b], sizeof(mf_group));
        memcpy(p.groups[b], groups, p.n_groups[b] * sizeof(mf_group));
    }
    mf_arranger_destroy(arranger);
    free(ratings);
    return p;
}

/* n blocks, their paddings included. */
static float *start_blocks(const mf_layout *layout, uint32_t n, uint32_t n_rows)
{
    float *rows = allocate((size_t) n * (n_rows + 1) * layout->stride, sizeof(*rows));
    for (uint32_t i = 0; i < n * (n_rows + 1); i++) {
        float *row = rows + (size_t) i * layout->stride;
        if (i % (n_rows + 1) == 0) {
            mf_row_padding(layout, row);
        } else {
            mf_row_start(layout, row, 0.05F, 1, i);
        }
    }
    return rows;
}

/* ---- passes ---- */

static double pass(const problem *p, const mf_kernels *kernels, float *rows, float *columns)
{
    const mf_step step = {.eta = 1e-3F, .biases = true};
    const double start = strads_now();
    for (uint32_t b = 0; b < BLOCKS; b++) {
        kernels->train(&p->layout, p->groups[b], p->n_groups[b],
                       rows + (size_t) b * (p->n_rows + 1) * p->layout.stride, columns, &step);
    }
    return strads_now() - start;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a;
    const double y = *(const double *) b;
    return (x > y) - (x < y);
}

static void run(uint32_t rank, const mf_kernels *const *variants, size_t n_variants)
{
    static double seconds[VARIANTS_MAX][PASSES];
    problem p = make(rank);
    float *rows = start_blocks(&p.layout, BLOCKS, p.n_rows);
    float *columns = start_blocks(&p.layout, 1, p.n_columns);
    for (size_t i = 0; i < PASSES; i++) {
        for (size_t v = 0; v < n_variants; v++) {
            seconds[v][i] = pass(&p, variants[v], rows, columns);
        }
    }
    size_t n_groups = 0;
    for (uint32_t b = 0; b < BLOCKS; b++) {
        n_groups += p.n_groups[b];
        free(p.groups[b]);
    }
    const double n = 1e-6 * BLOCKS * (double) p.n;
    for (size_t v = 0; v < n_variants; v++) {
        qsort(seconds[v], PASSES, sizeof(double), by_size);
        printf("{\"bench\": \"mf\", \"kernels\": \"%s\", \"rank\": %u, \"mratings_s\": %.1f, "
               "\"mratings_s_max\": %.1f}\n",
               variants[v]->name, rank, n / seconds[v][PASSES / 2], n / seconds[v][0]);
    }
    printf("{\"bench\": \"mf\", \"kernels\": \"arrange\", \"rank\": %u, \"mratings_s\": %.1f, "
           "\"padding\": %.4f}\n",
           rank, n / p.arrange_s, MF_GROUP * (double) n_groups / BLOCKS / (double) p.n - 1.0);
    free(rows);
    free(columns);
}

int main(void)
{
    static const uint32_t ranks[] = {8, 16, 20, 32, 40, 64, 72, 100, 128, 200};
    const mf_kernels *variants[VARIANTS_MAX] = {mf_kernels_choose(false)};
    size_t n_variants = 1;
    if (variants[0] != &mf_kernels_portable) {
        variants[n_variants++] = &mf_kernels_portable;
    }
#if defined(__x86_64__)
    if (variants[0] == &mf_kernels_avx512) {
        variants[n_variants++] = &mf_kernels_avx2;
    }
#endif
    for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++) {
        run(ranks[i], variants, n_variants);
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/mf/test_kernels.c - every variant of the inner loops that this machine
 * runs, against an oracle in double that takes rating after rating, as the formulas of
 * apps/mf/kernels.h have it.
 */
#include "apps/mf/kernels.h"

#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

enum { RANKS_ALL = 130, STRIDE_MAX = MF_RANK_MAX + MF_LINE };

/* Variants, and how exact their reciprocal root is. */
typedef struct variant {
    const mf_kernels *kernels;
    double root_error;
} variant;

static variant variants[3];

static size_t find_variants(void)
{
    size_t n = 0;
    variants[n++] = (variant){&mf_kernels_portable, 0.0};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        variants[n++] = (variant){&mf_kernels_avx2, 0x1.8p-12};
    }
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        variants[n++] = (variant){&mf_kernels_avx512, 0x1p-14};
    }
#endif
    return n;
}

/* ---- a block, its groups, and both sides' rows ---- */

typedef struct problem {
    mf_layout layout;
    uint32_t n_rows, n_columns;
    mf_arranger *arranger; /* owns the groups */
    const mf_group *groups;
    size_t n_groups;
    float *rows, *columns;
} problem;

static float *start_side(const mf_layout *layout, uint32_t n, float lambda, uint64_t seed)
{
    float *side = strads_alloc_array((size_t) (n + 1) * layout->stride, sizeof(*side));
    REQUIRE(side != NULL);
    mf_row_padding(layout, side);
    for (uint32_t i = 1; i <= n; i++) {
        float *row = side + (size_t) i * layout->stride;
        mf_row_start(layout, row, lambda * (float) (1 + i % 3), seed, i);
        row[layout->width + MF_BIAS] = 0.01F * (float) (i % 7);
    }
    return side;
}

/* n ratings of about unit size; row 0 and column 1 have more than their share. */
static problem make(uint32_t rank, uint32_t n_rows, uint32_t n_columns, size_t n)
{
    problem p = {.layout = mf_layout_of(rank), .n_rows = n_rows, .n_columns = n_columns};
    mf_rating *ratings = strads_alloc_array(n + 1, sizeof(*ratings));
    REQUIRE(ratings != NULL);
    strads_random random = strads_random_start(rank, n);
    for (size_t k = 0; k < n; k++) {
        const uint64_t row = strads_random_below(&random, n_rows);
        const uint64_t column = strads_random_below(&random, n_columns);
        ratings[k] = (mf_rating){.row = (uint16_t) (k % 10 == 0 ? 0 : row),
                                 .column = (uint16_t) (k % 11 == 0 ? 1 : column),
                                 .value = (float) strads_random_uniform(&random) * 3.0F - 1.5F};
    }
    const mf_block block = {ratings, n, n_rows, n_columns, p.layout.stride / MF_LINE};
    REQUIRE_OK(mf_arranger_create(&p.arranger));
    REQUIRE_OK(mf_arrange(p.arranger, &block, 7, &p.groups, &p.n_groups));
    strads_free(ratings);
    p.rows = start_side(&p.layout, n_rows, 0.02F, 1);
    p.columns = start_side(&p.layout, n_columns, 0.03F, 2);
    return p;
}

static void clear(problem *p)
{
    mf_arranger_destroy(p->arranger);
    strads_free(p->rows);
    strads_free(p->columns);
}

/* Another side, with the same lambda everywhere. */
static void make_alike(const problem *p, float *side, uint32_t n, float lambda)
{
    for (uint32_t i = 1; i <= n; i++) {
        side[(size_t) i * p->layout.stride + p->layout.width + MF_LAMBDA] = lambda;
    }
}

/* ---- the oracle, of which all scales are 1 ---- */

static double *in_double(const float *side, size_t n)
{
    double *copy = strads_alloc_array(n, sizeof(*copy));
    REQUIRE(copy != NULL);
    for (size_t i = 0; i < n; i++) {
        copy[i] = (double) side[i];
    }
    return copy;
}

static double dot(const double *x, const double *y, uint32_t n)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

/* One side's step; y is the other side's row from before. */
static void oracle_move(const mf_layout *layout, double *x, const double *y, double e,
                        const mf_step *step)
{
    const uint32_t k = layout->rank;
    double *extra = x + layout->width;
    const double s = (double) step->eta / sqrt(extra[MF_SUM]);
    const double lambda = extra[MF_LAMBDA];
    const double keep = fmax(1.0 - s * lambda, 0x1p-4);
    double gradient2 = 0.0;
    for (uint32_t i = 0; i < k; i++) {
        const double gradient = e * y[i] - lambda * x[i];
        gradient2 += gradient * gradient;
        x[i] = keep * x[i] + s * e * y[i];
    }
    if (step->biases) {
        extra[MF_BIAS] += s * (e - lambda * extra[MF_BIAS]);
    }
    extra[MF_SUM] += gradient2 / k;
    extra[MF_NORM2] = dot(x, x, k);
}

static double oracle_rating(const mf_layout *layout, double *p, double *q, double r,
                            const mf_step *step)
{
    static double old[STRIDE_MAX];
    const uint32_t width = layout->width;
    const double e = r - dot(p, q, layout->rank) - p[width + MF_BIAS] - q[width + MF_BIAS];
    memcpy(old, p, layout->rank * sizeof(*old));
    oracle_move(layout, p, q, e, step);
    oracle_move(layout, q, old, e, step);
    return e * e;
}

static double oracle_train(const problem *p, double *rows, double *columns, const mf_step *step)
{
    double sum = 0.0;
    for (size_t g = 0; g < p->n_groups; g++) {
        const mf_group *group = &p->groups[g];
        for (int i = 0; i < MF_GROUP && group->row[i] != 0; i++) {
            sum += oracle_rating(&p->layout, rows + (size_t) group->row[i] * MF_LINE,
                                 columns + (size_t) group->column[i] * MF_LINE,
                                 (double) group->r[i], step);
        }
    }
    return sum;
}

/* ---- training ---- */

/* Everything of a row within `tolerance`, sums and norms relative; lambda and what lies between,
 * the same bits. */
static bool is_row_right(const mf_layout *layout, const float *got, const double *right,
                         const float *before, double tolerance)
{
    const double scale = (double) got[layout->width + MF_SCALE];
    bool ok = scale >= 0x1p-10 && scale <= 1.0;
    for (uint32_t i = 0; i < layout->stride; i++) {
        const bool is_factor = i < layout->rank;
        const bool is_scale = i == layout->width + MF_SCALE;
        const bool moves = is_factor || (i >= layout->width && i < layout->width + MF_SCALE);
        const double value = (is_factor ? scale : 1.0) * (double) got[i];
        const double size = fmax(1.0, fabs(right[i]));
        ok = ok &&
             (moves ? fabs(value - right[i]) <= tolerance * size : is_scale || got[i] == before[i]);
    }
    return ok;
}

/* Padding has the same bits, but for its scale. */
static bool is_side_right(const problem *p, const float *got, const double *right,
                          const float *before, double tolerance, uint32_t n)
{
    const mf_layout *layout = &p->layout;
    bool ok = is_row_right(layout, got, right, before, 0.0);
    for (uint32_t k = 1; k <= n; k++) {
        const size_t at = (size_t) k * layout->stride;
        ok = ok && is_row_right(layout, got + at, right + at, before + at, tolerance);
    }
    return ok;
}

/* Rows of some ten ratings, of which each moves factors by at most .1: together they go
 * about .3, for steps cancel. An error of the root goes in with each step, and into
 * what other rows do by it, a few times; a step left out is off by a hundredth. */
static double tolerance_of(const variant *v)
{
    return 2e-5 + 2.0 * v->root_error;
}

static void check_training(const variant *v, uint32_t rank, size_t n, const mf_step *step)
{
    problem p = make(rank, 60, 45, n);
    const size_t row_floats = (size_t) (p.n_rows + 1) * p.layout.stride;
    const size_t column_floats = (size_t) (p.n_columns + 1) * p.layout.stride;
    float *rows = start_side(&p.layout, p.n_rows, 0.02F, 1);
    float *columns = start_side(&p.layout, p.n_columns, 0.03F, 2);
    if (step->alike) {
        make_alike(&p, p.rows, p.n_rows, step->lambda);
        make_alike(&p, p.columns, p.n_columns, step->lambda);
        memcpy(rows, p.rows, row_floats * sizeof(*rows));
        memcpy(columns, p.columns, column_floats * sizeof(*columns));
    }
    double *right_rows = in_double(p.rows, row_floats);
    double *right_columns = in_double(p.columns, column_floats);

    const double sum = v->kernels->train(&p.layout, p.groups, p.n_groups, rows, columns, step);
    const double right = oracle_train(&p, right_rows, right_columns, step);
    const double tolerance = tolerance_of(v);
    const bool ok = is_side_right(&p, rows, right_rows, p.rows, tolerance, p.n_rows) &&
                    is_side_right(&p, columns, right_columns, p.columns, tolerance, p.n_columns) &&
                    fabs(sum - right) <= tolerance * (right + 1.0);
    CHECK(ok);
    if (!ok) {
        printf("%s, rank %u, %zu ratings: e^2 %.9g, not %.9g\n", v->kernels->name, rank, n, sum,
               right);
    }
    strads_free(right_rows);
    strads_free(right_columns);
    strads_free(rows);
    strads_free(columns);
    clear(&p);
}

static void training_follows_the_formulas_for_every_rank(void)
{
    static const uint32_t large[] = {136, 200, 250, 256, 1000, 4095, 4096};
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (uint32_t rank = 1; rank <= RANKS_ALL; rank++) {
            const mf_step step = {
                .eta = 0.1F, .biases = rank % 5 != 0, .alike = rank % 2 == 0, .lambda = 0.03F};
            check_training(&variants[v], rank, 400, &step);
        }
        for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
            const mf_step step = {
                .eta = 0.1F, .biases = true, .alike = i % 2 == 0, .lambda = 0.03F};
            check_training(&variants[v], large[i], 300, &step);
        }
    }
}

static void training_takes_blocks_of_any_size(void)
{
    static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 64};
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            const mf_step own = {.eta = 0.1F, .biases = true};
            const mf_step alike = {.eta = 0.1F, .biases = false, .alike = true, .lambda = 0.02F};
            check_training(&variants[v], 40, sizes[i], &own);
            check_training(&variants[v], 72, sizes[i], &alike);
        }
    }
}

/* Rows that are shortened at each step, to a tenth, or to less than what is kept: scales become
 * small, and go into the factors, which go to 0. */
static void long_steps_shorten_rows_again_and_again(void)
{
    static const float lambdas[] = {9.0F, 9.6F, 30.0F};
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t i = 0; i < sizeof(lambdas) / sizeof(*lambdas); i++) {
            const mf_step step = {
                .eta = 0.1F, .biases = false, .alike = true, .lambda = lambdas[i]};
            check_training(&variants[v], 10, 400, &step);
            check_training(&variants[v], 40, 400, &step);
        }
    }
}

/* More groups than squares are added up in floats; the steps are short, for so many
 * would drive roundings apart. */
static void squares_add_up_over_many_groups(void)
{
    const mf_step step = {.eta = 1e-4F, .biases = true};
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        problem p = make(24, 300, 200, 20000);
        double *rows = in_double(p.rows, (size_t) (p.n_rows + 1) * p.layout.stride);
        double *columns = in_double(p.columns, (size_t) (p.n_columns + 1) * p.layout.stride);
        const double sum =
            variants[v].kernels->train(&p.layout, p.groups, p.n_groups, p.rows, p.columns, &step);
        const double right = oracle_train(&p, rows, columns, &step);
        CHECK_NEAR(sum / right, 1.0, 1e-5);
        strads_free(rows);
        strads_free(columns);
        clear(&p);
    }
}

static void what_is_not_finite_is_seen(void)
{
    const mf_step step = {.eta = 0.1F, .biases = true};
    static const float bad[] = {INFINITY, NAN, 3e38F};
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t i = 0; i < 3; i++) {
            const mf_kernels *kernels = variants[v].kernels;
            problem p = make(20, 30, 30, 500);
            p.columns[2 * p.layout.stride + 17] = bad[i];
            CHECK(!isfinite(kernels->norms(&p.layout, p.columns, p.n_columns + 1)));
            CHECK(!isfinite(
                kernels->train(&p.layout, p.groups, p.n_groups, p.rows, p.columns, &step)));
            clear(&p);
        }
    }
}

/* ---- once an epoch ---- */

static void norms_are_those_of_the_factors(void)
{
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (uint32_t rank = 1; rank <= RANKS_ALL; rank += 3) {
            problem p = make(rank, 1 + rank % 9, 3, 0);
            double total = 0.0;
            for (uint32_t k = 0; k <= p.n_rows; k++) {
                float *extra = p.rows + k * p.layout.stride + p.layout.width;
                extra[MF_NORM2] = -1.0F;
                extra[MF_SCALE] = 1.0F / (float) (1 + k);
            }
            double *before = in_double(p.rows, (size_t) (p.n_rows + 1) * p.layout.stride);
            const double sum = variants[v].kernels->norms(&p.layout, p.rows, p.n_rows + 1);
            double *rows = in_double(p.rows, (size_t) (p.n_rows + 1) * p.layout.stride);
            for (uint32_t k = 0; k <= p.n_rows; k++) {
                const double *row = rows + (size_t) k * p.layout.stride;
                const double right = dot(row, row, rank);
                total += right;
                CHECK_NEAR(row[p.layout.width + MF_NORM2], right, 1e-6);
                CHECK(row[p.layout.width + MF_SCALE] == 1.0);
                for (uint32_t f = 0; f < rank; f++) {
                    CHECK_NEAR(row[f], before[k * p.layout.stride + f] / (1 + k), 1e-7);
                }
            }
            CHECK_NEAR(sum, total, 1e-5);
            strads_free(before);
            strads_free(rows);
            clear(&p);
        }
    }
}

static void check_errors(const mf_kernels *kernels, const problem *p, size_t n)
{
    const mf_scale scale = {.mean = 3.5F, .unit = 1.25F};
    mf_pair pairs[10];
    double squared = 0.0;
    double absolute = 0.0;
    for (size_t k = 0; k < n; k++) {
        /* The padding, row 0, is that of an unseen user. */
        pairs[k] = (mf_pair){(uint32_t) k % 3, (uint32_t) (k * 7) % (p->n_columns + 1), (float) k};
        const float *row = p->rows + (size_t) pairs[k].row * p->layout.stride;
        const float *column = p->columns + (size_t) pairs[k].column * p->layout.stride;
        const uint32_t scale_at = p->layout.width + MF_SCALE;
        double x = 0.0;
        for (uint32_t i = 0; i < p->layout.rank; i++) {
            x += (double) row[i] * column[i];
        }
        x *= (double) row[scale_at] * column[scale_at];
        x += (double) (row[p->layout.width] + column[p->layout.width]);
        const double e = (double) k - 3.5 - 1.25 * x;
        squared += e * e;
        absolute += fabs(e);
    }
    const mf_errors got = kernels->errors(&p->layout, p->rows, p->columns, pairs, n, scale);
    CHECK_NEAR(got.squared, squared, 1e-5 * (1.0 + squared));
    CHECK_NEAR(got.absolute, absolute, 1e-5 * (1.0 + absolute));
}

static void errors_are_those_of_the_predictions(void)
{
    const size_t n_variants = find_variants();
    for (size_t v = 0; v < n_variants; v++) {
        for (uint32_t rank = 1; rank <= RANKS_ALL; rank += 7) {
            problem p = make(rank, 5, 8, 0);
            p.rows[p.layout.stride + p.layout.width + MF_SCALE] = 0.5F;
            p.columns[2 * p.layout.stride + p.layout.width + MF_SCALE] = 0.25F;
            for (size_t n = 0; n <= 10; n++) {
                check_errors(variants[v].kernels, &p, n);
            }
            clear(&p);
        }
    }
}

static void the_fixed_choice_is_the_portable_one(void)
{
    CHECK(mf_kernels_choose(true) == &mf_kernels_portable);
    CHECK(mf_kernels_choose(false) == variants[find_variants() - 1].kernels);
}

SUITE("mf kernels",
      {"training follows the formulas, for every rank",
       training_follows_the_formulas_for_every_rank},
      {"training takes blocks of any size", training_takes_blocks_of_any_size},
      {"long steps shorten rows again and again", long_steps_shorten_rows_again_and_again},
      {"squares add up over many groups", squares_add_up_over_many_groups},
      {"what is not finite is seen", what_is_not_finite_is_seen},
      {"norms are those of the factors", norms_are_those_of_the_factors},
      {"errors are those of the predictions", errors_are_those_of_the_predictions},
      {"the fixed choice is the portable one", the_fixed_choice_is_the_portable_one})

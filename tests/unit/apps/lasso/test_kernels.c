/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_kernels.c - every variant of the inner loops that this
 * machine runs, against loops in long double that follow the formulas word by word; and those
 * over floats against those over doubles, which give the same bits.
 */
#include "apps/lasso/kernels.h"

#include <float.h>
#include <stdbool.h>
#include <string.h>

#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/variants.h"

enum { SHIFTS = 9, COLS = 7 };

/* Memory of its own for each length, so that a sanitizer sees a step too far. */
typedef struct vectors {
    double *memory, *x, *y;
    float *narrow; /* x rounded */
    uint32_t *row;
} vectors;

static vectors make_vectors(size_t n, size_t shift, double scale)
{
    vectors v = {.memory = strads_calloc(2 * (n + shift) + 1, sizeof(double)),
                 .narrow = strads_alloc_array(n, sizeof(float)),
                 .row = strads_calloc(n + 1, sizeof(uint32_t))};
    REQUIRE(v.memory != NULL && v.narrow != NULL && v.row != NULL);
    v.x = v.memory + shift;
    v.y = v.x + n + shift;
    for (size_t i = 0; i < n; i++) {
        v.x[i] = scale * number(i, 0);
        v.y[i] = number(i, 1);
        v.narrow[i] = (float) fmin(fmax(v.x[i], -1e30), 1e30);
        v.row[i] = (uint32_t) (n - 1 - i);
    }
    return v;
}

static void free_vectors(vectors *v)
{
    strads_free(v->memory);
    strads_free(v->narrow);
    strads_free(v->row);
}

/* A column of n elements, of all rows or in the order of v->row. */
static lasso_columns column_of(const vectors *v, size_t n, const int64_t *start, bool sparse)
{
    return (lasso_columns){
        .start = start, .row = sparse ? v->row : NULL, .value = v->x, .n_rows = n};
}

static void check_dots(const lasso_kernels *kernels, const vectors *v, size_t n)
{
    const int64_t start[] = {0, (int64_t) n};
    const lasso_columns column = column_of(v, n, start, true);
    long double dense = 0.0L;
    long double sparse = 0.0L;
    long double squares = 0.0L;
    long double size = 0.0L;
    for (size_t i = 0; i < n; i++) {
        dense += (long double) v->x[i] * v->y[i];
        sparse += (long double) v->x[i] * v->y[v->row[i]];
        squares += ((long double) v->x[i] + 0.25L) * (v->x[i] + 0.25L);
        size += fabsl((long double) v->x[i]);
    }
    CHECK(is_close(kernels->dot(v->x, v->y, n), dense, size));
    CHECK(is_close(kernels->dot_column(&column, 0, v->y), sparse, size));
    CHECK(is_close(kernels->sum_of_squares(v->x, 0.25, n), squares, squares));
}

static void check_adds(const lasso_kernels *kernels, const vectors *v, size_t n)
{
    double dense[MAX_N];
    double sparse[MAX_N];
    const int64_t start[] = {0, (int64_t) n};
    const lasso_columns column = column_of(v, n, start, true);
    memcpy(dense, v->y, n * sizeof(*dense));
    memcpy(sparse, v->y, n * sizeof(*sparse));
    kernels->add(-1.5, v->x, dense, n);
    kernels->add_column(-1.5, &column, 0, sparse);
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = v->row[i];
        CHECK(is_close(dense[i], v->y[i] - 1.5L * v->x[i], 3.0L));
        CHECK(is_close(sparse[k], v->y[k] - 1.5L * v->x[i], 3.0L));
    }
}

/* The first of them alone give the same sums. */
static void check_few(const lasso_kernels *kernels, const lasso_columns *column, size_t n,
                      const double *right, long double size)
{
    double side[2 * MAX_N][LASSO_FEW];
    double sums[LASSO_FEW];
    for (size_t j = 0; j < LASSO_FEW; j++) {
        sums[j] = number(j, 3);
        for (size_t i = 0; i < 2 * n; i++) {
            side[i][j] = number(i, j);
        }
    }
    kernels->dot_few(column, 0, n, 5, side[0], sums);
    for (size_t j = 0; j < LASSO_FEW; j++) {
        CHECK(is_close(sums[j], right[j], 2.0L * size));
    }
}

/* A column with the entries v->x, in every other row from 5 on, times columns at its side. */
static void check_sides(const lasso_kernels *kernels, const vectors *v, size_t n)
{
    static double side[2 * MAX_N][LASSO_SIDE];
    uint32_t row[MAX_N];
    double sums[LASSO_SIDE];
    for (size_t k = 0; k < n; k++) {
        row[k] = (uint32_t) (5 + 2 * k);
    }
    for (size_t j = 0; j < LASSO_SIDE; j++) {
        sums[j] = number(j, 3);
        for (size_t i = 0; i < 2 * n; i++) {
            side[i][j] = number(i, j);
        }
    }
    const lasso_columns column = {.row = row, .value = v->x};
    kernels->dot_side(&column, 0, n, 5, side[0], sums);
    long double size = 1.0L;
    for (size_t k = 0; k < n; k++) {
        size += fabsl((long double) v->x[k]);
    }
    check_few(kernels, &column, n, sums, size);
    for (size_t j = 0; j < LASSO_SIDE; j++) {
        long double right = number(j, 3);
        for (size_t k = 0; k < n; k++) {
            right += (long double) v->x[k] * number(2 * k, j);
        }
        CHECK(is_close(sums[j], right, size));
    }
}

/* Of floats, against the same numbers as doubles. */
static void check_narrow(const lasso_kernels *kernels, vectors *v, size_t n)
{
    double adds[4][MAX_N];
    float rounded[MAX_N];
    const int64_t start[] = {0, (int64_t) n};
    kernels->round(v->x, n, rounded);
    for (size_t i = 0; i < n; i++) {
        CHECK(rounded[i] == (float) v->x[i]);
        v->x[i] = (double) v->narrow[i];
    }
    for (size_t k = 0; k < 4; k++) {
        memcpy(adds[k], v->y, n * sizeof(*v->y));
    }
    CHECK(kernels->dot_narrow(v->narrow, v->y, n) == kernels->dot(v->x, v->y, n));
    kernels->add(-1.5, v->x, adds[0], n);
    kernels->add_narrow(-1.5, v->narrow, adds[1], n);
    CHECK(memcmp(adds[0], adds[1], n * sizeof(*v->y)) == 0);
    for (int sparse = 0; sparse < 2; sparse++) {
        const lasso_columns wide = column_of(v, n, start, sparse);
        lasso_columns narrow = wide;
        narrow.value = NULL;
        narrow.narrow = v->narrow;
        CHECK(kernels->dot_column(&narrow, 0, v->y) == kernels->dot_column(&wide, 0, v->y));
        kernels->add_column(0.7, &wide, 0, adds[2]);
        kernels->add_column(0.7, &narrow, 0, adds[3]);
        CHECK(memcmp(adds[2], adds[3], n * sizeof(*v->y)) == 0);
    }
}

/* Of v->x, as n codes. */
static void check_codes(const lasso_kernels *kernels, const vectors *v, size_t n)
{
    static const uint32_t which[] = {0, 0};
    int8_t *code = strads_alloc(n > 0 ? n : 1);
    float *y = strads_alloc_array(n > 0 ? n : 1, sizeof(*y));
    REQUIRE(code != NULL && y != NULL);
    double step = -1.0;
    double largest = 0.0;
    double dots[2] = {-1.0, -1.0};
    long double lost = 0.0L;
    long double dot = 0.0L;
    const double squares = kernels->encode(v->x, n, code, &step);
    for (size_t i = 0; i < n; i++) {
        y[i] = (float) v->y[i];
        largest = fmax(largest, fabs(v->x[i]));
        lost += ((long double) v->x[i] - code[i] * (long double) step) *
                ((long double) v->x[i] - code[i] * (long double) step);
        dot += code[i] * (long double) y[i];
        CHECK(code[i] >= -127 && fabs(v->x[i] - step * code[i]) <= 0.5000001 * step);
    }
    CHECK(step == largest / 127);
    CHECK(fabsl(squares - lost) <= 1e-12L * lost + 1e-20L * step * step);
    kernels->dots_coded(code, n, which, 2, y, dots);
    CHECK(fabsl(dots[0] - dot) <= 1e-5L * n && dots[1] == dots[0]);
    kernels->dots_coded(code, n, NULL, 1, y, dots);
    CHECK(dots[1] == dots[0]);
    strads_free(code);
    strads_free(y);
}

static void loops_over_vectors_equal_slow_ones_at_every_length_and_alignment(void)
{
    static const double scales[] = {1.0, 1e-308, 1e-320, 1e150};
    const size_t n_variants = find_variants();
    for (size_t i = 0; i < n_variants; i++) {
        for (size_t n = 0; n <= MAX_N; n++) {
            for (size_t shift = 0; shift < SHIFTS; shift++) {
                vectors v = make_vectors(n, shift, scales[(n + shift) % 4]);
                check_dots(variants[i], &v, n);
                if (scales[(n + shift) % 4] <= 1.0) {
                    check_adds(variants[i], &v, n);
                }
                if (shift <= 1) {
                    check_sides(variants[i], &v, n);
                }
                if (scales[(n + shift) % 4] >= 1e-300) {
                    check_codes(variants[i], &v, n);
                }
                check_narrow(variants[i], &v, n);
                free_vectors(&v);
            }
        }
    }
}

static void ratings_are_relative_and_the_largest_is_found(void)
{
    static const double scale[MAX_N] = {[0] = 2.0, [5] = 0.5, [50] = 3.0};
    const size_t n_variants = find_variants();
    double gradient[MAX_N];
    float scores[MAX_N];
    for (size_t i = 0; i < MAX_N; i++) {
        gradient[i] = number(i, 2);
    }
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t n = 0; n <= MAX_N; n++) {
            double largest = 0.0;
            double largest_scaled = 0.0;
            const double got = variants[v]->rate(gradient, NULL, n, 0.25, 4.0, scores);
            for (size_t i = 0; i < n; i++) {
                largest = fmax(largest, fabs(gradient[i]));
                largest_scaled = fmax(largest_scaled, fabs(gradient[i]) * scale[i]);
                CHECK_NEAR(scores[i], 4.0 * (fabs(gradient[i]) - 0.25), 1e-6);
            }
            CHECK(got == largest);
            CHECK(variants[v]->rate(gradient, scale, n, 0.25, 4.0, scores) == largest_scaled);
            CHECK(n < 51 || fabs(scores[50] - 4.0 * (3.0 * fabs(gradient[50]) - 0.25)) < 1e-5);
        }
    }
}

/* ---- many columns ---- */

/* COLS columns of n rows, dense or with two entries of three, and their elastic net. */
typedef struct design {
    size_t n;
    double value[COLS * MAX_N];
    float narrow[COLS * MAX_N];
    uint32_t row[COLS * MAX_N];
    int64_t start[COLS + 1];
    lasso_column column[COLS];
    long double centred[COLS][MAX_N]; /* what the columns stand for */
} design;

static void add_column(design *d, size_t j, bool sparse)
{
    int64_t at = d->start[j];
    for (size_t i = 0; i < d->n; i++) {
        if (!sparse || (i + j) % 3 != 0) {
            d->narrow[at] = (float) number(i, 10 + j);
            d->centred[j][i] = d->narrow[at];
            d->row[at] = (uint32_t) i;
            d->value[at] = (double) d->narrow[at];
            at++;
        } else {
            d->centred[j][i] = 0.0L;
        }
    }
    d->start[j + 1] = at;
}

static void describe_column(design *d, size_t j, bool offset, double l1, double l2)
{
    long double sum = 0.0L;
    long double norm2 = 0.0L;
    for (size_t i = 0; i < d->n; i++) {
        sum += d->centred[j][i];
    }
    const long double mean = offset && d->n > 0 ? sum / d->n : 0.0L;
    for (size_t i = 0; i < d->n; i++) {
        d->centred[j][i] -= mean;
        norm2 += d->centred[j][i] * d->centred[j][i];
    }
    d->column[j] = (lasso_column){.norm2 = (double) norm2,
                                  .inverse = norm2 > 0.0L ? 1.0 / ((double) norm2 + l2) : 0.0,
                                  .l1 = l1,
                                  .sum = (double) (mean * d->n),
                                  .mean = (double) mean,
                                  .urgency = (double) norm2 + l2,
                                  .weight = 1.0};
}

static void make_design(design *d, size_t n, bool sparse, bool offset, double l2)
{
    *d = (design){.n = n};
    for (size_t j = 0; j < COLS; j++) {
        add_column(d, j, sparse);
        describe_column(d, j, offset, 0.3, l2);
    }
    d->column[3] = (lasso_column){.norm2 = 0.0}; /* does not move */
}

/* The columns of a design, as floats or doubles. */
static lasso_columns columns_of(const design *d, bool sparse, bool narrow)
{
    return (lasso_columns){.start = d->start,
                           .row = sparse ? d->row : NULL,
                           .value = narrow ? NULL : d->value,
                           .narrow = narrow ? d->narrow : NULL,
                           .column = d->column,
                           .n_rows = d->n};
}

static void chosen_columns_are_multiplied_in_their_order(void)
{
    static const uint32_t which[] = {6, 0, 5, 5, 2, 4, 3, 1, 6, 0, 1, 2};
    enum { N_WHICH = sizeof(which) / sizeof(which[0]) };
    const size_t n_variants = find_variants();
    static design d;
    double y[MAX_N];
    double out[N_WHICH];
    for (size_t i = 0; i < MAX_N; i++) {
        y[i] = number(i, 3);
    }
    for (size_t v = 0; v < n_variants; v++) {
        for (int kind = 0; kind < 8; kind++) {
            const bool sparse = kind & 1;
            const bool chosen = kind & 2;
            const size_t n = chosen ? N_WHICH : COLS;
            make_design(&d, 67, sparse, false, 0.0);
            lasso_columns columns = columns_of(&d, sparse, kind & 4);
            columns.start = sparse ? d.start : NULL;
            variants[v]->dots(&columns, chosen ? which : NULL, n, y, out);
            for (size_t i = 0; i < n; i++) {
                long double right = 0.0L;
                for (size_t k = 0; k < d.n; k++) {
                    right += d.centred[chosen ? which[i] : i][k] * y[k];
                }
                CHECK(is_close(out[i], right, 100.0L));
                CHECK(variants[v]->dot_column(&columns, chosen ? which[i] : i, y) == out[i]);
            }
        }
    }
}

/* One textbook update of each column on the true residual; returns the farthest move. */
static long double sweep_slowly(const design *d, const uint32_t *which, size_t n, long double *b,
                                long double *r, long double l2)
{
    long double farthest = 0.0L;
    for (size_t i = 0; i < n; i++) {
        const uint32_t j = which[i];
        const lasso_column *c = &d->column[j];
        long double u = c->norm2 * b[j];
        for (size_t k = 0; k < d->n && c->inverse > 0.0; k++) {
            u += d->centred[j][k] * r[k];
        }
        const long double size = fmaxl(fabsl(u) - c->l1, 0.0L);
        const long double fresh = c->inverse > 0.0 ? copysignl(size, u) / (c->norm2 + l2) : b[j];
        for (size_t k = 0; k < d->n; k++) {
            r[k] -= (fresh - b[j]) * d->centred[j][k];
        }
        farthest = fmaxl(farthest, fabsl(fresh - b[j]) * c->urgency);
        b[j] = fresh;
    }
    return farthest;
}

static void check_sweep(const lasso_kernels *kernels, const design *d, bool sparse, double l2)
{
    static const uint32_t which[] = {4, 3, 0, 6, 1, 1};
    enum { N_WHICH = sizeof(which) / sizeof(which[0]) };
    const lasso_columns columns = columns_of(d, sparse, false);
    const lasso_columns floats = columns_of(d, sparse, true);
    double b[COLS] = {0.1, 0.2, 0.3, 0.0, -0.4, 0.5, 0.0};
    double b_of_floats[COLS];
    double state[MAX_N + 1] = {0.0};
    double state_of_floats[MAX_N + 1];
    long double slow_b[COLS];
    long double r[MAX_N] = {0.0L};
    long double mean = 0.0L;
    for (size_t i = 0; i < d->n; i++) {
        state[i] = 3.0 * number(i, 4);
        mean += (long double) state[i] / d->n;
    }
    /* With an offset the true residual sums to 0. */
    state[d->n] = d->column[0].mean != 0.0 ? (double) -mean : 0.0;
    for (size_t i = 0; i < d->n; i++) {
        r[i] = (long double) state[i] + state[d->n];
    }
    for (size_t j = 0; j < COLS; j++) {
        slow_b[j] = b[j];
    }
    memcpy(b_of_floats, b, sizeof(b));
    memcpy(state_of_floats, state, sizeof(state));
    for (int turn = 0; turn < 3; turn++) {
        const double got = kernels->sweep(&columns, which, N_WHICH, b, state);
        CHECK(kernels->sweep(&floats, which, N_WHICH, b_of_floats, state_of_floats) == got);
        const long double right = sweep_slowly(d, which, N_WHICH, slow_b, r, l2);
        CHECK(is_close(got, right, 1000.0L));
    }
    CHECK(memcmp(b, b_of_floats, sizeof(b)) == 0);
    CHECK(memcmp(state, state_of_floats, sizeof(state)) == 0);
    for (size_t j = 0; j < COLS; j++) {
        CHECK(is_close(b[j], slow_b[j], 100.0L));
    }
    for (size_t i = 0; i < d->n; i++) {
        CHECK(is_close(state[i] + state[d->n], r[i], 100.0L));
    }
}

static void sweeps_equal_the_textbook_update(void)
{
    static const size_t lengths[] = {2, 3, 7, 8, 9, 31, 32, 33, 64, 100};
    const size_t n_variants = find_variants();
    static design d;
    for (size_t v = 0; v < n_variants; v++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            for (int kind = 0; kind < 8; kind++) {
                const double l2 = kind & 4 ? 0.7 : 0.0;
                make_design(&d, lengths[i], kind & 1, kind & 2, l2);
                check_sweep(variants[v], &d, kind & 1, l2);
            }
        }
    }
}

static void a_sweep_over_nothing_does_nothing(void)
{
    const size_t n_variants = find_variants();
    const lasso_columns columns = {.n_rows = 1};
    double state[2] = {1.0, 0.0};
    for (size_t v = 0; v < n_variants; v++) {
        CHECK(variants[v]->sweep(&columns, NULL, 0, NULL, state) == 0.0);
        CHECK(state[0] == 1.0 && state[1] == 0.0);
    }
}

static void the_choice_is_one_of_the_variants_and_can_be_fixed(void)
{
    const size_t n_variants = find_variants();
    CHECK(lasso_kernels_choose(1) == &lasso_kernels_portable);
    CHECK(lasso_kernels_choose(0) == variants[n_variants - 1]);
}

SUITE("apps/lasso/kernels",
      {"loops over vectors equal slow ones at every length and alignment",
       loops_over_vectors_equal_slow_ones_at_every_length_and_alignment},
      {"ratings are relative and the largest is found",
       ratings_are_relative_and_the_largest_is_found},
      {"chosen columns are multiplied in their order",
       chosen_columns_are_multiplied_in_their_order},
      {"sweeps equal the textbook update", sweeps_equal_the_textbook_update},
      {"a sweep over nothing does nothing", a_sweep_over_nothing_does_nothing},
      {"the choice is one of the variants and can be fixed",
       the_choice_is_one_of_the_variants_and_can_be_fixed})

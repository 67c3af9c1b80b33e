/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_codes.c - products by codes are as near to those of the columns as is
 * said of them, whatever the columns are like.
 */
#include "apps/lasso/codes.h"

#include <math.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { MAX_ROWS = 3000, COLS = 6 };

/* ALIKE: all in one range. SPIKE: one value is much larger than the others. CLOSE: all nearly the
 * same. STEEP: each half as large as the one before. FEW: nearly all are 0. NONE: all are. */
enum { ALIKE, SPIKE, CLOSE, STEEP, FEW, NONE };

static double draw(strads_random *random, int kind, size_t i)
{
    const double x = strads_random_uniform(random) - 0.5;
    switch (kind) {
    case SPIKE:
        return i == 3 ? 1e4 : x;
    case CLOSE:
        return 1.0 + 1e-9 * x;
    case STEEP:
        return x * pow(0.5, (double) (i % 900));
    case FEW:
        return i % 97 == 0 ? x : 0.0;
    case NONE:
        return 0.0;
    default:
        return x;
    }
}

typedef struct coded {
    lasso_codes codes;
    const lasso_kernels *kernels;
    size_t n_rows;
    double *x, *r;
    float *short_r;
    double norm[COLS], length;
} coded;

static void open_coded(coded *self, size_t n_rows, double size, int fixed)
{
    strads_random random = strads_random_start(n_rows, 5);
    *self = (coded){.kernels = lasso_kernels_choose(fixed),
                    .n_rows = n_rows,
                    .x = strads_alloc_array(COLS * n_rows, sizeof(double)),
                    .r = strads_alloc_array(n_rows, sizeof(double)),
                    .short_r = strads_alloc_array(n_rows, sizeof(float))};
    REQUIRE(self->x != NULL && self->r != NULL && self->short_r != NULL);
    REQUIRE_OK(lasso_codes_init(&self->codes, n_rows, COLS));
    for (int j = 0; j < COLS; j++) {
        double *x = self->x + (size_t) j * n_rows;
        for (size_t i = 0; i < n_rows; i++) {
            x[i] = size * draw(&random, j, i);
        }
        const double squares = self->kernels->sum_of_squares(x, 0.0, n_rows);
        self->norm[j] = sqrt(squares);
        lasso_codes_put(&self->codes, self->kernels, (size_t) j, x, squares);
    }
}

static void close_coded(coded *self)
{
    lasso_codes_fini(&self->codes);
    strads_free(self->x);
    strads_free(self->r);
    strads_free(self->short_r);
}

/* r is about as large as `size`. The worst is along what the codes of column 0 have lost: its
 * product is off by all of that. */
static void set_residual(coded *self, double size, bool worst)
{
    double squares = 0.0;
    for (size_t i = 0; i < self->n_rows; i++) {
        const double left = self->x[i] - self->codes.step[0] * self->codes.code[i];
        self->r[i] = size * (worst ? left / self->norm[0] : sin(1.7 * (double) i + 0.3));
        squares += (self->r[i] / size) * (self->r[i] / size);
    }
    self->length = size * sqrt(squares);
    for (size_t i = 0; i < self->n_rows; i++) {
        self->short_r[i] = (float) (self->r[i] / self->length);
    }
}

static void check_products(const coded *self, double *share)
{
    static const uint32_t some[] = {4, 0, 5};
    double all[COLS];
    double few[3];
    double shifted[2];
    lasso_codes_dots(&self->codes, self->kernels, 0, NULL, COLS, self->short_r, self->length, all);
    lasso_codes_dots(&self->codes, self->kernels, 0, some, 3, self->short_r, self->length, few);
    lasso_codes_dots(&self->codes, self->kernels, 2, NULL, 2, self->short_r, self->length, shifted);
    CHECK(few[0] == all[4] && few[1] == all[0] && few[2] == all[5]);
    CHECK(shifted[0] == all[2] && shifted[1] == all[3]);
    for (int j = 0; j < COLS; j++) {
        long double product = 0.0L;
        for (size_t i = 0; i < self->n_rows; i++) {
            product += (long double) self->x[(size_t) j * self->n_rows + i] * self->r[i];
        }
        const long double bound = (long double) self->codes.lost[j] * self->norm[j] * self->length;
        CHECK(fabsl(all[j] - product) <= bound);
        if (j == 0) {
            *share = bound > 0.0L ? (double) (fabsl(all[j] - product) / bound) : 1.0;
        }
    }
}

static void products_are_within_the_bound_and_the_bound_is_tight(void)
{
    static const size_t lengths[] = {1, 7, 8, 16, 31, 64, 65, 100, 1000, MAX_ROWS};
    static const double sizes[] = {1.0, 1e-140, 1e140};
    for (int fixed = 0; fixed < 2; fixed++) {
        for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
            coded self;
            double share = 0.0;
            open_coded(&self, lengths[k], sizes[k % 3], fixed);
            set_residual(&self, 1e-100, false);
            check_products(&self, &share);
            set_residual(&self, 1e100, false);
            check_products(&self, &share);
            CHECK(self.codes.lost[NONE] == 0.0);
            if (lengths[k] >= 64) {
                set_residual(&self, 1.0, true);
                check_products(&self, &share);
                CHECK(share > 0.9);
                CHECK(self.codes.lost[ALIKE] < 0.01);
            }
            close_coded(&self);
        }
    }
}

static void the_failure_of_every_allocation_is_survived(void)
{
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 10; i++) {
        lasso_codes codes = {.code = NULL};
        const size_t live = strads_mem_live();
        strads_mem_fail_after(i);
        status = lasso_codes_init(&codes, 10, 4);
        strads_mem_fail_after(0);
        CHECK((status == STRADS_OK) == (codes.code != NULL));
        CHECK(status == STRADS_OK || strads_mem_live() == live);
        lasso_codes_fini(&codes);
    }
    CHECK_STATUS(status, STRADS_OK);
}

SUITE("apps/lasso/codes",
      {"products are within the bound and the bound is tight",
       products_are_within_the_bound_and_the_bound_is_tight},
      {"the failure of every allocation is survived", the_failure_of_every_allocation_is_survived})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_gram.c - blocks solved by rows, by one worker that has all of
 * them: against descent on the data as they are.
 */
#include "apps/lasso/gram.h"

#include <string.h>

#include "apps/lasso/solver.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 12, N_KINDS = 8 };

/* A case opened by one worker at lambda 2, with l1_ratio 1/2. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site, *state;
    strads_worker worker;
} opened;

static const double L1 = 1.0, L2 = 1.0;

/* Kinds differ in whether X is sparse, has an intercept, is standardized. */
static void open_all(opened *self, int kind)
{
    static const char *const settings[] = {"lasso.l1_ratio=0.5", "data.partition=rows", NULL};
    const bool sparse = kind & 1;
    *self = (opened){.data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 61), .worker = {.n = P}};
    self->data.problem.intercept = kind & 2;
    self->data.problem.standardize = kind & 4;
    lasso_case_write(&self->data, sparse);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 1, &self->site));
    REQUIRE_OK(lasso_open_worker(self->site, &self->worker, &self->state));
    const strads_stage stage = {.params = {[LASSO_LAMBDA] = 2.0}};
    REQUIRE_OK(lasso_begin_stage(self->state, &stage));
}

static void close_all(opened *self)
{
    lasso_close_worker(self->state);
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* r := y - X b, about its mean with an intercept. */
static void find_residual(const opened *self, const double *b, long double *r)
{
    const lasso_problem *problem = &self->data.problem;
    long double mean = 0.0L;
    for (size_t i = 0; i < N; i++) {
        r[i] = problem->y[i];
        for (size_t j = 0; j < P; j++) {
            r[i] -= (long double) problem->x[j * N + i] * b[j];
        }
        mean += r[i] / N;
    }
    for (size_t i = 0; i < N && problem->intercept; i++) {
        r[i] -= mean;
    }
}

/* Of column j, less its mean with an intercept: its product with v (NULL: with itself). */
static double column_product(const opened *self, size_t j, const long double *v)
{
    const lasso_problem *problem = &self->data.problem;
    const double *x = problem->x + j * N;
    long double mean = 0.0L;
    for (size_t i = 0; i < N && problem->intercept; i++) {
        mean += x[i] / (long double) N;
    }
    long double product = 0.0L;
    for (size_t i = 0; i < N; i++) {
        product += (x[i] - mean) * (v == NULL ? x[i] - mean : v[i]);
    }
    return (double) product;
}

/* One update of variable j, from the data. */
static void descend_slowly(const opened *self, double *b, size_t j)
{
    long double r[N];
    find_residual(self, b, r);
    const double weight = 1.0 / lasso_scale(self->site, (uint32_t) j);
    const double norm2 = column_product(self, j, NULL);
    const double pull = column_product(self, j, r) + norm2 * b[j];
    const double size = fabs(pull) - L1 * weight;
    b[j] = size > 0.0 ? copysign(size, pull) / (norm2 + L2 * weight * weight) : 0.0;
}

static strads_status push(opened *self, double *b, const uint32_t *vars, uint32_t n, bool solve)
{
    double values[P];
    double partial[P * LASSO_PARTIAL_WIDTH] = {0.0};
    for (uint32_t k = 0; k < n; k++) {
        values[k] = b[vars[k]];
    }
    const strads_block block = {
        .n_vars = n, .vars = vars, .values = values, .solve = solve, .target = 1e-12};
    const strads_status status = lasso_push(self->state, &block, partial);
    for (uint32_t k = 0; k < n && status == STRADS_OK; k++) {
        const double *out = partial + (size_t) LASSO_PARTIAL_WIDTH * k;
        b[vars[k]] = out[LASSO_PARTIAL_VALUE];
        CHECK((out[LASSO_PARTIAL_MOVE] > 0.0) == (b[vars[k]] != values[k]));
    }
    return status;
}

/* The worker's residual is that of b. */
static void check_residual(const opened *self, const double *b)
{
    const lasso_worker *worker = self->state;
    long double r[N];
    find_residual(self, b, r);
    for (size_t i = 0; i < N; i++) {
        CHECK_NEAR(worker->state[i] + worker->state[N], (double) r[i], 1e-9);
    }
}

static void a_round_updates_each_variable_once_in_its_order(void)
{
    static const uint32_t vars[] = {7, 2, 11, 0, 5};
    enum { N_VARS = sizeof(vars) / sizeof(vars[0]) };
    for (int kind = 0; kind < N_KINDS; kind++) {
        opened self;
        open_all(&self, kind);
        double b[P] = {0.0};
        double slow[P] = {0.0};
        for (int round = 0; round < 3; round++) {
            REQUIRE_OK(push(&self, b, vars, N_VARS, false));
            for (size_t k = 0; k < N_VARS; k++) {
                descend_slowly(&self, slow, vars[k]);
            }
            for (size_t j = 0; j < P; j++) {
                CHECK_NEAR(b[j], slow[j], 1e-9 * (1.0 + fabs(slow[j])));
            }
            check_residual(&self, b);
        }
        close_all(&self);
    }
}

/* Blocks that share variables with those before them, in other places. */
static void a_block_is_solved_whatever_was_solved_before(void)
{
    static const uint32_t blocks[][5] = {
        {0, 1, 2, 3, 4}, {4, 9, 2, 0, 7}, {7, 4, 9, 2, 0}, {5, 6, 8, 10, 11}, {11, 0, 5, 1, 9}};
    enum { N_BLOCKS = 5, N_VARS = 5, SWEEPS = 2000 };
    for (int kind = 0; kind < N_KINDS; kind++) {
        opened self;
        open_all(&self, kind);
        double b[P] = {0.0};
        for (size_t i = 0; i < N_BLOCKS; i++) {
            double slow[P];
            memcpy(slow, b, sizeof(slow));
            REQUIRE_OK(push(&self, b, blocks[i], N_VARS, true));
            for (size_t k = 0; k < (size_t) SWEEPS * N_VARS; k++) {
                descend_slowly(&self, slow, blocks[i][k % N_VARS]);
            }
            for (size_t j = 0; j < P; j++) {
                CHECK_NEAR(b[j], slow[j], 1e-8 * (1.0 + fabs(slow[j])));
            }
            check_residual(&self, b);
        }
        close_all(&self);
    }
}

/* Products that were being made when memory ran out are not taken for those of a block. */
static void a_push_that_fails_leaves_the_next_one_right(void)
{
    static const uint32_t first[] = {0, 1, 2, 3}, wider[] = {3, 1, 8, 9, 10, 11};
    for (int kind = 0; kind < 2; kind++) {
        strads_status status = STRADS_ERR_NOMEM;
        for (size_t n = 1; status == STRADS_ERR_NOMEM && n < 100; n++) {
            const size_t live = strads_mem_live();
            opened self, untroubled;
            double b[P] = {0.0};
            double right[P] = {0.0};
            open_all(&self, kind);
            REQUIRE_OK(push(&self, b, first, 4, false));
            strads_mem_fail_after(n);
            status = push(&self, b, wider, 6, false);
            strads_mem_fail_after(0);
            if (status == STRADS_ERR_NOMEM) {
                REQUIRE_OK(push(&self, b, wider, 6, false));
            }
            open_all(&untroubled, kind);
            REQUIRE_OK(push(&untroubled, right, first, 4, false));
            REQUIRE_OK(push(&untroubled, right, wider, 6, false));
            CHECK(memcmp(b, right, sizeof(b)) == 0);
            close_all(&untroubled);
            close_all(&self);
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(status, STRADS_OK);
    }
}

SUITE("apps/lasso/gram",
      {"a round updates each variable once, in its order",
       a_round_updates_each_variable_once_in_its_order},
      {"a block is solved whatever was solved before",
       a_block_is_solved_whatever_was_solved_before},
      {"a push that fails leaves the next one right", a_push_that_fails_leaves_the_next_one_right})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_quadratic.c - blocks on the products of their columns, against
 * the columns.
 */
#include "apps/lasso/quadratic.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 800, P = 24 }; /* more rows than one strip has */

static const double L1 = 2.0, L2 = 0.5;
static const double FLOAT = 0x1p-24; /* half a unit in the last place */
/* What rounding comes to in a product of dense columns, as a share of their lengths': a sum of
 * LASSO_STRIP_ROWS floats. */
static const double STRIP = 16.0 * 0x1p-24;

typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site;
    lasso_block block;
    lasso_borrowed held;
    lasso_quadratic q;
    strads_worker worker;
    double state[N + 1];
} opened;

/* Columns with this share of their rows; short ones are copied, long ones stay where they are. */
static const double DENSE = 1.0, LONG = 0.4, SHORT = 0.2;
/* Long ones of ones. */
static const double ALIKE = 0.5;

static void open_with(opened *self, double density, bool floats)
{
    const char *const settings[] = {floats ? "data.precision=float" : "data.precision=double",
                                    NULL};
    *self = (opened){.data = lasso_case_draw(N, P, density, 81)};
    for (size_t i = 0; i < (size_t) N * P && density == ALIKE; i++) {
        self->data.x[i] = self->data.x[i] == 0.0 ? 0.0 : 1.0;
    }
    lasso_case_write(&self->data, density < DENSE);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 1, &self->site));
}

static void open_as(opened *self, bool sparse, bool floats)
{
    open_with(self, sparse ? SHORT : DENSE, floats);
}

static void open_all(opened *self)
{
    open_as(self, false, false);
}

static void close_all(opened *self)
{
    lasso_quadratic_fini(&self->q);
    lasso_block_fini(&self->block);
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* state += a times the column less its mean. */
static void move(const lasso_site *site, uint32_t var, double a, double state[N + 1])
{
    lasso_add(site, var, a, state);
    state[N] -= a * lasso_mean(site, var);
}

/* Takes the offset into the numbers before it. */
static void settle(double state[N + 1])
{
    for (size_t i = 0; i < N; i++) {
        state[i] += state[N];
    }
    state[N] = 0.0;
}

/* One member makes all. */
static lasso_part all_of(opened *self)
{
    return (lasso_part){.worker = &self->worker, .end = self->block.n};
}

static strads_status load_block(opened *self)
{
    const lasso_part part = all_of(self);
    return lasso_quadratic_load(&self->q, self->site, &self->block, &part, self->state);
}

/* Loads vars[n] with values b[var], and the residual of those. */
static strads_status load(opened *self, const uint32_t *vars, uint32_t n, const double *b)
{
    const lasso_site *site = self->site;
    double values[P];
    memcpy(self->state, site->target, sizeof(self->state));
    for (uint32_t k = 0; k < n; k++) {
        values[k] = b[vars[k]];
        move(site, vars[k], -values[k], self->state);
    }
    const strads_block task = {.n_vars = n, .vars = vars, .values = values};
    REQUIRE_OK(lasso_block_load(&self->block, site, &self->held, &task, L1, L2));
    return load_block(self);
}

/* The objective of the block's variables at the coefficients by place. */
static double objective(const opened *self, const double *b)
{
    const lasso_site *site = self->site;
    double r[N + 1];
    double sum = 0.0;
    memcpy(r, site->target, sizeof(r));
    for (size_t k = 0; k < self->q.n; k++) {
        const double scale = lasso_scale(site, self->q.vars[k]);
        move(site, self->q.vars[k], -b[k], r);
        sum += L1 * fabs(b[k]) / scale + 0.5 * L2 * b[k] * b[k] / (scale * scale);
    }
    settle(r);
    for (size_t i = 0; i < N; i++) {
        sum += 0.5 * r[i] * r[i];
    }
    return sum;
}

static double length_of(const lasso_site *site, uint32_t var)
{
    return sqrt(lasso_norm2(site, var));
}

/* Products and gradient are those of the columns, rounded to floats. */
static void check(const opened *self)
{
    const lasso_site *site = self->site;
    const lasso_quadratic *q = &self->q;
    const double strip = site->x.col_start == NULL ? STRIP : 0.0;
    double r[N + 1];
    double far[P] = {0.0};
    memcpy(r, site->target, sizeof(r));
    for (size_t a = 0; a < q->n; a++) {
        double x[N + 1] = {0.0};
        move(site, q->vars[a], -q->b[a], r);
        move(site, q->vars[a], 1.0, x);
        settle(x);
        for (size_t b = 0; b < q->n; b++) {
            const double product = lasso_dot(site, q->vars[b], x);
            const double off = FLOAT * fabs(product) +
                               strip * length_of(site, q->vars[a]) * length_of(site, q->vars[b]);
            CHECK_NEAR((double) q->products[a * q->stride + b], product, off + 1e-9);
            far[b] += 2.0 * off * fabs(q->b[a]);
        }
    }
    settle(r);
    for (size_t a = 0; a < q->n; a++) {
        CHECK_NEAR(q->gradient[a], lasso_dot(site, q->vars[a], r), far[a] + 1e-9);
    }
}

static void check_keeping(double density, bool floats)
{
    static const uint32_t first[] = {1, 4, 5, 9, 11}, second[] = {0, 4, 9, 10, 20, 21, 23},
                          third[] = {9, 23};
    const double zeros[P] = {0.0};
    opened self;
    open_with(&self, density, floats);
    REQUIRE_OK(load(&self, first, 5, zeros));
    check(&self);
    CHECK((self.block.columns.narrow != NULL) == (floats && density != SHORT));
    const strads_block task = {.n_vars = 7, .vars = second, .values = zeros};
    REQUIRE_OK(lasso_block_load(&self.block, self.site, &self.held, &task, L1, L2));
    CHECK(lasso_quadratic_n_new(&self.q, second, 7) == 5);
    REQUIRE_OK(load(&self, second, 7, zeros));
    check(&self);
    REQUIRE_OK(load(&self, third, 2, zeros));
    CHECK(self.q.n == 2);
    check(&self);
    lasso_quadratic_forget(&self.q);
    CHECK(lasso_quadratic_n_new(&self.q, third, 2) == 2);
    REQUIRE_OK(load(&self, first, 5, zeros));
    check(&self);
    close_all(&self);
}

/* The columns are not gone through, and no room is made for products of them. */
static void a_block_whose_products_are_known_makes_none(void)
{
    static const uint32_t vars[] = {3, 7, 8, 15};
    const double zeros[P] = {0.0};
    for (int sparse = 0; sparse < 2; sparse++) {
        opened self;
        open_as(&self, sparse, false);
        REQUIRE_OK(load(&self, vars, 4, zeros));
        strads_mem_fail_after(1);
        const strads_status status = load_block(&self);
        strads_mem_fail_after(0);
        CHECK_STATUS(status, STRADS_OK);
        check(&self);
        close_all(&self);
    }
}

static void products_are_kept_from_block_to_block(void)
{
    for (int floats = 0; floats < 2; floats++) {
        check_keeping(DENSE, floats);
        check_keeping(LONG, floats);
        check_keeping(SHORT, floats);
        check_keeping(ALIKE, floats);
    }
}

/* Gives the block back; returns how far it is from the conditions of its optimum. */
static double unload(opened *self)
{
    double farthest = 0.0;
    double before[N + 1];
    lasso_block block = self->block;
    double b[P];
    const lasso_part part = all_of(self);
    memcpy(before, self->state, sizeof(before));
    memcpy(b, block.b, sizeof(b));
    block.b = b;
    lasso_quadratic_unload(&self->q, &block, &part, NULL);
    CHECK(memcmp(before, self->state, sizeof(before)) == 0);
    lasso_quadratic_unload(&self->q, &self->block, &part, self->state);
    CHECK(memcmp(b, self->block.b, sizeof(b)) == 0);
    settle(self->state);
    for (uint32_t j = 0; j < P; j++) {
        const double slope = lasso_dot(self->site, j, self->state) - L2 * b[j];
        const double far = b[j] == 0.0 ? fabs(slope) - L1 : fabs(slope - copysign(L1, b[j]));
        farthest = fmax(farthest, far);
    }
    return farthest;
}

static void check_descent(bool sparse)
{
    uint32_t vars[P];
    const double zeros[P] = {0.0};
    opened self;
    open_as(&self, sparse, false);
    for (uint32_t j = 0; j < P; j++) {
        vars[j] = j;
    }
    REQUIRE_OK(load(&self, vars, P, zeros));
    lasso_newton outcome = LASSO_NEWTON_VAIN;
    for (int i = 0; i < 6; i++) {
        lasso_quadratic_sweep(&self.q, self.q.all, self.q.n);
        check(&self);
        lasso_quadratic_find_active(&self.q);
        const double before = objective(&self, self.q.b);
        REQUIRE_OK(lasso_quadratic_newton(&self.q, &outcome));
        const double after = objective(&self, self.q.b);
        CHECK(after <= before * (1.0 + 1e-12));
        CHECK(i > 0 || outcome == LASSO_NEWTON_LOWERED);
        check(&self);
    }
    CHECK(outcome == LASSO_NEWTON_LOWEST); /* or blocks would never end below rounding */
    CHECK(lasso_quadratic_sweep(&self.q, self.q.all, self.q.n) < 1e-9);
    /* Next to the optimum, as floats go; a second block, from the columns' gradient, is there. */
    CHECK(unload(&self) < 1e-3);
    REQUIRE_OK(load_block(&self));
    for (int i = 0; i < 200; i++) {
        lasso_quadratic_sweep(&self.q, self.q.all, self.q.n);
    }
    CHECK(unload(&self) < 1e-9);
    close_all(&self);
}

static void sweeps_and_newton_come_to_the_optimum_and_give_it_back(void)
{
    check_descent(false);
    check_descent(true);
}

static void a_change_is_that_of_the_objective(void)
{
    static const uint32_t vars[] = {0, 3, 8};
    const double b[P] = {[0] = 0.3, [3] = -0.2};
    const double to[] = {-0.1, 0.0, 0.4};
    opened self;
    open_all(&self);
    REQUIRE_OK(load(&self, vars, 3, b));
    double gradient[3];
    for (size_t a = 0; a < 3; a++) {
        gradient[a] = self.q.gradient[a];
        for (size_t c = 0; c < 3; c++) {
            gradient[a] -= (double) self.q.products[a * self.q.stride + c] * (to[c] - self.q.b[c]);
        }
    }
    const double change = objective(&self, to) - objective(&self, self.q.b);
    CHECK_NEAR(lasso_quadratic_change(&self.q, to, gradient), change, 1e-6 * fabs(change));
    close_all(&self);
}

static void a_singular_matrix_is_left_to_sweeps(void)
{
    static const uint32_t vars[] = {0, 1};
    const double b[P] = {[0] = 0.5, [1] = 0.5};
    opened self;
    open_all(&self);
    REQUIRE_OK(load(&self, vars, 2, b));
    for (size_t k = 0; k < 4; k++) {
        self.q.products[k / 2 * self.q.stride + k % 2] = 1.0F;
    }
    self.q.column[0].inverse = 1.0;
    self.q.column[1].inverse = 2.0; /* the matrix is {1, 1; 1, 1/2} */
    lasso_newton outcome = LASSO_NEWTON_LOWERED;
    lasso_quadratic_find_active(&self.q);
    REQUIRE_OK(lasso_quadratic_newton(&self.q, &outcome));
    CHECK(outcome == LASSO_NEWTON_VAIN);
    CHECK(self.q.b[0] == 0.5 && self.q.b[1] == 0.5);
    close_all(&self);
}

static void check_failures(bool sparse)
{
    static const uint32_t vars[] = {2, 3, 5, 7};
    const double zeros[P] = {0.0};
    opened self;
    open_as(&self, sparse, false);
    REQUIRE_OK(load(&self, vars, 2, zeros));
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 40; i++) {
        lasso_quadratic_fini(&self.q);
        strads_mem_fail_after(i);
        status = load_block(&self);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(strads_mem_live() == live);
    check(&self);
    close_all(&self);
}

static void loading_survives_the_failure_of_every_allocation(void)
{
    check_failures(false);
    check_failures(true);
}

SUITE("apps/lasso/quadratic",
      {"products are kept from block to block", products_are_kept_from_block_to_block},
      {"a block whose products are known makes none", a_block_whose_products_are_known_makes_none},
      {"sweeps and Newton come to the optimum and give it back",
       sweeps_and_newton_come_to_the_optimum_and_give_it_back},
      {"a change is that of the objective", a_change_is_that_of_the_objective},
      {"a singular matrix is left to sweeps", a_singular_matrix_is_left_to_sweeps},
      {"loading survives the failure of every allocation",
       loading_survives_the_failure_of_every_allocation})

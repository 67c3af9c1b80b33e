/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_products.c - products of sparse columns against dense ones. */
#include "apps/lasso/products.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { ROWS = 15, MANY_ROWS = 5000, COLS = 12, LISTED = 9 };

/* A matrix in both forms, and a list of its columns; column 0 is empty. */
typedef struct drawn {
    double dense[COLS][ROWS], value[COLS * ROWS];
    uint32_t row[COLS * ROWS], cols[LISTED];
    int64_t start[COLS + 1];
} drawn;

static void draw(drawn *self, double density, uint64_t seed)
{
    strads_random random = strads_random_start(seed, 0);
    int64_t n = 0;
    for (uint32_t j = 0; j < COLS; j++) {
        self->start[j] = n;
        for (uint32_t i = 0; i < ROWS; i++) {
            const bool there = j > 0 && strads_random_uniform(&random) < density;
            self->dense[j][i] = there ? strads_random_uniform(&random) - 0.5 : 0.0;
            self->value[n] = self->dense[j][i];
            self->row[n] = i;
            n += there;
        }
    }
    self->start[COLS] = n;
    for (uint32_t a = 0; a < LISTED; a++) {
        self->cols[a] = (5 * a + 7) % COLS; /* distinct, the empty one among them */
    }
}

static double dot(const drawn *self, uint32_t a, uint32_t b, bool *share)
{
    double sum = 0.0;
    *share = false;
    for (uint32_t i = 0; i < ROWS; i++) {
        const double product = self->dense[self->cols[a]][i] * self->dense[self->cols[b]][i];
        *share = *share || product != 0.0;
        sum += product;
    }
    return sum;
}

typedef struct taken {
    double product[LISTED][LISTED];
    int times[LISTED][LISTED], ranks[LISTED][LISTED];
    int rank;
} taken;

static void take(void *context, uint32_t a, uint32_t b, double product)
{
    taken *self = context;
    REQUIRE(a < LISTED && b < LISTED);
    self->product[a][b] = product;
    self->times[a][b]++;
    self->ranks[a][b] = self->rank;
}

static lasso_products products_of(const drawn *self, const data_matrix *x, taken *to)
{
    return (lasso_products){
        .x = x, .cols = self->cols, .n = LISTED, .n_ranks = 1, .take = take, .context = to};
}

static data_matrix matrix_of(drawn *self)
{
    return (data_matrix){.n_rows = ROWS,
                         .n_cols = COLS,
                         .value = self->value,
                         .row = self->row,
                         .col_start = self->start};
}

/* The ranks together take each pair of a new column with one before it once, if they share a
 * row, and no other. */
static void check_pairs(drawn *self, uint32_t first_new, uint32_t n_ranks)
{
    const data_matrix x = matrix_of(self);
    taken all = {.rank = 0};
    for (uint32_t rank = 0; rank < n_ranks; rank++) {
        lasso_products of = products_of(self, &x, &all);
        of.first_new = first_new;
        of.n_ranks = n_ranks;
        of.rank = rank;
        all.rank = (int) rank;
        REQUIRE_OK(lasso_products_take(&of));
    }
    for (uint32_t a = 0; a < LISTED; a++) {
        for (uint32_t b = 0; b < LISTED; b++) {
            bool share = false;
            const double right = dot(self, a, b, &share);
            const bool asked = b < a && a >= first_new && share;
            CHECK(all.times[a][b] == (asked ? 1 : 0));
            CHECK(!asked || fabs(all.product[a][b] - right) <= 1e-14);
            CHECK(!asked || all.ranks[a][b] == (int) (a % n_ranks));
        }
    }
}

static void products_are_those_of_dense_columns(void)
{
    drawn self;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        draw(&self, 0.2 * (double) seed, seed);
        for (uint32_t n_ranks = 1; n_ranks <= 4; n_ranks++) {
            check_pairs(&self, 0, n_ranks);
            check_pairs(&self, 4, n_ranks);
            check_pairs(&self, LISTED, n_ranks);
        }
    }
}

/* Over more rows than are held at a time. */
static void products_are_added_to_what_is_there(void)
{
    uint32_t row[COLS * MANY_ROWS / 2];
    double value[COLS * MANY_ROWS / 2];
    int64_t start[COLS + 1] = {0};
    double right[COLS][COLS] = {{0.0}};
    double products[COLS][COLS + 2];
    uint32_t cols[COLS];
    size_t n = 0;
    for (uint32_t j = 0; j < COLS; j++) {
        cols[j] = j;
        for (uint32_t i = j; i < MANY_ROWS; i += 2 + j, n++) { /* column j: j, 2 j + 2, ... */
            row[n] = i;
            value[n] = (double) (i % 7) - 2.0;
        }
        start[j + 1] = (int64_t) n;
        for (uint32_t b = 0; b < COLS + 2; b++) {
            products[j][b] = 0.5;
        }
    }
    for (uint32_t i = 0; i < MANY_ROWS; i++) {
        for (uint32_t a = 0; a < COLS; a++) {
            for (uint32_t b = 0; b < a; b++) {
                const bool share =
                    i >= a && (i - a) % (2 + a) == 0 && i >= b && (i - b) % (2 + b) == 0;
                const double x = (double) (i % 7) - 2.0;
                right[a][b] += share ? x * x : 0.0;
            }
        }
    }
    const data_matrix x = {
        .n_rows = MANY_ROWS, .n_cols = COLS, .value = value, .row = row, .col_start = start};
    const lasso_products of = {.x = &x, .cols = cols, .n = COLS, .first_new = 5};
    REQUIRE_OK(lasso_products_add(&of, products[0], COLS + 2));
    for (uint32_t a = 0; a < COLS; a++) {
        for (uint32_t b = 0; b < COLS + 2; b++) {
            CHECK(products[a][b] == 0.5 + (a + 5 < COLS && b < a + 5 ? right[a + 5][b] : 0.0));
        }
    }
}

static void every_allocation_may_fail(void)
{
    drawn self;
    draw(&self, 0.5, 5);
    const data_matrix x = matrix_of(&self);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    strads_status added = STRADS_ERR_NOMEM;
    for (size_t n = 1; (status != STRADS_OK || added != STRADS_OK) && n < 20; n++) {
        taken none = {.rank = 0};
        double products[LISTED][LISTED] = {{0.0}};
        const lasso_products of = products_of(&self, &x, &none);
        strads_mem_fail_after(n);
        status = lasso_products_take(&of);
        strads_mem_fail_after(n);
        added = lasso_products_add(&of, products[0], LISTED);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(added == STRADS_OK || added == STRADS_ERR_NOMEM);
        CHECK(status == STRADS_OK || none.times[1][0] == 0);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK_STATUS(added, STRADS_OK);
}

SUITE("apps/lasso/products",
      {"products are those of dense columns, whoever takes them",
       products_are_those_of_dense_columns},
      {"products are added to what is there", products_are_added_to_what_is_there},
      {"every allocation may fail", every_allocation_may_fail})

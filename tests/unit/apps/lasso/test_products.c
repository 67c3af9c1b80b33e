/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_products.c - products of sparse columns against dense ones. */
#include "apps/lasso/lasso.h"
#include "apps/lasso/products.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { ROWS = 15, COLS = 12, LISTED = 9 };

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

/* Over more rows than are held at a time, and more columns than are laid side by side: every third
 * row or so of the first, and ever fewer of the others, to none of the last. */
enum { ADDED_ROWS = 1100, ADDED = 11 * LASSO_SIDE, STRIDE = ADDED + 2 };

/* Which columns have entries that are all the same. */
typedef enum alike { NONE_ALIKE, ALL_ALIKE, MOST_ALIKE } alike;

typedef struct added_case {
    double dense[ADDED][ADDED_ROWS], value[ADDED * ADDED_ROWS];
    float narrow[ADDED * ADDED_ROWS];
    uint32_t row[ADDED * ADDED_ROWS], cols[ADDED];
    int64_t start[ADDED + 1];
    bool alike[ADDED];
    double right[ADDED][ADDED]; /* products of the columns of two places */
    double products[ADDED * STRIDE + LASSO_MARKED];
} added_case;

static void draw_added(added_case *self, alike which)
{
    strads_random random = strads_random_start(6, 0);
    int64_t n = 0;
    for (uint32_t j = 0; j < ADDED; j++) {
        const double share = 1.0 - (j + 1.0) / ADDED;
        const bool is_alike = which == ALL_ALIKE || (which == MOST_ALIKE && j % 40 != 1);
        self->cols[j] = j;
        self->alike[j] = is_alike;
        self->start[j] = n;
        for (uint32_t i = 0; i < ADDED_ROWS; i++) {
            const bool there = strads_random_uniform(&random) < 0.6 * pow(share, 6.0);
            const double value = is_alike ? 3.0 - (double) (j % 4) : (double) (i % 7) - 2.0;
            self->dense[j][i] = there ? value : 0.0;
            self->value[n] = self->dense[j][i];
            self->narrow[n] = (float) self->dense[j][i];
            self->row[n] = i;
            n += there;
        }
    }
    self->start[ADDED] = n;
}

static void multiply_slowly(added_case *self)
{
    for (uint32_t a = 0; a < ADDED; a++) {
        for (uint32_t b = 0; b < ADDED; b++) {
            const uint32_t left = self->cols[a];
            const double *right = self->dense[self->cols[b]];
            double sum = 0.0;
            for (int64_t k = self->start[left]; k < self->start[left + 1]; k++) {
                sum += self->value[k] * right[self->row[k]];
            }
            self->right[a][b] = sum;
        }
    }
}

/* Whole numbers, so that sums are exact in any order. */
static void check_added(added_case *self, uint32_t n, uint32_t first_new, bool apart)
{
    lasso_columns x = {.n_rows = ADDED_ROWS,
                       .value = self->value,
                       .row = self->row,
                       .start = self->start,
                       .alike = self->alike};
    if (apart) {
        x.end = self->start + 1;
        x.value = NULL;
        x.narrow = self->narrow;
    }
    const lasso_added of = {.columns = &x,
                            .cols = self->cols,
                            .n = n,
                            .first_new = first_new,
                            .stride = STRIDE,
                            .kernels = lasso_kernels_choose(0)};
    for (size_t k = 0; k < sizeof(self->products) / sizeof(*self->products); k++) {
        self->products[k] = 0.5;
    }
    REQUIRE_OK(lasso_products_add(&of, self->products));
    bool all = true;
    for (uint32_t b = 0; b < n; b++) {
        for (uint32_t a = first_new > b ? first_new : b + 1; a < n; a++) {
            all = all && self->products[b * STRIDE + a - first_new] == 0.5 + self->right[a][b];
        }
    }
    CHECK(all);
}

static void check_adding(alike which)
{
    static const uint32_t n_known[] = {
        0, 1, 5, LASSO_SIDE, 2 * LASSO_SIDE + 1, ADDED - LASSO_FEW - 3, ADDED - 1, ADDED};
    static added_case self;
    draw_added(&self, which);
    for (int order = 0; order < 2; order++) {
        multiply_slowly(&self);
        for (size_t i = 0; i < sizeof(n_known) / sizeof(*n_known); i++) {
            check_added(&self, ADDED, n_known[i], order == 0);
        }
        check_added(&self, LASSO_SIDE + 1, 0, false);
        check_added(&self, LASSO_SIDE / 2, 3, true);
        for (uint32_t j = 0; j < ADDED; j++) {
            self.cols[j] = (35 * j + 11) % ADDED; /* any order will do */
        }
    }
}

static void products_are_added_to_what_is_there(void)
{
    check_adding(NONE_ALIKE);
}

static void columns_that_are_alike_are_counted(void)
{
    check_adding(ALL_ALIKE);
    check_adding(MOST_ALIKE);
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
        double products[LISTED * LISTED + LASSO_MARKED] = {0.0};
        const lasso_products of = products_of(&self, &x, &none);
        const lasso_columns columns = lasso_columns_of(&x);
        const lasso_added new = {.columns = &columns,
                                 .cols = self.cols,
                                 .n = LISTED,
                                 .stride = LISTED,
                                 .kernels = lasso_kernels_choose(0)};
        strads_mem_fail_after(n);
        status = lasso_products_take(&of);
        strads_mem_fail_after(n);
        added = lasso_products_add(&new, products);
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
      {"columns that are alike are counted", columns_that_are_alike_are_counted},
      {"every allocation may fail", every_allocation_may_fail})

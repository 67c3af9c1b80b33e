/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_block.c - packed columns are the columns of the data. */
#include "apps/lasso/block.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 30, P = 8 };

static const double L1 = 0.5, L2 = 0.25;
static const lasso_borrowed nothing;

/* A case's site, open. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    lasso_site *site;
} opened;

static opened open_as(lasso_case data, bool sparse, const char *precision)
{
    const char *const settings[] = {"lasso.l1_ratio=0.5", precision, NULL};
    opened self = {.data = data};
    void *site = NULL;
    lasso_case_write(&self.data, sparse);
    self.config = lasso_case_config(&self.data, &lasso_app, settings);
    REQUIRE(self.config != NULL);
    REQUIRE_OK(lasso_case_open(self.config, 1, &site));
    self.site = site;
    return self;
}

static opened open_site(lasso_case data, bool sparse)
{
    return open_as(data, sparse, "data.precision=double");
}

static void close_site(opened *self)
{
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* Column k of the block as the kernels see it, less its mean. */
static double element(const lasso_block *block, size_t k, size_t i)
{
    const lasso_columns *columns = &block->columns;
    if (columns->row == NULL) {
        const int64_t at = columns->start[k] + (int64_t) i;
        return (columns->narrow != NULL ? (double) columns->narrow[at] : columns->value[at]) -
               columns->column[k].mean;
    }
    double value = 0.0;
    for (int64_t at = columns->start[k]; at < columns->start[k + 1]; at++) {
        value = columns->row[at] == i ? columns->value[at] : value;
    }
    return value - columns->column[k].mean;
}

static void check_column(const opened *self, const lasso_block *block, size_t k, uint32_t var)
{
    const lasso_column *column = &block->column[k];
    const double *x = self->data.x + (size_t) var * N;
    double mean = 0.0;
    double variance = 0.0;
    double norm2 = 0.0;
    for (size_t i = 0; i < N; i++) {
        mean += x[i] / N;
    }
    for (size_t i = 0; i < N; i++) {
        const double centred = self->data.problem.intercept ? x[i] - mean : x[i];
        CHECK_NEAR(element(block, k, i), centred, 1e-12);
        variance += (x[i] - mean) * (x[i] - mean) / N;
        norm2 += centred * centred;
    }
    const double weight = self->data.problem.standardize ? sqrt(variance) : 1.0;
    const double curvature = norm2 + L2 * weight * weight;
    CHECK_NEAR(column->weight, weight, 1e-12);
    CHECK_NEAR(column->norm2, norm2, 1e-10);
    CHECK_NEAR(column->inverse, 1.0 / curvature, 1e-10);
    CHECK_NEAR(column->l1, L1 * weight, 1e-12);
    CHECK_NEAR(column->urgency, curvature / weight / L1, 1e-9);
    CHECK_NEAR(column->sum, column->mean * N, 1e-12);
}

static void a_block_holds_its_columns_under_every_scaling(void)
{
    static const uint32_t vars[] = {5, 0, 7, 2};
    static const double values[] = {1.0, 0.0, -2.0, 0.0};
    for (int kind = 0; kind < 8; kind++) {
        const bool sparse = kind & 1;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 21);
        data.problem.intercept = kind & 2;
        data.problem.standardize = kind & 4;
        opened self = open_site(data, sparse);
        lasso_block block = {.n = 0};
        const strads_block task = {.n_vars = 4, .vars = vars, .values = values};
        REQUIRE_OK(lasso_block_load(&block, self.site, &nothing, &task, L1, L2));
        CHECK((block.columns.row != NULL) == sparse);
        for (size_t k = 0; k < 4; k++) {
            CHECK(block.b[k] == values[k] && block.all[k] == k);
            check_column(&self, &block, k, vars[k]);
        }
        lasso_block_find_active(&block);
        CHECK(block.n_active == 2 && block.active[0] == 0 && block.active[1] == 2);
        const double a = block.column[0].weight;
        const double b = 2.0 * block.column[2].weight;
        CHECK_NEAR(lasso_block_penalty(&block, L2), L1 * (a + b) + 0.5 * L2 * (a * a + b * b),
                   1e-12);
        lasso_block_fini(&block);
        close_site(&self);
    }
}

/* Dense floats stay where they are; packed are doubles, as those that rows weigh. */
static void a_block_of_floats_is_that_of_the_same_doubles(void)
{
    static const uint32_t vars[] = {5, 0, 7, 2};
    static const double values[] = {1.0, 0.0, -2.0, 0.0};
    double root[N];
    for (size_t i = 0; i < N; i++) {
        root[i] = i % 5 == 0 ? 0.0 : 0.25 * (double) (i % 5);
    }
    for (int kind = 0; kind < 4; kind++) {
        const bool sparse = kind & 1;
        const bool weighted = kind & 2;
        lasso_block blocks[2] = {{.n = 0}, {.n = 0}};
        opened both[2];
        for (size_t k = 0; k < 2; k++) {
            lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 25);
            data.problem.intercept = false;
            for (size_t i = 0; i < (size_t) N * P; i++) {
                data.x[i] = (double) (float) data.x[i];
            }
            both[k] =
                open_as(data, sparse, k == 0 ? "data.precision=double" : "data.precision=float");
            const strads_block task = {.n_vars = 4, .vars = vars, .values = values};
            lasso_block_weigh(&blocks[k], weighted ? root : NULL, N);
            REQUIRE_OK(lasso_block_load(&blocks[k], both[k].site, &nothing, &task, L1, L2));
        }
        CHECK(both[1].site->x.narrow != NULL);
        CHECK((blocks[1].columns.narrow != NULL) == (!sparse && !weighted));
        for (size_t k = 0; k < 4; k++) {
            CHECK(memcmp(&blocks[0].column[k], &blocks[1].column[k], sizeof(lasso_column)) == 0);
            for (size_t i = 0; i < N; i++) {
                CHECK(element(&blocks[0], k, i) == element(&blocks[1], k, i));
            }
        }
        for (size_t k = 0; k < 2; k++) {
            lasso_block_fini(&blocks[k]);
            close_site(&both[k]);
        }
    }
}

/* And a sweep over them is the same to the bit as over a copy. */
static void long_sparse_columns_stay_where_they_are(void)
{
    enum { ROWS = 1000, COLS = 5 };
    static const uint32_t vars[] = {4, 0, 3};
    static const double values[] = {1.0, 0.0, -2.0};
    for (int floats = 0; floats < 2; floats++) {
        opened self = open_as(lasso_case_draw(ROWS, COLS, 0.35, 26), true,
                              floats ? "data.precision=float" : "data.precision=double");
        const data_matrix *x = &self.site->x;
        lasso_block block = {.n = 0};
        const strads_block task = {.n_vars = 3, .vars = vars, .values = values};
        REQUIRE_OK(lasso_block_load(&block, self.site, &nothing, &task, L1, L2));
        CHECK(block.columns.row == x->row && block.columns.narrow == x->narrow &&
              block.columns.value == x->value);
        uint32_t row[COLS * ROWS];
        double value[COLS * ROWS];
        int64_t start[] = {0, 0, 0, 0};
        for (size_t k = 0; k < 3; k++) {
            start[k + 1] = start[k];
            for (int64_t at = x->col_start[vars[k]]; at < x->col_start[vars[k] + 1]; at++) {
                row[start[k + 1]] = x->row[at];
                value[start[k + 1]++] = data_matrix_value(x, (size_t) at);
            }
            CHECK(lasso_block_entries(&block, k) == (size_t) (start[k + 1] - start[k]));
        }
        CHECK(block.cost == (double) start[3]);
        lasso_columns copy = block.columns;
        copy.start = start;
        copy.end = NULL;
        copy.row = row;
        copy.value = value;
        copy.narrow = NULL;
        double b[2][3];
        double state[2][ROWS + 1];
        for (size_t k = 0; k < 2; k++) {
            memcpy(b[k], values, sizeof(values));
            memcpy(state[k], self.site->target, sizeof(state[k]));
            self.site->kernels->sweep(k == 0 ? &block.columns : &copy, block.all, 3, b[k],
                                      state[k]);
        }
        CHECK(b[0][1] != 0.0);
        CHECK(memcmp(b[0], b[1], sizeof(b[0])) == 0);
        CHECK(memcmp(state[0], state[1], sizeof(state[0])) == 0);
        lasso_block_fini(&block);
        close_site(&self);
    }
}

static void constant_and_empty_columns_do_not_move(void)
{
    static const uint32_t vars[] = {3};
    static const double values[] = {0.0};
    for (int kind = 0; kind < 4; kind++) {
        const bool sparse = kind & 1;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 22);
        data.problem.standardize = kind & 2;
        for (size_t i = 0; i < N; i++) {
            data.x[3 * N + i] = sparse ? 0.0 : 0.3;
        }
        opened self = open_site(data, sparse);
        lasso_block block = {.n = 0};
        const strads_block task = {.n_vars = 1, .vars = vars, .values = values};
        REQUIRE_OK(lasso_block_load(&block, self.site, &nothing, &task, L1, L2));
        CHECK(block.column[0].inverse == 0.0 && block.column[0].l1 == 0.0);
        CHECK((block.columns.row != NULL) == sparse); /* also where there are no entries */
        CHECK(lasso_block_penalty(&block, L2) == 0.0);
        lasso_block_fini(&block);
        close_site(&self);
    }
}

static void a_block_may_grow_shrink_and_be_empty(void)
{
    static const uint32_t vars[P] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const double values[P] = {0.0};
    static const uint32_t sizes[] = {0, 3, 0, P, 1};
    for (int sparse = 0; sparse < 2; sparse++) {
        opened self = open_site(lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 23), sparse);
        lasso_block block = {.n = 0};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            const strads_block task = {.n_vars = sizes[i], .vars = vars, .values = values};
            REQUIRE_OK(lasso_block_load(&block, self.site, &nothing, &task, L1, L2));
            CHECK(block.n == sizes[i]);
            lasso_block_find_active(&block);
            CHECK(block.n_active == 0);
            for (size_t k = 0; k < block.n; k++) {
                check_column(&self, &block, k, vars[k]);
            }
        }
        lasso_block_fini(&block);
        close_site(&self);
    }
}

static void loading_survives_the_failure_of_every_allocation(void)
{
    static const uint32_t vars[] = {0, 1, 2, 3};
    static const double values[] = {0.0, 0.0, 0.0, 0.0};
    opened self = open_site(lasso_case_draw(N, P, 0.3, 24), true);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 100; i++) {
        lasso_block block = {.n = 0};
        strads_block task = {.n_vars = 1, .vars = vars, .values = values};
        REQUIRE_OK(lasso_block_load(&block, self.site, &nothing, &task, L1, L2));
        task.n_vars = 4;
        strads_mem_fail_after(i);
        status = lasso_block_load(&block, self.site, &nothing, &task, L1, L2);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK_STATUS(lasso_block_load(&block, self.site, &nothing, &task, L1, L2), STRADS_OK);
        lasso_block_fini(&block);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    close_site(&self);
}

SUITE("apps/lasso/block",
      {"a block holds its columns under every scaling",
       a_block_holds_its_columns_under_every_scaling},
      {"a block of floats is that of the same doubles",
       a_block_of_floats_is_that_of_the_same_doubles},
      {"long sparse columns stay where they are", long_sparse_columns_stay_where_they_are},
      {"constant and empty columns do not move", constant_and_empty_columns_do_not_move},
      {"a block may grow, shrink and be empty", a_block_may_grow_shrink_and_be_empty},
      {"loading survives the failure of every allocation",
       loading_survives_the_failure_of_every_allocation})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_gather.c - what one worker puts into a list of columns, and
 * what of a loan is kept. That lists are whole when all have put in theirs is held by
 * tests/integration/test_partition.c.
 */
#include "apps/lasso/gather.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 20, P = 9, FIRST = 2, MINE = 5, N_VARS = 6 };

static const uint32_t vars[N_VARS] = {6, 0, 2, 8, 3, 7};

/* Worker 0 of two, in the process that has all columns; its range is FIRST .. FIRST + MINE. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site, *state;
    strads_worker worker;
} opened;

static void open_all(opened *self, bool sparse)
{
    static const char *const settings[] = {"data.partition=columns", NULL};
    *self = (opened){.data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 81),
                     .worker = {.first = FIRST, .n = MINE}};
    self->data.problem.standardize = true;
    lasso_case_write(&self->data, sparse);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 2, &self->site));
    REQUIRE_OK(lasso_open_worker(self->site, &self->worker, &self->state));
}

static void close_all(opened *self)
{
    lasso_close_worker(self->state);
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

static bool is_mine(uint32_t var)
{
    return var >= FIRST && var < FIRST + MINE;
}

static void check_traits(const lasso_site *site, const double *traits, uint32_t var, bool there)
{
    CHECK(traits[LASSO_NORM2] == (there ? lasso_norm2(site, var) : 0.0));
    CHECK(traits[LASSO_MEAN] == (there ? lasso_mean(site, var) : 0.0));
    CHECK(traits[LASSO_SCALE] == (there ? lasso_scale(site, var) : 0.0));
}

/* Column k of the list is var as it is stored, or, with others, room for it. */
static void check_column(const lasso_site *site, const lasso_gathered *all, size_t k, uint32_t var)
{
    double held[N] = {0.0}, right[N] = {0.0};
    const data_matrix *x = &all->x;
    const size_t begin = x->col_start == NULL ? k * N : (size_t) x->col_start[k];
    const size_t n = (x->col_start == NULL ? (k + 1) * N : (size_t) x->col_start[k + 1]) - begin;
    CHECK(n == (x->col_start == NULL ? N : site->entries[var]));
    for (size_t i = 0; i < n; i++) {
        held[x->row == NULL ? i : x->row[begin + i]] += x->value[begin + i];
    }
    if (is_mine(var)) {
        lasso_add(site, var, 1.0, right);
    }
    CHECK(memcmp(held, right, sizeof(held)) == 0);
}

static void a_worker_puts_in_its_own_columns(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        opened self;
        lasso_gathered all;
        open_all(&self, sparse);
        REQUIRE_OK(lasso_gather(self.state, vars, N_VARS, &all));
        CHECK(all.x.n_rows == N && all.x.n_cols == N_VARS && (all.x.row != NULL) == sparse);
        for (size_t k = 0; k < N_VARS; k++) {
            check_traits(self.site, all.numbers + LASSO_N_TRAITS * k, vars[k], is_mine(vars[k]));
            check_column(self.site, &all, k, vars[k]);
        }
        lasso_gathered_fini(&all);
        REQUIRE_OK(lasso_find_traits(self.site, vars, N_VARS, &all));
        for (size_t k = 0; k < N_VARS; k++) {
            check_traits(self.site, all.numbers + LASSO_N_TRAITS * k, vars[k], true);
        }
        lasso_gathered_fini(&all);
        close_all(&self);
    }
}

/* Worker 0 has its own range of the site; only who borrows alone has no use for a copy of it. */
static void a_lone_borrower_keeps_what_it_lacks(void)
{
    opened self;
    open_all(&self, true);
    const lasso_site *site = self.site;
    const lasso_borrowed *held = &((lasso_worker *) self.state)->borrowed;
    size_t n_lacking = 0;
    for (size_t k = 0; k < N_VARS; k++) {
        n_lacking += vars[k] >= site->firsts[1];
    }
    CHECK(0 < n_lacking && n_lacking < N_VARS);
    strads_loan loan = {.vars = vars, .n = N_VARS, .n_borrowers = 1};
    REQUIRE_OK(lasso_lend(self.state, &loan));
    CHECK(held->n == n_lacking);
    for (size_t k = 0; k < N_VARS; k++) {
        CHECK((held->place[vars[k]] != 0) == (vars[k] >= site->firsts[1]));
    }
    loan.n_borrowers = 2;
    loan.afresh = true;
    REQUIRE_OK(lasso_lend(self.state, &loan));
    CHECK(held->n == N_VARS);
    loan.n_borrowers = 0; /* others borrow, this one only lends */
    REQUIRE_OK(lasso_lend(self.state, &loan));
    CHECK(held->n == 0);
    close_all(&self);
}

static void every_allocation_may_fail(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        opened self;
        open_all(&self, sparse);
        const size_t live = strads_mem_live();
        strads_status status = STRADS_ERR_NOMEM;
        for (size_t n = 1; status != STRADS_OK && n < 20; n++) {
            lasso_gathered all = {.numbers = NULL};
            strads_mem_fail_after(n);
            status = lasso_gather(self.state, vars, N_VARS, &all);
            strads_mem_fail_after(0);
            CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
            lasso_gathered_fini(&all);
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(status, STRADS_OK);
        close_all(&self);
    }
}

SUITE("apps/lasso/gather", {"a worker puts in its own columns", a_worker_puts_in_its_own_columns},
      {"a lone borrower keeps what it lacks", a_lone_borrower_keeps_what_it_lacks},
      {"every allocation may fail", every_allocation_may_fail})

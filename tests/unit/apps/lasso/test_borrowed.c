/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_borrowed.c - columns that are held are those that were lent. */
#include "apps/lasso/borrowed.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

enum { N_COLS = 10, N_ROWS = 3 };

/* What the site has itself: columns 4 and 5. */
static double own_value[] = {40, 41, 42, 50, 51, 52};
static uint32_t own_row[] = {0, 1, 2, 0, 1, 2};
static int64_t own_start[] = {0, 3, 6};

static lasso_site site_of(bool sparse)
{
    return (lasso_site){.first_col = 4,
                        .n_cols = N_COLS,
                        .x = {.n_rows = N_ROWS,
                              .n_cols = 2,
                              .value = own_value,
                              .row = sparse ? own_row : NULL,
                              .col_start = sparse ? own_start : NULL}};
}

/* Adds columns that have the values 10 var, 10 var + 1, ... and traits var, var + .1, ...; a
 * sparse one has no first row. */
static strads_status add(lasso_borrowed *held, bool sparse, const uint32_t *vars, size_t n)
{
    double value[N_COLS * N_ROWS], traits[N_COLS * LASSO_N_TRAITS];
    uint32_t row[N_COLS * N_ROWS];
    int64_t start[N_COLS + 1];
    int64_t at = 0;
    for (size_t k = 0; k < n; k++) {
        start[k] = at;
        for (uint32_t i = sparse ? 1 : 0; i < N_ROWS; i++, at++) {
            value[at] = 10.0 * vars[k] + i;
            row[at] = i;
        }
        for (size_t t = 0; t < LASSO_N_TRAITS; t++) {
            traits[LASSO_N_TRAITS * k + t] = vars[k] + 0.1 * (double) t;
        }
    }
    start[n] = at;
    const data_matrix x = {.n_rows = N_ROWS,
                           .n_cols = n,
                           .value = value,
                           .row = sparse ? row : NULL,
                           .col_start = sparse ? start : NULL};
    return lasso_borrowed_add(held, N_COLS, vars, &x, traits);
}

static void check_column(const lasso_site *site, const lasso_borrowed *held, uint32_t var,
                         uint32_t first_row)
{
    const bool sparse = site->x.col_start != NULL;
    lasso_view view;
    REQUIRE(lasso_find_column(site, held, var, &view));
    CHECK(view.n == N_ROWS - first_row && (view.row != NULL) == sparse);
    for (uint32_t i = 0; i < view.n; i++) {
        CHECK(view.value[i] == 10.0 * var + first_row + i);
        CHECK(!sparse || view.row[i] == first_row + i);
    }
}

static void what_is_held_or_own_is_found_and_nothing_else(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        const lasso_site site = site_of(sparse);
        lasso_borrowed held = {.n = 0};
        lasso_view view;
        CHECK(!lasso_find_column(&site, &held, 7, &view));
        REQUIRE_OK(add(&held, sparse, (const uint32_t[]){7, 0}, 2));
        REQUIRE_OK(add(&held, sparse, (const uint32_t[]){9}, 1));
        for (uint32_t var = 0; var < N_COLS; var++) {
            const bool lent = var == 7 || var == 0 || var == 9;
            if (lent || var == 4 || var == 5) {
                check_column(&site, &held, var, lent && sparse ? 1 : 0);
            } else {
                CHECK(!lasso_find_column(&site, &held, var, &view));
            }
        }
        CHECK(held.traits[LASSO_N_TRAITS * (held.place[9] - 1) + LASSO_SCALE] ==
              9.0 + 0.1 * LASSO_SCALE);
        lasso_borrowed_fini(&held);
    }
}

static void what_was_given_back_is_not_found(void)
{
    const lasso_site site = site_of(true);
    lasso_borrowed held = {.n = 0};
    lasso_view view;
    lasso_borrowed_clear(&held, N_COLS); /* nothing yet */
    REQUIRE_OK(add(&held, true, (const uint32_t[]){7, 0}, 2));
    lasso_borrowed_clear(&held, N_COLS);
    CHECK(!lasso_find_column(&site, &held, 7, &view));
    REQUIRE_OK(add(&held, true, (const uint32_t[]){3}, 1));
    check_column(&site, &held, 3, 1);
    CHECK(!lasso_find_column(&site, &held, 0, &view));
    lasso_borrowed_fini(&held);
}

static void a_loan_without_memory_leaves_what_was_there(void)
{
    const lasso_site site = site_of(true);
    for (size_t n = 1; n < 8; n++) {
        lasso_borrowed held = {.n = 0};
        REQUIRE_OK(add(&held, true, (const uint32_t[]){7}, 1));
        strads_mem_fail_after(n);
        const uint32_t many[] = {0, 1, 2, 3, 6, 8, 9};
        const strads_status status = add(&held, true, many, 7);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(held.n == (status == STRADS_OK ? 8 : 1));
        check_column(&site, &held, 7, 1);
        lasso_borrowed_fini(&held);
    }
}

SUITE("apps/lasso/borrowed",
      {"what is held or own is found, and nothing else",
       what_is_held_or_own_is_found_and_nothing_else},
      {"what was given back is not found", what_was_given_back_is_not_found},
      {"a loan without memory leaves what was there", a_loan_without_memory_leaves_what_was_there})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_stock.c - a queue, and what its variables weigh. */
#include "prioritizer/stock.h"

#include "tests/support/suite.h"

static void refill(prio_stock *stock, const float *scores, size_t n, uint32_t first)
{
    REQUIRE_OK(prio_stock_reserve(stock, n));
    for (size_t i = 0; i < n; i++) {
        prio_stock_add(stock, first + (uint32_t) i, scores[i]);
    }
    prio_stock_sum(stock);
}

static void check_left(const prio_stock *stock, double sum, uint32_t n_positive, uint32_t n_open)
{
    const prio_total left = prio_stock_left(stock);
    CHECK_NEAR(left.sum, sum, 0.0);
    CHECK(left.n_positive == n_positive && left.n_open == n_open);
}

static void what_is_left_is_counted_down_and_refilled(void)
{
    prio_stock stock = {.rest = {.sum = 10.0, .n_positive = 3, .n_open = 5}};
    float score = 0.0F;
    check_left(&stock, 10.0, 3, 5);
    refill(&stock, (float[]){4, -1, 2, 0}, 4, 7);
    check_left(&stock, 16.0, 5, 9);
    CHECK(prio_stock_next(&stock, &score) == 7 && score == 4.0F);
    check_left(&stock, 12.0, 4, 8);
    CHECK(prio_stock_next(&stock, &score) == 8 && score == -1.0F);
    refill(&stock, (float[]){8}, 1, 20); /* behind those that are left */
    check_left(&stock, 20.0, 5, 8);
    CHECK(prio_stock_size(&stock) == 3);
    CHECK(prio_stock_next(&stock, &score) == 9 && score == 2.0F);
    CHECK(prio_stock_next(&stock, &score) == 10 && score == 0.0F);
    CHECK(prio_stock_next(&stock, &score) == 20 && score == 8.0F);
    check_left(&stock, 10.0, 3, 5);
    CHECK(prio_stock_size(&stock) == 0);
    prio_stock_fini(&stock);
}

/* What is small is not lost behind what is large and gone. */
static void sums_are_of_what_is_left_and_of_nothing_else(void)
{
    prio_stock stock = {.n = 0};
    float score = 0.0F;
    refill(&stock, (float[]){1e30F, 1e-30F}, 2, 0);
    (void) prio_stock_next(&stock, &score);
    check_left(&stock, (double) 1e-30F, 1, 1);
    prio_stock_fini(&stock);
}

SUITE("prioritizer/stock",
      {"what is left is counted down and refilled", what_is_left_is_counted_down_and_refilled},
      {"sums are of what is left and of nothing else",
       sums_are_of_what_is_left_and_of_nothing_else})

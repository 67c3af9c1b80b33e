/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_loan.c - what is lent to whom, and when it is given back. */
#include "strads/loan.h"

#include "base/mem.h"
#include "tests/support/suite.h"

enum { J = 100 };

static double costs[J];

static loan_book start(void)
{
    loan_book book;
    for (int k = 0; k < J; k++) {
        costs[k] = 2.0;
    }
    REQUIRE_OK(loan_init(&book, J));
    return book;
}

static void each_variable_is_lent_once(void)
{
    static const uint32_t first[] = {3, 5, 8};
    static const uint32_t second[] = {1, 3, 8, 99};
    loan_book book = start();
    REQUIRE_OK(loan_find(&book, 2, first, costs, 3));
    CHECK(book.n == 3 && book.next_cost == 6.0 && book.n_borrowers == 2 && book.afresh);
    loan_made(&book);
    REQUIRE_OK(loan_find(&book, 2, second, costs, 4));
    CHECK(book.n == 2 && book.vars[0] == 1 && book.vars[1] == 99 && !book.afresh);
    loan_made(&book);
    REQUIRE_OK(loan_find(&book, 1, second, costs, 4)); /* fewer have them too */
    CHECK(book.n == 0 && book.next_cost == 0.0 && book.n_borrowers == 2);
    loan_fini(&book);
}

static void what_was_not_made_is_found_again(void)
{
    static const uint32_t vars[] = {3, 5};
    loan_book book = start();
    REQUIRE_OK(loan_find(&book, 1, vars, costs, 2));
    REQUIRE_OK(loan_find(&book, 1, vars, costs, 2));
    CHECK(book.n == 2 && book.afresh && book.cost == 0.0);
    loan_fini(&book);
}

static void who_borrows_for_the_first_time_has_nothing(void)
{
    static const uint32_t vars[] = {3, 5};
    loan_book book = start();
    REQUIRE_OK(loan_find(&book, 1, vars, costs, 2));
    loan_made(&book);
    REQUIRE_OK(loan_find(&book, 3, vars, costs, 1));
    CHECK(book.n == 1 && book.vars[0] == 3 && book.n_borrowers == 3 && book.afresh);
    loan_fini(&book);
}

static void much_more_than_the_set_is_given_back(void)
{
    uint32_t all[J];
    for (uint32_t k = 0; k < J; k++) {
        all[k] = k;
    }
    loan_book book = start();
    REQUIRE_OK(loan_find(&book, 1, all, costs, 40));
    loan_made(&book);
    REQUIRE_OK(loan_find(&book, 1, all + 30, costs, 10)); /* of 40 that cost four times as much */
    CHECK(book.n == 0 && !book.afresh);
    REQUIRE_OK(loan_find(&book, 1, all + 30, costs, 9));
    CHECK(book.n == 9 && book.afresh);
    loan_made(&book);
    REQUIRE_OK(loan_find(&book, 1, all, costs, 20)); /* 30 .. 38 are not in it */
    CHECK(book.n == 20 && !book.afresh);
    loan_fini(&book);
}

static void a_book_that_finds_no_memory_says_so(void)
{
    static const uint32_t vars[] = {3, 5};
    loan_book book = {.n_vars = 0};
    strads_mem_fail_after(1);
    CHECK_STATUS(loan_init(&book, J), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    REQUIRE_OK(loan_init(&book, J));
    strads_mem_fail_after(1);
    CHECK_STATUS(loan_find(&book, 1, vars, costs, 2), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    REQUIRE_OK(loan_find(&book, 1, vars, costs, 2));
    CHECK(book.n == 2);
    loan_fini(&book);
}

SUITE("strads/loan", {"each variable is lent once", each_variable_is_lent_once},
      {"what was not made is found again", what_was_not_made_is_found_again},
      {"who borrows for the first time has nothing", who_borrows_for_the_first_time_has_nothing},
      {"much more than the set is given back", much_more_than_the_set_is_given_back},
      {"a book that finds no memory says so", a_book_that_finds_no_memory_says_so})

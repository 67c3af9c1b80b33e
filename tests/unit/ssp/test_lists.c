/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_lists.c - lists of keys: both sides remember and forget the same. */
#include "ssp/lists.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { KINDS = 40, MOST = 12, TELLINGS = 3000 };

/* The k-th list has k % MOST + 1 keys. */
static uint32_t list_of(uint64_t k, uint64_t keys[MOST])
{
    const uint32_t n = (uint32_t) k % MOST + 1;
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = k * 1000 + i;
    }
    return n;
}

static void what_is_left_out_is_known_and_the_same(void)
{
    const size_t live = strads_mem_live();
    ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
    strads_random random = strads_random_start(1, 0);
    size_t n_left_out = 0;
    for (int i = 0; i < TELLINGS; i++) {
        const uint64_t below = strads_random_below(&random, KINDS) + 1;
        uint64_t keys[MOST];
        const uint32_t n = list_of(strads_random_below(&random, below), keys);
        const uint64_t sum = ssp_keys_sum(0, keys, n);
        ssp_list *list = NULL;
        if (ssp_lists_find(&said, sum, n) != NULL) {
            list = ssp_lists_find(&heard, sum, n);
            n_left_out++;
            CHECK(n >= SSP_LIST_LEAST);
        } else {
            ssp_lists_say(&said, sum, n);
            REQUIRE_OK(ssp_lists_hear(&heard, sum, keys, n, &list));
        }
        REQUIRE(list != NULL && list->n == n);
        for (uint32_t k = 0; k < n; k++) {
            CHECK(list->keys[k] == keys[k]);
        }
    }
    CHECK(n_left_out > TELLINGS / 10);
    ssp_lists_fini(&heard);
    ssp_lists_fini(&said);
    CHECK(strads_mem_live() == live);
}

static void sums_tell_tables_orders_and_lengths_apart(void)
{
    const uint64_t keys[] = {1, 2, 3, 4, 5}, turned[] = {2, 1, 3, 4, 5};
    const uint64_t sum = ssp_keys_sum(0, keys, 5);
    CHECK(sum != ssp_keys_sum(1, keys, 5));
    CHECK(sum != ssp_keys_sum(0, turned, 5));
    CHECK(sum != ssp_keys_sum(0, keys, 4));
}

static void a_list_for_which_there_is_no_memory_changes_nothing(void)
{
    const uint64_t keys[] = {1, 2, 3, 4, 5};
    const size_t live = strads_mem_live();
    ssp_lists heard = {.other = {.n = 0}};
    ssp_list *list = NULL;
    for (size_t n = 3; n >= 1; n--) {
        strads_mem_fail_after(n);
        CHECK_STATUS(ssp_lists_hear(&heard, 9, keys, 5, &list), STRADS_ERR_NOMEM);
        strads_mem_fail_after(0);
        CHECK(list == NULL && ssp_lists_find(&heard, 9, 5) == NULL);
    }
    ssp_lists_fini(&heard);
    CHECK(strads_mem_live() == live);
}

SUITE("ssp/lists",
      {"what is left out is known, and the same", what_is_left_out_is_known_and_the_same},
      {"sums tell tables, orders and lengths apart", sums_tell_tables_orders_and_lengths_apart},
      {"a list for which there is no memory changes nothing",
       a_list_for_which_there_is_no_memory_changes_nothing})

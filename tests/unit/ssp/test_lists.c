/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_lists.c - lists of keys: both sides remember and forget the same. */
#include "ssp/lists.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { KINDS = 2 * SSP_LISTS, MOST = 12, TELLINGS = 20000 };

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
        ssp_list *told = ssp_lists_find(&said, sum, n);
        if (told != NULL) {
            list = ssp_lists_find(&heard, sum, n);
            REQUIRE(list != NULL && n >= SSP_LIST_LEAST);
            ssp_lists_again(&said, told);
            ssp_lists_again(&heard, list);
            n_left_out++;
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

static uint64_t hear(ssp_lists *lists, uint64_t sum, const uint64_t *keys, uint32_t n)
{
    ssp_list *list = NULL;
    REQUIRE_OK(ssp_lists_hear(lists, sum, keys, n, &list));
    return list->sum;
}

/* One more than there is room for: the second goes, for the first was told again. */
static void the_list_that_was_told_the_longest_ago_is_forgotten(void)
{
    const uint64_t keys[] = {1, 2, 3, 4};
    ssp_lists heard = {.other = {.n = 0}};
    for (uint64_t sum = 0; sum < SSP_LISTS; sum++) {
        CHECK(hear(&heard, sum, keys, 4) == sum);
    }
    ssp_lists_again(&heard, ssp_lists_find(&heard, 0, 4));
    CHECK(hear(&heard, SSP_LISTS, keys, 4) == SSP_LISTS);
    for (uint64_t sum = 0; sum <= SSP_LISTS; sum++) {
        CHECK((ssp_lists_find(&heard, sum, 4) == NULL) == (sum == 1));
    }
    ssp_lists_fini(&heard);
}

static void lists_are_kept_up_to_so_many_keys_together(void)
{
    enum { HALF = SSP_LISTS_KEYS / 2 };
    const size_t live = strads_mem_live();
    ssp_lists heard = {.other = {.n = 0}};
    uint64_t *keys = strads_calloc(SSP_LISTS_KEYS + 1, sizeof(*keys));
    REQUIRE(keys != NULL);
    CHECK(hear(&heard, 1, keys, HALF) == 1 && hear(&heard, 2, keys, HALF) == 2);
    CHECK(hear(&heard, 3, keys, SSP_LISTS_KEYS + 1) == 3);
    CHECK(ssp_lists_find(&heard, 3, SSP_LISTS_KEYS + 1) == NULL);
    CHECK(ssp_lists_find(&heard, 1, HALF) != NULL && ssp_lists_find(&heard, 2, HALF) != NULL);
    CHECK(hear(&heard, 4, keys, SSP_LIST_LEAST) == 4);
    CHECK(ssp_lists_find(&heard, 1, HALF) == NULL && ssp_lists_find(&heard, 2, HALF) != NULL);
    CHECK(hear(&heard, 5, keys, SSP_LISTS_KEYS) == 5 && heard.n == 1);
    strads_free(keys);
    ssp_lists_fini(&heard);
    CHECK(strads_mem_live() == live);
}

/* So it is when the side that tells had no memory to note it. */
static void a_list_that_is_told_in_full_again_is_kept_once(void)
{
    const uint64_t keys[] = {1, 2, 3, 4};
    ssp_lists heard = {.other = {.n = 0}};
    CHECK(hear(&heard, 7, keys, 4) == 7 && hear(&heard, 7, keys, 4) == 7);
    CHECK(heard.n == 1 && heard.n_keys == 4);
    ssp_lists_fini(&heard);
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
      {"the list that was told the longest ago is forgotten",
       the_list_that_was_told_the_longest_ago_is_forgotten},
      {"lists are kept up to so many keys together", lists_are_kept_up_to_so_many_keys_together},
      {"a list that is told in full again is kept once",
       a_list_that_is_told_in_full_again_is_kept_once},
      {"sums tell tables, orders and lengths apart", sums_tell_tables_orders_and_lengths_apart},
      {"a list for which there is no memory changes nothing",
       a_list_for_which_there_is_no_memory_changes_nothing})

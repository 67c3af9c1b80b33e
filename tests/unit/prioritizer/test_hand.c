/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_hand.c - variables in hand, against a model of flags. */
#include "prioritizer/hand.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { J = 20000 };

static prio_hand hand;

static void open_hand(prio_policy policy)
{
    const prio_options options = {.policy = policy, .seed = 4, .stream = 1};
    REQUIRE_OK(prio_hand_init(&hand, J, &options));
}

static void add(uint32_t var, float score)
{
    REQUIRE_OK(prio_hand_reserve(&hand, 1));
    CHECK(prio_hand_expect(&hand, var));
    prio_hand_add(&hand, var, score);
}

/* Beyond what it has room for at first, and in no order; every third is given back. */
static void it_grows_and_who_is_out_stays_out(void)
{
    static uint32_t vars[J];
    size_t n_back = 0;
    open_hand(PRIO_GREEDY);
    for (uint32_t i = 0; i < 5000; i++) {
        const uint32_t var = i * 7919 % J;
        add(var, (float) var + 1.0F);
        CHECK(prio_hand_has(&hand, var) && prio_hand_score(&hand, var) == (float) var + 1.0F);
        if (i % 3 == 0) {
            prio_hand_return(&hand, &var, 1, NULL);
            n_back++;
        }
    }
    CHECK(prio_left(hand.prio).n_open == n_back && hand.capacity < 4 * 5000);
    REQUIRE(prio_hand_draw(&hand, J, 0.0, vars) == n_back);
    for (size_t i = 0; i < n_back; i++) {
        CHECK(i == 0 || vars[i] < vars[i - 1]); /* the largest first */
    }
    prio_hand_return(&hand, vars, n_back, NULL);
    prio_hand_clear(&hand);
    CHECK(prio_left(hand.prio).n_open == 0 && !prio_hand_has(&hand, vars[0]));
    add(vars[0], 2.0F);
    prio_hand_return(&hand, vars, 1, &(float){3.0F});
    CHECK(prio_hand_draw(&hand, J, 0.0, vars + 1) == 1 && vars[1] == vars[0]);
    CHECK(prio_hand_score(&hand, vars[0]) == 3.0F);
    prio_hand_fini(&hand);
}

/* Two hands that are given the same draw the same, also when one has room and the other has
 * to grow in between: that does not begin the random numbers again. */
static void growing_does_not_repeat_random_numbers(void)
{
    enum { N = 900 };
    static uint32_t drawn[2][N];
    for (int grows = 0; grows < 2; grows++) {
        open_hand(PRIO_SAMPLED);
        for (uint32_t var = 0; var < N; var++) {
            add(var, 1.0F);
            prio_hand_return(&hand, &var, 1, NULL);
        }
        REQUIRE(prio_hand_draw(&hand, 100, 0.0, drawn[grows]) == 100);
        const uint32_t before = hand.capacity;
        REQUIRE_OK(prio_hand_reserve(&hand, grows == 1 ? 5000 : 1));
        CHECK((hand.capacity > before) == (grows == 1));
        REQUIRE(prio_hand_draw(&hand, N - 100, 0.0, drawn[grows] + 100) == N - 100);
        prio_hand_fini(&hand);
    }
    CHECK(memcmp(drawn[0], drawn[1], 100 * sizeof(uint32_t)) == 0);
    CHECK(memcmp(drawn[0] + 100, drawn[1] + 100, 50 * sizeof(uint32_t)) == 0);
}

static void room_for_all_is_room_enough(void)
{
    open_hand(PRIO_SAMPLED);
    REQUIRE_OK(prio_hand_reserve(&hand, J));
    const prioritizer *of = hand.prio;
    CHECK(hand.capacity == J);
    add(3, 1.0F);
    REQUIRE_OK(prio_hand_reserve(&hand, J)); /* of which one is in hand */
    CHECK(hand.prio == of);
    prio_hand_fini(&hand);
}

static void what_is_expected_is_not_in_hand_and_comes_once(void)
{
    open_hand(PRIO_SAMPLED);
    CHECK(prio_hand_expect(&hand, 5) && !prio_hand_expect(&hand, 5));
    CHECK(!prio_hand_has(&hand, 5));
    prio_hand_expect_no_more(&hand, 5);
    add(5, 1.0F);
    CHECK(prio_hand_has(&hand, 5) && !prio_hand_expect(&hand, 5));
    CHECK(!prio_hand_claim(&hand, 5)); /* it is out */
    prio_hand_return(&hand, &(uint32_t){5}, 1, NULL);
    CHECK(prio_hand_claim(&hand, 5));
    prio_hand_fini(&hand);
}

static void fail_each_allocation(void *context)
{
    const prio_options options = {.policy = PRIO_SAMPLED};
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    (void) context;
    for (size_t n = 1; status != STRADS_OK && n < 100; n++) {
        strads_mem_fail_after(n);
        status = prio_hand_init(&hand, J, &options);
        if (status == STRADS_OK) {
            status = prio_hand_reserve(&hand, 2000);
            prio_hand_fini(&hand);
        }
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
}

static void no_memory_is_told_and_nothing_is_lost(void)
{
    strads_free(suite_stderr_of(fail_each_allocation, NULL));
}

SUITE("prioritizer/hand", {"it grows, and who is out stays out", it_grows_and_who_is_out_stays_out},
      {"growing does not repeat random numbers", growing_does_not_repeat_random_numbers},
      {"room for all is room enough", room_for_all_is_room_enough},
      {"what is expected is not in hand, and comes once",
       what_is_expected_is_not_in_hand_and_comes_once},
      {"no memory is told and nothing is lost", no_memory_is_told_and_nothing_is_lost})

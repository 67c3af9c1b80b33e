/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_working_set.c - the set and its pool, against the rules as
 * they stand in the header. */
#include "strads/working_set.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

enum { J = 40000, LEAST_GROWTH = 500 };

static float scores[J];
static double values[J];

static bool is_inside(const working_set *set, uint32_t var)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->vars[i] == var) {
            return true;
        }
    }
    return false;
}

/* Ascending, in step with its flags and its places in the pool. */
static void check_sound(const working_set *set)
{
    size_t n_flags = 0;
    for (uint32_t var = 0; var < set->n_vars; var++) {
        n_flags += set->inside[var];
    }
    CHECK(n_flags == set->n);
    for (size_t i = 0; i < set->n; i++) {
        CHECK(i == 0 || set->vars[i - 1] < set->vars[i]);
        CHECK(set->inside[set->vars[i]] == 1);
        CHECK(set->pool[set->places[i]] == set->vars[i]);
    }
    for (size_t i = 1; i < set->n_pool; i++) {
        CHECK(set->pool[i - 1] < set->pool[i]);
    }
}

static void draw_scores(uint64_t seed)
{
    strads_random random = strads_random_start(seed, 0);
    for (uint32_t var = 0; var < J; var++) {
        scores[var] = (float) (2.0 * strads_random_uniform(&random) - 1.8);
    }
    memset(values, 0, sizeof(values));
}

/* As one worker and the coordinator do it between them. */
static void scan_all(working_set *set)
{
    static uint32_t positions[J], spare[J];
    const float bar = prio_guess_bar(scores, set->n_vars, working_set_pool_size(set), -INFINITY);
    const size_t n =
        working_set_add_kept(scores, bar, set->vars, set->n, positions,
                             prio_select_above(scores, set->n_vars, bar, positions), spare);
    for (size_t i = 0; i < n; i++) {
        set->pool[i] = positions[i];
        set->scores[i] = scores[positions[i]];
    }
    working_set_scan_all(set, n);
}

static void the_first_set_is_the_worst_violators(void)
{
    working_set set;
    draw_scores(1);
    REQUIRE_OK(working_set_init(&set, J));
    scan_all(&set);
    working_set_choose(&set, values);
    check_sound(&set);
    CHECK(set.n == LEAST_GROWTH);
    float worst_left = -1.0f;
    for (uint32_t var = 0; var < J; var++) {
        if (!set.inside[var] && scores[var] > worst_left) {
            worst_left = scores[var];
        }
    }
    for (size_t i = 0; i < set.n; i++) {
        /* The choice is exact to a part in 2^14. */
        CHECK(scores[set.vars[i]] >= worst_left * (1.0f - 1e-4f));
    }
    working_set_fini(&set);
}

static void what_is_not_zero_or_still_violates_is_kept_and_the_rest_dropped(void)
{
    working_set set;
    draw_scores(2);
    REQUIRE_OK(working_set_init(&set, J));
    scan_all(&set);
    working_set_choose(&set, values);
    const uint32_t with_value = set.vars[0];
    const uint32_t violating = set.vars[1];
    const uint32_t satisfied = set.vars[2];
    for (uint32_t var = 0; var < J; var++) {
        scores[var] = -0.5f;
    }
    values[with_value] = 1.0;
    scores[violating] = 0.25f;
    scan_all(&set);
    check_sound(&set);
    working_set_choose(&set, values);
    check_sound(&set);
    CHECK(set.n == 2);
    CHECK(is_inside(&set, with_value) && is_inside(&set, violating));
    CHECK(!is_inside(&set, satisfied));
    working_set_fini(&set);
}

static void the_set_doubles_where_enough_violate(void)
{
    working_set set;
    for (uint32_t var = 0; var < J; var++) {
        scores[var] = 1.0f + (float) var / J;
        values[var] = 1.0;
    }
    REQUIRE_OK(working_set_init(&set, J));
    size_t before = 0;
    for (int round = 0; round < 5; round++) {
        scan_all(&set);
        working_set_choose(&set, values);
        check_sound(&set);
        CHECK(set.n == before + (before > LEAST_GROWTH ? before : LEAST_GROWTH));
        before = set.n;
    }
    working_set_fini(&set);
}

static void the_pool_holds_the_set_and_the_nearest(void)
{
    working_set set;
    draw_scores(3);
    REQUIRE_OK(working_set_init(&set, J));
    scan_all(&set);
    working_set_choose(&set, values);
    const uint32_t far = set.vars[7];
    scores[far] = -100.0f; /* no longer near, but in the set */
    scan_all(&set);
    check_sound(&set);
    CHECK(set.n_pool >= 1000 && set.n_pool < J / 8);
    float lowest_near = 1e30f;
    float highest_out = -1e30f;
    size_t at = 0;
    for (uint32_t var = 0; var < J; var++) {
        const bool in_pool = at < set.n_pool && set.pool[at] == var;
        at += in_pool;
        if (in_pool && !set.inside[var]) {
            lowest_near = fminf(lowest_near, scores[var]);
        } else if (!in_pool) {
            highest_out = fmaxf(highest_out, scores[var]);
        }
    }
    CHECK(at == set.n_pool);
    CHECK(highest_out <= lowest_near);
    working_set_fini(&set);
}

static void the_pool_is_scanned_three_times_or_until_it_is_used_up(void)
{
    working_set set;
    draw_scores(4);
    REQUIRE_OK(working_set_init(&set, J));
    scan_all(&set);
    CHECK(set.scans_left == 3);
    CHECK(set.whole_outside > 0.0);
    working_set_scan_pool(&set);
    CHECK(set.scans_left == 2);
    for (size_t i = 0; i < set.n_pool; i++) {
        set.scores[i] = (float) (0.05 * set.whole_outside);
    }
    working_set_scan_pool(&set);
    CHECK(set.scans_left == 0);
    for (uint32_t var = 0; var < J; var++) {
        scores[var] = -1.0f;
    }
    scan_all(&set);
    CHECK(set.scans_left == 0); /* nothing outside violates */
    working_set_fini(&set);
}

static void a_score_that_is_not_a_number_is_in_a_pool_once(void)
{
    const float all[] = {1.0f, NAN, 2.0f};
    const uint32_t kept[] = {0, 1, 2};
    uint32_t positions[3], spare[3];
    const size_t n = prio_select_above(all, 3, -INFINITY, positions);
    CHECK(working_set_add_kept(all, -INFINITY, kept, 3, positions, n, spare) == 3);
}

static void one_variable_is_a_set(void)
{
    working_set set;
    const double value = 0.0;
    REQUIRE_OK(working_set_init(&set, 1));
    scores[0] = 0.5f;
    scan_all(&set);
    working_set_choose(&set, &value);
    CHECK(set.n == 1 && set.vars[0] == 0);
    scores[0] = -0.5f;
    scan_all(&set);
    working_set_choose(&set, &value);
    CHECK(set.n == 0);
    working_set_fini(&set);
}

static void init_survives_the_failure_of_every_allocation(void)
{
    const size_t live_before = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    working_set set;
    for (size_t n = 1; n < 20 && status != STRADS_OK; n++) {
        strads_mem_fail_after(n);
        status = working_set_init(&set, 10);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || strads_mem_live() == live_before);
    }
    REQUIRE_OK(status);
    working_set_fini(&set);
    CHECK(strads_mem_live() == live_before);
}

SUITE("strads/working_set",
      {"the first set is the worst violators", the_first_set_is_the_worst_violators},
      {"what is not zero or still violates is kept, and the rest dropped",
       what_is_not_zero_or_still_violates_is_kept_and_the_rest_dropped},
      {"the set doubles where enough violate", the_set_doubles_where_enough_violate},
      {"the pool holds the set and the nearest", the_pool_holds_the_set_and_the_nearest},
      {"the pool is scanned three times, or until it is used up",
       the_pool_is_scanned_three_times_or_until_it_is_used_up},
      {"a score that is not a number is in a pool once",
       a_score_that_is_not_a_number_is_in_a_pool_once},
      {"one variable is a set", one_variable_is_a_set},
      {"init survives the failure of every allocation",
       init_survives_the_failure_of_every_allocation})

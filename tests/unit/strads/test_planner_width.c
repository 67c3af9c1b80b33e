/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_planner_width.c - how many workers share a working set, by what
 * an exchange costs. */
#include "net/driver.h"
#include "strads/planner.h"
#include "tests/support/suite.h"

enum { J = 40, N_SET = 8, N_SHARED = 3 };

static double ten(const void *site, uint32_t var)
{
    (void) site, (void) var;
    return 10.0;
}

/* A unit for each member. */
static double exchange_units(const net *network, uint32_t n_members, size_t n)
{
    (void) network;
    CHECK(n == N_SHARED);
    return n_members;
}

static strads_status correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state, (void) pairs, (void) gram;
    return STRADS_OK;
}

static uint32_t width_of(const strads_app *app, const net_driver *driver, bool deterministic)
{
    static const double values[J];
    const planner_options options = {.app = app,
                                     .structure = {.n_vars = J, .n_shared = N_SHARED},
                                     .run = {.kind = SCHEDULE_STRUCTURE_AWARE,
                                             .solve = true,
                                             .n_workers = 8,
                                             .deterministic = deterministic}};
    net network = {.driver = driver};
    const net_node node = {.network = &network};
    planner plan;
    plan_outcome outcome = PLAN_NONE;
    REQUIRE_OK(planner_init(&plan, &options));
    plan.node = driver == NULL ? NULL : &node;
    for (uint32_t var = 0; var < J; var++) {
        plan.set.pool[var] = var;
        plan.set.scores[var] = var < N_SET ? 1.0f : -1.0f;
    }
    working_set_scan_all(&plan.set, J);
    REQUIRE_OK(planner_begin(&plan, 0, values, 0.01, &outcome));
    if (outcome == PLAN_ASK) { /* of which nothing is correlated */
        REQUIRE_OK(planner_finish(&plan, &outcome));
    }
    CHECK(outcome == PLAN_READY && plan.blocks.n_vars == N_SET);
    const uint32_t width = (uint32_t) plan.blocks.n_blocks;
    planner_fini(&plan);
    return width;
}

static uint32_t width_of_a_set(const net_driver *driver, bool deterministic)
{
    static const strads_app plain = {.name = "planned", .cost = ten};
    static const strads_app checked = {.name = "planned", .cost = ten, .correlate = correlate};
    const uint32_t width = width_of(&plain, driver, deterministic);
    CHECK(width_of(&checked, driver, deterministic) == width);
    return width;
}

static void a_set_goes_to_as_many_workers_as_the_exchanges_repay(void)
{
    static const net_driver dear = {.exchange_units = exchange_units};
    /* Five exchanges a sweep over 80 units: 80, 40 + 10, 20 + 20, 10 + 40. */
    CHECK(width_of_a_set(&dear, false) == 4);
}

static void it_goes_to_all_where_exchanges_cost_next_to_nothing(void)
{
    static const net_driver free_of_charge = {.name = "free"};
    CHECK(width_of_a_set(&free_of_charge, false) == 8);
    CHECK(width_of_a_set(NULL, false) == 8);
}

static void it_does_not_depend_on_the_network_in_a_deterministic_run(void)
{
    static const net_driver dear = {.exchange_units = exchange_units};
    CHECK(width_of_a_set(&dear, true) == 8);
}

SUITE("strads/planner_width",
      {"a set goes to as many workers as the exchanges repay",
       a_set_goes_to_as_many_workers_as_the_exchanges_repay},
      {"it goes to all where exchanges cost next to nothing",
       it_goes_to_all_where_exchanges_cost_next_to_nothing},
      {"it does not depend on the network in a deterministic run",
       it_does_not_depend_on_the_network_in_a_deterministic_run})

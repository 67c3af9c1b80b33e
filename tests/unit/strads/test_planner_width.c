/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_planner_width.c - how many workers share a working set, by what
 * an exchange costs. */
#include <math.h>

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

static uint32_t crowd_width = UINT32_MAX;

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
    plan.crowd.width = crowd_width;
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

static void it_goes_to_few_while_others_want_the_processors(void)
{
    static const net_driver free_of_charge = {.name = "free"};
    crowd_width = 2;
    CHECK(width_of_a_set(&free_of_charge, false) == 2);
    CHECK(width_of_a_set(&free_of_charge, true) == 8);
    crowd_width = UINT32_MAX;
}

/* ---- where variables are split ---- */

static strads_status lend(void *state, const strads_loan *loan)
{
    (void) state, (void) loan;
    return STRADS_OK;
}

/* Lending sends two numbers for each of the set's 80 units. */
static double lent_units;

static double units_of(const net *network, uint32_t n_members, size_t n)
{
    (void) network;
    return n == N_SHARED ? (n_members > 2 ? 8.0 : 0.0) : n == 160 ? lent_units : INFINITY;
}

/* The plan of a set of eight variables by eight workers, one each. */
static planner plan_of_split(const strads_app *app, bool deterministic, const net_node *node)
{
    static const uint32_t firsts[] = {0, 1, 2, 3, 4, 5, 6, 7, J};
    static const double values[J];
    const planner_options options = {
        .app = app,
        .structure = {.n_vars = J, .n_shared = N_SHARED, .split = STRADS_SPLIT_VARIABLES},
        .firsts = firsts,
        .run = {.kind = SCHEDULE_STRUCTURE_AWARE,
                .solve = true,
                .n_workers = 8,
                .deterministic = deterministic}};
    planner plan;
    plan_outcome outcome = PLAN_NONE;
    REQUIRE_OK(planner_init(&plan, &options));
    plan.node = node;
    for (uint32_t var = 0; var < J; var++) {
        plan.set.pool[var] = var;
        plan.set.scores[var] = var < N_SET ? 1.0f : -1.0f;
    }
    working_set_scan_all(&plan.set, J);
    REQUIRE_OK(planner_begin(&plan, 0, values, 0.01, &outcome));
    CHECK(outcome == PLAN_READY && plan.blocks.n_vars == N_SET);
    return plan;
}

static void a_split_set_is_lent_where_that_repays(void)
{
    static const strads_app app = {.name = "planned", .cost = ten, .lend = lend};
    static const net_driver driver = {.exchange_units = units_of};
    net network = {.driver = &driver};
    const net_node node = {.network = &network};
    /* By all 10 + 5 * 8 a sweep; by two 40, and a twentieth of the loan. */
    lent_units = 199.0;
    planner plan = plan_of_split(&app, false, &node);
    CHECK(plan.lends && plan.blocks.n_blocks == 2 && plan.loans.n == N_SET);
    CHECK(plan.loans.n_borrowers == 2 && plan.loans.next_cost == 80.0);
    planner_fini(&plan);
    lent_units = 201.0;
    plan = plan_of_split(&app, false, &node);
    CHECK(!plan.lends && plan.blocks.n_blocks == 1);
    planner_fini(&plan);
}

static void a_split_set_stays_with_its_owners_otherwise(void)
{
    static const strads_app lends = {.name = "planned", .cost = ten, .lend = lend};
    static const strads_app cannot = {.name = "planned", .cost = ten};
    static const net_driver driver = {.exchange_units = units_of};
    net network = {.driver = &driver};
    const net_node node = {.network = &network};
    lent_units = 0.0;
    planner plan = plan_of_split(&cannot, false, &node);
    CHECK(!plan.lends);
    planner_fini(&plan);
    plan = plan_of_split(&lends, true, &node);
    CHECK(!plan.lends);
    planner_fini(&plan);
    plan = plan_of_split(&lends, false, NULL);
    CHECK(!plan.lends);
    planner_fini(&plan);
}

SUITE("strads/planner_width",
      {"a set goes to as many workers as the exchanges repay",
       a_set_goes_to_as_many_workers_as_the_exchanges_repay},
      {"it goes to all where exchanges cost next to nothing",
       it_goes_to_all_where_exchanges_cost_next_to_nothing},
      {"it does not depend on the network in a deterministic run",
       it_does_not_depend_on_the_network_in_a_deterministic_run},
      {"it goes to few while others want the processors",
       it_goes_to_few_while_others_want_the_processors},
      {"a split set is lent where that repays", a_split_set_is_lent_where_that_repays},
      {"a split set stays with its owners otherwise", a_split_set_stays_with_its_owners_otherwise})

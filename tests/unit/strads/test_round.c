/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_round.c - blocks, cuts and the dispatcher. */
#include "strads/round.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { MANY = 200, WORKERS = 7 };

/* Costs of the variables, by their number. */
static double cost_of[MANY];

static double cost(const void *site, uint32_t var)
{
    (void) site;
    return cost_of[var];
}

static void a_block_is_copied_and_an_empty_one_is_none(void)
{
    strads_round round = {.n_vars = 0};
    uint32_t vars[] = {5, 3, 9};
    REQUIRE_OK(strads_round_add(&round, vars, 3));
    REQUIRE_OK(strads_round_add(&round, vars, 0));
    vars[0] = 77;
    REQUIRE_OK(strads_round_add(&round, vars, 1));
    CHECK(round.n_blocks == 2 && round.n_vars == 4);
    CHECK(round.vars[0] == 5 && round.vars[3] == 77);
    CHECK(round.starts[0] == 0 && round.starts[1] == 3 && round.starts[2] == 4);
    round_clear(&round);
    CHECK(round.n_blocks == 0 && round.n_vars == 0);
    round_fini(&round);
}

static void a_cut_is_contiguous_and_balanced(void)
{
    strads_random random = strads_random_start(1, 0);
    uint32_t vars[MANY];
    double costs[MANY];
    double total = 0.0;
    for (uint32_t i = 0; i < MANY; i++) {
        vars[i] = 3 * i;
        costs[i] = 1.0 + 9.0 * strads_random_uniform(&random);
        total += costs[i];
    }
    for (uint32_t n_parts = 1; n_parts <= WORKERS; n_parts++) {
        strads_round round = {.n_vars = 0};
        REQUIRE_OK(round_cut(&round, vars, costs, MANY, n_parts));
        CHECK(round.n_blocks == n_parts && round.n_vars == MANY);
        CHECK(memcmp(round.vars, vars, sizeof(vars)) == 0);
        for (size_t b = 0; b < round.n_blocks; b++) {
            double part = 0.0;
            for (size_t i = round.starts[b]; i < round.starts[b + 1]; i++) {
                part += costs[i];
            }
            CHECK(fabs(part - total / n_parts) <= 10.0);
        }
        round_fini(&round);
    }
}

static void a_cut_into_more_parts_than_variables_has_a_block_a_variable(void)
{
    const uint32_t vars[] = {4, 8};
    const double costs[] = {1.0, 1.0};
    strads_round round = {.n_vars = 0};
    REQUIRE_OK(round_cut(&round, vars, costs, 2, 5));
    CHECK(round.n_vars == 2 && round.n_blocks == 2);
    round_fini(&round);
}

/* The largest load of a deal, which must hold every variable once. */
static double largest_load(const assignment *to, uint32_t n_workers)
{
    uint8_t seen[MANY] = {0};
    double largest = 0.0;
    for (uint32_t k = 0; k < n_workers; k++) {
        double load = 0.0;
        for (size_t i = to->starts[k]; i < to->starts[k + 1]; i++) {
            CHECK(!seen[to->vars[i]]);
            seen[to->vars[i]] = 1;
            load += cost_of[to->vars[i]];
        }
        largest = fmax(largest, load);
    }
    for (uint32_t var = 0; var < MANY; var++) {
        CHECK(seen[var]);
    }
    return largest;
}

/* Graham: longest first is at most 4/3 - 1/(3 m) of the best, which is at least the
 * mean and at least the largest block. */
static void the_deal_is_within_grahams_bound(void)
{
    strads_random random = strads_random_start(2, 0);
    for (int trial = 0; trial < 50; trial++) {
        size_t starts[WORKERS + 1];
        assignment to = {.starts = starts};
        strads_round round = {.n_vars = 0};
        double total = 0.0;
        double largest_block = 0.0;
        uint32_t var = 0;
        while (var < MANY) {
            uint32_t vars[8];
            uint32_t n = 0;
            double block = 0.0;
            const uint64_t length = 1 + strads_random_below(&random, 8);
            for (; n < length && var < MANY; n++, var++) {
                vars[n] = var;
                cost_of[var] = 0.5 + strads_random_uniform(&random);
                block += cost_of[var];
            }
            REQUIRE_OK(strads_round_add(&round, vars, n));
            total += block;
            largest_block = fmax(largest_block, block);
        }
        REQUIRE_OK(dispatch(&round, &to, WORKERS, WORKERS, cost, NULL));
        const double best = fmax(total / WORKERS, largest_block);
        CHECK(largest_load(&to, WORKERS) <= best * (4.0 / 3.0) + 1e-9);
        strads_free(to.vars);
        round_fini(&round);
    }
}

static void a_block_stays_whole_and_workers_beyond_the_parts_get_nothing(void)
{
    const uint32_t first[] = {0, 1, 2};
    const uint32_t second[] = {3};
    size_t starts[5];
    assignment to = {.starts = starts};
    strads_round round = {.n_vars = 0};
    REQUIRE_OK(strads_round_add(&round, second, 1));
    REQUIRE_OK(strads_round_add(&round, first, 3));
    REQUIRE_OK(dispatch(&round, &to, 2, 4, NULL, NULL));
    const size_t expected[] = {0, 3, 4, 4, 4};
    CHECK(memcmp(starts, expected, sizeof(expected)) == 0);
    CHECK(to.vars[0] == 0 && to.vars[2] == 2 && to.vars[3] == 3);
    strads_free(to.vars);
    round_fini(&round);
}

static void split_variables_go_to_their_owners_in_the_order_of_the_blocks(void)
{
    static const uint32_t firsts[] = {0, 3, 3, 7, 10};
    static const uint32_t blocks[][3] = {{8, 0, 3}, {6, 2, 1}, {9, 4, 5}};
    static const uint32_t dealt[] = {0, 2, 1, 3, 6, 4, 5, 8, 9};
    static const size_t expected[] = {0, 3, 3, 7, 9};
    static const uint32_t owners[] = {0, 0, 0, 2, 2, 2, 2, 3, 3, 3};
    size_t starts[5];
    assignment to = {.starts = starts};
    strads_round round = {.n_vars = 0};
    for (size_t b = 0; b < 3; b++) {
        REQUIRE_OK(strads_round_add(&round, blocks[b], 3));
    }
    REQUIRE_OK(dispatch_to_owners(&round, &to, firsts, 4));
    CHECK(memcmp(starts, expected, sizeof(expected)) == 0);
    CHECK(memcmp(to.vars, dealt, sizeof(dealt)) == 0);
    for (uint32_t var = 0; var < 10; var++) {
        CHECK(round_owner(firsts, 4, var) == owners[var]);
    }
    strads_free(to.vars);
    round_fini(&round);
}

typedef struct reading {
    double told, cost;
    strads_status status;
} reading;

static void read_cost(void *context)
{
    static const strads_app app = {.name = "dear", .cost = cost};
    reading *self = context;
    cost_of[7] = self->told;
    self->status = round_cost(&app, NULL, 7, &self->cost);
}

static void a_cost_that_is_not_above_0_and_finite_is_refused_by_name(void)
{
    static const strads_app plain = {.name = "plain"};
    static const double wrong[] = {0.0, -1.0, INFINITY, NAN};
    double one = 0.0;
    REQUIRE_OK(round_cost(&plain, NULL, 7, &one));
    CHECK_NEAR(one, 1.0, 0.0);
    reading good = {.told = 2.5};
    read_cost(&good);
    CHECK_STATUS(good.status, STRADS_OK);
    CHECK_NEAR(good.cost, 2.5, 0.0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        reading bad = {.told = wrong[i], .cost = -3.0};
        char *said = suite_stderr_of(read_cost, &bad);
        CHECK_STATUS(bad.status, isfinite(wrong[i]) ? STRADS_ERR_APP : STRADS_ERR_NUMERIC);
        CHECK_NEAR(bad.cost, -3.0, 0.0);
        CHECK(strstr(said, "dear: cost gave ") != NULL && strstr(said, " for variable 7;") != NULL);
        strads_free(said);
    }
}

static void no_memory_is_told(void)
{
    const uint32_t vars[] = {0, 1, 2};
    strads_round round = {.n_vars = 0};
    strads_mem_fail_after(1);
    CHECK_STATUS(strads_round_add(&round, vars, 3), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK(round.n_vars == 0 && round.n_blocks == 0);
    round_fini(&round);
}

SUITE("strads/round",
      {"a block is copied, and an empty one is none", a_block_is_copied_and_an_empty_one_is_none},
      {"a cut is contiguous and balanced", a_cut_is_contiguous_and_balanced},
      {"a cut into more parts than variables has a block a variable",
       a_cut_into_more_parts_than_variables_has_a_block_a_variable},
      {"the deal is within Graham's bound", the_deal_is_within_grahams_bound},
      {"a block stays whole, and workers beyond the parts get nothing",
       a_block_stays_whole_and_workers_beyond_the_parts_get_nothing},
      {"split variables go to their owners, in the order of the blocks",
       split_variables_go_to_their_owners_in_the_order_of_the_blocks},
      {"a cost that is not above 0 and finite is refused by name",
       a_cost_that_is_not_above_0_and_finite_is_refused_by_name},
      {"no memory is told", no_memory_is_told})

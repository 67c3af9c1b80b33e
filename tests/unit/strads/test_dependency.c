/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_dependency.c - the checker, on random graphs whose edges the
 * test knows all. */
#include "strads/dependency.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { J = 120, TRIALS = 60 };

static const double RHO = 0.3;

/* The truth: cosines between all variables. */
static double cosine[J][J];
static double cost_of[J];

static void draw_truth(strads_random *random, double density)
{
    for (uint32_t a = 0; a < J; a++) {
        cost_of[a] = 1.0 + 4.0 * strads_random_uniform(random);
        for (uint32_t b = 0; b < a; b++) {
            const bool linked = strads_random_uniform(random) < density;
            cosine[a][b] = linked ? 0.31 + 0.69 * strads_random_uniform(random)
                                  : 0.3 * strads_random_uniform(random);
            cosine[b][a] = cosine[a][b];
        }
    }
}

static bool linked(uint32_t a, uint32_t b)
{
    return a != b && cosine[a][b] > RHO;
}

/* Answers as a worker would: every pair that is new, weak ones too. */
static size_t answer(dependency *check, const uint32_t *vars, size_t n)
{
    strads_pairs pairs;
    REQUIRE_OK(dependency_ask(check, vars, n, &pairs));
    size_t n_edges = 0;
    msg_edge *edges = strads_alloc_array((size_t) pairs.n * pairs.n + 1, sizeof(*edges));
    REQUIRE(edges != NULL);
    for (uint32_t a = pairs.first_new; a < pairs.n; a++) {
        for (uint32_t b = 0; b < a; b++) {
            edges[n_edges++] =
                (msg_edge){.a = a, .b = b, .cosine = cosine[pairs.vars[a]][pairs.vars[b]]};
        }
    }
    REQUIRE_OK(dependency_learn(check, edges, n_edges));
    strads_free(edges);
    return pairs.n == 0 ? 0 : pairs.n - pairs.first_new;
}

static size_t draw_vars(strads_random *random, uint32_t *vars, double share)
{
    size_t n = 0;
    for (uint32_t var = 0; var < J; var++) {
        if (strads_random_uniform(random) < share) {
            vars[n++] = var;
        }
    }
    for (size_t i = n; i > 1; i--) { /* in any order */
        const size_t j = strads_random_below(random, i);
        const uint32_t swap = vars[i - 1];
        vars[i - 1] = vars[j];
        vars[j] = swap;
    }
    return n;
}

static dependency *new_checker(size_t max_known)
{
    const dependency_options options = {.rho = RHO, .max_known = max_known};
    dependency *check = NULL;
    REQUIRE_OK(dependency_create(&check, &options));
    return check;
}

/* The block of each variable, -1 outside; every variable at most once. */
static void find_blocks(const strads_round *round, int32_t block_of[J])
{
    memset(block_of, -1, J * sizeof(*block_of));
    for (size_t b = 0; b < round->n_blocks; b++) {
        for (size_t i = round->starts[b]; i < round->starts[b + 1]; i++) {
            CHECK(block_of[round->vars[i]] == -1);
            block_of[round->vars[i]] = (int32_t) b;
        }
    }
}

/* No two linked variables in different blocks, none linked to what is in flight, no
 * block over the cap or of two owners, and nothing refused without a reason. */
static void check_pick(const dependency_candidates *asked, const strads_round *round,
                       const uint8_t *picked)
{
    int32_t block_of[J];
    double costs[J] = {0};
    uint32_t sizes[J] = {0};
    size_t n_picked = 0;
    find_blocks(round, block_of);
    for (size_t i = 0; i < asked->n; i++) {
        const uint32_t var = asked->vars[i];
        CHECK((block_of[var] >= 0) == (picked[i] != 0));
        n_picked += picked[i];
        for (size_t f = 0; f < asked->n_in_flight; f++) {
            CHECK(!picked[i] || !linked(var, asked->in_flight[f]));
        }
        for (size_t k = 0; k < i && picked[i]; k++) {
            CHECK(!picked[k] || !linked(var, asked->vars[k]) ||
                  block_of[var] == block_of[asked->vars[k]]);
        }
        if (picked[i]) {
            costs[block_of[var]] += cost_of[var];
            sizes[block_of[var]]++;
        }
    }
    CHECK(n_picked <= asked->limit);
    for (size_t i = 0; i < round->n_vars && asked->n_owners > 0; i++) {
        const uint32_t first = round->vars[round->starts[block_of[round->vars[i]]]];
        CHECK(round_owner(asked->firsts, asked->n_owners, round->vars[i]) ==
              round_owner(asked->firsts, asked->n_owners, first));
    }
    for (size_t b = 0; b < round->n_blocks; b++) {
        CHECK(sizes[b] == 1 || costs[b] <= asked->cost_cap + 1e-9);
    }
}

static void what_runs_side_by_side_is_not_correlated(void)
{
    static const uint32_t firsts[] = {0, J / 4, J / 2, J};
    strads_random random = strads_random_start(1, 0);
    for (int trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[J];
        uint32_t both[2 * J];
        uint32_t in_flight[J];
        double costs[J];
        uint8_t picked[J];
        draw_truth(&random, 0.1 * strads_random_uniform(&random));
        dependency *check = new_checker(J);
        size_t n = draw_vars(&random, vars, 0.6);
        const size_t n_in_flight = n / 8;
        n -= n_in_flight;
        memcpy(in_flight, vars + n, n_in_flight * sizeof(*vars));
        memcpy(both, vars, (n + n_in_flight) * sizeof(*vars));
        for (size_t i = 0; i < n; i++) {
            costs[i] = cost_of[vars[i]];
        }
        answer(check, both, n + n_in_flight);
        const dependency_candidates asked = {.vars = vars,
                                             .costs = costs,
                                             .n = n,
                                             .limit = 1 + strads_random_below(&random, n),
                                             .cost_cap = 30.0 * strads_random_uniform(&random),
                                             .in_flight = in_flight,
                                             .n_in_flight = n_in_flight,
                                             .n_owners = trial % 2 == 0 ? 3 : 0,
                                             .firsts = firsts};
        strads_round round = {.n_vars = 0};
        REQUIRE_OK(dependency_pick(check, &asked, &round, picked));
        check_pick(&asked, &round, picked);
        round_fini(&round);
        dependency_destroy(check);
    }
}

static void without_edges_all_candidates_up_to_the_limit_are_picked(void)
{
    uint32_t vars[J];
    double costs[J];
    uint8_t picked[J];
    memset(cosine, 0, sizeof(cosine));
    for (uint32_t i = 0; i < J; i++) {
        vars[i] = J - 1 - i;
        costs[i] = 1.0;
    }
    dependency *check = new_checker(J);
    answer(check, vars, J);
    const dependency_candidates asked = {
        .vars = vars, .costs = costs, .n = J, .limit = 10, .cost_cap = 1.0};
    strads_round round = {.n_vars = 0};
    REQUIRE_OK(dependency_pick(check, &asked, &round, picked));
    CHECK(round.n_blocks == 10);
    for (uint32_t i = 0; i < J; i++) {
        CHECK(picked[i] == (i < 10)); /* in order of preference */
    }
    round_fini(&round);
    dependency_destroy(check);
}

static void only_what_is_new_is_asked_about(void)
{
    const uint32_t first[] = {3, 5, 7, 9};
    const uint32_t second[] = {9, 3, 11, 5};
    dependency *check = new_checker(J);
    memset(cosine, 0, sizeof(cosine));
    CHECK(answer(check, first, 4) == 4);
    CHECK(answer(check, first, 4) == 0);
    CHECK(answer(check, second, 4) == 1);
    dependency_destroy(check);
}

static void a_full_memory_starts_afresh_and_stays_right(void)
{
    strads_random random = strads_random_start(5, 0);
    draw_truth(&random, 0.05);
    dependency *check = new_checker(J / 4);
    for (int trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[J];
        double costs[J];
        uint8_t picked[J];
        const size_t n = draw_vars(&random, vars, 0.1 + 0.4 * strads_random_uniform(&random));
        for (size_t i = 0; i < n; i++) {
            costs[i] = cost_of[vars[i]];
        }
        answer(check, vars, n);
        const dependency_candidates asked = {
            .vars = vars, .costs = costs, .n = n, .limit = n, .cost_cap = 12.0};
        strads_round round = {.n_vars = 0};
        REQUIRE_OK(dependency_pick(check, &asked, &round, picked));
        check_pick(&asked, &round, picked);
        round_fini(&round);
    }
    dependency_destroy(check);
}

static void a_cut_has_every_variable_once_and_balanced_blocks(void)
{
    strads_random random = strads_random_start(3, 0);
    for (int trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[J];
        double costs[J];
        double total = 0.0;
        const uint32_t n_blocks = 2 + (uint32_t) strads_random_below(&random, 6);
        draw_truth(&random, 0.02);
        for (uint32_t i = 0; i < J; i++) {
            vars[i] = i;
            costs[i] = cost_of[i];
            total += costs[i];
        }
        dependency *check = new_checker(J);
        answer(check, vars, J);
        strads_round round = {.n_vars = 0};
        REQUIRE_OK(dependency_cut(check, vars, costs, J, n_blocks, &round));
        int32_t block_of[J];
        double loads[J] = {0};
        find_blocks(&round, block_of);
        for (uint32_t var = 0; var < J; var++) {
            CHECK(block_of[var] >= 0);
            loads[block_of[var]] += cost_of[var];
        }
        for (size_t b = 0; b < round.n_blocks; b++) {
            /* A set of correlated variables is at most a share; one may straddle. */
            CHECK(loads[b] <= 2.1 * total / n_blocks);
        }
        round_fini(&round);
        dependency_destroy(check);
    }
}

static void a_cut_keeps_correlated_variables_together(void)
{
    uint32_t vars[J];
    double costs[J];
    memset(cosine, 0, sizeof(cosine));
    for (uint32_t i = 0; i < J; i++) {
        vars[i] = i;
        costs[i] = cost_of[i] = 1.0;
    }
    for (uint32_t i = 0; i < J; i++) { /* pairs far apart */
        cosine[i][(i + J / 2) % J] = 0.9;
    }
    dependency *check = new_checker(J);
    answer(check, vars, J);
    strads_round round = {.n_vars = 0};
    int32_t block_of[J];
    REQUIRE_OK(dependency_cut(check, vars, costs, J, 4, &round));
    find_blocks(&round, block_of);
    for (uint32_t i = 0; i < J / 2; i++) {
        CHECK(block_of[i] == block_of[i + J / 2]);
    }
    CHECK(round.n_blocks == 4);
    round_fini(&round);
    dependency_destroy(check);
}

static void create_survives_the_failure_of_every_allocation(void)
{
    const dependency_options options = {.rho = RHO, .max_known = 10};
    const size_t live_before = strads_mem_live();
    dependency *check = NULL;
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; n < 20 && status != STRADS_OK; n++) {
        strads_mem_fail_after(n);
        status = dependency_create(&check, &options);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || strads_mem_live() == live_before);
    }
    REQUIRE_OK(status);
    dependency_destroy(check);
    dependency_destroy(NULL);
    CHECK(strads_mem_live() == live_before);
}

SUITE("strads/dependency",
      {"what runs side by side is not correlated", what_runs_side_by_side_is_not_correlated},
      {"without edges all candidates up to the limit are picked",
       without_edges_all_candidates_up_to_the_limit_are_picked},
      {"only what is new is asked about", only_what_is_new_is_asked_about},
      {"a full memory starts afresh and stays right", a_full_memory_starts_afresh_and_stays_right},
      {"a cut has every variable once, and balanced blocks",
       a_cut_has_every_variable_once_and_balanced_blocks},
      {"a cut keeps correlated variables together", a_cut_keeps_correlated_variables_together},
      {"create survives the failure of every allocation",
       create_survives_the_failure_of_every_allocation})

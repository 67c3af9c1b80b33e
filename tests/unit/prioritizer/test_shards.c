/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_shards.c - draws from shards, held against exact probabilities
 * and one prioritizer over all. The test carries requests and answers. */
#include "prioritizer/shards.h"

#include <gsl/gsl_cdf.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/local_shards.h"
#include "tests/support/suite.h"

enum { MOST = 1000, SHARDS = 4, SEED = 17 };

/* Seeds are fixed, so right draws either always pass or never do. */
static const double least_p_value = 1e-3;

/* ---- a run: the shards, and who draws from them ---- */

typedef struct setting {
    prio_policy policy;
    double eta;
    size_t most;
    uint32_t firsts[SHARDS + 1]; /* the last is J */
} setting;

typedef struct place {
    prio_shards *shards;
    local_shards locals;
    float scanned[MOST]; /* scores of the last scan */
} place;

static strads_status try_open(place *at, const setting *set)
{
    *at = (place){.locals = {.policy = set->policy,
                             .seed = SEED,
                             .n = SHARDS,
                             .firsts = set->firsts,
                             .scanned = at->scanned}};
    const prio_shards_options options = {.policy = set->policy,
                                         .n_shards = SHARDS,
                                         .firsts = set->firsts,
                                         .eta = set->eta,
                                         .seed = SEED,
                                         .most = set->most};
    return prio_shards_create(&at->shards, &options);
}

static void close_place(place *at)
{
    prio_shards_destroy(at->shards);
    local_shards_fini(&at->locals);
}

static strads_status ask_all(place *at, uint32_t *twice)
{
    return local_shards_answer(&at->locals, at->shards, twice);
}

/* Draws n, all answers given. */
static strads_status try_draw(place *at, size_t n, uint32_t *vars, size_t *n_drawn)
{
    uint32_t twice = 0;
    bool waits = true;
    strads_status status = STRADS_OK;
    *n_drawn = 0;
    for (int i = 0; waits && status == STRADS_OK; i++) {
        size_t n_more = 0;
        REQUIRE(i < 2 * MOST);
        status = prio_shards_draw(at->shards, n - *n_drawn, vars + *n_drawn, &n_more, &waits);
        *n_drawn += n_more;
        if (status == STRADS_OK && waits) {
            const size_t n_before = at->locals.n_asked;
            status = ask_all(at, &twice);
            CHECK(status != STRADS_OK || at->locals.n_asked > n_before);
        }
    }
    return status;
}

static size_t draw(place *at, size_t n, uint32_t *vars)
{
    size_t n_drawn = 0;
    REQUIRE_OK(try_draw(at, n, vars, &n_drawn));
    return n_drawn;
}

/* A scan has found these scores. */
static strads_status try_scan(place *at, const float *scores)
{
    prio_total fresh[SHARDS];
    const uint32_t n_vars = at->locals.firsts[SHARDS];
    memcpy(at->scanned, scores, n_vars * sizeof(*scores));
    local_shards_totals(&at->locals, fresh);
    return prio_shards_scanned(at->shards, fresh);
}

static void scan(place *at, const float *scores)
{
    REQUIRE_OK(try_scan(at, scores));
}

/* ---- the law ---- */

enum { J = 5, DRAWN = 3, CELLS = J * J * J, TRIALS = 60000 };

static double p_value(const size_t *counts, const double *probability)
{
    double chi = 0.0;
    double freedom = -1.0;
    for (size_t i = 0; i < CELLS; i++) {
        const double expected = probability[i] * TRIALS;
        if (expected > 0.0) {
            const double off = (double) counts[i] - expected;
            chi += off * off / expected;
            freedom += 1.0;
        } else if (counts[i] > 0) {
            return 0.0;
        }
    }
    return gsl_cdf_chisq_Q(chi, freedom);
}

static double total_of(const double *weights)
{
    double total = 0.0;
    for (uint32_t var = 0; var < J; var++) {
        total += weights[var];
    }
    return total;
}

/* Of the ordered triple, drawn one by one from these weights. Before the third the first two
 * come back with the weights `moved`; NULL: they stay out. */
static double triple_probability(const double *weights, const double *moved, uint32_t cell)
{
    const uint32_t triple[DRAWN] = {cell / (J * J), cell / J % J, cell % J};
    double now[J];
    double probability = 1.0;
    memcpy(now, weights, sizeof(now));
    for (size_t i = 0; i < DRAWN; i++) {
        if (i == 2 && moved != NULL) {
            now[triple[0]] = moved[triple[0]];
            now[triple[1]] = moved[triple[1]];
        }
        probability *= now[triple[i]] / total_of(now);
        now[triple[i]] = 0.0;
        if (!(probability > 0.0)) {
            return 0.0; /* or the rest has no weight at all */
        }
    }
    return probability;
}

static const setting small = {.policy = PRIO_SAMPLED, .most = DRAWN, .firsts = {0, 2, 2, 4, J}};

/* most: that a shard draws ahead; 0: all that is asked for. */
static void check_triples(double eta, const float *scores, const double *weights, uint32_t most)
{
    static size_t counts[CELLS];
    double probability[CELLS];
    setting set = small;
    place at;
    set.eta = eta;
    memset(counts, 0, sizeof(counts));
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        probability[cell] = triple_probability(weights, NULL, cell);
    }
    REQUIRE_OK(try_open(&at, &set));
    at.locals.most = most;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[DRAWN];
        scan(&at, scores);
        REQUIRE(draw(&at, DRAWN, vars) == DRAWN);
        counts[vars[0] * J * J + vars[1] * J + vars[2]]++;
        prio_shards_return(at.shards, vars, DRAWN, NULL);
    }
    CHECK(p_value(counts, probability) > least_p_value);
    close_place(&at);
}

/* With one variable in stock at most draws wait amid their variables, again and again. */
static void draws_come_with_the_probabilities_of_one_prioritizer(void)
{
    for (uint32_t most = 0; most < 2; most++) {
        check_triples(0.0, (float[]){1, 2, 3, 4, 5}, (double[]){1, 2, 3, 4, 5}, most);
        check_triples(0.0, (float[]){1, 100, 1, 0, -7}, (double[]){1, 100, 1, 0, 0}, most);
        check_triples(0.5, (float[]){1, -3, 0, 2, 3}, (double[]){2, 1, 1, 3, 4}, most);
        check_triples(1e-6, (float[]){-1, 0, -2, PRIO_RETIRED, 0}, (double[]){1, 1, 1, 0, 1}, most);
    }
}

/* All stocks were drawn before the first two came back with other scores. */
static void check_who_comes_back(uint32_t most)
{
    static const float moved[J] = {4, 0.5F, 9, 0, 2};
    static size_t counts[CELLS];
    double probability[CELLS];
    place at;
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        probability[cell] =
            triple_probability((double[]){1, 2, 3, 4, 5}, (double[]){4, 0.5, 9, 0, 2}, cell);
    }
    memset(counts, 0, sizeof(counts));
    REQUIRE_OK(try_open(&at, &small));
    at.locals.most = most;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[DRAWN];
        scan(&at, (float[]){1, 2, 3, 4, 5});
        REQUIRE(draw(&at, 2, vars) == 2);
        const float scores[2] = {moved[vars[0]], moved[vars[1]]};
        prio_shards_return(at.shards, vars, 2, scores);
        REQUIRE(draw(&at, 1, vars + 2) == 1);
        counts[vars[0] * J * J + vars[1] * J + vars[2]]++;
        prio_shards_return(at.shards, vars + 2, 1, NULL);
    }
    CHECK(p_value(counts, probability) > least_p_value);
    close_place(&at);
}

static void who_comes_back_competes_with_what_was_drawn_ahead(void)
{
    check_who_comes_back(0);
    check_who_comes_back(1);
}

/* ---- against one prioritizer ---- */

static float any_score(strads_random *random)
{
    const uint64_t kind = strads_random_below(random, 100);
    const float size = (float) pow(10.0, 20.0 * strads_random_uniform(random) - 10.0);
    return kind == 0 ? PRIO_RETIRED : kind < 20 ? 0.0F : kind < 30 ? -size : size;
}

static const setting wide = {.policy = PRIO_GREEDY, .most = 40, .firsts = {0, 100, 700, 700, MOST}};

static void any_scores(strads_random *random, float *scores)
{
    for (uint32_t var = 0; var < MOST; var++) {
        scores[var] = any_score(random);
    }
}

/* Rounds of draws and commits, with two in flight, and scans that are taken or not. */
static void the_largest_are_those_that_one_prioritizer_draws(void)
{
    static float scores[MOST];
    uint32_t vars[2][64];
    uint32_t expected[64];
    place at;
    prioritizer *one = NULL;
    const prio_options options = {.policy = PRIO_GREEDY, .n_vars = MOST};
    strads_random random = strads_random_start(3, 0);
    REQUIRE_OK(prio_create(&one, &options));
    REQUIRE_OK(try_open(&at, &wide));
    for (int stage = 0; stage < 60; stage++) {
        size_t n[2] = {0, 0};
        if (stage % 4 == 3) {
            REQUIRE_OK(prio_shards_scanned(at.shards, NULL));
        } else {
            any_scores(&random, scores);
            prio_set_range(one, 0, MOST, scores);
            scan(&at, scores);
        }
        for (int round = 0; round < 12; round++) {
            const int now = round % 2;
            const size_t wanted = strads_random_below(&random, 64);
            n[now] = draw(&at, wanted, vars[now]);
            REQUIRE(prio_draw(one, wanted, 0.0, expected) == n[now]);
            CHECK(memcmp(vars[now], expected, n[now] * sizeof(*expected)) == 0);
            for (size_t i = 0; i < n[1 - now]; i++) { /* those of the round before */
                const float moved = fabsf(any_score(&random));
                const float score = isinf(moved) ? 0.0F : moved;
                prio_update(one, &vars[1 - now][i], 1, &score);
                prio_return(one, &vars[1 - now][i], 1);
                prio_shards_return(at.shards, &vars[1 - now][i], 1, &score);
                CHECK(prio_shards_score(at.shards, vars[1 - now][i]) == score);
            }
            n[1 - now] = 0;
        }
        prio_return(one, vars[1], n[1]);
        prio_shards_return(at.shards, vars[1], n[1], NULL);
    }
    prio_destroy(one);
    close_place(&at);
}

/* ---- books ---- */

static void everything_is_drawn_once_and_comes_back(void)
{
    static float scores[MOST];
    static uint32_t vars[MOST];
    place at;
    setting set = wide;
    strads_random random = strads_random_start(9, 0);
    set.policy = PRIO_SAMPLED;
    set.eta = 0.1;
    REQUIRE_OK(try_open(&at, &set));
    for (int stage = 0; stage < 6; stage++) {
        static bool seen[MOST];
        uint32_t n_left = 0;
        size_t n = 0;
        memset(seen, 0, sizeof(seen));
        any_scores(&random, scores);
        for (uint32_t var = 0; var < MOST; var++) {
            scores[var] = isinf(scores[var]) ? -1.0F : scores[var];
        }
        scan(&at, scores);
        while ((n = draw(&at, 37, vars)) > 0) {
            for (size_t i = 0; i < n; i++) {
                CHECK(!seen[vars[i]]);
                CHECK(prio_shards_score(at.shards, vars[i]) == scores[vars[i]]);
                seen[vars[i]] = true;
                n_left++;
            }
        }
        CHECK(n_left == MOST);
        CHECK(prio_shards_left(at.shards).n_open == 0);
        for (uint32_t var = 0; var < MOST; var++) {
            prio_shards_return(at.shards, &var, 1, NULL);
        }
        CHECK(prio_shards_left(at.shards).n_open == MOST);
    }
    close_place(&at);
}

static void a_shard_hears_of_what_moved_when_it_keeps_its_scores(void)
{
    static const float scores[J] = {1, 2, 3, 4, 5};
    uint32_t vars[2];
    place at;
    REQUIRE_OK(try_open(&at, &small));
    scan(&at, scores);
    REQUIRE(draw(&at, 2, vars) == 2);
    prio_shards_return(at.shards, vars, 2, (float[]){0.25F, 7.0F});
    REQUIRE_OK(prio_shards_scanned(at.shards, NULL));
    const prio_total left = prio_shards_left(at.shards);
    CHECK_NEAR(left.sum, 15.0 - scores[vars[0]] - scores[vars[1]] + 7.25, 1e-12);
    CHECK(left.n_positive == J && left.n_open == J);
    uint32_t twice = 0;
    REQUIRE_OK(ask_all(&at, &twice));
    for (uint32_t s = 0; s < SHARDS; s++) {
        for (uint32_t var = small.firsts[s]; var < small.firsts[s + 1]; var++) {
            const float moved = var == vars[0] ? 0.25F : var == vars[1] ? 7.0F : scores[var];
            CHECK(prio_score(at.locals.of[s], var - small.firsts[s]) == moved);
        }
    }
    close_place(&at);
}

static void what_is_urgent_comes_first_unless_it_is_retired(void)
{
    uint32_t vars[J];
    place at;
    REQUIRE_OK(try_open(&at, &small));
    for (uint32_t var = 0; var < J; var++) {
        scan(&at, (float[]){1, 2, PRIO_RETIRED, 1e9F, 0});
        prio_shards_urge(at.shards, var);
        const size_t n = draw(&at, J, vars);
        CHECK(n == (var == 4 ? 4 : 3)); /* of the last, whose score is 0, only by name */
        CHECK((vars[0] == var) == (var != 2));
        prio_shards_return(at.shards, vars, n, NULL);
    }
    close_place(&at);
}

/* Beyond the round, stocks hold a few more; the first asks of all shards, later ones of those
 * that run low. */
static void stocks_last_for_several_rounds(void)
{
    static float scores[MOST];
    static uint32_t vars[40];
    place at;
    setting set = wide;
    set.policy = PRIO_SAMPLED;
    for (uint32_t var = 0; var < MOST; var++) {
        scores[var] = 1.0F;
    }
    REQUIRE_OK(try_open(&at, &set));
    scan(&at, scores);
    bool waits = false;
    size_t n = 0;
    REQUIRE_OK(prio_shards_draw(at.shards, 40, vars, &n, &waits));
    CHECK(waits && n == 0);
    uint32_t twice = 0;
    REQUIRE_OK(ask_all(&at, &twice));
    CHECK(at.locals.n_asked == SHARDS);
    size_t n_waits = 0;
    for (int round = 0; round < 20; round++) {
        REQUIRE_OK(prio_shards_draw(at.shards, 40, vars, &n, &waits));
        CHECK(n == 40 || waits);
        n_waits += waits;
        REQUIRE_OK(ask_all(&at, &twice));
    }
    CHECK(n_waits == 0 && at.locals.n_asked < SHARDS + 20 * SHARDS / 2);
    close_place(&at);
}

static void a_shard_that_draws_a_variable_twice_is_found_out(void)
{
    static const float ones[2] = {1, 1};
    place at;
    prio_request request;
    uint32_t twice = J;
    REQUIRE_OK(try_open(&at, &small));
    REQUIRE(prio_shards_ask(at.shards, 0, &request));
    CHECK(!prio_shards_ask(at.shards, 0, &request));
    const prio_answer given = {.n = 2, .vars = (uint32_t[]){1, 1}, .scores = ones};
    CHECK_STATUS(prio_shards_take(at.shards, 0, &given, &twice), STRADS_ERR_DATA);
    CHECK(twice == 1);
    close_place(&at);
}

/* After a scan nobody knows better than the shard what it has; from then on it is known. */
static void a_shard_that_miscounts_is_found_out(void)
{
    static const prio_total wrong[] = {{.sum = 1.0, .n_positive = 1, .n_open = 2},
                                       {.sum = 1.0, .n_positive = 2, .n_open = 2},
                                       {.sum = 1.0, .n_positive = 0, .n_open = 1},
                                       {.n_open = 0}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        place at;
        prio_request request;
        uint32_t twice = 0;
        REQUIRE_OK(try_open(&at, &small));
        at.locals.most = 1;
        scan(&at, (float[]){9, 9, 1, 1, 1});
        REQUIRE_OK(ask_all(&at, &twice));
        REQUIRE(prio_shards_ask(at.shards, 0, &request)); /* of two it has one left */
        const prio_answer none = {.left = wrong[i]};
        CHECK_STATUS(prio_shards_take(at.shards, 0, &none, &twice), STRADS_ERR_DATA);
        CHECK(twice == J);
        close_place(&at);
    }
}

/* ---- memory ---- */

static strads_status live(place *at)
{
    static const float scores[MOST] = {[3] = 1, [200] = 2, [900] = 3, [999] = 4};
    uint32_t vars[3];
    size_t n = 0;
    strads_status status = try_scan(at, scores);
    if (status == STRADS_OK) {
        status = try_draw(at, 3, vars, &n);
    }
    prio_shards_return(at->shards, vars, n, NULL);
    return status == STRADS_OK ? prio_shards_scanned(at->shards, NULL) : status;
}

static void fail_each_allocation(void *context)
{
    const setting *set = context;
    const size_t held = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    place at;
    for (size_t n = 1; status != STRADS_OK && n < 100; n++) {
        strads_mem_fail_after(n);
        status = try_open(&at, set);
        if (status == STRADS_OK) {
            status = live(&at);
            close_place(&at);
        }
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == held);
    }
    CHECK_STATUS(status, STRADS_OK);
}

static void no_memory_is_told_and_nothing_is_lost(void)
{
    setting set = wide;
    strads_free(suite_stderr_of(fail_each_allocation, &set));
}

SUITE("prioritizer/shards",
      {"draws come with the probabilities of one prioritizer",
       draws_come_with_the_probabilities_of_one_prioritizer},
      {"who comes back competes with what was drawn ahead",
       who_comes_back_competes_with_what_was_drawn_ahead},
      {"the largest are those that one prioritizer draws",
       the_largest_are_those_that_one_prioritizer_draws},
      {"everything is drawn once and comes back", everything_is_drawn_once_and_comes_back},
      {"a shard hears of what moved when it keeps its scores",
       a_shard_hears_of_what_moved_when_it_keeps_its_scores},
      {"what is urgent comes first, unless it is retired",
       what_is_urgent_comes_first_unless_it_is_retired},
      {"stocks last for several rounds", stocks_last_for_several_rounds},
      {"a shard that draws a variable twice is found out",
       a_shard_that_draws_a_variable_twice_is_found_out},
      {"a shard that miscounts is found out", a_shard_that_miscounts_is_found_out},
      {"no memory is told and nothing is lost", no_memory_is_told_and_nothing_is_lost})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_sampled.c - weighted draws against exact probabilities. */
#include <gsl/gsl_cdf.h>
#include <string.h>

#include "base/random.h"
#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

/* Seeds are fixed, so a right sampler either always passes or never does. */
static const double least_p_value = 1e-3;

static prioritizer *sampled(uint32_t n_vars, const float *scores)
{
    prioritizer *prio = NULL;
    const prio_options options = {.policy = PRIO_SAMPLED, .n_vars = n_vars, .seed = 11};
    REQUIRE_OK(prio_create(&prio, &options));
    prio_set_range(prio, 0, n_vars, scores);
    return prio;
}

/* Draws with the floor that eta gives now. */
static size_t draw(prioritizer *prio, double eta, size_t n, uint32_t *vars)
{
    const prio_total left = prio_left(prio);
    return prio_draw(prio, n, prio_floor(&left, eta), vars);
}

/* P(chi-square >= observed) of counts that should be n times the probabilities. */
static double p_value(const size_t *counts, const double *probability, size_t n_cells, size_t n)
{
    double chi = 0.0;
    double freedom = -1.0;
    for (size_t i = 0; i < n_cells; i++) {
        const double expected = probability[i] * (double) n;
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

enum { J = 5, DRAWN = 3, CELLS = J * J * J, TRIALS = 200000 };

/* Probability of the ordered triple (a, b, c), drawn one by one. */
static double triple_probability(const double *weights, const uint32_t *triple)
{
    double left = 0.0;
    for (uint32_t var = 0; var < J; var++) {
        left += weights[var];
    }
    double probability = 1.0;
    for (size_t i = 0; i < DRAWN; i++) {
        for (size_t k = 0; k < i; k++) {
            probability *= triple[k] != triple[i];
        }
        probability *= weights[triple[i]] / left;
        left -= weights[triple[i]];
    }
    return probability;
}

static void check_triples(const float *scores, double eta, const double *weights)
{
    double probability[CELLS];
    static size_t counts[CELLS];
    memset(counts, 0, sizeof(counts));
    prioritizer *prio = sampled(J, scores);
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        const uint32_t triple[DRAWN] = {cell / (J * J), cell / J % J, cell % J};
        probability[cell] = triple_probability(weights, triple);
    }
    for (size_t trial = 0; trial < TRIALS; trial++) {
        uint32_t vars[DRAWN];
        REQUIRE(draw(prio, eta, DRAWN, vars) == DRAWN);
        counts[vars[0] * J * J + vars[1] * J + vars[2]]++;
        prio_return(prio, vars, DRAWN);
    }
    CHECK(p_value(counts, probability, CELLS, TRIALS) > least_p_value);
    prio_destroy(prio);
}

/* The last two cases: eta adds half of the mean positive score, 2, to each; and
 * with no positive score all are equally likely. */
static void draws_come_with_the_probabilities_of_drawing_one_by_one(void)
{
    check_triples((float[]){1, 2, 3, 4, 5}, 0.0, (double[]){1, 2, 3, 4, 5});
    check_triples((float[]){1, 100, 1, 0, -7}, 0.0, (double[]){1, 100, 1, 0, 0});
    check_triples((float[]){1, -3, 0, 2, 3}, 0.5, (double[]){2, 1, 1, 3, 4});
    check_triples((float[]){-1, 0, -2, PRIO_RETIRED, 0}, 1e-6, (double[]){1, 1, 1, 0, 1});
}

static void the_mean_is_that_of_the_variables_that_can_be_drawn(void)
{
    const float with_huge[] = {1, 3, 0, 0, 1e30F};
    const double probability[J] = {2.0 / 8, 4.0 / 8, 1.0 / 8, 1.0 / 8, 0};
    size_t counts[J] = {0};
    prioritizer *prio = sampled(J, with_huge);
    uint32_t out = 0;
    while (out != 4) {
        REQUIRE(draw(prio, 0.5, 1, &out) == 1);
        prio_return(prio, &out, out != 4);
    }
    for (size_t trial = 0; trial < TRIALS; trial++) {
        uint32_t var = 0;
        REQUIRE(draw(prio, 0.5, 1, &var) == 1);
        counts[var]++;
        prio_return(prio, &var, 1);
    }
    CHECK(p_value(counts, probability, J, TRIALS) > least_p_value);
    prio_destroy(prio);
}

enum { MANY = 3000, MANY_DRAWN = 700, GROUPS = 8, REPEATS = 400 };

/* The oracle: a linear scan for every single draw. */
static void draw_by_scan(const float *scores, strads_random *random, size_t *by_group)
{
    static bool out[MANY];
    memset(out, 0, sizeof(out));
    for (size_t i = 0; i < MANY_DRAWN; i++) {
        double total = 0.0;
        for (size_t var = 0; var < MANY; var++) {
            total += out[var] ? 0.0 : (double) scores[var];
        }
        double target = strads_random_uniform(random) * total;
        size_t var = 0;
        while (out[var] || target >= (double) scores[var]) {
            target -= out[var] ? 0.0 : (double) scores[var];
            var++;
        }
        out[var] = true;
        by_group[var % GROUPS]++;
    }
}

/* Several batches a draw, and enough weight on few to make many repetitions. */
static void large_draws_take_as_many_of_each_kind_as_a_linear_scan_does(void)
{
    static float scores[MANY];
    static uint32_t vars[MANY_DRAWN];
    size_t by_tree[GROUPS] = {0};
    size_t by_scan[GROUPS] = {0};
    for (size_t var = 0; var < MANY; var++) {
        scores[var] = ldexpf(1.0F, (int) (var % GROUPS));
    }
    strads_random random = strads_random_start(5, 0);
    prioritizer *prio = sampled(MANY, scores);
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        REQUIRE(draw(prio, 0.0, MANY_DRAWN, vars) == MANY_DRAWN);
        for (size_t i = 0; i < MANY_DRAWN; i++) {
            by_tree[vars[i] % GROUPS]++;
        }
        prio_return(prio, vars, MANY_DRAWN);
        if (repeat % 4 == 0) {
            draw_by_scan(scores, &random, by_scan);
        }
    }
    /* A group's count in one draw has at most the binomial's variance; five standard
     * deviations of the difference of the two means. */
    for (size_t g = 0; g < GROUPS; g++) {
        const double mean_tree = (double) by_tree[g] / REPEATS;
        const double mean_scan = (double) by_scan[g] / (REPEATS / 4.0);
        const double share = mean_scan / (MANY / (double) GROUPS);
        const double variance = MANY / (double) GROUPS * share * (1.0 - share);
        CHECK_NEAR(mean_tree, mean_scan, 5.0 * sqrt(variance * (5.0 / REPEATS)));
    }
    prio_destroy(prio);
}

static void eta_zero_draws_positive_scores_only(void)
{
    uint32_t vars[J];
    prioritizer *prio = sampled(J, (float[]){0, 1e-30F, -1, 1e30F, 0});
    CHECK(draw(prio, 0.0, J, vars) == 2);
    CHECK(vars[0] == 3 && vars[1] == 1);
    CHECK(draw(prio, 0.0, J, vars) == 0);
    prio_destroy(prio);

    prio = sampled(J, (float[]){0, 0, 0, 0, 0});
    CHECK(draw(prio, 0.0, J, vars) == 0);
    prio_destroy(prio);
}

static void a_large_eta_draws_uniformly(void)
{
    const double probability[J] = {0.2, 0.2, 0.2, 0.2, 0.2};
    const double etas[] = {1e9, 1e308};
    for (size_t e = 0; e < 2; e++) {
        size_t counts[J] = {0};
        prioritizer *prio = sampled(J, (float[]){0, 1e38F, 1, -5, 2});
        for (size_t trial = 0; trial < TRIALS; trial++) {
            uint32_t var = 0;
            REQUIRE(draw(prio, etas[e], 1, &var) == 1);
            counts[var]++;
            prio_return(prio, &var, 1);
        }
        CHECK(p_value(counts, probability, J, TRIALS) > least_p_value);
        prio_destroy(prio);
    }
}

SUITE("prioritizer/sampled",
      {"draws come with the probabilities of drawing one by one",
       draws_come_with_the_probabilities_of_drawing_one_by_one},
      {"the mean is that of the variables that can be drawn",
       the_mean_is_that_of_the_variables_that_can_be_drawn},
      {"large draws take as many of each kind as a linear scan does",
       large_draws_take_as_many_of_each_kind_as_a_linear_scan_does},
      {"eta zero draws positive scores only", eta_zero_draws_positive_scores_only},
      {"a large eta draws uniformly", a_large_eta_draws_uniformly})

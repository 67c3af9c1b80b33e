/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_greedy.c - the largest scores against a full sort. */
#include <string.h>

#include "base/random.h"
#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

/* From 16,384 on the floor is guessed from a sample. */
enum { MANY = 50000 };

static prioritizer *greedy(uint32_t n_vars, const float *scores)
{
    prioritizer *prio = NULL;
    const prio_options options = {.policy = PRIO_GREEDY, .n_vars = n_vars};
    REQUIRE_OK(prio_create(&prio, &options));
    prio_set_range(prio, 0, n_vars, scores);
    return prio;
}

static const float *sort_scores; /* of by_score, which takes no context */

static int by_score(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *) a;
    const uint32_t y = *(const uint32_t *) b;
    if (sort_scores[x] != sort_scores[y]) {
        return sort_scores[x] < sort_scores[y] ? 1 : -1;
    }
    return (x > y) - (x < y);
}

/* Draws n again and again until nothing is left: that is the sorted order. */
static void check_against_sort(uint32_t n_vars, const float *scores, size_t n)
{
    static uint32_t sorted[MANY];
    static uint32_t vars[MANY];
    size_t n_positive = 0;
    for (uint32_t var = 0; var < n_vars; var++) {
        if (scores[var] > 0.0F) {
            sorted[n_positive++] = var;
        }
    }
    sort_scores = scores;
    qsort(sorted, n_positive, sizeof(sorted[0]), by_score);
    prioritizer *prio = greedy(n_vars, scores);
    size_t n_drawn = 0;
    size_t n_now = 0;
    while ((n_now = prio_draw(prio, n, 0.0, vars + n_drawn)) > 0) {
        CHECK(n_now == (n_positive - n_drawn < n ? n_positive - n_drawn : n));
        n_drawn += n_now;
    }
    CHECK(n_drawn == n_positive && memcmp(vars, sorted, n_positive * sizeof(vars[0])) == 0);
    prio_destroy(prio);
}

static void it_draws_in_the_order_of_a_full_sort(void)
{
    static float scores[MANY];
    strads_random random = strads_random_start(9, 0);
    for (uint32_t var = 0; var < MANY; var++) {
        const double exponent = 60.0 * strads_random_uniform(&random) - 30.0;
        scores[var] = (float) (pow(10.0, exponent) * (var % 4 == 0 ? -1.0 : 1.0));
    }
    scores[0] = PRIO_RETIRED;
    check_against_sort(1, scores + 1, 1);
    check_against_sort(31, scores, 3);
    check_against_sort(1000, scores, 1);
    check_against_sort(MANY, scores, 4000);
    check_against_sort(MANY, scores, MANY);
}

static void ties_go_by_index(void)
{
    static float scores[MANY];
    for (uint32_t var = 0; var < MANY; var++) {
        scores[var] = 1.0F;
    }
    check_against_sort(MANY, scores, 3000);
    for (uint32_t var = 0; var < MANY; var++) {
        scores[var] = (float) (var * 7919 % 5) - 1.0F;
    }
    check_against_sort(MANY, scores, 3000);
    check_against_sort(999, scores, 10);
}

/* The sample looks at every 6th of 50,000: it sees nothing, or only large ones. */
static void a_sample_that_misleads_does_no_harm(void)
{
    static float scores[MANY];
    for (uint32_t var = 0; var < MANY; var++) {
        scores[var] = var % 6 == 0 ? 0.0F : (float) var;
    }
    check_against_sort(MANY, scores, 5000);
    for (uint32_t var = 0; var < MANY; var++) {
        scores[var] = var % 6 == 0 ? 1e9F + (float) var : 1.0F / (float) var;
    }
    check_against_sort(MANY, scores, 9000);
}

static void updates_move_variables_in_the_order(void)
{
    uint32_t vars[4];
    prioritizer *prio = greedy(4, (float[]){4, 3, 2, 1});
    CHECK(prio_draw(prio, 2, 0.0, vars) == 2 && vars[0] == 0 && vars[1] == 1);
    prio_update(prio, (uint32_t[]){3, 0}, 2, (float[]){9, 0.5F});
    prio_return(prio, (uint32_t[]){0}, 1);
    CHECK(prio_draw(prio, 4, 0.0, vars) == 3 && vars[0] == 3 && vars[1] == 2 && vars[2] == 0);
    prio_destroy(prio);
}

SUITE("prioritizer/greedy",
      {"it draws in the order of a full sort", it_draws_in_the_order_of_a_full_sort},
      {"ties go by index", ties_go_by_index},
      {"a sample that misleads does no harm", a_sample_that_misleads_does_no_harm},
      {"updates move variables in the order", updates_move_variables_in_the_order})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_select.c - the largest k of n against a check of every score. */
#include "base/random.h"
#include "prioritizer/prioritizer.h"
#include "tests/support/suite.h"

enum { MANY = 50000 };

static const double tie = 1.0 / (1 << 14); /* relative; closer scores may count as tied */

/* Among `scores`, chosen[n_chosen] are the k largest above `above`, up to ties. */
static void check_choice(const float *scores, size_t n, size_t k, float above,
                         const uint32_t *chosen, size_t n_chosen)
{
    static bool is_chosen[MANY];
    size_t n_above = 0;
    float least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        n_above += scores[i] > above;
        is_chosen[i] = false;
    }
    CHECK(n_chosen == (n_above < k ? n_above : k));
    for (size_t i = 0; i < n_chosen; i++) {
        REQUIRE(chosen[i] < n && (i == 0 || chosen[i - 1] < chosen[i]));
        CHECK(scores[chosen[i]] > above);
        is_chosen[chosen[i]] = true;
        least = fminf(least, scores[chosen[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        const double slack = tie * fabs((double) least);
        CHECK(is_chosen[i] || !(scores[i] > above) || (double) scores[i] <= (double) least + slack);
    }
}

static void fill(float *scores, size_t n, uint64_t stream)
{
    strads_random random = strads_random_start(8, stream);
    for (size_t i = 0; i < n; i++) {
        const double size = pow(10.0, 20.0 * strads_random_uniform(&random) - 10.0);
        scores[i] = (float) (strads_random_below(&random, 3) == 0 ? -size : size);
    }
}

static void it_takes_the_largest(void)
{
    static float scores[MANY];
    static uint32_t chosen[MANY];
    static const size_t sizes[] = {1, 2, 31, 32, 33, 1000, MANY};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        const size_t n = sizes[s];
        const size_t counts[] = {0, 1, n / 100, n / 3, n - 1, n, n + 5};
        const float bars[] = {-INFINITY, 0.0F, 1.0F, 1e20F};
        fill(scores, n, s);
        for (size_t c = 0; c < 7 * 4; c++) {
            const size_t k = counts[c / 4];
            const float above = bars[c % 4];
            check_choice(scores, n, k, above, chosen, prio_select_top(scores, n, k, above, chosen));
        }
    }
}

static void equal_scores_go_to_the_lower_positions(void)
{
    static float scores[MANY];
    static uint32_t chosen[MANY];
    for (size_t i = 0; i < MANY; i++) {
        scores[i] = 2.5F;
    }
    CHECK(prio_select_top(scores, MANY, 777, 0.0F, chosen) == 777);
    CHECK(chosen[0] == 0 && chosen[776] == 776);
    CHECK(prio_select_top(scores, MANY, 777, 2.5F, chosen) == 0);
}

/* The sample looks at 16 of every 97 in 50,000. */
static void a_sample_that_misleads_does_no_harm(void)
{
    static float scores[MANY];
    static uint32_t chosen[MANY];
    for (size_t i = 0; i < MANY; i++) {
        scores[i] = i % 97 < 16 ? 1e9F + (float) i : 1.0F / (float) i;
    }
    check_choice(scores, MANY, 9000, 0.0F, chosen,
                 prio_select_top(scores, MANY, 9000, 0.0F, chosen));
}

static void all_above_a_guessed_bar_are_about_as_many_as_asked_for(void)
{
    static float scores[MANY];
    static uint32_t chosen[MANY];
    fill(scores, MANY, 99);
    for (size_t k = 500; k < MANY / 4; k *= 2) {
        const float bar = prio_guess_bar(scores, MANY, k, 0.0F);
        const size_t n = prio_select_above(scores, MANY, bar, chosen);
        check_choice(scores, MANY, MANY, bar, chosen, n);
        CHECK(bar >= 0.0F && n >= k && n <= 2 * k + 500);
    }
    for (size_t n = 100; n < MANY / 2; n *= 3) {
        const float bar = prio_guess_bar(scores, n, n / 10, -INFINITY);
        const size_t n_above = prio_select_above(scores, n, bar, chosen);
        CHECK(n_above >= n / 10 && n_above <= n / 4);
    }
    CHECK(prio_guess_bar(scores, MANY, 500, 1e30F) == 1e30F);
    CHECK(prio_guess_bar(scores, 10, 5, 3.0F) == 3.0F);
}

SUITE("prioritizer/select", {"it takes the largest", it_takes_the_largest},
      {"equal scores go to the lower positions", equal_scores_go_to_the_lower_positions},
      {"a sample that misleads does no harm", a_sample_that_misleads_does_no_harm},
      {"all above a guessed bar are about as many as asked for",
       all_above_a_guessed_bar_are_about_as_many_as_asked_for})

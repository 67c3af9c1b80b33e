/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_descent.c - CCD++'s loops against dense ones in double precision. */
#include "apps/mf/descent.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

enum { USERS = 23, ITEMS = 11, FACTORS = 4, PASSES = 6 };

static const double NEAR = 1e-5; /* absolute; all numbers are about 1 */

/* A problem, as the code under test has it and densely. User i has i % (ITEMS + 1) ratings: from
 * none to all; item 0 has none. */
typedef struct problem {
    mf_descent fast;
    mf_factor factors[FACTORS];
    size_t starts[USERS + 1];
    uint32_t items[USERS * ITEMS];
    float residuals[USERS * ITEMS];
    float penalty[2][USERS];
    float numbers[2][FACTORS][USERS];
    mf_item_pair pairs[ITEMS];
    mf_item_sums sums[ITEMS];

    bool rated[USERS][ITEMS];
    double rating[USERS][ITEMS];
    double of_user[FACTORS][USERS], of_item[FACTORS][ITEMS];
} problem;

static double draw(strads_random *random)
{
    return strads_random_uniform(random) - 0.5;
}

/* Ratings of users without an order; the same for the same seed. */
static void make_ratings(problem *p, strads_random *random)
{
    for (size_t i = 0; i < USERS; i++) {
        size_t left = i % (ITEMS + 1);
        p->starts[i + 1] = p->starts[i];
        for (uint32_t j = ITEMS - 1; j > 0 && left > 0; j--, left--) {
            const float rating = (float) (4.0 * draw(random));
            p->rated[i][j] = true;
            p->rating[i][j] = (double) rating;
            p->items[p->starts[i + 1]] = j;
            p->residuals[p->starts[i + 1]++] = rating;
        }
    }
}

static void make(problem *p, double penalty)
{
    strads_random random = strads_random_start(7, 0);
    *p = (problem){.starts = {0}};
    make_ratings(p, &random);
    for (size_t f = 0; f < FACTORS; f++) {
        p->factors[f] = (mf_factor){p->numbers[0][f], p->numbers[1][f]};
        for (size_t j = 0; j < ITEMS; j++) {
            p->factors[f].items[j] = (float) draw(&random);
            p->of_item[f][j] = (double) p->factors[f].items[j];
        }
    }
    for (size_t i = 0; i < USERS; i++) {
        p->penalty[0][i] = (float) (penalty * (double) (p->starts[i + 1] - p->starts[i]));
        p->penalty[1][i] = (float) penalty;
    }
    p->fast = (mf_descent){.n_users = USERS,
                           .n_items = ITEMS,
                           .starts = p->starts,
                           .items = p->items,
                           .residuals = p->residuals,
                           .user_penalty = p->penalty[0],
                           .item_penalty = p->penalty[1],
                           .pairs = p->pairs,
                           .sums = p->sums};
}

/* ---- the oracle ---- */

static double left_of(const problem *p, size_t i, size_t j, size_t but)
{
    double r = p->rating[i][j];
    for (size_t f = 0; f < FACTORS; f++) {
        r -= f == but ? 0.0 : p->of_user[f][i] * p->of_item[f][j];
    }
    return r;
}

static void solve_users(problem *p, size_t f)
{
    for (size_t i = 0; i < USERS; i++) {
        double above = 0.0;
        double below = (double) p->penalty[0][i];
        for (size_t j = 0; j < ITEMS; j++) {
            above += p->rated[i][j] ? left_of(p, i, j, f) * p->of_item[f][j] : 0.0;
            below += p->rated[i][j] ? p->of_item[f][j] * p->of_item[f][j] : 0.0;
        }
        p->of_user[f][i] = below > 0.0 ? above / below : 0.0;
    }
}

static void solve_items(problem *p, size_t f)
{
    for (size_t j = 0; j < ITEMS; j++) {
        double above = 0.0;
        double below = (double) p->penalty[1][j];
        for (size_t i = 0; i < USERS; i++) {
            above += p->rated[i][j] ? left_of(p, i, j, f) * p->of_user[f][i] : 0.0;
            below += p->rated[i][j] ? p->of_user[f][i] * p->of_user[f][i] : 0.0;
        }
        p->of_item[f][j] = below > 0.0 ? above / below : 0.0;
    }
}

static double squares_of(const problem *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < USERS; i++) {
        for (size_t j = 0; j < ITEMS; j++) {
            const double r = p->rated[i][j] ? left_of(p, i, j, FACTORS) : 0.0;
            sum += r * r;
        }
    }
    return sum;
}

static double objective_of(const problem *p)
{
    double twice = squares_of(p);
    for (size_t f = 0; f < FACTORS; f++) {
        for (size_t i = 0; i < USERS; i++) {
            twice += (double) p->penalty[0][i] * p->of_user[f][i] * p->of_user[f][i];
        }
        for (size_t j = 0; j < ITEMS; j++) {
            twice += (double) p->penalty[1][j] * p->of_item[f][j] * p->of_item[f][j];
        }
    }
    return 0.5 * twice;
}

/* The numbers of the code under test, to the oracle. */
static void take_over(problem *p)
{
    for (size_t f = 0; f < FACTORS; f++) {
        for (size_t i = 0; i < USERS; i++) {
            p->of_user[f][i] = (double) p->factors[f].users[i];
        }
        for (size_t j = 0; j < ITEMS; j++) {
            p->of_item[f][j] = (double) p->factors[f].items[j];
        }
    }
}

/* ---- cases ---- */

static void factors_become_what_dense_loops_find(void)
{
    problem p;
    make(&p, 0.3);
    const mf_factor *last = &p.factors[0];
    for (size_t step = 0; step < PASSES * FACTORS; step++) {
        const size_t f = step % FACTORS;
        take_over(&p);
        solve_users(&p, f);
        mf_descent_users(&p.fast, last, &p.factors[f], false);
        for (size_t i = 0; i < USERS; i++) {
            CHECK_NEAR(p.factors[f].users[i], p.of_user[f][i], NEAR);
        }
        take_over(&p);
        solve_items(&p, f);
        mf_descent_items(&p.fast, &p.factors[f]);
        for (size_t j = 0; j < ITEMS; j++) {
            CHECK_NEAR(p.factors[f].items[j], p.of_item[f][j], NEAR);
        }
        last = &p.factors[f];
        CHECK_NEAR(mf_descent_squares(&p.fast, last), squares_of(&p), 10 * NEAR);
    }
}

static void the_objective_never_rises(void)
{
    static const double penalties[] = {0.0, 0.01, 1.0};
    for (size_t k = 0; k < 3; k++) {
        problem p;
        make(&p, penalties[k]);
        const mf_factor *last = &p.factors[0];
        double before = objective_of(&p);
        for (size_t step = 0; step < 10 * PASSES * FACTORS; step++) {
            const mf_factor *next = &p.factors[step % FACTORS];
            mf_descent_users(&p.fast, last, next, false);
            mf_descent_items(&p.fast, next);
            last = next;
            take_over(&p);
            CHECK(objective_of(&p) <= before + NEAR);
            before = objective_of(&p);
        }
    }
}

static void who_has_no_rating_gets_0(void)
{
    problem p;
    make(&p, 0.0);
    mf_descent_users(&p.fast, &p.factors[0], &p.factors[0], false);
    mf_descent_items(&p.fast, &p.factors[0]);
    CHECK(p.factors[0].users[0] == 0.0F && p.factors[0].users[ITEMS + 1] == 0.0F);
    CHECK(p.factors[0].items[0] == 0.0F && p.sums[0].squares == 0.0);
    CHECK(p.factors[0].users[1] != 0.0F && p.factors[0].items[1] != 0.0F);
}

static void what_is_fixed_stays(void)
{
    problem p;
    make(&p, 0.3);
    for (size_t i = 0; i < USERS; i++) {
        p.factors[1].users[i] = 1.0F; /* its product is added back though it was never taken off */
    }
    mf_descent_users(&p.fast, &p.factors[0], &p.factors[1], true);
    mf_descent_items(&p.fast, &p.factors[1]);
    for (size_t i = 0; i < USERS; i++) {
        CHECK(p.factors[1].users[i] == 1.0F);
    }
    CHECK(p.sums[ITEMS - 1].squares == 21.0); /* as many users have rated it */
}

/* Backwards, and in two parts. */
static void sums_of_items_are_the_same_bits_in_any_order(void)
{
    problem all;
    problem part;
    mf_item_sums sums[ITEMS] = {{0}};
    make(&all, 0.3);
    mf_descent_users(&all.fast, &all.factors[0], &all.factors[0], false);
    make(&part, 0.3);
    const mf_factor whole = part.factors[0];
    for (size_t i = USERS; i > 0; i--) {
        const mf_factor one = {whole.users + i - 1, whole.items};
        part.fast.n_users = 1;
        part.fast.starts = part.starts + i - 1;
        part.fast.items = part.items + part.starts[i - 1];
        part.fast.residuals = part.residuals + part.starts[i - 1];
        part.fast.user_penalty = part.penalty[0] + i - 1;
        mf_descent_users(&part.fast, &one, &one, false);
        for (size_t j = 0; j < ITEMS; j++) {
            sums[j].products += part.sums[j].products;
            sums[j].squares += part.sums[j].squares;
        }
    }
    CHECK(memcmp(sums, all.sums, sizeof(sums)) == 0);
    CHECK(memcmp(whole.users, all.factors[0].users, sizeof(part.numbers[0][0])) == 0);
}

SUITE("apps/mf/descent",
      {"factors become what dense loops find", factors_become_what_dense_loops_find},
      {"the objective never rises", the_objective_never_rises},
      {"who has no rating gets 0", who_has_no_rating_gets_0},
      {"what is fixed stays", what_is_fixed_stays},
      {"sums of items are the same bits in any order",
       sums_of_items_are_the_same_bits_in_any_order})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_loss.c - losses against their definitions. */
#include "apps/lasso/loss.h"

#include "apps/lasso/lasso.h"
#include "tests/support/suite.h"

enum { N = 60 };

/* xorshift64*, in (-1, 1). */
static double draw(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double) (int64_t) (state * 2685821657736338717u) / 9223372036854775808.0;
}

static void slope_and_curvature_are_those_of_the_loss(void)
{
    static const double H = 1e-4;
    for (int i = 0; i < 200; i++) {
        const double y = i % 2 == 0 ? 1.0 : -1.0;
        const double eta = 8.0 * draw();
        const lasso_point at = lasso_logistic_at(y, eta);
        const double up = lasso_logistic_at(y, eta + H).loss;
        const double down = lasso_logistic_at(y, eta - H).loss;
        CHECK_NEAR(at.loss, log(1.0 + exp(-y * eta)), 1e-12);
        CHECK_NEAR(at.slope, (up - down) / (2.0 * H), 1e-8);
        CHECK_NEAR(at.curvature, (up - 2.0 * at.loss + down) / (H * H), 1e-6);
    }
}

static void far_margins_neither_overflow_nor_vanish(void)
{
    CHECK(lasso_logistic_at(1.0, -1e6).loss == 1e6);
    CHECK(lasso_logistic_at(1.0, -1e6).slope == -1.0);
    CHECK(lasso_logistic_at(-1.0, -1e6).loss == 0.0);
    CHECK_NEAR(lasso_logistic_at(1.0, 100.0).loss, exp(-100.0), 1e-58);
    CHECK_NEAR(lasso_logistic_at(1.0, 100.0).slope, -exp(-100.0), 1e-58);
}

/* Over all pairs. */
static double slow_auc(const double *eta, const int *positive, size_t n)
{
    double right = 0.0;
    double pairs = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (positive[i] && !positive[k]) {
                right += eta[i] > eta[k] ? 1.0 : eta[i] == eta[k] ? 0.5 : 0.0;
                pairs += 1.0;
            }
        }
    }
    return pairs == 0.0 ? 0.5 : right / pairs;
}

static void the_area_is_the_share_of_pairs_in_order(void)
{
    for (int round = 0; round < 50; round++) {
        double eta[N];
        int positive[N] = {0};
        uint64_t keys[2 * N];
        const size_t n = (size_t) (round < 3 ? round : 3 + round % (N - 3));
        for (size_t i = 0; i < n; i++) {
            eta[i] = round % 2 == 0 ? floor(4.0 * draw()) : 1e3 * draw(); /* with ties, without */
            positive[i] = draw() > 0.3;
            keys[i] = lasso_auc_key(eta[i], positive[i]);
        }
        CHECK_NEAR(lasso_auc(keys, n), slow_auc(eta, positive, n), 1e-14);
    }
}

static void one_class_alone_is_worth_a_half(void)
{
    uint64_t keys[4] = {lasso_auc_key(1.0, 1), lasso_auc_key(2.0, 1)};
    CHECK(lasso_auc(keys, 2) == 0.5);
    CHECK(lasso_auc(keys, 0) == 0.5);
}

static void objectives_are_those_of_the_measures(void)
{
    static const double measures[LASSO_N_MEASURES] = {
        [LASSO_RR] = 4.0,     [LASSO_RY] = 5.0,   [LASSO_L1] = 1.0,  [LASSO_L2] = 1.0,
        [LASSO_RATIO] = 1.25, [LASSO_LOSS] = 3.0, [LASSO_DUAL] = 2.5};
    CHECK_NEAR(lasso_objective(LASSO_SQUARED, measures, 1.0, 1.0), 3.5, 1e-15);
    CHECK_NEAR(lasso_objective(LASSO_LOGISTIC, measures, 1.0, 1.0), 4.5, 1e-15);
    CHECK_NEAR(lasso_dual_objective(LASSO_SQUARED, measures, 1.0, 1.0),
               0.8 * 5.0 - 0.5 * 0.64 * 5.0, 1e-15);
    CHECK(lasso_dual_objective(LASSO_LOGISTIC, measures, 1.0, 1.0) == 2.5);
}

SUITE("apps/lasso/loss",
      {"slope and curvature are those of the loss", slope_and_curvature_are_those_of_the_loss},
      {"far margins neither overflow nor vanish", far_margins_neither_overflow_nor_vanish},
      {"the area is the share of pairs in order", the_area_is_the_share_of_pairs_in_order},
      {"one class alone is worth a half", one_class_alone_is_worth_a_half},
      {"objectives are those of the measures", objectives_are_those_of_the_measures})

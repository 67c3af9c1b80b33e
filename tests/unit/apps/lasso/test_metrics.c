/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_metrics.c - how well rows are predicted. */
#include <math.h>

#include "apps/lasso/model.h"
#include "base/mem.h"
#include "tests/support/suite.h"

enum { N = 4 };

static const double etas[N] = {2.0, -1.0, 0.5, -3.0};

static void squares_are_half_the_loss(void)
{
    static const double y[N] = {1.0, -1.0, 1.5, -2.0};
    lasso_metrics metrics;
    REQUIRE_OK(lasso_metrics_of(&metrics, LASSO_SQUARED, y, etas, N));
    CHECK(metrics.n == N);
    CHECK_NEAR(metrics.loss, 1.5, 1e-15);
    CHECK_NEAR(metrics.squares, 8.1875, 1e-14); /* about -0.125 */
    CHECK_NEAR(lasso_metrics_error(&metrics, LASSO_SQUARED), 0.75, 1e-15);
}

static void classes_may_be_told_by_0_or_by_minus_1(void)
{
    static const double y[2][N] = {{1.0, 0.0, 0.0, 1.0}, {1.0, -1.0, -1.0, 1.0}};
    for (int i = 0; i < 2; i++) {
        lasso_metrics metrics;
        double loss = 0.0;
        for (size_t k = 0; k < N; k++) {
            loss += log1p(exp(y[i][k] > 0.0 ? -etas[k] : etas[k]));
        }
        REQUIRE_OK(lasso_metrics_of(&metrics, LASSO_LOGISTIC, y[i], etas, N));
        CHECK_NEAR(metrics.loss, loss, 1e-14);
        CHECK_NEAR(lasso_metrics_error(&metrics, LASSO_LOGISTIC), loss / N, 1e-14);
        CHECK(metrics.right == 2.0);
        CHECK_NEAR(metrics.auc, 0.5, 1e-15); /* 2 beats both, -3 none */
    }
}

static void a_label_of_no_class_is_refused(void)
{
    static const double y[N] = {1.0, 0.0, -1.0, 2.0};
    CHECK_STATUS(lasso_check_labels(y, N - 2, "rows"), STRADS_OK);
    CHECK_STATUS(lasso_check_labels(y, N - 1, "rows"), STRADS_ERR_DATA); /* 0 beside -1 */
    CHECK_STATUS(lasso_check_labels(y + 3, 1, "rows"), STRADS_ERR_DATA);
}

/* To measure by, one class will do. */
static void two_classes_are_as_in_training(void)
{
    static const double y[][N] = {
        {1.0, 0.0, 0.0, 1.0}, {-1.0, 1.0, -1.0, -1.0}, {1.0, 1.0, 1.0, 1.0}, {0.0, 0.0, 0.0, 0.0}};
    static const double mixed[][N] = {{0.0, 1.0, 1.0, -1.0}, {-1.0, -1.0, 0.0, -1.0}};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(lasso_check_labels(y[i], N, "rows"), STRADS_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK_STATUS(lasso_check_labels(mixed[i], N, "rows"), STRADS_ERR_DATA);
    }
}

static void without_memory_nothing_is_measured(void)
{
    static const double y[N] = {1.0, 0.0, 0.0, 1.0};
    lasso_metrics metrics = {.n = 7.0};
    strads_mem_fail_after(1);
    CHECK_STATUS(lasso_metrics_of(&metrics, LASSO_LOGISTIC, y, etas, N), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK(metrics.n == 7.0);
}

SUITE("apps/lasso/metrics", {"squares are half the loss", squares_are_half_the_loss},
      {"classes may be told by 0 or by -1", classes_may_be_told_by_0_or_by_minus_1},
      {"a label of no class is refused", a_label_of_no_class_is_refused},
      {"two classes are as in training", two_classes_are_as_in_training},
      {"without memory nothing is measured", without_memory_nothing_is_measured})

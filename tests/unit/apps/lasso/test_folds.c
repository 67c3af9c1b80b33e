/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_folds.c - which rows are held out. */
#include <string.h>

#include "apps/lasso/path.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"

enum { N = 103, P = 2, FOLDS = 5 };

/* Draws the folds of N rows, half of which are of class 1, into fold[N]. */
static strads_status draw(const char *const *settings, lasso_loss loss, uint16_t *fold)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 44);
    double target[N];
    for (size_t i = 0; i < N; i++) {
        target[i] = i < N / 2 ? 1.0 : -1.0;
    }
    lasso_case_write(&data, false);
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    REQUIRE(config != NULL);
    lasso_site site = {.config = config, .n_rows = N, .target = target, .loss = loss};
    const strads_status status = lasso_draw_folds(&site);
    if (site.fold != NULL) {
        memcpy(fold, site.fold, N * sizeof(*fold));
    }
    strads_free(site.fold);
    strads_config_destroy(config);
    lasso_case_fini(&data);
    return status;
}

static size_t count(const uint16_t *fold, size_t first, size_t end, uint16_t k)
{
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        n += fold[i] == k;
    }
    return n;
}

static void folds_are_of_one_size_and_of_both_classes(void)
{
    static const char *const settings[] = {"lasso.folds=5", NULL};
    uint16_t fold[N];
    REQUIRE_OK(draw(settings, LASSO_LOGISTIC, fold));
    for (uint16_t k = 1; k <= FOLDS; k++) {
        const size_t n = count(fold, 0, N, k);
        const size_t n_first = count(fold, 0, N / 2, k);
        CHECK(n == N / FOLDS || n == N / FOLDS + 1);
        CHECK(n_first == N / 2 / FOLDS || n_first == N / 2 / FOLDS + 1);
    }
}

static void a_seed_draws_the_same_folds_and_another_others(void)
{
    static const char *const settings[] = {"lasso.folds=5", NULL};
    static const char *const reseeded[] = {"lasso.folds=5", "run.seed=2", NULL};
    uint16_t fold[3][N];
    REQUIRE_OK(draw(settings, LASSO_SQUARED, fold[0]));
    REQUIRE_OK(draw(settings, LASSO_SQUARED, fold[1]));
    REQUIRE_OK(draw(reseeded, LASSO_SQUARED, fold[2]));
    CHECK(memcmp(fold[0], fold[1], sizeof(fold[0])) == 0);
    CHECK(memcmp(fold[0], fold[2], sizeof(fold[0])) != 0);
}

static void rows_to_validate_by_are_in_no_fold(void)
{
    static const char *const settings[] = {"lasso.folds=5", "lasso.validation_fraction=0.25", NULL};
    uint16_t fold[N];
    REQUIRE_OK(draw(settings, LASSO_SQUARED, fold));
    CHECK(count(fold, 0, N, LASSO_ALWAYS_OUT) == 26 && count(fold, 0, N, 0) == 0);
    for (uint16_t k = 1; k <= FOLDS; k++) {
        const size_t n = count(fold, 0, N, k);
        CHECK(n == 15 || n == 16);
    }
}

static void refuse(void *context)
{
    static const char *const settings[] = {"lasso.folds=104", NULL};
    uint16_t fold[N];
    *(strads_status *) context = draw(settings, LASSO_SQUARED, fold);
}

static void more_folds_than_rows_are_refused_with_both_numbers(void)
{
    strads_status status = STRADS_OK;
    char *said = suite_stderr_of(refuse, &status);
    CHECK_STATUS(status, STRADS_ERR_USAGE);
    CHECK(strstr(said, "104") != NULL && strstr(said, "103") != NULL);
    strads_free(said);
}

SUITE("apps/lasso/folds",
      {"folds are of one size and of both classes", folds_are_of_one_size_and_of_both_classes},
      {"a seed draws the same folds, and another others",
       a_seed_draws_the_same_folds_and_another_others},
      {"rows to validate by are in no fold", rows_to_validate_by_are_in_no_fold},
      {"more folds than rows are refused with both numbers",
       more_folds_than_rows_are_refused_with_both_numbers})

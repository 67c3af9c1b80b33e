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

typedef struct refusal {
    const char *setting;
    lasso_loss loss;
    strads_status status;
    const char *says[2];
} refusal;

static void refuse(void *context)
{
    const refusal *it = context;
    const char *const settings[] = {it->setting, NULL};
    uint16_t fold[N];
    CHECK_STATUS(draw(settings, it->loss, fold), it->status);
}

static void what_cannot_be_held_out_is_refused_with_its_numbers(void)
{
    refusal cases[] = {
        {"lasso.folds=104", LASSO_SQUARED, STRADS_ERR_USAGE, {"104", "103"}},
        {"lasso.validation_fraction=0.004",
         LASSO_SQUARED,
         STRADS_ERR_USAGE,
         {"is 0.004: of 103 rows", "0.00485 or more"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *said = suite_stderr_of(refuse, &cases[i]);
        CHECK(strstr(said, cases[i].says[0]) != NULL && strstr(said, cases[i].says[1]) != NULL);
        strads_free(said);
    }
}

static void one_fraction_of_a_row_is_a_row(void)
{
    static const char *const settings[] = {"lasso.validation_fraction=0.005", NULL};
    uint16_t fold[N];
    REQUIRE_OK(draw(settings, LASSO_SQUARED, fold));
    CHECK(count(fold, 0, N, LASSO_ALWAYS_OUT) == 1);
}

/* Draws of four rows, of which one is of class 1, until it is held out; all that was said. */
static void draw_few(void *context)
{
    const char *const *settings = context;
    double target[4] = {-1.0, 1.0, -1.0, -1.0};
    lasso_case data = lasso_case_draw(4, P, 1.0, 45);
    lasso_case_write(&data, false);
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    REQUIRE(config != NULL);
    lasso_site site = {.config = config, .n_rows = 4, .target = target, .loss = LASSO_LOGISTIC};
    const strads_status status = lasso_draw_folds(&site);
    CHECK(status == STRADS_OK || status == STRADS_ERR_DATA);
    strads_free(site.fold);
    strads_config_destroy(config);
    lasso_case_fini(&data);
}

static void rows_that_train_of_one_class_are_refused_once_by_what_is_held_out(void)
{
    static const char *const validated[] = {"lasso.validation_fraction=0.5", NULL};
    static const char *const folded[] = {"lasso.folds=2", NULL};
    int n_refused = 0;
    for (int seed = 1; seed <= 8; seed++) {
        char setting[32];
        const char *settings[] = {validated[0], setting, NULL};
        snprintf(setting, sizeof(setting), "run.seed=%d", seed);
        char *said = suite_stderr_of(draw_few, settings);
        CHECK(said[0] == '\0' ||
              strstr(said, "the 2 rows that train when the validation rows are held out") != NULL);
        n_refused += said[0] != '\0';
        strads_free(said);
    }
    CHECK(n_refused > 0 && n_refused < 8);
    char *said = suite_stderr_of(draw_few, (void *) folded);
    CHECK(strstr(said, "rows of fold") != NULL);
    strads_free(said);
}

SUITE("apps/lasso/folds",
      {"folds are of one size and of both classes", folds_are_of_one_size_and_of_both_classes},
      {"a seed draws the same folds, and another others",
       a_seed_draws_the_same_folds_and_another_others},
      {"rows to validate by are in no fold", rows_to_validate_by_are_in_no_fold},
      {"what cannot be held out is refused with its numbers",
       what_cannot_be_held_out_is_refused_with_its_numbers},
      {"one fraction of a row is a row", one_fraction_of_a_row_is_a_row},
      {"rows that train of one class are refused once, by what is held out",
       rows_that_train_of_one_class_are_refused_once_by_what_is_held_out})

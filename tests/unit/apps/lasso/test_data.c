/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_data.c - the site, and what it refuses. */
#include <string.h>

#include "apps/lasso/lasso.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 30, P = 6, MAX_SETTINGS = 4 };

/* Opens the case's site with further settings and says what was logged. */
typedef struct attempt {
    strads_config *config;
    void *site;
    strads_status status;
} attempt;

static void open_attempt(void *context)
{
    attempt *self = context;
    self->status = lasso_case_open(self->config, 1, &self->site);
}

/* Checks that opening is refused with `status` and one line that has `part`. */
static void check_refused(const lasso_case *data, const char *const *settings, strads_status status,
                          const char *part)
{
    const size_t errors = strads_log_n_errors();
    attempt self = {.config = lasso_case_config(data, &lasso_app, settings)};
    REQUIRE(self.config != NULL);
    char *said = suite_stderr_of(open_attempt, &self);
    const bool refused = self.status == status && self.site == NULL;
    const bool told = strstr(said, part) != NULL && strads_log_n_errors() == errors + 1;
    CHECK(refused);
    CHECK(told);
    if (!refused || !told) {
        printf("wanted %s with '%s', got %s with: %s\n", strads_status_name(status), part,
               strads_status_name(self.status), said);
    }
    strads_free(said);
    strads_config_destroy(self.config);
}

static lasso_site *open_as(const lasso_case *data, strads_config **config, const char *setting)
{
    const char *const settings[] = {setting, NULL};
    void *site = NULL;
    *config = lasso_case_config(data, &lasso_app, settings);
    REQUIRE(*config != NULL);
    REQUIRE_OK(lasso_case_open(*config, 1, &site));
    return site;
}

static lasso_site *open_site(const lasso_case *data, strads_config **config)
{
    return open_as(data, config, NULL);
}

/* Of sparse data, however they are held. */
static void columns_whose_entries_are_all_the_same_are_known(void)
{
    for (int kind = 0; kind < 3; kind++) {
        const bool sparse = kind < 2;
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 31);
        for (size_t i = 0; i < N; i++) {
            data.x[2 * N + i] = data.x[2 * N + i] == 0.0 ? 0.0 : 3.0;
            data.x[4 * N + i] = i == 7 ? 0.1 : 0.0;
        }
        lasso_case_write(&data, sparse);
        strads_config *config = NULL;
        lasso_site *site = open_as(&data, &config, kind == 1 ? "data.precision=float" : NULL);
        for (uint32_t j = 0; j < P; j++) {
            CHECK(lasso_alike(site, j) == (sparse && (j == 2 || j == 4)));
        }
        lasso_close_site(site);
        strads_config_destroy(config);
        lasso_case_fini(&data);
    }
}

static void columns_and_target_lose_their_means_exactly(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 31);
        for (size_t i = 0; i < N; i++) {
            data.y[i] += 1e12;
            data.x[2 * N + i] += sparse ? 0.0 : 1e9;
        }
        lasso_case_write(&data, sparse);
        strads_config *config = NULL;
        lasso_site *site = open_site(&data, &config);
        long double mean = 0.0L;
        long double left = 0.0L;
        long double column = 0.0L;
        for (size_t i = 0; i < N; i++) {
            mean += (long double) data.y[i] / N;
            left += site->target[i];
            column += (long double) data.x[2 * N + i] / N;
        }
        CHECK_NEAR(site->y_mean, (double) mean, 1e-3);
        CHECK_NEAR((double) left / N, 0.0, 2e-4); /* half a unit of 1e12's last place */
        CHECK(site->target[N] == 0.0);
        CHECK_NEAR(site->centre[2], (double) column, 1e-15 * fabs((double) column));
        CHECK((site->mean != NULL) == sparse);
        lasso_close_site(site);
        strads_config_destroy(config);
        lasso_case_fini(&data);
    }
}

static void without_an_intercept_nothing_is_centred(void)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 32);
    data.problem.intercept = false;
    lasso_case_write(&data, false);
    strads_config *config = NULL;
    lasso_site *site = open_site(&data, &config);
    CHECK(site->centre == NULL && site->mean == NULL && site->scale == NULL);
    CHECK(site->y_mean == 0.0);
    CHECK(memcmp(site->x.value, data.x, sizeof(double) * N * P) == 0);
    CHECK(memcmp(site->target, data.y, sizeof(double) * N) == 0);
    lasso_close_site(site);
    strads_config_destroy(config);
    lasso_case_fini(&data);
}

static void products_norms_and_costs_are_those_of_the_columns(void)
{
    for (int sparse = 0; sparse < 2; sparse++) {
        lasso_case data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 33);
        data.problem.intercept = false;
        lasso_case_write(&data, sparse);
        strads_config *config = NULL;
        lasso_site *site = open_site(&data, &config);
        for (uint32_t j = 0; j < P; j++) {
            const double *x = data.x + (size_t) j * N;
            double v[N] = {0.0};
            double product = 0.0;
            double norm2 = 0.0;
            size_t n_entries = 0;
            for (size_t i = 0; i < N; i++) {
                product += x[i] * data.y[i];
                norm2 += x[i] * x[i];
                n_entries += !sparse || x[i] != 0.0;
            }
            CHECK_NEAR(lasso_dot(site, j, data.y), product, 1e-11);
            CHECK_NEAR(lasso_norm2(site, j), norm2, 1e-11);
            CHECK(lasso_cost(site, j) == (double) n_entries + 1.0);
            lasso_add(site, j, -2.0, v);
            for (size_t i = 0; i < N; i++) {
                CHECK(v[i] == -2.0 * x[i]);
            }
        }
        lasso_close_site(site);
        strads_config_destroy(config);
        lasso_case_fini(&data);
    }
}

/* Mean, norm and cost are those of the values as they were; what is left is rounded once. */
static void floats_that_lose_their_mean_are_rounded(void)
{
    lasso_case data = lasso_case_draw(N, P, 1.0, 39);
    strads_config *configs[2];
    lasso_site *sites[2];
    for (size_t k = 0; k < (size_t) N * P; k++) {
        data.x[k] = (double) (float) (1000.0 + data.x[k]);
    }
    lasso_case_write(&data, false);
    sites[0] = open_as(&data, &configs[0], "data.precision=auto");
    sites[1] = open_as(&data, &configs[1], "data.precision=float");
    CHECK(sites[0]->x.narrow == NULL && sites[1]->x.narrow != NULL);
    for (size_t k = 0; k < (size_t) N * P; k++) {
        CHECK(sites[1]->x.narrow[k] == (float) sites[0]->x.value[k]);
    }
    CHECK(memcmp(sites[0]->norm2, sites[1]->norm2, P * sizeof(double)) == 0);
    CHECK(memcmp(sites[0]->centre, sites[1]->centre, P * sizeof(double)) == 0);
    CHECK(lasso_cost(sites[0], 3) == lasso_cost(sites[1], 3));
    for (size_t k = 0; k < 2; k++) {
        lasso_close_site(sites[k]);
        strads_config_destroy(configs[k]);
    }
    static const char *const settings[] = {"data.precision=float", NULL};
    for (size_t i = 0; i < N; i++) {
        data.x[2 * N + i] = i < 3 ? 3e38 : -3e38;
    }
    lasso_case_write(&data, false);
    check_refused(
        &data, settings, STRADS_ERR_NUMERIC,
        "column 2 (the first is 0): a value less their mean is beyond the range of float");
    lasso_case_fini(&data);
}

static void settings_that_contradict_or_miss_are_refused(void)
{
    static const struct {
        const char *settings[MAX_SETTINGS];
        strads_status status;
        const char *part;
    } cases[] = {
        {{"data.path="}, STRADS_ERR_USAGE, "data.path is not set"},
        {{"lasso.lambda=1", "lasso.lambda_ratio=0.1"},
         STRADS_ERR_USAGE,
         "lasso.lambda and lasso.lambda_ratio are both given"},
        {{"data.y="}, STRADS_ERR_DATA, "data.y"},
        {{"data.path=/nowhere/x"}, STRADS_ERR_IO, "/nowhere/x"},
        {{"data.y=/nowhere/y"}, STRADS_ERR_IO, "/nowhere/y"},
        {{"data.names=/nowhere/names"}, STRADS_ERR_IO, "/nowhere/names"},
        {{"data.format=libsvm"}, STRADS_ERR_DATA, ""},
    };
    lasso_case data = lasso_case_draw(N, P, 1.0, 34);
    lasso_case_write(&data, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_refused(&data, cases[i].settings, cases[i].status, cases[i].part);
    }
    lasso_case_fini(&data);
}

static void values_out_of_range_are_refused_by_column_and_file(void)
{
    static const char *const settings[] = {NULL};
    static const double values[] = {1e160, 1e-160, 1e308, 1e-310};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        lasso_case data = lasso_case_draw(N, P, 1.0, 35);
        for (size_t k = 0; k < N; k++) {
            data.x[4 * N + k] = k % 2 == 0 ? values[i] : -values[i];
        }
        lasso_case_write(&data, false);
        check_refused(&data, settings, STRADS_ERR_NUMERIC, "column 4");
        check_refused(&data, settings, STRADS_ERR_NUMERIC, data.x_path);
        memset(data.x, 0, sizeof(double) * N * P);
        for (size_t k = 0; k < N; k++) {
            data.y[k] = k % 2 == 0 ? values[i] : -values[i];
        }
        lasso_case_write(&data, false);
        check_refused(&data, settings, STRADS_ERR_NUMERIC, data.y_path);
        lasso_case_fini(&data);
    }
}

static void names_of_the_wrong_number_are_refused_before_the_run(void)
{
    char setting[256];
    const char *const settings[] = {setting, NULL};
    static const char *const texts[] = {"", "a\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\ng\n"};
    lasso_case data = lasso_case_draw(N, P, 1.0, 36);
    lasso_case_write(&data, false);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *path = suite_file("names", texts[i]);
        snprintf(setting, sizeof(setting), "data.names=%s", path);
        check_refused(&data, settings, STRADS_ERR_DATA, path);
        strads_free(path);
    }
    lasso_case_fini(&data);
}

static void a_target_of_another_length_is_refused(void)
{
    static const char *const settings[] = {NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 37);
    lasso_case_write(&data, false);
    REQUIRE_OK(data_npy_write(data.y_path, data.y, N - 1, 0));
    check_refused(&data, settings, STRADS_ERR_DATA, data.y_path);
    lasso_case_fini(&data);
}

static void opening_survives_the_failure_of_every_allocation(void)
{
    static const char *const settings[] = {NULL};
    lasso_case data = lasso_case_draw(N, P, 1.0, 38);
    data.problem.standardize = true;
    lasso_case_write(&data, false);
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    REQUIRE(config != NULL);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 200; i++) {
        void *site = NULL;
        strads_mem_fail_after(i);
        status = lasso_case_open(config, 1, &site);
        strads_mem_fail_after(0);
        CHECK((status == STRADS_OK) == (site != NULL));
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        if (site != NULL) {
            lasso_close_site(site);
        }
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    strads_config_destroy(config);
    lasso_case_fini(&data);
}

SUITE("apps/lasso/data",
      {"columns whose entries are all the same are known",
       columns_whose_entries_are_all_the_same_are_known},
      {"columns and target lose their means exactly", columns_and_target_lose_their_means_exactly},
      {"without an intercept nothing is centred", without_an_intercept_nothing_is_centred},
      {"products, norms and costs are those of the columns",
       products_norms_and_costs_are_those_of_the_columns},
      {"floats that lose their mean are rounded", floats_that_lose_their_mean_are_rounded},
      {"settings that contradict or miss are refused",
       settings_that_contradict_or_miss_are_refused},
      {"values out of range are refused by column and file",
       values_out_of_range_are_refused_by_column_and_file},
      {"names of the wrong number are refused before the run",
       names_of_the_wrong_number_are_refused_before_the_run},
      {"a target of another length is refused", a_target_of_another_length_is_refused},
      {"opening survives the failure of every allocation",
       opening_survives_the_failure_of_every_allocation})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_predict.c - a saved model on data, and what does not fit. */
#include <string.h>

#include "apps/lasso/lasso.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { P = 3 };

static const char *const no_settings[] = {NULL};

static void write_array(const char *name, const double *values, size_t n)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    REQUIRE_OK(data_npy_write(path, values, n, 0));
}

static void write_model(size_t n, size_t n_intercepts)
{
    static const double coefficients[] = {2.0, 0.0, -0.5, 1.0};
    static const double intercept[] = {10.0, 11.0};
    write_array("coefficients.npy", coefficients, n);
    write_array("intercept.npy", intercept, n_intercepts);
}

/* Predicts for the file, with data.format `format`, of which ",KEY=VALUE" may follow; the lines
 * go to `text`. */
static strads_status predict(const char *path, const char *format, char text[256])
{
    char setting[64];
    const char *settings[] = {setting, NULL, NULL};
    snprintf(setting, sizeof(setting), "data.format=%s", format);
    char *comma = strchr(setting, ',');
    if (comma != NULL) {
        *comma = '\0';
        settings[1] = comma + 1;
    }
    lasso_case none = {.problem = {.l1_ratio = 1.0}};
    strads_config *config = lasso_case_config(&none, &lasso_app, settings);
    FILE *to = tmpfile();
    REQUIRE(config != NULL && to != NULL);
    const strads_status status = lasso_predict(config, suite_folder(), path, to);
    rewind(to);
    const size_t n = fread(text, 1, 255, to);
    text[n] = '\0';
    fclose(to);
    strads_config_destroy(config);
    return status;
}

static void each_row_has_its_line(void)
{
    char text[256];
    write_model(P, 1);
    char *sparse = suite_file("rows.libsvm", "1 1:1 2:7\n-1\n0.5 3:4\n");
    CHECK_STATUS(predict(sparse, "auto", text), STRADS_OK);
    CHECK_TEXT(text, "12\n10\n8\n");
    char *dense = suite_file("rows.mtx", "%%MatrixMarket matrix array real general\n"
                                         "2 3\n1\n0\n7\n7\n0\n4\n");
    CHECK_STATUS(predict(dense, "matrix_market", text), STRADS_OK);
    CHECK_TEXT(text, "12\n8\n");
    strads_free(dense);
    strads_free(sparse);
}

static void data_and_models_that_do_not_fit_are_refused(void)
{
    static const struct {
        const char *text;
        size_t n_coefficients, n_intercepts;
    } cases[] = {
        {"1 4:1\n", P, 1},                                               /* a column too many */
        {"%%MatrixMarket matrix array real general\n1 2\n1\n2\n", P, 1}, /* one too few */
        {"1 1:1\n", 0, 1},
        {"1 1:1\n", P, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        const size_t errors = strads_log_n_errors();
        char *path = suite_file("rows", cases[i].text);
        write_model(cases[i].n_coefficients, cases[i].n_intercepts);
        CHECK_STATUS(predict(path, "auto", text), STRADS_ERR_DATA);
        CHECK_TEXT(text, "");
        CHECK(strads_log_n_errors() == errors + 1);
        strads_free(path);
    }
}

/* Of two lambdas; columns 0 and 2 have coefficients. */
static void write_path(void)
{
    static const double values[] = {0.0, 1.0, 3.0, -1.0};
    char path[256];
    snprintf(path, sizeof(path), "%s/path.npy", suite_folder());
    REQUIRE_OK(data_npy_write(path, values, 2, 2));
    strads_free(suite_file("path.csv", "lambda,nonzeros,intercept,cv_error\n"
                                       "0.987654,1,5,nan\n0.5,2,6,nan\n"));
    strads_free(suite_file("path_columns.csv", "index,name\n0,a\n2,b\n"));
}

static void another_lambda_of_the_path_is_taken(void)
{
    static const struct {
        const char *lambda, *text;
        strads_status status;
    } cases[] = {{"0.98", "26\n5\n", STRADS_OK},
                 {"0.5", "-1\n7\n", STRADS_OK},
                 {"0.7", "", STRADS_ERR_USAGE}};
    char *rows = suite_file("rows.libsvm", "1 3:7\n1 1:1\n");
    write_model(P, 1);
    write_path();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char setting[96];
        char text[256];
        snprintf(setting, sizeof(setting), "auto,predict.lambda=%s", cases[i].lambda);
        CHECK_STATUS(predict(rows, setting, text), cases[i].status);
        CHECK_TEXT(text, cases[i].text);
    }
    strads_free(rows);
}

static void predicting_survives_the_failure_of_every_allocation(void)
{
    static const char *const settings[] = {"predict.lambda=0.5", NULL};
    enum { MOST = 400 };
    char *rows = suite_file("rows.csv", "c,a,b\n7,0,0\n0,1,0\n");
    lasso_case none = {.problem = {.l1_ratio = 1.0}};
    strads_config *config = lasso_case_config(&none, &lasso_app, settings);
    FILE *to = tmpfile();
    REQUIRE(config != NULL && to != NULL);
    write_model(P, 1);
    write_path();
    strads_free(suite_file("names.txt", "a\nb\nc\n"));
    strads_free(suite_file("target.txt", "d\n"));
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    for (; n_failed < MOST && status != STRADS_OK; n_failed++) {
        strads_mem_fail_after(n_failed + 1);
        status = lasso_predict(config, suite_folder(), rows, to);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK(status == STRADS_OK && n_failed > 20);
    fclose(to);
    strads_config_destroy(config);
    strads_free(rows);
}

static void a_path_of_another_run_is_refused(void)
{
    char text[256];
    char *rows = suite_file("rows.libsvm", "1 3:7\n");
    write_model(P, 1);
    write_path();
    strads_free(suite_file("path_columns.csv", "index,name\n0,a\n3,b\n"));
    CHECK_STATUS(predict(rows, "auto,predict.lambda=0.5", text), STRADS_ERR_DATA);
    strads_free(suite_file("path_columns.csv", "index,name\n0,a\n"));
    CHECK_STATUS(predict(rows, "auto,predict.lambda=0.5", text), STRADS_ERR_DATA);
    strads_free(rows);
}

static void a_model_that_is_not_there_is_named(void)
{
    lasso_case none = {.problem = {.l1_ratio = 1.0}};
    strads_config *config = lasso_case_config(&none, &lasso_app, no_settings);
    REQUIRE(config != NULL);
    CHECK_STATUS(lasso_predict(config, "/nowhere", "/nowhere/data", stdout), STRADS_ERR_IO);
    strads_config_destroy(config);
}

static void predictions_that_cannot_be_written_are_an_error(void)
{
    lasso_case none = {.problem = {.l1_ratio = 1.0}};
    strads_config *config = lasso_case_config(&none, &lasso_app, no_settings);
    char *path = suite_file("rows.libsvm", "1 1:1 2:7\n");
    FILE *full = fopen("/dev/full", "w");
    REQUIRE(config != NULL && full != NULL);
    setvbuf(full, NULL, _IONBF, 0);
    write_model(P, 1);
    CHECK_STATUS(lasso_predict(config, suite_folder(), path, full), STRADS_ERR_IO);
    fclose(full);
    strads_free(path);
    strads_config_destroy(config);
}

SUITE("apps/lasso/predict", {"each row has its line", each_row_has_its_line},
      {"data and models that do not fit are refused", data_and_models_that_do_not_fit_are_refused},
      {"another lambda of the path is taken", another_lambda_of_the_path_is_taken},
      {"predicting survives the failure of every allocation",
       predicting_survives_the_failure_of_every_allocation},
      {"a path of another run is refused", a_path_of_another_run_is_refused},
      {"a model that is not there is named", a_model_that_is_not_there_is_named},
      {"predictions that cannot be written are an error",
       predictions_that_cannot_be_written_are_an_error})

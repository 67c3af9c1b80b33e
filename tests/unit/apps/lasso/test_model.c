/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lasso/test_model.c - lambda, the gap, and what is saved. */
#include <string.h>

#include "apps/lasso/model.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 30, P = 4, MAX_SETTINGS = 4 };

/* A model on its own; next_stage needs no site. */
typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *model;
} opened;

static opened open_model(const char *const *settings)
{
    opened self = {.data = lasso_case_draw(N, P, 1.0, 41)};
    lasso_case_write(&self.data, false);
    self.config = lasso_case_config(&self.data, &lasso_app, settings);
    REQUIRE(self.config != NULL);
    REQUIRE_OK(lasso_open_model(self.config, NULL, &self.model));
    return self;
}

static void close_model(opened *self)
{
    lasso_close_model(self->model);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

static strads_view view_of(const double *measures)
{
    return (strads_view){.whole = true, .measures = measures};
}

/* b = 0 of a problem with |y|^2 = 8 and max |x_j'y| = 4. */
static const double at_zero[LASSO_N_MEASURES] = {
    [LASSO_RR] = 8.0, [LASSO_RY] = 8.0, [LASSO_RATIO] = 4.0};

static void lambda_is_a_share_of_the_largest_gradient(void)
{
    static const char *const settings[] = {"lasso.lambda_ratio=0.25", "lasso.l1_ratio=0.5", NULL};
    opened self = open_model(settings);
    const strads_view view = view_of(at_zero);
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK(stage.changed);
    CHECK(stage.params[LASSO_LAMBDA] == 0.25 * 4.0 / 0.5);
    close_model(&self);
}

static void a_given_lambda_is_taken_as_it_is(void)
{
    static const char *const settings[] = {"lasso.lambda=3", NULL};
    opened self = open_model(settings);
    const strads_view view = view_of(at_zero);
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK(stage.changed && stage.params[LASSO_LAMBDA] == 3.0);
    close_model(&self);
}

static void lambdas_that_doubles_cannot_tell_are_refused(void)
{
    static const struct {
        const char *setting;
        double ratio;
    } cases[] = {{"lasso.lambda=1e-30", 4.0},
                 {"lasso.lambda_ratio=1e-200", 4.0},
                 {"lasso.lambda=1", INFINITY}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const settings[] = {cases[i].setting, NULL};
        opened self = open_model(settings);
        double measures[LASSO_N_MEASURES];
        memcpy(measures, at_zero, sizeof(measures));
        measures[LASSO_RATIO] = cases[i].ratio;
        const strads_view view = view_of(measures);
        strads_stage stage = {.gap = INFINITY};
        const size_t errors = strads_log_n_errors();
        CHECK_STATUS(lasso_next_stage(self.model, &view, &stage), STRADS_ERR_NUMERIC);
        CHECK(strads_log_n_errors() == errors + 1);
        close_model(&self);
    }
}

/* lambda = 2, l1_ratio = 1/2: l1 = l2 = 1. The dual value of s r is
 * s r'y - s^2 (|r|^2 + l2 |b|^2) / 2, s at most l1 / ratio. */
static void the_gap_is_that_to_the_best_dual_point_so_far(void)
{
    static const char *const settings[] = {"lasso.lambda=2", "lasso.l1_ratio=0.5", NULL};
    static const double later[LASSO_N_MEASURES] = {
        [LASSO_RR] = 4.0, [LASSO_RY] = 5.0,     [LASSO_L1] = 1.0,
        [LASSO_L2] = 1.0, [LASSO_RATIO] = 1.25, [LASSO_NONZEROS] = 2.0};
    opened self = open_model(settings);
    strads_view view = view_of(at_zero);
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    stage.changed = false;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK(!stage.changed && !stage.done);
    CHECK(stage.objective == 4.0);
    CHECK_NEAR(stage.gap, (4.0 - (0.25 * 8.0 - 0.5 * 0.0625 * 8.0)) / 4.0, 1e-15);

    view.measures = later;
    view.round = 1;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    const double dual = 0.8 * 5.0 - 0.5 * 0.64 * 5.0;
    CHECK(stage.objective == 3.5 && stage.nonzeros == 2);
    CHECK_NEAR(stage.gap, (3.5 - dual) / 3.5, 1e-15);

    /* A worse dual point leaves the bound as it is; a scan of a part has none. */
    double worse[LASSO_N_MEASURES];
    memcpy(worse, later, sizeof(worse));
    worse[LASSO_RATIO] = 100.0;
    view.measures = worse;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK_NEAR(stage.gap, (3.5 - dual) / 3.5, 1e-15);
    stage.gap = 0.125;
    view.whole = false;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK(stage.gap == 0.125);
    close_model(&self);
}

static void accuracy_rises_only_near_the_goal(void)
{
    static const char *const settings[] = {"lasso.lambda=2", "stop.gap=0.01", NULL};
    opened self = open_model(settings);
    double measures[LASSO_N_MEASURES];
    strads_view view = view_of(at_zero);
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    memcpy(measures, at_zero, sizeof(measures));
    measures[LASSO_INSIDE] = 1.0;
    measures[LASSO_OUTSIDE] = 1.0;
    view.measures = measures;
    view.round = 1;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    const double coarse = stage.accuracy;
    measures[LASSO_OUTSIDE] = 0.1;
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    CHECK(coarse > 0.0 && coarse < 1.0);
    CHECK_NEAR(stage.accuracy, coarse * 0.01 / stage.gap, 1e-15);
    close_model(&self);
}

static void without_a_gradient_there_is_nothing_to_do(void)
{
    static const char *const settings[] = {NULL};
    static const double squares[] = {0.0, 8.0};
    for (int i = 0; i < 2; i++) {
        opened self = open_model(settings);
        const double measures[LASSO_N_MEASURES] = {
            [LASSO_RR] = squares[i], [LASSO_RY] = squares[i]};
        const strads_view view = view_of(measures);
        strads_stage stage = {.gap = INFINITY};
        REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
        CHECK(stage.done && !stage.changed);
        CHECK(stage.gap == 0.0 && stage.objective == 0.5 * squares[i]);
        close_model(&self);
    }
}

static void an_objective_that_is_not_finite_is_refused(void)
{
    static const char *const settings[] = {"lasso.lambda=2", NULL};
    opened self = open_model(settings);
    double measures[LASSO_N_MEASURES];
    strads_view view = view_of(at_zero);
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(self.model, &view, &stage));
    memcpy(measures, at_zero, sizeof(measures));
    measures[LASSO_L2] = INFINITY; /* times l2 = 0 */
    view.measures = measures;
    CHECK_STATUS(lasso_next_stage(self.model, &view, &stage), STRADS_ERR_NUMERIC);
    close_model(&self);
}

/* How many values of three are left when the first has that share of the loss at 0 coefficients,
 * and n_right rows on their side. */
static size_t count_left(double share, double n_right)
{
    static const char *const settings[] = {"lasso.path.count=3", "stop.gap=0.5", NULL};
    static const double zeros[P] = {0.0};
    lasso_case data = lasso_case_draw(N, P, 1.0, 41);
    lasso_case_classify(&data, 1, 0.0);
    lasso_case_write(&data, false);
    data.problem.lambda = 0.0;
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    void *site = NULL;
    void *model = NULL;
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    REQUIRE_OK(lasso_open_model(config, site, &model));
    double measures[LASSO_N_MEASURES] = {[LASSO_RATIO] = 4.0, [LASSO_LOSS] = 20.0};
    const strads_view view = {.whole = true, .measures = measures, .values = zeros};
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(model, &view, &stage));
    stage.changed = false;
    measures[LASSO_RIGHT] = n_right;
    measures[LASSO_LOSS] = 20.0 * share;
    measures[LASSO_DUAL] = 20.0 * share;
    REQUIRE_OK(lasso_next_stage(model, &view, &stage));
    const size_t n = ((lasso_model *) model)->path.n;
    CHECK(stage.changed == (n > 1));
    lasso_close_model(model);
    lasso_close_site(site);
    strads_config_destroy(config);
    lasso_case_fini(&data);
    return n;
}

static void a_path_ends_only_where_all_rows_are_on_their_side_by_far(void)
{
    CHECK(count_left(0.9e-3, N) == 1);
    CHECK(count_left(1.1e-3, N) == 3);
    CHECK(count_left(0.9e-3, N - 1.0) == 3); /* of many rows one is a small part of the loss */
}

static void pull_takes_values_and_moves_apart(void)
{
    static const double partial[] = {1.5, 0.25, -2.0, 0.5};
    const strads_block block = {.n_vars = 2};
    double values[2] = {0.0, 0.0};
    float moved[2] = {0.0f, 0.0f};
    CHECK_STATUS(lasso_pull(NULL, &block, partial, values, moved), STRADS_OK);
    CHECK(values[0] == 1.5 && values[1] == -2.0 && moved[0] == 0.25f && moved[1] == 0.5f);
}

/* ---- saving ---- */

static char *slurp(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    char *text = strads_calloc(4096, 1);
    FILE *file = fopen(path, "r");
    REQUIRE(text != NULL && file != NULL);
    REQUIRE(fread(text, 1, 4095, file) > 0);
    fclose(file);
    return text;
}

static double centre_of(const lasso_site *site, const double *values)
{
    double centre = 0.0;
    for (uint32_t j = 0; j < P; j++) {
        centre += lasso_centre(site, j) * values[j];
    }
    return centre;
}

static void what_is_saved_is_on_the_scale_of_the_data(void)
{
    char setting[256];
    const char *const settings[] = {setting, "lasso.lambda=2", NULL};
    static const double values[P] = {0.5, 0.0, -0.1, 0.25};
    char *names_path = suite_file("names", "plain\nunused\na \"b\", c\n'\n");
    lasso_case data = lasso_case_draw(N, P, 1.0, 42);
    lasso_case_write(&data, false);
    snprintf(setting, sizeof(setting), "data.names=%s", names_path);
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    void *site = NULL;
    void *model = NULL;
    strads_summary summary = {.n = 0};
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    REQUIRE_OK(lasso_open_model(config, site, &model));
    const double measures[LASSO_N_MEASURES] = {
        [LASSO_RATIO] = 20.0, [LASSO_CENTRE] = centre_of(site, values)};
    const strads_view view = {.whole = true, .measures = measures, .values = values};
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lasso_next_stage(model, &view, &stage)); /* it takes lambda */
    REQUIRE_OK(lasso_next_stage(model, &view, &stage));
    REQUIRE_OK(lasso_save(model, site, values, suite_folder(), &summary));

    char *csv = slurp("coefficients.csv");
    CHECK_TEXT(csv, "index,name,value\n0,plain,0.5\n2,\"a \"\"b\"\", c\",-0.10000000000000001\n"
                    "3,',0.25\n");
    strads_free(csv);
    long double intercept = 0.0L;
    for (size_t i = 0; i < N; i++) {
        intercept += data.y[i];
        for (size_t j = 0; j < P; j++) {
            intercept -= (long double) values[j] * data.x[j * N + i];
        }
    }
    double *read = NULL;
    size_t n = 0;
    char path[256];
    snprintf(path, sizeof(path), "%s/intercept.npy", suite_folder());
    REQUIRE_OK(data_npy_read(&read, &n, path));
    CHECK(n == 1);
    CHECK_NEAR(read[0], (double) intercept / N, 1e-12);
    strads_free(read);
    snprintf(path, sizeof(path), "%s/coefficients.npy", suite_folder());
    REQUIRE_OK(data_npy_read(&read, &n, path));
    CHECK(n == P && memcmp(read, values, sizeof(values)) == 0);
    strads_free(read);
    lasso_close_model(model);
    lasso_close_site(site);
    strads_config_destroy(config);
    strads_free(names_path);
    lasso_case_fini(&data);
}

/* A model at the end of a path of two values with two folds. */
static void walk_to_the_end(void *model)
{
    static const double values[P] = {0.5, 0.0, -0.1, 0.25};
    double measures[LASSO_N_MEASURES] = {[LASSO_RATIO] = 4.0, [LASSO_LOSS] = 20.0};
    const strads_view view = {.whole = true, .measures = measures, .values = values};
    strads_stage stage = {.gap = INFINITY};
    for (int i = 0; i < 7; i++) {
        REQUIRE_OK(lasso_next_stage(model, &view, &stage));
        measures[LASSO_RR] = 0.0;
    }
    CHECK(stage.done);
}

static void saving_survives_the_failure_of_every_allocation(void)
{
    enum { MOST = 400 };
    char setting[256];
    char *names_path = suite_file("names", "a\nb\nc\nd\n");
    char *test_path = suite_file("test.libsvm", "1 1:2\n2 4:1\n");
    char test[256];
    lasso_case data = lasso_case_draw(N, P, 1.0, 42);
    lasso_case_write(&data, false);
    snprintf(setting, sizeof(setting), "data.names=%s", names_path);
    snprintf(test, sizeof(test), "data.test=%s", test_path);
    const char *const settings[] = {setting, test, "lasso.path.count=2", "lasso.folds=2", NULL};
    strads_config *config = lasso_case_config(&data, &lasso_app, settings);
    void *site = NULL;
    void *model = NULL;
    REQUIRE(config != NULL);
    REQUIRE_OK(lasso_case_open(config, 1, &site));
    REQUIRE_OK(lasso_open_model(config, site, &model));
    walk_to_the_end(model);
    const size_t live = strads_mem_live();
    const double values[P] = {0.0};
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    for (; n_failed < MOST && status != STRADS_OK; n_failed++) {
        strads_summary summary = {.n = 0};
        strads_mem_fail_after(n_failed + 1);
        status = lasso_save(model, site, values, suite_folder(), &summary);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    CHECK(status == STRADS_OK && n_failed > 10);
    lasso_close_model(model);
    lasso_close_site(site);
    strads_config_destroy(config);
    strads_free(names_path);
    strads_free(test_path);
    lasso_case_fini(&data);
}

SUITE("apps/lasso/model",
      {"lambda is a share of the largest gradient", lambda_is_a_share_of_the_largest_gradient},
      {"a given lambda is taken as it is", a_given_lambda_is_taken_as_it_is},
      {"lambdas that doubles cannot tell are refused",
       lambdas_that_doubles_cannot_tell_are_refused},
      {"the gap is that to the best dual point so far",
       the_gap_is_that_to_the_best_dual_point_so_far},
      {"accuracy rises only near the goal", accuracy_rises_only_near_the_goal},
      {"without a gradient there is nothing to do", without_a_gradient_there_is_nothing_to_do},
      {"an objective that is not finite is refused", an_objective_that_is_not_finite_is_refused},
      {"a path ends only where all rows are on their side by far",
       a_path_ends_only_where_all_rows_are_on_their_side_by_far},
      {"pull takes values and moves apart", pull_takes_values_and_moves_apart},
      {"what is saved is on the scale of the data", what_is_saved_is_on_the_scale_of_the_data},
      {"saving survives the failure of every allocation",
       saving_survives_the_failure_of_every_allocation})

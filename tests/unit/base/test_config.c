/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config.c - a configuration's life: load, set, peek, getters. */
#include "tests/unit/base/config_sample.h"

static void defaults_hold_where_nothing_is_given(void)
{
    strads_config *config = sample_config();
    REQUIRE_OK(strads_config_resolve(config));
    CHECK_NEAR(strads_config_real(config, "lasso.l1_ratio"), 1.0, 0.0);
    CHECK_NEAR(strads_config_real(config, "lasso.offset"), -2.5, 0.0);
    CHECK(strads_config_bool(config, "lasso.intercept"));
    CU_ASSERT_EQUAL(strads_config_int(config, "run.workers"), 1);
    CHECK_TEXT(strads_config_text(config, "schedule.kind"), "cyclic");
    CHECK_TEXT(strads_config_text(config, "run.out"), "runs");
    CU_ASSERT_PTR_NULL(strads_config_text(config, "data.path"));
    CHECK(!strads_config_given(config, "run.workers"));
    CHECK_TEXT(strads_config_place(config, "run.workers"), "default");
    strads_config_destroy(config);
}

static void a_file_is_read_with_the_place_of_every_key(void)
{
    char *path = suite_file("a.yaml", "app: lasso\nlasso:\n    lambda: 0.5 # half\n"
                                      "    intercept: no\nschedule: {kind: 'random'}\n");
    char place[128];
    strads_config *config = sample_config();
    REQUIRE_OK(strads_config_load(config, path));
    CHECK_TEXT(strads_config_peek(config, "lasso.lambda"), "0.5");
    REQUIRE_OK(strads_config_resolve(config));
    CHECK_TEXT(strads_config_text(config, "app"), "lasso");
    CHECK_NEAR(strads_config_real(config, "lasso.lambda"), 0.5, 0.0);
    CHECK(!strads_config_bool(config, "lasso.intercept"));
    CHECK_TEXT(strads_config_text(config, "schedule.kind"), "random");
    CHECK(strads_config_given(config, "lasso.lambda"));
    snprintf(place, sizeof(place), "%s:3:5", path);
    CHECK_TEXT(strads_config_place(config, "lasso.lambda"), place);
    strads_config_destroy(config);
    strads_free(path);
}

static void a_setting_overrides_the_file_and_earlier_settings(void)
{
    strads_config *config = sample_config();
    REQUIRE_OK(strads_config_set(config, "run.seed=1"));
    REQUIRE_OK(config_load_text(config, "x.yaml", "run: {seed: 2, workers: 3}", 26));
    CHECK_TEXT(strads_config_peek(config, "run.seed"), "1");
    REQUIRE_OK(strads_config_set(config, "run.seed=4"));
    REQUIRE_OK(strads_config_set(config, "app=a=b c: d"));
    REQUIRE_OK(strads_config_resolve(config));
    CU_ASSERT_EQUAL(strads_config_int(config, "run.seed"), 4);
    CU_ASSERT_EQUAL(strads_config_int(config, "run.workers"), 3);
    CHECK_TEXT(strads_config_text(config, "app"), "a=b c: d");
    CHECK_TEXT(strads_config_place(config, "run.seed"), "--set");
    CHECK_TEXT(strads_config_place(config, "run.workers"), "x.yaml:1:16");
    strads_config_destroy(config);
}

static void no_value_means_the_default(void)
{
    static const char *const sets[] = {"run.seed=", "run.seed=~", "run.seed=null", "run.seed=NULL"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        static const char text[] = "run: {seed: 2, workers: ~}\nlasso:\n  l1_ratio:\n";
        strads_config *config = sample_config();
        REQUIRE_OK(config_load_text(config, "x.yaml", text, strlen(text)));
        REQUIRE_OK(strads_config_set(config, sets[i]));
        CU_ASSERT_PTR_NULL(strads_config_peek(config, "run.seed"));
        REQUIRE_OK(strads_config_resolve(config));
        CU_ASSERT_EQUAL(strads_config_int(config, "run.seed"), 0);
        CU_ASSERT_EQUAL(strads_config_int(config, "run.workers"), 1);
        CHECK_NEAR(strads_config_real(config, "lasso.l1_ratio"), 1.0, 0.0);
        CHECK(!strads_config_given(config, "run.seed"));
        CHECK(!strads_config_given(config, "run.workers"));
        strads_config_destroy(config);
    }
}

static const char *path_of(strads_config *config, const char *name, const char *text,
                           const char *set)
{
    char *peeked = NULL;
    REQUIRE_OK(config_load_text(config, name, text, strlen(text)));
    if (set != NULL) {
        REQUIRE_OK(strads_config_set(config, set));
    }
    REQUIRE_OK(strads_config_peek_path(config, "data.path", &peeked));
    REQUIRE_OK(strads_config_resolve(config));
    const char *path = strads_config_text(config, "data.path");
    CHECK_TEXT(peeked, path);
    strads_free(peeked);
    return path;
}

static void a_path_is_taken_from_the_folder_of_its_file(void)
{
    static const struct {
        const char *name, *text, *set, *path;
    } cases[] = {
        {"x.yaml", "data.path: a/b", NULL, "a/b"},
        {"d/e/x.yaml", "data.path: a/b", NULL, "d/e/a/b"},
        {"/x.yaml", "data.path: a", NULL, "/a"},
        {"d/x.yaml", "data.path: /a", NULL, "/a"},
        {"d/x.yaml", "data.path: ../a", NULL, "d/../a"},
        {"d/x.yaml", "data.path: a", "data.path=b", "b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strads_config *config = sample_config();
        CHECK_TEXT(path_of(config, cases[i].name, cases[i].text, cases[i].set), cases[i].path);
        strads_config_destroy(config);
    }
    char *path = "untouched";
    strads_config *config = sample_config();
    REQUIRE_OK(strads_config_peek_path(config, "data.path", &path));
    CU_ASSERT_PTR_NULL(path);
    strads_config_destroy(config);
}

static void what_was_given_is_told_by_its_kind_and_place(void)
{
    static const struct {
        const char *text, *set, *kind, *place;
    } cases[] = {
        {"app: lasso", NULL, "a text", "x.yaml:1:1"},
        {"app: [lasso]", NULL, "a list", "x.yaml:1:1"},
        {"app: {name: lasso}", NULL, "a section of keys", "x.yaml:1:1"},
        {"app:", NULL, "nothing", "x.yaml:1:1"},
        {"app: [lasso]", "app=lasso", "a text", "--set"},
        {"run.seed: 1", NULL, "not given", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *place = "untouched";
        strads_config *config = sample_config();
        REQUIRE_OK(config_load_text(config, "x.yaml", cases[i].text, strlen(cases[i].text)));
        if (cases[i].set != NULL) {
            REQUIRE_OK(strads_config_set(config, cases[i].set));
        }
        CHECK_TEXT(strads_config_peek_kind(config, "app", &place), cases[i].kind);
        CHECK((place == NULL) == (cases[i].place == NULL));
        CHECK(place == NULL || strcmp(place, cases[i].place) == 0);
        strads_config_destroy(config);
    }
}

typedef struct attempt {
    const char *load, *set;
    strads_status status;
} attempt;

static void try_it(void *context)
{
    attempt *job = context;
    strads_config *config = sample_config();
    job->status = job->load != NULL ? strads_config_load(config, job->load)
                                    : strads_config_set(config, job->set);
    CU_ASSERT_PTR_NULL(strads_config_peek(config, "app"));
    strads_config_destroy(config);
}

static void check_refusal(attempt job, strads_status status, const char *said)
{
    char *heard = suite_stderr_of(try_it, &job);
    CHECK_STATUS(job.status, status);
    CHECK_TEXT(heard, said);
    strads_free(heard);
}

static void a_setting_that_is_not_one_is_refused(void)
{
    check_refusal((attempt){.set = "app"}, STRADS_ERR_USAGE,
                  "strads: error: --set: 'app': expected key=value\n");
    check_refusal((attempt){.set = "=3"}, STRADS_ERR_USAGE,
                  "strads: error: --set: '=3': expected key=value\n");
    char text[CONFIG_MAX_KEY + 4] = "";
    char said[512];
    memset(text, 'k', CONFIG_MAX_KEY + 1);
    strcat(text, "=");
    snprintf(said, sizeof(said), "strads: error: --set: '%s': expected key=value\n", text);
    check_refusal((attempt){.set = text}, STRADS_ERR_USAGE, said);
}

static void a_file_that_cannot_be_read_is_named(void)
{
    check_refusal((attempt){.load = "/nowhere/x.yaml"}, STRADS_ERR_IO,
                  "strads: error: /nowhere/x.yaml: cannot open: No such file or directory\n");
    check_refusal((attempt){.load = "/"}, STRADS_ERR_IO,
                  "strads: error: /: cannot read: Is a directory\n");
    check_refusal((attempt){.load = "/dev/zero"}, STRADS_ERR_USAGE,
                  "strads: error: /dev/zero: longer than 1048576 bytes, not a configuration\n");
}

static void a_file_that_is_refused_leaves_nothing_behind(void)
{
    char said[256];
    char *path = suite_file("bad.yaml", "app: lasso\nrun: *a\n");
    snprintf(said, sizeof(said), "strads: error: %s:2:6: run: aliases are not used here\n", path);
    check_refusal((attempt){.load = path}, STRADS_ERR_USAGE, said);
    strads_free(path);
}

static strads_status whole_life(const char *path)
{
    strads_config *config = NULL;
    char *peeked = NULL;
    strads_status status = strads_config_create(&config);
    if (status == STRADS_OK) {
        status = strads_config_declare(config, sample, sizeof(sample) / sizeof(sample[0]));
    }
    if (status == STRADS_OK) {
        status = strads_config_load(config, path);
    }
    for (int i = 0; i < 2 && status == STRADS_OK; i++) {
        status = strads_config_set(config, i == 0 ? "run.seed=1" : "run.seed=2");
    }
    if (status == STRADS_OK) {
        status = strads_config_peek_path(config, "data.path", &peeked);
    }
    strads_free(peeked);
    if (status == STRADS_OK) {
        status = strads_config_resolve(config);
    }
    if (status == STRADS_OK) {
        FILE *null = fopen("/dev/null", "w");
        REQUIRE(null != NULL);
        status = strads_config_print(config, null);
        fclose(null);
    }
    strads_config_destroy(config);
    return status;
}

static void every_allocation_may_fail(void)
{
    char *path = suite_file("a.yaml", "app: lasso\nlasso: {lambda: 1}\ndata: {path: x}\n");
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    while (failed < 200 && status != STRADS_OK) {
        strads_mem_fail_after(failed + 1);
        status = whole_life(path);
        strads_mem_fail_after(0);
        CU_ASSERT_EQUAL(strads_mem_live(), live);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            failed++;
        }
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(failed > 20);
    strads_free(path);
}

static void destroying_nothing_is_allowed(void)
{
    strads_config_destroy(NULL);
}

SUITE("base/config", {"defaults hold where nothing is given", defaults_hold_where_nothing_is_given},
      {"a file is read with the place of every key", a_file_is_read_with_the_place_of_every_key},
      {"a setting overrides the file and earlier settings",
       a_setting_overrides_the_file_and_earlier_settings},
      {"no value means the default", no_value_means_the_default},
      {"a path is taken from the folder of its file", a_path_is_taken_from_the_folder_of_its_file},
      {"what was given is told by its kind and place",
       what_was_given_is_told_by_its_kind_and_place},
      {"a setting that is not one is refused", a_setting_that_is_not_one_is_refused},
      {"a file that cannot be read is named", a_file_that_cannot_be_read_is_named},
      {"a file that is refused leaves nothing behind",
       a_file_that_is_refused_leaves_nothing_behind},
      {"every allocation may fail", every_allocation_may_fail},
      {"destroying nothing is allowed", destroying_nothing_is_allowed})

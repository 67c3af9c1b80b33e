/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config_options.c - tables, and checking values against them. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/config_sample.h"

static void an_unknown_key_is_refused_with_the_nearest_one(void)
{
    sample_says("lasso:\n  lamda: 1\n",
                "x.yaml:2:3: lasso.lamda: unknown key, did you mean lasso.lambda?\n");
    sample_says("lamda: 1\n", "x.yaml:1:1: lamda: unknown key, did you mean lasso.lambda?\n");
    sample_says("laso.lambda: 1\n",
                "x.yaml:1:1: laso.lambda: unknown key, did you mean lasso.lambda?\n");
    sample_says("schedule: {workers: 2}\n",
                "x.yaml:1:12: schedule.workers: unknown key, did you mean run.workers?\n");
    sample_says("nothing_alike: 1\n", "x.yaml:1:1: nothing_alike: unknown key\n");
    sample_says("laso: {}\n", "x.yaml:1:1: laso: unknown section\n");
    sample_says("\"\\e[31m\": 1\n", "x.yaml:1:1: ?[31m: unknown key\n");
    sample_says_of("", 0, "run.worker=3",
                   "--set: run.worker: unknown key, did you mean run.workers?\n");
}

static void every_error_is_reported_not_only_the_first(void)
{
    sample_says("run:\n  worker: 2\n  seed: x\nschedule:\n  kind: cylic\n",
                "x.yaml:2:3: run.worker: unknown key, did you mean run.workers?\n"
                "x.yaml:3:3: run.seed: 'x' is not a whole number\n"
                "x.yaml:5:3: schedule.kind: 'cylic' is not one of structure_aware, random, "
                "cyclic; did you mean cyclic?\n");
}

static void a_value_of_the_wrong_type_is_refused(void)
{
    sample_says("lasso.lambda: abc", "x.yaml:1:1: lasso.lambda: 'abc' is not a number above 0\n");
    sample_says("lasso.lambda: ''", "x.yaml:1:1: lasso.lambda: '' is not a number above 0\n");
    sample_says("lasso.lambda: 'null'",
                "x.yaml:1:1: lasso.lambda: 'null' is not a number above 0\n");
    sample_says("lasso.lambda: 1 2", "x.yaml:1:1: lasso.lambda: '1 2' is not a number above 0\n");
    sample_says("lasso.lambda: 1e", "x.yaml:1:1: lasso.lambda: '1e' is not a number above 0\n");
    sample_says("lasso.lambda: 0x10", "x.yaml:1:1: lasso.lambda: '0x10' is not a number above 0\n");
    sample_says("lasso.intercept: 1", "x.yaml:1:1: lasso.intercept: '1' is not true or false\n");
    sample_says("run.workers: 1.5",
                "x.yaml:1:1: run.workers: '1.5' is not a whole number from 1 to 1024\n");
    sample_says("schedule.kind: random | cyclic",
                "x.yaml:1:1: schedule.kind: 'random | cyclic' is not one of structure_aware, "
                "random, cyclic\n");
    sample_says("data.path: ''", "x.yaml:1:1: data.path: '' is not a file name\n");
}

static void a_number_out_of_range_is_refused_and_its_bounds_are_not(void)
{
    sample_says("lasso.lambda: 0", "x.yaml:1:1: lasso.lambda: '0' is not a number above 0\n");
    sample_says("lasso.lambda: 1e-300", "");
    sample_says("lasso.l1_ratio: 1.0001",
                "x.yaml:1:1: lasso.l1_ratio: '1.0001' is not a number from 0 to 1\n");
    sample_says("lasso.l1_ratio: 0", "");
    sample_says("lasso.l1_ratio: 1", "");
    sample_says("run.workers: 0",
                "x.yaml:1:1: run.workers: '0' is not a whole number from 1 to 1024\n");
    sample_says("run.workers: 1024", "");
    sample_says("run.workers: 1025",
                "x.yaml:1:1: run.workers: '1025' is not a whole number from 1 to 1024\n");
}

static void a_number_that_is_not_finite_is_refused(void)
{
    static const char *const texts[] = {"nan", ".nan", "inf", "-inf", ".inf", "1e999", "-1e999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[64];
        char said[128];
        snprintf(text, sizeof(text), "lasso.offset: %s", texts[i]);
        snprintf(said, sizeof(said), "x.yaml:1:1: lasso.offset: '%s' is not a finite number\n",
                 texts[i]);
        sample_says(text, said);
    }
}

static void whole_numbers_are_exact(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"1e6", 1000000},
                 {"-3", -3},
                 {"+12", 12},
                 {"2.50e1", 25},
                 {"9007199254740991", 9007199254740991},
                 {"-9007199254740991", -9007199254740991}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strads_config *config = sample_config();
        char text[64];
        snprintf(text, sizeof(text), "run.seed=%s", cases[i].text);
        REQUIRE_OK(strads_config_set(config, text));
        REQUIRE_OK(strads_config_resolve(config));
        CU_ASSERT_EQUAL(strads_config_int(config, "run.seed"), cases[i].value);
        strads_config_destroy(config);
    }
    /* 2^53 and 2^53 + 1 are the same double. */
    sample_says("run.seed: 9007199254740992",
                "x.yaml:1:1: run.seed: '9007199254740992' is not a whole number\n");
    sample_says("run.seed: 9007199254740993",
                "x.yaml:1:1: run.seed: '9007199254740993' is not a whole number\n");
}

static void a_section_and_a_value_are_not_mistaken_for_each_other(void)
{
    sample_says("lasso: 3", "x.yaml:1:1: lasso: '3' is a single value, but lasso is a section of "
                            "keys\n");
    sample_says("app: {}", "x.yaml:1:1: app: a section of keys, but app is a single value\n");
    sample_says("app: {name: lasso}", "x.yaml:1:7: app.name: unknown key, app is a single value\n");
    sample_says_of("", 0, "lasso=3",
                   "--set: lasso: '3' is a single value, but lasso is a section of keys\n");
    sample_says("lasso: {}\nschedule:\nrun: ~\n", "");
}

static void a_long_value_is_cut_in_the_message(void)
{
    char text[512] = "lasso.offset: ";
    char said[512];
    memset(text + strlen(text), 'x', 200);
    snprintf(said, sizeof(said), "x.yaml:1:1: lasso.offset: '%.80s...' is not a finite number\n",
             text + 14);
    sample_says(text, said);
}

static void a_mistake_in_the_file_that_is_overridden_does_not_count(void)
{
    sample_says_of("lasso.lambda: x", 15, "lasso.lambda=1", "");
    sample_says_of("lasso.lambda: x", 15, "lasso.lambda=", "");
    sample_says_of("lasso.lambda: 1", 15, "lasso.lambda=x",
                   "--set: lasso.lambda: 'x' is not a number above 0\n");
}

static void resolve_quietly(void *context)
{
    CHECK_STATUS(strads_config_resolve(context), STRADS_ERR_USAGE);
}

static void resolve_may_be_tried_again_after_a_failure(void)
{
    strads_config *config = sample_config();
    REQUIRE_OK(config_load_text(config, "d/x.yaml", "data.path: a\n", 13));
    REQUIRE_OK(strads_config_set(config, "run.seed=1e99"));
    strads_free(suite_stderr_of(resolve_quietly, config));
    REQUIRE_OK(strads_config_set(config, "run.seed=7"));
    REQUIRE_OK(strads_config_resolve(config));
    CHECK_TEXT(strads_config_text(config, "data.path"), "d/a");
    CU_ASSERT_EQUAL(strads_config_int(config, "run.seed"), 7);
    strads_config_destroy(config);
}

static void bools_have_six_spellings(void)
{
    static const char *const words[2][4] = {{"false", "no", "off", "False"},
                                            {"true", "yes", "on", "ON"}};
    for (int i = 0; i < 8; i++) {
        strads_config *config = sample_config();
        char text[64];
        snprintf(text, sizeof(text), "lasso.intercept=%s", words[i / 4][i % 4]);
        REQUIRE_OK(strads_config_set(config, text));
        REQUIRE_OK(strads_config_resolve(config));
        CU_ASSERT_EQUAL(strads_config_bool(config, "lasso.intercept"), i / 4 == 1);
        strads_config_destroy(config);
    }
}

static void what_is_allowed_is_said_in_words(void)
{
    static const struct {
        strads_option option;
        const char *phrase;
    } cases[] = {
        {{.type = STRADS_INT, .min = 1, .max = INFINITY}, "a whole number of at least 1"},
        {{.type = STRADS_INT, .min = -INFINITY, .max = 1e15},
         "a whole number of at most 1000000000000000"},
        {{.type = STRADS_REAL, .min = 0, .max = 0.1, .above_min = true},
         "a number above 0 and at most 0.1"},
        {{.type = STRADS_BOOL}, "true or false"},
        {{.type = STRADS_TEXT}, "text"},
        {{.type = STRADS_CHOICE, .choices = "a"}, "one of a"},
        {{.type = STRADS_LIST}, "a list of texts"},
        {{.type = STRADS_REALS, .min = -INFINITY, .max = INFINITY}, "a list of finite numbers"},
        {{.type = STRADS_REALS, .min = 0, .max = 1}, "a list of numbers from 0 to 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char phrase[CONFIG_PHRASE_BYTES];
        config_allowed(&cases[i].option, phrase);
        CHECK_TEXT(phrase, cases[i].phrase);
    }
}

/* Tables of several modules may name one section; its keys end up side by side. */
static void the_keys_of_a_section_stay_together(void)
{
    static const char *const keys[] = {"a.x",     "b.x", "a.sub.x",   "top", "a.y",
                                       "a.sub.y", "b.y", "a.other.x", "last"};
    static const char *const expected[] = {"a.x", "a.y", "a.sub.x", "a.sub.y", "a.other.x",
                                           "b.x", "b.y", "top",     "last"};
    enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };
    strads_option options[N_KEYS];
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    for (size_t i = 0; i < N_KEYS; i++) {
        options[i] = (strads_option){.key = keys[i], .type = STRADS_TEXT, .help = ""};
        REQUIRE_OK(strads_config_declare(config, &options[i], 1));
    }
    for (size_t i = 0; i < N_KEYS; i++) {
        CHECK_TEXT(config->values[i].option->key, expected[i]);
    }
    strads_config_destroy(config);
}

/* Declares the options one by one in a child; returns whether an assertion ended it. */
static bool declaring_aborts(const strads_option *options, size_t n_options)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        strads_config *config = NULL;
        strads_status status = strads_config_create(&config);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            status = STRADS_ERR_IO;
        }
        for (size_t i = 0; i < n_options && status == STRADS_OK; i++) {
            status = strads_config_declare(config, &options[i], 1);
        }
        strads_config_destroy(config);
        _exit(status == STRADS_OK ? 0 : 2);
    }
    int outcome = 0;
    REQUIRE(waitpid(child, &outcome, 0) == child);
    return WIFSIGNALED(outcome) && WTERMSIG(outcome) == SIGABRT;
}

static void a_wrong_table_is_a_programming_error(void)
{
    static const strads_option pairs[][2] = {
        {{.key = "a.x", .help = "", .type = STRADS_TEXT},
         {.key = "a.x", .help = "", .type = STRADS_BOOL}},
        {{.key = "a", .help = "", .type = STRADS_TEXT},
         {.key = "a.x", .help = "", .type = STRADS_TEXT}},
        {{.key = "a.x", .help = "", .type = STRADS_TEXT},
         {.key = "a", .help = "", .type = STRADS_TEXT}},
    };
    static const strads_option wrong[] = {
        {.key = "A", .help = "", .type = STRADS_TEXT},
        {.key = "a", .type = STRADS_TEXT},
        {.key = "a", .help = "", .type = STRADS_CHOICE},
        {.key = "a", .help = "", .type = STRADS_INT}, /* the range left out */
        {.key = "a", .help = "", .type = STRADS_REALS},
        {.key = "a", .help = "", .type = STRADS_INT, .min = 1, .max = 2, .fallback = "3"},
        {.key = "a", .help = "", .type = STRADS_CHOICE, .choices = "b | c", .fallback = "d"},
    };
    static const strads_option right[] = {{.key = "a.x", .help = "", .type = STRADS_TEXT},
                                          {.key = "a.y", .help = "", .type = STRADS_TEXT}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        CHECK(declaring_aborts(pairs[i], 2));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK(declaring_aborts(&wrong[i], 1));
    }
    CHECK(!declaring_aborts(right, 2));
}

SUITE("base/config_options",
      {"an unknown key is refused with the nearest one",
       an_unknown_key_is_refused_with_the_nearest_one},
      {"a wrong table is a programming error", a_wrong_table_is_a_programming_error},
      {"every error is reported, not only the first", every_error_is_reported_not_only_the_first},
      {"a value of the wrong type is refused", a_value_of_the_wrong_type_is_refused},
      {"a number out of range is refused and its bounds are not",
       a_number_out_of_range_is_refused_and_its_bounds_are_not},
      {"a number that is not finite is refused", a_number_that_is_not_finite_is_refused},
      {"whole numbers are exact", whole_numbers_are_exact},
      {"a section and a value are not mistaken for each other",
       a_section_and_a_value_are_not_mistaken_for_each_other},
      {"a long value is cut in the message", a_long_value_is_cut_in_the_message},
      {"a mistake in the file that is overridden does not count",
       a_mistake_in_the_file_that_is_overridden_does_not_count},
      {"resolve may be tried again after a failure", resolve_may_be_tried_again_after_a_failure},
      {"bools have six spellings", bools_have_six_spellings},
      {"what is allowed is said in words", what_is_allowed_is_said_in_words},
      {"the keys of a section stay together", the_keys_of_a_section_stay_together})

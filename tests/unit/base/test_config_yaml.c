/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config_yaml.c - what is and is not a configuration, and that a
 * printed one loads to the same values. */
#include <unistd.h>

#include "tests/unit/base/config_sample.h"

static void a_text_without_keys_is_a_configuration(void)
{
    static const char *const texts[] = {"",
                                        "\n\n",
                                        "# nothing\n",
                                        "---\n",
                                        "--- ~\n",
                                        "{}\n",
                                        "\xef\xbb\xbf# with a byte order mark\n",
                                        "---\n...\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sample_says(texts[i], "");
    }
}

static void duplicate_keys_are_refused_with_both_places(void)
{
    sample_says("lasso:\n  lambda: 1\n  lambda: 2\n",
                "x.yaml:3:3: lasso.lambda: given twice, first at x.yaml:2:3\n");
    sample_says("lasso:\n  lambda: 1\nlasso:\n  l1_ratio: 1\n",
                "x.yaml:3:1: lasso: given twice, first at x.yaml:1:1\n");
    sample_says("lasso.lambda: 1\nlasso: {lambda: 2}\n",
                "x.yaml:2:9: lasso.lambda: given twice, first at x.yaml:1:1\n");
    sample_says("lasso: {}\nlasso:\n", "x.yaml:2:1: lasso: given twice, first at x.yaml:1:1\n");
}

static void a_list_stands_for_a_value_only(void)
{
    sample_says("- a\n", "x.yaml:1:1: a list where 'key: value' is expected\n");
    sample_says("? [a]\n: 1\n", "x.yaml:1:3: a list where a key is expected\n");
    sample_says("? {a: b}\n: 1\n", "x.yaml:1:3: a section where a key is expected\n");
}

static void anchors_aliases_and_tags_are_refused(void)
{
    sample_says("app: &a lasso\n", "x.yaml:1:6: app: anchors and tags are not used here\n");
    sample_says("app: !!str lasso\n", "x.yaml:1:6: app: anchors and tags are not used here\n");
    sample_says("lasso: &a\n  lambda: 1\n",
                "x.yaml:1:8: lasso: anchors and tags are not used here\n");
    sample_says("app: *a\n", "x.yaml:1:6: app: aliases are not used here\n");
    sample_says("? *a\n: b\n", "x.yaml:1:3: aliases are not used here\n");
}

static void tabs_are_refused_in_words(void)
{
    sample_says("lasso:\n\tlambda: 1\n", "x.yaml:2:1: a tab in the indentation; use spaces\n");
    sample_says("lasso:\n  \tlambda: 1\n", "x.yaml:2:3: a tab in the indentation; use spaces\n");
}

static void only_one_document_of_keys_is_taken(void)
{
    sample_says("app: a\n---\napp: b\n", "x.yaml:2:1: a second document; a file holds one\n");
    sample_says("just text\n", "x.yaml:1:1: text where 'key: value' is expected\n");
    sample_says("'': 1\n", "x.yaml:1:1: an empty key\n");
    sample_says("a: b: c\n", "x.yaml:1:5: mapping values are not allowed in this context\n");
    sample_says("app: 'open\n", "x.yaml:2:1: found unexpected end of stream\n");
}

static void bytes_that_are_not_text_are_refused_where_they_stand(void)
{
    static const char zero[] = "app: a\nrun: \0\n";
    sample_says("app: a\n  \xff\n", "x.yaml:2:3: invalid leading UTF-8 octet\n");
    sample_says("app: \x01\n", "x.yaml:1:6: control characters are not allowed\n");
    sample_says_of(zero, sizeof(zero) - 1, NULL,
                   "x.yaml:2:6: control characters are not allowed\n");
    sample_says("app: \"a\\0b\"\n", "x.yaml:1:6: app: a zero byte in the text\n");
}

static void depth_length_and_number_of_keys_are_bounded(void)
{
    char text[1 << 15] = "";
    char said[512];
    sample_says("{a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}",
                "x.yaml:1:33: a.a.a.a.a.a.a.a: sections are nested too deeply\n");

    memset(text, 'k', CONFIG_MAX_KEY + 1);
    sample_says_of(strcat(text, ": 1"), CONFIG_MAX_KEY + 4, NULL,
                   "x.yaml:1:1: a key that is too long\n");
    text[CONFIG_MAX_KEY] = '\0';
    snprintf(said, sizeof(said), "x.yaml:1:2: %s: unknown key\n", text);
    memmove(text + 1, text, CONFIG_MAX_KEY + 1);
    text[0] = '{';
    sample_says(strcat(text, ": 1}"), said);
    text[strlen(text) - 2] = '{';
    strcat(text, "}}");
    snprintf(said, sizeof(said), "x.yaml:1:259: %.255s: a key that is too long\n", text + 1);
    sample_says(text, said);

    size_t n_bytes = 0;
    for (int i = 0; i <= CONFIG_MAX_KEYS; i++) {
        n_bytes += (size_t) snprintf(text + n_bytes, sizeof(text) - n_bytes, "k%d: 1\n", i);
    }
    sample_says(text, "x.yaml:1025:1: k1024: more than 1024 keys\n");
}

/* ---- printing ---- */

static strads_config *load(const char *text, const char *const *sets)
{
    strads_config *config = sample_config();
    REQUIRE_OK(config_load_text(config, "folder/x.yaml", text, strlen(text)));
    for (; *sets != NULL; sets++) {
        REQUIRE_OK(strads_config_set(config, *sets));
    }
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

static char *print(const strads_config *config)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *to = open_memstream(&text, &n_bytes);
    REQUIRE(to != NULL);
    REQUIRE_OK(strads_config_print(config, to));
    fclose(to);
    return text;
}

static const char *wanted_key;

static void a_printed_configuration_shows_every_key_with_its_value(void)
{
    char folder[4096];
    char expected[10000];
    REQUIRE(getcwd(folder, sizeof(folder)) != NULL);
    const char *const sets[] = {"run.workers=2", NULL};
    strads_config *config = load("app: lasso\ndata: {path: x.svm}\nrun: {seed: 1e3}\n", sets);
    char *text = print(config);
    snprintf(expected, sizeof(expected),
             "app: lasso\n"
             "data:\n"
             "  path: %s/folder/x.svm\n"
             "lasso:\n"
             "  lambda: null\n"
             "  l1_ratio: 1\n"
             "  offset: -2.5\n"
             "  intercept: true\n"
             "schedule:\n"
             "  kind: cyclic\n"
             "run:\n"
             "  workers: 2\n"
             "  seed: 1e3\n"
             "  out: %s/runs\n"
             "cluster:\n"
             "  speed: [1]\n"
             "  faults: []\n",
             folder, folder);
    CHECK_TEXT(text, expected);
    free(text);
    strads_config_destroy(config);
}

/* Texts that would change, or not load, if they were written as they are. */
static bool is_of_this_test(const strads_option *option)
{
    return strcmp(option->key, wanted_key) == 0;
}

static void of_the_options_only_those_wanted_are_printed(void)
{
    static const char *const none[] = {NULL};
    strads_config *config = load("", none);
    for (size_t i = 0; i < config->n_values; i++) {
        char *text = NULL;
        size_t n_bytes = 0;
        FILE *to = open_memstream(&text, &n_bytes);
        REQUIRE(to != NULL);
        wanted_key = config->values[i].option->key;
        REQUIRE_OK(strads_config_print_some(config, to, is_of_this_test));
        fclose(to);
        config_list list = {0};
        REQUIRE_OK(config_yaml_parse(&list, "x.yaml", text, n_bytes));
        size_t n_keys = 0;
        for (size_t k = 0; k < list.n; k++) {
            n_keys += !list.items[k].section;
        }
        CHECK(n_keys == 1 && config_list_find(&list, wanted_key) != NULL);
        config_list_fini(&list);
        free(text);
    }
    strads_config_destroy(config);
}

static void a_printed_text_loads_to_the_same_text(void)
{
    static const char *const texts[] = {
        "'null'", "'~'",   "''",     "' spaces '", "\"two\\nlines\\n\"", "\"\\t\\e[0m\"", "'#no'",
        "'a: b'", "'- a'", "'*a'",   "'it''s'",    "\"\\N\\L\\_\"",      "caf\xc3\xa9",   "'\"'",
        "'[a'",   "'---'", "'a #b'", "'\\n'"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[256];
        const char *const none[] = {NULL};
        snprintf(text, sizeof(text), "app: %s\ndata: {path: \"/a b'c: #d\"}\n", texts[i]);
        strads_config *config = load(text, none);
        char *printed = print(config);
        strads_config *again = load(printed, none);
        CHECK_TEXT(strads_config_text(again, "app"), strads_config_text(config, "app"));
        CHECK_TEXT(strads_config_text(again, "data.path"), "/a b'c: #d");
        CHECK(!strads_config_given(again, "lasso.lambda"));
        free(printed);
        strads_config_destroy(again);
        strads_config_destroy(config);
    }
}

typedef struct printing {
    const strads_config *config;
    FILE *to;
    strads_status status;
} printing;

static void print_to(void *context)
{
    printing *job = context;
    job->status = strads_config_print(job->config, job->to);
}

static void printing_says_when_the_output_is_full(void)
{
    const char *const none[] = {NULL};
    strads_config *config = load("", none);
    printing job = {.config = config, .to = fopen("/dev/full", "w")};
    REQUIRE(job.to != NULL);
    char *said = suite_stderr_of(print_to, &job);
    CHECK_STATUS(job.status, STRADS_ERR_IO);
    CHECK_TEXT(said, "strads: error: cannot write: No space left on device\n");
    strads_free(said);
    fclose(job.to);
    strads_config_destroy(config);
}

static void printing_refuses_what_is_not_text(void)
{
    const char *const sets[] = {"app=caf\xe9", NULL};
    strads_config *config = load("", sets);
    printing job = {.config = config, .to = fopen("/dev/null", "w")};
    REQUIRE(job.to != NULL);
    char *said = suite_stderr_of(print_to, &job);
    CHECK_STATUS(job.status, STRADS_ERR_USAGE);
    CHECK_TEXT(said, "strads: error: cannot write 'caf\xe9' as YAML: not UTF-8 text\n");
    strads_free(said);
    fclose(job.to);
    strads_config_destroy(config);
}

SUITE("base/config_yaml",
      {"a text without keys is a configuration", a_text_without_keys_is_a_configuration},
      {"duplicate keys are refused with both places", duplicate_keys_are_refused_with_both_places},
      {"a list stands for a value only", a_list_stands_for_a_value_only},
      {"anchors, aliases and tags are refused", anchors_aliases_and_tags_are_refused},
      {"tabs are refused in words", tabs_are_refused_in_words},
      {"only one document of keys is taken", only_one_document_of_keys_is_taken},
      {"bytes that are not text are refused where they stand",
       bytes_that_are_not_text_are_refused_where_they_stand},
      {"depth, length and number of keys are bounded", depth_length_and_number_of_keys_are_bounded},
      {"a printed configuration shows every key with its value",
       a_printed_configuration_shows_every_key_with_its_value},
      {"of the options only those wanted are printed",
       of_the_options_only_those_wanted_are_printed},
      {"a printed text loads to the same text", a_printed_text_loads_to_the_same_text},
      {"printing refuses what is not text", printing_refuses_what_is_not_text},
      {"printing says when the output is full", printing_says_when_the_output_is_full})

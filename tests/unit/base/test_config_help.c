/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config_help.c - help and the reference page. */
#include "tests/unit/base/config_sample.h"

typedef struct asking {
    const char *key;
    char *answer; /* for free() */
    strads_status status;
} asking;

static void ask(void *context)
{
    asking *job = context;
    size_t n_bytes = 0;
    strads_config *config = sample_config();
    FILE *to = open_memstream(&job->answer, &n_bytes);
    REQUIRE(to != NULL);
    job->status = strads_config_help(config, job->key, to);
    fclose(to);
    strads_config_destroy(config);
}

static void check_answer(const char *key, const char *expected)
{
    asking job = {.key = key};
    ask(&job);
    CHECK_STATUS(job.status, STRADS_OK);
    CHECK_TEXT(job.answer, expected);
    free(job.answer);
}

static void help_tells_what_a_key_takes(void)
{
    check_answer("run.workers", "run.workers: a whole number from 1 to 1024, in threads "
                                "(default: 1)\n    How many workers there are.\n");
    check_answer("lasso.lambda", "lasso.lambda: a number above 0 (no default)\n"
                                 "    The weight of the penalty.\n");
    check_answer("cluster", "cluster.speed: a list of numbers above 0 and at most 100, in machines "
                            "(default: 1)\n    How fast each is.\n"
                            "cluster.faults: a list of texts (default: [])\n"
                            "    What goes wrong.\n");
}

static void help_of_a_section_lists_its_keys(void)
{
    check_answer("data", "data.path: a file name (no default)\n    The input.\n");
    asking job = {.key = "lasso"};
    ask(&job);
    CHECK_STATUS(job.status, STRADS_OK);
    CHECK(strstr(job.answer, "lasso.lambda: ") != NULL);
    CHECK(strstr(job.answer, "lasso.intercept: ") != NULL);
    CHECK(strstr(job.answer, "run.") == NULL);
    free(job.answer);
}

static void help_without_a_key_lists_all(void)
{
    asking job = {.key = NULL};
    ask(&job);
    CHECK_STATUS(job.status, STRADS_OK);
    for (size_t i = 0; i < sizeof(sample) / sizeof(sample[0]); i++) {
        CHECK(strstr(job.answer, sample[i].key) != NULL);
    }
    free(job.answer);
}

static void help_of_an_unknown_key_names_the_nearest(void)
{
    asking job = {.key = "lamda"};
    char *said = suite_stderr_of(ask, &job);
    CHECK_STATUS(job.status, STRADS_ERR_USAGE);
    CHECK_TEXT(said, "strads: error: lamda: unknown key, did you mean lasso.lambda?\n");
    CHECK_TEXT(job.answer, "");
    free(job.answer);
    strads_free(said);
}

/* The first line fills 78 columns; one more letter would not fit on the second. */
static void long_help_is_wrapped(void)
{
#define SEVEN_WORDS "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg"
    static const strads_option option = {
        .key = "k", .type = STRADS_TEXT, .help = SEVEN_WORDS " hhhh " SEVEN_WORDS " iiii."};
    char *text = NULL;
    size_t n_bytes = 0;
    strads_config *config = NULL;
    FILE *to = open_memstream(&text, &n_bytes);
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, &option, 1));
    REQUIRE_OK(strads_config_help(config, "k", to));
    fclose(to);
    CHECK_TEXT(text, "k: text (no default)\n"
                     "    " SEVEN_WORDS " hhhh\n"
                     "    " SEVEN_WORDS "\n"
                     "    iiii.\n");
#undef SEVEN_WORDS
    free(text);
    strads_config_destroy(config);
}

static void the_reference_page_has_a_table_for_each_section(void)
{
    static const strads_option options[] = {
        {.key = "app", .type = STRADS_TEXT, .help = "A | b."},
        {.key = "a.x",
         .type = STRADS_INT,
         .fallback = "5",
         .min = 0,
         .max = 9,
         .unit = "ms",
         .help = "X_y."},
        {.key = "a.y", .type = STRADS_CHOICE, .choices = "p_q | r", .help = "Y."},
        {.key = "b.x", .type = STRADS_BOOL, .fallback = "no", .help = "Z."},
    };
    static const char expected[] = "\n## Outside of sections\n\n"
                                   "| key | value | default | unit | meaning |\n"
                                   "|---|---|---|---|---|\n"
                                   "| `app` | text | | | A \\| b. |\n"
                                   "\n## a\n\n"
                                   "| key | value | default | unit | meaning |\n"
                                   "|---|---|---|---|---|\n"
                                   "| `a.x` | a whole number from 0 to 9 | `5` | ms | X\\_y. |\n"
                                   "| `a.y` | one of p\\_q, r | | | Y. |\n"
                                   "\n## b\n\n"
                                   "| key | value | default | unit | meaning |\n"
                                   "|---|---|---|---|---|\n"
                                   "| `b.x` | true or false | `no` | | Z. |\n";
    char *text = NULL;
    size_t n_bytes = 0;
    strads_config *config = NULL;
    FILE *to = open_memstream(&text, &n_bytes);
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, sizeof(options) / sizeof(options[0])));
    REQUIRE_OK(strads_config_document(config, to));
    fclose(to);
    CHECK(strncmp(text, "# Configuration\n", 16) == 0);
    const char *tables = strstr(text, "\n## ");
    REQUIRE(tables != NULL);
    CHECK_TEXT(tables, expected);
    free(text);
    strads_config_destroy(config);
}

SUITE("base/config_help", {"help tells what a key takes", help_tells_what_a_key_takes},
      {"help of a section lists its keys", help_of_a_section_lists_its_keys},
      {"help without a key lists all", help_without_a_key_lists_all},
      {"help of an unknown key names the nearest", help_of_an_unknown_key_names_the_nearest},
      {"long help is wrapped", long_help_is_wrapped},
      {"the reference page has a table for each section",
       the_reference_page_has_a_table_for_each_section})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_journal.c - the run's folder. */
#include "strads/journal.h"

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/suite.h"

static const strads_measure app_measures[] = {
    {.name = "kept", .reduction = STRADS_SUM},
    {.name = "told", .reduction = STRADS_SUM, .journaled = true}};
static const strads_app app = {.name = "tested", .measures = app_measures, .n_measures = 2};
static const run_options run = {.driver = "threads", .n_workers = 3, .seed = 42};

static strads_config *resolved(void)
{
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    REQUIRE_OK(strads_config_set(config, "run.seed=42"));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

/* suite_folder()/NAME, in a buffer that the next call overwrites. */
static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

static json_t *read_json(const char *path)
{
    json_error_t error;
    json_t *object = json_load_file(path, 0, &error);
    REQUIRE(object != NULL);
    return object;
}

static strads_status summarize(journal *book, strads_verdict verdict)
{
    strads_result result = {.verdict = STRADS_FAILED};
    const summary_facts facts = {.app = &app, .run = &run, .result = &result};
    strads_summary *summary = NULL;
    REQUIRE_OK(strads_summary_create(&summary, &facts));
    REQUIRE_OK(strads_summary_add(summary, "lambda", 0.125));
    result = (strads_result){.verdict = verdict,
                             .last = {.round = 7, .objective = 1.5, .gap = NAN},
                             .solve_seconds = 0.25};
    const strads_status status = journal_summarize(book, &facts, summary);
    strads_summary_destroy(summary);
    return status;
}

static void a_folder_is_made_with_those_above_it_and_holds_the_configuration(void)
{
    strads_config *config = resolved();
    journal *book = NULL;
    REQUIRE_OK(journal_open(&book, in_folder("a/b/c"), config));
    journal_close(book);
    strads_config *again = NULL;
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    REQUIRE_OK(strads_config_create(&again));
    REQUIRE_OK(strads_config_declare(again, options, n));
    REQUIRE_OK(strads_config_load(again, in_folder("a/b/c/config.yaml")));
    REQUIRE_OK(strads_config_resolve(again));
    CHECK(strads_config_int(again, "run.seed") == 42);
    strads_config_destroy(again);
    strads_config_destroy(config);
}

static void every_measurement_is_a_line_of_json_at_once(void)
{
    strads_config *config = resolved();
    journal *book = NULL;
    REQUIRE_OK(journal_open(&book, in_folder("lines"), config));
    const strads_progress progress = {.round = 3,
                                      .updates = 1000,
                                      .seconds = 0.5,
                                      .objective = 0.1,
                                      .gap = NAN,
                                      .nonzeros = 12,
                                      .active = 20};
    const journal_entry entry = {
        .progress = &progress, .app = &app, .measures = (double[]){0.25, INFINITY}, .n_workers = 1};
    REQUIRE_OK(journal_add(book, &entry));
    json_t *line = read_json(in_folder("lines/journal.jsonl")); /* not closed yet */
    CHECK(json_object_get(line, "ssp") == NULL);
    CHECK(json_integer_value(json_object_get(line, "round")) == 3);
    CHECK(json_integer_value(json_object_get(line, "nonzeros")) == 12);
    CHECK_NEAR(json_real_value(json_object_get(line, "objective")), 0.1, 0.0);
    CHECK(json_is_null(json_object_get(line, "gap"))); /* JSON has no NaN */
    const json_t *measures = json_object_get(line, "measures");
    CHECK(json_object_size(measures) == 1); /* that which is journaled */
    CHECK(json_is_null(json_object_get(measures, "told")));
    json_decref(line);
    journal_close(book);
    strads_config_destroy(config);
}

static void tables_tell_in_each_line_what_came_of_them(void)
{
    static double waited_for[] = {0.5, 2.0, 1.0};
    strads_config *config = resolved();
    journal *book = NULL;
    REQUIRE_OK(journal_open(&book, in_folder("tables"), config));
    const strads_progress progress = {.round = 1, .gap = 0.5};
    const table_totals tables = {.sum = {.seen = {10, 0, 3},
                                         .n_fetched = 7,
                                         .bytes_out = 400,
                                         .bytes_in = 900,
                                         .wait_seconds = 3.5},
                                 .waited_for = waited_for};
    const journal_entry entry = {.progress = &progress,
                                 .app = &app,
                                 .measures = (double[]){0.25, INFINITY},
                                 .tables = &tables,
                                 .n_workers = 3};
    REQUIRE_OK(journal_add(book, &entry));
    json_t *line = read_json(in_folder("tables/journal.jsonl"));
    const json_t *ssp = json_object_get(line, "ssp");
    const json_t *behind = json_object_get(ssp, "behind");
    CHECK(json_array_size(behind) == 3 && json_integer_value(json_array_get(behind, 2)) == 3);
    CHECK(json_integer_value(json_object_get(ssp, "fetched")) == 7);
    CHECK(json_integer_value(json_object_get(ssp, "bytes")) == 400);
    CHECK(json_integer_value(json_object_get(ssp, "bytes_in")) == 900);
    CHECK(json_integer_value(json_object_get(ssp, "waited_most_for")) == 1);
    CHECK_NEAR(json_real_value(json_object_get(ssp, "waited_most_seconds")), 2.0, 0.0);
    json_decref(line);
    journal_close(book);
    strads_config_destroy(config);
}

static void the_summary_has_the_facts_and_the_programs_own_numbers(void)
{
    strads_config *config = resolved();
    journal *book = NULL;
    REQUIRE_OK(journal_open(&book, in_folder("sum"), config));
    REQUIRE_OK(summarize(book, STRADS_STOPPED));
    json_t *object = read_json(in_folder("sum/summary.json"));
    const char *keys[] = {
        "app", "status",   "workers", "driver",  "seed",        "seconds",          "objective",
        "gap", "nonzeros", "rounds",  "updates", "peak_rss_mb", "overhead_fraction"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        CHECK(json_object_get(object, keys[i]) != NULL);
    }
    const json_t *seconds = json_object_get(object, "seconds");
    CHECK(json_object_get(seconds, "load") != NULL && json_object_get(seconds, "total") != NULL);
    CHECK_NEAR(json_real_value(json_object_get(seconds, "solve")), 0.25, 0.0);
    CHECK_TEXT(json_string_value(json_object_get(object, "status")), "stopped");
    CHECK_TEXT(json_string_value(json_object_get(object, "app")), "tested");
    CHECK(json_integer_value(json_object_get(object, "rounds")) == 7);
    CHECK(json_integer_value(json_object_get(object, "workers")) == 3);
    CHECK_NEAR(json_real_value(json_object_get(object, "lambda")), 0.125, 0.0);
    json_decref(object);
    journal_close(book);
    strads_config_destroy(config);
}

typedef struct addition {
    strads_summary *summary;
    const char *name;
    strads_status status;
} addition;

static void add(void *context)
{
    addition *self = context;
    self->status = strads_summary_add(self->summary, self->name, 1.0);
}

static void a_number_takes_no_key_that_there_is(void)
{
    static const char *const taken[] = {"app", "status", "seconds", "overhead_fraction", "lambda"};
    const strads_result result = {.verdict = STRADS_FAILED};
    const summary_facts facts = {.app = &app, .run = &run, .result = &result};
    addition more = {.summary = NULL};
    REQUIRE_OK(strads_summary_create(&more.summary, &facts));
    REQUIRE_OK(strads_summary_add(more.summary, "lambda", 0.125));
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        more.name = taken[i];
        char *said = suite_stderr_of(add, &more);
        CHECK_STATUS(more.status, STRADS_ERR_APP);
        CHECK(strstr(said, taken[i]) != NULL);
        strads_free(said);
    }
    REQUIRE_OK(strads_summary_add(more.summary, "lambda_max", 0.5));
    strads_summary_destroy(more.summary);
}

static void what_an_earlier_run_left_is_gone_at_once(void)
{
    strads_config *config = resolved();
    journal *book = NULL;
    REQUIRE_OK(journal_open(&book, in_folder("twice"), config));
    REQUIRE_OK(summarize(book, STRADS_CONVERGED));
    journal_close(book);
    REQUIRE_OK(journal_open(&book, in_folder("twice"), config));
    CHECK(access(in_folder("twice/summary.json"), F_OK) != 0);
    journal_close(book);
    strads_config_destroy(config);
}

typedef struct misplaced {
    const char *name; /* in a folder whose "file" is one */
    strads_status status;
} misplaced;

static void open_misplaced(void *context)
{
    misplaced *self = context;
    strads_config *config = resolved();
    journal *book = NULL;
    char *file = suite_file("file", "not a folder\n");
    self->status = journal_open(&book, in_folder(self->name), config);
    CHECK(book == NULL);
    strads_free(file);
    strads_config_destroy(config);
}

static void a_folder_that_cannot_be_made_is_named(void)
{
    static const char *const names[] = {"file", "file/run", "file/run/x"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        misplaced self = {.name = names[i]};
        char *said = suite_stderr_of(open_misplaced, &self);
        CHECK_STATUS(self.status, STRADS_ERR_IO);
        CHECK(strstr(said, "file: cannot make the run's folder: ") != NULL);
        strads_free(said);
    }
}

SUITE("strads/journal",
      {"a folder is made with those above it, and holds the configuration",
       a_folder_is_made_with_those_above_it_and_holds_the_configuration},
      {"every measurement is a line of JSON, at once", every_measurement_is_a_line_of_json_at_once},
      {"tables tell in each line what came of them", tables_tell_in_each_line_what_came_of_them},
      {"the summary has the facts and the program's own numbers",
       the_summary_has_the_facts_and_the_programs_own_numbers},
      {"a number takes no key that there is", a_number_takes_no_key_that_there_is},
      {"what an earlier run left is gone at once", what_an_earlier_run_left_is_gone_at_once},
      {"a folder that cannot be made is named", a_folder_that_cannot_be_made_is_named})

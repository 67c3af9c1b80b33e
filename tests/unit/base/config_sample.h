/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/config_sample.h - a table with an option of every type, and what a
 * configuration says about a text; for the tests of base/config*.c. */
#ifndef STRADS_TESTS_CONFIG_SAMPLE_H
#define STRADS_TESTS_CONFIG_SAMPLE_H

#include <string.h>

#include "base/config.h"
#include "base/mem.h"
#include "tests/support/suite.h"

static const strads_option sample[] = {
    {.key = "app", .type = STRADS_TEXT, .help = "Which model program runs."},
    {.key = "data.path", .type = STRADS_PATH, .help = "The input."},
    {.key = "lasso.lambda",
     .type = STRADS_REAL,
     .min = 0.0,
     .max = INFINITY,
     .above_min = true,
     .help = "The weight of the penalty."},
    {.key = "lasso.l1_ratio",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 0.0,
     .max = 1.0,
     .help = "The share of l1."},
    {.key = "lasso.offset",
     .type = STRADS_REAL,
     .fallback = "-2.5",
     .min = -INFINITY,
     .max = INFINITY,
     .help = "Any number."},
    {.key = "lasso.intercept", .type = STRADS_BOOL, .fallback = "true", .help = "Fit one."},
    {.key = "schedule.kind",
     .type = STRADS_CHOICE,
     .fallback = "cyclic",
     .choices = "structure_aware | random | cyclic",
     .help = "The order of updates."},
    {.key = "run.workers",
     .type = STRADS_INT,
     .fallback = "1",
     .min = 1,
     .max = 1024,
     .unit = "threads",
     .help = "How many workers there are."},
    {.key = "run.seed",
     .type = STRADS_INT,
     .fallback = "0",
     .min = -INFINITY,
     .max = INFINITY,
     .help = "The seed."},
    {.key = "run.out", .type = STRADS_PATH, .fallback = "runs", .help = "The results."},
    {.key = "cluster.speed",
     .type = STRADS_REALS,
     .fallback = "1",
     .min = 0.0,
     .max = 100.0,
     .above_min = true,
     .unit = "machines",
     .help = "How fast each is."},
    {.key = "cluster.faults", .type = STRADS_LIST, .help = "What goes wrong."},
};

static inline strads_config *sample_config(void)
{
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, sample, sizeof(sample) / sizeof(sample[0])));
    return config;
}

/* What sample_says hands through suite_stderr_of. */
typedef struct sample_run {
    const char *text;
    size_t n_bytes;
    const char *set; /* NULL: none */
    strads_status status;
} sample_run;

static inline void sample_load(void *context)
{
    sample_run *run = context;
    strads_config *config = sample_config();
    run->status = config_load_text(config, "x.yaml", run->text, run->n_bytes);
    if (run->status == STRADS_OK && run->set != NULL) {
        run->status = strads_config_set(config, run->set);
    }
    if (run->status == STRADS_OK) {
        run->status = strads_config_resolve(config);
    }
    strads_config_destroy(config);
}

/* Checks that loading `text` and then setting `set` (or NULL) is refused with the
 * lines `said`, each without "strads: error: "; or accepted when `said` is "". */
static inline void sample_says_of(const char *text, size_t n_bytes, const char *set,
                                  const char *said)
{
    static const char head[] = "strads: error: ";
    const size_t live = strads_mem_live();
    sample_run run = {.text = text, .n_bytes = n_bytes, .set = set};
    char *heard = suite_stderr_of(sample_load, &run);
    char *to = heard;
    for (char *line = heard; *line != '\0';) {
        const size_t length = strcspn(line, "\n") + (strchr(line, '\n') != NULL ? 1 : 0);
        const size_t skip = strncmp(line, head, strlen(head)) == 0 ? strlen(head) : 0;
        memmove(to, line + skip, length - skip);
        to += length - skip;
        line += length;
    }
    *to = '\0';
    if (strcmp(heard, said) != 0) {
        fprintf(stderr, "expected: %s\nheard:    %s\n", said, heard);
    }
    CHECK_TEXT(heard, said);
    CHECK_STATUS(run.status, said[0] == '\0' ? STRADS_OK : STRADS_ERR_USAGE);
    strads_free(heard);
    CU_ASSERT_EQUAL(strads_mem_live(), live);
}

static inline void sample_says(const char *text, const char *said)
{
    sample_says_of(text, strlen(text), NULL, said);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_configs.c - the configurations that come with strads run as they stand. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <glob.h>
#include <string.h>

#include "tests/support/command.h"

/* Two workers, so that a machine of one core tests the same. */
static void every_configuration_runs_as_it_stands(void)
{
    glob_t found;
    char summary[64];
    REQUIRE(glob("configs/*.yaml", 0, NULL, &found) == 0);
    CHECK(found.gl_pathc >= 3);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *config = realpath(found.gl_pathv[i], NULL);
        REQUIRE(config != NULL);
        const int code = command_run("run %s --workers 2 --quiet --out %zu", config, i);
        if (code != 0) {
            fprintf(stderr, "%s: exit code %d\n%s", found.gl_pathv[i], code, command_err);
        }
        CHECK(code == 0);
        snprintf(summary, sizeof(summary), "%zu/summary.json", i);
        CHECK(command_left(summary));
        free(config);
    }
    globfree(&found);
}

/* The four subjects of configs/documents.txt part. */
static void the_example_of_topics_finds_its_subjects(void)
{
    static const char *const subjects[] = {" soil garden ", " butter ", " galaxy ", " melody "};
    static char text[COMMAND_TEXT_BYTES];
    char *config = realpath("configs/lda.yaml", NULL);
    REQUIRE(config != NULL);
    CHECK(command_run("run %s --workers 1 --set run.deterministic=true --quiet --out topics",
                      config) == 0);
    free(config);
    command_read("topics/topics.txt", text);
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        const char *at = strstr(text, subjects[i]);
        REQUIRE(at != NULL);
        for (size_t j = 0; j < sizeof(subjects) / sizeof(subjects[0]); j++) {
            const char *other = strstr(text, subjects[j]);
            CHECK(i == j || memchr(at < other ? at : other, '\n',
                                   (size_t) (at < other ? other - at : at - other)) != NULL);
        }
    }
}

SUITE("integration/configs",
      {"every configuration runs as it stands", every_configuration_runs_as_it_stands},
      {"the example of topics finds its subjects", the_example_of_topics_finds_its_subjects})

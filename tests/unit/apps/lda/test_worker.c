/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_worker.c - runs that get no memory, at any place: the site, a worker and
 * the model give back what they have.
 */
#include "apps/lda/worker.h"

#include "base/mem.h"
#include "strads/run.h"
#include "tests/support/suite.h"

enum { DOCUMENTS = 12, WORDS = 9, PATH = 4096 };

/* A configuration of a few documents on three subjects. */
static strads_config *configure(const char *const settings[4])
{
    char text[DOCUMENTS * WORDS * 12];
    char setting[PATH];
    size_t n_options = 0;
    strads_config *config = NULL;
    size_t n =
        (size_t) snprintf(text, sizeof(text), "%d\n%d\n%d\n", DOCUMENTS, WORDS, DOCUMENTS * 3);
    for (uint32_t d = 0; d < DOCUMENTS; d++) {
        for (uint32_t i = 0; i < 3; i++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %u\n", d + 1,
                                   (d % 3 * 3 + i) % WORDS + 1, 1 + d % 4);
        }
    }
    char *file = suite_file("corpus.txt", text);
    REQUIRE_OK(strads_config_create(&config));
    snprintf(setting, sizeof(setting), "data.corpus=%s", file);
    strads_free(file);
    REQUIRE_OK(strads_config_set(config, setting));
    snprintf(setting, sizeof(setting), "run.out=%s/run", suite_folder());
    REQUIRE_OK(strads_config_set(config, setting));
    REQUIRE_OK(strads_config_set(config, "schedule.kind=rotation"));
    for (size_t i = 0; i < 4; i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, lda_app.options, lda_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

static void fail_each(const char *const settings[4])
{
    strads_config *config = configure(settings);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; status != STRADS_OK; n += 1 + n / (SUITE_SANITIZED ? 10 : 40)) {
        strads_result result;
        strads_mem_fail_after(n);
        status = strads_run(&lda_app, config, NULL, NULL, &result);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    strads_config_destroy(config);
}

static void without_memory_a_run_ends_cleanly(void)
{
    static const char *const even[4] = {"lda.topics=4", "lda.start=random", "lda.sweeps=2",
                                        "run.workers=1"};
    static const char *const growing[4] = {"lda.topics=4", "lda.save_assignments=true",
                                           "lda.heldout_fraction=0.3", "lda.sweeps=1"};
    fail_each(even);
    fail_each(growing);
}

SUITE("lda worker", {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly})

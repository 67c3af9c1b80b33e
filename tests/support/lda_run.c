/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lda_run.c - small runs of topic models. */
#include "tests/support/lda_run.h"

#include "base/mem.h"
#include "base/part.h"
#include "strads/run.h"
#include "tests/support/suite.h"

enum { PATH = 4096, TEXT = 8192 };

const char *lda_run_documents(void)
{
    static char text[TEXT];
    size_t n = (size_t) snprintf(text, sizeof(text), "%d\n%d\n%d\n", LDA_RUN_DOCUMENTS,
                                 LDA_RUN_WORDS, LDA_RUN_DOCUMENTS * 3);
    for (uint32_t d = 0; d < LDA_RUN_DOCUMENTS; d++) {
        for (uint32_t i = 0; i < 3; i++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %u\n", d + 1,
                                   (d % 3 * 3 + i) % LDA_RUN_WORDS + 1, 1 + d % 4);
        }
    }
    return text;
}

static void set(strads_config *config, const char *key, const char *value)
{
    char setting[PATH + 32];
    REQUIRE(snprintf(setting, sizeof(setting), "%s=%s", key, value) < (int) sizeof(setting));
    REQUIRE_OK(strads_config_set(config, setting));
}

strads_config *lda_run_configure(const char *text, const char *kind, const char *const *settings,
                                 size_t n)
{
    char out[PATH];
    size_t n_options = 0;
    strads_config *config = NULL;
    char *file = suite_file("corpus.txt", text);
    snprintf(out, sizeof(out), "%s/run", suite_folder());
    REQUIRE_OK(strads_config_create(&config));
    set(config, "data.corpus", file);
    set(config, "run.out", out);
    set(config, "schedule.kind", kind);
    for (size_t i = 0; i < n; i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, lda_app.options, lda_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    strads_free(file);
    return config;
}

lda_site *lda_run_open_site(const strads_config *config, uint32_t n_workers)
{
    const uint32_t ranks[] = {0, n_workers};
    strads_part part = {.count = 1, .ranks = ranks};
    void *site = NULL;
    REQUIRE_OK(lda_open_site(config, &part, &site));
    return site;
}

void lda_run_fail_each(const strads_config *config)
{
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
}

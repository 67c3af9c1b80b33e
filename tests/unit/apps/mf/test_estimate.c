/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_estimate.c - what does not fit into the machine is refused before it
 * is asked for. tests/integration/test_estimate.c compares what is foretold with what is taken. */
#include <string.h>

#include "apps/mf/mf.h"
#include "strads/run.h"
#include "tests/support/suite.h"

static strads_config *configure(const char *const *settings, size_t n)
{
    strads_config *config = NULL;
    size_t n_options = 0;
    REQUIRE_OK(strads_config_create(&config));
    for (size_t i = 0; i < n; i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, mf_app.options, mf_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

typedef struct attempt {
    const strads_config *config;
    mf_sizes sizes;
    strads_status status;
} attempt;

static void check_memory(void *context)
{
    attempt *it = context;
    it->status = mf_check_memory(it->config, &it->sizes);
}

static void a_rank_beyond_memory_is_refused_with_both_sizes(void)
{
    static const char *const methods[][2] = {{"schedule.kind=rotation", "mf.method=sgd"},
                                             {"schedule.kind=data_parallel", "mf.method=sgd"},
                                             {"schedule.kind=cyclic", "mf.method=ccd"}};
    for (size_t k = 0; k < 3; k++) {
        const char *const settings[] = {methods[k][0], methods[k][1], "mf.rank=4096"};
        strads_config *config = configure(settings, 3);
        attempt it = {
            .config = config,
            .sizes = {
                .n_train = 100, .n_users = 4000000000, .n_items = 10, .n_workers = 2, .n_mine = 2}};
        char *said = suite_stderr_of(check_memory, &it);
        CHECK_STATUS(it.status, STRADS_ERR_NOMEM);
        CHECK(strstr(said, "mf.rank: 4096 needs ") != NULL);
        CHECK(strstr(said, "4000000000 users and 10 items; the machine has ") != NULL);
        strads_free(said);
        it.sizes.n_users = 1000;
        check_memory(&it);
        CHECK_STATUS(it.status, STRADS_OK);
        strads_config_destroy(config);
    }
}

static void a_process_with_few_of_the_workers_needs_less(void)
{
    static char text[2000 * 16];
    size_t n = 0;
    for (int i = 0; i < 2000; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%d %d %d\n", i % 5, i / 5, 1 + i % 3);
    }
    char *file = suite_file("ratings.txt", text);
    char path[4096];
    snprintf(path, sizeof(path), "data.train=%s", file);
    const char *const settings[] = {"schedule.kind=rotation", path};
    strads_config *config = configure(settings, 2);
    strads_size whole = {.n_processes = 1, .n_workers = 4};
    strads_size part = {.n_processes = 4, .n_workers = 4};
    REQUIRE_OK(mf_estimate(config, &whole));
    REQUIRE_OK(mf_estimate(config, &part));
    CHECK(whole.n_vars == 400);
    CHECK(whole.worker_bytes == part.worker_bytes && whole.worker_bytes > 0);
    CHECK(part.site_bytes < whole.site_bytes && part.site_bytes > 0);
    strads_config_destroy(config);
    strads_free(file);
}

SUITE("apps/mf/estimate",
      {"a rank beyond memory is refused with both sizes",
       a_rank_beyond_memory_is_refused_with_both_sizes},
      {"a process with few of the workers needs less",
       a_process_with_few_of_the_workers_needs_less})

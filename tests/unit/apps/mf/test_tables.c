/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_tables.c - the columns of workers that share a table. */
#include "apps/mf/tables.h"

#include <math.h>
#include <string.h>

#include "apps/mf/worker.h"
#include "base/mem.h"
#include "strads/run.h"
#include "tests/support/suite.h"

enum { USERS = 60, ITEMS = 25, WORKERS = 3, SCANS = 40, PATH = 4096 };

/* A configuration of ratings that have some order in them. */
static strads_config *configure(const char *setting)
{
    static const char *const settings[] = {"mf.rank=3", "schedule.kind=data_parallel",
                                           "run.workers=3", "mf.epochs=4"};
    char text[USERS * ITEMS * 12];
    char path[PATH];
    size_t n = 0;
    size_t n_options = 0;
    for (uint32_t k = 0; k < USERS * ITEMS; k++) {
        const uint32_t i = k % USERS;
        const uint32_t j = k / USERS;
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %u\n", i, j,
                               1 + (i % 4 + j % 3) % 5);
    }
    char *file = suite_file("ratings.txt", text);
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    snprintf(path, sizeof(path), "data.train=%s", file);
    strads_free(file);
    REQUIRE_OK(strads_config_set(config, path));
    snprintf(path, sizeof(path), "run.out=%s/run", suite_folder());
    REQUIRE_OK(strads_config_set(config, path));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    REQUIRE_OK(strads_config_set(config, setting));
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, mf_app.options, mf_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

/* What each worker has at each scan; written by its own thread. */
static float *seen[WORKERS][SCANS];
static size_t n_seen[WORKERS], n_floats;

static strads_status measure(void *state, double *measures)
{
    const mf_worker *worker = state;
    const uint32_t rank = strads_worker_rank(worker->worker);
    if (rank == 0) {
        n_floats = mf_tables_floats(worker->site);
    }
    if (n_seen[rank] < SCANS) {
        const strads_status status =
            mf_keep(&seen[rank][n_seen[rank]++], mf_tables_columns(worker->tables),
                    mf_tables_floats(worker->site));
        if (status != STRADS_OK) {
            return status;
        }
    }
    return mf_app.measure(state, measures);
}

/* Whether two states of columns are the same in all that the table has. */
static bool are_same(const float *left, const float *right)
{
    const mf_layout layout = mf_layout_of(3);
    bool same = true;
    for (size_t i = 0; i < n_floats; i += layout.stride) {
        same = same && memcmp(left + i, right + i, 3 * sizeof(float)) == 0 &&
               memcmp(left + i + layout.width, right + i + layout.width, 2 * sizeof(float)) == 0;
    }
    return same;
}

/* The third pass is worse than any. */
static strads_status spoil(void *state, struct ssp_session *session, const strads_block *block,
                           double *partial)
{
    mf_worker *worker = state;
    const strads_status status = mf_app.step(state, session, block, partial);
    if (worker->pass == 3) {
        worker->fitted = INFINITY;
    }
    return status;
}

static void watch(strads_status (*step)(void *, struct ssp_session *, const strads_block *,
                                        double *),
                  const char *setting)
{
    strads_app app = mf_app;
    strads_result result;
    strads_config *config = configure(setting);
    app.measure = measure;
    app.step = step;
    memset(n_seen, 0, sizeof(n_seen));
    REQUIRE_OK(strads_run(&app, config, NULL, NULL, &result));
    strads_config_destroy(config);
    CHECK(n_seen[0] == n_seen[1] && n_seen[0] == n_seen[2]);
}

static void forget(void)
{
    for (size_t i = 0; i < SCANS; i++) {
        for (size_t k = 0; k < WORKERS; k++) {
            strads_free(seen[k][i]);
            seen[k][i] = NULL;
        }
    }
}

static void all_workers_have_the_same_columns_after_a_pass(void)
{
    static const char *const modes[] = {"ssp.staleness=0", "ssp.staleness=3", "ssp.staleness=inf"};
    for (size_t m = 0; m < 3; m++) {
        watch(mf_app.step, modes[m]);
        CHECK(n_seen[0] == 5);
        for (size_t i = 0; i < n_seen[0]; i++) {
            CHECK(are_same(seen[0][i], seen[1][i]) && are_same(seen[0][i], seen[2][i]));
            CHECK(i == 0 || !are_same(seen[0][i], seen[0][i - 1]));
        }
        forget();
    }
}

static void columns_go_back_to_what_was_good(void)
{
    watch(spoil, "ssp.staleness=1");
    CHECK(n_seen[0] == 7);
    CHECK(!are_same(seen[0][2], seen[0][3])); /* a pass that diverged, */
    for (uint32_t k = 0; k < WORKERS; k++) {  /* and was undone */
        CHECK(are_same(seen[k][4], seen[0][2]));
        CHECK(are_same(seen[k][6], seen[0][6]) && !are_same(seen[0][6], seen[0][5]));
    }
    forget();
}

static void without_memory_a_run_ends_cleanly(void)
{
    strads_config *config = configure("ssp.staleness=1");
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; status != STRADS_OK; n += 1 + n / 20) {
        strads_result result;
        strads_mem_fail_after(n);
        status = strads_run(&mf_app, config, NULL, NULL, &result);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    strads_config_destroy(config);
}

SUITE("mf tables",
      {"all workers have the same columns after a pass",
       all_workers_have_the_same_columns_after_a_pass},
      {"columns go back to what was good", columns_go_back_to_what_was_good},
      {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_ccd.c - the ratings of a process by user, and what memory fails. */
#include "apps/mf/ccd.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "strads/run.h"
#include "tests/support/parts.h"
#include "tests/support/suite.h"

enum { USERS = 30, ITEMS = 20, WORKERS = 5, PATH = 4096 };

/* The rating of item j by user i; 0: there is none. All but the last user rate. */
static int rating_of(uint32_t i, uint32_t j)
{
    return i + 1 < USERS && (i * 7 + j * 11) % 3 != 0 ? 1 + (int) ((i * j) % 5) : 0;
}

/* A configuration of a few ratings, in descending order of items. */
static strads_config *configure(void)
{
    char text[USERS * ITEMS * 12];
    char path[PATH];
    strads_config *config = NULL;
    size_t n = 0;
    size_t n_options = 0;
    for (uint32_t j = ITEMS; j > 0; j--) {
        for (uint32_t i = 0; i < USERS; i++) {
            const int rating = rating_of(i, j - 1);
            n += rating == 0 ? 0
                             : (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %d\n", i, j - 1,
                                                 rating);
        }
    }
    char *file = suite_file("ratings.txt", text);
    snprintf(path, sizeof(path), "data.train=%s", file);
    strads_free(file);
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_set(config, path));
    snprintf(path, sizeof(path), "run.out=%s/run", suite_folder());
    static const char *const settings[] = {"data.test_fraction=0", "mf.method=ccd", "mf.rank=2",
                                           "schedule.kind=cyclic", "run.workers=2", "mf.epochs=2"};
    REQUIRE_OK(strads_config_set(config, path));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, mf_app.options, mf_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

typedef struct opening {
    const strads_config *config;
    size_t n_ratings[WORKERS]; /* of each process */
    bool right[WORKERS];
} opening;

static bool is_right(const mf_site *site, size_t user, size_t k)
{
    const mf_by_user *of = &site->by_user;
    const size_t first = (size_t) site->first * site->user_blocks * site->users.n_each;
    const uint32_t i = site->users.index[first + user];
    const uint32_t j = site->items.index[of->items[k]];
    const double rating = (double) site->scale.mean + (double) (of->values[k] * site->scale.unit);
    const bool ascends = k == of->starts[user] || of->items[k - 1] < of->items[k];
    /* Users and items have the numbers 0 ... as names, so that these are their indices too. */
    return ascends && i < USERS && j < ITEMS && fabs(rating - rating_of(i, j)) < 1e-5;
}

static strads_status open_part(void *context, strads_part *part)
{
    opening *it = context;
    void *opened = NULL;
    const uint32_t me = strads_part_index(part);
    const strads_status status = mf_open_site(it->config, part, &opened);
    if (status != STRADS_OK) {
        return status;
    }
    const mf_site *site = opened;
    const mf_by_user *of = &site->by_user;
    it->right[me] = site->items.n_blocks == 1 && site->cells == NULL;
    it->n_ratings[me] = of->starts[of->n_users] - of->starts[0];
    for (size_t user = 0; user < of->n_users; user++) {
        for (size_t k = of->starts[user]; k < of->starts[user + 1]; k++) {
            it->right[me] = it->right[me] && is_right(site, user, k);
        }
    }
    mf_close_site(opened);
    return STRADS_OK;
}

static void each_rating_is_with_its_user_in_one_process(void)
{
    size_t n_all = 0;
    strads_config *config = configure();
    for (uint32_t i = 0; i < USERS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            n_all += rating_of(i, j) != 0;
        }
    }
    for (uint32_t n = 1; n <= WORKERS; n++) {
        opening it = {.config = config};
        size_t sum = 0;
        REQUIRE_OK(parts_run(n, WORKERS, open_part, &it));
        for (uint32_t p = 0; p < n; p++) {
            CHECK(it.right[p]);
            sum += it.n_ratings[p];
        }
        CHECK(sum == n_all);
    }
    strads_config_destroy(config);
}

static void without_memory_a_run_ends_cleanly(void)
{
    strads_config *config = configure();
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; status != STRADS_OK; n++) {
        strads_result result;
        strads_mem_fail_after(n);
        status = strads_run(&mf_app, config, NULL, NULL, &result);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    strads_config_destroy(config);
}

SUITE("apps/mf/ccd",
      {"each rating is with its user in one process", each_rating_is_with_its_user_in_one_process},
      {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly})

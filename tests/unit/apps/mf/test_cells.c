/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_cells.c - every rating is in its cell once, every test rating with
 * the worker and the column that predict it, whatever the processes; and cells are large
 * enough. */
#include "apps/mf/mf.h"

#include <math.h>

#include "strads/run.h"
#include "tests/support/parts.h"
#include "tests/support/suite.h"

enum { USERS = 60, ITEMS = 25, WORKERS = 4, PATH = 4096 };

/* The rating of item j by user i; 0: there is none. The last user's are all to test by. */
static int rating_of(uint32_t i, uint32_t j)
{
    return (i * 7 + j * 11) % 3 != 0 ? 1 + (int) ((i * j) % 5) : 0;
}

static bool is_test(uint32_t i, uint32_t j)
{
    return i + 1 == USERS || (i + 3 * j) % 7 == 0;
}

static char *file_of(const char *name, bool test)
{
    static char text[USERS * ITEMS * 12];
    size_t n = 0;
    for (uint32_t i = 0; i < USERS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            if (rating_of(i, j) != 0 && is_test(i, j) == test) {
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %d\n", i, j,
                                       rating_of(i, j));
            }
        }
    }
    return suite_file(name, text);
}

static void set(strads_config *config, const char *key, const char *value)
{
    char text[PATH];
    snprintf(text, sizeof(text), "%s=%s", key, value);
    REQUIRE_OK(strads_config_set(config, text));
}

/* With defaults for all that was not set. */
static void resolve(strads_config *config)
{
    size_t n_options = 0;
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, mf_app.options, mf_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
}

static strads_config *configure(const char *kind)
{
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    for (int test = 0; test < 2; test++) {
        char *file = file_of(test ? "test.txt" : "train.txt", test);
        set(config, test ? "data.test" : "data.train", file);
        strads_free(file);
    }
    set(config, "schedule.kind", kind);
    set(config, "mf.rank", "3");
    resolve(config);
    return config;
}

/* What a process found: how often each rating, and whether all was where it should be. */
typedef struct found {
    const strads_config *config;
    uint32_t seen[WORKERS][2][USERS][ITEMS]; /* [process][to test by][user][item] */
    bool right[WORKERS];
    size_t n_unseen[WORKERS];
} found;

/* Users and items have the numbers 0 ... as names, so that these are their indices too. */
static bool look_at_group(const mf_site *site, const mf_group *group, size_t block, uint32_t column,
                          uint32_t seen[USERS][ITEMS])
{
    const uint32_t lines = site->layout.stride / MF_LINE;
    bool right = true;
    for (int lane = 0; lane < MF_GROUP && group->row[lane] != 0; lane++) {
        const uint32_t first = (uint32_t) (site->first * site->user_blocks + block);
        const uint32_t i =
            site->users.index[first * site->users.n_each + group->row[lane] / lines - 1];
        const uint32_t j =
            site->items.index[column * site->items.n_each + group->column[lane] / lines - 1];
        const double rating =
            (double) site->scale.mean + (double) (group->r[lane] * site->scale.unit);
        right = right && i < USERS && j < ITEMS && fabs(rating - rating_of(i, j)) < 1e-5;
        if (right) {
            seen[i][j]++;
        }
    }
    return right;
}

static bool look_at_cells(const mf_site *site, uint32_t seen[USERS][ITEMS])
{
    bool right = true;
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    for (size_t b = 0; b < n_blocks; b++) {
        const mf_cells *cells = &site->cells[b];
        for (uint32_t c = 0; c < site->items.n_blocks; c++) {
            uint32_t n = 0;
            for (size_t g = cells->starts[c]; g < cells->starts[c + 1]; g++) {
                right = right && look_at_group(site, &cells->groups[g], b, c, seen);
                for (int lane = 0; lane < MF_GROUP; lane++) {
                    n += cells->groups[g].row[lane] != 0;
                }
            }
            right = right && n == cells->n_ratings[c];
        }
    }
    return right;
}

static bool look_at_pairs(const mf_site *site, uint32_t seen[USERS][ITEMS])
{
    bool right = true;
    for (uint32_t w = 0; w < site->end - site->first; w++) {
        for (uint32_t c = 0; c < site->items.n_blocks; c++) {
            const size_t cell = (size_t) w * site->items.n_blocks + c;
            for (size_t k = site->pair_starts[cell]; k < site->pair_starts[cell + 1]; k++) {
                const mf_pair *pair = &site->pairs[k];
                if (pair->row == 0) { /* of the user that is unseen */
                    continue;
                }
                const uint32_t of_block = site->users.n_each + 1;
                const uint32_t block = (site->first + w) * site->user_blocks + pair->row / of_block;
                const uint32_t i =
                    site->users.index[block * site->users.n_each + pair->row % of_block - 1];
                const uint32_t j = site->items.index[c * site->items.n_each + pair->column - 1];
                right = right && i < USERS && j < ITEMS &&
                        fabs((double) pair->value - rating_of(i, j)) < 1e-6;
                if (right) {
                    seen[i][j]++;
                }
            }
        }
    }
    return right;
}

static strads_status open_part(void *context, strads_part *part)
{
    found *it = context;
    void *opened = NULL;
    const uint32_t me = strads_part_index(part);
    const strads_status status = mf_open_site(it->config, part, &opened);
    if (status != STRADS_OK) {
        return status;
    }
    it->right[me] =
        look_at_cells(opened, it->seen[me][0]) && look_at_pairs(opened, it->seen[me][1]);
    it->n_unseen[me] = ((const mf_site *) opened)->n_unseen;
    mf_close_site(opened);
    return STRADS_OK;
}

static void check_found(const found *it, uint32_t n_processes)
{
    size_t n_of_last = 0;
    for (uint32_t i = 0; i < USERS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            for (uint32_t test = 0; test < 2; test++) {
                uint32_t n = 0;
                for (uint32_t p = 0; p < n_processes; p++) {
                    n += it->seen[p][test][i][j];
                }
                const bool there = rating_of(i, j) != 0 && is_test(i, j) == (test == 1);
                CHECK(n == (there && i + 1 < USERS));
                n_of_last += there && i + 1 == USERS;
            }
        }
    }
    for (uint32_t p = 0; p < n_processes; p++) {
        CHECK(it->right[p]);
        CHECK(it->n_unseen[p] == n_of_last);
    }
}

static void each_rating_is_in_its_cell_in_one_process(void)
{
    static const char *const kinds[] = {"rotation", "free"};
    for (int k = 0; k < 2; k++) {
        strads_config *config = configure(kinds[k]);
        for (uint32_t n = 1; n <= WORKERS; n++) {
            static found it;
            it = (found){.config = config};
            REQUIRE_OK(parts_run(n, WORKERS, open_part, &it));
            check_found(&it, n);
        }
        strads_config_destroy(config);
    }
}

/* ---- lanes that are empty ---- */

enum { MANY_USERS = 3203, MANY_ITEMS = 1303, HEAVY = 16, OF_HEAVY = 400, OF_OTHERS = 10 };

static char *file_of_many(void)
{
    static char text[(HEAVY * OF_HEAVY + MANY_USERS * OF_OTHERS) * 12];
    size_t n = 0;
    for (uint32_t i = 0; i < MANY_USERS; i++) {
        for (uint32_t k = 0; k < (i < HEAVY ? OF_HEAVY : OF_OTHERS); k++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u %u\n", i,
                                   (i * 37 + k * 3) % MANY_ITEMS, 1 + (i + k) % 5);
        }
    }
    return suite_file("many.txt", text);
}

typedef struct lanes {
    strads_config *config;
    double a_rating; /* padding included */
    uint32_t n_user_blocks, n_item_blocks;
} lanes;

static strads_status count_lanes(void *context, strads_part *part)
{
    lanes *it = context;
    void *opened = NULL;
    const strads_status status = mf_open_site(it->config, part, &opened);
    if (status != STRADS_OK) {
        return status;
    }
    const mf_site *site = opened;
    size_t n_groups = 0;
    for (uint32_t b = 0; b < site->user_blocks; b++) {
        n_groups += site->cells[b].starts[site->items.n_blocks];
    }
    it->n_user_blocks = site->users.n_blocks;
    it->n_item_blocks = site->items.n_blocks;
    it->a_rating = MF_GROUP * (double) n_groups / (double) site->n_train;
    mf_close_site(opened);
    return STRADS_OK;
}

/* Some users have as many ratings as 40 others. Beside only 200 of these, which is what the bytes
 * of a block hold at this rank, they would leave more lanes empty than there are ratings. */
static void cells_of_a_high_rank_leave_few_lanes_empty(void)
{
    lanes it = {.config = NULL};
    char *file = file_of_many();
    REQUIRE_OK(strads_config_create(&it.config));
    set(it.config, "data.train", file);
    set(it.config, "schedule.kind", "rotation");
    set(it.config, "mf.rank", "200");
    resolve(it.config);
    REQUIRE_OK(parts_run(1, 1, count_lanes, &it));
    CHECK(it.a_rating > 0.99 && it.a_rating < 1.1);
    CHECK(it.n_user_blocks == 4 && it.n_item_blocks == 4);
    strads_config_destroy(it.config);
    strads_free(file);
}

SUITE("apps/mf/cells",
      {"each rating is in its cell, in one process", each_rating_is_in_its_cell_in_one_process},
      {"cells of a high rank leave few lanes empty", cells_of_a_high_rank_leave_few_lanes_empty})

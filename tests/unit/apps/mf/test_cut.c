/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_cut.c - rows are counted, and dealt to blocks of about equal load. */
#include "apps/mf/mf.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { USERS = 700, ITEMS = 90, N = 20000 };

/* Ratings of which some users and items have many more than others. */
static data_ratings draw(void)
{
    strads_random random = strads_random_start(11, 0);
    data_ratings r = {.n = N, .ids = {{.n = USERS}, {.n = ITEMS}}};
    r.entries = strads_alloc_array(N, sizeof(*r.entries));
    REQUIRE(r.entries != NULL);
    for (size_t i = 0; i < N; i++) {
        const double u = strads_random_uniform(&random);
        const double v = strads_random_uniform(&random);
        r.entries[i] = (data_rating){.row = (uint32_t) (u * u * USERS),
                                     .column = (uint32_t) (v * v * v * ITEMS),
                                     .value = (float) (1.0 + u - 3.0 * v)};
    }
    return r;
}

static void ratings_are_counted_on_both_sides(void)
{
    data_ratings r = draw();
    mf_cut users;
    mf_cut items;
    uint32_t n_users[USERS] = {0};
    uint32_t n_items[ITEMS] = {0};
    REQUIRE_OK(mf_cut_init(&users, USERS, 3, 100));
    REQUIRE_OK(mf_cut_init(&items, ITEMS, 2, 1000));
    mf_moments moments;
    double sum = 0.0;
    double squares = 0.0;
    REQUIRE_OK(mf_cut_count(&users, &items, &r, &moments));
    for (size_t i = 0; i < N; i++) {
        n_users[r.entries[i].row]++;
        n_items[r.entries[i].column]++;
        sum += (double) r.entries[i].value;
        squares += (double) r.entries[i].value * (double) r.entries[i].value;
    }
    CHECK_NEAR(moments.mean, sum / N, 1e-9);
    CHECK_NEAR(moments.variance, squares / N - sum / N * sum / N, 1e-9);
    CHECK(memcmp(users.count, n_users, sizeof(n_users)) == 0);
    CHECK(memcmp(items.count, n_items, sizeof(n_items)) == 0);
    mf_cut_fini(&users);
    mf_cut_fini(&items);
    data_ratings_fini(&r);
}

/* In turns over the blocks, to and fro, rows have fewer and fewer ratings. */
static void check_order(const mf_cut *cut)
{
    uint32_t last = UINT32_MAX;
    for (uint32_t k = 0; k < cut->n; k++) {
        const uint32_t turn = k / cut->n_blocks;
        const uint32_t at = k % cut->n_blocks;
        const uint32_t block = turn % 2 == 0 ? at : cut->n_blocks - 1 - at;
        const uint32_t count = cut->count[cut->index[block * cut->n_each + turn]];
        CHECK(count <= last);
        last = count;
    }
}

/* Each row has a place of its own, and is what that place says. */
static void check_places(const mf_cut *cut)
{
    uint32_t n_placed = 0;
    for (uint32_t place = 0; place < cut->n_blocks * cut->n_each; place++) {
        const uint32_t row = cut->index[place];
        n_placed += row != UINT32_MAX;
        CHECK(row == UINT32_MAX || (row < cut->n && cut->place[row] == place));
    }
    CHECK(n_placed == cut->n);
}

static void blocks_have_about_the_same_load(void)
{
    static const uint32_t wanted[][2] = {{1, 10000}, {1, 100}, {7, 10000}, {7, 30}, {700, 1}};
    data_ratings r = draw();
    for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++) {
        mf_cut cut;
        mf_cut items;
        uint32_t load[1024] = {0};
        uint32_t least = UINT32_MAX;
        uint32_t most = 0;
        uint32_t largest = 0;
        REQUIRE_OK(mf_cut_init(&cut, USERS, wanted[k][0], wanted[k][1]));
        REQUIRE_OK(mf_cut_init(&items, ITEMS, 1, ITEMS));
        CHECK(cut.n_blocks >= wanted[k][0] && cut.n_blocks % wanted[k][0] == 0);
        CHECK(cut.n_each <= wanted[k][1] && cut.n_blocks * cut.n_each >= USERS);
        mf_moments moments;
        REQUIRE_OK(mf_cut_count(&cut, &items, &r, &moments));
        REQUIRE_OK(mf_cut_deal(&cut, 5, DATA_USERS));
        check_places(&cut);
        check_order(&cut);
        for (uint32_t i = 0; i < USERS; i++) {
            load[cut.place[i] / cut.n_each] += cut.count[i];
            largest = largest > cut.count[i] ? largest : cut.count[i];
        }
        for (uint32_t b = 0; b < cut.n_blocks; b++) {
            least = least < load[b] ? least : load[b];
            most = most > load[b] ? most : load[b];
        }
        CHECK(most - least <= 2 * largest); /* to and fro: what one turn gives the next takes */
        mf_cut_fini(&cut);
        mf_cut_fini(&items);
    }
    data_ratings_fini(&r);
}

static void ties_are_drawn_by_seed_and_side(void)
{
    mf_cut cuts[4];
    for (size_t k = 0; k < 4; k++) {
        REQUIRE_OK(mf_cut_init(&cuts[k], USERS, 4, 1000));
        REQUIRE_OK(mf_cut_deal(&cuts[k], k < 2 ? 1 : k, k == 3 ? DATA_ITEMS : DATA_USERS));
        check_places(&cuts[k]);
    }
    const size_t bytes = USERS * sizeof(*cuts[0].place);
    CHECK(memcmp(cuts[0].place, cuts[1].place, bytes) == 0);
    CHECK(memcmp(cuts[0].place, cuts[2].place, bytes) != 0);
    CHECK(memcmp(cuts[0].place, cuts[3].place, bytes) != 0);
    for (size_t k = 0; k < 4; k++) {
        mf_cut_fini(&cuts[k]);
    }
}

static void without_memory_nothing_is_lost(void)
{
    const size_t live = strads_mem_live();
    for (size_t n = 1; n <= 4; n++) {
        mf_cut cut;
        strads_mem_fail_after(n);
        strads_status status = mf_cut_init(&cut, USERS, 4, 1000);
        if (status == STRADS_OK) {
            status = mf_cut_deal(&cut, 1, DATA_USERS);
        }
        strads_mem_fail_after(0);
        CHECK_STATUS(status, STRADS_ERR_NOMEM);
        mf_cut_fini(&cut);
        CHECK(strads_mem_live() == live);
    }
}

SUITE("apps/mf/cut", {"ratings are counted on both sides", ratings_are_counted_on_both_sides},
      {"blocks have about the same load", blocks_have_about_the_same_load},
      {"ties are drawn by seed and side", ties_are_drawn_by_seed_and_side},
      {"without memory nothing is lost", without_memory_nothing_is_lost})

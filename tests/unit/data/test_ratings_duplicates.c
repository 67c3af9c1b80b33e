/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_duplicates.c - against comparing all pairs. */
#include "base/random.h"
#include "data/ratings_parts.h"
#include "tests/unit/data/ratings_case.h"

enum { N = 600, SIDE = 30 };

/* N ratings of SIDE users and items, whose value and time are their position; the users one
 * after another, or as they come. */
static data_ratings draw(uint64_t seed, bool by_row)
{
    strads_random random = strads_random_start(seed, 0);
    data_ratings r = {.n = N, .ids = {{.n = SIDE}, {.n = SIDE}}};
    r.entries = strads_alloc_array(N, sizeof(*r.entries));
    r.times = strads_alloc_array(N, sizeof(*r.times));
    REQUIRE(r.entries != NULL && r.times != NULL);
    for (size_t i = 0; i < N; i++) {
        const uint32_t row = (uint32_t) strads_random_below(&random, SIDE);
        r.entries[i] = (data_rating){.row = by_row ? (uint32_t) (i * SIDE / N) : row,
                                     .column = (uint32_t) strads_random_below(&random, SIDE),
                                     .value = (float) i};
        r.times[i] = (double) i;
    }
    return r;
}

static void the_last_of_each_pair_stays_in_its_place(void)
{
    for (uint32_t k = 0; k < 8; k++) {
        const uint32_t n_threads = 1 + k / 2;
        data_ratings all = draw(n_threads, k % 2 == 0);
        data_ratings r = draw(n_threads, k % 2 == 0);
        REQUIRE_OK(ratings_drop_duplicates(&r, n_threads));
        size_t n = 0;
        for (size_t i = 0; i < N; i++) {
            bool last = true;
            for (size_t j = i + 1; j < N; j++) {
                last = last && (all.entries[j].row != all.entries[i].row ||
                                all.entries[j].column != all.entries[i].column);
            }
            if (last) {
                REQUIRE(n < r.n);
                CHECK(memcmp(&r.entries[n], &all.entries[i], sizeof(*r.entries)) == 0);
                CHECK(r.times[n] == all.times[i]);
                n++;
            }
        }
        CHECK(n == r.n && r.n_duplicates == N - n && n < N);
        REQUIRE_OK(ratings_drop_duplicates(&r, n_threads));
        CHECK(r.n == n && r.n_duplicates == N - n);
        data_ratings_fini(&r);
        data_ratings_fini(&all);
    }
}

SUITE("data/ratings_duplicates",
      {"the last of each pair stays in its place", the_last_of_each_pair_stays_in_its_place})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_pool.c - the pool against an array of flags. */
#include "prioritizer/pool.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

/* Around the edges of a word, a block of 2^10, and one and two levels of counts. */
static const uint32_t sizes[] = {1, 2, 63, 64, 65, 1023, 1024, 1025, 16384, 16385, 300000};
enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool select_agrees(const prio_pool *pool, const bool *open)
{
    uint32_t k = 0;
    for (uint32_t var = 0; var < pool->n_vars; var++) {
        if (open[var] && prio_pool_select(pool, k++) != var) {
            return false;
        }
    }
    return k == pool->n_open;
}

static bool next_agrees(const prio_pool *pool, const bool *open)
{
    uint32_t next = pool->n_vars;
    for (uint32_t var = pool->n_vars; var-- > 0;) {
        next = open[var] ? var : next;
        if (prio_pool_next(pool, var) != next || prio_pool_has(pool, var) != open[var]) {
            return false;
        }
    }
    return true;
}

static void flip_some(prio_pool *pool, bool *open, size_t n_flips, strads_random *random)
{
    for (size_t i = 0; i < n_flips; i++) {
        const uint32_t var = (uint32_t) strads_random_below(random, pool->n_vars);
        if (open[var]) {
            prio_pool_close(pool, var);
        } else {
            prio_pool_open(pool, var);
        }
        open[var] = !open[var];
    }
}

static void it_agrees_with_an_array_of_flags_at_every_size(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        strads_random random = strads_random_start(1, s);
        prio_pool pool;
        bool *open = strads_alloc(sizes[s]);
        REQUIRE(open != NULL);
        REQUIRE_OK(prio_pool_init(&pool, sizes[s]));
        for (uint32_t var = 0; var < sizes[s]; var++) {
            open[var] = true;
        }
        CHECK(select_agrees(&pool, open) && next_agrees(&pool, open));
        for (int pass = 0; pass < 4; pass++) {
            flip_some(&pool, open, sizes[s] / 3 + 1, &random);
            CHECK(select_agrees(&pool, open) && next_agrees(&pool, open));
        }
        prio_pool_fini(&pool);
        strads_free(open);
    }
}

/* Long stretches without an open variable are passed over by whole blocks. */
static void a_lone_variable_is_found_from_anywhere(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        prio_pool pool;
        REQUIRE_OK(prio_pool_init(&pool, sizes[s]));
        const uint32_t lone = sizes[s] / 2;
        for (uint32_t var = 0; var < sizes[s]; var++) {
            if (var != lone) {
                prio_pool_close(&pool, var);
            }
        }
        CHECK(pool.n_open == 1 && prio_pool_select(&pool, 0) == lone);
        CHECK(prio_pool_next(&pool, 0) == lone && prio_pool_next(&pool, lone) == lone);
        prio_pool_close(&pool, lone);
        CHECK(pool.n_open == 0 && prio_pool_next(&pool, 0) == sizes[s]);
        CHECK(prio_pool_next(&pool, sizes[s] - 1) == sizes[s]);
        prio_pool_fini(&pool);
    }
}

static void without_memory_nothing_is_made(void)
{
    const size_t live = strads_mem_live();
    prio_pool pool = {.n_vars = 7};
    strads_mem_fail_after(1);
    CHECK_STATUS(prio_pool_init(&pool, 100), STRADS_ERR_NOMEM);
    CHECK(pool.n_vars == 7 && strads_mem_live() == live);
}

SUITE("prioritizer/pool",
      {"it agrees with an array of flags at every size",
       it_agrees_with_an_array_of_flags_at_every_size},
      {"a lone variable is found from anywhere", a_lone_variable_is_found_from_anywhere},
      {"without memory nothing is made", without_memory_nothing_is_made})

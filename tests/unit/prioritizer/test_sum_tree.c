/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/prioritizer/test_sum_tree.c - the sum tree against fresh trees and a scan. */
#include "prioritizer/sum_tree.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "prioritizer/cache.h"
#include "prioritizer/pool.h"
#include "tests/support/suite.h"

static const uint32_t sizes[] = {1, 15, 16, 17, 255, 256, 257, 4097, 70000};
enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]), FAN = PRIO_SUM_TREE_FAN };

typedef struct fixture {
    prio_pool pool;
    prio_sum_tree tree;
    void *memory;
    float *scores;
    strads_random random;
} fixture;

static fixture make(uint32_t n_vars)
{
    fixture f = {.random = strads_random_start(3, n_vars)};
    void *scores = NULL;
    f.memory = prio_alloc_lines(((size_t) n_vars + FAN) * sizeof(float), &scores);
    REQUIRE(f.memory != NULL);
    f.scores = scores;
    REQUIRE_OK(prio_pool_init(&f.pool, n_vars));
    REQUIRE_OK(prio_sum_tree_init(&f.tree, n_vars, f.scores, f.pool.words));
    return f;
}

static void unmake(fixture *f)
{
    prio_sum_tree_fini(&f->tree);
    prio_pool_fini(&f->pool);
    strads_free(f->memory);
}

static float wild_score(strads_random *random)
{
    switch (strads_random_below(random, 4)) {
    case 0:
        return 0.0F;
    case 1:
        return -INFINITY;
    default:
        return (float) pow(10.0, 60.0 * strads_random_uniform(random) - 30.0) *
               (strads_random_below(random, 5) == 0 ? -1.0F : 1.0F);
    }
}

static bool equals_a_fresh_tree(const fixture *f)
{
    prio_sum_tree fresh;
    REQUIRE_OK(prio_sum_tree_init(&fresh, f->pool.n_vars, f->scores, f->pool.words));
    prio_sum_tree_refresh_range(&fresh, 0, f->pool.n_vars);
    bool equal = true;
    for (uint32_t level = 0; level < fresh.n_levels; level++) {
        equal = equal && memcmp(fresh.sums[level], f->tree.sums[level],
                                fresh.n_nodes[level] * sizeof(double)) == 0;
    }
    prio_sum_tree_fini(&fresh);
    return equal;
}

/* Changes and refreshes n variables: a list, or a range. */
static void change(fixture *f, size_t n, bool range)
{
    enum { MOST = 1000 };
    uint32_t vars[MOST];
    const uint32_t n_vars = f->pool.n_vars;
    uint32_t n_changed = (uint32_t) (n < MOST ? n : MOST);
    n_changed = range && n_changed > n_vars ? n_vars : n_changed;
    const uint32_t first =
        range ? (uint32_t) strads_random_below(&f->random, (uint64_t) n_vars - n_changed + 1) : 0;
    for (uint32_t i = 0; i < n_changed; i++) {
        vars[i] = range ? first + i : (uint32_t) strads_random_below(&f->random, n_vars);
        f->scores[vars[i]] = wild_score(&f->random);
        if (strads_random_below(&f->random, 3) == 0) {
            f->pool.words[vars[i] / 64] ^= UINT64_C(1) << vars[i] % 64;
        }
    }
    if (range) {
        prio_sum_tree_refresh_range(&f->tree, first, n_changed);
    } else {
        prio_sum_tree_refresh(&f->tree, vars, n_changed);
    }
}

static void after_100000_changes_it_equals_a_fresh_tree_bit_for_bit(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        fixture f = make(sizes[s]);
        for (size_t n_done = 0; n_done < 100000;) {
            const size_t n = 1 + strads_random_below(&f.random, 700);
            change(&f, n, strads_random_below(&f.random, 4) == 0);
            n_done += n;
            if (strads_random_below(&f.random, 20) == 0) {
                CHECK(equals_a_fresh_tree(&f));
            }
        }
        CHECK(equals_a_fresh_tree(&f));
        unmake(&f);
    }
}

/* Small whole numbers add up exactly in any order, so a scan must agree. */
static void it_finds_what_a_scan_finds(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        fixture f = make(sizes[s]);
        double targets[1000];
        uint32_t expected[1000];
        uint32_t found[1000];
        for (uint32_t var = 0; var < sizes[s]; var++) {
            f.scores[var] = (float) strads_random_below(&f.random, 5) - 1.0F;
        }
        f.scores[sizes[s] / 2] = 3.0F;
        prio_sum_tree_refresh_range(&f.tree, 0, sizes[s]);
        const double total = prio_sum_tree_total(&f.tree);
        double before = 0.0;
        size_t n = 0;
        for (uint32_t var = 0; var < sizes[s]; var++) {
            const double weight = fmax(f.scores[var], 0.0);
            if (weight > 0.0 && n < 1000 && (var % 7 == 0 || sizes[s] < 300)) {
                expected[n] = var;
                targets[n++] = before + (var % 2 == 0 ? 0.0 : weight - 0.25);
            }
            before += weight;
        }
        CHECK_NEAR(before, total, 0.0);
        prio_sum_tree_find(&f.tree, targets, found, n);
        CHECK(n > 0 && memcmp(found, expected, n * sizeof(found[0])) == 0);
        unmake(&f);
    }
}

/* Scores over sixty orders of magnitude make every prefix sum round. */
static void it_never_finds_a_variable_without_weight(void)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        fixture f = make(sizes[s]);
        for (int pass = 0; pass < 100; pass++) {
            double targets[500];
            uint32_t found[500];
            change(&f, 1000, false);
            const double total = prio_sum_tree_total(&f.tree);
            if (!(total > 0.0)) {
                continue;
            }
            for (size_t i = 0; i < 500; i++) {
                targets[i] = total * strads_random_uniform(&f.random);
            }
            targets[0] = 0.0;
            targets[1] = nextafter(total, 0.0);
            prio_sum_tree_find(&f.tree, targets, found, 500);
            for (size_t i = 0; i < 500; i++) {
                REQUIRE(found[i] < sizes[s]);
                CHECK(f.scores[found[i]] > 0.0F && prio_pool_has(&f.pool, found[i]));
            }
        }
        unmake(&f);
    }
}

static void without_memory_nothing_is_made(void)
{
    fixture f = make(100);
    const size_t live = strads_mem_live();
    prio_sum_tree tree = {.n_levels = 77};
    strads_mem_fail_after(1);
    CHECK_STATUS(prio_sum_tree_init(&tree, 100, f.scores, f.pool.words), STRADS_ERR_NOMEM);
    CHECK(tree.n_levels == 77 && strads_mem_live() == live);
    unmake(&f);
}

SUITE("prioritizer/sum_tree",
      {"after 100,000 changes it equals a fresh tree bit for bit",
       after_100000_changes_it_equals_a_fresh_tree_bit_for_bit},
      {"it finds what a scan finds", it_finds_what_a_scan_finds},
      {"it never finds a variable without weight", it_never_finds_a_variable_without_weight},
      {"without memory nothing is made", without_memory_nothing_is_made})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/pool.c - the set of open variables as bits under a tree of counts. */
#include "prioritizer/pool.h"

#include <assert.h>
#include <string.h>

enum { WORD = 64, FAN = 16, BLOCK_SHIFT = 10, FAN_SHIFT = 4 };

static uint32_t popcount(uint64_t word)
{
    return (uint32_t) __builtin_popcountll(word);
}

static void open_all(prio_pool *pool)
{
    const size_t n_full = pool->n_vars / WORD;
    const uint32_t n_rest = pool->n_vars % WORD;
    memset(pool->words, 0xff, n_full * sizeof(*pool->words));
    if (n_rest > 0) {
        pool->words[n_full] = (UINT64_C(1) << n_rest) - 1;
    }
    for (uint32_t level = 0; level < pool->n_levels; level++) {
        const uint32_t shift = BLOCK_SHIFT + FAN_SHIFT * level;
        const uint32_t last = (uint32_t) ((pool->n_vars - 1) >> shift);
        for (uint32_t i = 0; i < last; i++) {
            pool->counts[level][i] = UINT32_C(1) << shift;
        }
        pool->counts[level][last] = pool->n_vars - (last << shift);
    }
    pool->n_open = pool->n_vars;
}

strads_status prio_pool_init(prio_pool *pool, uint32_t n_vars)
{
    assert(n_vars > 0);
    prio_pool made = {.n_vars = n_vars};
    size_t n_nodes[PRIO_POOL_LEVELS];
    size_t n_counts = 0;
    size_t width = ((n_vars - 1) >> BLOCK_SHIFT) + 1;
    made.n_words = width * FAN;
    do {
        assert(made.n_levels < PRIO_POOL_LEVELS);
        n_nodes[made.n_levels++] = width;
        n_counts += width;
        width = (width + FAN - 1) / FAN;
    } while (n_nodes[made.n_levels - 1] > FAN);

    made.bytes = made.n_words * sizeof(uint64_t) + n_counts * sizeof(uint32_t);
    made.words = strads_calloc(made.bytes, 1);
    if (made.words == NULL) {
        return STRADS_ERR_NOMEM;
    }
    made.counts[0] = (uint32_t *) (made.words + made.n_words);
    for (uint32_t level = 1; level < made.n_levels; level++) {
        made.counts[level] = made.counts[level - 1] + n_nodes[level - 1];
    }
    open_all(&made);
    *pool = made;
    return STRADS_OK;
}

void prio_pool_fini(prio_pool *pool)
{
    strads_free(pool->words);
}

void prio_pool_close(prio_pool *pool, uint32_t var)
{
    assert(var < pool->n_vars && prio_pool_has(pool, var));
    pool->words[var / WORD] &= ~(UINT64_C(1) << (var % WORD));
    for (uint32_t level = 0; level < pool->n_levels; level++) {
        pool->counts[level][var >> (BLOCK_SHIFT + FAN_SHIFT * level)]--;
    }
    pool->n_open--;
}

void prio_pool_open(prio_pool *pool, uint32_t var)
{
    assert(var < pool->n_vars && !prio_pool_has(pool, var));
    pool->words[var / WORD] |= UINT64_C(1) << (var % WORD);
    for (uint32_t level = 0; level < pool->n_levels; level++) {
        pool->counts[level][var >> (BLOCK_SHIFT + FAN_SHIFT * level)]++;
    }
    pool->n_open++;
}

uint32_t prio_pool_select(const prio_pool *pool, uint32_t k)
{
    assert(k < pool->n_open);
    size_t i = 0;
    for (uint32_t level = pool->n_levels; level-- > 0;) {
        i *= FAN;
        while (k >= pool->counts[level][i]) {
            k -= pool->counts[level][i++];
        }
    }
    i *= FAN;
    for (uint32_t n = popcount(pool->words[i]); k >= n; n = popcount(pool->words[i])) {
        k -= n;
        i++;
    }
    uint64_t word = pool->words[i];
    while (k-- > 0) {
        word &= word - 1;
    }
    return (uint32_t) (i * WORD) + (uint32_t) __builtin_ctzll(word);
}

uint32_t prio_pool_next(const prio_pool *pool, uint32_t from)
{
    assert(from < pool->n_vars);
    size_t i = from / WORD;
    uint64_t word = pool->words[i] & ~UINT64_C(0) << (from % WORD);
    while (word == 0) {
        i++;
        while (i % FAN == 0 && i < pool->n_words && pool->counts[0][i / FAN] == 0) {
            i += FAN;
        }
        if (i == pool->n_words) {
            return pool->n_vars;
        }
        word = pool->words[i];
    }
    return (uint32_t) (i * WORD) + (uint32_t) __builtin_ctzll(word);
}

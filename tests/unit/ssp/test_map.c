/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_map.c - the map from keys to rows. */
#include "ssp/map.h"

#include "base/mem.h"
#include "tests/support/suite.h"

enum { KEYS = 1000 };

/* Keys at both ends of their range, and such as differ in their high bits alone. */
static uint64_t key_of(uint64_t i)
{
    return i % 3 == 0 ? i : i % 3 == 1 ? UINT64_MAX - i : i << 40;
}

static uint64_t *number(uint64_t value)
{
    uint64_t *out = strads_alloc(sizeof(*out));
    REQUIRE(out != NULL);
    *out = value;
    return out;
}

static void every_key_finds_its_own_value_and_no_other_any(void)
{
    ssp_map map = {.n = 0};
    CHECK(ssp_map_find(&map, 0) == NULL);
    for (uint64_t i = 0; i < KEYS; i++) {
        CHECK(ssp_map_find(&map, key_of(i)) == NULL);
        REQUIRE_OK(ssp_map_add(&map, key_of(i), number(i)));
    }
    CHECK(map.n == KEYS);
    for (uint64_t i = 0; i < KEYS; i++) {
        const uint64_t *value = ssp_map_find(&map, key_of(i));
        REQUIRE(value != NULL);
        CHECK(*value == i);
    }
    CHECK(ssp_map_find(&map, key_of(KEYS)) == NULL);
    ssp_map_fini(&map);
    CHECK(ssp_map_find(&map, key_of(0)) == NULL);
}

/* Every other key goes, in an order that is not that of the places. */
static void what_is_taken_out_is_gone_and_all_else_is_still_found(void)
{
    const size_t live = strads_mem_live();
    ssp_map map = {.n = 0};
    for (uint64_t i = 0; i < KEYS; i++) {
        REQUIRE_OK(ssp_map_add(&map, key_of(i), number(i)));
    }
    for (uint64_t i = 0; i < KEYS; i += 2) {
        ssp_map_remove(&map, ssp_map_seek(&map, key_of(i)));
        for (uint64_t k = 0; k < KEYS; k++) {
            const uint64_t *value = ssp_map_find(&map, key_of(k));
            CHECK((value == NULL) == (k % 2 == 0 && k <= i));
            CHECK(value == NULL || *value == k);
        }
    }
    CHECK(map.n == KEYS / 2);
    ssp_map_fini(&map);
    CHECK(strads_mem_live() == live);
}

/* Growing fails at the first key, and at the one for which there is no more room. */
static void a_map_that_cannot_grow_stays_as_it_is(void)
{
    const size_t live = strads_mem_live();
    ssp_map map = {.n = 0};
    size_t n_failed = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t *value = number(i);
        strads_mem_fail_after(1);
        strads_status status = ssp_map_add(&map, i, value);
        strads_mem_fail_after(0);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            CHECK(map.n == i && ssp_map_find(&map, i) == NULL);
            CHECK(i == 0 || *(uint64_t *) ssp_map_find(&map, i - 1) == i - 1);
            n_failed++;
            status = ssp_map_add(&map, i, value);
        }
        REQUIRE_OK(status);
    }
    CHECK(n_failed == 8); /* at 0, 8, 16, ... 512 there is room for twice as many */
    ssp_map_fini(&map);
    CHECK(strads_mem_live() == live);
}

SUITE("ssp/map",
      {"every key finds its own value, and no other any",
       every_key_finds_its_own_value_and_no_other_any},
      {"what is taken out is gone, and all else is still found",
       what_is_taken_out_is_gone_and_all_else_is_still_found},
      {"a map that cannot grow stays as it is", a_map_that_cannot_grow_stays_as_it_is})

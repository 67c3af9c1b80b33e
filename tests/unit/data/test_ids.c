/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ids.c - from ids to indices and back. */
#include "base/random.h"
#include "data/ratings_parts.h"
#include "tests/unit/data/ratings_case.h"

enum { N_ENTRIES = 5000 };

/* Numbers below `limit` become indices that ascend with them, and lead back. */
static void check_numbers(uint64_t limit, bool direct)
{
    static data_rating entries[N_ENTRIES];
    static uint32_t numbers[N_ENTRIES];
    strads_random random = strads_random_start(limit, 0);
    uint32_t max = 0;
    for (size_t i = 0; i < N_ENTRIES; i++) {
        numbers[i] = entries[i].column = (uint32_t) strads_random_below(&random, limit);
        entries[i].row = 1;
        max = max > numbers[i] ? max : numbers[i];
    }
    data_ids ids;
    REQUIRE_OK(ratings_ids_number(&ids, entries, N_ENTRIES, DATA_ITEMS, max, 3));
    CHECK(ids.direct == direct && ids.n <= N_ENTRIES && ids.text == NULL);
    for (size_t i = 0; i < N_ENTRIES; i++) {
        CHECK(entries[i].row == 1 && ids.number[entries[i].column] == numbers[i]);
    }
    for (uint32_t i = 0; i < ids.n; i++) {
        char digits[DATA_ID_BYTES];
        CHECK(i == 0 || ids.number[i - 1] < ids.number[i]);
        CHECK(data_ids_find(&ids, data_ids_name(&ids, i, digits)) == i);
    }
    data_ids_fini(&ids);
}

static void small_and_large_numbers_ascend(void)
{
    check_numbers(10, true);
    check_numbers(N_ENTRIES, true);
    check_numbers(UINT64_C(1) << 32, false);
}

static void what_is_no_id_is_unseen(void)
{
    static const char *const strange[] = {
        "", "2", "-1", "x", "1x", " 1", "4294967295", "1.", "99999999999999999999"};
    const uint32_t largest[] = {3, 4000000000};
    for (size_t k = 0; k < 2; k++) {
        data_rating entries[] = {{.row = 1}, {.row = largest[k]}};
        data_ids ids;
        REQUIRE_OK(ratings_ids_number(&ids, entries, 2, DATA_USERS, largest[k], 1));
        CHECK(data_ids_find(&ids, "1") == 0 && data_ids_find(&ids, "001") == 0);
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
            CHECK(data_ids_find(&ids, strange[i]) == DATA_UNSEEN);
        }
        data_ids_fini(&ids);
    }
    data_ids none = {.n = 0};
    CHECK(data_ids_find(&none, "1") == DATA_UNSEEN);
}

static void texts_are_found_among_many(void)
{
    data_ids ids = {.n = 0};
    char text[24];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < N_ENTRIES; i++) {
            uint32_t index = 0;
            const int n = snprintf(text, sizeof(text), "%x", i * 2654435761U);
            REQUIRE_OK(data_ids_add(&ids, text, (size_t) n, &index));
            CHECK(index == i);
        }
        CHECK(ids.n == N_ENTRIES);
        REQUIRE_OK(data_ids_invert(&ids, 1));
    }
    for (uint32_t i = 0; i < N_ENTRIES; i++) {
        snprintf(text, sizeof(text), "%x", i * 2654435761U);
        CHECK_TEXT(data_ids_name(&ids, i, text), text);
        CHECK(data_ids_find(&ids, text) == i);
    }
    CHECK(data_ids_find(&ids, "none of them") == DATA_UNSEEN);
    CHECK(data_ids_find(&ids, "") == DATA_UNSEEN);
    data_ids_fini(&ids);
}

SUITE("data/ids", {"small and large numbers ascend", small_and_large_numbers_ascend},
      {"what is no id is unseen", what_is_no_id_is_unseen},
      {"texts are found among many", texts_are_found_among_many})

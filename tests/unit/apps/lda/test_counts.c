/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_counts.c - the rows of words in each form. */
#include "apps/lda/counts.h"

#include <string.h>

#include "tests/support/suite.h"

enum { TOPICS = 40, ROOM = 256 };

static const uint32_t MARK = 0xdeadbeef;

/* Writes counts into a place after some others, and reads them back; nothing beside it changes. */
static void check_back(uint64_t n_tokens, bool lists, const int32_t counts[TOPICS])
{
    uint32_t column[ROOM];
    int32_t back[TOPICS];
    lda_place place;
    const size_t begin = 7;
    const size_t end = lda_place_at(&place, begin, n_tokens, TOPICS, lists);
    REQUIRE(end < ROOM && place.offset == begin);
    memset(column, 0, sizeof(column));
    column[begin - 1] = column[end] = MARK;
    CHECK(lda_row_is_sound(&place, column, TOPICS));
    lda_row_read(&place, column, TOPICS, back);
    for (uint32_t k = 0; k < TOPICS; k++) {
        CHECK(back[k] == 0); /* of zeros it has none */
    }
    lda_row_write(&place, column, TOPICS, counts);
    CHECK(lda_row_is_sound(&place, column, TOPICS));
    lda_row_read(&place, column, TOPICS, back);
    CHECK(memcmp(back, counts, sizeof(back)) == 0);
    CHECK(column[begin - 1] == MARK && column[end] == MARK);
}

static void rows_come_back_as_they_were(void)
{
    static const uint64_t tokens[] = {0, 1, 2, TOPICS / 2 - 1, TOPICS / 2, 65535, 65536, INT32_MAX};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        const uint64_t n = tokens[i];
        int32_t counts[TOPICS] = {0};
        check_back(n, true, counts);
        counts[TOPICS - 1] = (int32_t) n; /* all in one topic */
        check_back(n, true, counts);
        check_back(n, false, counts);
        memset(counts, 0, sizeof(counts));
        for (uint32_t k = 0; k < TOPICS && k < n; k++) {
            counts[k] = 1; /* in as many as there can be */
        }
        check_back(n, true, counts);
    }
}

static void the_form_is_the_smallest_that_cannot_overflow(void)
{
    lda_place place;
    CHECK(lda_place_at(&place, 0, TOPICS / 2 - 1, TOPICS, true) == TOPICS / 2);
    CHECK(place.form == LDA_LIST && place.capacity == TOPICS / 2 - 1);
    CHECK(lda_place_at(&place, 0, TOPICS / 2 - 1, TOPICS, false) == 24);
    CHECK(place.form == LDA_ARRAY_16);
    CHECK(lda_place_at(&place, 0, TOPICS / 2, TOPICS, true) == 24);
    CHECK(place.form == LDA_ARRAY_16);
    CHECK(lda_place_at(&place, 0, 65535, TOPICS, true) == 24);
    CHECK(place.form == LDA_ARRAY_16);
    CHECK(lda_place_at(&place, 0, 65536, TOPICS, true) == 48);
    CHECK(place.form == LDA_ARRAY_32);
}

static void a_list_that_is_none_is_seen(void)
{
    lda_place place;
    uint32_t column[ROOM] = {0};
    (void) lda_place_at(&place, 0, 3, TOPICS, true);
    column[0] = 3;
    CHECK(lda_row_is_sound(&place, column, TOPICS));
    column[3] = TOPICS | 1U << 16;
    CHECK(!lda_row_is_sound(&place, column, TOPICS));
    column[0] = 2;
    CHECK(lda_row_is_sound(&place, column, TOPICS));
    column[0] = 4;
    CHECK(!lda_row_is_sound(&place, column, TOPICS));
    column[0] = UINT32_MAX;
    CHECK(!lda_row_is_sound(&place, column, TOPICS));
}

SUITE("lda counts", {"rows come back as they were", rows_come_back_as_they_were},
      {"the form is the smallest that cannot overflow",
       the_form_is_the_smallest_that_cannot_overflow},
      {"a list that is none is seen", a_list_that_is_none_is_seen})

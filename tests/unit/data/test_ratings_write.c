/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_write.c - what is written reads as it was. */
#include "tests/unit/data/ratings_case.h"

static void ratings_are_read_back_to_the_bit(void)
{
    static const char *const texts[] = {"7 30 4.5\n0 30 0.1\n7 4294967295 -1e-30\n",
                                        "ann 1 3.14159265\nbob 2 16777217\n"};
    for (size_t i = 0; i < 2; i++) {
        data_ratings r = ratings_of(texts[i]);
        char *path = suite_file("written", "");
        REQUIRE_OK(data_ratings_write(path, &r));
        data_ratings again;
        REQUIRE_OK(data_ratings_read(&again, &(data_ratings_source){.path = path}));
        CHECK(same_ratings(&r, &again));
        data_ratings_fini(&again);
        data_ratings_fini(&r);
        strads_free(path);
    }
}

static void numbers_are_no_longer_than_they_must(void)
{
    data_ratings r = ratings_of("7 30 4.50\n1 2 0.1\n");
    char *path = suite_file("written", "");
    REQUIRE_OK(data_ratings_write(path, &r));
    size_t n = 0;
    char *text = contents(path, &n);
    CHECK_TEXT(text, "7 30 4.5\n1 2 0.1\n");
    strads_free(text);
    strads_free(path);
    data_ratings_fini(&r);
}

SUITE("data/ratings_write", {"ratings are read back, to the bit", ratings_are_read_back_to_the_bit},
      {"numbers are no longer than they must be", numbers_are_no_longer_than_they_must})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/ratings_case.h - what the tests of ratings share. */
#ifndef STRADS_TESTS_UNIT_DATA_RATINGS_CASE_H
#define STRADS_TESTS_UNIT_DATA_RATINGS_CASE_H

#include "data/ratings.h"
#include "tests/unit/data/reading.h"

typedef struct ratings_attempt {
    data_ratings_source source;
    data_ratings ratings;
    size_t fail_after; /* for strads_mem_fail_after */
    strads_status status;
} ratings_attempt;

static inline void attempt_ratings(void *context)
{
    ratings_attempt *a = context;
    a->ratings = (data_ratings){.n = 0};
    strads_mem_fail_after(a->fail_after);
    a->status = data_ratings_read(&a->ratings, &a->source);
    strads_mem_fail_after(0);
}

/* Reads a file of this text, which must be good, with one thread. */
static inline data_ratings ratings_of(const char *text)
{
    char *path = suite_file("good.ratings", text);
    ratings_attempt a = {.source = {.path = path, .n_threads = 1}};
    strads_free(suite_stderr_of(attempt_ratings, &a));
    REQUIRE_OK(a.status);
    strads_free(path);
    return a.ratings;
}

/* Reading the text must fail with a message that has `part`, with any number of threads;
 * the message is one line and always the same. */
static inline void check_ratings_refused(const char *text, bool times, const char *part)
{
    const size_t live = strads_mem_live();
    char *path = suite_file("refused.ratings", text);
    char *first = NULL;
    for (uint32_t n_threads = 1; n_threads <= 4; n_threads++) {
        ratings_attempt a = {.source = {.path = path, .n_threads = n_threads, .times = times}};
        char *message = suite_stderr_of(attempt_ratings, &a);
        CHECK_STATUS(a.status, STRADS_ERR_DATA);
        if (strstr(message, part) == NULL) {
            fprintf(stderr, "message '%s' (expected '%s')\n", message, part);
        }
        CHECK(strstr(message, part) != NULL);
        CHECK(strchr(message, '\n') == strrchr(message, '\n'));
        CHECK(first == NULL || strcmp(first, message) == 0);
        strads_free(first);
        first = message;
    }
    strads_free(first);
    strads_free(path);
    CHECK(strads_mem_live() == live);
}

/* The id of the user or item of an entry. */
static inline const char *id_of(const data_ratings *ratings, size_t i, data_side side,
                                char digits[DATA_ID_BYTES])
{
    const data_rating *entry = &ratings->entries[i];
    return data_ids_name(&ratings->ids[side], side == DATA_USERS ? entry->row : entry->column,
                         digits);
}

static inline bool is_entry(const data_ratings *ratings, size_t i, const char *user,
                            const char *item, float value)
{
    char digits[DATA_ID_BYTES];
    return i < ratings->n && strcmp(id_of(ratings, i, DATA_USERS, digits), user) == 0 &&
           strcmp(id_of(ratings, i, DATA_ITEMS, digits), item) == 0 &&
           ratings->entries[i].value == value;
}

static inline bool same_ids(const data_ids *a, const data_ids *b)
{
    bool same = a->n == b->n && (a->number == NULL) == (b->number == NULL);
    for (uint32_t i = 0; same && i < a->n; i++) {
        char left[DATA_ID_BYTES];
        char right[DATA_ID_BYTES];
        same = strcmp(data_ids_name(a, i, left), data_ids_name(b, i, right)) == 0 &&
               data_ids_find(b, data_ids_name(b, i, right)) == i;
    }
    return same;
}

static inline bool same_ratings(const data_ratings *a, const data_ratings *b)
{
    return a->n == b->n && a->n_duplicates == b->n_duplicates &&
           memcmp(a->entries, b->entries, a->n * sizeof(*a->entries)) == 0 &&
           (a->times == NULL) == (b->times == NULL) &&
           (a->times == NULL || memcmp(a->times, b->times, a->n * sizeof(*a->times)) == 0) &&
           same_ids(&a->ids[DATA_USERS], &b->ids[DATA_USERS]) &&
           same_ids(&a->ids[DATA_ITEMS], &b->ids[DATA_ITEMS]);
}

#endif

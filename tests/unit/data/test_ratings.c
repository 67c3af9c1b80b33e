/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings.c - reading ratings, good and bad, by one thread or more. */
#include "base/random.h"
#include "tests/unit/data/ratings_case.h"

enum { TEXT_BYTES = 1 << 16, MAX_LINES = 300 };

/* ---- what is read ---- */

static void numbers_ascend_and_entries_keep_the_files_order(void)
{
    data_ratings r = ratings_of("7 30 4.5\n2 10 -1\n007 4294967295 3e-1\n0 30 +2\n");
    CHECK(r.n == 4 && r.times == NULL && r.n_duplicates == 0 && r.n_unseen == 0);
    CHECK(is_entry(&r, 0, "7", "30", 4.5F) && is_entry(&r, 1, "2", "10", -1.0F));
    CHECK(is_entry(&r, 2, "7", "4294967295", 0.3F) && is_entry(&r, 3, "0", "30", 2.0F));
    CHECK(r.ids[DATA_USERS].n == 3 && r.ids[DATA_ITEMS].n == 3);
    CHECK(r.entries[0].row == 2 && r.entries[1].row == 1 && r.entries[3].row == 0);
    CHECK(r.entries[0].column == 1 && r.entries[2].column == 2);
    data_ratings_fini(&r);
}

static void texts_keep_their_spelling_in_order_of_appearance(void)
{
    data_ratings r = ratings_of("7,x,1\n007,y,2\nann,x,3\n-3,z,4\n");
    CHECK(r.ids[DATA_USERS].n == 4 && r.ids[DATA_ITEMS].n == 3);
    CHECK(is_entry(&r, 0, "7", "x", 1.0F) && is_entry(&r, 1, "007", "y", 2.0F));
    CHECK(is_entry(&r, 2, "ann", "x", 3.0F) && is_entry(&r, 3, "-3", "z", 4.0F));
    for (uint32_t i = 0; i < r.n; i++) {
        CHECK(r.entries[i].row == i);
    }
    data_ratings_fini(&r);
}

static void ids_that_are_said_to_be_texts_are(void)
{
    char *path = suite_file("texts", "1 01 5\n-1 99999999999 5\n");
    data_ratings r;
    REQUIRE_OK(data_ratings_read(
        &r, &(data_ratings_source){.path = path, .texts = {true, true}, .n_threads = 1}));
    CHECK(is_entry(&r, 0, "1", "01", 5.0F) && is_entry(&r, 1, "-1", "99999999999", 5.0F));
    data_ratings_fini(&r);
    strads_free(path);
}

static void times_are_read_where_they_are_wanted(void)
{
    char *path = suite_file("times", "1::2::3::978300760\n1::3::4::978302109.5\n");
    data_ratings r;
    REQUIRE_OK(
        data_ratings_read(&r, &(data_ratings_source){.path = path, .times = true, .n_threads = 2}));
    REQUIRE(r.n == 2 && r.times != NULL);
    CHECK(r.times[0] == 978300760.0 && r.times[1] == 978302109.5);
    data_ratings_fini(&r);
    strads_free(path);
}

static void the_last_of_a_pair_counts_and_it_is_said_once(void)
{
    char *path = suite_file("twice", "1 1 1\n1 2 2\n1 1 3\n2 1 4\n1 1 5\n");
    ratings_attempt a = {.source = {.path = path, .n_threads = 3}};
    char *message = suite_stderr_of(attempt_ratings, &a);
    REQUIRE_OK(a.status);
    CHECK(strstr(message, "warning: ") != NULL && strstr(message, "2 ratings came again") != NULL);
    CHECK(strchr(message, '\n') == strrchr(message, '\n'));
    CHECK(a.ratings.n == 3 && a.ratings.n_duplicates == 2);
    CHECK(is_entry(&a.ratings, 0, "1", "2", 2.0F) && is_entry(&a.ratings, 2, "1", "1", 5.0F));
    data_ratings_fini(&a.ratings);
    strads_free(message);
    strads_free(path);
}

static void gzip_reads_the_same(void)
{
    static const char text[] = "user,item,rating\r\nann,1,2\r\nbob,2,3\r\n\r\nann,2,4";
    data_ratings plain = ratings_of(text);
    CHECK(plain.n == 3);
    char *path = bytes_file("packed.gz", "", 0);
    append_gzip(path, text, 20);
    append_gzip(path, text + 20, sizeof(text) - 21);
    data_ratings packed;
    REQUIRE_OK(data_ratings_read(&packed, &(data_ratings_source){.path = path, .n_threads = 4}));
    CHECK(same_ratings(&plain, &packed));
    data_ratings_fini(&packed);
    data_ratings_fini(&plain);
    strads_free(path);
}

/* ---- what is refused ---- */

static void every_mistake_is_named_with_its_line(void)
{
    static const char *const cases[][2] = {
        {"", "holds 0 ratings: expected some"},
        {"\n \n", "holds 0 ratings"},
        {"user item rating\n", "holds 0 ratings"},
        {"1 2\n", "refused.ratings:1: '1 2': expected USER ITEM RATING"},
        {"1 2 3\n\n1 2\n", "refused.ratings:3: '1 2': too few fields: expected 3 or more"},
        {"1 2 3\n1 2 3 4 5\n", "refused.ratings:2: '1 2 3 4 5': too many fields"},
        {"1 2 3\n1 2 x\n", "refused.ratings:2: 'x': expected a rating, a finite number"},
        {"1 2 nan\n", "refused.ratings:1: 'nan': expected a rating"},
        {"1 2 -inf\n", "refused.ratings:1: '-inf': expected a rating"},
        {"1 2 1e999\n", "refused.ratings:1: '1e999': expected a rating"},
        {"1 2 1e39\n", "refused.ratings:1: '1e39': expected a rating below 3.4e38"},
        {"1,2,\n", "refused.ratings:1: '': expected a rating"},
        {"1,2,3\n,2,3\n", "refused.ratings:2: '': expected a user"},
        {"1,2,3\n4,\"\",3\n", "refused.ratings:2: '': expected an item"},
        {"1 2 3\n-1 2 3\n",
         "refused.ratings:2: '-1': expected a number from 0 to 4294967295 as user"},
        {"1 2 3\n1 4294967296 3\n", "refused.ratings:2: '4294967296': expected a number"},
        {"1 99999999999999999999999 3\n", "refused.ratings:1: '99999999999999999999999': expected"},
        {"user,film,rating\n1,2,3\n", "refused.ratings:1: the header names no item"},
        {"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 3\n", "as its header states"},
        {"%%MatrixMarket matrix coordinate real general\n2 2 1\n0 1 3\n",
         "refused.ratings:3: '0': expected user, 1 to 2"},
        {"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 3 3\n",
         "refused.ratings:3: '3': expected item, 1 to 2"},
        {"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 3 4\n", "too many fields"},
        {"%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1\n", "real or integer"},
        {"%%MatrixMarket matrix array real general\n1 1\n1\n", "expected a coordinate file"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_ratings_refused(cases[i][0], false, cases[i][1]);
    }
    check_ratings_refused("1 2 3 4\n1 3 3\n", true, "refused.ratings:2: '1 3 3': too few fields");
    check_ratings_refused("1 2 3 4\n1 3 3 now\n", true,
                          "refused.ratings:2: 'now': expected a time");
    check_ratings_refused("user,item,rating\n1,2,3\n", true, "names no time");
    check_ratings_refused("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 3\n", true,
                          "holds no times");
}

/* A range that comes later, and has something wrong too, keeps silent. */
static void the_first_mistake_is_the_one_that_is_said(void)
{
    char text[4096] = "";
    for (int i = 0; i < 100; i++) {
        const char *line = i == 20 ? "20 1 bad\n" : i == 90 ? "word 1 worse\n" : "-5 1 3\n";
        strcat(text, line);
    }
    check_ratings_refused(text, false, "refused.ratings:21: 'bad'");
}

static void a_byte_of_zero_and_a_missing_file_are_refused(void)
{
    char *path = bytes_file("zero", "a\0b c 3\n", 8);
    ratings_attempt a = {.source = {.path = path, .n_threads = 1}};
    char *message = suite_stderr_of(attempt_ratings, &a);
    CHECK_STATUS(a.status, STRADS_ERR_DATA);
    CHECK(strstr(message, "zero:1: 'a\\x00b': an id cannot hold a byte of 0") != NULL);
    strads_free(message);
    strads_free(path);
    a.source.path = "/nowhere/at all";
    message = suite_stderr_of(attempt_ratings, &a);
    CHECK_STATUS(a.status, STRADS_ERR_IO);
    strads_free(message);
}

/* ---- against a slow reader ---- */

typedef struct line {
    char user[16], item[16];
    float value;
    double time;
} line;

/* Random ratings in a random dress; half of the files have a text for an id somewhere. */
static size_t draw_file(strads_random *random, char *text, line *lines)
{
    static const char *const separators[] = {" ", "\t", ",", ";", "|", "::", "  ", " , "};
    static const char *const ends[] = {"\n", "\r\n", "\n\n", " \n"};
    const char *separator = separators[strads_random_below(random, 8)];
    const char *end = ends[strads_random_below(random, 4)];
    const bool quotes = strads_random_below(random, 3) == 0;
    const char *quote = quotes ? "\"" : "";
    const size_t n = 1 + strads_random_below(random, MAX_LINES);
    const uint64_t n_ids = 1 + strads_random_below(random, 40);
    const uint64_t spread = strads_random_below(random, 2) == 0 ? 1 : 100000007;
    const uint64_t word = strads_random_below(random, 2 * n);
    for (size_t i = 0; i < n; i++) {
        snprintf(lines[i].user, sizeof(lines[i].user), i == word ? "w%llu" : "%llu",
                 (unsigned long long) strads_random_below(random, n_ids));
        snprintf(lines[i].item, sizeof(lines[i].item), "%llu",
                 (unsigned long long) (strads_random_below(random, n_ids) * spread));
        lines[i].value = (float) strads_random_below(random, 100) / 4.0F;
        lines[i].time = (double) strads_random_below(random, 1000);
        text += sprintf(text, "%s%s%s%s%s%s%s%s%.9g%s%g%s", quote, lines[i].user, quote, separator,
                        quote, lines[i].item, quote, separator, (double) lines[i].value, separator,
                        lines[i].time, i + 1 < n || strads_random_below(random, 2) == 0 ? end : "");
    }
    return n;
}

/* Whether a later line is of the same pair. */
static bool comes_again(const line *lines, size_t i, size_t n)
{
    for (size_t k = i + 1; k < n; k++) {
        if (strcmp(lines[i].user, lines[k].user) == 0 &&
            strcmp(lines[i].item, lines[k].item) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_as_drawn(const data_ratings *r, const line *lines, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (comes_again(lines, i, n)) {
            continue;
        }
        if (!is_entry(r, at, lines[i].user, lines[i].item, lines[i].value) ||
            (r->times != NULL && r->times[at] != lines[i].time)) {
            return false;
        }
        at++;
    }
    return at == r->n && n - at == r->n_duplicates;
}

static void random_files_are_read_as_drawn_by_any_number_of_threads(void)
{
    static char text[TEXT_BYTES];
    static line lines[MAX_LINES];
    for (uint64_t seed = 1; seed <= 200; seed++) {
        strads_random random = strads_random_start(seed, 0);
        const size_t n = draw_file(&random, text, lines);
        char *path = suite_file("drawn", text);
        ratings_attempt a = {.source = {.path = path, .times = seed % 2 == 0}};
        data_ratings first = {.n = 0};
        for (uint32_t n_threads = 1; n_threads <= 5; n_threads += 2) {
            a.source.n_threads = n_threads;
            strads_free(suite_stderr_of(attempt_ratings, &a));
            REQUIRE_OK(a.status);
            if (!is_as_drawn(&a.ratings, lines, n)) {
                fprintf(stderr, "seed %llu, %u threads\n", (unsigned long long) seed, n_threads);
            }
            CHECK(is_as_drawn(&a.ratings, lines, n));
            CHECK(n_threads == 1 || same_ratings(&first, &a.ratings));
            if (n_threads == 1) {
                first = a.ratings;
            } else {
                data_ratings_fini(&a.ratings);
            }
        }
        data_ratings_fini(&first);
        strads_free(path);
    }
}

/* Whatever comes of it, it ends, leaks nothing, and says why it fails. */
static void damaged_files_are_read_or_refused(void)
{
    static char text[TEXT_BYTES];
    static line lines[MAX_LINES];
    const size_t live = strads_mem_live();
    for (uint64_t seed = 1; seed <= 200; seed++) {
        strads_random random = strads_random_start(seed, 1);
        draw_file(&random, text, lines);
        const size_t n = (size_t) strads_random_below(&random, strlen(text) + 1);
        for (int i = 0; i < 3 && n > 0; i++) {
            text[strads_random_below(&random, n)] = (char) strads_random_below(&random, 256);
        }
        char *path = bytes_file("damaged", text, n);
        ratings_attempt a = {.source = {.path = path, .n_threads = 1 + (uint32_t) (seed % 4)}};
        char *message = suite_stderr_of(attempt_ratings, &a);
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_DATA);
        CHECK(a.status == STRADS_OK || strstr(message, "error: ") != NULL);
        data_ratings_fini(&a.ratings);
        strads_free(message);
        strads_free(path);
    }
    CHECK(strads_mem_live() == live);
}

static void every_allocation_that_fails_is_said(void)
{
    static const char *const texts[] = {"1 2 3\n4 5 6\n", "a b 3\nc d 4\n",
                                        "4000000000 5 1\n5 4000000001 2\n"};
    for (size_t i = 0; i < 3; i++) {
        char *path = suite_file("memory", texts[i]);
        const size_t live = strads_mem_live();
        ratings_attempt a = {.source = {.path = path, .n_threads = 1}, .status = STRADS_ERR_NOMEM};
        while (a.status == STRADS_ERR_NOMEM && a.fail_after < 100) {
            a.fail_after++;
            char *message = suite_stderr_of(attempt_ratings, &a);
            CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
            CHECK(strchr(message, '\n') == strrchr(message, '\n'));
            strads_free(message);
            data_ratings_fini(&a.ratings);
            CHECK(strads_mem_live() == live);
        }
        CHECK(a.status == STRADS_OK && a.fail_after > 8);
        strads_free(path);
    }
}

SUITE("data/ratings",
      {"numbers ascend, and entries keep the file's order",
       numbers_ascend_and_entries_keep_the_files_order},
      {"texts keep their spelling, in order of appearance",
       texts_keep_their_spelling_in_order_of_appearance},
      {"ids that are said to be texts are", ids_that_are_said_to_be_texts_are},
      {"times are read where they are wanted", times_are_read_where_they_are_wanted},
      {"the last of a pair counts, and it is said once",
       the_last_of_a_pair_counts_and_it_is_said_once},
      {"gzip reads the same", gzip_reads_the_same},
      {"every mistake is named with its line", every_mistake_is_named_with_its_line},
      {"the first mistake is the one that is said", the_first_mistake_is_the_one_that_is_said},
      {"a byte of zero and a missing file are refused",
       a_byte_of_zero_and_a_missing_file_are_refused},
      {"random files are read as drawn, by any number of threads",
       random_files_are_read_as_drawn_by_any_number_of_threads},
      {"damaged files are read or refused", damaged_files_are_read_or_refused},
      {"every allocation that fails is said", every_allocation_that_fails_is_said})

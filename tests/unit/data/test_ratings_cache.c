/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_cache.c - what was read comes back, or is read anew. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/ratings_parts.h"
#include "tests/unit/data/ratings_case.h"

/* A file of ratings, and where its cache is. */
typedef struct place {
    data_ratings_source source;
    char *path, *cache;
} place;

static place begin(const char *text)
{
    place p = {.path = suite_file("cached.ratings", text)};
    uint64_t key = 0;
    p.source = (data_ratings_source){.path = p.path, .n_threads = 1, .cache = ""};
    REQUIRE_OK(ratings_cache_name(&p.cache, &key, &p.source));
    unlink(p.cache);
    return p;
}

static void end(place *p)
{
    strads_free(p->path);
    strads_free(p->cache);
}

/* Reads, with what was said in *message unless that is NULL. */
static data_ratings read_place(const place *p, char **message)
{
    ratings_attempt a = {.source = p->source};
    char *said = suite_stderr_of(attempt_ratings, &a);
    REQUIRE_OK(a.status);
    if (message != NULL) {
        *message = said;
    } else {
        strads_free(said);
    }
    return a.ratings;
}

/* Whether the cache is taken: a value is changed in it, its checksum made anew. */
static bool is_taken(const place *p)
{
    uint64_t key = 0;
    char *name = NULL;
    data_ratings r;
    REQUIRE_OK(ratings_cache_name(&name, &key, &p->source));
    const bool there = ratings_cache_load(&r, name, key);
    strads_free(name);
    if (!there) {
        return false;
    }
    REQUIRE_OK(data_ratings_own(&r));
    r.entries[0].value = 77.0F;
    ratings_cache_save(&r, p->cache, key);
    data_ratings_fini(&r);
    r = read_place(p, NULL);
    const bool taken = r.entries[0].value == 77.0F;
    data_ratings_fini(&r);
    return taken;
}

static void what_was_read_comes_back(void)
{
    static const char *const texts[] = {"1 2 3 4\n1 5 6 7\n1 2 8 9\n", "a,2,3,4\nb,2,5,6\n",
                                        "1,x y,3,4\n4000000000,z,3,4\n"};
    for (size_t i = 0; i < 6; i++) {
        place p = begin(texts[i / 2]);
        p.source.times = i % 2 == 1;
        char *first = NULL;
        char *again = NULL;
        data_ratings read = read_place(&p, &first);
        data_ratings loaded = read_place(&p, &again);
        CHECK(same_ratings(&read, &loaded));
        CHECK(read.map == NULL && loaded.map != NULL);
        data_ratings_size known;
        data_ratings_size found;
        const data_ratings_source uncached = {.path = p.path, .times = p.source.times};
        REQUIRE_OK(data_ratings_measure(&known, &p.source));
        REQUIRE_OK(data_ratings_measure(&found, &uncached));
        CHECK(known.n == read.n && known.n_ids[DATA_USERS] == read.ids[DATA_USERS].n &&
              known.n_ids[DATA_ITEMS] == read.ids[DATA_ITEMS].n);
        CHECK(memcmp(&known, &found, sizeof(known)) == 0);
        CHECK_TEXT(again, first); /* of duplicates */
        CHECK(is_taken(&p));
        data_ratings_fini(&read);
        data_ratings_fini(&loaded);
        strads_free(first);
        strads_free(again);
        end(&p);
    }
}

static void a_changed_file_or_option_is_read_anew(void)
{
    place p = begin("1 2 3 4\n");
    data_ratings r = read_place(&p, NULL);
    data_ratings_fini(&r);
    CHECK(is_taken(&p));
    p.source.times = true;
    CHECK(!is_taken(&p));
    p.source.times = false;
    p.source.texts[DATA_ITEMS] = true;
    CHECK(!is_taken(&p));
    p.source.texts[DATA_ITEMS] = false;
    const struct timespec moments[] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 5}};
    REQUIRE(utimensat(AT_FDCWD, p.path, moments, 0) == 0);
    CHECK(!is_taken(&p));
    char *message = NULL;
    r = read_place(&p, &message);
    CHECK(r.entries[0].value == 3.0F && message[0] == '\0');
    CHECK(is_taken(&p));
    data_ratings_fini(&r);
    strads_free(message);
    end(&p);
}

static void a_folder_of_caches_keeps_files_of_one_name_apart(void)
{
    place a = begin("1 2 3\n");
    char *other = suite_file("other", "");
    place b = a;
    uint64_t key = 0;
    a.source.cache = b.source.cache = suite_folder();
    b.source.path = other;
    strads_free(a.cache);
    REQUIRE_OK(ratings_cache_name(&a.cache, &key, &a.source));
    REQUIRE_OK(ratings_cache_name(&b.cache, &key, &b.source));
    CHECK(strstr(a.cache, "/cached.ratings-") != NULL && strstr(b.cache, "/other-") != NULL);
    data_ratings r = read_place(&a, NULL);
    CHECK(access(a.cache, R_OK) == 0 && is_taken(&a));
    data_ratings_fini(&r);
    strads_free(b.cache);
    strads_free(other);
    end(&a);
}

static void what_is_set_aside_comes_again_and_what_is_owned_may_change(void)
{
    char *text = strads_alloc(20 * 5000);
    REQUIRE(text != NULL);
    for (int i = 0, at = 0; i < 5000; i++) {
        at += sprintf(text + at, "%d %d %d %d\n", i / 50, i % 50, i % 7, i);
    }
    place p = begin(text);
    p.source.times = true;
    data_ratings read = read_place(&p, NULL);
    data_ratings loaded = read_place(&p, NULL);
    data_ratings_set_aside(&loaded, 0, loaded.n);
    CHECK(same_ratings(&read, &loaded));
    data_ratings_set_aside(&loaded, 17, 1);
    data_ratings_set_aside(&loaded, loaded.n - 1, 1);
    data_ratings_set_aside(&read, 0, read.n); /* there it is all there is */
    CHECK(same_ratings(&read, &loaded));
    REQUIRE_OK(data_ratings_own(&loaded));
    CHECK(same_ratings(&read, &loaded) && loaded.map == NULL);
    loaded.entries[0].value = 99.0F;
    loaded.times[0] = 99.0;
    REQUIRE_OK(data_ratings_own(&loaded));
    CHECK(loaded.entries[0].value == 99.0F && loaded.times[0] == 99.0);
    data_ratings_fini(&loaded);
    loaded = read_place(&p, NULL);
    CHECK(same_ratings(&read, &loaded));
    data_ratings_fini(&loaded);
    data_ratings_fini(&read);
    strads_free(text);
    end(&p);
}

static void a_test_part_is_the_same_of_a_cache(void)
{
    char *text = strads_alloc(20 * 1000);
    REQUIRE(text != NULL);
    for (int i = 0, at = 0; i < 1000; i++) {
        at += sprintf(text + at, "%d %d %d %d\n", i / 50, i % 50, i % 7, i * 37 % 1000);
    }
    place p = begin(text);
    char *other = suite_file("test.ratings", "3 4 5 6\n99 1 2 3\n4 49 1 2\n5 70 1 3\n");
    for (int kind = 0; kind < 3; kind++) {
        data_ratings train[2];
        data_ratings test[2];
        p.source.times = kind == 1;
        for (int cached = 0; cached < 2; cached++) {
            train[cached] = read_place(&p, NULL);
            if (kind == 0) {
                REQUIRE_OK(data_ratings_split(&train[cached], &test[cached], 0.3, 5));
            } else if (kind == 1) {
                REQUIRE_OK(data_ratings_split_latest(&train[cached], &test[cached], 0.3));
            } else {
                data_ratings_source source = p.source;
                source.path = other;
                REQUIRE_OK(data_ratings_read_test(&test[cached], &train[cached], &source));
                CHECK(test[cached].n_unseen == 2);
            }
        }
        CHECK(train[0].n == train[1].n && test[0].n == test[1].n && test[0].n > 0);
        CHECK(memcmp(train[0].entries, train[1].entries, train[0].n * sizeof(data_rating)) == 0);
        CHECK(memcmp(test[0].entries, test[1].entries, test[0].n * sizeof(data_rating)) == 0);
        for (int cached = 0; cached < 2; cached++) {
            data_ratings_fini(&train[cached]);
            data_ratings_fini(&test[cached]);
        }
    }
    strads_free(other);
    strads_free(text);
    end(&p);
}

static void write_cache(const place *p, const char *bytes, size_t n)
{
    FILE *file = fopen(p->cache, "wb");
    REQUIRE(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

/* Every byte of a cache matters but those that only fill up, one that is changed, and the last
 * ones missing. */
static void a_damaged_cache_is_said_and_made_anew(void)
{
    place p = begin("1 a 3\n2 b 4\n");
    data_ratings good = read_place(&p, NULL);
    size_t n = 0;
    char *bytes = contents(p.cache, &n);
    REQUIRE(n > sizeof(ratings_cache_head));
    size_t n_found = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        if (i / 8 == offsetof(ratings_cache_head, key) / 8) {
            continue; /* this is another file's */
        }
        bytes[i % n] ^= i < n ? 1 : 0;
        write_cache(&p, bytes, i < n ? n : i - n);
        bytes[i % n] ^= i < n ? 1 : 0;
        char *message = NULL;
        data_ratings r = read_place(&p, &message);
        CHECK(same_ratings(&good, &r));
        CHECK(r.map != NULL ? i < n : strstr(message, "cannot be used") != NULL);
        n_found += r.map == NULL && strstr(message, "warning: ") != NULL;
        strads_free(message);
        data_ratings_fini(&r);
    }
    /* The head but its key, the hashes of five sections, the sections, and all that are short. */
    const size_t n_bytes = sizeof(ratings_cache_head) - 8 + 5 * 8 + 2 * sizeof(data_rating) +
                           2 * sizeof(uint32_t) + 2 * sizeof(size_t) + 4;
    CHECK(n_found >= n_bytes + n - 8 - 8);
    strads_free(bytes);
    data_ratings_fini(&good);
    end(&p);
}

/* Of a machine with the other byte order, or of another version. */
static void a_cache_of_another_kind_is_not_taken(void)
{
    place p = begin("1 2 3\n");
    data_ratings r = read_place(&p, NULL);
    data_ratings_fini(&r);
    size_t n = 0;
    char *bytes = contents(p.cache, &n);
    ratings_cache_head head;
    for (int kind = 0; kind < 2; kind++) {
        memcpy(&head, bytes, sizeof(head));
        head.magic = kind == 0 ? __builtin_bswap64(head.magic) : head.magic;
        head.version -= kind == 1;
        char *other = strads_alloc(n);
        REQUIRE(other != NULL);
        memcpy(other, bytes, n);
        memcpy(other, &head, sizeof(head));
        write_cache(&p, other, n);
        strads_free(other);
        char *message = NULL;
        r = read_place(&p, &message);
        CHECK(r.map == NULL && r.n == 1 && strstr(message, "cannot be used") != NULL);
        strads_free(message);
        data_ratings_fini(&r);
    }
    strads_free(bytes);
    end(&p);
}

/* With a good checksum too. */
static void a_forged_cache_cannot_lead_astray(void)
{
    place p = begin("1 a 3 1\n2 b 4 1\n");
    p.source.times = true;
    data_ratings good = read_place(&p, NULL);
    for (int i = 0; i < 8; i++) {
        data_ratings r = read_place(&p, NULL);
        REQUIRE_OK(data_ratings_own(&r));
        data_ids *users = &r.ids[DATA_USERS];
        data_ids *items = &r.ids[DATA_ITEMS];
        r.entries[1].row = i == 0 ? users->n : r.entries[1].row;
        r.entries[1].column = i == 1 ? items->n : r.entries[1].column;
        r.entries[1].value = i == 2 ? INFINITY : r.entries[1].value;
        r.times[1] = i == 3 ? NAN : r.times[1];
        users->number[1] = i == 4 ? users->number[0] : users->number[1];
        items->start[1] = i == 5 ? 1000 : items->start[1];
        items->text[items->text_bytes - 1] = i == 6 ? 'x' : '\0';
        items->text[0] = i == 7 ? '\0' : items->text[0];
        uint64_t key = 0;
        char *name = NULL;
        REQUIRE_OK(ratings_cache_name(&name, &key, &p.source));
        ratings_cache_save(&r, name, key);
        strads_free(name);
        data_ratings_fini(&r);
        char *message = NULL;
        r = read_place(&p, &message);
        CHECK(same_ratings(&good, &r) && strstr(message, "cannot be used") != NULL);
        strads_free(message);
        data_ratings_fini(&r);
    }
    data_ratings_fini(&good);
    end(&p);
}

static void a_place_that_cannot_be_written_is_a_warning(void)
{
    place p = begin("1 2 3\n");
    p.source.cache = "/nowhere";
    char *message = NULL;
    data_ratings r = read_place(&p, &message);
    CHECK(strstr(message, "warning: /nowhere/cached.ratings-") != NULL);
    CHECK(strstr(message, "error") == NULL);
    strads_free(message);
    data_ratings_fini(&r);
    end(&p);
}

SUITE("data/ratings_cache", {"what was read comes back", what_was_read_comes_back},
      {"a changed file or option is read anew", a_changed_file_or_option_is_read_anew},
      {"a folder of caches keeps files of one name apart",
       a_folder_of_caches_keeps_files_of_one_name_apart},
      {"what is set aside comes again, and what is owned may change",
       what_is_set_aside_comes_again_and_what_is_owned_may_change},
      {"a test part is the same of a cache", a_test_part_is_the_same_of_a_cache},
      {"a cache of another kind is not taken", a_cache_of_another_kind_is_not_taken},
      {"a damaged cache is said, and made anew", a_damaged_cache_is_said_and_made_anew},
      {"a forged cache cannot lead astray", a_forged_cache_cannot_lead_astray},
      {"a place that cannot be written is a warning", a_place_that_cannot_be_written_is_a_warning})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_regression_cache.c - what was read comes back, or is read anew. */
#include "data/regression_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/data/reading.h"

static const char SPARSE[] = "1 1:2 5:4\n2 2:5\n3\n4 9:1.5\n";
static const char DENSE[] = "1 1:1 2:2\n2 1:3 2:4\n";
static const char NAMED[] = "a,b c,y\n1,2,3\n4,5,6\n7,8,9\n";

/* A source, and where its cache is, which is not there yet. */
typedef struct place {
    data_source source;
    char *path, *cache;
    uint64_t key;
} place;

static place begin(const char *text)
{
    place p = {.path = suite_file("cached", text)};
    p.source = (data_source){.path = p.path, .cache = "", .n_threads = 2};
    REQUIRE_OK(regression_cache_name(&p.cache, &p.key, &p.source));
    REQUIRE(p.cache != NULL);
    unlink(p.cache);
    return p;
}

static void end(place *p)
{
    strads_free(p->path);
    strads_free(p->cache);
}

typedef struct reading {
    data_source source;
    data_regression data;
} reading;

static void read_it(void *context)
{
    reading *r = context;
    REQUIRE_OK(data_regression_read(&r->data, &r->source));
}

/* Reads, and requires that what is said has this part; "": nothing is said. */
static data_regression read_saying(const place *p, const char *part)
{
    reading r = {.source = p->source};
    char *said = suite_stderr_of(read_it, &r);
    CHECK(part[0] == '\0' ? said[0] == '\0' : strstr(said, part) != NULL);
    strads_free(said);
    return r.data;
}

static bool load(data_regression *out, const place *p)
{
    uint64_t checksum = 0;
    return regression_cache_load(out, &checksum, p->cache, p->key, 2);
}

/* Whether the cache is taken: it is given another target first. */
static bool is_taken(const place *p)
{
    data_regression d = {0};
    if (access(p->cache, R_OK) != 0 || !load(&d, p)) {
        return false;
    }
    d.y[0] = 77.0;
    regression_cache_save(&d, p->cache, p->key);
    data_regression_fini(&d);
    d = read_saying(p, "");
    const bool taken = d.y[0] == 77.0 && d.x.map != NULL;
    data_regression_fini(&d);
    return taken;
}

static void what_was_read_comes_back(void)
{
    static const char *const texts[] = {SPARSE, DENSE, NAMED};
    const size_t live = strads_mem_live();
    for (size_t k = 0; k < 12; k++) {
        const size_t i = k % 3;
        place p = begin(texts[i]);
        p.source.target = i == 2 ? "y" : NULL;
        p.source.precision = (data_precision) (k / 3);
        strads_free(p.cache);
        REQUIRE_OK(regression_cache_name(&p.cache, &p.key, &p.source));
        data_regression read = read_saying(&p, "");
        data_regression again = read_saying(&p, "");
        CHECK(read.x.map == NULL && again.x.map != NULL);
        CHECK(same_matrix(&read.x, &again.x));
        CHECK((read.x.narrow != NULL) == (again.x.narrow != NULL));
        CHECK(memcmp(read.y, again.y, read.x.n_rows * sizeof(double)) == 0);
        CHECK((read.names != NULL) == (i == 2));
        for (size_t j = 0; i == 2 && j < 2; j++) {
            CHECK_TEXT(again.names[j], read.names[j]);
        }
        data_size known = {0};
        data_size found = {0};
        const data_source uncached = {
            .path = p.path, .target = p.source.target, .precision = p.source.precision};
        REQUIRE_OK(data_regression_measure(&known, &p.source));
        REQUIRE_OK(data_regression_measure(&found, &uncached));
        CHECK(known.n_rows == found.n_rows && known.n_cols == found.n_cols &&
              known.n_entries == (found.dense ? found.n_rows * found.n_cols : found.n_entries) &&
              known.dense == found.dense && known.narrow == found.narrow &&
              known.narrow == (read.x.narrow != NULL) && known.bytes == found.bytes &&
              known.peak_bytes == known.bytes);
        CHECK(is_taken(&p));
        data_regression_fini(&read);
        data_regression_fini(&again);
        end(&p);
    }
    CHECK(strads_mem_live() == live);
}

static void what_is_changed_in_place_stays_out_of_the_file(void)
{
    place p = begin(DENSE);
    data_regression d = read_saying(&p, "");
    data_regression_fini(&d);
    d = read_saying(&p, "");
    d.x.value[0] = 99.0;
    data_regression_fini(&d);
    d = read_saying(&p, "");
    CHECK(d.x.value[0] == 1.0);
    data_regression_fini(&d);
    end(&p);
}

static void a_changed_file_or_option_is_read_anew_and_said(void)
{
    static const char stale[] = "is of an older file, or for other options: the data are read anew";
    place p = begin(SPARSE);
    data_regression d = read_saying(&p, "");
    data_regression_fini(&d);
    CHECK(is_taken(&p));
    const struct timespec moments[] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 5}};
    REQUIRE(utimensat(AT_FDCWD, p.path, moments, 0) == 0);
    d = read_saying(&p, stale);
    CHECK(d.y[0] == 1.0 && d.x.map == NULL);
    data_regression_fini(&d);
    p.source.n_cols = 12;
    d = read_saying(&p, stale);
    CHECK(d.x.n_cols == 12);
    data_regression_fini(&d);
    p.source.precision = DATA_EXACT;
    d = read_saying(&p, stale);
    CHECK(d.x.narrow != NULL);
    data_regression_fini(&d);
    end(&p);
    p = begin(NAMED);
    p.source.target = "y";
    d = read_saying(&p, "");
    data_regression_fini(&d);
    p.source.target = "a";
    d = read_saying(&p, stale);
    CHECK(d.y[1] == 4.0);
    data_regression_fini(&d);
    end(&p);
}

static void a_target_of_its_own_is_not_in_the_cache(void)
{
    place p = begin(SPARSE);
    p.source.y_path = suite_file("y", "5\n6\n7\n8\n");
    data_regression d = read_saying(&p, "");
    data_regression_fini(&d);
    strads_free(suite_file("y", "9\n6\n7\n8\n"));
    d = read_saying(&p, "");
    CHECK(d.x.map != NULL && d.y[0] == 9.0 && d.y[3] == 8.0);
    data_regression_fini(&d);
    strads_free((char *) p.source.y_path);
    end(&p);
}

static void any_damage_is_found_and_said(void)
{
    static const char *const texts[] = {SPARSE, NAMED};
    for (size_t i = 0; i < 2; i++) {
        place p = begin(texts[i]);
        data_regression read = {0};
        REQUIRE_OK(data_regression_read(&read, &p.source));
        size_t n = 0;
        char *bytes = contents(p.cache, &n);
        for (size_t at_byte = 0; at_byte < n; at_byte++) {
            bytes[at_byte] ^= 1;
            FILE *file = fopen(p.cache, "wb");
            REQUIRE(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
            bytes[at_byte] ^= 1;
            data_regression d = {0};
            reading r = {.source = p.source};
            char *said = suite_stderr_of(read_it, &r);
            d = r.data;
            CHECK(same_matrix(&read.x, &d.x));
            CHECK(memcmp(read.y, d.y, read.x.n_rows * sizeof(double)) == 0);
            CHECK(d.x.map != NULL || strstr(said, "the data are read anew") != NULL);
            strads_free(said);
            data_regression_fini(&d);
        }
        for (size_t cut = 0; cut < n; cut += 7) {
            REQUIRE(truncate(p.cache, (off_t) cut) == 0);
            data_regression d = {0};
            reading r = {.source = p.source};
            char *said = suite_stderr_of(read_it, &r);
            d = r.data;
            CHECK(d.x.map == NULL && strstr(said, "damaged") != NULL);
            strads_free(said);
            data_regression_fini(&d);
        }
        strads_free(bytes);
        data_regression_fini(&read);
        end(&p);
    }
}

/* Saves what no reader makes, with good hashes: it must not be taken. */
static void check_forged(const place *p, const data_regression *forged)
{
    data_regression d = {0};
    regression_cache_save(forged, p->cache, p->key);
    CHECK(!load(&d, p));
}

static void forged_places_and_values_are_not_taken(void)
{
    place p = begin(SPARSE);
    int64_t starts[] = {0, 1, 2};
    uint32_t rows[] = {1, 0};
    double values[] = {2.0, 3.0};
    double y[] = {1.0, 2.0};
    data_regression d = {
        .x = {.n_rows = 2, .n_cols = 2, .col_start = starts, .row = rows, .value = values}, .y = y};
    data_regression good = {0};
    regression_cache_save(&d, p.cache, p.key);
    REQUIRE(load(&good, &p));
    data_regression_fini(&good);
    rows[0] = 2; /* beyond the last row */
    check_forged(&p, &d);
    rows[0] = 1;
    starts[1] = 2; /* rows that descend */
    check_forged(&p, &d);
    starts[1] = 3; /* a column that begins behind the last value */
    check_forged(&p, &d);
    starts[1] = -1;
    check_forged(&p, &d);
    starts[1] = 1;
    values[1] = (double) NAN;
    check_forged(&p, &d);
    values[1] = 0.0; /* which is not stored */
    check_forged(&p, &d);
    values[1] = 3.0;
    y[1] = (double) INFINITY;
    check_forged(&p, &d);
    y[1] = 2.0;
    float floats[] = {2.0F, 3.0F};
    d.x.value = NULL;
    d.x.narrow = floats;
    regression_cache_save(&d, p.cache, p.key);
    REQUIRE(load(&good, &p));
    CHECK(good.x.value == NULL && good.x.narrow[1] == 3.0F);
    data_regression_fini(&good);
    floats[0] = NAN;
    check_forged(&p, &d);
    floats[0] = 0.0F;
    check_forged(&p, &d);
    end(&p);
}

static void no_cache_is_made_where_there_can_be_none(void)
{
    place p = begin(SPARSE);
    p.source.cache = "/nowhere";
    data_regression d = read_saying(&p, "no cache can be written there");
    data_regression_fini(&d);
    p.source = (data_source){.path = p.path};
    d = read_saying(&p, "");
    CHECK(access(p.cache, F_OK) != 0);
    data_regression_fini(&d);
    end(&p);
}

static void every_allocation_may_fail_with_a_cache(void)
{
    place p = begin(NAMED);
    const size_t live = strads_mem_live();
    for (size_t n = 1; n < 40; n++) {
        attempt a = {.source = p.source, .fail_after = n};
        a.source.target = "y";
        strads_free(suite_stderr_of(read_and_drop, &a));
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    end(&p);
}

SUITE("data/regression_cache", {"what was read comes back", what_was_read_comes_back},
      {"what is changed in place stays out of the file",
       what_is_changed_in_place_stays_out_of_the_file},
      {"a changed file or option is read anew, and said",
       a_changed_file_or_option_is_read_anew_and_said},
      {"a target of its own is not in the cache", a_target_of_its_own_is_not_in_the_cache},
      {"any damage is found, and said", any_damage_is_found_and_said},
      {"forged places and values are not taken", forged_places_and_values_are_not_taken},
      {"no cache is made where there can be none", no_cache_is_made_where_there_can_be_none},
      {"every allocation may fail with a cache", every_allocation_may_fail_with_a_cache})

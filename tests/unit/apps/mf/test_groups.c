/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/mf/test_groups.c - blocks of all shapes, arranged and taken apart. */
#include "apps/mf/groups.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

/* Ratings whose value is their index. A share of `heavy` has row 0, another column 0. */
typedef struct shape {
    uint32_t n_rows, n_columns;
    size_t n;
    double heavy;
    uint32_t lines;
} shape;

static const shape shapes[] = {
    {0, 0, 0, 0.0, 1},           {1, 1, 0, 0.0, 1},
    {1, 1, 1, 0.0, 1},           {1, 1, 100, 0.0, 2},
    {5, 7, 33, 0.0, 3},          {16, 16, 256, 0.0, 3},
    {300, 400, 5000, 0.0, 3},    {300, 400, 5000, 0.1, 3},
    {300, 400, 5000, 1.0, 3},    {1, 3000, 3000, 0.0, 1},
    {3000, 1, 3000, 0.0, 1},     {900, 1200, 90000, 0.0, 3},
    {900, 1200, 90000, 0.05, 3}, {65535, 65535, 9000, 0.0, 1},
    {65535, 2, 9000, 0.0, 1},
};

enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

typedef struct fixture {
    mf_rating *ratings;
    mf_block block;
    mf_arranger *arranger;
} fixture;

static mf_rating *make_ratings(const shape *s)
{
    mf_rating *ratings = strads_alloc_array(s->n + 1, sizeof(*ratings));
    REQUIRE(ratings != NULL);
    strads_random random = strads_random_start(3, 0);
    for (size_t k = 0; k < s->n; k++) {
        const bool heavy_row = strads_random_uniform(&random) < s->heavy;
        const bool heavy_column = strads_random_uniform(&random) < s->heavy;
        const uint64_t row = strads_random_below(&random, s->n_rows);
        const uint64_t column = strads_random_below(&random, s->n_columns);
        ratings[k] = (mf_rating){.row = heavy_row ? 0 : (uint16_t) row,
                                 .column = heavy_column ? 0 : (uint16_t) column,
                                 .value = (float) k};
    }
    return ratings;
}

static fixture make(const shape *s)
{
    fixture f = {.ratings = make_ratings(s)};
    f.block = (mf_block){f.ratings, s->n, s->n_rows, s->n_columns, s->lines};
    REQUIRE_OK(mf_arranger_create(&f.arranger));
    return f;
}

static void clear(fixture *f)
{
    mf_arranger_destroy(f->arranger);
    strads_free(f->ratings);
}

/* How many lanes of a group hold ratings; those behind must be padding. */
static int lanes_of(const mf_group *group)
{
    int n = 0;
    while (n < MF_GROUP && group->row[n] != 0) {
        n++;
    }
    for (int i = n; i < MF_GROUP; i++) {
        CHECK(group->r[i] == 0.0F && group->row[i] == 0 && group->column[i] == 0);
    }
    return n;
}

static void check_group(const mf_group *group, const mf_block *block, char *seen)
{
    const int n = lanes_of(group);
    CHECK(n > 0);
    for (int i = 0; i < n; i++) {
        const size_t k = (size_t) group->r[i];
        REQUIRE(k < block->n && !seen[k]);
        seen[k] = 1;
        CHECK(group->row[i] == (block->ratings[k].row + 1) * block->lines);
        CHECK(group->column[i] == (block->ratings[k].column + 1) * block->lines);
        for (int j = 0; j < i; j++) {
            CHECK(group->row[i] != group->row[j] && group->column[i] != group->column[j]);
        }
    }
}

/* The most ratings of one row, or of one column; or a sixteenth of all. */
static size_t fewest_groups(const mf_block *block)
{
    uint32_t *count = strads_calloc((size_t) 2 << 16, sizeof(*count));
    REQUIRE(count != NULL);
    size_t most = (block->n + MF_GROUP - 1) / MF_GROUP;
    for (size_t k = 0; k < block->n; k++) {
        const uint32_t in_row = ++count[block->ratings[k].row];
        const uint32_t in_column = ++count[(1 << 16) + block->ratings[k].column];
        most = in_row > most ? in_row : most;
        most = in_column > most ? in_column : most;
    }
    strads_free(count);
    return most;
}

static void every_rating_is_in_one_group_apart_from_others(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        fixture f = make(&shapes[s]);
        const mf_group *groups = NULL;
        size_t n_groups = 0;
        REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
        char *seen = strads_calloc(f.block.n + 1, 1);
        REQUIRE(seen != NULL);
        for (size_t g = 0; g < n_groups; g++) {
            check_group(&groups[g], &f.block, seen);
        }
        CHECK(memchr(seen, 0, f.block.n) == NULL);
        strads_free(seen);
        clear(&f);
    }
}

static void padding_is_little_more_than_it_must_be(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        fixture f = make(&shapes[s]);
        const mf_group *groups = NULL;
        size_t n_groups = 0;
        REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
        const size_t fewest = fewest_groups(&f.block);
        CHECK(n_groups >= fewest);
        if (shapes[s].n_rows > 100 && shapes[s].n_columns > 100) {
            CHECK(n_groups <= fewest + fewest / 8 + 4);
        }
        clear(&f);
    }
}

/* What a row has in the first half of the groups: as if it were at random, where five standard
 * deviations are 25. */
static void ratings_of_a_row_are_spread_over_the_block(void)
{
    enum { ROWS = 200, EACH = 100 };
    const shape s = {ROWS, 900, ROWS * EACH, 0.0, 1};
    fixture f = make(&s);
    for (size_t k = 0; k < s.n; k++) {
        f.ratings[k].row = (uint16_t) (k / EACH);
    }
    const mf_group *groups = NULL;
    size_t n_groups = 0;
    uint32_t early[ROWS + 1] = {0};
    REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
    for (size_t g = 0; g < n_groups / 2; g++) {
        for (int i = 0; i < lanes_of(&groups[g]); i++) {
            early[groups[g].row[i]]++;
        }
    }
    for (uint32_t i = 1; i <= ROWS; i++) {
        CHECK(early[i] >= EACH / 2 - 25 && early[i] <= EACH / 2 + 25);
    }
    clear(&f);
}

/* How many columns so many groups have from `first` on. */
static uint32_t count_columns(const mf_group *groups, size_t first, size_t n, uint32_t lines)
{
    enum { COLUMNS = 1250 };
    char met[COLUMNS + 1] = {0};
    uint32_t count = 0;
    for (size_t g = first; g < first + n; g++) {
        for (int i = 0; i < lanes_of(&groups[g]); i++) {
            char *this = &met[groups[g].column[i] / lines];
            count += *this == 0;
            *this = 1;
        }
    }
    return count;
}

/* A column has 7 ratings, so a round of 20,000 bytes has 100 columns, and 730 ratings. In any
 * order 512 ratings would have 420 columns; here they are of one round or two, and of groups
 * that were still open. */
static void few_columns_are_near_each_other(void)
{
    enum { SOME = 32 };
    const shape s = {780, 1250, 8800, 0.0, 3};
    fixture f = make(&s);
    const mf_group *groups = NULL;
    size_t n_groups = 0;
    REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
    uint32_t sum = 0;
    uint32_t n = 0;
    for (size_t g = 0; g + SOME <= n_groups; g += SOME / 2) {
        const uint32_t n_columns = count_columns(groups, g, SOME, s.lines);
        CHECK(n_columns < 270);
        sum += n_columns;
        n++;
    }
    CHECK(n > 0 && sum / n < 200);
    clear(&f);
}

static void the_seed_alone_decides(void)
{
    fixture f = make(&shapes[7]);
    fixture other = make(&shapes[11]);
    const mf_group *groups = NULL;
    size_t n_groups = 0;
    size_t n_again = 0;
    REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
    const size_t bytes = n_groups * sizeof(*groups);
    mf_group *first = strads_alloc(bytes);
    REQUIRE(first != NULL);
    memcpy(first, groups, bytes);

    /* Whatever the arranger has seen before. */
    REQUIRE_OK(mf_arrange(other.arranger, &other.block, 1, &groups, &n_again));
    REQUIRE_OK(mf_arrange(other.arranger, &f.block, 7, &groups, &n_again));
    CHECK(n_again == n_groups && memcmp(first, groups, bytes) == 0);
    REQUIRE_OK(mf_arrange(f.arranger, &f.block, 8, &groups, &n_again));
    CHECK(n_again != n_groups || memcmp(first, groups, bytes) != 0);
    strads_free(first);
    clear(&f);
    clear(&other);
}

static void no_memory_is_told_and_leaves_the_arranger_usable(void)
{
    const size_t before = strads_mem_live();
    mf_arranger *arranger = NULL;
    strads_mem_fail_after(1);
    CHECK_STATUS(mf_arranger_create(&arranger), STRADS_ERR_NOMEM);
    CHECK(arranger == NULL);

    size_t n_failed = 0;
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK; i++) {
        fixture f = make(&shapes[8]); /* which needs more groups than were provided for */
        const mf_group *groups = NULL;
        size_t n_groups = 0;
        strads_mem_fail_after(i);
        status = mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups);
        strads_mem_fail_after(0);
        CHECK((groups == NULL) == (status != STRADS_OK));
        n_failed += status != STRADS_OK;
        REQUIRE_OK(mf_arrange(f.arranger, &f.block, 7, &groups, &n_groups));
        CHECK(n_groups >= fewest_groups(&f.block));
        clear(&f);
        REQUIRE(i < 100);
    }
    CHECK(n_failed > 7);
    mf_arranger_destroy(NULL);
    CHECK(strads_mem_live() == before);
}

SUITE("mf groups",
      {"every rating is in one group, apart from the others",
       every_rating_is_in_one_group_apart_from_others},
      {"padding is little more than it must be", padding_is_little_more_than_it_must_be},
      {"ratings of a row are spread over the block", ratings_of_a_row_are_spread_over_the_block},
      {"few columns are near each other", few_columns_are_near_each_other},
      {"the seed alone decides", the_seed_alone_decides},
      {"no memory is told, and leaves the arranger usable",
       no_memory_is_told_and_leaves_the_arranger_usable})

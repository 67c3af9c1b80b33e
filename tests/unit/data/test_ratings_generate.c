/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_ratings_generate.c - generated ratings have the structure promised. */
#include "tests/unit/data/ratings_case.h"

static const data_ratings_design small = {
    .n_rows = 400, .n_columns = 100, .n = 12000, .rank = 4, .noise = 0.1, .seed = 3};

static data_ratings generate(const data_ratings_design *design)
{
    data_ratings r;
    REQUIRE_OK(data_ratings_generate(&r, design));
    return r;
}

static double variance(const data_ratings *r, double *mean)
{
    double squares = 0.0;
    *mean = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        *mean += (double) r->entries[i].value / (double) r->n;
        squares += (double) r->entries[i].value * (double) r->entries[i].value / (double) r->n;
    }
    return squares - *mean * *mean;
}

static void pairs_are_distinct_and_the_same_for_a_seed(void)
{
    data_ratings r = generate(&small);
    data_ratings again = generate(&small);
    CHECK(r.n == small.n && r.ids[DATA_USERS].n == 400 && r.ids[DATA_ITEMS].n == 100);
    CHECK(same_ratings(&r, &again));
    uint8_t *seen = strads_calloc(small.n_rows * small.n_columns, 1);
    REQUIRE(seen != NULL);
    for (size_t i = 0; i < r.n; i++) {
        uint8_t *pair = &seen[r.entries[i].row * small.n_columns + r.entries[i].column];
        CHECK(isfinite(r.entries[i].value) && *pair == 0);
        *pair = 1;
    }
    strads_free(seen);
    data_ratings_fini(&again);
    data_ratings_design other = small;
    other.seed = 4;
    again = generate(&other);
    CHECK(!same_ratings(&r, &again));
    data_ratings_fini(&again);
    data_ratings_fini(&r);
}

/* The parts' variances add up, whatever the rank; .4^2 + .4^2 + .65^2 is .74. */
static void values_spread_as_stated(void)
{
    data_ratings_design design = {
        .n_rows = 3000, .n_columns = 3000, .n = 300000, .rank = 16, .noise = 0.0, .seed = 1};
    double mean = 0.0;
    data_ratings r = generate(&design);
    CHECK_NEAR(variance(&r, &mean), 0.74, 0.25);
    CHECK_NEAR(mean, 3.5, 0.4);
    data_ratings_fini(&r);
    design.rank = 0;
    design.noise = 2.0;
    r = generate(&design);
    CHECK_NEAR(variance(&r, &mean), 4.32, 0.25);
    data_ratings_fini(&r);
}

static void counts_fall_off_by_power_laws(void)
{
    const data_ratings_design design = {
        .n_rows = 2000, .n_columns = 1000, .n = 100000, .noise = 1.0, .seed = 1};
    size_t of_user[2000] = {0}, of_item[1000] = {0};
    size_t busy = 0, popular = 0;
    data_ratings r = generate(&design);
    for (size_t i = 0; i < r.n; i++) {
        of_user[r.entries[i].row]++;
        of_item[r.entries[i].column]++;
    }
    for (size_t u = 0; u < design.n_rows; u++) {
        CHECK(of_user[u] <= design.n_columns / 2);
        busy += of_user[u] > 100 ? of_user[u] : 0; /* twice the mean */
    }
    for (size_t i = 0; i < design.n_columns; i++) {
        popular += of_item[i] > 200 ? of_item[i] : 0;
    }
    CHECK(busy > r.n / 5 && busy < r.n && popular > r.n / 5 && popular < r.n);
    data_ratings_fini(&r);
}

static void half_of_all_pairs_can_be_drawn(void)
{
    const data_ratings_design tiny = {.n_rows = 1, .n_columns = 1, .n = 1, .seed = 1};
    data_ratings r = generate(&tiny);
    CHECK(r.n == 1);
    data_ratings_fini(&r);
    const data_ratings_design full = {.n_rows = 10, .n_columns = 7, .n = 40, .rank = 1, .seed = 1};
    r = generate(&full);
    CHECK(r.n == 40);
    data_ratings_fini(&r);
}

typedef struct attempt_of {
    data_ratings_design design;
    size_t fail_after;
    strads_status status;
} attempt_of;

static void attempt_generate(void *context)
{
    attempt_of *a = context;
    data_ratings r = {.n = 0};
    strads_mem_fail_after(a->fail_after);
    a->status = data_ratings_generate(&r, &a->design);
    strads_mem_fail_after(0);
    data_ratings_fini(&r);
}

static void impossible_designs_are_refused(void)
{
    for (int i = 0; i < 7; i++) {
        attempt_of a = {.design = small};
        a.design.n_rows = i == 0 ? 0 : a.design.n_rows;
        a.design.n_columns = i == 1 ? UINT32_MAX : a.design.n_columns;
        a.design.n = i == 2 ? 0 : i == 3 ? 20001 : a.design.n;
        a.design.rank = i == 4 ? 1025 : 4;
        a.design.noise = i == 5 ? -1.0 : i == 6 ? NAN : 0.0;
        char *message = suite_stderr_of(attempt_generate, &a);
        CHECK_STATUS(a.status, STRADS_ERR_USAGE);
        CHECK(strstr(message, "must be") != NULL);
        strads_free(message);
    }
}

static void every_allocation_that_fails_is_said(void)
{
    const size_t live = strads_mem_live();
    attempt_of a = {.design = small, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM && a.fail_after < 100) {
        a.fail_after++;
        char *message = suite_stderr_of(attempt_generate, &a);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
    CHECK(a.fail_after == 12);
}

SUITE("data/ratings_generate",
      {"pairs are distinct, and the same for a seed", pairs_are_distinct_and_the_same_for_a_seed},
      {"values spread as stated", values_spread_as_stated},
      {"counts fall off by power laws", counts_fall_off_by_power_laws},
      {"half of all pairs can be drawn", half_of_all_pairs_can_be_drawn},
      {"impossible designs are refused", impossible_designs_are_refused},
      {"every allocation that fails is said", every_allocation_that_fails_is_said})

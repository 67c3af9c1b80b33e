/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_store.c - shared tables and rows, alone and among threads. */
#include "ssp/store.h"

#include "base/tasks.h"
#include "tests/support/suite.h"

enum { COLUMNS = 3, MEMBERS = 4, ROWS = 50, ADDS = 2000 };

static const ssp_table_options three_columns = {.columns = COLUMNS, .staleness = 1};

static void a_table_is_found_by_its_name_and_a_row_by_its_key(void)
{
    ssp_store *store = NULL;
    ssp_shared_table *tables[3] = {NULL};
    ssp_shared_row *rows[3] = {NULL};
    REQUIRE_OK(ssp_store_create(&store, 1));
    REQUIRE_OK(ssp_store_table(store, "a", &three_columns, &tables[0]));
    REQUIRE_OK(ssp_store_table(store, "b", &three_columns, &tables[1]));
    REQUIRE_OK(ssp_store_table(store, "a", &three_columns, &tables[2]));
    CHECK(tables[0] == tables[2] && tables[0] != tables[1]);
    REQUIRE_OK(ssp_shared_row_find(tables[0], UINT64_MAX, &rows[0]));
    REQUIRE_OK(ssp_shared_row_find(tables[0], 0, &rows[1]));
    REQUIRE_OK(ssp_shared_row_find(tables[0], UINT64_MAX, &rows[2]));
    CHECK(rows[0] == rows[2] && rows[0] != rows[1]);
    ssp_store_destroy(store);
}

static void apply(const ssp_shared_table *table, ssp_shared_row *row, const double *deltas)
{
    ssp_stripe *held = ssp_stripe_hold(NULL, row->stripe);
    ssp_shared_row_apply(table, row, deltas);
    CHECK(ssp_stripe_hold(held, NULL) == NULL);
}

static void a_version_counts_the_changes_of_a_row(void)
{
    ssp_store *store = NULL;
    ssp_shared_table *table = NULL;
    ssp_shared_row *row = NULL;
    double values[COLUMNS] = {-1.0, -1.0, -1.0};
    REQUIRE_OK(ssp_store_create(&store, 1));
    REQUIRE_OK(ssp_store_table(store, "a", &three_columns, &table));
    REQUIRE_OK(ssp_shared_row_find(table, 7, &row));
    const uint64_t before = ssp_shared_row_copy(row, values, COLUMNS);
    CHECK(values[0] == 0.0 && values[1] == 0.0 && values[2] == 0.0);
    apply(table, row, (const double[COLUMNS]){0.5, 0.0, -2.0});
    CHECK(ssp_shared_row_copy(row, values, COLUMNS) == before + 1);
    CHECK(values[0] == 0.5 && values[1] == 0.0 && values[2] == -2.0);
    ssp_store_destroy(store);
}

static void rows_whose_keys_follow_each_other_share_a_lock(void)
{
    enum { RUN = 1 << SSP_STRIPE_RUN_BITS };
    ssp_store *store = NULL;
    ssp_shared_table *table = NULL;
    ssp_shared_row *rows[2 * RUN];
    ssp_stripe *held = NULL;
    int n_stripes = 0;
    REQUIRE_OK(ssp_store_create(&store, 1));
    REQUIRE_OK(ssp_store_table(store, "a", &three_columns, &table));
    for (uint64_t key = 0; key < 2 * RUN; key++) {
        REQUIRE_OK(ssp_shared_row_find(table, key, &rows[key]));
    }
    for (int key = 0; key < 2 * RUN; key++) {
        n_stripes += held != rows[key]->stripe;
        held = ssp_stripe_hold(held, rows[key]->stripe);
        CHECK(held == rows[key]->stripe && pthread_mutex_trylock(&held->lock) != 0);
    }
    CHECK(n_stripes == 2);
    CHECK(ssp_stripe_hold(held, NULL) == NULL);
    CHECK(pthread_mutex_trylock(&held->lock) == 0);
    pthread_mutex_unlock(&held->lock);
    ssp_store_destroy(store);
}

/* Adds the same to all columns of rows taken in turn, and looks at each: a copy in which
 * columns differ would be of a row that is half changed. */
static void *add_in_turn(void *argument)
{
    ssp_store *store = argument;
    ssp_shared_table *table = NULL;
    ssp_shared_row *row = NULL;
    double values[COLUMNS];
    size_t n_wrong = 0;
    for (uint64_t i = 0; i < ADDS; i++) {
        if (ssp_store_table(store, "a", &three_columns, &table) != STRADS_OK ||
            ssp_shared_row_find(table, i % ROWS, &row) != STRADS_OK) {
            return argument;
        }
        apply(table, row, (const double[COLUMNS]){1.0, 1.0, 1.0});
        (void) ssp_shared_row_copy(row, values, COLUMNS);
        n_wrong += values[0] < 1.0 || values[0] != values[1] || values[0] != values[2];
    }
    return n_wrong == 0 ? NULL : argument;
}

static void threads_lose_no_change_and_see_no_half_of_one(void)
{
    ssp_store *store = NULL;
    ssp_shared_table *table = NULL;
    pthread_t threads[MEMBERS];
    double values[COLUMNS];
    REQUIRE_OK(ssp_store_create(&store, 1));
    for (int i = 0; i < MEMBERS; i++) {
        REQUIRE_OK(strads_thread_start(&threads[i], "member", add_in_turn, store));
    }
    for (int i = 0; i < MEMBERS; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        CHECK(wrong == NULL);
    }
    REQUIRE_OK(ssp_store_table(store, "a", &three_columns, &table));
    for (uint64_t key = 0; key < ROWS; key++) {
        ssp_shared_row *row = NULL;
        REQUIRE_OK(ssp_shared_row_find(table, key, &row));
        (void) ssp_shared_row_copy(row, values, COLUMNS);
        CHECK(values[0] == (double) MEMBERS * ADDS / ROWS);
    }
    ssp_store_destroy(store);
}

SUITE("ssp/store",
      {"a table is found by its name, and a row by its key",
       a_table_is_found_by_its_name_and_a_row_by_its_key},
      {"a version counts the changes of a row", a_version_counts_the_changes_of_a_row},
      {"rows whose keys follow each other share a lock",
       rows_whose_keys_follow_each_other_share_a_lock},
      {"threads lose no change and see no half of one",
       threads_lose_no_change_and_see_no_half_of_one})

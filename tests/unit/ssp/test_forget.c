/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_forget.c - a session whose copies of rows may not take more. */
#include "base/mem.h"
#include "ssp/session_state.h"
#include "tests/support/suite.h"

enum { COLUMNS = 8, MOST = 10, ROWS = 100 };

typedef struct alone {
    ssp_store *store;
    ssp_session *session;
    ssp_table *table;
} alone;

static void open_alone(alone *self)
{
    const ssp_table_options options = {.columns = COLUMNS};
    REQUIRE_OK(ssp_store_create(&self->store, 1));
    REQUIRE_OK(ssp_session_open(&self->session, self->store, 0));
    REQUIRE_OK(ssp_table_open(&self->table, self->session, "t", &options));
    ssp_session_bound(self->session, MOST * self->table->row_bytes);
}

static void close_alone(alone *self)
{
    ssp_session_close(self->session);
    ssp_store_destroy(self->store);
}

static double read_first(alone *self, uint64_t key)
{
    const double *view = NULL;
    REQUIRE_OK(ssp_read_row(self->table, key, &view));
    return view[0];
}

static void rows_stay_within_the_bound_and_lose_nothing(void)
{
    const size_t live = strads_mem_live();
    alone self;
    open_alone(&self);
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t key = 0; key < ROWS; key++) {
            CHECK(read_first(&self, key) == (double) (round * key));
            REQUIRE_OK(ssp_inc(self.table, key, 0, (double) key));
            REQUIRE_OK(ssp_clock(self.session));
            CHECK(self.table->rows.n <= MOST);
        }
    }
    CHECK(ssp_session_stats(self.session).n_forgotten >= 3 * ROWS - MOST - MOST);
    close_alone(&self);
    CHECK(strads_mem_live() == live);
}

/* More than may be are lent, and so they stay; later they go. */
static void what_is_lent_or_logged_stays_until_the_clock(void)
{
    const double *views[ROWS];
    alone self;
    open_alone(&self);
    for (uint64_t key = 0; key < ROWS; key++) {
        REQUIRE_OK(ssp_inc(self.table, key, 0, 1.0));
        REQUIRE_OK(ssp_read_row(self.table, key, &views[key]));
    }
    for (uint64_t key = 0; key < ROWS; key++) {
        CHECK(views[key][0] == 1.0);
    }
    CHECK(self.table->rows.n == ROWS);
    REQUIRE_OK(ssp_clock(self.session));
    CHECK(read_first(&self, ROWS) == 0.0);
    CHECK(self.table->rows.n <= MOST);
    close_alone(&self);
}

static void a_row_that_is_used_in_each_period_outlives_others(void)
{
    alone self;
    open_alone(&self);
    CHECK(read_first(&self, 0) == 0.0);
    const ssp_own_row *first = ssp_map_find(&self.table->rows, 0);
    for (uint64_t key = 1; key < ROWS; key++) {
        REQUIRE_OK(ssp_clock(self.session));
        CHECK(read_first(&self, 0) == 0.0);
        CHECK(read_first(&self, key) == 0.0);
        CHECK(ssp_map_find(&self.table->rows, 0) == first);
    }
    close_alone(&self);
}

SUITE("ssp/forget",
      {"rows stay within the bound, and lose nothing", rows_stay_within_the_bound_and_lose_nothing},
      {"what is lent or logged stays until the clock",
       what_is_lent_or_logged_stays_until_the_clock},
      {"a row that is used in each period outlives others",
       a_row_that_is_used_in_each_period_outlives_others})

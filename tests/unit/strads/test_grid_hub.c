/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_grid_hub.c - columns are given to one worker at a time, evenly, and
 * sent where they have to be. */
#include "base/mem.h"
#include "base/random.h"
#include "strads/grid_state.h"
#include "tests/support/suite.h"

enum { WORKERS = 5, COLUMNS = 13, NOBODY = WORKERS };

/* What the workers would do: one column in hand and one asked for, at most. */
typedef struct table {
    grid_hub hub;
    uint32_t n_workers, n_columns;
    uint32_t at[COLUMNS];      /* where each lies */
    uint32_t given[COLUMNS];   /* to whom; NOBODY: free */
    uint32_t hand[WORKERS][2]; /* columns to work on */
    uint32_t n_hand[WORKERS];
    uint32_t visits[WORKERS][COLUMNS];
    bool asks[WORKERS], over[WORKERS];
    uint64_t n_given;
} table;

/* Does all that the hub has decided. */
static void follow(table *self)
{
    grid_order order;
    while (grid_hub_decide(&self->hub, &order)) {
        const uint32_t c = (uint32_t) order.word.column;
        if (order.type == GRID_SEND) {
            CHECK(self->at[c] == order.to); /* it lies there */
            self->at[c] = (uint32_t) order.word.value;
            continue;
        }
        self->asks[order.to] = false;
        if (c == self->n_columns) {
            self->over[order.to] = true;
        } else {
            CHECK(self->given[c] == NOBODY);
            CHECK(order.word.value == self->n_given); /* cells are numbered as they are given */
            self->given[c] = order.to;
            self->visits[order.to][c]++;
            self->hand[order.to][self->n_hand[order.to]++] = c;
            self->n_given++;
        }
    }
}

/* As a worker does: it has one column, and asks for the next one meanwhile. */
static void ask(table *self, uint32_t k, uint64_t pass, uint64_t n_cells)
{
    while (!self->asks[k] && !self->over[k] && self->n_hand[k] < 2) {
        self->asks[k] = true;
        grid_hub_ask(&self->hub, k, pass, n_cells);
        follow(self);
    }
}

static void work_one(table *self, uint32_t k)
{
    const uint32_t c = self->hand[k][0];
    CHECK(self->at[c] == k);
    self->hand[k][0] = self->hand[k][1];
    self->n_hand[k]--;
    self->given[c] = NOBODY;
    grid_hub_free(&self->hub, c);
    follow(self);
}

static void run_pass(table *self, uint64_t pass, strads_random *random)
{
    const uint64_t n_cells = 2ULL * self->n_workers * self->n_columns;
    self->n_given = 0;
    for (uint32_t k = 0; k < self->n_workers; k++) {
        self->over[k] = false;
    }
    for (uint32_t k = 0; k < self->n_workers; k++) {
        ask(self, k, pass, n_cells);
    }
    for (int left = 100000; left > 0 && !grid_hub_is_done(&self->hub); left--) {
        const uint32_t k = (uint32_t) strads_random_below(random, self->n_workers);
        if (self->n_hand[k] > 0) {
            work_one(self, k);
        }
        ask(self, k, pass, n_cells);
    }
    CHECK(grid_hub_is_done(&self->hub));
    CHECK(self->n_given == n_cells);
    for (uint32_t c = 0; c < self->n_columns; c++) {
        const uint32_t home = self->at[c];
        CHECK(c >= grid_first(self->n_columns, self->n_workers, home) &&
              c < grid_first(self->n_columns, self->n_workers, home + 1));
    }
}

static void columns_are_shared_evenly_and_come_home(void)
{
    strads_random random = strads_random_start(3, 0);
    for (uint32_t n_workers = 1; n_workers <= WORKERS; n_workers++) {
        for (uint32_t n_columns = 1; n_columns <= COLUMNS; n_columns++) {
            table self = {.n_workers = n_workers, .n_columns = n_columns};
            REQUIRE_OK(grid_hub_init(&self.hub, n_workers, n_columns));
            for (uint32_t c = 0; c < n_columns; c++) {
                self.given[c] = NOBODY;
                while (grid_first(n_columns, n_workers, self.at[c] + 1) <= c) {
                    self.at[c]++;
                }
            }
            for (uint64_t pass = 0; pass < 3; pass++) {
                run_pass(&self, pass, &random);
            }
            grid_hub_fini(&self.hub);
        }
    }
}

static void a_worker_gets_the_column_that_its_rows_have_met_least(void)
{
    table self = {.n_workers = 2, .n_columns = 4, .at = {0, 0, 1, 1}};
    REQUIRE_OK(grid_hub_init(&self.hub, 2, 4));
    for (uint32_t c = 0; c < 4; c++) {
        self.given[c] = NOBODY;
    }
    for (int i = 0; i < 4; i++) { /* alone, it meets each once before any twice */
        self.asks[0] = true;
        grid_hub_ask(&self.hub, 0, 0, 16);
        follow(&self);
        REQUIRE(self.n_hand[0] == 1);
        const uint32_t c = self.hand[0][0];
        CHECK(self.visits[0][c] == 1);
        self.n_hand[0] = 0;
        self.given[c] = NOBODY;
        grid_hub_free(&self.hub, c);
        follow(&self);
    }
    grid_hub_fini(&self.hub);
}

/* One cell a pass is all that worker 1 has time for: each time another one. */
static void who_is_slow_meets_all_columns_in_the_course_of_passes(void)
{
    table self = {.n_workers = 2, .n_columns = 4, .at = {0, 0, 1, 1}};
    REQUIRE_OK(grid_hub_init(&self.hub, 2, 4));
    for (uint32_t c = 0; c < 4; c++) {
        self.given[c] = NOBODY;
    }
    for (uint64_t pass = 0; pass < 4; pass++) {
        self.over[0] = self.over[1] = false;
        self.n_given = 0;
        for (uint32_t visit = 0; visit < 6; visit++) {
            const uint32_t k = visit == 0 || visit == 5;
            self.asks[k] = true;
            grid_hub_ask(&self.hub, k, pass, 4);
            follow(&self);
            if (self.n_hand[k] > 0) {
                work_one(&self, k);
            }
        }
        CHECK(self.over[0] && self.over[1] && grid_hub_is_done(&self.hub));
    }
    for (uint32_t c = 0; c < 4; c++) {
        CHECK(self.visits[1][c] == 1 && self.visits[0][c] == 3);
    }
    grid_hub_fini(&self.hub);
}

static void a_step_is_done_when_all_have_done_it(void)
{
    grid_hub hub;
    uint64_t n_steps = 0;
    REQUIRE_OK(grid_hub_init(&hub, 3, 3));
    for (uint64_t step = 0; step < 4; step++) {
        CHECK(!grid_hub_done(&hub, &n_steps));
        CHECK(!grid_hub_done(&hub, &n_steps));
        CHECK(grid_hub_done(&hub, &n_steps));
        CHECK(n_steps == step + 1);
    }
    grid_hub_fini(&hub);
}

static void a_hub_without_memory_is_none(void)
{
    const size_t live = strads_mem_live();
    grid_hub hub;
    for (size_t n = 1; n <= 4; n++) {
        strads_mem_fail_after(n);
        CHECK_STATUS(grid_hub_init(&hub, 3, 3), STRADS_ERR_NOMEM);
        strads_mem_fail_after(0);
        CHECK(strads_mem_live() == live);
    }
}

SUITE("strads/grid_hub",
      {"columns are shared evenly and come home", columns_are_shared_evenly_and_come_home},
      {"who is slow meets all columns in the course of passes",
       who_is_slow_meets_all_columns_in_the_course_of_passes},
      {"a worker gets the column that its rows have met least",
       a_worker_gets_the_column_that_its_rows_have_met_least},
      {"a step is done when all have done it", a_step_is_done_when_all_have_done_it},
      {"a hub without memory is none", a_hub_without_memory_is_none})

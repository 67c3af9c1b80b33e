/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_rule.c - tables that do something else than add. */
#include "base/random.h"
#include "ssp/ssp.h"
#include "tests/support/suite.h"

enum { COLUMNS = 3, PERIODS = 40, SESSIONS = 2 };

typedef struct tables {
    ssp_store *store;
    ssp_session *sessions[SESSIONS];
    ssp_table *tables[SESSIONS];
} tables;

static void open_tables(tables *self, ssp_rule rule)
{
    const ssp_table_options options = {.columns = COLUMNS, .staleness = 1, .rule = rule};
    *self = (tables){.store = NULL};
    REQUIRE_OK(ssp_store_create(&self->store, SESSIONS));
    for (uint32_t i = 0; i < SESSIONS; i++) {
        REQUIRE_OK(ssp_session_open(&self->sessions[i], self->store, i));
        REQUIRE_OK(ssp_table_open(&self->tables[i], self->sessions[i], "t", &options));
    }
}

static void close_tables(tables *self)
{
    for (uint32_t i = 0; i < SESSIONS; i++) {
        ssp_session_close(self->sessions[i]);
    }
    ssp_store_destroy(self->store);
}

/* Both sessions increment in each period, and clock in turn; `expect` is told what the
 * table is told, in that order. */
static void play(tables *self, double *expected, void (*expect)(double *row, const double *deltas))
{
    strads_random random = strads_random_start(1, 0);
    const double *view = NULL;
    for (int period = 0; period < PERIODS; period++) {
        for (int i = 0; i < SESSIONS; i++) {
            double deltas[COLUMNS];
            for (int j = 0; j < COLUMNS; j++) {
                deltas[j] = j == period % COLUMNS ? 0.0 : strads_random_uniform(&random) - 0.1;
            }
            REQUIRE_OK(ssp_inc_row(self->tables[i], 7, deltas));
            REQUIRE_OK(ssp_clock(self->sessions[i]));
            expect(expected, deltas);
        }
    }
    REQUIRE_OK(ssp_read_row_within(self->tables[0], 7, 0, &view));
    for (int j = 0; j < COLUMNS; j++) {
        CHECK_NEAR(view[j], expected[j], 1e-12);
    }
}

static void expect_adagrad(double *row, const double *deltas)
{
    for (int j = 0; j < COLUMNS; j++) {
        double *squares = &row[COLUMNS + j];
        *squares += deltas[j] * deltas[j];
        row[j] -= deltas[j] == 0.0 ? 0.0 : 0.1 * deltas[j] / (1e-8 + sqrt(*squares));
    }
}

static void adagrad_steps_by_the_squares_of_all_gradients_so_far(void)
{
    double expected[2 * COLUMNS] = {0.0};
    tables self;
    open_tables(&self, ssp_rule_adagrad(0.1, 1e-8));
    play(&self, expected, expect_adagrad);
    CHECK(expected[0] != 0.0);
    close_tables(&self);
}

static void expect_proximal(double *row, const double *deltas)
{
    for (int j = 0; j < COLUMNS; j++) {
        const double moved = row[j] + deltas[j];
        if (deltas[j] != 0.0) {
            row[j] = moved > 0.2 ? moved - 0.2 : moved < -0.2 ? moved + 0.2 : 0.0;
        }
    }
}

static void a_proximal_step_shrinks_what_has_moved_and_nothing_else(void)
{
    double expected[COLUMNS] = {0.0};
    tables self;
    open_tables(&self, ssp_rule_proximal(0.2));
    play(&self, expected, expect_proximal);
    CHECK(expected[0] != 0.0 || expected[1] != 0.0 || expected[2] != 0.0);
    close_tables(&self);
}

/* Two increments of a period are one step; the session sees it when the period is over. */
static void a_rule_is_applied_once_a_period_and_shows_after_it(void)
{
    tables self;
    const double *view = NULL;
    open_tables(&self, ssp_rule_proximal(0.5));
    REQUIRE_OK(ssp_read_row(self.tables[0], 7, &view));
    REQUIRE_OK(ssp_inc(self.tables[0], 7, 1, 1.0));
    REQUIRE_OK(ssp_inc(self.tables[0], 7, 1, 2.0));
    CHECK(view[1] == 0.0);
    REQUIRE_OK(ssp_clock(self.sessions[0]));
    REQUIRE_OK(ssp_read_row(self.tables[0], 7, &view));
    CHECK(view[0] == 0.0 && view[1] == 2.5);
    close_tables(&self);
}

static void a_table_is_not_opened_with_another_rule(void)
{
    tables self;
    ssp_table *again = NULL;
    open_tables(&self, ssp_rule_proximal(0.5));
    const ssp_rule rules[] = {ssp_rule_proximal(0.25), ssp_rule_adagrad(0.5, 1.0), {.name = NULL}};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const ssp_table_options options = {.columns = COLUMNS, .staleness = 1, .rule = rules[i]};
        CHECK_STATUS(ssp_table_open(&again, self.sessions[0], "t", &options), STRADS_ERR_APP);
    }
    close_tables(&self);
}

SUITE("ssp/rule",
      {"adagrad steps by the squares of all gradients so far",
       adagrad_steps_by_the_squares_of_all_gradients_so_far},
      {"a proximal step shrinks what has moved, and nothing else",
       a_proximal_step_shrinks_what_has_moved_and_nothing_else},
      {"a rule is applied once a period, and shows after it",
       a_rule_is_applied_once_a_period_and_shows_after_it},
      {"a table is not opened with another rule", a_table_is_not_opened_with_another_rule})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/ssp/test_histories.c - random histories on two to four threads, every read
 * checked against the log of all increments.
 *
 * Session j increments column j alone, by whole numbers above 0, and logs its sum of each
 * row after each period. So a number that is read from column j must be one of these
 * sums, of no fewer periods than the bound says: nothing is missing, half there or made
 * up. Column i, of the reader itself, must be what it has added so far.
 */
#include <sched.h>
#include <string.h>

#include "base/random.h"
#include "base/tasks.h"
#include "ssp/ssp.h"
#include "tests/support/suite.h"

enum { HISTORIES = 150, PLAYERS = 4, PERIODS = 24, STEPS = 10, ROWS = 5 };

typedef struct seen {
    uint32_t row;
    uint64_t bound;         /* how many periods of everybody must be in it */
    double values[PLAYERS]; /* what was read */
    double own;             /* what the reader had added */
} seen;

typedef struct player {
    ssp_store *store;
    ssp_table_options options;
    uint32_t rank;
    strads_random random;
    uint32_t n_yields;              /* up to, before each step: stragglers have more */
    uint64_t n_periods;             /* that it finishes; it leaves in the middle of the next */
    double now[ROWS];               /* what it has added */
    double sums[PERIODS + 2][ROWS]; /* what it had added after each number of periods */
    seen reads[STEPS * (PERIODS + 1)];
    size_t n_reads;
    bool failed;
} player;

static strads_status play_read(player *self, ssp_table *table, uint64_t clock, uint32_t row)
{
    const double *view = NULL;
    const uint32_t tighter = (uint32_t) strads_random_below(&self->random, 6);
    uint32_t staleness = self->options.staleness;
    strads_status status = STRADS_OK;
    if (tighter < 3) {
        status = ssp_read_row_within(table, row, tighter, &view);
        staleness = tighter < staleness ? tighter : staleness;
    } else {
        status = ssp_read_row(table, row, &view);
    }
    if (status == STRADS_OK) {
        seen *read = &self->reads[self->n_reads++];
        *read = (seen){.row = row,
                       .bound = staleness == SSP_ASYNC || clock < staleness ? 0 : clock - staleness,
                       .own = self->now[row]};
        memcpy(read->values, view, self->options.columns * sizeof(*view));
    }
    return status;
}

static strads_status play_increment(player *self, ssp_table *table, uint32_t row)
{
    double deltas[PLAYERS] = {0.0};
    const double delta = 1.0 + (double) strads_random_below(&self->random, 9);
    const bool whole = strads_random_below(&self->random, 3) == 0;
    deltas[self->rank] = delta;
    self->now[row] += delta;
    return whole ? ssp_inc_row(table, row, deltas) : ssp_inc(table, row, self->rank, delta);
}

static strads_status play_period(player *self, ssp_table *table, uint64_t clock)
{
    const uint64_t n_steps = strads_random_below(&self->random, STEPS + 1);
    strads_status status = STRADS_OK;
    for (uint64_t i = 0; i < n_steps && status == STRADS_OK; i++) {
        const uint32_t row = (uint32_t) strads_random_below(&self->random, ROWS);
        const bool reads = strads_random_below(&self->random, 2) == 0;
        for (uint64_t k = strads_random_below(&self->random, self->n_yields + 1); k > 0; k--) {
            sched_yield();
        }
        status = reads ? play_read(self, table, clock, row) : play_increment(self, table, row);
    }
    memcpy(self->sums[clock + 1], self->now, sizeof(self->now));
    return status;
}

static void *play(void *argument)
{
    player *self = argument;
    ssp_session *session = NULL;
    ssp_table *table = NULL;
    strads_status status = ssp_session_open(&session, self->store, self->rank);
    if (status == STRADS_OK) {
        status = ssp_table_open(&table, session, "t", &self->options);
    }
    for (uint64_t clock = 0; clock < self->n_periods && status == STRADS_OK; clock++) {
        status = play_period(self, table, clock);
        if (status == STRADS_OK) {
            status = ssp_clock(session);
        }
    }
    if (status == STRADS_OK) {
        status = play_period(self, table, self->n_periods);
    }
    ssp_session_close(session);
    self->failed = status != STRADS_OK;
    return NULL;
}

/* ---- the oracle ---- */

/* Whether `value` is what `writer` had added to the row after some number of periods, of
 * `bound` at least, or of all that there are. */
static bool is_allowed(const player *writer, uint32_t row, double value, uint64_t bound)
{
    const uint64_t last = writer->n_periods + 1;
    for (uint64_t p = bound < last ? bound : last; p <= last; p++) {
        if (writer->sums[p][row] == value) {
            return true;
        }
    }
    return false;
}

static size_t count_wrong(const player *players, uint32_t n, const player *reader)
{
    double before[ROWS][PLAYERS] = {{0.0}};
    size_t n_wrong = 0;
    for (size_t k = 0; k < reader->n_reads; k++) {
        const seen *read = &reader->reads[k];
        for (uint32_t j = 0; j < n; j++) {
            const double value = read->values[j];
            const bool right = j == reader->rank
                                   ? value == read->own
                                   : is_allowed(&players[j], read->row, value, read->bound);
            n_wrong += !right || value < before[read->row][j]; /* nothing goes back */
            before[read->row][j] = value;
        }
    }
    return n_wrong;
}

/* ---- cases ---- */

static void play_history(player *players, uint64_t seed, uint32_t staleness)
{
    strads_random random = strads_random_start(seed, PLAYERS);
    const uint32_t n = 2 + (uint32_t) strads_random_below(&random, PLAYERS - 1);
    pthread_t threads[PLAYERS];
    ssp_store *store = NULL;
    REQUIRE_OK(ssp_store_create(&store, n));
    for (uint32_t i = 0; i < n; i++) {
        const bool leaves_early = strads_random_below(&random, 4) == 0;
        const bool straggles = strads_random_below(&random, 3) == 0;
        players[i] =
            (player){.store = store,
                     .options = {.columns = n, .staleness = staleness},
                     .rank = i,
                     .random = strads_random_start(seed, i),
                     .n_yields = straggles ? 20 : 1,
                     .n_periods = leaves_early ? strads_random_below(&random, PERIODS) : PERIODS};
        REQUIRE_OK(strads_thread_start(&threads[i], "player", play, &players[i]));
    }
    for (uint32_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t i = 0; i < n; i++) {
        CHECK(!players[i].failed);
        CHECK(count_wrong(players, n, &players[i]) == 0);
    }
    ssp_store_destroy(store);
}

static void play_histories(uint32_t staleness)
{
    player *players = strads_calloc(PLAYERS, sizeof(*players));
    REQUIRE(players != NULL);
    for (uint64_t seed = 0; seed < HISTORIES; seed++) {
        play_history(players, seed, staleness);
    }
    strads_free(players);
}

static void reads_keep_the_bound_at_staleness_0(void)
{
    play_histories(0);
}

static void reads_keep_the_bound_at_staleness_1(void)
{
    play_histories(1);
}

static void reads_keep_the_bound_at_staleness_3(void)
{
    play_histories(3);
}

static void reads_keep_the_bound_of_each_when_the_table_has_none(void)
{
    play_histories(SSP_ASYNC);
}

SUITE("ssp/histories", {"reads keep the bound at staleness 0", reads_keep_the_bound_at_staleness_0},
      {"reads keep the bound at staleness 1", reads_keep_the_bound_at_staleness_1},
      {"reads keep the bound at staleness 3", reads_keep_the_bound_at_staleness_3},
      {"reads keep the bound of each when the table has none",
       reads_keep_the_bound_of_each_when_the_table_has_none})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/ssp/test_session.c - the verbs, one after another on one thread, where no
 * read has to wait but one; what happens among threads is in test_histories.c.
 */
#include <sched.h>
#include <string.h>

#include "base/mem.h"
#include "base/tasks.h"
#include "ssp/session_state.h"
#include "tests/support/suite.h"

enum { COLUMNS = 2, FAST = 0, SLOW = 1, STALENESS = 2 };

static const ssp_table_options two_columns = {.columns = COLUMNS, .staleness = STALENESS};

typedef struct pair {
    ssp_store *store;
    ssp_session *sessions[2];
    ssp_table *tables[2];
} pair;

static void open_pair(pair *self, uint32_t staleness)
{
    const ssp_table_options options = {.columns = COLUMNS, .staleness = staleness};
    *self = (pair){.store = NULL};
    REQUIRE_OK(ssp_store_create(&self->store, 2));
    for (uint32_t i = 0; i < 2; i++) {
        REQUIRE_OK(ssp_session_open(&self->sessions[i], self->store, i));
        REQUIRE_OK(ssp_table_open(&self->tables[i], self->sessions[i], "t", &options));
    }
}

static void close_pair(pair *self)
{
    ssp_session_close(self->sessions[FAST]);
    ssp_session_close(self->sessions[SLOW]);
    ssp_store_destroy(self->store);
}

static double read_of(ssp_table *table, uint64_t key, uint32_t column)
{
    const double *view = NULL;
    REQUIRE_OK(ssp_read_row(table, key, &view));
    return view[column];
}

static void a_row_is_zeros_until_it_is_incremented(void)
{
    pair self;
    open_pair(&self, STALENESS);
    CHECK(read_of(self.tables[FAST], 0, 0) == 0.0);
    CHECK(read_of(self.tables[FAST], UINT64_MAX, COLUMNS - 1) == 0.0);
    close_pair(&self);
}

/* The view is the one lent before, and shows what came after it. */
static void own_increments_show_at_once(void)
{
    pair self;
    const double *view = NULL;
    open_pair(&self, STALENESS);
    REQUIRE_OK(ssp_inc(self.tables[FAST], 7, 1, 0.5));
    REQUIRE_OK(ssp_read_row(self.tables[FAST], 7, &view));
    CHECK(view[0] == 0.0 && view[1] == 0.5);
    REQUIRE_OK(ssp_inc(self.tables[FAST], 7, 1, 0.25));
    REQUIRE_OK(ssp_inc_row(self.tables[FAST], 7, (const double[COLUMNS]){1.0, 2.0}));
    CHECK(view[0] == 1.0 && view[1] == 2.75);
    REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    CHECK(read_of(self.tables[FAST], 7, 1) == 2.75);
    close_pair(&self);
}

static void others_see_increments_after_the_clock_and_not_before(void)
{
    pair self;
    open_pair(&self, STALENESS);
    REQUIRE_OK(ssp_inc(self.tables[FAST], 7, 0, 3.0));
    CHECK(read_of(self.tables[SLOW], 7, 0) == 0.0);
    REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    CHECK(read_of(self.tables[SLOW], 7, 0) == 0.0); /* read in this period already */
    CHECK(read_of(self.tables[SLOW], 8, 0) == 0.0);
    REQUIRE_OK(ssp_clock(self.sessions[SLOW]));
    CHECK(read_of(self.tables[SLOW], 7, 0) == 3.0);
    close_pair(&self);
}

/* A row that is brought up to date within a period keeps what the log holds for it. */
static void a_tighter_read_brings_the_row_up_to_date(void)
{
    pair self;
    const double *loose = NULL, *tight = NULL;
    open_pair(&self, SSP_ASYNC);
    REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    REQUIRE_OK(ssp_inc(self.tables[FAST], 7, 0, 1.0));
    REQUIRE_OK(ssp_inc(self.tables[SLOW], 7, 0, 2.0));
    REQUIRE_OK(ssp_read_row(self.tables[FAST], 7, &loose));
    CHECK(*loose == 1.0);
    REQUIRE_OK(ssp_clock(self.sessions[SLOW]));
    REQUIRE_OK(ssp_read_row_within(self.tables[FAST], 7, SSP_ASYNC, &tight));
    CHECK(*tight == 1.0);
    REQUIRE_OK(ssp_read_row_within(self.tables[FAST], 7, 0, &tight));
    CHECK(tight == loose && *tight == 3.0);
    close_pair(&self);
}

/* With every read the slow session is as far behind as it may be. */
static void a_read_at_the_bound_does_not_wait(void)
{
    pair self;
    open_pair(&self, STALENESS);
    for (uint64_t clock = 0; clock < STALENESS; clock++) {
        CHECK(read_of(self.tables[FAST], clock, 0) == 0.0);
        REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    }
    for (uint64_t clock = STALENESS; clock < 10; clock++) {
        CHECK(ssp_clock_own(self.sessions[FAST]) == clock);
        CHECK(ssp_clock_slowest(self.sessions[FAST]) == clock - STALENESS);
        CHECK(read_of(self.tables[FAST], clock, 0) == 0.0);
        REQUIRE_OK(ssp_clock(self.sessions[SLOW]));
        REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    }
    close_pair(&self);
}

static void an_asynchronous_read_never_waits(void)
{
    pair self;
    open_pair(&self, SSP_ASYNC);
    for (int i = 0; i < 1000; i++) {
        REQUIRE_OK(ssp_inc(self.tables[FAST], 7, 0, 1.0));
        REQUIRE_OK(ssp_clock(self.sessions[FAST]));
        CHECK(read_of(self.tables[FAST], 7, 0) == i + 1);
    }
    close_pair(&self);
}

/* Its last increments are added, though it has not clocked. */
static void nobody_waits_for_a_session_that_is_closed(void)
{
    pair self;
    open_pair(&self, 0);
    REQUIRE_OK(ssp_inc(self.tables[SLOW], 7, 0, 4.0));
    ssp_session_close(self.sessions[SLOW]);
    self.sessions[SLOW] = NULL;
    REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    CHECK(ssp_clock_slowest(self.sessions[FAST]) == 1);
    CHECK(read_of(self.tables[FAST], 7, 0) == 4.0);
    close_pair(&self);
}

/* ---- batches, barriers, what is counted ---- */

static void a_batch_is_as_its_rows_one_by_one(void)
{
    enum { N = 50 };
    static double deltas[N][COLUMNS];
    uint64_t keys[N];
    const double *views[N];
    pair self;
    open_pair(&self, STALENESS);
    for (uint64_t i = 0; i < N; i++) {
        keys[i] = i / 2; /* each twice */
        deltas[i][0] = 1.0;
        deltas[i][1] = (double) i;
    }
    REQUIRE_OK(ssp_inc_rows(self.tables[FAST], keys, N, deltas[0]));
    REQUIRE_OK(ssp_inc_rows(self.tables[FAST], keys, N, deltas[0]));
    REQUIRE_OK(ssp_read_rows(self.tables[FAST], keys, N, views));
    for (uint64_t i = 0; i < N; i++) {
        CHECK(views[i][0] == 4.0);
        CHECK(views[i][1] == 2.0 * (double) (i / 2 * 4 + 1));
    }
    deltas[1][0] = NAN;
    CHECK_STATUS(ssp_inc_rows(self.tables[FAST], keys, N, deltas[0]), STRADS_ERR_NUMERIC);
    CHECK(views[0][0] == 5.0 && views[2][0] == 4.0);
    close_pair(&self);
}

static void reads_are_counted_by_how_stale_they_may_be(void)
{
    pair self;
    open_pair(&self, SSP_ASYNC);
    for (int i = 0; i < 20; i++) {
        CHECK(read_of(self.tables[FAST], 7, 0) == 0.0);
        CHECK(read_of(self.tables[FAST], 7, 0) == 0.0);
        REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    }
    const ssp_stats stats = ssp_session_stats(self.sessions[FAST]);
    CHECK(stats.n_copied == 1 && stats.n_waits == 0);
    for (int i = 0; i < SSP_BINS - 1; i++) {
        CHECK(stats.seen[i] == 2);
    }
    CHECK(stats.seen[SSP_BINS - 1] == 2 * (20 - (SSP_BINS - 1)));
    close_pair(&self);
}

static void *meet_there(void *argument)
{
    ssp_table *table = argument;
    const double *view = NULL;
    const bool good = ssp_inc(table, 7, 0, 1.0) == STRADS_OK &&
                      ssp_barrier(table->session) == STRADS_OK &&
                      ssp_read_row(table, 7, &view) == STRADS_OK && view[0] == 2.0;
    return good ? argument : NULL;
}

static void after_a_barrier_all_see_what_was_before_it(void)
{
    pthread_t thread;
    pair self;
    void *good = NULL;
    open_pair(&self, STALENESS);
    REQUIRE_OK(strads_thread_start(&thread, "meets", meet_there, self.tables[SLOW]));
    CHECK(meet_there(self.tables[FAST]) != NULL);
    pthread_join(thread, &good);
    CHECK(good != NULL);
    close_pair(&self);
}

static void *clock_when_somebody_waits(void *argument)
{
    ssp_session *session = argument;
    while (atomic_load(&session->store->clocks.sleepers) == 0) {
        sched_yield();
    }
    return ssp_clock(session) == STRADS_OK ? argument : NULL;
}

static void read_beyond(void *context)
{
    CHECK(read_of(context, 7, 0) == 0.0);
}

/* It sleeps until its patience is over, again and again; the other sees it and clocks. */
static void a_reader_that_waits_too_long_says_for_whom(void)
{
    pthread_t thread;
    pair self;
    open_pair(&self, 0);
    self.store->patience = 0.01;
    REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    REQUIRE_OK(
        strads_thread_start(&thread, "clocks", clock_when_somebody_waits, self.sessions[SLOW]));
    char *words = suite_stderr_of(read_beyond, self.tables[FAST]);
    pthread_join(thread, NULL);
    CHECK(words[0] == '\0' || strstr(words, "worker 0 waits at clock 1") != NULL);
    CHECK(words[0] == '\0' || strstr(words, "for worker 1, whose clock is 0") != NULL);
    strads_free(words);
    const ssp_stats stats = ssp_session_stats(self.sessions[FAST]);
    CHECK(stats.n_waits == 1 && stats.wait_seconds > 0.0);
    CHECK(ssp_session_waited_for(self.sessions[FAST], SLOW) == stats.wait_seconds);
    close_pair(&self);
}

/* ---- abort ---- */

typedef struct far_reader {
    ssp_table *table;
    strads_status status;
    atomic_bool done;
} far_reader;

static void *read_too_far(void *argument)
{
    far_reader *self = argument;
    const double *view = NULL;
    self->status = ssp_read_row(self->table, 7, &view);
    atomic_store(&self->done, true);
    return NULL;
}

/* That the reader sleeps shows that the bound holds it back. */
static void an_abort_lets_a_reader_beyond_the_bound_go(void)
{
    pair self;
    pthread_t thread;
    open_pair(&self, STALENESS);
    far_reader reader = {.table = self.tables[FAST], .status = STRADS_OK};
    for (int i = 0; i <= STALENESS; i++) {
        REQUIRE_OK(ssp_clock(self.sessions[FAST]));
    }
    REQUIRE_OK(strads_thread_start(&thread, "reader", read_too_far, &reader));
    while (atomic_load(&self.store->clocks.sleepers) == 0 && !atomic_load(&reader.done)) {
        sched_yield();
    }
    ssp_store_abort(self.store);
    pthread_join(thread, NULL);
    CHECK_STATUS(reader.status, STRADS_ERR_CLOSED);
    close_pair(&self);
}

static void after_an_abort_reads_and_clocks_are_closed(void)
{
    pair self;
    const double *view = NULL;
    open_pair(&self, STALENESS);
    CHECK(read_of(self.tables[FAST], 7, 0) == 0.0);
    ssp_store_abort(self.store);
    ssp_store_abort(self.store);
    CHECK_STATUS(ssp_read_row(self.tables[FAST], 7, &view), STRADS_ERR_CLOSED);
    CHECK_STATUS(ssp_read_row_within(self.tables[FAST], 8, SSP_ASYNC, &view), STRADS_ERR_CLOSED);
    CHECK(view == NULL);
    CHECK_STATUS(ssp_clock(self.sessions[FAST]), STRADS_ERR_CLOSED);
    CHECK(ssp_clock_own(self.sessions[FAST]) == 0);
    close_pair(&self);
}

/* ---- refusals ---- */

static void a_table_opened_again_is_the_same_and_keeps_its_options(void)
{
    pair self;
    ssp_table *again = NULL;
    open_pair(&self, STALENESS);
    REQUIRE_OK(ssp_table_open(&again, self.sessions[FAST], "t", &two_columns));
    CHECK(again == self.tables[FAST]);
    again = NULL;
    CHECK_STATUS(ssp_table_open(&again, self.sessions[FAST], "t",
                                &(ssp_table_options){.columns = 3, .staleness = STALENESS}),
                 STRADS_ERR_APP);
    CHECK_STATUS(ssp_table_open(&again, self.sessions[SLOW], "t",
                                &(ssp_table_options){.columns = COLUMNS, .staleness = SSP_ASYNC}),
                 STRADS_ERR_APP);
    CHECK_STATUS(ssp_table_open(&again, self.sessions[SLOW], "t",
                                &(ssp_table_options){
                                    .columns = COLUMNS, .staleness = STALENESS, .eager = true}),
                 STRADS_ERR_APP);
    CHECK_STATUS(ssp_table_open(&again, self.sessions[SLOW], "u",
                                &(ssp_table_options){.columns = 0, .staleness = 0}),
                 STRADS_ERR_APP);
    CHECK(again == NULL);
    close_pair(&self);
}

static void a_delta_that_is_wrong_is_refused_and_changes_nothing(void)
{
    pair self;
    const size_t n_errors = strads_log_n_errors();
    open_pair(&self, STALENESS);
    CHECK_STATUS(ssp_inc(self.tables[FAST], 7, COLUMNS, 1.0), STRADS_ERR_APP);
    CHECK_STATUS(ssp_inc(self.tables[FAST], 7, 0, NAN), STRADS_ERR_NUMERIC);
    CHECK_STATUS(ssp_inc(self.tables[FAST], 7, 0, INFINITY), STRADS_ERR_NUMERIC);
    CHECK_STATUS(ssp_inc_row(self.tables[FAST], 7, (const double[]){1.0, -INFINITY}),
                 STRADS_ERR_NUMERIC);
    CHECK_STATUS(ssp_inc_row(self.tables[FAST], 7, (const double[]){NAN, 1.0}), STRADS_ERR_NUMERIC);
    CHECK(strads_log_n_errors() == n_errors + 5);
    CHECK(read_of(self.tables[FAST], 7, 0) == 0.0 && read_of(self.tables[FAST], 7, 1) == 0.0);
    close_pair(&self);
}

/* ---- memory ---- */

/* The k-th run of `body` fails its k-th allocation, until one has no k-th any more. */
static size_t fail_each(strads_status (*body)(void))
{
    const size_t live = strads_mem_live();
    size_t n_failed = 0;
    for (;;) {
        strads_mem_fail_after(n_failed + 1);
        const strads_status status = body();
        strads_mem_fail_after(0);
        CHECK(strads_mem_live() == live);
        if (status != STRADS_ERR_NOMEM) {
            CHECK_STATUS(status, STRADS_OK);
            return n_failed;
        }
        n_failed++;
    }
}

static strads_status open_read_and_increment(void)
{
    ssp_store *store = NULL;
    ssp_session *session = NULL;
    ssp_table *table = NULL;
    const double *view = NULL;
    strads_status status = ssp_store_create(&store, 1);
    if (status == STRADS_OK) {
        status = ssp_session_open(&session, store, 0);
    }
    if (status == STRADS_OK) {
        status = ssp_table_open(&table, session, "t", &two_columns);
    }
    for (uint64_t key = 0; key < 20 && status == STRADS_OK; key++) {
        status = ssp_inc(table, key, 0, 1.0);
        if (status == STRADS_OK) {
            status = ssp_read_row(table, 100 + key, &view);
        }
    }
    ssp_session_close(session);
    ssp_store_destroy(store);
    return status;
}

static void every_allocation_may_fail(void)
{
    /* 3 of the store, 1 of the session, 3 of the table, 2 a row, and the growing ones. */
    CHECK(fail_each(open_read_and_increment) > 3 + 1 + 3 + 2 * 40);
}

/* Whichever allocation fails: what was there stays, nothing is counted twice. */
static void an_increment_that_fails_can_be_made_again(void)
{
    pair self;
    open_pair(&self, STALENESS);
    for (size_t n = 1; n <= 6; n++) {
        strads_mem_fail_after(n);
        strads_status status = ssp_inc(self.tables[FAST], n, 0, 1.0);
        strads_mem_fail_after(0);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            CHECK(read_of(self.tables[FAST], n, 0) == 0.0);
            status = ssp_inc(self.tables[FAST], n, 0, 1.0);
        }
        REQUIRE_OK(status);
        CHECK(read_of(self.tables[FAST], n, 0) == 1.0);
    }
    close_pair(&self);
}

SUITE("ssp/session",
      {"a row is zeros until it is incremented", a_row_is_zeros_until_it_is_incremented},
      {"own increments show at once", own_increments_show_at_once},
      {"others see increments after the clock, and not before",
       others_see_increments_after_the_clock_and_not_before},
      {"a tighter read brings the row up to date", a_tighter_read_brings_the_row_up_to_date},
      {"a read at the bound does not wait", a_read_at_the_bound_does_not_wait},
      {"an asynchronous read never waits", an_asynchronous_read_never_waits},
      {"nobody waits for a session that is closed", nobody_waits_for_a_session_that_is_closed},
      {"a batch is as its rows one by one", a_batch_is_as_its_rows_one_by_one},
      {"reads are counted by how stale they may be", reads_are_counted_by_how_stale_they_may_be},
      {"after a barrier all see what was before it", after_a_barrier_all_see_what_was_before_it},
      {"a reader that waits too long says for whom", a_reader_that_waits_too_long_says_for_whom},
      {"an abort lets a reader beyond the bound go", an_abort_lets_a_reader_beyond_the_bound_go},
      {"after an abort reads and clocks are closed", after_an_abort_reads_and_clocks_are_closed},
      {"a table opened again is the same and keeps its options",
       a_table_opened_again_is_the_same_and_keeps_its_options},
      {"a delta that is wrong is refused and changes nothing",
       a_delta_that_is_wrong_is_refused_and_changes_nothing},
      {"every allocation may fail", every_allocation_may_fail},
      {"an increment that fails can be made again", an_increment_that_fails_can_be_made_again})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/ssp/test_parts.c - stores of several parts: histories on threads and over
 * links, tables that differ, a part that is lost, one that says nonsense. What holds of
 * simulated ones is in tests/property/test_tables.c.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "net/cluster.h"
#include "tests/support/sim_case.h"
#include "tests/support/ssp_history.h"
#include "tests/support/ssp_pair.h"
#include "tests/support/suite.h"

enum { HISTORIES = 12 };

static const ssp_history_mode modes[] = {{"bsp", 0, false},
                                         {"2", 2, false},
                                         {"async", SSP_ASYNC, false},
                                         {"eager-1", 1, true},
                                         {"eager-async", SSP_ASYNC, true}};

static void play_all(ssp_history_kind kind)
{
    const size_t live = strads_mem_live();
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
            const ssp_history_outcome outcome = ssp_history_play(seed, &modes[m], kind);
            if (outcome.wrong[0] != '\0') {
                printf("%s, seed %llu: %s\n", modes[m].name, (unsigned long long) seed,
                       outcome.wrong);
            }
            CHECK(outcome.wrong[0] == '\0');
        }
    }
    CHECK(strads_mem_live() == live);
}

static void histories_on_threads_of_one_process_are_right(void)
{
    play_all(SSP_HISTORY_THREADS);
}

static void histories_of_linked_processes_are_right(void)
{
    play_all(SSP_HISTORY_LINKS);
}

/* ---- slots ---- */

enum { SLOTTED = 10000 };

static uint8_t parts_of[2][SLOTTED];

static strads_status note_parts(ssp_member *self, net_node *node)
{
    (void) node;
    for (uint64_t key = 0; key < SLOTTED; key++) {
        parts_of[self->rank][key] = (uint8_t) ssp_store_part(self->store, key);
    }
    return STRADS_OK;
}

static void both_parts_agree_on_who_has_a_row_and_have_as_many(void)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair self;
    size_t n_second = 0;
    ssp_pair_run(&self, &cluster, note_parts);
    for (size_t key = 0; key < SLOTTED; key++) {
        CHECK(parts_of[0][key] == parts_of[1][key]);
        n_second += parts_of[0][key];
    }
    CHECK(n_second > SLOTTED * 45 / 100 && n_second < SLOTTED * 55 / 100);
    CHECK(SSP_SLOTS == 1024);
}

/* ---- tables ---- */

static strads_status open_different(ssp_member *self, net_node *node)
{
    (void) node;
    const ssp_table_options options = {.columns = 2 + self->rank, .staleness = 1};
    return ssp_pair_open(self, &options);
}

static void say_different(void *context)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run(context, &cluster, open_different);
}

static void a_table_that_two_processes_open_with_other_columns_is_refused_by_both(void)
{
    ssp_pair self;
    char *words = suite_stderr_of(say_different, &self);
    CHECK_STATUS(self.members[0].status, STRADS_ERR_APP);
    CHECK_STATUS(self.members[1].status, STRADS_ERR_APP);
    CHECK(strstr(words, "table t: worker 1 has opened it with other columns") != NULL);
    strads_free(words);
}

/* What the rule makes of both gradients is what both see, each after its own clock. */
static strads_status step_by_rule(ssp_member *self, net_node *node)
{
    (void) node;
    const ssp_table_options options = {
        .columns = 2, .staleness = 0, .eager = true, .rule = ssp_rule_proximal(0.5)};
    const double *view = NULL;
    strads_status status = ssp_pair_open(self, &options);
    for (int i = 0; i < 3 && status == STRADS_OK; i++) {
        status = ssp_inc(self->table, ssp_pair_key(self, 0), 1, 2.0);
        status = status == STRADS_OK ? ssp_barrier(self->session) : status;
        status =
            status == STRADS_OK ? ssp_read_row(self->table, ssp_pair_key(self, 0), &view) : status;
        CHECK(status == STRADS_OK && view[0] == 0.0 && view[1] == 3.0 * (i + 1));
        status = status == STRADS_OK ? ssp_barrier(self->session) : status;
    }
    return status;
}

static void a_rule_is_applied_where_the_row_is(void)
{
    ssp_pair self;
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run(&self, &cluster, step_by_rule);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    CHECK_STATUS(self.members[1].status, STRADS_OK);
}

/* ---- snapshots ---- */

static const char *snapshot_dir;
static bool restores;

static strads_status save_or_restore(ssp_member *self, net_node *node)
{
    (void) node;
    const ssp_table_options options = {.columns = 3};
    const double *view = NULL;
    strads_status status = ssp_pair_open(self, &options);
    for (uint64_t key = 0; key < 100 && status == STRADS_OK && !restores; key++) {
        status = ssp_inc(self->table, key, self->rank, (double) key);
    }
    if (status == STRADS_OK) {
        status = restores ? ssp_table_restore(self->table, snapshot_dir)
                          : ssp_table_save(self->table, snapshot_dir);
    }
    for (uint64_t key = 0; key < 100 && status == STRADS_OK; key++) {
        status = ssp_read_row(self->table, key, &view);
        CHECK(status == STRADS_OK && view[0] == (double) key && view[1] == (double) key);
    }
    return status;
}

/* The first part alone takes back what both have saved. */
static void restore_alone(void)
{
    ssp_store *store = NULL;
    ssp_session *session = NULL;
    ssp_table *table = NULL;
    const double *view = NULL;
    REQUIRE_OK(ssp_store_create(&store, 1));
    REQUIRE_OK(ssp_session_open(&session, store, 0));
    REQUIRE_OK(ssp_table_open(&table, session, "t", &(ssp_table_options){.columns = 3}));
    REQUIRE_OK(ssp_table_restore(table, snapshot_dir));
    for (uint64_t key = 0; key < 100; key++) {
        REQUIRE_OK(ssp_read_row(table, key, &view));
        CHECK(view[0] == (double) key && view[1] == (double) key && view[2] == 0.0);
    }
    ssp_session_close(session);
    ssp_store_destroy(store);
}

static void a_snapshot_of_two_parts_is_restored_by_two_and_by_one(void)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair self;
    snapshot_dir = suite_folder();
    for (int i = 0; i < 2; i++) {
        restores = i == 1;
        ssp_pair_run(&self, &cluster, save_or_restore);
        CHECK_STATUS(self.members[0].status, STRADS_OK);
        CHECK_STATUS(self.members[1].status, STRADS_OK);
    }
    restore_alone();
}

/* ---- what is sent ---- */

enum { REPEATS = 5, KEYS = 1000 };

/* The same thousand rows in each period: their keys go once. */
static strads_status repeat_keys(ssp_member *self, net_node *node)
{
    (void) node;
    const ssp_table_options options = {.columns = 4, .staleness = 0};
    strads_status status = ssp_pair_open(self, &options);
    uint64_t first = 0, last = 0;
    for (int period = 0; period < REPEATS && status == STRADS_OK; period++) {
        const uint64_t before = ssp_session_stats(self->session).bytes_out;
        for (uint64_t key = 0; key < KEYS && status == STRADS_OK; key++) {
            status = ssp_inc(self->table, key, 0, 1.0);
        }
        status = status == STRADS_OK ? ssp_clock(self->session) : status;
        last = ssp_session_stats(self->session).bytes_out - before;
        first = period == 0 ? last : first;
    }
    /* About half of the rows are of the other part; of each 8 bytes of key, and one number. */
    CHECK(first > last + 8 * KEYS / 3);
    CHECK(last < KEYS * (4 + 16) * 2 / 3);
    return status == STRADS_OK ? ssp_barrier(self->session) : status;
}

static void keys_that_repeat_are_sent_once_and_rows_of_zeros_are_short(void)
{
    ssp_pair self;
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run(&self, &cluster, repeat_keys);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    CHECK_STATUS(self.members[1].status, STRADS_OK);
}

/* ---- ends that are not good ---- */

/* The first clocks no more; the second waits for it, says so, and hears of the loss. */
static strads_status stop_ticking(ssp_member *self, net_node *node)
{
    const ssp_table_options options = {.columns = 1};
    const double *view = NULL;
    strads_status status = ssp_pair_open(self, &options);
    if (status != STRADS_OK || self->rank == 0) {
        net_work(node, 1e3);
        return status;
    }
    status = ssp_clock(self->session);
    return status == STRADS_OK ? ssp_read_row(self->table, ssp_pair_key(self, 0), &view) : status;
}

static void lose_the_first(void *context)
{
    net_fault loss = {.kind = NET_FAULT_LOSE, .first = 1, .last = 1, .from = 100.0};
    net_cluster cluster = sim_case_cluster(2);
    cluster.faults = &loss;
    cluster.n_faults = 1;
    ssp_pair_run(context, &cluster, stop_ticking);
}

static void a_reader_whose_worker_is_lost_says_for_whom_it_waited_and_ends(void)
{
    ssp_pair self;
    char *words = suite_stderr_of(lose_the_first, &self);
    CHECK_STATUS(self.members[1].status, STRADS_ERR_CLOSED);
    CHECK(strstr(words, "t: worker 1 waits at clock 1 since 10 s for worker 0, whose clock is 0") !=
          NULL);
    strads_free(words);
}

/* The n-th allocation from the moment when the first has a session fails, whosever it is. */
static size_t failing;
static double early; /* bandwidth */

static strads_status use_tables(ssp_member *self, net_node *node)
{
    (void) node;
    const ssp_table_options options = {.columns = 3, .staleness = 1, .eager = true};
    const double *view = NULL;
    if (self->rank == 0 && failing > 0) {
        strads_mem_fail_after(failing);
    }
    strads_status status = ssp_pair_open(self, &options);
    for (uint64_t i = 0; i < 3 && status == STRADS_OK; i++) {
        for (uint64_t key = 0; key < 20 && status == STRADS_OK; key++) {
            status = ssp_inc(self->table, key, self->rank, 1.0);
            status = status == STRADS_OK ? ssp_read_row(self->table, key + i, &view) : status;
        }
        status = status == STRADS_OK ? ssp_clock(self->session) : status;
    }
    status = status == STRADS_OK ? ssp_barrier(self->session) : status;
    for (uint64_t key = 0; key < 20 && status == STRADS_OK; key++) {
        status = ssp_read_row(self->table, key, &view);
        CHECK(status != STRADS_OK || (view[0] == 3.0 && view[1] == 3.0));
    }
    return status;
}

static void fail_one(void *context)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run_within(context, &cluster, early, use_tables);
    strads_mem_fail_after(0);
}

/* Somebody says NOMEM, or closes, or the answer was not needed; nothing leaks or hangs. */
static void fail_each(void)
{
    size_t n_failed = 0;
    for (failing = 1; failing < 400; failing += 3) {
        ssp_pair self;
        char *words = suite_stderr_of(fail_one, &self);
        n_failed += self.ended != STRADS_OK || self.members[0].status != STRADS_OK ||
                    self.members[1].status != STRADS_OK;
        strads_free(words);
    }
    failing = 0;
    CHECK(n_failed > 30);
    ssp_pair self;
    fail_one(&self);
    CHECK_STATUS(self.ended, STRADS_OK);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    CHECK_STATUS(self.members[1].status, STRADS_OK);
}

static void any_allocation_of_two_parts_may_fail(void)
{
    early = 0.0;
    fail_each();
    early = 1e9;
    fail_each();
}

/* A message of random bytes, but for its type and size. */
static strads_status say_nonsense(ssp_member *self, net_node *node)
{
    const ssp_table_options options = {.columns = 3};
    const double *view = NULL;
    strads_status status = ssp_pair_open(self, &options);
    if (status == STRADS_OK && self->rank == 0) {
        net_message *message = net_message_create(SSP_UPDATE, NET_DATA, 100);
        REQUIRE(message != NULL);
        memset(message->body, 0x5a, message->bytes);
        REQUIRE_OK(net_tell(self->of->network, 1, 2, message));
        return STRADS_OK;
    }
    net_work(node, 1.0);
    status = status == STRADS_OK ? ssp_clock(self->session) : status;
    return status == STRADS_OK ? ssp_read_row(self->table, 0, &view) : status;
}

static void hear_nonsense(void *context)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run(context, &cluster, say_nonsense);
}

static void nonsense_closes_the_store_that_hears_it(void)
{
    ssp_pair self;
    char *words = suite_stderr_of(hear_nonsense, &self);
    CHECK_STATUS(self.members[1].status, STRADS_ERR_CLOSED);
    CHECK(strstr(words, "worker 0 sent a table's server a bad message 3") != NULL);
    strads_free(words);
}

SUITE("ssp/parts",
      {"histories on threads of one process are right",
       histories_on_threads_of_one_process_are_right},
      {"histories of linked processes are right", histories_of_linked_processes_are_right},
      {"both parts agree on who has a row, and have as many",
       both_parts_agree_on_who_has_a_row_and_have_as_many},
      {"a table that two processes open with other columns is refused by both",
       a_table_that_two_processes_open_with_other_columns_is_refused_by_both},
      {"a rule is applied where the row is", a_rule_is_applied_where_the_row_is},
      {"a snapshot of two parts is restored by two and by one",
       a_snapshot_of_two_parts_is_restored_by_two_and_by_one},
      {"keys that repeat are sent once, and rows of zeros are short",
       keys_that_repeat_are_sent_once_and_rows_of_zeros_are_short},
      {"a reader whose worker is lost says for whom it waited, and ends",
       a_reader_whose_worker_is_lost_says_for_whom_it_waited_and_ends},
      {"any allocation of two parts may fail", any_allocation_of_two_parts_may_fail},
      {"nonsense closes the store that hears it", nonsense_closes_the_store_that_hears_it})

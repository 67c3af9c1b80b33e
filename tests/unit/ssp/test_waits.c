/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/ssp/test_waits.c - what a session waits for among two machines, a second apart:
 * for a clock, for an answer, or not at all for what it has asked for ahead.
 */
#include <string.h>

#include "base/clock.h"
#include "tests/support/sim_case.h"
#include "tests/support/ssp_pair.h"
#include "tests/support/suite.h"

enum { SLOWER = 50 }; /* seconds, of ways of one */

/* [before the clock, after it][who waits] */
static double waited_for[2][2];

/* All clocks are alike at the first read, which waits for the other machine to answer, though
 * worker 0 is the first of those with the least clock. */
static strads_status wait_for_the_way_and_for_a_clock(ssp_member *self, net_node *node)
{
    const double *view = NULL;
    const uint32_t other = 1 - self->rank;
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = 1});
    status =
        status == STRADS_OK ? ssp_read_row(self->table, ssp_pair_key(self, other), &view) : status;
    CHECK(ssp_session_stats(self->session).wait_seconds >= 2.0);
    waited_for[0][self->rank] = ssp_session_waited_for(self->session, other);
    net_work(node, self->rank == 0 ? SLOWER : 0.0);
    status = status == STRADS_OK ? ssp_clock(self->session) : status;
    status =
        status == STRADS_OK ? ssp_read_row(self->table, ssp_pair_key(self, other), &view) : status;
    waited_for[1][self->rank] = ssp_session_waited_for(self->session, other);
    CHECK(ssp_session_waited_for(self->session, self->rank) == 0.0);
    return status;
}

static void wait_in_two_ways(void *context)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair_run(context, &cluster, wait_for_the_way_and_for_a_clock);
}

static void a_wait_is_booked_to_who_holds_it(void)
{
    ssp_pair self;
    char *words = suite_stderr_of(wait_in_two_ways, &self);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    CHECK_STATUS(self.members[1].status, STRADS_OK);
    CHECK(waited_for[0][0] >= 2.0 && waited_for[0][1] >= 2.0);
    CHECK(waited_for[1][1] - waited_for[0][1] > 0.9 * SLOWER);
    CHECK(waited_for[1][0] - waited_for[0][0] < 5.0);
    CHECK(strstr(words, "for worker 0, whose clock is 0") != NULL);
    CHECK(strstr(words, "worker 0 waits") == NULL);
    strads_free(words);
}

/* One reads what the other's server has not the time to answer. */
static strads_status wait_for_a_server(ssp_member *self, net_node *node)
{
    const double *view = NULL;
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = 1});
    (void) node;
    return status == STRADS_OK && self->rank == 1
               ? ssp_read_row(self->table, ssp_pair_key(self, 0), &view)
               : status;
}

static void wait_on_a_slow_way(void *context)
{
    net_cluster cluster = sim_case_cluster(2);
    cluster.link.latency = 6.0;
    cluster.timeout = 100.0;
    ssp_pair_run(context, &cluster, wait_for_a_server);
}

static void who_waits_too_long_for_an_answer_says_of_which_process(void)
{
    ssp_pair self;
    char *words = suite_stderr_of(wait_on_a_slow_way, &self);
    CHECK_STATUS(self.members[1].status, STRADS_OK);
    CHECK(strstr(words,
                 "t: worker 1 waits at clock 0 since 10 s for an answer of worker 0's process") !=
          NULL);
    CHECK(strstr(words, "whose clock is") == NULL);
    strads_free(words);
}

/* ---- rows that are asked for ahead ---- */

enum { ROWS = 20 };

static double seconds_of[2]; /* of reading, [asked for ahead] */

static strads_status read_elsewhere(ssp_member *self, net_node *node, bool ahead)
{
    uint64_t keys[ROWS], next = 0;
    const double *views[ROWS];
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = 1});
    for (int i = 0; i < ROWS; i++) {
        keys[i] = ssp_pair_key_from(self, 1 - self->rank, next);
        next = keys[i] + 1;
    }
    if (ahead && status == STRADS_OK) {
        status = ssp_prefetch(self->table, keys, ROWS);
    }
    net_work(node, SLOWER);
    const double begun = strads_now();
    status = status == STRADS_OK ? ssp_read_rows(self->table, keys, ROWS, views) : status;
    seconds_of[ahead] = strads_now() - begun;
    CHECK(ssp_session_stats(self->session).n_fetched == ROWS);
    status = status == STRADS_OK ? ssp_read_rows(self->table, keys, ROWS, views) : status;
    CHECK(ssp_session_stats(self->session).n_fetched == ROWS);
    CHECK(ssp_session_stats(self->session).n_copied == ROWS);
    return status;
}

static strads_status ask_ahead(ssp_member *self, net_node *node)
{
    return self->rank == 0 ? read_elsewhere(self, node, true)
                           : ssp_pair_open(self, &(ssp_table_options){.columns = 1});
}

static strads_status ask_when_it_is_read(ssp_member *self, net_node *node)
{
    return self->rank == 0 ? read_elsewhere(self, node, false)
                           : ssp_pair_open(self, &(ssp_table_options){.columns = 1});
}

static void rows_that_were_asked_for_ahead_are_there(void)
{
    const net_cluster cluster = sim_case_cluster(2);
    ssp_pair self;
    ssp_pair_run(&self, &cluster, ask_ahead);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    ssp_pair_run(&self, &cluster, ask_when_it_is_read);
    CHECK_STATUS(self.members[0].status, STRADS_OK);
    CHECK(seconds_of[true] == 0.0 && seconds_of[false] >= 2.0);
}

SUITE("ssp/waits", {"a wait is booked to who holds it", a_wait_is_booked_to_who_holds_it},
      {"who waits too long for an answer says of which process",
       who_waits_too_long_for_an_answer_says_of_which_process},
      {"rows that were asked for ahead are there", rows_that_were_asked_for_ahead_are_there})

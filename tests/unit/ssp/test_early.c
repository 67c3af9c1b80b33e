/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/ssp/test_early.c - increments that go before their clock: in every period, the
 * largest relative changes first, and no more than the bandwidth allows.
 */
#include <math.h>

#include "base/clock.h"
#include "tests/support/sim_case.h"
#include "tests/support/ssp_pair.h"
#include "tests/support/suite.h"

enum { PERIODS = 6, ROWS = 16, A_MILLISECOND = 1000 };

/* A millisecond of way, and a microsecond a unit of work. */
static net_cluster quick_cluster(void)
{
    net_cluster cluster = sim_case_cluster(2);
    cluster.link = (net_link){.latency = 1e-3, .bandwidth = 1e9};
    cluster.unit_ns = 1e3;
    return cluster;
}

/* keys[n] of the other part. */
static void list_keys(const ssp_member *self, uint64_t *keys, uint32_t n)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = ssp_pair_key_from(self, 1 - self->rank, next);
        next = keys[i] + 1;
    }
}

/* The wait for the read's answer is one in which acknowledgements come. */
static strads_status end_period(ssp_member *self, uint64_t key)
{
    const double *view = NULL;
    const strads_status status = ssp_barrier(self->session);
    return status == STRADS_OK ? ssp_read_row_within(self->table, key, 0, &view) : status;
}

static void check_both(const ssp_pair *self)
{
    CHECK_STATUS(self->ended, STRADS_OK);
    CHECK_STATUS(self->members[0].status, STRADS_OK);
    CHECK_STATUS(self->members[1].status, STRADS_OK);
}

/* ---- in every period ---- */

static uint32_t n_early[PERIODS];

static strads_status increment_each_period(ssp_member *self, net_node *node)
{
    const ssp_far *far = &self->session->fars[1 - self->rank];
    uint64_t keys[3 * ROWS];
    list_keys(self, keys, 3 * ROWS);
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = 2});
    for (int period = 0; period < PERIODS && status == STRADS_OK; period++) {
        const uint32_t before = far->n_batches;
        for (int i = 0; i < 3 * ROWS && status == STRADS_OK; i++) {
            net_work(node, A_MILLISECOND);
            status = ssp_inc(self->table, keys[i], 0, 1.0);
        }
        if (self->rank == 0) {
            n_early[period] = far->n_batches - before;
        }
        status = status == STRADS_OK ? end_period(self, keys[0]) : status;
    }
    return status;
}

static void increments_go_early_in_every_period(void)
{
    const net_cluster cluster = quick_cluster();
    ssp_pair self;
    ssp_pair_run_within(&self, &cluster, 1e9, increment_each_period);
    check_both(&self);
    for (int period = 0; period < PERIODS; period++) {
        CHECK(n_early[period] > 0);
    }
    ssp_pair_run_within(&self, &cluster, 0.0, increment_each_period);
    check_both(&self);
    for (int period = 0; period < PERIODS; period++) {
        CHECK(n_early[period] == 0);
    }
}

/* ---- the largest first ---- */

/* Rows that are so wide that seven are a message. */
enum { WIDE = 4096, A_MESSAGE = 7, SMALL = 8 };

/* Of the first fifteen rows, in an order of their own, four do not change at all, four are a
 * million and change by a hundred, and seven are one and change by that. */
static uint32_t kind_of(uint32_t i)
{
    return i * 4 % (ROWS - 1);
}

static double start_of(uint32_t i)
{
    return kind_of(i) < 4 ? 0.0 : kind_of(i) < SMALL ? 1e6 : 1.0;
}

static double change_of(uint32_t i)
{
    return kind_of(i) < 4 ? 0.0 : kind_of(i) < SMALL ? 100.0 : -1.0;
}

static strads_status change_by_more_and_less(ssp_member *self, net_node *node)
{
    (void) node;
    uint64_t keys[ROWS + 1];
    const double *views[ROWS];
    list_keys(self, keys, ROWS + 1);
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = WIDE});
    CHECK(ssp_batch_rows(WIDE) == A_MESSAGE);
    for (uint32_t i = 0; i < ROWS && status == STRADS_OK; i++) {
        status = ssp_inc(self->table, keys[i], 0, start_of(i));
    }
    status = status == STRADS_OK ? end_period(self, keys[0]) : status;
    status = status == STRADS_OK ? ssp_read_rows(self->table, keys, ROWS, views) : status;
    for (uint32_t i = 0; i <= ROWS && status == STRADS_OK; i++) {
        status = ssp_inc(self->table, keys[i], 1, change_of(i));
    }
    for (uint32_t i = 0; i < ROWS - 1 && status == STRADS_OK; i++) {
        CHECK((self->table->log.rows[i] == NULL) == (kind_of(i) >= SMALL));
    }
    return status == STRADS_OK ? ssp_barrier(self->session) : status;
}

static void what_changes_a_row_the_most_goes_first(void)
{
    const net_cluster cluster = quick_cluster();
    ssp_pair self;
    ssp_pair_run_within(&self, &cluster, 1e9, change_by_more_and_less);
    check_both(&self);
}

/* Squares that are beyond a double are as large as there are. */
static strads_status change_by_too_much(ssp_member *self, net_node *node)
{
    (void) node;
    uint64_t keys[ROWS + 1];
    list_keys(self, keys, ROWS + 1);
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = WIDE});
    for (uint32_t i = 0; i <= ROWS && status == STRADS_OK; i++) {
        status = ssp_inc(self->table, keys[i], 1, kind_of(i) < SMALL ? 0.0 : 1e200);
    }
    for (uint32_t i = 0; i < ROWS - 1 && status == STRADS_OK; i++) {
        CHECK((self->table->log.rows[i] == NULL) == (kind_of(i) >= SMALL));
    }
    return status == STRADS_OK ? ssp_barrier(self->session) : status;
}

static void changes_whose_squares_overflow_go_first_too(void)
{
    const net_cluster cluster = quick_cluster();
    ssp_pair self;
    ssp_pair_run_within(&self, &cluster, 1e9, change_by_too_much);
    check_both(&self);
}

/* ---- within the bandwidth ---- */

enum { STEPS = 400 };

static double bandwidth;
static uint32_t n_messages;

static bool anything(void *context)
{
    (void) context;
    return true;
}

/* A row each millisecond, with all that has come by then heard. What goes early has to be given
 * its time before more does. */
static strads_status increment_for_a_while(ssp_member *self, net_node *node)
{
    const ssp_far *far = &self->session->fars[1 - self->rank];
    double until = 0.0; /* the way is taken */
    uint64_t keys[STEPS];
    list_keys(self, keys, STEPS);
    strads_status status = ssp_pair_open(self, &(ssp_table_options){.columns = 2});
    for (int i = 0; i < STEPS && status == STRADS_OK && self->rank == 0; i++) {
        net_work(node, A_MILLISECOND);
        status = net_wait_until(self->of->network, 1, 0.0, anything, NULL);
        const uint64_t bytes = ssp_session_stats(self->session).bytes_out;
        const uint32_t n = far->n_batches;
        status = status == STRADS_OK ? ssp_inc(self->table, keys[i], 0, 1.0) : status;
        if (far->n_batches > n) {
            const uint64_t taken = ssp_session_stats(self->session).bytes_out - bytes;
            CHECK(strads_now() >= until);
            until = strads_now() + 0.999 * (double) taken / bandwidth;
        }
    }
    n_messages = self->rank == 0 ? far->n_batches : n_messages;
    return status == STRADS_OK ? ssp_barrier(self->session) : status;
}

static void no_more_goes_early_than_the_bandwidth_allows(void)
{
    static const double bandwidths[] = {1e9, 1e4, 2e3};
    const net_cluster cluster = quick_cluster();
    ssp_pair self;
    uint32_t before = STEPS;
    for (size_t i = 0; i < sizeof(bandwidths) / sizeof(bandwidths[0]); i++) {
        bandwidth = bandwidths[i];
        ssp_pair_run_within(&self, &cluster, bandwidth, increment_for_a_while);
        check_both(&self);
        CHECK(n_messages > 0 && n_messages < before);
        before = n_messages;
    }
}

SUITE("ssp/early", {"increments go early in every period", increments_go_early_in_every_period},
      {"what changes a row the most goes first", what_changes_a_row_the_most_goes_first},
      {"changes whose squares overflow go first too", changes_whose_squares_overflow_go_first_too},
      {"no more goes early than the bandwidth allows",
       no_more_goes_early_than_the_bandwidth_allows})

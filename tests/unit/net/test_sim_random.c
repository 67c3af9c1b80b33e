/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_random.c - random clusters with random faults: what holds
 * whatever goes wrong. */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

enum { N_SEEDS = 400, MAX_WORKERS = 9, MAX_FAULTS = 4, N_ROUNDS = 6, LENGTH = 20 };

static uint32_t n_workers;
static strads_random choices;                             /* of the handlers */
static uint32_t n_through[N_ROUNDS];                      /* members let through an exchange */
static uint32_t n_sent[MAX_WORKERS + 1][MAX_WORKERS + 1]; /* numbers given, by receiver */
static uint32_t n_heard[MAX_WORKERS + 1][MAX_WORKERS + 1];
static bool lost[MAX_WORKERS + 1][MAX_WORKERS + 1]; /* who was told of whose end */
static bool has_left[MAX_WORKERS + 1];
static double last_time[MAX_WORKERS + 1];
static uint32_t n_lost_by_0;

static void send_a_number(net_node *node, net_id to)
{
    const net_id id = net_node_id(node);
    if (sim_case_send(node, to, NET_DATA, n_sent[id][to]) == STRADS_OK) {
        n_sent[id][to]++;
    }
}

static strads_status do_round(net_node *node)
{
    double vector[LENGTH];
    uint32_t votes = 1;
    const net_exchange exchange = {
        .n_members = n_workers, .vector = vector, .n = LENGTH, .votes = &votes};
    for (int i = 0; i < LENGTH; i++) {
        vector[i] = 1.0;
    }
    net_work(node, 3.0 * strads_random_uniform(&choices));
    const strads_status status = net_exchange_sum(node, &exchange);
    CHECK(status == STRADS_OK || status == STRADS_ERR_CLOSED);
    CHECK(status != STRADS_OK || n_workers == 1 || vector[LENGTH - 1] == n_workers);
    return status;
}

static void work_all_rounds(net_node *node)
{
    const net_id id = net_node_id(node);
    strads_status status = STRADS_OK;
    for (int round = 0; round < N_ROUNDS && status == STRADS_OK; round++) {
        status = do_round(node);
        n_through[round] += status == STRADS_OK;
        const net_id to = (net_id) strads_random_below(&choices, n_workers + 1);
        if (to != id) {
            send_a_number(node, to);
        }
        send_a_number(node, id == 1 ? 0 : 1);
    }
    has_left[id] = true;
    net_leave(node);
}

/* Numbers of one sender come in order, without a gap, before its end, and after that
 * nothing comes. */
static void check_event(net_id id, const net_event *event)
{
    CHECK(!has_left[id]);
    CHECK(strads_now() >= last_time[id]);
    if (event->kind == NET_MESSAGE) {
        CHECK(event->message->type == n_heard[id][event->peer]);
        CHECK(!lost[id][event->peer]);
        n_heard[id][event->peer]++;
    } else if (event->kind == NET_LOST) {
        CHECK(!lost[id][event->peer]);
        lost[id][event->peer] = true;
    }
}

static void live(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    check_event(id, event);
    if (id == 0) {
        n_lost_by_0 += event->kind == NET_LOST;
        if (event->kind == NET_MESSAGE) {
            send_a_number(node, event->peer);
        }
        if (n_lost_by_0 == n_workers) {
            has_left[0] = true;
            net_leave(node);
        }
    } else if (event->kind == NET_STARTED) {
        work_all_rounds(node);
    }
    last_time[id] = strads_now();
}

static net_fault random_fault(strads_random *random)
{
    const net_id first = (net_id) strads_random_below(random, n_workers + 1);
    const net_id last = first + (net_id) strads_random_below(random, n_workers + 1 - first);
    const double from = 40.0 * strads_random_uniform(random) - 5.0;
    net_fault fault = {.kind = (net_fault_kind) strads_random_below(random, 4),
                       .first = first,
                       .last = last,
                       .from = fmax(from, 0.0),
                       .factor = 1.0 + 5.0 * strads_random_uniform(random),
                       .every = 4.0,
                       .span = 2.0};
    fault.to = fault.from + 20.0 * strads_random_uniform(random);
    if (fault.kind == NET_FAULT_LOSE && fault.first == 0) {
        fault.first = fault.last = 1; /* a run without its coordinator fails */
    }
    return fault;
}

static void run_seed(uint64_t seed)
{
    strads_random random = strads_random_start(seed, 1);
    net_fault faults[MAX_FAULTS];
    n_workers = 1 + (uint32_t) strads_random_below(&random, MAX_WORKERS);
    net_cluster cluster = sim_case_cluster(n_workers);
    cluster.seed = seed;
    cluster.jitter = strads_random_below(&random, 2) == 0 ? 0.0 : 3.0;
    cluster.faults = faults;
    cluster.n_faults = strads_random_below(&random, MAX_FAULTS + 1);
    for (size_t i = 0; i < cluster.n_faults; i++) {
        faults[i] = random_fault(&random);
    }
    choices = strads_random_start(seed, 2);
    memset(n_through, 0, sizeof(n_through));
    memset(n_sent, 0, sizeof(n_sent));
    memset(n_heard, 0, sizeof(n_heard));
    memset(lost, 0, sizeof(lost));
    memset(has_left, 0, sizeof(has_left));
    memset(last_time, 0, sizeof(last_time));
    n_lost_by_0 = 0;
    REQUIRE_OK(sim_case_run(&cluster, live));
    for (int round = 0; round < N_ROUNDS; round++) {
        CHECK(n_through[round] == 0 || n_through[round] == n_workers);
    }
    for (net_id id = 1; id <= n_workers; id++) {
        CHECK(lost[0][id]);
    }
}

static void order_losses_and_exchanges_hold_whatever_goes_wrong(void)
{
    uint64_t hashes[N_SEEDS];
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        const unsigned failures_before = CU_get_number_of_failures();
        run_seed(seed);
        hashes[seed] = sim_case_hash();
        if (CU_get_number_of_failures() > failures_before) {
            fprintf(stderr, "seed %llu fails\n", (unsigned long long) seed);
        }
    }
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        run_seed(seed);
        CHECK(sim_case_hash() == hashes[seed]);
    }
}

SUITE("net/sim_random", {"order, losses and exchanges hold, whatever goes wrong",
                         order_losses_and_exchanges_hold_whatever_goes_wrong})

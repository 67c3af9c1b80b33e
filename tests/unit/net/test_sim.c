/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim.c - time, messages and exchanges of simulated machines, by
 * examples worked out by hand. */
#include "net/sim.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

static const double EXACT = 1e-12; /* relative to times of some seconds */

enum { HELLO = 1, SECOND, THIRD, URGENT, GO, MEMBERS = 3, LENGTH = 250 };

static bool is_from(const net_event *event, net_id peer, uint32_t type)
{
    return event->kind == NET_MESSAGE && event->peer == peer && event->message->type == type;
}

/* ---- messages ---- */

static void greet_once(net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED && net_node_id(node) == 0) {
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_OK);
        net_leave(node);
    }
    sim_case_leave_with_0(node, event);
}

static void a_message_takes_latency_and_its_bytes(void)
{
    const net_cluster cluster = sim_case_cluster(1);
    REQUIRE_OK(sim_case_run(&cluster, greet_once));
    CHECK_NEAR(sim_case_time(1, NET_MESSAGE, 0, HELLO), 1.1, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_LOST, 0, 0), 1.1, EXACT);
    CHECK_NEAR(sim_case_end(), 1.1, EXACT);
    CHECK(strads_now() != sim_case_end()); /* real again */
}

/* Workers 1 and 2 each send two at once; the coordinator's interface takes all four. */
static void crowd(net_node *node, const net_event *event)
{
    static uint32_t n_heard;
    if (net_node_id(node) != 0 && event->kind == NET_STARTED) {
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, HELLO), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, SECOND), STRADS_OK);
        net_leave(node);
    }
    if (net_node_id(node) == 0) {
        n_heard = event->kind == NET_STARTED ? 0 : n_heard + (event->kind == NET_MESSAGE);
        if (n_heard == 4) {
            n_heard = 0;
            net_leave(node);
        }
    }
}

static void interfaces_take_one_message_after_another(void)
{
    const net_cluster cluster = sim_case_cluster(2);
    REQUIRE_OK(sim_case_run(&cluster, crowd));
    /* Out at 0 and .1, on the link a second; in: 1 - 1.1, 1.1 - 1.2, ... */
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, HELLO), 1.1, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 2, HELLO), 1.2, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, SECOND), 1.3, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 2, SECOND), 1.4, EXACT);
    CHECK_NEAR(sim_case_account(1).sending, 0.2, EXACT);
    CHECK(sim_case_account(1).n_messages == 2 && sim_case_account(1).n_bytes == 200);
}

static void send_to_a_busy_worker(net_node *node, const net_event *event)
{
    const bool started = event->kind == NET_STARTED;
    if (started && net_node_id(node) == 1) {
        net_work(node, 5.0);
        CHECK_NEAR(strads_now(), 5.0, EXACT);
    } else if (started) {
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, SECOND), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 1, NET_CONTROL, URGENT), STRADS_OK);
        net_leave(node);
    } else if (event->kind == NET_MESSAGE) {
        net_work(node, 1.0);
    }
    sim_case_leave_with_0(node, event);
}

static void a_busy_node_takes_control_first_then_data_in_order(void)
{
    net_cluster cluster = sim_case_cluster(1);
    REQUIRE_OK(sim_case_run(&cluster, send_to_a_busy_worker));
    CHECK_NEAR(sim_case_time(1, NET_MESSAGE, 0, URGENT), 5.0, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_MESSAGE, 0, HELLO), 6.0, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_MESSAGE, 0, SECOND), 7.0, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_LOST, 0, 0), 8.0, EXACT);
    CHECK_NEAR(sim_case_account(1).computing, 8.0, EXACT);
    CHECK_NEAR(sim_case_account(1).idle, 0.0, EXACT);
}

/* Node 0 is at 3 (sends late), and its link to 2 is slow. */
static void race(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (event->kind == NET_STARTED && id == 0) {
        CHECK_STATUS(sim_case_send(node, 2, NET_DATA, HELLO), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_OK);
        net_leave(node);
    }
    sim_case_leave_with_0(node, event);
}

static void messages_of_different_pairs_overtake_each_other(void)
{
    net_special_link special[] = {{.a = 2, .b = 0, .link = {.latency = 7.0, .bandwidth = 100.0}}};
    net_cluster cluster = sim_case_cluster(2);
    cluster.special = special;
    cluster.n_special = 1;
    REQUIRE_OK(sim_case_run(&cluster, race));
    CHECK_NEAR(sim_case_time(2, NET_MESSAGE, 0, HELLO), 8.0, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_MESSAGE, 0, HELLO), 2.1, EXACT); /* out from 1 to 1.1 */
    CHECK_NEAR(sim_case_time(2, NET_LOST, 0, 0), 8.0, EXACT);
}

/* Sends GO rounds of four numbered messages, the next when all have been handled. */
static uint32_t n_next;

static void send_in_order(net_node *node, const net_event *event)
{
    static uint32_t n_sent;
    if (net_node_id(node) == 0 && (event->kind == NET_STARTED || is_from(event, 1, GO))) {
        n_sent = event->kind == NET_STARTED ? 0 : n_sent;
        for (int i = 0; i < 4 && n_sent < 100; i++) {
            CHECK_STATUS(sim_case_send(node, 1, NET_DATA, 100 + n_sent++), STRADS_OK);
        }
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, 0), STRADS_ERR_AGAIN);
    } else if (net_node_id(node) == 1 && event->kind == NET_MESSAGE) {
        CHECK(event->message->type == 100 + n_next);
        n_next++;
        if (n_next == 100) {
            net_leave(node);
        } else if (n_next % 4 == 0) {
            CHECK_STATUS(sim_case_send(node, 0, NET_CONTROL, GO), STRADS_OK);
        }
    } else if (net_node_id(node) == 0 && event->kind == NET_LOST) {
        net_leave(node);
    }
}

static void jitter_delays_messages_and_keeps_their_order(void)
{
    net_cluster cluster = sim_case_cluster(1);
    n_next = 0;
    REQUIRE_OK(sim_case_run(&cluster, send_in_order));
    const double without = sim_case_end();
    cluster.jitter = 10.0;
    n_next = 0;
    REQUIRE_OK(sim_case_run(&cluster, send_in_order));
    CHECK(n_next == 100);
    CHECK(sim_case_end() > 2.0 * without);
}

/* ---- credits ---- */

static void fill_the_queue(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 0 && event->kind == NET_STARTED) {
        for (int i = 0; i < 4; i++) {
            CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_OK);
        }
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_ERR_AGAIN);
        CHECK_STATUS(sim_case_send(node, 1, NET_CONTROL, URGENT), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 2, NET_DATA, HELLO), STRADS_OK);
    } else if (id == 2 && event->kind == NET_MESSAGE) {
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, GO), STRADS_OK);
    } else if (id == 1 && event->kind == NET_MESSAGE && event->message->type == HELLO) {
        net_work(node, 1.0);
    } else if (is_from(event, 2, GO)) { /* the first of worker 1 is not done before 2.1 */
        const bool done = strads_now() > 2.1;
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, SECOND), done ? STRADS_OK : STRADS_ERR_AGAIN);
        net_leave(node);
    }
    sim_case_leave_with_0(node, event);
}

/* Worker 2 answers at 2.7, when a message has been handled, or sooner, when the
 * handler of the first has begun but is not done. */
static void a_credit_comes_back_when_the_handler_is_done_in_virtual_time(void)
{
    net_special_link special[] = {
        {.a = 2, .b = 0, .link = {.latency = 0.5, .bandwidth = INFINITY}}};
    net_cluster cluster = sim_case_cluster(2);
    REQUIRE_OK(sim_case_run(&cluster, fill_the_queue));
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 2, GO), 2.7, EXACT);
    CHECK(sim_case_count(1, NET_MESSAGE, 0, SECOND) == 1);
    cluster.special = special;
    cluster.n_special = 1;
    REQUIRE_OK(sim_case_run(&cluster, fill_the_queue));
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 2, GO), 1.5, EXACT);
    CHECK(sim_case_count(1, NET_MESSAGE, 0, SECOND) == 0);
}

/* ---- speed ---- */

static double work_ended;

static void work_ten_units(net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED && net_node_id(node) == 1) {
        net_work(node, 4.0);
        net_work(node, 6.0);
        work_ended = strads_now();
    }
    net_leave(node);
}

static void work_takes_its_units_divided_by_the_speed(void)
{
    net_cluster cluster = sim_case_cluster(1);
    cluster.speed[1] = 2.0;
    REQUIRE_OK(sim_case_run(&cluster, work_ten_units));
    CHECK_NEAR(work_ended, 5.0, EXACT);
    CHECK_NEAR(sim_case_end(), 5.0, EXACT);
}

static void spend_time(net_node *node, const net_event *event)
{
    (void) event;
    volatile double sum = 0.0;
    const double before = strads_thread_seconds();
    CHECK(!net_counts_work(node));
    net_work(node, 1e9);
    while (strads_thread_seconds() < before + 0.002) {
        sum = sum + 1.0;
    }
    net_leave(node);
}

static void costing_by_clock_counts_the_time_of_the_thread(void)
{
    net_cluster cluster = sim_case_cluster(1);
    cluster.costing = NET_COST_CLOCK;
    cluster.speed[1] = 0.01;
    REQUIRE_OK(sim_case_run(&cluster, spend_time));
    CHECK(sim_case_account(0).computing >= 0.002);
    CHECK(sim_case_account(1).computing >= 0.2);
    CHECK(sim_case_end() >= 0.2 && sim_case_end() < 1e6);
}

/* ---- exchanges ---- */

static double vectors[SIM_MAX_NODES][LENGTH];
static double after_exchange[SIM_MAX_NODES];

/* Worker k comes at k seconds. */
static void exchange_all(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id > 0 && id <= MEMBERS && event->kind == NET_STARTED) {
        uint32_t votes = 1u << id;
        const net_exchange exchange = {
            .n_members = MEMBERS, .vector = vectors[id], .n = LENGTH, .votes = &votes};
        for (size_t i = 0; i < LENGTH; i++) {
            vectors[id][i] = id;
        }
        net_work(node, id);
        const double foretold = net_exchange_units(node, exchange.n_members, exchange.n);
        CHECK_STATUS(net_exchange_sum(node, &exchange), STRADS_OK);
        after_exchange[id] = strads_now();
        CHECK_NEAR(after_exchange[id] - 3.0, foretold, EXACT); /* a unit is a second */
        CHECK(votes == 14 && vectors[id][0] == 6.0 && vectors[id][LENGTH - 1] == 6.0);
    }
    net_leave(node);
}

static void an_exchange_takes_what_the_worst_link_of_its_members_allows(void)
{
    net_special_link special[] = {{.a = 0, .b = 1, .link = {.latency = 100.0, .bandwidth = 1.0}},
                                  {.a = 4, .b = 1, .link = {.latency = 100.0, .bandwidth = 1.0}},
                                  {.a = 2, .b = 3, .link = {.latency = 0.5, .bandwidth = 500.0}}};
    net_cluster cluster = sim_case_cluster(4);
    cluster.special = special;
    cluster.n_special = 3;
    REQUIRE_OK(sim_case_run(&cluster, exchange_all));
    /* 3 + 2 ceil(log2 3) 1 + 4/3 2000 / 500 */
    const double expected = 3.0 + 4.0 + 4.0 / 3.0 * 4.0;
    for (net_id id = 1; id <= MEMBERS; id++) {
        const net_sim_account account = sim_case_account(id);
        CHECK_NEAR(after_exchange[id], expected, EXACT);
        CHECK_NEAR(account.computing, id, EXACT);
        CHECK_NEAR(account.waiting, 3.0 - id, EXACT);
        CHECK_NEAR(account.exchanging, expected - 3.0, EXACT);
        CHECK(account.n_bytes == 2666 && account.n_messages == 4);
    }
}

static uint32_t n_done;

/* Two exchanges of all workers, a message from each, and back. */
static void work_in_a_crowd(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 0) {
        n_done += event->kind == NET_MESSAGE;
        if (event->kind == NET_MESSAGE && n_done == SIM_MAX_NODES - 1) {
            net_leave(node);
        }
    } else if (event->kind == NET_STARTED) {
        uint32_t votes = id & 1;
        const net_exchange exchange = {
            .n_members = SIM_MAX_NODES - 1, .vector = vectors[id], .n = LENGTH, .votes = &votes};
        vectors[id][7] = 1.0;
        CHECK_STATUS(net_exchange_sum(node, &exchange), STRADS_OK);
        CHECK(vectors[id][7] == SIM_MAX_NODES - 1);
        CHECK_STATUS(net_exchange_sum(node, &exchange), STRADS_OK);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, HELLO), STRADS_OK);
    }
    sim_case_leave_with_0(node, event);
}

static void a_thousand_machines_work_together(void)
{
    const net_cluster cluster = sim_case_cluster(SIM_MAX_NODES - 1);
    n_done = 0;
    memset(vectors, 0, sizeof(vectors));
    REQUIRE_OK(sim_case_run(&cluster, work_in_a_crowd));
    CHECK(n_done == SIM_MAX_NODES - 1);
    const double exchange = 2.0 * 10.0 + 2.0 * 1023.0 / 1024.0 * 2.0;
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, HELLO), 2.0 * exchange + 1.1, 1e-9);
    CHECK_NEAR(sim_case_end(), 2.0 * exchange + 1.0 + 102.4 + 1.0, 1e-9);
}

/* ---- replay ---- */

static void gossip(net_node *node, const net_event *event)
{
    static uint32_t n_left_to_say;
    const net_id id = net_node_id(node);
    if (id == 0 && event->kind == NET_STARTED) {
        n_left_to_say = 500;
    }
    net_work(node, 0.25);
    if (event->kind == NET_STARTED || event->kind == NET_MESSAGE) {
        for (net_id to = 0; to < 5; to++) {
            if (to != id && n_left_to_say > 0 && (to + id) % 3 != 0) {
                n_left_to_say -= sim_case_send(node, to, to % 2, HELLO) == STRADS_OK;
            }
        }
    }
    if (n_left_to_say == 0 || event->kind == NET_LOST) {
        net_leave(node);
    }
}

static void the_same_seed_gives_the_same_run_to_the_bit(void)
{
    net_fault faults[] = {{.kind = NET_FAULT_STRAGGLE,
                           .first = 0,
                           .last = 4,
                           .to = INFINITY,
                           .factor = 3.0,
                           .every = 2.0,
                           .span = 1.0}};
    net_cluster cluster = sim_case_cluster(4);
    cluster.jitter = 1.0;
    cluster.faults = faults;
    cluster.n_faults = 1;
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++) {
        cluster.seed = i < 2 ? 7 : 8;
        CHECK_STATUS(sim_case_run(&cluster, gossip), STRADS_OK);
        hashes[i] = sim_case_hash();
    }
    CHECK(hashes[0] == hashes[1]);
    CHECK(hashes[0] != hashes[2]);
    for (net_id id = 0; id <= 4; id++) {
        const net_sim_account account = sim_case_account(id);
        CHECK(account.computing + account.idle <= sim_case_end() * (1 + EXACT));
    }
}

SUITE("net/sim", {"a message takes latency and its bytes", a_message_takes_latency_and_its_bytes},
      {"interfaces take one message after another", interfaces_take_one_message_after_another},
      {"a busy node takes control first, then data in order",
       a_busy_node_takes_control_first_then_data_in_order},
      {"messages of different pairs overtake each other",
       messages_of_different_pairs_overtake_each_other},
      {"jitter delays messages and keeps their order",
       jitter_delays_messages_and_keeps_their_order},
      {"a credit comes back when the handler is done in virtual time",
       a_credit_comes_back_when_the_handler_is_done_in_virtual_time},
      {"work takes its units divided by the speed", work_takes_its_units_divided_by_the_speed},
      {"costing by clock counts the time of the thread",
       costing_by_clock_counts_the_time_of_the_thread},
      {"an exchange takes what the worst link of its members allows",
       an_exchange_takes_what_the_worst_link_of_its_members_allows},
      {"a thousand machines work together", a_thousand_machines_work_together},
      {"the same seed gives the same run to the bit", the_same_seed_gives_the_same_run_to_the_bit})

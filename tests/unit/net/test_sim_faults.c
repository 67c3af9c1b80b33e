/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_faults.c - machines that are lost, cut off or slow, and
 * simulations that cannot go on. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

static const double EXACT = 1e-12; /* relative to times of some tens of seconds */

enum { HELLO = 1, SECOND, THIRD, MAX_MEMBERS = 8, MANY = 100 };

static net_cluster with_fault(uint32_t n_workers, net_fault *fault)
{
    net_cluster cluster = sim_case_cluster(n_workers);
    cluster.faults = fault;
    cluster.n_faults = 1;
    return cluster;
}

/* ---- machines that are lost ---- */

/* Worker 1 says something at 0, 3 and 6; what comes back is noted. */
static strads_status status_of_late_send;

static void speak_thrice(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 1 && event->kind == NET_STARTED) {
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, HELLO), STRADS_OK);
        net_work(node, 3.0);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, SECOND), STRADS_OK);
        net_work(node, 3.0);
        status_of_late_send = sim_case_send(node, 0, NET_DATA, THIRD);
    } else if (id == 0 && event->kind == NET_LOST) {
        CHECK_STATUS(sim_case_send(node, 1, NET_DATA, HELLO), STRADS_ERR_CLOSED);
        net_leave(node);
    } else if (id == 0 && event->kind == NET_MESSAGE) {
        CHECK_STATUS(sim_case_send(node, 1, NET_CONTROL, HELLO), STRADS_OK); /* vanishes later */
    }
    sim_case_leave_with_0(node, event);
}

static void what_a_lost_machine_would_send_after_its_end_does_not_leave(void)
{
    net_fault lose = {.kind = NET_FAULT_LOSE, .first = 1, .last = 1, .from = 5.0};
    const net_cluster cluster = with_fault(1, &lose);
    REQUIRE_OK(sim_case_run(&cluster, speak_thrice));
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, HELLO), 1.1, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, SECOND), 4.1, EXACT);
    CHECK(sim_case_count(0, NET_MESSAGE, 1, THIRD) == 0);
    CHECK_STATUS(status_of_late_send, STRADS_ERR_CLOSED);
    CHECK_NEAR(sim_case_time(0, NET_LOST, 1, 0), 15.0, EXACT);
    CHECK(sim_case_count(1, NET_MESSAGE, 0, HELLO) == 0); /* it is past 5 before it looks */
    lose.from = 3.05;                                     /* while SECOND is going out */
    REQUIRE_OK(sim_case_run(&cluster, speak_thrice));
    CHECK(sim_case_count(0, NET_MESSAGE, 1, SECOND) == 0);
}

static void leave_on_any_loss(net_node *node, const net_event *event)
{
    if (event->kind == NET_LOST) {
        net_leave(node);
    }
}

static void a_machine_that_is_lost_at_0_never_starts(void)
{
    for (net_id lost = 1; lost < 3; lost++) {
        net_fault lose = {.kind = NET_FAULT_LOSE, .first = lost, .last = lost};
        const net_cluster cluster = with_fault(2, &lose);
        REQUIRE_OK(sim_case_run(&cluster, leave_on_any_loss));
        for (net_id id = 0; id < 3; id++) {
            CHECK(sim_case_count(id, NET_STARTED, id, 0) == (id != lost));
            CHECK(sim_case_count(id, NET_LOST, lost, 0) == (id != lost));
        }
        CHECK_NEAR(sim_case_end(), 10.0, EXACT);
    }
}

static void lose_machines_to(void *context)
{
    net_fault lose = {.kind = NET_FAULT_LOSE, .last = *(net_id *) context, .from = 2.0};
    const net_cluster cluster = with_fault(2, &lose);
    CHECK_STATUS(sim_case_run(&cluster, leave_on_any_loss), STRADS_ERR_CLOSED);
}

static void a_run_that_loses_its_coordinator_fails_when_the_others_have_left(void)
{
    net_id last = 0;
    char *text = suite_stderr_of(lose_machines_to, &last);
    CHECK_NEAR(sim_case_time(1, NET_LOST, 0, 0), 12.0, EXACT);
    CHECK_NEAR(sim_case_time(2, NET_LOST, 0, 0), 12.0, EXACT);
    CHECK(strstr(text, "strads: error: the coordinator's machine was lost at 2 seconds\n") != NULL);
    strads_free(text);
    last = 2; /* all of them */
    text = suite_stderr_of(lose_machines_to, &last);
    CHECK_NEAR(sim_case_end(), 2.0, EXACT);
    strads_free(text);
}

/* Worker k comes to the exchange at k seconds, and may leave only when it is over. */
static strads_status outcome[MAX_MEMBERS + 1];
static double over[MAX_MEMBERS + 1];
static uint32_t n_members;

static strads_status exchange_hundred(net_node *node)
{
    uint32_t votes = 1;
    double *vector = strads_calloc(MANY, sizeof(*vector)); /* given back, whatever happens */
    if (vector == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const net_exchange exchange = {
        .n_members = n_members, .vector = vector, .n = MANY, .votes = &votes};
    const strads_status status = net_exchange_sum(node, &exchange);
    strads_free(vector);
    return status;
}

static void exchange_and_leave(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 0) {
        net_leave(node);
    } else if (event->kind == NET_STARTED) {
        net_work(node, id);
        outcome[id] = exchange_hundred(node);
        over[id] = strads_now();
        CHECK(outcome[id] == STRADS_OK || exchange_hundred(node) == STRADS_ERR_CLOSED);
        net_leave(node);
    }
}

static strads_status run_exchange(const net_cluster *cluster)
{
    n_members = cluster->n_workers;
    memset(outcome, 0, sizeof(outcome));
    memset(over, 0, sizeof(over));
    return sim_case_run(cluster, exchange_and_leave);
}

/* It is complete at 3, and over at 3 + 4 + 4/3 .8. */
static void a_lost_member_closes_the_exchange_for_all_at_its_time(void)
{
    const double ends[] = {0.5, 1.5, 2.5, 3.5, 8.0};
    for (net_id lost = 1; lost <= 3; lost++) {
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
            net_fault lose = {.kind = NET_FAULT_LOSE, .first = lost, .last = lost, .from = ends[i]};
            const net_cluster cluster = with_fault(3, &lose);
            REQUIRE_OK(run_exchange(&cluster));
            for (net_id id = 1; id <= 3; id++) {
                CHECK_STATUS(outcome[id], STRADS_ERR_CLOSED);
                const double expected = id == lost ? fmax(ends[i], id) : ends[i] + 10.0;
                CHECK_NEAR(over[id], expected, EXACT);
            }
        }
    }
}

static void a_loss_after_the_exchange_is_none_of_its_business(void)
{
    net_fault lose = {.kind = NET_FAULT_LOSE, .first = 2, .last = 2, .from = 9.0};
    const net_cluster cluster = with_fault(3, &lose);
    REQUIRE_OK(run_exchange(&cluster));
    for (net_id id = 1; id <= 3; id++) {
        CHECK_STATUS(outcome[id], STRADS_OK);
        CHECK_NEAR(over[id], 3.0 + 4.0 + 4.0 / 3.0 * 0.8, EXACT);
    }
}

static void exchange_without_worker_2(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (event->kind == NET_STARTED && (id == 1 || id == 3)) {
        CHECK_STATUS(exchange_hundred(node), STRADS_ERR_CLOSED);
        over[id] = strads_now();
    }
    if (event->kind == NET_STARTED) {
        net_work(node, id == 2 ? 1.5 : 0.0);
        net_leave(node);
    }
}

static void a_member_that_leaves_closes_the_exchange_when_it_is_heard_of(void)
{
    const net_cluster cluster = sim_case_cluster(3);
    n_members = 3;
    REQUIRE_OK(sim_case_run(&cluster, exchange_without_worker_2));
    CHECK_NEAR(over[1], 2.5, EXACT);
    CHECK_NEAR(over[3], 2.5, EXACT);
}

/* ---- cuts ---- */

/* Worker 1 sends at 0, 2 and 4; node 0 leaves when it has all, or lost it. */
static void speak_in_time(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 1 && event->kind == NET_STARTED) {
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, HELLO), STRADS_OK);
        net_work(node, 2.0);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, SECOND), STRADS_OK);
        net_work(node, 2.0);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, THIRD), STRADS_OK);
    } else if (id == 0 && event->kind == NET_MESSAGE && event->message->type == THIRD) {
        net_leave(node);
    } else if (event->kind == NET_LOST) {
        CHECK_STATUS(sim_case_send(node, event->peer, NET_DATA, HELLO), STRADS_ERR_CLOSED);
        net_leave(node);
    }
}

static void messages_wait_for_a_cut_to_heal(void)
{
    net_fault cut = {.kind = NET_FAULT_CUT, .first = 1, .last = 1, .from = 1.0, .to = 11.0};
    const net_cluster cluster = with_fault(1, &cut);
    REQUIRE_OK(sim_case_run(&cluster, speak_in_time));
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, HELLO), 1.1, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, SECOND), 12.1, EXACT);
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, THIRD), 12.2, EXACT);
    CHECK(sim_case_count(0, NET_LOST, 1, 0) == 0);
    CHECK_NEAR(sim_case_time(1, NET_LOST, 0, 0), 13.2, EXACT);
}

static void a_cut_beyond_the_timeout_parts_both_sides_for_good(void)
{
    net_fault cut = {.kind = NET_FAULT_CUT, .first = 1, .last = 1, .from = 1.0, .to = 11.5};
    const net_cluster cluster = with_fault(1, &cut);
    REQUIRE_OK(sim_case_run(&cluster, speak_in_time));
    CHECK_NEAR(sim_case_time(0, NET_MESSAGE, 1, HELLO), 1.1, EXACT);
    CHECK(sim_case_count(0, NET_MESSAGE, 1, SECOND) == 0);
    CHECK(sim_case_count(0, NET_MESSAGE, 1, THIRD) == 0);
    CHECK_NEAR(sim_case_time(0, NET_LOST, 1, 0), 11.0, EXACT);
    CHECK_NEAR(sim_case_time(1, NET_LOST, 0, 0), 11.0, EXACT);
}

static void leave_at_once(net_node *node, const net_event *event)
{
    if (net_node_id(node) == 1 || event->kind == NET_LOST) {
        net_leave(node);
    }
}

static void the_end_of_a_machine_is_heard_once_the_cut_has_healed(void)
{
    net_fault cut = {.kind = NET_FAULT_CUT, .first = 1, .last = 2, .to = 5.0};
    const net_cluster cluster = with_fault(2, &cut);
    REQUIRE_OK(sim_case_run(&cluster, leave_at_once));
    CHECK_NEAR(sim_case_time(2, NET_LOST, 1, 0), 1.0, EXACT); /* on the same side */
    CHECK_NEAR(sim_case_time(0, NET_LOST, 1, 0), 6.0, EXACT);
}

static void an_exchange_waits_for_a_cut_to_heal(void)
{
    net_fault cut = {.kind = NET_FAULT_CUT, .first = 2, .last = 2, .from = 2.0, .to = 6.0};
    const net_cluster cluster = with_fault(3, &cut);
    REQUIRE_OK(run_exchange(&cluster));
    for (net_id id = 1; id <= 3; id++) {
        CHECK_STATUS(outcome[id], STRADS_OK);
        CHECK_NEAR(over[id], 6.0 + 4.0 + 4.0 / 3.0 * 0.8, EXACT);
    }
    cut.first = 0; /* does not part the members */
    cut.last = 0;
    REQUIRE_OK(run_exchange(&cluster));
    CHECK_NEAR(over[1], 3.0 + 4.0 + 4.0 / 3.0 * 0.8, EXACT);
}

static void an_exchange_over_a_final_cut_is_closed_on_both_sides(void)
{
    net_fault cut = {.kind = NET_FAULT_CUT, .first = 2, .last = 3, .from = 2.0, .to = INFINITY};
    const net_cluster cluster = with_fault(3, &cut);
    REQUIRE_OK(run_exchange(&cluster));
    for (net_id id = 1; id <= 3; id++) {
        CHECK_STATUS(outcome[id], STRADS_ERR_CLOSED);
        CHECK_NEAR(over[id], 12.0, EXACT);
    }
}

/* ---- slow machines ---- */

static double begun, ended;

static void work_a_while(net_node *node, const net_event *event)
{
    if (event->kind == NET_STARTED && net_node_id(node) == 1) {
        net_work(node, begun);
        net_work(node, 10.0);
        ended = strads_now();
    }
    net_leave(node);
}

static void the_speed_counts_as_it_changes_within_a_piece_of_work(void)
{
    net_fault slow = {
        .kind = NET_FAULT_SLOW, .first = 1, .last = 1, .from = 4.0, .to = 10.0, .factor = 3.0};
    const net_cluster cluster = with_fault(1, &slow);
    begun = 0.0; /* 4 before, 2 in it, 4 after it */
    REQUIRE_OK(sim_case_run(&cluster, work_a_while));
    CHECK_NEAR(ended, 14.0, EXACT);
    slow.to = INFINITY;
    REQUIRE_OK(sim_case_run(&cluster, work_a_while));
    CHECK_NEAR(ended, 22.0, EXACT);
    slow.first = slow.last = 0; /* another machine */
    REQUIRE_OK(sim_case_run(&cluster, work_a_while));
    CHECK_NEAR(ended, 10.0, EXACT);
}

static void work_long(net_node *node, const net_event *event)
{
    (void) event;
    net_work(node, 1e5);
    net_leave(node);
}

/* Of a long time span / every is slow: work w takes w / (1 - s + s / f). */
static void stragglers_come_as_often_as_they_should(void)
{
    net_fault straggle = {.kind = NET_FAULT_STRAGGLE,
                          .first = 1,
                          .last = 2,
                          .to = INFINITY,
                          .factor = 4.0,
                          .every = 10.0,
                          .span = 4.0};
    const net_cluster cluster = with_fault(2, &straggle);
    REQUIRE_OK(sim_case_run(&cluster, work_long));
    const double expected = 1e5 / (1.0 - 0.4 + 0.4 / 4.0);
    CHECK_NEAR(sim_case_account(0).computing, 1e5, 1e-6);
    CHECK_NEAR(sim_case_account(1).computing, expected, 0.02 * expected);
    CHECK_NEAR(sim_case_account(2).computing, expected, 0.02 * expected);
    CHECK(sim_case_account(1).computing != sim_case_account(2).computing);
    straggle.every = straggle.span; /* always */
    REQUIRE_OK(sim_case_run(&cluster, work_long));
    CHECK_NEAR(sim_case_account(1).computing, 4e5, 1e-4);
}

/* ---- what cannot go on ---- */

static void wait_for_nothing(net_node *node, const net_event *event)
{
    const net_id id = net_node_id(node);
    if (id == 1 && event->kind == NET_STARTED) {
        net_work(node, 1.5);
        CHECK_STATUS(exchange_hundred(node), STRADS_ERR_CLOSED);
        CHECK_STATUS(sim_case_send(node, 0, NET_DATA, HELLO), STRADS_ERR_CLOSED);
        net_leave(node);
    }
}

static void run_into_a_standstill(void *context)
{
    const net_cluster cluster = sim_case_cluster(*(uint32_t *) context);
    n_members = 2;
    CHECK_STATUS(sim_case_run(&cluster, wait_for_nothing), STRADS_ERR_CLOSED);
}

static void a_standstill_is_an_error_that_names_who_waits(void)
{
    uint32_t n_workers = 2;
    char *text = suite_stderr_of(run_into_a_standstill, &n_workers);
    CHECK(strstr(text, "strads: error: the simulated cluster stands still at 0 seconds: "
                       "machine 0 waits for a message, "
                       "machine 1 waits for an exchange of 2 with 1 there, "
                       "machine 2 waits for a message\n") != NULL);
    strads_free(text);
    n_workers = SIM_MAX_NODES - 1;
    text = suite_stderr_of(run_into_a_standstill, &n_workers);
    CHECK(strstr(text, "machine 7 waits for a message, and so on\n") != NULL);
    strads_free(text);
}

static void every_failed_allocation_of_create_is_reported_and_leaks_nothing(void)
{
    const size_t live = strads_mem_live();
    size_t n_failed = 0;
    while (n_failed < 100) {
        net_fault slow = {.kind = NET_FAULT_SLOW, .last = 2, .to = 4.0, .factor = 3.0};
        const net_cluster cluster = with_fault(2, &slow);
        const net_options options = {.n_nodes = 3, .queue_messages = 4, .cluster = &cluster};
        net *network = NULL;
        strads_mem_fail_after(n_failed + 1);
        const strads_status status = net_create(&network, "sim", &options);
        strads_mem_fail_after(0);
        if (status == STRADS_OK) {
            net_destroy(network);
            break;
        }
        CHECK_STATUS(status, STRADS_ERR_NOMEM);
        CHECK(network == NULL && strads_mem_live() == live);
        n_failed++;
    }
    CHECK(n_failed >= 10 && n_failed < 100);
    CHECK(strads_mem_live() == live);
}

/* Each to all others, until that fails; then an exchange, and work. */
static void talk_and_exchange(void *self, net_node *node, const net_event *event)
{
    (void) self;
    const net_id id = net_node_id(node);
    if (event->kind == NET_STARTED) {
        for (net_id to = 0; to <= MAX_MEMBERS; to++) {
            for (int i = 0; i < 4 && to != id; i++) {
                (void) !sim_case_send(node, to, NET_DATA, HELLO);
            }
        }
        if (id > 0) {
            (void) !exchange_hundred(node);
        }
        net_work(node, 50.0);
        net_leave(node);
    }
}

static void a_run_without_memory_ends_and_leaks_nothing(void)
{
    const net_cluster cluster = sim_case_cluster(MAX_MEMBERS);
    const net_options options = {
        .n_nodes = MAX_MEMBERS + 1, .queue_messages = 4, .cluster = &cluster};
    const size_t live = strads_mem_live();
    size_t n_ended = 0;
    n_members = MAX_MEMBERS;
    for (size_t fail_at = 1; fail_at < 400; fail_at++) {
        net *network = NULL;
        REQUIRE_OK(net_create(&network, "sim", &options));
        for (net_id id = 0; id <= MAX_MEMBERS; id++) {
            net_attach(network, id, talk_and_exchange, NULL);
        }
        strads_mem_fail_after(fail_at);
        const strads_status status = net_run(network);
        strads_mem_fail_after(0);
        net_destroy(network);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
        n_ended += status == STRADS_ERR_NOMEM;
    }
    CHECK(n_ended > 0);
}

SUITE("net/sim_faults",
      {"what a lost machine would send after its end does not leave",
       what_a_lost_machine_would_send_after_its_end_does_not_leave},
      {"a machine that is lost at 0 never starts", a_machine_that_is_lost_at_0_never_starts},
      {"a run that loses its coordinator fails when the others have left",
       a_run_that_loses_its_coordinator_fails_when_the_others_have_left},
      {"a lost member closes the exchange for all, at its time",
       a_lost_member_closes_the_exchange_for_all_at_its_time},
      {"a loss after the exchange is none of its business",
       a_loss_after_the_exchange_is_none_of_its_business},
      {"a member that leaves closes the exchange when it is heard of",
       a_member_that_leaves_closes_the_exchange_when_it_is_heard_of},
      {"messages wait for a cut to heal", messages_wait_for_a_cut_to_heal},
      {"a cut beyond the timeout parts both sides for good",
       a_cut_beyond_the_timeout_parts_both_sides_for_good},
      {"the end of a machine is heard once the cut has healed",
       the_end_of_a_machine_is_heard_once_the_cut_has_healed},
      {"an exchange waits for a cut to heal", an_exchange_waits_for_a_cut_to_heal},
      {"an exchange over a final cut is closed on both sides",
       an_exchange_over_a_final_cut_is_closed_on_both_sides},
      {"the speed counts as it changes within a piece of work",
       the_speed_counts_as_it_changes_within_a_piece_of_work},
      {"stragglers come as often as they should", stragglers_come_as_often_as_they_should},
      {"a standstill is an error that names who waits",
       a_standstill_is_an_error_that_names_who_waits},
      {"every failed allocation of create is reported and leaks nothing",
       every_failed_allocation_of_create_is_reported_and_leaks_nothing},
      {"a run without memory ends and leaks nothing", a_run_without_memory_ends_and_leaks_nothing})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/net/test_exchange.c - exchanges that somebody leaves: all members get to
 * the end of one or none does.
 */
#include <stdatomic.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

enum { MAX_MEMBERS = 8, LENGTH = 512, TRIES = 40, EXCHANGES = 20 };

static const char *driver = "threads";

/* One net after another; handlers count, since CUnit counts on one thread only. */
static uint32_t n_members, n_workers, n_lost;
static net_id leaver;
static _Atomic uint32_t n_closed, n_wrong;
static _Atomic uint32_t n_through[EXCHANGES + 1]; /* members let through an exchange */

/* The vector is freed at once: a member that still reads it, though its owner was told
 * CLOSED, is seen by the address sanitizer. */
static strads_status exchange_once(net_node *node)
{
    double *vector = calloc(LENGTH, sizeof(*vector));
    uint32_t votes = 0;
    const net_exchange exchange = {
        .n_members = n_members, .vector = vector, .n = LENGTH, .votes = &votes};
    for (size_t i = 0; vector != NULL && i < LENGTH; i++) {
        vector[i] = 1.0;
    }
    const strads_status status =
        vector == NULL ? STRADS_ERR_NOMEM : net_exchange_sum(node, &exchange);
    for (size_t i = 0; status == STRADS_OK && i < LENGTH; i++) {
        atomic_fetch_add(&n_wrong, vector[i] != n_members);
    }
    free(vector);
    return status;
}

/* A member that leaves does so after EXCHANGES; another, at any moment. */
static void work(void *self, net_node *node, const net_event *event)
{
    (void) self;
    if (event->kind != NET_STARTED) {
        return;
    }
    const net_id id = net_node_id(node);
    strads_status status = STRADS_OK;
    for (int i = 0; id <= n_members && status == STRADS_OK && (id != leaver || i < EXCHANGES);
         i++) {
        status = exchange_once(node);
        if (i < EXCHANGES && status == STRADS_OK) {
            atomic_fetch_add(&n_through[i], 1);
        }
    }
    if (id != leaver) {
        atomic_fetch_add(&n_wrong, status != STRADS_ERR_CLOSED);
        atomic_fetch_add(&n_closed, 1);
    }
    net_leave(node);
}

static void wait_for_all(void *self, net_node *node, const net_event *event)
{
    (void) self;
    n_lost += event->kind == NET_LOST;
    if (n_lost == n_workers) {
        net_leave(node);
    }
}

static void run(void)
{
    const net_cluster cluster = sim_case_cluster(n_workers);
    const net_options options = {
        .n_nodes = n_workers + 1, .queue_messages = 1, .cluster = &cluster};
    net *network = NULL;
    n_lost = 0;
    atomic_store(&n_closed, 0);
    atomic_store(&n_wrong, 0);
    for (int i = 0; i < EXCHANGES; i++) {
        atomic_store(&n_through[i], 0);
    }
    alarm(60); /* a hang is a failure */
    REQUIRE_OK(net_create(&network, driver, &options));
    net_attach(network, NET_COORDINATOR, wait_for_all, NULL);
    for (net_id id = 1; id <= n_workers; id++) {
        net_attach(network, id, work, NULL);
    }
    REQUIRE_OK(net_run(network));
    net_destroy(network);
    alarm(0);
    CHECK(atomic_load(&n_wrong) == 0);
    CHECK(atomic_load(&n_closed) == n_workers - 1);
    for (int i = 0; i < EXCHANGES; i++) {
        const uint32_t n = atomic_load(&n_through[i]);
        CHECK(n == 0 || n == n_members);
    }
}

static void a_member_that_leaves_closes_the_next_exchange_for_all_others(void)
{
    for (n_members = 2; n_members <= MAX_MEMBERS; n_members++) {
        n_workers = n_members;
        for (leaver = 1; leaver <= n_members; leaver++) {
            run();
            CHECK(atomic_load(&n_through[EXCHANGES - 1]) == n_members);
        }
    }
}

static void on_simulated_machines_too(void)
{
    driver = "sim";
    a_member_that_leaves_closes_the_next_exchange_for_all_others();
    driver = "threads";
}

static void a_worker_beside_the_members_closes_one_for_all_or_for_none(void)
{
    for (n_members = 2; n_members < MAX_MEMBERS; n_members += 2) {
        n_workers = n_members + 1;
        leaver = n_workers;
        for (int i = 0; i < TRIES; i++) {
            run();
        }
    }
}

SUITE("net/exchange",
      {"a member that leaves closes the next exchange for all others",
       a_member_that_leaves_closes_the_next_exchange_for_all_others},
      {"a member that leaves does so on simulated machines too", on_simulated_machines_too},
      {"a worker beside the members closes one for all or for none",
       a_worker_beside_the_members_closes_one_for_all_or_for_none})

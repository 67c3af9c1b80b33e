/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_net.c - what a trip to all workers and an exchange among them cost, in
 * real time, on the drivers threads and sim. One JSON line a case; asserts nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/cluster.h"

enum { GO = 1, BACK, CLOSE };

typedef struct bench {
    const char *driver;
    uint32_t n_workers, n_times;
    size_t n; /* doubles exchanged */
    uint32_t n_back, n_trips;
    double started, trip_us, exchange_us;
} bench;

typedef struct member {
    bench *shared;
    double *vector, *base;
} member;

/* Under sim strads_now is virtual, and all is on one thread. */
static double now(const bench *self)
{
    return strcmp(self->driver, "sim") == 0 ? strads_thread_seconds() : strads_now();
}

static void must_send(net_node *node, net_id to, uint32_t type, net_lane lane)
{
    net_message *message = net_message_create(type, lane, 64);
    if (message == NULL || net_send(node, to, message) != STRADS_OK) {
        fprintf(stderr, "bench_net: cannot send\n");
        exit(1);
    }
}

static void send_all(bench *self, net_node *node, uint32_t type)
{
    for (uint32_t k = 1; k <= self->n_workers; k++) {
        must_send(node, k, type, NET_DATA);
    }
}

static void on_coordinator(void *state, net_node *node, const net_event *event)
{
    bench *self = state;
    if (event->kind == NET_STARTED) {
        self->started = now(self);
        send_all(self, node, GO);
    } else if (event->kind == NET_LOST) {
        self->n_back++;
        if (self->n_back == self->n_workers) {
            net_leave(node);
        }
    } else if (++self->n_back == self->n_workers) {
        self->n_back = 0;
        self->n_trips++;
        if (self->n_trips == self->n_times) {
            self->trip_us = 1e6 * (now(self) - self->started) / self->n_times;
        }
        send_all(self, node, self->n_trips == self->n_times ? CLOSE : GO);
    }
}

static void exchange(member *self, net_node *node)
{
    uint32_t votes = 0;
    const net_exchange sum = {.n_members = self->shared->n_workers,
                              .vector = self->vector,
                              .base = self->base,
                              .n = self->shared->n,
                              .votes = &votes};
    const double before = now(self->shared);
    for (uint32_t i = 0; i < self->shared->n_times; i++) {
        memcpy(self->base, self->vector, self->shared->n * sizeof(double));
        if (net_exchange_sum(node, &sum) != STRADS_OK) {
            exit(1);
        }
    }
    if (net_node_id(node) == 1) {
        self->shared->exchange_us = 1e6 * (now(self->shared) - before) / self->shared->n_times;
    }
}

static void on_worker(void *state, net_node *node, const net_event *event)
{
    member *self = state;
    if (event->kind == NET_MESSAGE && event->message->type == GO) {
        must_send(node, NET_COORDINATOR, BACK, NET_DATA);
    } else if (event->kind == NET_MESSAGE) {
        exchange(self, node);
        net_leave(node);
    }
}

static void run_net(bench *shared, member *members)
{
    enum { MAX_NODES = 1025 };
    static double speed[MAX_NODES];
    for (int i = 0; i < MAX_NODES; i++) {
        speed[i] = 1.0;
    }
    const net_cluster cluster = {.n_workers = shared->n_workers,
                                 .link = {.latency = 1e-4, .bandwidth = 1.25e9},
                                 .speed = speed,
                                 .timeout = 1.0,
                                 .unit_ns = 1.0};
    const net_options options = {
        .n_nodes = shared->n_workers + 1, .queue_messages = 4, .cluster = &cluster};
    net *network = NULL;
    if (net_create(&network, shared->driver, &options) != STRADS_OK) {
        exit(1);
    }
    net_attach(network, NET_COORDINATOR, on_coordinator, shared);
    for (uint32_t k = 0; k < shared->n_workers; k++) {
        net_attach(network, k + 1, on_worker, &members[k]);
    }
    if (net_run(network) != STRADS_OK) {
        exit(1);
    }
    net_destroy(network);
}

static void run(const char *driver, uint32_t n_workers, uint32_t n_times, size_t n)
{
    bench shared = {.driver = driver, .n_workers = n_workers, .n_times = n_times, .n = n};
    member *members = strads_calloc(n_workers, sizeof(*members));
    for (uint32_t k = 0; members != NULL && k < n_workers; k++) {
        members[k] = (member){.shared = &shared,
                              .vector = strads_calloc(n, sizeof(double)),
                              .base = strads_calloc(n, sizeof(double))};
    }
    if (members == NULL || members[n_workers - 1].base == NULL) {
        exit(1);
    }
    run_net(&shared, members);
    for (uint32_t k = 0; k < n_workers; k++) {
        strads_free(members[k].vector);
        strads_free(members[k].base);
    }
    strads_free(members);
    printf("{\"bench\":\"net\",\"driver\":\"%s\",\"workers\":%u,\"doubles\":%zu,"
           "\"trip_us\":%.2f,\"exchange_us\":%.2f}\n",
           driver, n_workers, n, shared.trip_us, shared.exchange_us);
}

int main(void)
{
    run("threads", 1, 20000, 5000);
    run("threads", 2, 20000, 1);
    run("threads", 2, 20000, 5000);
    run("threads", 4, 20000, 5000);
    run("sim", 1, 20000, 5000);
    run("sim", 2, 20000, 1);
    run("sim", 2, 20000, 5000);
    run("sim", 64, 1000, 1);
    run("sim", 64, 1000, 5000);
    run("sim", 1024, 50, 1);
    run("sim", 1024, 50, 5000);
    return 0;
}

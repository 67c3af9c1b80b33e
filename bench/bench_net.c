/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_net.c - what a trip to a worker and an exchange among workers cost on
 * the threads driver. One JSON line a case; asserts nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/net.h"

enum { TRIPS = 20000, EXCHANGES = 20000, GO = 1, BACK, CLOSE };

typedef struct bench {
    uint32_t n_workers;
    size_t n; /* doubles exchanged */
    uint32_t n_back, n_trips;
    double started, trip_us, exchange_us;
} bench;

typedef struct member {
    bench *shared;
    double *vector, *base;
} member;

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
        self->started = strads_now();
        send_all(self, node, GO);
    } else if (event->kind == NET_LOST) {
        self->n_back++;
        if (self->n_back == self->n_workers) {
            net_leave(node);
        }
    } else if (++self->n_back == self->n_workers) {
        self->n_back = 0;
        self->n_trips++;
        if (self->n_trips == TRIPS) {
            self->trip_us = 1e6 * (strads_now() - self->started) / TRIPS;
        }
        send_all(self, node, self->n_trips == TRIPS ? CLOSE : GO);
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
    const double before = strads_now();
    for (int i = 0; i < EXCHANGES; i++) {
        memcpy(self->base, self->vector, self->shared->n * sizeof(double));
        if (net_exchange_sum(node, &sum) != STRADS_OK) {
            exit(1);
        }
    }
    if (net_node_id(node) == 1) {
        self->shared->exchange_us = 1e6 * (strads_now() - before) / EXCHANGES;
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

static void run(uint32_t n_workers, size_t n)
{
    const net_options options = {.n_nodes = n_workers + 1, .queue_messages = 4};
    bench shared = {.n_workers = n_workers, .n = n};
    member *members = strads_calloc(n_workers, sizeof(*members));
    net *network = NULL;
    if (members == NULL || net_create(&network, "threads", &options) != STRADS_OK) {
        exit(1);
    }
    net_attach(network, NET_COORDINATOR, on_coordinator, &shared);
    for (uint32_t k = 0; k < n_workers; k++) {
        members[k] = (member){.shared = &shared,
                              .vector = strads_calloc(n, sizeof(double)),
                              .base = strads_calloc(n, sizeof(double))};
        net_attach(network, k + 1, on_worker, &members[k]);
    }
    if (net_run(network) != STRADS_OK) {
        exit(1);
    }
    net_destroy(network);
    for (uint32_t k = 0; k < n_workers; k++) {
        strads_free(members[k].vector);
        strads_free(members[k].base);
    }
    strads_free(members);
    printf("{\"bench\":\"net\",\"driver\":\"threads\",\"workers\":%u,\"doubles\":%zu,"
           "\"trip_us\":%.2f,\"exchange_us\":%.2f}\n",
           n_workers, n, shared.trip_us, shared.exchange_us);
}

int main(void)
{
    run(1, 5000);
    run(2, 1);
    run(2, 5000);
    run(4, 5000);
    return 0;
}

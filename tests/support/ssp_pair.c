/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/ssp_pair.c - see ssp_pair.h. */
#include "tests/support/ssp_pair.h"

#include "base/mem.h"
#include "tests/support/suite.h"

static void close_member(ssp_member *self, net_node *node)
{
    ssp_session_close(self->session);
    self->session = NULL;
    net_leave(node);
}

static void on_worker(void *state, net_node *node, const net_event *event)
{
    ssp_member *self = state;
    if (event->kind == NET_STARTED) {
        self->status = ssp_session_open(&self->session, self->store, self->rank);
        self->status = self->status == STRADS_OK ? self->of->act(self, node) : self->status;
        net_message *message = net_message_create(1, NET_DATA, 0);
        if (message == NULL || net_send(node, NET_COORDINATOR, message) != STRADS_OK) {
            net_message_destroy(message);
            close_member(self, node);
        }
    } else if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        close_member(self, node);
    }
}

static void on_coordinator(void *state, net_node *node, const net_event *event)
{
    ssp_pair *self = state;
    self->n_done += event->kind != NET_STARTED;
    if (self->n_done == 2) {
        net_leave(node);
    }
}

void ssp_pair_run_within(ssp_pair *self, const net_cluster *cluster, double bandwidth,
                         ssp_pair_act *act)
{
    static const uint32_t firsts[] = {0, 1, 2};
    const net_options options = {.n_nodes = 3, .queue_messages = 4, .cluster = cluster};
    const size_t live = strads_mem_live();
    *self = (ssp_pair){.act = act};
    REQUIRE_OK(net_create(&self->network, "sim", &options));
    net_attach(self->network, NET_COORDINATOR, on_coordinator, self);
    for (uint32_t i = 0; i < 2; i++) {
        const ssp_place place = {.network = self->network,
                                 .n_parts = 2,
                                 .me = i,
                                 .firsts = firsts,
                                 .bandwidth = bandwidth};
        self->members[i] = (ssp_member){.of = self, .rank = i};
        REQUIRE_OK(ssp_store_create_at(&self->members[i].store, &place));
        net_attach(self->network, i + 1, on_worker, &self->members[i]);
    }
    self->ended = net_run(self->network);
    for (uint32_t i = 0; i < 2; i++) {
        ssp_session_close(self->members[i].session); /* of a machine that was lost */
        ssp_store_destroy(self->members[i].store);
    }
    net_destroy(self->network);
    CHECK(strads_mem_live() == live);
}

void ssp_pair_run(ssp_pair *self, const net_cluster *cluster, ssp_pair_act *act)
{
    ssp_pair_run_within(self, cluster, 0.0, act);
}

strads_status ssp_pair_open(ssp_member *self, const ssp_table_options *options)
{
    return ssp_table_open(&self->table, self->session, "t", options);
}

uint64_t ssp_pair_key_from(const ssp_member *self, uint32_t part, uint64_t first)
{
    while (ssp_store_part(self->store, first) != part) {
        first++;
    }
    return first;
}

uint64_t ssp_pair_key(const ssp_member *self, uint32_t part)
{
    return ssp_pair_key_from(self, part, 0);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/sim_case.c - runs small simulated clusters and notes what happens. */
#include "tests/support/sim_case.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/suite.h"

enum { MAX_SEEN = 1 << 16 };

static double speeds[SIM_MAX_NODES];
static sim_seen seen[MAX_SEEN];
static size_t n_seen;
static uint64_t hash;
static double end;
static net_sim_account accounts[SIM_MAX_NODES];
static sim_act act_of_case;

net_cluster sim_case_cluster(uint32_t n_workers)
{
    REQUIRE(n_workers < SIM_MAX_NODES);
    for (uint32_t i = 0; i <= n_workers; i++) {
        speeds[i] = 1.0;
    }
    return (net_cluster){.n_workers = n_workers,
                         .seed = 1,
                         .link = {.latency = 1.0, .bandwidth = 1000.0},
                         .speed = speeds,
                         .timeout = 10.0,
                         .unit_ns = 1e9};
}

/* FNV-1a, bytewise. */
static void stir(const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    }
}

static void note_and_act(void *self, net_node *node, const net_event *event)
{
    (void) self;
    const sim_seen this = {.time = strads_now(),
                           .node = net_node_id(node),
                           .kind = event->kind,
                           .peer = event->peer,
                           .type = event->message == NULL ? 0 : event->message->type};
    stir(&this.time, sizeof(this.time));
    const uint32_t words[] = {this.node, this.kind, this.peer, this.type};
    stir(words, sizeof(words));
    if (n_seen < MAX_SEEN) {
        seen[n_seen++] = this;
    }
    act_of_case(node, event);
}

strads_status sim_case_run(const net_cluster *cluster, sim_act act)
{
    const net_options options = {
        .n_nodes = cluster->n_workers + 1, .queue_messages = 4, .cluster = cluster};
    const size_t live_before = strads_mem_live();
    net *network = NULL;
    n_seen = 0;
    hash = UINT64_C(14695981039346656037);
    act_of_case = act;
    REQUIRE_OK(net_create(&network, "sim", &options));
    CHECK_NEAR(strads_now(), 0.0, 0.0);
    for (net_id id = 0; id < options.n_nodes; id++) {
        net_attach(network, id, note_and_act, NULL);
    }
    const strads_status status = net_run(network);
    end = strads_now();
    for (net_id id = 0; id < options.n_nodes; id++) {
        accounts[id] = net_sim_report(network, id);
    }
    net_destroy(network);
    CHECK(strads_mem_live() == live_before);
    return status;
}

static bool is(const sim_seen *this, const sim_seen *wanted)
{
    return this->node == wanted->node && this->kind == wanted->kind && this->peer == wanted->peer &&
           this->type == wanted->type;
}

double sim_case_time(net_id node, net_event_kind kind, net_id peer, uint32_t type)
{
    const sim_seen wanted = {.node = node, .kind = kind, .peer = peer, .type = type};
    for (size_t i = 0; i < n_seen; i++) {
        if (is(&seen[i], &wanted)) {
            return seen[i].time;
        }
    }
    return NAN;
}

size_t sim_case_count(net_id node, net_event_kind kind, net_id peer, uint32_t type)
{
    const sim_seen wanted = {.node = node, .kind = kind, .peer = peer, .type = type};
    size_t n = 0;
    for (size_t i = 0; i < n_seen; i++) {
        n += is(&seen[i], &wanted);
    }
    return n;
}

double sim_case_end(void)
{
    return end;
}

net_sim_account sim_case_account(net_id machine)
{
    return accounts[machine];
}

uint64_t sim_case_hash(void)
{
    return hash;
}

strads_status sim_case_send(net_node *node, net_id to, net_lane lane, uint32_t type)
{
    net_message *message = net_message_create(type, lane, SIM_BODY);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memset(message->body, 0, SIM_BODY);
    const strads_status status = net_send(node, to, message);
    if (status != STRADS_OK) {
        net_message_destroy(message);
    }
    return status;
}

void sim_case_leave_with_0(net_node *node, const net_event *event)
{
    if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        net_leave(node);
    }
}

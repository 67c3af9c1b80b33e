/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_service.c - services of simulated machines, and waiting for them.
 *
 * A machine's services run beside its handler, on a clock of their own: a message that arrives
 * is handled at once, what it changes is seen from then on, and what it sends departs when
 * the work is done. A handler that waits goes on when the loop has come to its own time.
 */
#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "net/sim_state.h"

net_node *sim_node_of(net *base, net_id id)
{
    return &((sim_net *) base)->nodes[id].head;
}

void sim_give(sim_net *network, sim_node *to, net_message *message)
{
    const bool timed = network->cluster->costing == NET_COST_CLOCK;
    sim_count_handled(network, to, message);
    const double mark = timed ? strads_thread_seconds() : 0.0;
    to->serving = true;
    to->service_clock = fmax(to->service_clock, network->now);
    net_node_serve(&to->head, message);
    if (timed) {
        sim_advance(to, strads_thread_seconds() - mark);
    }
    to->serving = false;
}

static double time_of(const sim_node *node)
{
    return node->serving ? node->service_clock : node->clock;
}

strads_status sim_tell(net *base, net_id id, net_id to, net_message *message)
{
    sim_node *from = &((sim_net *) base)->nodes[id];
    strads_status status = STRADS_ERR_CLOSED;
    if (!from->serving) {
        sim_enter_driver(from);
    }
    if (sim_is_out(from) || sim_set_has(from->gone, to)) {
        net_message_destroy(message);
    } else {
        status = sim_send_at(from, to, message, time_of(from));
    }
    if (!from->serving) {
        sim_leave_driver(from);
    }
    return status;
}

static void go_on(sim_net *network, sim_node *node, double time)
{
    if (node->waits && !node->ready) {
        node->ready = true;
        sim_post(network, (sim_event){.kind = SIM_READY, .time = time, .node = node->head.id});
    }
}

void sim_wake_waiter(net *base, net_id id)
{
    sim_net *network = (sim_net *) base;
    sim_node *node = &network->nodes[id];
    const double now = node->serving ? node->service_clock : network->now;
    go_on(network, node, fmax(now, node->clock));
}

void sim_close_wait(sim_net *network, sim_node *node)
{
    node->closed = true;
    go_on(network, node, fmax(network->now, node->clock));
}

/* The handler goes on when it is woken. */
static void pause_node(sim_node *node)
{
    node->waits = true;
    net_fiber_wait(node->fiber);
    node->waits = false;
}

/* Lets the loop come to the node's time, so that all that has come by then is there. */
static void catch_up(sim_net *network, sim_node *node)
{
    if (node->clock > network->now && !sim_is_out(node)) {
        node->waits = true;
        go_on(network, node, node->clock);
        pause_node(node);
    }
}

static strads_status wait_until(sim_net *network, sim_node *node, double until,
                                bool (*over)(void *context), void *context)
{
    node->n_waits++;
    catch_up(network, node);
    if (until > node->clock && until < INFINITY && !over(context)) {
        sim_post(network, (sim_event){.kind = SIM_LIMIT,
                                      .time = until,
                                      .node = node->head.id,
                                      .peer = node->n_waits});
    }
    while (!over(context)) {
        if (sim_is_out(node) || node->closed) {
            return STRADS_ERR_CLOSED;
        }
        if (node->clock >= until) {
            return STRADS_ERR_AGAIN;
        }
        pause_node(node);
    }
    return STRADS_OK;
}

strads_status sim_wait(net *base, net_id id, double seconds, bool (*over)(void *context),
                       void *context)
{
    sim_net *network = (sim_net *) base;
    sim_node *node = &network->nodes[id];
    assert(network->running == node && !node->serving);
    sim_enter_driver(node);
    const strads_status status = wait_until(network, node, node->clock + seconds, over, context);
    sim_leave_driver(node);
    return status;
}

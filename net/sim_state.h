/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_state.h - the state of a simulated cluster, shared by the files of the
 * driver: sim.c (life, time, the loop of events), sim_messages.c, sim_exchange.c and
 * sim_service.c.
 *
 * A handler runs through at one moment of the loop, while its machine's own clock goes
 * ahead by the work it does; what it sends departs by that clock. So a machine that
 * works is in the future, and takes its next event when the loop has come there.
 */
#ifndef STRADS_NET_SIM_STATE_H
#define STRADS_NET_SIM_STATE_H

#include "net/driver.h"
#include "net/fiber.h"
#include "net/sim.h"
#include "net/sim_links.h"
#include "net/sim_pace.h"
#include "net/sim_queue.h"

typedef struct sim_lane {
    net_message *first, *last;
} sim_lane;

typedef struct sim_node {
    net_node head;
    net_handler handler;
    void *self;
    net_fiber *fiber; /* NULL: the coordinator, which runs on the caller's stack */

    double clock;       /* its own time; never goes back */
    double thread_mark; /* costing by clock: up to where the thread's time is counted */
    sim_pace pace;
    double lose_at;            /* when the machine ends; INFINITY: never */
    bool started, ready, left; /* ready: a SIM_READY of it is under way; left: or was lost */
    double left_at;

    double out_free, in_free; /* when its interfaces are free again */
    strads_random jitter;
    sim_lane lanes[NET_N_LANES]; /* messages that wait */
    net_message *handling;       /* it holds its credit until the handler is done */
    net_event event;             /* what the handler is called with */
    uint64_t *gone;              /* [n_words] bits: peers that it knows have left */
    uint64_t *untold;            /* [n_words] bits: those that its handler is to hear of */
    uint32_t n_untold;

    const net_exchange *exchange; /* it waits in; NULL: in none */
    bool resolved;                /* `outcome` is known; a SIM_READY is under way */
    strads_status outcome;
    double entered;

    double service_clock; /* a time of its own: it runs beside the node's handler */
    bool serving;         /* a service is being called */
    bool waits;           /* in net_wait_until */
    size_t n_waits;
    bool closed; /* it knows that a worker has left */
    net_sim_account account;
} sim_node;

typedef struct sim_net {
    net head;
    const net_cluster *cluster;
    double now; /* the time of the last event; never goes back */
    sim_queue queue;
    sim_links links;
    sim_node *nodes; /* [n_nodes] */
    sim_node *running;
    uint32_t n_left;
    size_t n_words;        /* of a set of nodes */
    uint64_t *sets;        /* where the nodes' sets are */
    uint32_t *n_waiting;   /* [n_nodes] how many wait in an exchange of that many members */
    double **vectors;      /* [n_nodes] of the exchange that is being added up */
    double **extras;       /* [n_nodes] alike */
    strads_status failure; /* once it is not OK, the run unwinds */
} sim_net;

static inline sim_net *sim_net_of(const net_node *node)
{
    return (sim_net *) node->network;
}

static inline bool sim_set_has(const uint64_t *set, net_id id)
{
    return (set[id / 64] >> id % 64 & 1) != 0;
}

/* ---- sim.c ---- */

/* Puts an event; a failure to do so ends the run. */
void sim_post(sim_net *network, sim_event event);

/* Lets the node take its next event as soon as it may. */
void sim_wake(sim_net *network, sim_node *node);

/* Around what the driver does for a running handler: counts the handler's time up to
 * here, and starts anew after it. */
void sim_enter_driver(sim_node *node);
void sim_leave_driver(sim_node *node);

/* Whether the node can do nothing any more: it has left, its machine has ended by its
 * own clock, or the run unwinds. */
bool sim_is_out(const sim_node *node);

/* Has the node do this much work, on its own clock or on its service's. */
void sim_advance(sim_node *node, double seconds);

/* ---- sim_messages.c ---- */

strads_status sim_send(net_node *from, net_id to, net_message *message);

/* Sends it off at `time`, with no regard to credits; takes it, also when it fails. */
STRADS_MUST_CHECK strads_status sim_send_at(sim_node *from, net_id to, net_message *message,
                                            double time);

/* The message's receiver is done with it, but for its memory. */
void sim_count_handled(sim_net *network, sim_node *node, const net_message *message);

/* SIM_REACH and SIM_ARRIVE. */
void sim_message_reaches(sim_net *network, sim_node *to, net_message *message);
void sim_message_arrives(sim_net *network, sim_node *to, net_message *message);

bool sim_has_work(const sim_node *node);

/* The next event of the node, in node->event; false: there is none. */
STRADS_MUST_CHECK bool sim_take(sim_node *node);

/* Ends what node->event lent. */
void sim_release(sim_net *network, sim_node *node);

/* `node` learns that `peer` has left, and its handler does after peer's last message. */
void sim_lose_peer(sim_net *network, sim_node *node, net_id peer);

/* SIM_LEFT, SIM_MISSED, SIM_SEVER. */
void sim_tell_left(sim_net *network, const sim_node *peer);
void sim_tell_missed(sim_net *network, const sim_node *peer);
void sim_sever(sim_net *network, const net_fault *cut);

void sim_drop_messages(sim_node *node);

/* ---- sim_exchange.c ---- */

strads_status sim_exchange(net_node *node, const net_exchange *exchange);
double sim_exchange_units(const net *network, uint32_t n_members, size_t n);

/* Ends the wait of a node, if it waits for others, with CLOSED. */
void sim_close_exchange(sim_net *network, sim_node *node);

/* ---- sim_service.c ---- */

net_node *sim_node_of(net *base, net_id id);
strads_status sim_tell(net *base, net_id id, net_id to, net_message *message);
strads_status sim_wait(net *base, net_id id, double seconds, bool (*over)(void *context),
                       void *context);
void sim_wake_waiter(net *base, net_id id);

/* A message for the service has arrived. */
void sim_give(sim_net *network, sim_node *to, net_message *message);

/* A worker that the node knew has left: it waits for no service any more. */
void sim_close_wait(sim_net *network, sim_node *node);

#endif

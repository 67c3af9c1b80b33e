/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/net.h - the only seam to the outside world: nodes and the messages between
 * them.
 *
 * A net is a set of nodes, 0 the coordinator and 1 .. n-1 the workers. A node is a
 * handler that is called with one event at a time, and runs to completion; only in
 * net_exchange_sum and net_wait_until may it wait, and only a worker's. What is behind a net is its
 * driver's business (threads of this process, or machines simulated in virtual time), and the
 * contract is the same for all:
 *
 * - a send never blocks: it takes the message or says AGAIN. Each pair of nodes has
 *   queue_messages credits a lane; a message holds its credit until its receiver's
 *   handler returns;
 * - messages of one sender on one lane arrive in order; a control message passes
 *   data messages, so that two full queues cannot deadlock;
 * - the end of a peer is an event, NET_LOST, delivered after its last message;
 * - no handler is called, and nothing is sent, while a lock is held.
 */
#ifndef STRADS_NET_H
#define STRADS_NET_H

#include "base/base.h"

typedef uint32_t net_id;

enum { NET_COORDINATOR = 0 };

/* Messages to services have a lane of their own, without credits. */
typedef enum net_lane { NET_CONTROL, NET_DATA, NET_N_LANES, NET_SERVICE = NET_N_LANES } net_lane;

/* A message: a header and a flat, relocatable body, so that it travels by pointer
 * in a process and by one copy over a wire. */
typedef struct net_message {
    struct net_message *next; /* the driver's */
    net_id from;              /* set by the driver */
    net_lane lane;
    bool foreign;  /* set by the driver: from another process, so the body may be anything */
    uint32_t type; /* the vocabulary of those who talk */
    size_t bytes;  /* of the body */
    _Alignas(16) unsigned char body[];
} net_message;

/* A message with an uninitialised body; NULL: no memory. */
net_message *net_message_create(uint32_t type, net_lane lane, size_t bytes) STRADS_MUST_CHECK;
void net_message_destroy(net_message *message);

typedef enum net_event_kind {
    NET_STARTED, /* first event of every node */
    NET_MESSAGE, /* `message`, lent until the handler returns */
    NET_LOST     /* `peer` has left */
} net_event_kind;

typedef struct net_event {
    net_event_kind kind;
    net_id peer; /* the sender, or who has left */
    const net_message *message;
} net_event;

typedef struct net net;
typedef struct net_node net_node;

typedef void (*net_handler)(void *self, net_node *node, const net_event *event);

struct net_cluster;
struct net_links;

typedef struct net_options {
    uint32_t n_nodes;                  /* >= 2 */
    uint32_t queue_messages;           /* > 0: credits a pair and lane */
    const struct net_cluster *cluster; /* what sim simulates, outlives the net; else unused */
    struct net_links *links;           /* of threads: to nodes of other processes, outlives the net;
                                        * NULL: all nodes are of this one */
    bool apart;                        /* of threads: the coordinator, if there are several workers,
                                        * has a thread of its own. Else worker 1's handler and its
                                        * are called on the calling thread, in turn */
} net_options;

/* A sum over the first n_members workers (nodes 1 .. n_members). */
typedef struct net_exchange {
    uint32_t n_members;
    double *vector;     /* [n] := base + sum of (vector - base), in order of node */
    const double *base; /* [n] the same on every member; NULL: zeros */
    size_t n;
    double *extra; /* [n_extra] := the sum of the members', whose base is zeros */
    size_t n_extra;
    uint32_t *votes; /* in: my bits; out: the bits of all members, or-ed */
} net_exchange;

/* ---- before and after a run, on one thread ---- */

/* USAGE when there is no driver of that name. Until net_destroy the driver decides
 * what time strads_now tells: sim's is virtual, 0 at first. */
STRADS_MUST_CHECK strads_status net_create(net **out, const char *driver,
                                           const net_options *options);
void net_destroy(net *network);

/* Every node needs a handler before net_run. */
void net_attach(net *network, net_id id, net_handler handler, void *self);

/* A node's services are handlers beside its own, for what the callbacks of other nodes need of
 * it in the middle. One is called with each message of its types that net_tell has sent to the
 * node, as soon as that is there: also while the node's own handler runs or waits, on any thread,
 * and for messages of several senders at a time; those of one sender come one by one, in order.
 * It takes the message. It may call net_tell, net_wake and, for its node, net_work; it must not
 * wait. Messages without a service are dropped, and so may be those to a node that has left. */
typedef void (*net_service)(void *self, net_node *node, net_message *message);

/* Each service of a node has a range of so many types; the first range begins with 0. */
enum { NET_SERVICE_TYPES = 16, NET_N_SERVICES = 2 };

/* The service of the types from `first` on, where a range begins. */
void net_serve(net *network, net_id id, uint32_t first, net_service service, void *self);

/* Runs all nodes of this process until each has left; the first one's handler is called on the
 * calling thread. CLOSED: a simulated machine was lost that is the
 * coordinator's, or nothing more can happen though some have not left. */
STRADS_MUST_CHECK strads_status net_run(net *network);

/* ---- in a handler ---- */

net_id net_node_id(const net_node *node);

/* The handler, or the callback it runs, has done `units` of work since it was called
 * or last told: how sim knows what time it took. Does nothing where time is real. */
void net_work(net_node *node, double units);

/* What an exchange of n numbers among n_members costs beside the summing, in units of
 * work; 0 where that is next to nothing. */
double net_exchange_units(const net_node *node, uint32_t n_members, size_t n);

/* Whether net_work matters, so that units are counted only where somebody asks. */
bool net_counts_work(const net_node *node);

/* OK: the message is the driver's. AGAIN (no credit), CLOSED (`to` has left): it is
 * still the caller's. */
STRADS_MUST_CHECK strads_status net_send(net_node *node, net_id to, net_message *message);

/* The node's handler is not called again once it returns. Whoever waits in an
 * exchange with this node gets CLOSED. */
void net_leave(net_node *node);

/* Waits until all members have called, with the same n, base and n_extra. CLOSED when a
 * member has left. Only from a worker's handler, and only by members. */
STRADS_MUST_CHECK strads_status net_exchange_sum(net_node *node, const net_exchange *exchange);

/* ---- in a handler or a service of node `id`, or what they call ---- */

/* Sends to a service of another node; takes the message, whatever it returns. It never
 * waits, and nothing bounds what is under way: who asks must do so. CLOSED: `to`, or this
 * node, has left. */
STRADS_MUST_CHECK strads_status net_tell(net *network, net_id id, net_id to, net_message *message);

/* Waits until over(context) holds: it is asked once all that has come by now was handled,
 * and after each net_wake of this node. It must be quick, and not call the net. AGAIN: not
 * within `seconds`. CLOSED: it does not hold, and a worker has left. Only from a worker's
 * handler. */
STRADS_MUST_CHECK strads_status net_wait_until(net *network, net_id id, double seconds,
                                               bool (*over)(void *context), void *context);

/* Has a node of this process that waits look again; any thread. */
void net_wake(net *network, net_id id);

#endif

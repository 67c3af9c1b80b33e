/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/links.h - the other processes of a run: a connection to each, and what is said
 * over it.
 *
 * The nodes of a run are dealt to processes in contiguous ranges. A driver hosts those
 * of its own process; what they say to others goes through here: messages under the
 * credits of net/net.h, their leaving, and the parts of exchanges. Everything that
 * waits for a connection travels in one frame (net/frame.h), control messages first.
 *
 * A peer is lost when its connection ends without a good-bye, when nothing is heard
 * of it for `timeout`, or when it takes nothing for as long; heartbeats keep a silent
 * process alive. Every loss is logged once, with the peer's name and its last sign of
 * life, and its nodes have left.
 *
 * Locks: one a link, a leaf; no callback of the sink runs and no stream is called
 * while it is held.
 */
#ifndef STRADS_NET_LINKS_H
#define STRADS_NET_LINKS_H

#include "net/net.h"
#include "net/stream.h"

typedef struct net_links net_links;

/* From the last sign of life of a lost process every other one ends within the timeout
 * and this. */
#define NET_STUCK_SECONDS 1.0

/* A process of the run, in order of its nodes. */
typedef struct net_peer {
    net_stream *stream; /* NULL: this process */
    char *name;         /* for messages: "process 1 (pid 4711 on anna)" */
    net_id first, n;    /* its nodes are first .. first + n - 1; n > 0 */
} net_peer;

typedef struct net_links_options {
    uint32_t n_processes, me;
    uint32_t queue_messages; /* credits, as in net_options */
    double heartbeat;        /* seconds of silence after which a sign of life is sent */
    double timeout;          /* seconds without one after which a peer is lost */
    /* Called once, on a thread of the links, when a process was lost or gave up and this
     * one has not ended its links NET_STUCK_SECONDS after the timeout (may be NULL). */
    void (*stuck)(void);
    struct net_shared *shared; /* of all processes, lent; NULL: they share no memory */
    _Atomic bool *report;      /* who sets it gets, on stderr, what is waited for; NULL: nobody */
} net_links_options;

/* Takes the streams and names of peers[n_processes], also when it fails. */
STRADS_MUST_CHECK strads_status net_links_create(net_links **out, const net_links_options *options,
                                                 const net_peer *peers);

/* Says good-bye, with how the run ended here, and waits for the others' as long as they
 * are there: the first of `status` and what another process gave up with that is not OK.
 * CLOSED: a peer was lost. Frees the links. */
strads_status net_links_end(net_links *links, strads_status status);

uint32_t net_links_count(const net_links *links);
uint32_t net_links_me(const net_links *links);
/* The nodes of a process. */
void net_links_nodes(const net_links *links, uint32_t process, net_id *first, net_id *n);

/* What an exchange takes; zeros until it is set. */
typedef struct net_links_cost {
    double hop;  /* seconds until a few bytes have come from all others */
    double byte; /* and for each further one */
    bool relays; /* a few come sooner by way of others, see net/trade_relay.c */
} net_links_cost;
void net_links_set_cost(net_links *links, const net_links_cost *cost);
const net_links_cost *net_links_cost_of(const net_links *links);

/* What was lent; NULL: nothing. */
struct net_shared *net_links_shared(const net_links *links);
/* Whether a worker has left, so that no exchange is whole any more. */
const _Atomic bool *net_links_broken(const net_links *links);

/* A node here begins, or has ended, to wait for what services tell it: for the report. */
void net_links_waits(net_links *links, bool begins);

/* ---- between processes: messages that no node is asked for, in order ---- */

/* Sends `part` at once, and takes it. CLOSED: the peer is lost. */
STRADS_MUST_CHECK strads_status net_links_post(net_links *links, uint32_t process,
                                               net_message *part);
/* Waits for the next part of that process; for the caller to destroy. CLOSED: the peer is
 * lost, or a worker of any process has left: no exchange is whole any more. */
STRADS_MUST_CHECK strads_status net_links_take(net_links *links, uint32_t process,
                                               net_message **part);

/* ---- between nodes ---- */

/* Where a driver hears of its nodes' messages, of those to their services, and of other
 * processes' nodes that have left; all on any thread. */
typedef struct net_sink {
    void (*deliver)(void *context, net_id to, net_message *message); /* takes it */
    void (*serve)(void *context, net_id to, net_message *message);   /* takes it */
    void (*left)(void *context, net_id node);
    void *context;
} net_sink;

/* What came before is delivered now. Until detach the sink must live. */
void net_links_attach(net_links *links, const net_sink *sink);
void net_links_detach(net_links *links);

/* As net_send, to a node of another process; it goes with the next flush. */
STRADS_MUST_CHECK strads_status net_links_send(net_links *links, net_id from, net_id to,
                                               net_message *message);
/* As net_tell, to a node of another process; it goes at once. */
STRADS_MUST_CHECK strads_status net_links_tell(net_links *links, net_id from, net_id to,
                                               net_message *message);
/* The handler of `message` of another process's node has returned: its credit goes back. */
void net_links_done(net_links *links, net_id to, const net_message *message);
/* A node of this process has left. */
void net_links_leave(net_links *links, net_id node);
/* Sends what waits. */
void net_links_flush(net_links *links);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/join.h - how two processes prove to each other that they share a key, before
 * anything else is said: a door, at which clients knock.
 *
 * The client gives an introduction, the owner of the door answers with a welcome or a
 * refusal; what these say is theirs. docs/PROTOCOL.md has the messages.
 *
 * A door serves any number of clients and waits for none. One that has not proved
 * itself within `seconds` is dropped, and so is the oldest of more than NET_DOOR_PENDING
 * that have not, or that were refused and stay.
 */
#ifndef STRADS_NET_JOIN_H
#define STRADS_NET_JOIN_H

#include "net/key.h"
#include "net/stream.h"

enum {
    NET_DOOR_PENDING = 256,
    NET_INTRODUCTION_MAX = 1 << 16, /* bytes */
    NET_WELCOME_MAX = 1 << 22,
    NET_REASON_MAX = 2000
};

/* ---- the door ---- */

typedef struct net_door net_door;

/* A client that has proved itself. Its owner answers it once, with net_guest_welcome or
 * net_guest_refuse, from anywhere; it may not be named after. */
typedef struct net_guest net_guest;

const char *net_guest_peer(const net_guest *guest);
const void *net_guest_introduction(const net_guest *guest, size_t *bytes);

typedef struct net_door_options {
    const char *url;
    const net_tls *tls; /* lent for net_door_open */
    net_key key;
    double seconds; /* for a client to prove itself */

    /* On threads of the network, must not block. `came`: a guest is to be answered, then
     * or later. `gone`: one that waits for its answer has hung up; it is still to be
     * answered, which leads nowhere. It may cross with the answer. */
    void (*came)(void *context, net_guest *guest);
    void (*gone)(void *context, net_guest *guest);
    void *context;
} net_door_options;

/* Logs its failures, and later those who were turned away. */
STRADS_MUST_CHECK strads_status net_door_open(net_door **out, const net_door_options *options);

/* With the port it got. */
const char *net_door_url(const net_door *door);

/* Drops all who are within it; no callback runs when it returns. In no callback. Guests
 * may not be named after. NULL: nothing. */
void net_door_close(net_door *door);

/* The guest has its welcome and is ready: the stream is the callee's. NULL: it hung up
 * before, or the door was closed. On threads of the network. */
typedef void (*net_guest_ready)(void *context, net_stream *stream);

/* The payload, of at most NET_WELCOME_MAX bytes, is copied. CLOSED: the guest has hung up;
 * NOMEM: it was dropped. In both cases `ready` is not called. */
STRADS_MUST_CHECK strads_status net_guest_welcome(net_guest *guest, const void *payload,
                                                  size_t bytes, net_guest_ready ready,
                                                  void *context);

/* The reason is said on the guest's side, at most NET_REASON_MAX bytes of it, and logged for
 * the first few. */
void net_guest_refuse(net_guest *guest, const char *reason);

/* ---- knocking ---- */

typedef struct net_knock {
    const char *url;
    const net_tls *tls;
    net_key key;
    const void *introduction;
    size_t bytes; /* of it, at most NET_INTRODUCTION_MAX */
    net_patience patience;

    /* Told, if not NULL, when an attempt has failed in a new way and there will be
     * others; on the calling thread. */
    void (*waiting)(void *context, const char *why);
    void *context;
} net_knock;

/* Dials, again and again while nobody is there, and waits to be answered. *welcome is for
 * strads_free. Logs its failures: USAGE for what was refused, IO for nobody there in
 * time, CLOSED when stopped (not logged). */
STRADS_MUST_CHECK strads_status net_join(net_stream **out, void **welcome, size_t *bytes,
                                         const net_knock *knock);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/door_state.h - a door and its guests; private to net/door.c and net/guest.c.
 *
 * A guest is a small machine driven by the callbacks of its stream: it receives one
 * message after the other, and sends a challenge and a last word. It lives as long as one
 * of its operations is under way or its owner owes it an answer.
 *
 * A function named _locked is called with the door's lock, one named _unlock too, and
 * gives it back.
 */
#ifndef STRADS_NET_DOOR_STATE_H
#define STRADS_NET_DOOR_STATE_H

#include <pthread.h>

#include "net/handshake.h"
#include "net/join.h"
#include "net/url.h"

struct net_guest {
    net_door *door;
    net_guest *next, *previous;
    net_stream *stream; /* NULL: handed over */
    net_handshake hand;

    /* The receiver's alone. */
    net_hand_kind expects;
    unsigned char head[NET_HAND_HEAD];
    unsigned char *body; /* of the message that comes; NULL: its head comes */
    size_t bytes, have;  /* of body, or of head */
    struct iovec room;
    unsigned char *proof; /* the body of PROOF, with the introduction */
    size_t proof_bytes;

    /* Guarded by the door's lock. */
    uint32_t n_uses; /* operations under way, and the owner's claim */
    bool proved;     /* the introduction is whole and genuine, and was not refused */
    bool owned;      /* its owner owes an answer */
    bool ended;      /* nothing more comes of it */
    bool refused;    /* what it still says is thrown away until it hangs up */
    bool sending;    /* `out` is under way */
    bool has_word;   /* `word` is still to be sent */
    bool welcomed;   /* the word is WELCOME, */
    bool sent;       /* it has gone out, */
    bool answered;   /* and READY has come */
    unsigned char challenge[NET_HAND_HEAD + NET_CHALLENGE_BYTES];
    unsigned char *word; /* the last message */
    size_t word_bytes;
    struct iovec out;
    net_guest_ready ready;
    void *ready_context;
};

struct net_door {
    net_listener *listener;
    net_door_options options;
    char url[NET_URL];

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t empty;
    net_guest *first, *last; /* in order of arrival */
    uint32_t n_pending;      /* neither proved nor ended: those who make room */
    uint32_t n_warnings;
};

/* Adds a guest at the end of the door's list, and starts it. */
void guest_start_locked(net_guest *guest);

/* Its stream is closed, and whatever is under way comes to its end. */
void guest_end_locked(net_guest *guest);

/* Ends one use; the last one frees the guest. */
void guest_release_unlock(net_guest *guest);

/* The last word goes when the challenge has gone. */
void guest_send_word_locked(net_guest *guest);

/* Says who was turned away, for the first few; without the lock. */
void guest_warn(net_guest *guest, const char *why);

/* Says why; then listens until the guest hangs up, so that the words reach it. */
void guest_refuse_locked(net_guest *guest, const char *why);

#endif

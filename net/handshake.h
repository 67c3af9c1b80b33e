/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/handshake.h - the messages of joining, and what is proved by them. No I/O.
 *
 * A message is a head of 12 bytes, {magic "STRJ", u16 wire version, u16 kind, u32 bytes of
 * body}, little endian, and its body:
 *   HELLO      client  u32 flags (1: it has a key), nonce[32]
 *   CHALLENGE  server  u32 flags, nonce[32], mac[32]
 *   PROOF      client  mac[32], introduction
 *   WELCOME    server  mac[32], payload
 *   REFUSED    either  the reason, in words
 *   READY      client  nothing
 * A mac is the HMAC of a label, of HELLO and of CHALLENGE up to its mac, both with their
 * heads, and of what follows the mac. The head, and REFUSED, are the same in every wire
 * version.
 */
#ifndef STRADS_NET_HANDSHAKE_H
#define STRADS_NET_HANDSHAKE_H

#include "net/key.h"
#include "net/stream.h"

enum {
    NET_HAND_HEAD = 12,
    NET_NONCE_BYTES = 32,
    NET_HELLO_BYTES = 4 + NET_NONCE_BYTES, /* bodies */
    NET_CHALLENGE_BYTES = 4 + NET_NONCE_BYTES + NET_MAC_BYTES,
    NET_TRANSCRIPT_BYTES = 2 * (NET_HAND_HEAD + 4 + NET_NONCE_BYTES)
};

typedef enum net_hand_kind {
    NET_HELLO = 1,
    NET_CHALLENGE,
    NET_PROOF,
    NET_WELCOME,
    NET_REFUSED,
    NET_READY
} net_hand_kind;

/* One side of a handshake. */
typedef struct net_handshake {
    net_key key;
    unsigned char transcript[NET_TRANSCRIPT_BYTES]; /* HELLO, and CHALLENGE up to its mac */
} net_handshake;

void net_hand_head(unsigned char head[NET_HAND_HEAD], net_hand_kind kind, uint32_t bytes);

/* Checks a head where `expected` or REFUSED may come; sets which and how much. DATA, with
 * words for the other side in `why`. */
STRADS_MUST_CHECK strads_status net_hand_check(const unsigned char head[NET_HAND_HEAD],
                                               net_hand_kind expected, net_hand_kind *kind,
                                               uint32_t *bytes, char why[NET_WHY]);

/* The client's first message. SYSTEM, logged. */
STRADS_MUST_CHECK strads_status
net_hand_hello(net_handshake *self, unsigned char message[NET_HAND_HEAD + NET_HELLO_BYTES]);

/* The server takes it, and answers. USAGE: one has a key and the other has none, `why`
 * says so to the client. */
STRADS_MUST_CHECK strads_status net_hand_take_hello(net_handshake *self,
                                                    const unsigned char body[NET_HELLO_BYTES],
                                                    char why[NET_WHY]);
STRADS_MUST_CHECK strads_status
net_hand_challenge(net_handshake *self, unsigned char message[NET_HAND_HEAD + NET_CHALLENGE_BYTES]);

/* The client takes that. USAGE: the keys differ. */
STRADS_MUST_CHECK strads_status net_hand_take_challenge(
    net_handshake *self, const unsigned char body[NET_CHALLENGE_BYTES], char why[NET_WHY]);

/* The mac of PROOF (a member's) or WELCOME over what follows it. */
STRADS_MUST_CHECK strads_status net_hand_mac(const net_handshake *self, net_hand_kind kind,
                                             const void *payload, size_t n,
                                             unsigned char mac[NET_MAC_BYTES]);

/* Whether the body of PROOF or WELCOME begins with its mac. */
bool net_hand_is_proved(const net_handshake *self, net_hand_kind kind, const unsigned char *body,
                        size_t n);

#endif

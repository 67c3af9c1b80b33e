/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/handshake.c - the messages of joining. */
#include "net/handshake.h"

#include <string.h>

#include "net/frame.h"
#include "net/join.h"

enum {
    HAS_KEY = 1,                                  /* flag */
    HALF = NET_TRANSCRIPT_BYTES / 2,              /* of the transcript: one message's part */
    NONCE_AT = NET_HAND_HEAD + 4,                 /* in a message */
    MAC_AT = NET_HAND_HEAD + 4 + NET_NONCE_BYTES, /* in CHALLENGE */
    LABEL_BYTES = 16
};

static const unsigned char magic[4] = {'S', 'T', 'R', 'J'};

static const char wrong_key[] = "the keys of the two sides differ (net.key_file)";

/* How many bytes the body of each kind may have. */
static const struct {
    uint32_t least, most;
} bounds[] = {[NET_HELLO] = {NET_HELLO_BYTES, NET_HELLO_BYTES},
              [NET_CHALLENGE] = {NET_CHALLENGE_BYTES, NET_CHALLENGE_BYTES},
              [NET_PROOF] = {NET_MAC_BYTES, NET_MAC_BYTES + NET_INTRODUCTION_MAX},
              [NET_WELCOME] = {NET_MAC_BYTES, NET_MAC_BYTES + NET_WELCOME_MAX},
              [NET_REFUSED] = {0, NET_REASON_MAX},
              [NET_READY] = {0, 0}};

static const char labels[][LABEL_BYTES] = {[NET_CHALLENGE] = "strads server",
                                           [NET_PROOF] = "strads member",
                                           [NET_WELCOME] = "strads welcome"};

static void put(unsigned char *to, uint32_t value, int n_bytes)
{
    for (int k = 0; k < n_bytes; k++) {
        to[k] = (unsigned char) (value >> (8 * k));
    }
}

static uint32_t get(const unsigned char *from, int n_bytes)
{
    uint32_t value = 0;
    for (int k = 0; k < n_bytes; k++) {
        value |= (uint32_t) from[k] << (8 * k);
    }
    return value;
}

void net_hand_head(unsigned char head[NET_HAND_HEAD], net_hand_kind kind, uint32_t bytes)
{
    memcpy(head, magic, sizeof(magic));
    put(head + 4, NET_WIRE_VERSION, 2);
    put(head + 6, kind, 2);
    put(head + 8, bytes, 4);
}

strads_status net_hand_check(const unsigned char head[NET_HAND_HEAD], net_hand_kind expected,
                             net_hand_kind *kind, uint32_t *bytes, char why[NET_WHY])
{
    const uint32_t version = get(head + 4, 2), has_kind = get(head + 6, 2), n = get(head + 8, 4);
    if (memcmp(head, magic, sizeof(magic)) != 0) {
        snprintf(why, NET_WHY, "what comes is no message of strads");
        return STRADS_ERR_DATA;
    }
    if (version != NET_WIRE_VERSION && has_kind != NET_REFUSED) {
        snprintf(why, NET_WHY, "the wire versions differ: one side has %u, the other %d", version,
                 NET_WIRE_VERSION);
        return STRADS_ERR_DATA;
    }
    if ((has_kind != expected && has_kind != NET_REFUSED) || n < bounds[has_kind].least ||
        n > bounds[has_kind].most) {
        snprintf(why, NET_WHY, "a message of kind %u with %u bytes does not belong here", has_kind,
                 n);
        return STRADS_ERR_DATA;
    }
    *kind = (net_hand_kind) has_kind;
    *bytes = n;
    return STRADS_OK;
}

/* Writes a message up to its mac into it and into its half of the transcript. */
static strads_status open_message(net_handshake *self, unsigned char *message, net_hand_kind kind,
                                  uint32_t bytes)
{
    net_hand_head(message, kind, bytes);
    put(message + NET_HAND_HEAD, self->key.given ? HAS_KEY : 0, 4);
    const strads_status status = net_random(message + NONCE_AT, NET_NONCE_BYTES);
    memcpy(self->transcript + (kind == NET_HELLO ? 0 : HALF), message, HALF);
    return status;
}

/* Writes what has come into its half. */
static void remember(net_handshake *self, const unsigned char *body, net_hand_kind kind,
                     uint32_t bytes)
{
    unsigned char *half = self->transcript + (kind == NET_HELLO ? 0 : HALF);
    net_hand_head(half, kind, bytes);
    memcpy(half + NET_HAND_HEAD, body, HALF - NET_HAND_HEAD);
}

strads_status net_hand_hello(net_handshake *self,
                             unsigned char message[NET_HAND_HEAD + NET_HELLO_BYTES])
{
    return open_message(self, message, NET_HELLO, NET_HELLO_BYTES);
}

strads_status net_hand_take_hello(net_handshake *self, const unsigned char body[NET_HELLO_BYTES],
                                  char why[NET_WHY])
{
    const bool has_key = (get(body, 4) & HAS_KEY) != 0;
    if (has_key != self->key.given) {
        snprintf(why, NET_WHY, "%s",
                 has_key ? "who joins has a key (net.key_file), and who listens has none"
                         : "who listens has a key (net.key_file), and who joins has none");
        return STRADS_ERR_USAGE;
    }
    remember(self, body, NET_HELLO, NET_HELLO_BYTES);
    return STRADS_OK;
}

strads_status net_hand_challenge(net_handshake *self,
                                 unsigned char message[NET_HAND_HEAD + NET_CHALLENGE_BYTES])
{
    const strads_status status = open_message(self, message, NET_CHALLENGE, NET_CHALLENGE_BYTES);
    return status != STRADS_OK ? status
                               : net_hand_mac(self, NET_CHALLENGE, NULL, 0, message + MAC_AT);
}

strads_status net_hand_take_challenge(net_handshake *self,
                                      const unsigned char body[NET_CHALLENGE_BYTES],
                                      char why[NET_WHY])
{
    unsigned char mac[NET_MAC_BYTES];
    remember(self, body, NET_CHALLENGE, NET_CHALLENGE_BYTES);
    const strads_status status = net_hand_mac(self, NET_CHALLENGE, NULL, 0, mac);
    if (status != STRADS_OK) {
        snprintf(why, NET_WHY, "no memory");
        return status;
    }
    if (!net_mac_equal(mac, body + MAC_AT - NET_HAND_HEAD)) {
        snprintf(why, NET_WHY, "%s", wrong_key);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status net_hand_mac(const net_handshake *self, net_hand_kind kind, const void *payload,
                           size_t n, unsigned char mac[NET_MAC_BYTES])
{
    const struct iovec parts[] = {{(void *) labels[kind], LABEL_BYTES},
                                  {(void *) self->transcript, NET_TRANSCRIPT_BYTES},
                                  {(void *) payload, n}};
    return net_mac(mac, &self->key, parts, n > 0 ? 3 : 2);
}

bool net_hand_is_proved(const net_handshake *self, net_hand_kind kind, const unsigned char *body,
                        size_t n)
{
    unsigned char mac[NET_MAC_BYTES];
    return n >= NET_MAC_BYTES &&
           net_hand_mac(self, kind, body + NET_MAC_BYTES, n - NET_MAC_BYTES, mac) == STRADS_OK &&
           net_mac_equal(mac, body);
}

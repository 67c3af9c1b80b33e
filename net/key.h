/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/key.h - the key that members of a run share, and what is proved with it
 * (HMAC-SHA256 of mbed TLS).
 */
#ifndef STRADS_NET_KEY_H
#define STRADS_NET_KEY_H

#include <sys/uio.h>

#include "base/base.h"

enum { NET_KEY_BYTES = 32, NET_MAC_BYTES = 32 };

typedef struct net_key {
    bool given; /* false: all zeros, which proves nothing */
    unsigned char bytes[NET_KEY_BYTES];
} net_key;

/* Reads 64 hexadecimal digits. Logs, and returns IO or USAGE, when the file cannot be
 * read, holds anything else, or may be read by others than its owner. */
STRADS_MUST_CHECK strads_status net_key_read(net_key *out, const char *path);

/* Makes a random key in a new file that its owner alone may read; a file that is there
 * stays. Logs its failures. */
STRADS_MUST_CHECK strads_status net_key_make(const char *path);

/* Random bytes of the system; SYSTEM, logged, when it has none. */
STRADS_MUST_CHECK strads_status net_random(void *bytes, size_t n);

/* The MAC of the parts one after the other; NOMEM. */
STRADS_MUST_CHECK strads_status net_mac(unsigned char mac[NET_MAC_BYTES], const net_key *key,
                                        const struct iovec *parts, int n_parts);

/* In a time that does not depend on the bytes. */
bool net_mac_equal(const unsigned char a[NET_MAC_BYTES], const unsigned char b[NET_MAC_BYTES]);

#endif

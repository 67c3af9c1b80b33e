/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/url.h - the URLs of net/stream.h, taken apart.
 */
#ifndef STRADS_NET_URL_H
#define STRADS_NET_URL_H

#include "net/stream.h"

enum { NET_URL = 320 }; /* bytes of a URL with its end */

typedef enum net_scheme { NET_IPC, NET_ABSTRACT, NET_TCP, NET_TLS } net_scheme;

typedef struct net_url {
    net_scheme scheme;
    char host[256];       /* [IPv6] with its brackets; of ipc and abstract: the path or name */
    uint32_t first, last; /* ports; of ipc and abstract: 0 */
} net_url;

/* USAGE, with `why`, when it is none. Only who listens may have *, port 0 or a range. */
STRADS_MUST_CHECK strads_status net_url_parse(net_url *out, const char *text, bool listening,
                                              char why[NET_WHY]);

/* The same, and says what is wrong. */
STRADS_MUST_CHECK strads_status net_url_read(net_url *out, const char *text, bool listening);

/* With that port. */
void net_url_format(char text[NET_URL], const net_url *url, uint32_t port);

/* Whether only processes of this machine can reach it. */
bool net_url_is_local(const net_url *url);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/streams.h - two ends of a connection in one process, and certificates.
 */
#ifndef STRADS_TESTS_STREAMS_H
#define STRADS_TESTS_STREAMS_H

#include "net/stream.h"

/* A listener and the streams that arrive at it, in order. */
typedef struct streams_host streams_host;

/* Asserts that it can listen. */
streams_host *streams_listen(const char *url, const net_tls *tls);
const char *streams_url(const streams_host *host);

/* Waits for the next stream. */
net_stream *streams_accept(streams_host *host);

/* Destroys what was not accepted too. */
void streams_close(streams_host *host);

/* A connection over that URL: pair[0] has dialled. Asserts that it can. */
void streams_connect(net_stream *pair[2], const char *url, const net_tls *tls);

/* Waits that end, but never in a test that passes. */
net_patience streams_patience(void);

/* Makes NAME.pem and NAME.key in suite_folder(): a certificate for `host` signed by
 * itself. The paths are for strads_free. */
void streams_certificate(const char *name, const char *host, char **cert, char **key);

/* The same, valid from 2020 until YYYYMMDDHHMMSS. */
void streams_certificate_until(const char *until, const char *name, const char *host, char **cert,
                               char **key);

#endif

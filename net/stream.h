/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/stream.h - byte streams to other processes, over the library nng.
 *
 * A URL is one of
 *   ipc:///PATH              a socket file, removed when its listener closes
 *   abstract://NAME          the same without a file; NAME empty: any
 *   tcp://HOST:PORT          listening: port 0 is any, a range 5000-5010 its first free
 *   tls+tcp://HOST:PORT      the same, encrypted; each side has to send or receive for the
 *                            other to get on, as the first operations make it secure
 * where HOST is a name, a number or [IPv6], and * means all addresses of this machine.
 *
 * Nothing of nng runs before the first call here, so a process may fork until then.
 *
 * Callbacks run on threads of the library. They must not block, may start the next
 * operation, close and destroy. An operation never calls back from within the call that
 * started it. The bytes of an operation, and its array of parts, are lent until its
 * callback.
 */
#ifndef STRADS_NET_STREAM_H
#define STRADS_NET_STREAM_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "base/base.h"

typedef struct net_stream net_stream;
typedef struct net_listener net_listener;

/* Room for words on what went wrong. */
enum { NET_WHY = 256 };

/* PEM files. A listener needs `cert` and `key`; with `ca` it wants a certificate, signed
 * by it, of its clients too. Who dials needs `ca`, and shows `cert` when it has one. */
typedef struct net_tls {
    const char *cert, *key, *ca; /* paths; NULL: none */
    const char *name;            /* that a listener's certificate is issued to; NULL: HOST */
} net_tls;

/* How long a blocking call waits. */
typedef struct net_patience {
    double deadline;          /* on the clock of strads_now; INFINITY: none */
    const _Atomic bool *stop; /* NULL: nothing stops it; else looked at every 100 ms */

    /* Called as often, if not NULL, on the thread that waits; must not block. */
    void (*look)(void *context);
    void *context;
} net_patience;

/* ---- listening ---- */

/* Binds, and logs why not: USAGE for a URL or TLS files that cannot be, IO for an
 * address that is taken or not of this machine. `tls` is for tls+tcp alone. */
STRADS_MUST_CHECK strads_status net_listener_open(net_listener **out, const char *url,
                                                  const net_tls *tls);

/* Its URL with the port that it got. */
const char *net_listener_url(const net_listener *listener);

/* A client has connected; the stream is the callee's. */
typedef void (*net_arrived)(void *context, net_stream *stream);

/* Accepts from now on; once. When the process has no file left for a client it warns,
 * and goes on as soon as there is one. */
void net_listener_start(net_listener *listener, net_arrived arrived, void *context);

/* No `arrived` runs when it returns; not from `arrived`. NULL: nothing. */
void net_listener_close(net_listener *listener);

/* ---- streams ---- */

/* One attempt to connect. Logs nothing, since its caller may try again, but sets `why`:
 * IO for what may be better later (refused, unreachable, a name that does not resolve,
 * too late), CLOSED when stopped, USAGE for what will not (URL, TLS files). */
STRADS_MUST_CHECK strads_status net_stream_dial(net_stream **out, const char *url,
                                                const net_tls *tls, const net_patience *patience,
                                                char why[NET_WHY]);

/* OK with the number of bytes; CLOSED when either side has closed; USAGE when TLS fails, a
 * certificate is not accepted for example; IO for any other failure. After a failure a
 * stream is good for nothing. */
typedef void (*net_done)(void *context, strads_status status, size_t n);

/* Receives some bytes, at least one, into the parts (1 or 2), in order. One at a time. */
void net_stream_recv(net_stream *stream, const struct iovec *parts, int n_parts, net_done done,
                     void *context);

/* The same in two halves, without a callback and not beside the other: begins, and waits for
 * them without a limit but the stream's deadline, and sets *n. Close ends it; no other thread
 * may destroy the stream meanwhile. Of TLS, only what has begun before is sure to hear of the
 * connection's end. */
void net_stream_begin_read(net_stream *stream, const struct iovec *parts, int n_parts);
STRADS_MUST_CHECK strads_status net_stream_end_read(net_stream *stream, size_t *n);

/* Sends all bytes of any number of parts, at least one byte; few large parts cost less
 * than many small ones. One at a time; beside a receive. */
void net_stream_send(net_stream *stream, const struct iovec *parts, int n_parts, net_done done,
                     void *context);

/* The same, not beside the other, and waits until all are out, without a limit but the stream's
 * deadline. As of net_done. Close ends it; no other thread may destroy the stream meanwhile. In
 * no callback. */
STRADS_MUST_CHECK strads_status net_stream_send_all(net_stream *stream, const struct iovec *parts,
                                                    int n_parts);

/* Receives or sends exactly n bytes. As of net_done; CLOSED too when stopped, IO when too
 * late. In no callback. */
STRADS_MUST_CHECK strads_status net_stream_read(net_stream *stream, void *buffer, size_t n,
                                                const net_patience *patience);
STRADS_MUST_CHECK strads_status net_stream_write(net_stream *stream, const void *bytes, size_t n,
                                                 const net_patience *patience);

/* Operations that start from now on, and do not end by then, fail with IO; INFINITY:
 * there is no such limit, as at first. On the clock of strads_now. */
void net_stream_set_deadline(net_stream *stream, double deadline);

/* In words why an operation failed; "" before. Valid as long as the stream. */
const char *net_stream_why(const net_stream *stream);

/* The other side: "127.0.0.1:4711", "process 4711". Valid as long as the stream. */
const char *net_stream_peer(const net_stream *stream);

/* Pending operations end with CLOSED. From anywhere, any number of times. */
void net_stream_close(net_stream *stream);

/* Closes, and waits for callbacks; in a callback of this stream it does not wait, and
 * the stream ends with the last of its callbacks. NULL: nothing. */
void net_stream_destroy(net_stream *stream);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/nng.c - byte streams over the library nng; net/nng_open.c opens them. No other
 * file knows it.
 *
 * What the library leaves to its user, and is done here: a send may take a part of the
 * bytes; an operation that starts on a closed stream never ends unless it is cancelled;
 * nothing may be freed within its own callback except through its reaper.
 */
#include "net/nng.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>

#include "base/clock.h"

enum { MAX_PIECES = 8 }; /* that the library takes at once */

/* Nothing more is received in one piece: it is in the cache when it is looked at, and while a
 * piece is copied the system cannot put more to what has come. A socket of this machine (ipc)
 * holds little more, and wants to be emptied. */
static const size_t MOST_AT_ONCE = 128 * 1024;

typedef struct operation {
    net_stream *stream;
    nng_aio *aio;
    void (*start)(nng_stream *stream, nng_aio *aio);
    bool sends;
    bool pending;
    net_done done;
    void *context;
    const struct iovec *parts; /* those not taken yet, of the first all but `offset` bytes */
    int n_parts;
    size_t offset, total;
} operation;

struct net_stream {
    nng_stream *nng;
    char peer[64];
    size_t most; /* that one receive takes */
    _Atomic(const char *) why;
    operation recv, send;
    operation read, write; /* whose callers wait: without a callback of the library */

    pthread_mutex_t lock; /* guards the rest, and `pending` */
    pthread_cond_t idle;  /* n_uses has become 0 */
    uint32_t n_uses;      /* operations under way and callbacks that run */
    bool closed;
    bool abandoned; /* destroyed in a callback: the last one frees */
    double deadline;
};

/* The stream whose callback runs on this thread. */
static _Thread_local net_stream *inside;

/* ---- what failed ---- */

typedef struct failure {
    int code;
    strads_status status;
    const char *words;
} failure;

static const failure failures[] = {
    {NNG_ECLOSED, STRADS_ERR_CLOSED, "it was closed on this side"},
    {NNG_ECANCELED, STRADS_ERR_CLOSED, "it was closed on this side"},
    {NNG_ECONNSHUT, STRADS_ERR_CLOSED, "the other side has closed it"},
    {NNG_ECONNRESET, STRADS_ERR_CLOSED, "the other side has cut it off"},
    {NNG_ECONNABORTED, STRADS_ERR_CLOSED, "the other side has cut it off"},
    {NNG_ECONNREFUSED, STRADS_ERR_IO, "connection refused: nobody listens there"},
    {NNG_ENOENT, STRADS_ERR_IO, "there is no such folder"},
    {NNG_EADDRINVAL, STRADS_ERR_IO, "the name does not resolve, or is no address of this kind"},
    {NNG_EAGAIN, STRADS_ERR_IO, "the name server does not answer"},
    {NNG_EUNREACHABLE, STRADS_ERR_IO, "the host is unreachable"},
    {NNG_ETIMEDOUT, STRADS_ERR_IO, "no answer in time"},
    {NNG_EADDRINUSE, STRADS_ERR_IO, "the address is in use"},
    {NNG_EPERM, STRADS_ERR_IO, "not permitted"},
    {NNG_ENOFILES, STRADS_ERR_IO, "too many open files"},
    {NNG_ENOMEM, STRADS_ERR_NOMEM, "no memory"},
    {NNG_EPEERAUTH, STRADS_ERR_USAGE, "its certificate was not accepted"},
    {NNG_ECRYPTO, STRADS_ERR_USAGE,
     "TLS failed: it is not TLS, or a certificate was not accepted: it is issued by none of "
     "net.tls.ca, or not to net.tls.name, or out of date"},
};

static failure describe(int code)
{
    for (size_t k = 0; k < sizeof(failures) / sizeof(failures[0]); k++) {
        if (failures[k].code == code) {
            return failures[k];
        }
    }
    return (failure){code, STRADS_ERR_IO,
                     code < NNG_EINTERNAL ? nng_strerror(code) : "the system refused it"};
}

strads_status net_nng_explain(int code, char why[NET_WHY])
{
    const failure failed = describe(code);
    snprintf(why, NET_WHY, "%s", failed.words);
    return failed.status;
}

/* ---- operations ---- */

/* As many of the parts as go into one operation of the library. */
static int gather(const operation *self, nng_iov pieces[MAX_PIECES])
{
    size_t offset = self->offset, left = self->sends ? SIZE_MAX : self->stream->most;
    int n = 0;
    for (int k = 0; k < self->n_parts && n < MAX_PIECES && left > 0; k++, offset = 0) {
        const size_t bytes = self->parts[k].iov_len - offset;
        const size_t take = bytes < left ? bytes : left;
        if (take > 0) {
            pieces[n++] = (nng_iov){(char *) self->parts[k].iov_base + offset, take};
        }
        left -= take;
    }
    return n;
}

/* Moves past n bytes; whether any are left. */
static bool advance(operation *self, size_t n)
{
    self->total += n;
    n += self->offset;
    while (self->n_parts > 0 && n >= self->parts[0].iov_len) {
        n -= self->parts[0].iov_len;
        self->parts++;
        self->n_parts--;
    }
    self->offset = n;
    return self->n_parts > 0;
}

static nng_duration patience_of(const net_stream *stream)
{
    if (isinf(stream->deadline)) {
        return NNG_DURATION_INFINITE;
    }
    const double left_ms = 1e3 * (stream->deadline - strads_now());
    return (nng_duration) fmin(fmax(left_ms, 1.0), 1e9);
}

/* Nothing is under way: the library frees what is left of itself behind our back. */
static void release(net_stream *stream)
{
    nng_stream_free(stream->nng);
    nng_aio_reap(stream->recv.aio);
    nng_aio_reap(stream->send.aio);
    nng_aio_reap(stream->read.aio);
    nng_aio_reap(stream->write.aio);
    pthread_cond_destroy(&stream->idle);
    pthread_mutex_destroy(&stream->lock);
    strads_free(stream);
}

/* Ends a use, with the lock held, and gives the lock up. */
static void end_use(net_stream *stream)
{
    const bool idle = --stream->n_uses == 0;
    const bool last = idle && stream->abandoned;
    if (idle) {
        pthread_cond_signal(&stream->idle);
    }
    pthread_mutex_unlock(&stream->lock);
    if (last) {
        release(stream);
    }
}

/* With the lock held, so that close cannot come in between: an operation that begins on a TLS
 * stream that is closed is lost in the library, and neither a cancellation nor a timeout ends
 * it then. So it ends here instead. */
static void submit(operation *self)
{
    net_stream *stream = self->stream;
    nng_iov pieces[MAX_PIECES] = {{0}};
    const int n = gather(self, pieces);
    const int set = nng_aio_set_iov(self->aio, (unsigned) n, pieces);
    assert(set == 0 && n > 0);
    nng_aio_set_timeout(self->aio, patience_of(stream));
    if (!stream->closed) {
        self->start(stream->nng, self->aio);
    } else if (nng_aio_begin(self->aio)) {
        nng_aio_finish(self->aio, NNG_ECLOSED);
    }
}

static void start(operation *self, const struct iovec *parts, int n_parts, net_done done,
                  void *context)
{
    net_stream *stream = self->stream;
    pthread_mutex_lock(&stream->lock);
    assert(!self->pending && !stream->abandoned);
    assert(!self->sends || (!stream->send.pending && !stream->write.pending));
    self->pending = true;
    self->done = done;
    self->context = context;
    self->parts = parts;
    self->n_parts = n_parts;
    self->offset = self->total = 0;
    stream->n_uses++;
    submit(self);
    pthread_mutex_unlock(&stream->lock);
}

static void call_back(operation *self, strads_status status)
{
    net_stream *stream = self->stream;
    const net_done done = self->done;
    void *context = self->context;
    const size_t total = self->total;
    self->pending = false;
    pthread_mutex_unlock(&stream->lock);

    net_stream *outer = inside;
    inside = stream;
    done(context, status, total);
    inside = outer;

    pthread_mutex_lock(&stream->lock);
    end_use(stream);
}

/* How an operation ended. The good-bye of TLS comes as a refusal, or as nothing at all. */
static int result_of(const operation *self)
{
    const int code = nng_aio_result(self->aio);
    const bool over =
        code == NNG_ECONNREFUSED || (code == 0 && !self->sends && nng_aio_count(self->aio) == 0);
    return over ? NNG_ECONNSHUT : code;
}

/* Keeps the first reason. */
static strads_status fail(net_stream *stream, int code)
{
    const failure failed = describe(code);
    const char *none = NULL;
    atomic_compare_exchange_strong(&stream->why, &none, failed.words);
    return failed.status;
}

static void on_done(void *context)
{
    operation *self = context;
    net_stream *stream = self->stream;
    const int code = result_of(self);
    pthread_mutex_lock(&stream->lock);
    if (code == 0) {
        const bool more = advance(self, nng_aio_count(self->aio));
        if (more && self->sends) {
            submit(self);
            pthread_mutex_unlock(&stream->lock);
            return;
        }
        call_back(self, STRADS_OK);
        return;
    }
    call_back(self, fail(stream, code));
}

/* ---- streams ---- */

/* Who is there, and over what. */
static void look_at_peer(net_stream *self)
{
    nng_sockaddr address;
    uint64_t pid;
    char host[INET6_ADDRSTRLEN] = "?";
    snprintf(self->peer, sizeof(self->peer), "unknown");
    if (nng_stream_get_uint64(self->nng, NNG_OPT_IPC_PEER_PID, &pid) == 0) {
        self->most = SIZE_MAX;
        snprintf(self->peer, sizeof(self->peer), "process %" PRIu64, pid);
    } else if (nng_stream_get_addr(self->nng, NNG_OPT_REMADDR, &address) != 0) {
        return;
    } else if (address.s_family == NNG_AF_INET) {
        inet_ntop(AF_INET, &address.s_in.sa_addr, host, sizeof(host));
        snprintf(self->peer, sizeof(self->peer), "%s:%u", host, ntohs(address.s_in.sa_port));
    } else if (address.s_family == NNG_AF_INET6) {
        inet_ntop(AF_INET6, address.s_in6.sa_addr, host, sizeof(host));
        snprintf(self->peer, sizeof(self->peer), "[%s]:%u", host, ntohs(address.s_in6.sa_port));
    }
}

strads_status net_nng_wrap(net_stream **out, nng_stream *stream)
{
    net_stream *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        goto err_stream;
    }
    self->nng = stream;
    self->deadline = INFINITY;
    self->most = MOST_AT_ONCE;
    self->recv = (operation){.stream = self, .start = nng_stream_recv};
    self->send = (operation){.stream = self, .start = nng_stream_send, .sends = true};
    self->read = (operation){.stream = self, .start = nng_stream_recv};
    self->write = (operation){.stream = self, .start = nng_stream_send, .sends = true};
    if (nng_aio_alloc(&self->recv.aio, on_done, &self->recv) != 0) {
        goto err_self;
    }
    if (nng_aio_alloc(&self->send.aio, on_done, &self->send) != 0) {
        goto err_recv;
    }
    if (nng_aio_alloc(&self->read.aio, NULL, NULL) != 0) {
        goto err_send;
    }
    if (nng_aio_alloc(&self->write.aio, NULL, NULL) != 0) {
        goto err_read;
    }
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->idle, NULL);
    look_at_peer(self);
    *out = self;
    return STRADS_OK;

err_read:
    nng_aio_free(self->read.aio);
err_send:
    nng_aio_free(self->send.aio);
err_recv:
    nng_aio_free(self->recv.aio);
err_self:
    strads_free(self);
err_stream:
    nng_stream_free(stream);
    return STRADS_ERR_NOMEM;
}

void net_stream_recv(net_stream *stream, const struct iovec *parts, int n_parts, net_done done,
                     void *context)
{
    assert(n_parts == 1 || n_parts == 2);
    start(&stream->recv, parts, n_parts, done, context);
}

/* Waits for an operation without a callback: the library's code. */
static int await(operation *self)
{
    nng_aio_wait(self->aio);
    return result_of(self);
}

/* Ends an operation that was waited for. */
static strads_status end(operation *self, int code)
{
    net_stream *stream = self->stream;
    const strads_status status = code == 0 ? STRADS_OK : fail(stream, code);
    pthread_mutex_lock(&stream->lock);
    self->pending = false;
    end_use(stream);
    return status;
}

/* What is there already costs no change of threads, unlike with a callback. */
void net_stream_begin_read(net_stream *stream, const struct iovec *parts, int n_parts)
{
    assert(n_parts == 1 || n_parts == 2);
    start(&stream->read, parts, n_parts, NULL, NULL);
}

strads_status net_stream_end_read(net_stream *stream, size_t *n)
{
    operation *self = &stream->read;
    const int code = await(self);
    if (code == 0) {
        *n = nng_aio_count(self->aio);
    }
    return end(self, code);
}

void net_stream_send(net_stream *stream, const struct iovec *parts, int n_parts, net_done done,
                     void *context)
{
    start(&stream->send, parts, n_parts, done, context);
}

strads_status net_stream_send_all(net_stream *stream, const struct iovec *parts, int n_parts)
{
    operation *self = &stream->write;
    start(self, parts, n_parts, NULL, NULL);
    int code = await(self);
    while (code == 0 && advance(self, nng_aio_count(self->aio))) {
        pthread_mutex_lock(&stream->lock);
        submit(self);
        pthread_mutex_unlock(&stream->lock);
        code = await(self);
    }
    return end(self, code);
}

void net_stream_set_deadline(net_stream *stream, double deadline)
{
    pthread_mutex_lock(&stream->lock);
    stream->deadline = deadline;
    pthread_mutex_unlock(&stream->lock);
}

const char *net_stream_why(const net_stream *stream)
{
    const char *why = atomic_load(&stream->why);
    return why == NULL ? "" : why;
}

const char *net_stream_peer(const net_stream *stream)
{
    return stream->peer;
}

static void close_locked(net_stream *stream)
{
    if (!stream->closed) {
        stream->closed = true;
        nng_stream_close(stream->nng);
        nng_aio_cancel(stream->recv.aio);
        nng_aio_cancel(stream->send.aio);
        nng_aio_cancel(stream->read.aio);
        nng_aio_cancel(stream->write.aio);
    }
}

void net_stream_close(net_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    close_locked(stream);
    pthread_mutex_unlock(&stream->lock);
}

void net_stream_destroy(net_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    pthread_mutex_lock(&stream->lock);
    close_locked(stream);
    stream->abandoned = inside == stream;
    while (!stream->abandoned && stream->n_uses > 0) {
        pthread_cond_wait(&stream->idle, &stream->lock);
    }
    const bool last = !stream->abandoned;
    pthread_mutex_unlock(&stream->lock);
    if (last) {
        release(stream);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte streams: real ones, within this process. */
#include "net/stream.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tasks.h"
#include "net/wait.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

/* ---- what every kind of stream does ---- */

static void on_done(void *context, strads_status status, size_t n)
{
    net_wait_end(context, status, n);
}

/* A TLS stream needs both sides at work, so the writer must not wait first. */
static void check_says(net_stream *from, net_stream *to, const char *words)
{
    char heard[64] = "";
    size_t n = 0;
    const net_patience patience = streams_patience();
    const struct iovec part = {(void *) words, strlen(words)};
    net_wait wait;
    net_wait_init(&wait);
    net_stream_send(from, &part, 1, on_done, &wait);
    REQUIRE_OK(net_stream_read(to, heard, strlen(words), &patience));
    REQUIRE_OK(net_wait_for(&wait, NULL));
    CHECK_STATUS(net_wait_fini(&wait, &n), STRADS_OK);
    CHECK_TEXT(heard, words);
}

/* A thread that waits until it has sent. */
typedef struct sender {
    net_stream *stream;
    const struct iovec *parts;
    int n_parts;
    pthread_t thread;
    strads_status status;
} sender;

static void *send_all(void *argument)
{
    sender *self = argument;
    self->status = net_stream_send_all(self->stream, self->parts, self->n_parts);
    return NULL;
}

static void start_sender(sender *self)
{
    REQUIRE_OK(strads_thread_start(&self->thread, "sender", send_all, self));
}

static void end_sender(sender *self, strads_status expected)
{
    pthread_join(self->thread, NULL);
    CHECK_STATUS(self->status, expected);
}

/* Many parts of unlike sizes, some empty, arrive as the bytes that they are, whoever waits. */
static void check_parts(net_stream *from, net_stream *to)
{
    enum { N_PARTS = 20, N = 700000 };
    unsigned char *sent = strads_alloc(N), *heard = strads_calloc(1, N);
    struct iovec parts[N_PARTS];
    size_t at = 0;
    for (int k = 0; k < N; k++) {
        sent[k] = (unsigned char) (k * 7 + k / 256);
    }
    for (int k = 0; k < N_PARTS; k++) {
        const size_t n = k == N_PARTS - 1 ? N - at : k % 5 == 0 ? 0 : 1 + (size_t) (k * k * 113);
        parts[k] = (struct iovec){sent + at, n};
        at += n;
    }
    const net_patience patience = streams_patience();
    net_wait wait;
    size_t n = 0;
    net_wait_init(&wait);
    net_stream_send(from, parts, N_PARTS, on_done, &wait);
    REQUIRE_OK(net_stream_read(to, heard, N, &patience));
    REQUIRE_OK(net_wait_for(&wait, NULL));
    CHECK_STATUS(net_wait_fini(&wait, &n), STRADS_OK);
    CHECK(n == N);
    CHECK(memcmp(sent, heard, N) == 0);

    sender waits = {.stream = from, .parts = parts, .n_parts = N_PARTS};
    memset(heard, 0, N);
    start_sender(&waits);
    REQUIRE_OK(net_stream_read(to, heard, N, &patience));
    end_sender(&waits, STRADS_OK);
    CHECK(memcmp(sent, heard, N) == 0);
    strads_free(sent);
    strads_free(heard);
}

static void check_end(net_stream *from, net_stream *to)
{
    char byte;
    const net_patience patience = streams_patience();
    CHECK_TEXT(net_stream_why(to), "");
    net_stream_destroy(from);
    CHECK_STATUS(net_stream_read(to, &byte, 1, &patience), STRADS_ERR_CLOSED);
    CHECK(net_stream_why(to)[0] != '\0');
    net_stream_destroy(to);
}

static void check_kind(const char *url, const net_tls *tls, const char *peer)
{
    net_stream *pair[2];
    streams_connect(pair, url, tls);
    CHECK(strncmp(net_stream_peer(pair[1]), peer, strlen(peer)) == 0);
    check_says(pair[0], pair[1], "hello");
    check_says(pair[1], pair[0], "hello to you");
    check_parts(pair[0], pair[1]);
    check_parts(pair[1], pair[0]);
    check_end(pair[0], pair[1]);
}

static void kinds(void)
{
    char url[200], *cert = NULL, *key = NULL;
    const size_t live = strads_mem_live();
    snprintf(url, sizeof(url), "ipc://%s/socket", suite_folder());
    streams_certificate("kinds", "localhost", &cert, &key);
    const net_tls tls = {.cert = cert, .key = key, .ca = cert};
    const net_tls named = {.cert = cert, .key = key, .ca = cert, .name = "localhost"};
    check_kind("abstract://", NULL, "process ");
    check_kind(url, NULL, "process ");
    check_kind("tcp://127.0.0.1:0", NULL, "127.0.0.1:");
    check_kind("tls+tcp://localhost:0", &tls, "");
    check_kind("tls+tcp://127.0.0.1:0", &named, "127.0.0.1:");
    strads_free(cert);
    strads_free(key);
    CHECK(strads_mem_live() == live);
}

static void forks_before(void)
{
    int pipes[2];
    char url[128] = "";
    REQUIRE(pipe(pipes) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        net_stream *stream = NULL;
        char why[NET_WHY], byte = 'x';
        const net_patience patience = streams_patience();
        const bool done = read(pipes[0], url, sizeof(url)) == sizeof(url) &&
                          net_stream_dial(&stream, url, NULL, &patience, why) == STRADS_OK &&
                          net_stream_write(stream, &byte, 1, &patience) == STRADS_OK &&
                          net_stream_read(stream, &byte, 1, &patience) == STRADS_OK;
        _exit(done ? 0 : 1);
    }
    streams_host *host = streams_listen("abstract://", NULL);
    snprintf(url, sizeof(url), "%s", streams_url(host));
    REQUIRE(write(pipes[1], url, sizeof(url)) == sizeof(url));
    net_stream *stream = streams_accept(host);
    char byte = 0, peer[32];
    int status = -1;
    const net_patience patience = streams_patience();
    REQUIRE_OK(net_stream_read(stream, &byte, 1, &patience));
    REQUIRE_OK(net_stream_write(stream, &byte, 1, &patience));
    snprintf(peer, sizeof(peer), "process %d", (int) child);
    CHECK_TEXT(net_stream_peer(stream), peer);
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    net_stream_destroy(stream);
    streams_close(host);
    close(pipes[0]);
    close(pipes[1]);
}

/* ---- ends ---- */

static void close_ends_operations(void)
{
    char byte;
    size_t n = 0;
    net_stream *pair[2];
    const struct iovec part = {&byte, 1};
    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    for (int late = 0; late < 2; late++) { /* under way, and after */
        net_wait wait;
        net_wait_init(&wait);
        if (late) {
            net_stream_close(pair[0]);
        }
        net_stream_recv(pair[0], &part, 1, on_done, &wait);
        net_stream_close(pair[0]);
        net_stream_close(pair[0]);
        REQUIRE_OK(net_wait_for(&wait, NULL));
        CHECK_STATUS(net_wait_fini(&wait, &n), STRADS_ERR_CLOSED);
    }
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);
    net_stream_destroy(NULL);
}

typedef struct reader {
    net_stream *stream;
    pthread_t thread;
    strads_status status;
    char byte;
    size_t n;
} reader;

static void *read_once(void *argument)
{
    reader *self = argument;
    const struct iovec part = {&self->byte, 1};
    net_stream_begin_read(self->stream, &part, 1);
    self->status = net_stream_end_read(self->stream, &self->n);
    return NULL;
}

static void start_reader(reader *self, net_stream *stream)
{
    *self = (reader){.stream = stream};
    REQUIRE_OK(strads_thread_start(&self->thread, "reader", read_once, self));
}

/* Whatever comes about may come before the read waits, or after. */
static void waiting_reads(void)
{
    net_stream *pair[2];
    reader self;
    const net_patience patience = streams_patience();
    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    start_reader(&self, pair[0]);
    REQUIRE_OK(net_stream_write(pair[1], "x", 1, &patience));
    pthread_join(self.thread, NULL);
    CHECK_STATUS(self.status, STRADS_OK);
    CHECK(self.n == 1 && self.byte == 'x');

    start_reader(&self, pair[0]);
    net_stream_close(pair[0]);
    pthread_join(self.thread, NULL);
    CHECK_STATUS(self.status, STRADS_ERR_CLOSED);
    CHECK(self.n == 0);
    (void) read_once(&self); /* and on a closed stream */
    CHECK_STATUS(self.status, STRADS_ERR_CLOSED);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);

    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    start_reader(&self, pair[0]);
    net_stream_destroy(pair[1]);
    pthread_join(self.thread, NULL);
    CHECK_STATUS(self.status, STRADS_ERR_CLOSED);
    CHECK(net_stream_why(pair[0])[0] != '\0');
    net_stream_destroy(pair[0]);

    streams_connect(pair, "abstract://", NULL);
    net_stream_set_deadline(pair[0], strads_now());
    self.stream = pair[0];
    (void) read_once(&self);
    CHECK_STATUS(self.status, STRADS_ERR_IO);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);
}

/* Over tcp one read takes a piece of what is there, which may end within either part. */
static void reads_in_pieces(void)
{
    enum { N = 600000, FIRST = 131000, PIECE = 128 * 1024 };
    unsigned char *sent = strads_alloc(N), *heard = strads_calloc(1, N);
    REQUIRE(sent != NULL && heard != NULL);
    for (int k = 0; k < N; k++) {
        sent[k] = (unsigned char) (k * 7 + k / 256);
    }
    const struct iovec all = {sent, N};
    net_stream *pair[2];
    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    sender writer = {.stream = pair[0], .parts = &all, .n_parts = 1};
    start_sender(&writer);
    for (size_t at = 0, n = 0; at < N; at += n) {
        const size_t first = N - at < FIRST ? N - at : FIRST;
        const struct iovec parts[] = {{heard + at, first}, {heard + at + first, N - at - first}};
        net_stream_begin_read(pair[1], parts, 2);
        REQUIRE_OK(net_stream_end_read(pair[1], &n));
        CHECK(n > 0 && n <= PIECE);
    }
    end_sender(&writer, STRADS_OK);
    CHECK(memcmp(sent, heard, N) == 0);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);
    strads_free(sent);
    strads_free(heard);
}

/* More than the system takes, and nobody reads it. */
static void waiting_sends(void)
{
    enum { LARGE = 1 << 26 };
    char *large = strads_calloc(1, LARGE), byte;
    REQUIRE(large != NULL);
    const struct iovec part = {large, LARGE};
    const net_patience patience = streams_patience();
    net_stream *pair[2];
    sender self = {.parts = &part, .n_parts = 1};
    for (int theirs = 0; theirs < 2; theirs++) { /* the end of the stream, or of the other side */
        streams_connect(pair, "tcp://127.0.0.1:0", NULL);
        self.stream = pair[0];
        start_sender(&self);
        REQUIRE_OK(net_stream_read(pair[1], &byte, 1, &patience)); /* it is under way */
        if (theirs) {
            net_stream_destroy(pair[1]);
        } else {
            net_stream_close(pair[0]);
        }
        end_sender(&self, STRADS_ERR_CLOSED);
        (void) send_all(&self);
        CHECK_STATUS(self.status, STRADS_ERR_CLOSED);
        CHECK(net_stream_why(pair[0])[0] != '\0');
        net_stream_destroy(pair[0]);
        net_stream_destroy(theirs ? NULL : pair[1]);
    }
    streams_connect(pair, "abstract://", NULL);
    net_stream_set_deadline(pair[0], strads_now());
    self.stream = pair[0];
    (void) send_all(&self);
    CHECK_STATUS(self.status, STRADS_ERR_IO);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);
    strads_free(large);
}

typedef struct ender {
    net_stream *stream;
    net_wait received, sent;
} ender;

static void on_received(void *context, strads_status status, size_t n)
{
    ender *self = context;
    net_stream_destroy(self->stream);
    net_wait_end(&self->received, status, n);
}

static void on_sent(void *context, strads_status status, size_t n)
{
    ender *self = context;
    net_wait_end(&self->sent, status, n);
}

static void destroyed_in_callback(void)
{
    enum { LARGE = 1 << 26 }; /* more than the system buffers */
    const size_t live = strads_mem_live();
    char byte;
    size_t n = 0;
    net_stream *pair[2];
    ender self;
    char *large = strads_calloc(1, LARGE);
    const struct iovec part = {&byte, 1}, all = {large, LARGE};
    const net_patience patience = streams_patience();
    streams_connect(pair, "abstract://", NULL);
    self.stream = pair[0];
    net_wait_init(&self.received);
    net_wait_init(&self.sent);
    net_stream_send(pair[0], &all, 1, on_sent, &self);
    net_stream_recv(pair[0], &part, 1, on_received, &self);
    REQUIRE_OK(net_stream_write(pair[1], "x", 1, &patience));
    REQUIRE_OK(net_wait_for(&self.received, NULL));
    REQUIRE_OK(net_wait_for(&self.sent, NULL));
    CHECK_STATUS(net_wait_fini(&self.received, &n), STRADS_OK);
    CHECK_STATUS(net_wait_fini(&self.sent, &n), STRADS_ERR_CLOSED);
    net_stream_destroy(pair[1]);
    strads_free(large);
    while (strads_mem_live() > live) { /* its last callback is about to free it */
    }
}

static void deadlines(void)
{
    enum { LARGE = 1 << 26 };
    char *large = strads_calloc(1, LARGE), byte;
    net_stream *pair[2];
    const net_patience patience = streams_patience(), none = {.deadline = strads_now() - 1.0};
    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    net_stream_set_deadline(pair[0], strads_now());
    CHECK_STATUS(net_stream_write(pair[0], large, LARGE, &patience), STRADS_ERR_IO);
    CHECK_TEXT(net_stream_why(pair[0]), "no answer in time");
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);

    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    CHECK_STATUS(net_stream_read(pair[1], &byte, 1, &none), STRADS_ERR_IO);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);

    const _Atomic bool stop = true;
    const net_patience stopped = {.deadline = INFINITY, .stop = &stop};
    streams_connect(pair, "tcp://127.0.0.1:0", NULL);
    CHECK_STATUS(net_stream_read(pair[0], &byte, 1, &stopped), STRADS_ERR_CLOSED);
    net_stream_destroy(pair[0]);
    net_stream_destroy(pair[1]);
    strads_free(large);
}

/* ---- no memory ---- */

static void no_memory(void)
{
    char why[NET_WHY];
    net_stream *stream = NULL;
    net_listener *listener = NULL; /* lets nobody in: who dials allocates alone */
    const net_patience patience = streams_patience();
    REQUIRE_OK(net_listener_open(&listener, "abstract://", NULL));
    const size_t live = strads_mem_live();
    strads_mem_fail_after(1);
    CHECK_STATUS(net_stream_dial(&stream, net_listener_url(listener), NULL, &patience, why),
                 STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK(strads_mem_live() == live);
    net_listener_close(listener);
}

SUITE("net/stream", {"a process may fork before the first use", forks_before},
      {"bytes arrive as they were sent, over every kind", kinds},
      {"closing ends what is under way and what comes after", close_ends_operations},
      {"a read that waits ends with bytes, with its stream, or too late", waiting_reads},
      {"reads take pieces, in whichever part they end", reads_in_pieces},
      {"a send that waits ends with all sent, with its stream, or too late", waiting_sends},
      {"a stream may be destroyed in its callback", destroyed_in_callback},
      {"nothing waits longer than it may", deadlines},
      {"no memory for a stream is said", no_memory})

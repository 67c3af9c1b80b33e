/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_wire.c - messages between two processes: raw sockets, PAIR sockets of the
 * library nng, and frames on our streams. One JSON line a case, the three measured in
 * alternation; asserts nothing.
 *
 * A message one way is counted when the receiver has it whole in memory of its own. Frames
 * carry as many messages as wait, up to 64 KiB, as those of a run do.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/frame.h"
#include "net/net.h"
#include "net/wait.h"

enum { N_REPEATS = 5, RECEIVE_BYTES = 1 << 16, N_AIOS = 16, URL_BYTES = 200 };

/* What one process of a case does. */
typedef struct bench_case {
    bool tcp, echo; /* echo: round trips; else one way, and one byte back at the end */
    size_t size, n_times;
    int url_pipe[2], result_pipe[2];
} bench_case;

typedef void (*bench_side)(const bench_case *self, bool listens);

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_wire: %s failed\n", what);
        exit(1);
    }
}

static void tell_url(const bench_case *self, const char *url)
{
    char text[URL_BYTES] = "";
    snprintf(text, sizeof(text), "%s", url);
    must(write(self->url_pipe[1], text, sizeof(text)) == sizeof(text), "write");
}

static void hear_url(const bench_case *self, char url[URL_BYTES])
{
    must(read(self->url_pipe[0], url, URL_BYTES) == URL_BYTES, "read");
}

static void tell_result(const bench_case *self, double started)
{
    const double seconds = strads_now() - started;
    must(write(self->result_pipe[1], &seconds, sizeof(seconds)) == sizeof(seconds), "write");
}

/* ---- raw sockets ---- */

static void raw_move(int fd, char *bytes, size_t n, bool sends)
{
    while (n > 0) {
        const ssize_t moved = sends ? write(fd, bytes, n) : read(fd, bytes, n);
        must(moved > 0, "a raw transfer");
        bytes += moved;
        n -= (size_t) moved;
    }
}

static int raw_connect(const bench_case *self, bool listens)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr *address = self->tcp ? (struct sockaddr *) &in : (struct sockaddr *) &un;
    socklen_t bytes = self->tcp ? sizeof(in) : sizeof(un);
    char url[URL_BYTES];
    int fd = socket(self->tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    if (listens) {
        snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "strads-bench-%d", (int) getpid());
        must(bind(fd, address, bytes) == 0 && listen(fd, 1) == 0 &&
                 getsockname(fd, address, &bytes) == 0,
             "a raw listener");
        snprintf(url, sizeof(url), "%s", self->tcp ? "" : un.sun_path + 1);
        memcpy(url + 128, &in.sin_port, sizeof(in.sin_port));
        must(write(self->url_pipe[1], url, sizeof(url)) == sizeof(url), "write");
        const int listener = fd;
        fd = accept(listener, NULL, NULL);
        close(listener);
    } else {
        hear_url(self, url);
        memcpy(&in.sin_port, url + 128, sizeof(in.sin_port));
        snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%.100s", url);
        must(connect(fd, address, bytes) == 0, "a raw connection");
    }
    const int on = 1;
    if (self->tcp) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return fd;
}

static void raw_side(const bench_case *self, bool listens)
{
    const int fd = raw_connect(self, listens);
    char *bytes = strads_calloc(1, self->size);
    const double started = strads_now();
    for (size_t k = 0; k < self->n_times; k++) {
        raw_move(fd, bytes, self->size, !listens);
        if (self->echo) {
            raw_move(fd, bytes, self->size, listens);
        }
    }
    if (!self->echo) {
        raw_move(fd, bytes, 1, listens);
    }
    if (!listens) {
        tell_result(self, started);
    }
    close(fd);
    strads_free(bytes);
}

/* ---- PAIR sockets of the library ---- */

typedef struct pair_end {
    const bench_case *wanted;
    bool listens;
    nng_socket socket;
    net_wait wait;
    pthread_mutex_t lock; /* guards the counts */
    size_t n_started, n_ended;
    struct pair_aio {
        struct pair_end *end;
        nng_aio *aio;
        bool sends;
    } aios[N_AIOS];
} pair_end;

static void pair_send(struct pair_aio *self)
{
    nng_msg *message = NULL;
    must(nng_msg_alloc(&message, self->end->wanted->size) == 0, "nng_msg_alloc");
    nng_aio_set_msg(self->aio, message);
    self->sends = true;
    nng_send_aio(self->end->socket, self->aio);
}

static void pair_receive(struct pair_aio *self)
{
    self->sends = false;
    nng_recv_aio(self->end->socket, self->aio);
}

/* Counts one; whether another is to start, or all have ended. */
static bool pair_count(pair_end *end, bool *last)
{
    pthread_mutex_lock(&end->lock);
    *last = ++end->n_ended == end->wanted->n_times;
    const bool more = end->n_started < end->wanted->n_times;
    end->n_started += more;
    pthread_mutex_unlock(&end->lock);
    return more;
}

static void pair_done(void *context)
{
    struct pair_aio *self = context;
    pair_end *end = self->end;
    bool last = false;
    if (nng_aio_result(self->aio) != 0) {
        return;
    }
    const bool turns = end->wanted->echo && self->sends != end->listens;
    if (!self->sends) {
        nng_msg_free(nng_aio_get_msg(self->aio));
    }
    if (turns) {
        self->sends ? pair_receive(self) : pair_send(self);
        return;
    }
    if (pair_count(end, &last)) {
        end->listens ? pair_receive(self) : pair_send(self);
    }
    if (last) {
        net_wait_end(&end->wait, STRADS_OK, 0);
    }
}

static void pair_connect(pair_end *end, char url[URL_BYTES])
{
    const bench_case *wanted = end->wanted;
    must(nng_pair0_open(&end->socket) == 0, "nng_pair0_open");
    nng_socket_set_int(end->socket, NNG_OPT_SENDBUF, 64);
    nng_socket_set_int(end->socket, NNG_OPT_RECVBUF, 64);
    nng_socket_set_size(end->socket, NNG_OPT_RECVMAXSZ, 0);
    if (end->listens) {
        nng_listener listener;
        int port = 0;
        snprintf(url, URL_BYTES, "abstract://strads-bench-%d", (int) getpid());
        must(nng_listen(end->socket, wanted->tcp ? "tcp://127.0.0.1:0" : url, &listener, 0) == 0,
             "nng_listen");
        if (wanted->tcp) {
            nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port);
            snprintf(url, URL_BYTES, "tcp://127.0.0.1:%d", port);
        }
        tell_url(wanted, url);
    } else {
        hear_url(wanted, url);
        must(nng_dial(end->socket, url, NULL, 0) == 0, "nng_dial");
    }
}

/* The one byte back of a case one way. */
static void pair_confirm(pair_end *end)
{
    nng_msg *message = NULL;
    if (end->listens) {
        must(nng_msg_alloc(&message, 1) == 0 && nng_sendmsg(end->socket, message, 0) == 0,
             "nng_sendmsg");
        (void) nng_recvmsg(end->socket, &message, 0); /* until the other side closes */
    } else {
        must(nng_recvmsg(end->socket, &message, 0) == 0, "nng_recvmsg");
        nng_msg_free(message);
    }
}

static void pair_side(const bench_case *self, bool listens)
{
    char url[URL_BYTES];
    static pair_end end;
    end = (pair_end){.wanted = self, .listens = listens};
    net_wait_init(&end.wait);
    pthread_mutex_init(&end.lock, NULL);
    pair_connect(&end, url);
    const double started = strads_now();
    const size_t n_aios = self->echo ? 1 : N_AIOS;
    end.n_started = n_aios;
    for (size_t k = 0; k < n_aios; k++) {
        end.aios[k].end = &end;
        must(nng_aio_alloc(&end.aios[k].aio, pair_done, &end.aios[k]) == 0, "nng_aio_alloc");
        listens ? pair_receive(&end.aios[k]) : pair_send(&end.aios[k]);
    }
    (void) net_wait_for(&end.wait, NULL);
    if (!self->echo) {
        nng_socket_set_ms(end.socket, NNG_OPT_RECVTIMEO, listens ? 200 : NNG_DURATION_INFINITE);
        pair_confirm(&end);
    }
    if (!listens) {
        tell_result(self, started);
    } else if (self->echo) {
        pause();
    }
}

/* ---- frames on a stream ---- */

typedef struct wire_end {
    const bench_case *wanted;
    bool listens;
    net_stream *stream;
    net_wait wait, arrived;

    /* sending */
    pthread_mutex_t lock; /* guards these */
    bool busy, wanted_again;
    size_t n_sent;
    uint64_t out_sequence;
    unsigned char *body, *heads;
    struct iovec parts[3];

    /* receiving */
    unsigned char buffer[RECEIVE_BYTES];
    size_t have, body_have, n_received;
    uint64_t in_sequence, left;
    net_frame frame;
    net_sum sum;
    net_message *message; /* NULL: the head of a record is next */
    struct iovec room[2];
} wire_end;

static void wire_send(wire_end *self);
static void wire_receive(wire_end *self);

static void wire_sent(void *context, strads_status status, size_t n)
{
    wire_end *self = context;
    (void) n;
    must(status == STRADS_OK, "net_stream_send");
    const bool more = !self->wanted->echo && self->n_sent < self->wanted->n_times;
    pthread_mutex_lock(&self->lock);
    self->busy = false;
    const bool again = more || self->wanted_again;
    self->wanted_again = false;
    pthread_mutex_unlock(&self->lock);
    if (again) {
        wire_send(self);
    }
}

/* Whether a frame may go now; else it goes when the one under way has gone. */
static bool wire_begins(wire_end *self)
{
    pthread_mutex_lock(&self->lock);
    const bool begins = !self->busy;
    self->busy = true;
    self->wanted_again = !begins;
    pthread_mutex_unlock(&self->lock);
    return begins;
}

/* One frame: of as many messages as fit, or one. */
static void wire_send(wire_end *self)
{
    enum { SMALL = 1 << 12 };
    if (!wire_begins(self)) {
        return;
    }
    const size_t size = self->wanted->size, waiting = self->wanted->n_times - self->n_sent;
    const size_t fit = self->wanted->echo || size >= RECEIVE_BYTES ? 1 : RECEIVE_BYTES / size;
    const size_t n = fit < waiting ? fit : waiting;
    const net_frame frame = {
        .kind = NET_FRAME_DATA, .n_records = (uint32_t) n, .sequence = self->out_sequence++};
    const net_record record = {.kind = NET_RECORD_MESSAGE, .lane = NET_DATA, .bytes = size};
    unsigned char *at = self->heads + NET_FRAME_HEAD;
    int n_parts = 1;
    for (size_t k = 0; k < n; k++) {
        net_record_encode(at, &record);
        at += NET_RECORD_HEAD;
        if (size <= SMALL) {
            memcpy(at, self->body, size);
            at += size;
        }
    }
    self->parts[0].iov_base = self->heads + NET_FRAME_HEAD;
    self->parts[0].iov_len = (size_t) (at - self->heads) - NET_FRAME_HEAD;
    if (size > SMALL) {
        self->parts[n_parts++] = (struct iovec){self->body, size};
    }
    net_frame_encode(self->heads, &frame, self->parts, n_parts);
    self->parts[0].iov_base = self->heads;
    self->parts[0].iov_len += NET_FRAME_HEAD;
    self->n_sent += n;
    net_stream_send(self->stream, self->parts, n_parts, wire_sent, self);
}

static void wire_message(wire_end *self)
{
    net_message_destroy(self->message);
    self->message = NULL;
    self->n_received++;
    if (self->wanted->echo && (self->listens || self->n_received < self->wanted->n_times)) {
        wire_send(self);
    }
    if (self->n_received == self->wanted->n_times) {
        net_wait_end(&self->wait, STRADS_OK, 0);
    }
}

/* Takes one thing from the buffer; the bytes it took, 0: more must come. */
static size_t wire_take(wire_end *self, const unsigned char *at, size_t n)
{
    char why[NET_WHY];
    net_record record;
    size_t took = 0;
    if (self->message != NULL) {
        took = self->wanted->size - self->body_have;
        took = took < n ? took : n;
        memcpy(self->message->body + self->body_have, at, took);
        net_sum_add(&self->sum, at, took);
        self->body_have += took;
    } else if (self->left == 0 && n >= NET_FRAME_HEAD) {
        took = NET_FRAME_HEAD;
        must(net_frame_decode(&self->frame, at, self->in_sequence++, why) == STRADS_OK, "a frame");
        net_sum_start(&self->sum, at);
        self->left = self->frame.bytes;
        return took;
    } else if (self->left > 0 && n >= NET_RECORD_HEAD) {
        took = NET_RECORD_HEAD;
        must(net_record_decode(&record, at, self->left - took, 1, why) == STRADS_OK, "a record");
        net_sum_add(&self->sum, at, took);
        self->message = net_message_create(1, NET_DATA, (size_t) record.bytes);
        self->body_have = 0;
    }
    self->left -= took;
    return took;
}

static void wire_end_message(wire_end *self)
{
    if (self->message != NULL && self->body_have == self->wanted->size) {
        must(self->left > 0 || net_sum_end(&self->sum) == self->frame.sum, "a sum");
        wire_message(self);
    }
}

static void wire_received(void *context, strads_status status, size_t n)
{
    wire_end *self = context;
    if (status != STRADS_OK) {
        return;
    }
    if (self->message != NULL) {
        const size_t rest = self->wanted->size - self->body_have;
        const size_t direct = n < rest ? n : rest;
        net_sum_add(&self->sum, self->message->body + self->body_have, direct);
        self->body_have += direct;
        self->left -= direct;
        n -= direct;
        wire_end_message(self);
    }
    self->have += n;
    size_t begin = 0;
    for (size_t took = 1; took > 0; begin += took) {
        took = wire_take(self, self->buffer + begin, self->have - begin);
        wire_end_message(self);
    }
    memmove(self->buffer, self->buffer + begin, self->have - begin);
    self->have -= begin;
    wire_receive(self);
}

static void wire_receive(wire_end *self)
{
    int n = 0;
    if (self->message != NULL) {
        self->room[n++] = (struct iovec){self->message->body + self->body_have,
                                         self->wanted->size - self->body_have};
    }
    self->room[n++] = (struct iovec){self->buffer + self->have, RECEIVE_BYTES - self->have};
    net_stream_recv(self->stream, self->room, n, wire_received, self);
}

static void wire_arrived(void *context, net_stream *stream)
{
    wire_end *self = context;
    self->stream = stream;
    net_wait_end(&self->arrived, STRADS_OK, 0);
}

static void wire_side(const bench_case *self, bool listens)
{
    static wire_end end;
    static char url[URL_BYTES], why[NET_WHY];
    const net_patience patience = {.deadline = strads_now() + 10.0};
    net_listener *listener = NULL;
    end = (wire_end){.wanted = self, .listens = listens};
    end.body = strads_calloc(1, self->size);
    end.heads = strads_calloc(4, RECEIVE_BYTES + (1 << 17));
    net_wait_init(&end.wait);
    net_wait_init(&end.arrived);
    pthread_mutex_init(&end.lock, NULL);
    if (listens) {
        must(net_listener_open(&listener, self->tcp ? "tcp://127.0.0.1:0" : "abstract://", NULL) ==
                 STRADS_OK,
             "net_listener_open");
        net_listener_start(listener, wire_arrived, &end);
        tell_url(self, net_listener_url(listener));
        (void) net_wait_for(&end.arrived, NULL);
    } else {
        hear_url(self, url);
        must(net_stream_dial(&end.stream, url, NULL, &patience, why) == STRADS_OK, why);
    }
    const double started = strads_now();
    if (listens || self->echo) {
        wire_receive(&end);
    }
    if (!listens) {
        wire_send(&end);
    }
    char byte = 0;
    if (listens || self->echo) {
        (void) net_wait_for(&end.wait, NULL);
    }
    if (!self->echo) {
        const net_patience longer = {.deadline = strads_now() + 60.0};
        must((listens ? net_stream_write(end.stream, &byte, 1, &longer)
                      : net_stream_read(end.stream, &byte, 1, &longer)) == STRADS_OK,
             "the confirmation");
    }
    if (!listens) {
        tell_result(self, started);
    } else {
        pause();
    }
}

/* ---- cases ---- */

static pid_t start_side(bench_side side, const bench_case *wanted, bool listens)
{
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        side(wanted, listens);
        _exit(0);
    }
    return pid;
}

/* Seconds that the case takes. */
static double measure(bench_side side, const bench_case *wanted)
{
    bench_case self = *wanted;
    double seconds = 0.0;
    must(pipe(self.url_pipe) == 0 && pipe(self.result_pipe) == 0, "pipe");
    const pid_t listener = start_side(side, &self, true);
    const pid_t dialler = start_side(side, &self, false);
    must(read(self.result_pipe[0], &seconds, sizeof(seconds)) == sizeof(seconds), "a case");
    kill(listener, SIGKILL);
    kill(dialler, SIGKILL);
    waitpid(listener, NULL, 0);
    waitpid(dialler, NULL, 0);
    for (int k = 0; k < 2; k++) {
        close(self.url_pipe[k]);
        close(self.result_pipe[k]);
    }
    return seconds;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void run(const bench_case *wanted)
{
    static const bench_side sides[] = {raw_side, pair_side, wire_side};
    enum { N_SIDES = 3 };
    double seconds[N_SIDES][N_REPEATS], median[N_SIDES];
    for (int k = 0; k < N_REPEATS; k++) {
        for (int side = 0; side < N_SIDES; side++) {
            seconds[side][k] = measure(sides[side], wanted);
        }
    }
    for (int side = 0; side < N_SIDES; side++) {
        qsort(seconds[side], N_REPEATS, sizeof(double), compare);
        median[side] = 1e6 * seconds[side][N_REPEATS / 2] / (double) wanted->n_times;
    }
    printf("{\"bench\":\"wire\",\"over\":\"%s\",\"what\":\"%s\",\"bytes\":%zu,\"raw_us\":%.2f,"
           "\"nng_us\":%.2f,\"frames_us\":%.2f,\"frames_MB_s\":%.0f,\"rate_to_nng\":%.2f,"
           "\"rate_to_raw\":%.2f}\n",
           wanted->tcp ? "tcp" : "ipc", wanted->echo ? "round trip" : "one way", wanted->size,
           median[0], median[1], median[2], (double) wanted->size / median[2],
           median[1] / median[2], median[0] / median[2]);
    fflush(stdout);
}

int main(void)
{
    static const size_t sizes[] = {64, 4096, 65536, 1 << 20};
    static const size_t n_trips[] = {5000, 5000, 3000, 500};
    static const size_t n_messages[] = {200000, 100000, 20000, 2000};
    for (int tcp = 1; tcp >= 0; tcp--) {
        for (int k = 0; k < 4; k++) {
            run(&(bench_case){.tcp = tcp, .echo = true, .size = sizes[k], .n_times = n_trips[k]});
            run(&(bench_case){.tcp = tcp, .size = sizes[k], .n_times = n_messages[k]});
        }
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_wire.c - messages between two processes: raw sockets, PAIR sockets of the
 * library nng, and our links. One JSON line a case, the three measured in alternation;
 * asserts nothing. Arguments are words in the names of the cases wanted:
 *   bench_wire tcp "one way" 1048576
 *
 * One way, a message counts when its receiver has it whole; a link's receiver allocates it
 * and checks its sum.
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
#include "net/links.h"
#include "net/wait.h"

enum { N_REPEATS = 5, N_AIOS = 16, URL_BYTES = 200 };

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

/* ---- links: our frames on a stream ---- */

typedef struct arrival {
    net_wait wait;
    net_stream *stream;
} arrival;

static void on_arrived(void *context, net_stream *stream)
{
    arrival *self = context;
    self->stream = stream;
    net_wait_end(&self->wait, STRADS_OK, 0);
}

static net_stream *link_connect(const bench_case *self, bool listens)
{
    static char url[URL_BYTES], why[NET_WHY];
    const net_patience patience = {.deadline = strads_now() + 10.0};
    net_stream *stream = NULL;
    if (!listens) {
        hear_url(self, url);
        must(net_stream_dial(&stream, url, NULL, &patience, why) == STRADS_OK, why);
        return stream;
    }
    arrival client;
    net_listener *listener = NULL;
    const char *anywhere = self->tcp ? "tcp://127.0.0.1:0" : "abstract://";
    net_wait_init(&client.wait);
    must(net_listener_open(&listener, anywhere, NULL) == STRADS_OK, "net_listener_open");
    net_listener_start(listener, on_arrived, &client);
    tell_url(self, net_listener_url(listener));
    (void) net_wait_for(&client.wait, NULL);
    return client.stream;
}

static net_links *link_create(const bench_case *self, bool listens)
{
    const net_links_options options = {
        .n_processes = 2, .me = listens, .queue_messages = 32, .heartbeat = 1.0, .timeout = 60.0};
    net_peer peers[] = {{.name = strads_strdup("who dials"), .first = 0, .n = 1},
                        {.name = strads_strdup("who listens"), .first = 1, .n = 1}};
    net_links *links = NULL;
    peers[!listens].stream = link_connect(self, listens);
    must(net_links_create(&links, &options, peers) == STRADS_OK, "net_links_create");
    return links;
}

static void link_post(net_links *links, uint32_t to, size_t size)
{
    net_message *message = net_message_create(1, NET_DATA, size);
    must(message != NULL && net_links_post(links, to, message) == STRADS_OK, "net_links_post");
}

static void link_take(net_links *links, uint32_t from)
{
    net_message *message = NULL;
    must(net_links_take(links, from, &message) == STRADS_OK, "net_links_take");
    net_message_destroy(message);
}

/* One way at most two windows are under way: every window is confirmed. */
static void link_side(const bench_case *self, bool listens)
{
    enum { WINDOW_BYTES = 1 << 22, MOST = 120 }; /* 256 parts may wait at the receiver */
    const size_t fit = WINDOW_BYTES / self->size, window = fit < MOST ? fit : MOST;
    const uint32_t other = !listens;
    net_links *links = link_create(self, listens);
    const double started = strads_now();
    for (size_t k = 0; k < self->n_times; k++) {
        if (listens) {
            link_take(links, other);
        } else {
            link_post(links, other, self->size);
        }
        if (self->echo && listens) {
            link_post(links, other, self->size);
        } else if (self->echo || (!listens && k >= 2 * window && k % window == 0)) {
            link_take(links, other);
        } else if (listens && (k + 1) % window == 0) {
            link_post(links, other, 1);
        }
    }
    if (!self->echo && listens) {
        link_post(links, other, 2);
    } else if (!self->echo) {
        size_t last = 0;
        while (last != 2) {
            net_message *message = NULL;
            must(net_links_take(links, other, &message) == STRADS_OK, "net_links_take");
            last = message->bytes;
            net_message_destroy(message);
        }
    }
    if (listens) {
        pause(); /* until it is killed */
    }
    tell_result(self, started);
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

/* Whether the words that the program was given are all in the name of the case. */
static bool is_wanted(const bench_case *self, char **words)
{
    char name[64];
    snprintf(name, sizeof(name), "%s %s %zu ", self->tcp ? "tcp" : "ipc",
             self->echo ? "round trip" : "one way", self->size);
    for (; *words != NULL; words++) {
        if (strstr(name, *words) == NULL) {
            return false;
        }
    }
    return true;
}

static void run(const bench_case *wanted)
{
    static const bench_side sides[] = {raw_side, pair_side, link_side};
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
           "\"nng_us\":%.2f,\"links_us\":%.2f,\"links_MB_s\":%.0f,\"rate_to_nng\":%.2f,"
           "\"rate_to_raw\":%.2f}\n",
           wanted->tcp ? "tcp" : "ipc", wanted->echo ? "round trip" : "one way", wanted->size,
           median[0], median[1], median[2], (double) wanted->size / median[2],
           median[1] / median[2], median[0] / median[2]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 4096, 65536, 1 << 20};
    static const size_t n_trips[] = {5000, 5000, 3000, 500};
    static const size_t n_messages[] = {200000, 100000, 20000, 2000};
    (void) argc;
    for (int k = 0; k < 16; k++) {
        const int size = k / 2 % 4;
        const bench_case one = {.tcp = k < 8,
                                .echo = k % 2 == 0,
                                .size = sizes[size],
                                .n_times = k % 2 == 0 ? n_trips[size] : n_messages[size]};
        if (is_wanted(&one, argv + 1)) {
            run(&one);
        }
    }
    return 0;
}

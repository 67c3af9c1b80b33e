/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_ssp_wire.c - rows of a table pushed to another process and fetched from it, over
 * tcp on this machine, beside what the links do with messages of 1 MiB and of 8 bytes. One
 * JSON line a repeat; asserts nothing.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/links.h"
#include "net/wait.h"
#include "ssp/store.h"

enum { COLUMNS = 64, ROWS = 4096, PERIODS = 100, FETCHES = 2000, REPEATS = 5, URL_BYTES = 200 };
enum { BIG = 1 << 20, SMALL = 8, N_BIG = 300, N_SMALL = 5000 };

typedef struct bench {
    net *network;
    ssp_store *store;
    double big_s, small_s;         /* of the links, a message and a round trip */
    double push_s, fetch_s, row_s; /* of the table, a period's rows and a single one */
    uint64_t keys[ROWS];           /* of the other process */
} bench;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_ssp_wire: %s failed\n", what);
        exit(1);
    }
}

/* ---- links ---- */

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

static net_stream *connect_by(const int url_pipe[2], bool listens)
{
    static char url[URL_BYTES], why[NET_WHY];
    const net_patience patience = {.deadline = strads_now() + 10.0};
    net_stream *stream = NULL;
    if (!listens) {
        must(read(url_pipe[0], url, URL_BYTES) == URL_BYTES, "read");
        must(net_stream_dial(&stream, url, NULL, &patience, why) == STRADS_OK, why);
        return stream;
    }
    arrival client = {.stream = NULL};
    net_listener *listener = NULL;
    net_wait_init(&client.wait);
    must(net_listener_open(&listener, "tcp://127.0.0.1:0", NULL) == STRADS_OK, "listen");
    net_listener_start(listener, on_arrived, &client);
    snprintf(url, sizeof(url), "%s", net_listener_url(listener));
    must(write(url_pipe[1], url, URL_BYTES) == URL_BYTES, "write");
    (void) net_wait_for(&client.wait, NULL);
    return client.stream;
}

/* Process 0 has the coordinator and worker 0, process 1 worker 1. */
static net_links *create_links(const int url_pipe[2], uint32_t me)
{
    const net_links_options options = {
        .n_processes = 2, .me = me, .queue_messages = 32, .heartbeat = 1.0, .timeout = 60.0};
    net_peer peers[] = {{.name = strads_strdup("process 0"), .first = 0, .n = 2},
                        {.name = strads_strdup("process 1"), .first = 2, .n = 1}};
    net_links *links = NULL;
    peers[1 - me].stream = connect_by(url_pipe, me == 1);
    must(net_links_create(&links, &options, peers) == STRADS_OK, "net_links_create");
    return links;
}

static void post(net_links *links, uint32_t to, size_t bytes)
{
    net_message *message = net_message_create(1, NET_DATA, bytes);
    must(message != NULL && net_links_post(links, to, message) == STRADS_OK, "net_links_post");
}

static void take(net_links *links, uint32_t from)
{
    net_message *message = NULL;
    must(net_links_take(links, from, &message) == STRADS_OK, "net_links_take");
    net_message_destroy(message);
}

/* Four big messages are under way at most. */
static void time_links(bench *self, net_links *links, uint32_t me)
{
    enum { WINDOW = 4 };
    double start = strads_now();
    for (int i = 0; i < N_BIG; i++) {
        if (me == 0) {
            post(links, 1, BIG);
        } else {
            take(links, 0);
            post(links, 0, 1);
        }
        if (me == 0 && i >= WINDOW) {
            take(links, 1);
        }
    }
    for (int i = 0; i < WINDOW && me == 0; i++) {
        take(links, 1);
    }
    self->big_s = (strads_now() - start) / N_BIG;
    start = strads_now();
    for (int i = 0; i < N_SMALL; i++) {
        if (me == 0) {
            post(links, 1, SMALL);
            take(links, 1);
        } else {
            take(links, 0);
            post(links, 0, SMALL);
        }
    }
    self->small_s = (strads_now() - start) / N_SMALL;
}

/* ---- tables ---- */

static ssp_table *open_table(ssp_session *session)
{
    const ssp_table_options options = {.columns = COLUMNS, .staleness = 0};
    ssp_table *table = NULL;
    must(ssp_table_open(&table, session, "bench", &options) == STRADS_OK, "ssp_table_open");
    return table;
}

static double now_after(strads_status status)
{
    must(status == STRADS_OK, strads_status_name(status));
    return strads_now();
}

/* A row that is fetched after the increments has them: so they have arrived. The other worker
 * keeps step, so that each read after a barrier fetches, and waits for nothing else. */
static void time_table(bench *self, ssp_session *session)
{
    static double deltas[ROWS * COLUMNS];
    static const double *views[ROWS];
    ssp_table *table = open_table(session);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        deltas[i] = (double) i + 1.0;
    }
    double start = strads_now();
    for (int i = 0; i < PERIODS; i++) {
        must(ssp_inc_rows(table, self->keys, ROWS, deltas) == STRADS_OK, "ssp_inc_rows");
        must(ssp_clock(session) == STRADS_OK, "ssp_clock");
    }
    self->push_s = (now_after(ssp_read_row(table, self->keys[0], views)) - start) / PERIODS;
    for (int i = 0; i < PERIODS; i++) {
        must(ssp_barrier(session) == STRADS_OK, "ssp_barrier");
        start = strads_now();
        self->fetch_s +=
            (now_after(ssp_read_rows(table, self->keys, ROWS, views)) - start) / PERIODS;
    }
    for (int i = 0; i < FETCHES; i++) {
        must(ssp_barrier(session) == STRADS_OK, "ssp_barrier");
        start = strads_now();
        self->row_s +=
            (now_after(ssp_read_row(table, self->keys[i % ROWS], views)) - start) / FETCHES;
    }
}

static void keep_step(ssp_session *session)
{
    (void) open_table(session);
    for (int i = 0; i < PERIODS; i++) {
        must(ssp_clock(session) == STRADS_OK, "ssp_clock");
    }
    for (int i = 0; i < PERIODS + FETCHES; i++) {
        must(ssp_barrier(session) == STRADS_OK, "ssp_barrier");
    }
}

static void on_worker(void *state, net_node *node, const net_event *event)
{
    static ssp_session *session;
    bench *self = state;
    const net_id id = net_node_id(node);
    if (event->kind == NET_STARTED) {
        must(ssp_session_open(&session, self->store, id - 1) == STRADS_OK, "ssp_session_open");
        if (id == 1) {
            time_table(self, session);
            net_message *message = net_message_create(1, NET_DATA, 0);
            must(message != NULL && net_send(node, 0, message) == STRADS_OK, "net_send");
        } else {
            keep_step(session);
        }
    } else if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        ssp_session_close(session);
        net_leave(node);
    }
}

static void on_coordinator(void *state, net_node *node, const net_event *event)
{
    (void) state;
    if (event->kind == NET_MESSAGE) {
        net_leave(node);
    }
}

static void run_process(bench *self, const int url_pipe[2], uint32_t me)
{
    static const uint32_t firsts[] = {0, 1, 2};
    net_links *links = create_links(url_pipe, me);
    time_links(self, links, me);
    const net_options options = {.n_nodes = 3, .queue_messages = 32, .links = links};
    must(net_create(&self->network, "threads", &options) == STRADS_OK, "net_create");
    const ssp_place place = {.network = self->network, .n_parts = 2, .me = me, .firsts = firsts};
    must(ssp_store_create_at(&self->store, &place) == STRADS_OK, "ssp_store_create_at");
    uint64_t key = 0;
    for (size_t i = 0; i < ROWS; key++) {
        if (ssp_store_part(self->store, key) == 1) {
            self->keys[i++] = key;
        }
    }
    if (me == 0) {
        net_attach(self->network, 0, on_coordinator, self);
    }
    net_attach(self->network, me + 1, on_worker, self);
    must(net_run(self->network) == STRADS_OK, "net_run");
    ssp_store_destroy(self->store);
    net_destroy(self->network);
    (void) net_links_end(links, STRADS_OK);
}

/* In a process of its own: nng does not go through a fork. */
static pid_t start(const int url_pipe[2], uint32_t me)
{
    const double mb = ROWS * COLUMNS * sizeof(double) / 1e6;
    bench self = {.network = NULL};
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child > 0) {
        return child;
    }
    run_process(&self, url_pipe, me);
    if (me == 0) {
        printf("{\"bench\":\"ssp_wire\",\"over\":\"tcp\",\"links_MB_s\":%.0f,\"push_MB_s\":%.0f,"
               "\"fetch_MB_s\":%.0f,\"round_trip_us\":%.1f,\"fetch_row_us\":%.1f}\n",
               BIG / 1e6 / self.big_s, mb / self.push_s, mb / self.fetch_s, 1e6 * self.small_s,
               1e6 * self.row_s);
        fflush(stdout);
    }
    _exit(0);
}

int main(void)
{
    for (int i = 0; i < REPEATS; i++) {
        int url_pipe[2];
        must(pipe(url_pipe) == 0, "pipe");
        (void) start(url_pipe, 0);
        (void) start(url_pipe, 1);
        while (wait(NULL) > 0) {
        }
    }
    return 0;
}

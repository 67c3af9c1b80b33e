/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_nng_open.c - where streams can be listened for, dialled, and trusted. */
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "net/stream.h"
#include "net/wait.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

/* ---- addresses ---- */

static void open_and_close(void *url)
{
    net_listener *listener = NULL;
    const strads_status status = net_listener_open(&listener, url, NULL);
    CHECK(status == STRADS_ERR_IO || status == STRADS_ERR_USAGE);
    net_listener_close(listener);
}

static void check_unfit(const char *url, const char *words)
{
    char *said = suite_stderr_of(open_and_close, (void *) url);
    if (strstr(said, words) == NULL) {
        printf("%s: said %s", url, said);
        CHECK(false);
    }
    strads_free(said);
}

static void addresses_to_listen_at(void)
{
    char url[200];
    streams_host *first = streams_listen("tcp://127.0.0.1:0", NULL);
    check_unfit(streams_url(first), "the address is in use");
    const unsigned port = (unsigned) atoi(strrchr(streams_url(first), ':') + 1);
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u-%u", port, port + 20);
    if (port + 20 <= 65535) {
        streams_host *second = streams_listen(url, NULL);
        CHECK(strcmp(streams_url(first), streams_url(second)) != 0);
        streams_close(second);
    }
    streams_close(first);
    check_unfit("tcp://no-such-host.invalid:5000", "does not resolve");
    check_unfit("tcp://192.0.2.1:5000", "no address of this machine");
    check_unfit("http://127.0.0.1:80", "must begin with");
    check_unfit("tls+tcp://127.0.0.1:0", "net.tls.cert, net.tls.key");
    check_unfit("ipc:///no/such/folder/socket", "no such folder");
}

static void socket_files(void)
{
    char url[200];
    struct stat found;
    snprintf(url, sizeof(url), "ipc://%s/file", suite_folder());
    streams_host *host = streams_listen(url, NULL);
    REQUIRE(stat(url + strlen("ipc://"), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    check_unfit(url, "the address is in use");
    streams_close(host);
    CHECK(stat(url + strlen("ipc://"), &found) != 0);
}

static void files_are_left_alone(void)
{
    char url[200], text[8] = "";
    char *path = suite_file("precious", "mine\n");
    snprintf(url, sizeof(url), "ipc://%s", path);
    check_unfit(url, "there is a file that is no socket");
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL && fgets(text, sizeof(text), file) != NULL && fclose(file) == 0);
    CHECK_TEXT(text, "mine\n");
    strads_free(path);
    snprintf(url, sizeof(url), "ipc://%s", suite_folder());
    check_unfit(url, "there is a file that is no socket");
}

static void check_fails(const char *url, const net_tls *tls, strads_status status,
                        const char *words)
{
    char why[NET_WHY] = "";
    net_stream *stream = NULL;
    const net_patience patience = streams_patience();
    const strads_status got = net_stream_dial(&stream, url, tls, &patience, why);
    if (got != status || strstr(why, words) == NULL) {
        printf("%s: %s, %s\n", url, strads_status_name(got), why);
        CHECK(false);
    }
}

static void addresses_to_dial(void)
{
    char url[200];
    streams_host *host = streams_listen("tcp://127.0.0.1:0", NULL);
    snprintf(url, sizeof(url), "%s", streams_url(host));
    streams_close(host);
    check_fails(url, NULL, STRADS_ERR_IO, "connection refused");
    check_fails("tcp://no-such-host.invalid:5000", NULL, STRADS_ERR_IO, "resolve");
    check_fails("abstract://nobody-here", NULL, STRADS_ERR_IO, "connection refused");
    check_fails("ipc:///no/such/socket", NULL, STRADS_ERR_IO, "nobody listens there");
    check_fails("tcp://127.0.0.1:0", NULL, STRADS_ERR_USAGE, "one port");
    check_fails("tls+tcp://127.0.0.1:1", NULL, STRADS_ERR_USAGE, "net.tls.ca");
}

static void a_name_reaches_either_family(void)
{
    char url[64], why[NET_WHY];
    net_stream *stream = NULL;
    streams_host *host = streams_listen("tcp://127.0.0.1:0", NULL);
    const net_patience patience = streams_patience();
    snprintf(url, sizeof(url), "tcp://localhost%s", strrchr(streams_url(host), ':'));
    REQUIRE_OK(net_stream_dial(&stream, url, NULL, &patience, why));
    net_stream_destroy(stream);
    streams_close(host);
}

static void a_dial_stops(void)
{
    char why[NET_WHY];
    net_stream *stream = NULL;
    const _Atomic bool stop = true;
    const net_patience stopped = {.deadline = INFINITY, .stop = &stop};
    const net_patience late = {.deadline = strads_now() - 1.0};
    /* An address that no packet comes back from. */
    const strads_status status = net_stream_dial(&stream, "tcp://192.0.2.1:9", NULL, &stopped, why);
    CHECK(status == STRADS_ERR_CLOSED || status == STRADS_ERR_IO); /* no route at all */
    CHECK_STATUS(net_stream_dial(&stream, "tcp://192.0.2.1:9", NULL, &late, why), STRADS_ERR_IO);
}

/* ---- TLS ---- */

static void on_done(void *context, strads_status status, size_t n)
{
    net_wait_end(context, status, n);
}

/* What a client hears with these files on the two sides. */
static void check_tls(const net_tls *server, const net_tls *client, strads_status status)
{
    char why[NET_WHY], byte = 'x';
    net_stream *stream = NULL;
    const net_patience patience = streams_patience();
    streams_host *host = streams_listen("tls+tcp://127.0.0.1:0", server);
    REQUIRE_OK(net_stream_dial(&stream, streams_url(host), client, &patience, why));
    net_stream *other = streams_accept(host);
    net_wait wait;
    const struct iovec part = {&byte, 1};
    char heard;
    size_t n = 0;
    net_wait_init(&wait);
    net_stream_recv(other, &part, 1, on_done, &wait);
    strads_status got = net_stream_write(stream, "y", 1, &patience);
    if (got == STRADS_OK && status != STRADS_OK) {
        got = net_stream_read(stream, &heard, 1, &patience);
    }
    /* A client whose certificate is not accepted sees the other side hang up. */
    CHECK(got == status ||
          (status == STRADS_ERR_USAGE && got == STRADS_ERR_CLOSED && server->ca != NULL));
    REQUIRE_OK(net_wait_for(&wait, NULL));
    CHECK((net_wait_fini(&wait, &n) == STRADS_OK) == (status == STRADS_OK));
    net_stream_destroy(stream);
    net_stream_destroy(other);
    streams_close(host);
}

static void certificates(void)
{
    char *cert = NULL, *key = NULL, *alien_cert = NULL, *alien_key = NULL;
    streams_certificate("ours", "strads", &cert, &key);
    streams_certificate("alien", "strads", &alien_cert, &alien_key);
    const net_tls one_way = {.cert = cert, .key = key};
    const net_tls both = {.cert = cert, .key = key, .ca = cert};
    const net_tls client = {.ca = cert, .name = "strads"};
    const net_tls known = {.cert = cert, .key = key, .ca = cert, .name = "strads"};
    const net_tls distrusts = {.ca = alien_cert, .name = "strads"};
    const net_tls misnamed = {.ca = cert, .name = "somebody"};
    const net_tls alien = {.cert = alien_cert, .key = alien_key, .ca = cert, .name = "strads"};
    check_tls(&one_way, &client, STRADS_OK);
    check_tls(&both, &known, STRADS_OK);
    check_tls(&one_way, &distrusts, STRADS_ERR_USAGE);
    check_tls(&one_way, &misnamed, STRADS_ERR_USAGE);
    check_tls(&both, &client, STRADS_ERR_USAGE);
    check_tls(&both, &alien, STRADS_ERR_USAGE);

    char *text = suite_file("text", "this is no certificate\n");
    const net_tls unfit[] = {
        {.ca = text}, {.ca = "/no/such/file"}, {.ca = cert, .cert = cert, .key = text}};
    check_fails("tls+tcp://localhost:1", &unfit[0], STRADS_ERR_USAGE, "no certificate to trust");
    check_fails("tls+tcp://localhost:1", &unfit[1], STRADS_ERR_USAGE, "cannot be opened");
    check_fails("tls+tcp://localhost:1", &unfit[2], STRADS_ERR_USAGE, "no certificate and its key");
    char *const files[] = {cert, key, alien_cert, alien_key, text};
    for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
        strads_free(files[k]);
    }
}

/* Of this process's connections over TCP; how many there are. */
static int check_no_delay(void)
{
    enum { MOST_FILES = 1024 };
    int n = 0;
    for (int file = 0; file < MOST_FILES; file++) {
        struct sockaddr_in peer = {0};
        socklen_t bytes = sizeof(peer);
        int on = 0;
        socklen_t on_bytes = sizeof(on);
        if (getpeername(file, (struct sockaddr *) &peer, &bytes) == 0 &&
            peer.sin_family == AF_INET) {
            CHECK(getsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, &on_bytes) == 0 && on != 0);
            n++;
        }
    }
    return n;
}

static void nothing_waits_for_an_acknowledgement(void)
{
    char *cert = NULL, *key = NULL;
    streams_certificate("quick", "strads", &cert, &key);
    const net_tls tls = {.cert = cert, .key = key, .ca = cert, .name = "strads"};
    for (int k = 0; k < 2; k++) {
        net_stream *pair[2];
        streams_connect(pair, k == 0 ? "tcp://127.0.0.1:0" : "tls+tcp://127.0.0.1:0",
                        k == 0 ? NULL : &tls);
        CHECK(check_no_delay() >= 2);
        net_stream_destroy(pair[0]);
        net_stream_destroy(pair[1]);
    }
    strads_free(cert);
    strads_free(key);
}

SUITE("net/nng_open",
      {"an address that cannot be listened at is said in words", addresses_to_listen_at},
      {"a socket file is its owner's and goes with its listener", socket_files},
      {"a file that is no socket stays what it is", files_are_left_alone},
      {"an address that cannot be reached is said in words", addresses_to_dial},
      {"a name is tried in both families", a_name_reaches_either_family},
      {"a dial can be stopped", a_dial_stops},
      {"nothing waits for an acknowledgement", nothing_waits_for_an_acknowledgement},
      {"a certificate that is not trusted ends the stream", certificates})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joining: a door and those who knock, over real streams. */
#include "net/join.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/url.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

/* More than a client needs to prove itself on a loaded machine. */
static const double PATIENT = 60.0;

/* ---- a door that answers at once ---- */

typedef struct host {
    net_door *door;
    const char *refusal; /* NULL: everyone is welcome */
    bool keeps;          /* answers nobody */

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    net_guest *guest; /* the last who came */
    net_stream *stream;
    uint32_t n_came, n_gone, n_ready;
    char heard[64];
} host;

static void on_ready(void *context, net_stream *stream)
{
    host *self = context;
    pthread_mutex_lock(&self->lock);
    net_stream_destroy(self->stream);
    self->stream = stream;
    self->n_ready++;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void on_came(void *context, net_guest *guest)
{
    host *self = context;
    size_t n = 0;
    const char *words = net_guest_introduction(guest, &n);
    pthread_mutex_lock(&self->lock);
    snprintf(self->heard, sizeof(self->heard), "%.*s", (int) n, words);
    self->guest = guest;
    self->n_came++;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    CHECK(net_guest_peer(guest)[0] != '\0');
    if (self->keeps) {
        return;
    }
    if (self->refusal != NULL) {
        net_guest_refuse(guest, self->refusal);
    } else {
        const strads_status status = net_guest_welcome(guest, "come in", 7, on_ready, self);
        CHECK(status == STRADS_OK || status == STRADS_ERR_CLOSED);
    }
}

static void on_gone(void *context, net_guest *guest)
{
    host *self = context;
    (void) guest;
    pthread_mutex_lock(&self->lock);
    self->n_gone++;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static net_key key_of(unsigned char byte)
{
    net_key key = {.given = true};
    memset(key.bytes, byte, sizeof(key.bytes));
    return key;
}

static void open_host(host *self, const char *url, net_key key, const net_tls *tls, double seconds)
{
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    const net_door_options options = {.url = url,
                                      .tls = tls,
                                      .key = key,
                                      .seconds = seconds,
                                      .came = on_came,
                                      .gone = on_gone,
                                      .context = self};
    REQUIRE_OK(net_door_open(&self->door, &options));
}

static void close_host(host *self)
{
    net_door_close(self->door);
    net_stream_destroy(self->stream);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

/* Waits until *count is n. */
static void wait_for(host *self, const uint32_t *count, uint32_t n)
{
    pthread_mutex_lock(&self->lock);
    while (*count < n) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
}

/* ---- a client ---- */

typedef struct client {
    net_knock knock;
    net_stream *stream;
    void *welcome;
    size_t bytes;
    strads_status status;
} client;

static void knock_at(void *context)
{
    client *self = context;
    self->status = net_join(&self->stream, &self->welcome, &self->bytes, &self->knock);
}

static client client_of(const char *url, net_key key)
{
    return (client){.knock = {.url = url,
                              .key = key,
                              .introduction = "it is me",
                              .bytes = 8,
                              .patience = streams_patience()}};
}

static void client_fini(client *self)
{
    net_stream_destroy(self->stream);
    strads_free(self->welcome);
}

/* Knocks in vain, and checks what is said on both sides. */
static void check_refused(host *self, client *one, const char *words)
{
    char *said = suite_stderr_of(knock_at, one);
    if (one->status != STRADS_ERR_USAGE || strstr(said, words) == NULL) {
        printf("%s: %s", strads_status_name(one->status), said);
        CHECK(false);
    }
    CHECK(self == NULL || strstr(said, "was turned away") != NULL);
    strads_free(said);
    client_fini(one);
}

/* ---- cases ---- */

static void check_joins(const char *url, net_key key, const net_tls *tls)
{
    host self = {.refusal = NULL};
    open_host(&self, url, key, tls, PATIENT);
    client one = client_of(net_door_url(self.door), key);
    one.knock.tls = tls;
    knock_at(&one);
    REQUIRE_OK(one.status);
    CHECK(one.bytes == 7 && memcmp(one.welcome, "come in", 7) == 0);
    wait_for(&self, &self.n_ready, 1);
    CHECK_TEXT(self.heard, "it is me");
    char byte = 0;
    const net_patience patience = streams_patience();
    REQUIRE(self.stream != NULL);
    CHECK_STATUS(net_stream_write(self.stream, "z", 1, &patience), STRADS_OK);
    CHECK_STATUS(net_stream_read(one.stream, &byte, 1, &patience), STRADS_OK);
    CHECK(byte == 'z');
    client_fini(&one);
    close_host(&self);
}

static void joins(void)
{
    const size_t live = strads_mem_live();
    char *cert = NULL, *key = NULL;
    streams_certificate("join", "strads", &cert, &key);
    const net_tls tls = {.cert = cert, .key = key, .ca = cert, .name = "strads"};
    check_joins("abstract://", key_of(7), NULL);
    check_joins("tcp://127.0.0.1:0", key_of(7), NULL);
    check_joins("tcp://127.0.0.1:0", (net_key){0}, NULL);
    check_joins("tls+tcp://127.0.0.1:0", key_of(7), &tls);
    strads_free(cert);
    strads_free(key);
    CHECK(strads_mem_live() == live);
}

static void keys_differ(void)
{
    host self = {.refusal = NULL};
    open_host(&self, "tcp://127.0.0.1:0", key_of(1), NULL, PATIENT);
    client wrong = client_of(net_door_url(self.door), key_of(2));
    check_refused(NULL, &wrong, "the keys of the two sides differ");
    client none = client_of(net_door_url(self.door), (net_key){0});
    check_refused(&self, &none, "who listens has a key (net.key_file), and who joins has none");
    close_host(&self);

    host open = {.refusal = NULL};
    open_host(&open, "tcp://127.0.0.1:0", (net_key){0}, NULL, PATIENT);
    client has = client_of(net_door_url(open.door), key_of(1));
    check_refused(&open, &has, "who joins has a key (net.key_file), and who listens has none");
    CHECK(self.n_came == 0 && open.n_came == 0);
    close_host(&open);
}

static void refusals(void)
{
    host self = {.refusal = "this run has another configuration"};
    open_host(&self, "abstract://", key_of(1), NULL, PATIENT);
    client one = client_of(net_door_url(self.door), key_of(1));
    check_refused(NULL, &one, "it was refused: this run has another configuration");
    close_host(&self);
}

/* What it waits for is kept, and ends the wait. */
typedef struct brief_wait {
    _Atomic bool stop;
    char why[NET_WHY];
} brief_wait;

static void end_wait(void *context, const char *why)
{
    brief_wait *self = context;
    snprintf(self->why, sizeof(self->why), "%s", why);
    atomic_store(&self->stop, true);
}

static void with_and_without_tls(void)
{
    char *cert = NULL, *key = NULL, url[NET_URL];
    streams_certificate("door", "strads", &cert, &key);
    const net_tls tls = {.cert = cert, .key = key, .ca = cert, .name = "strads"};
    host secret = {.refusal = NULL}, plain = {.refusal = NULL};
    open_host(&secret, "tls+tcp://127.0.0.1:0", key_of(1), &tls, PATIENT);
    open_host(&plain, "tcp://127.0.0.1:0", key_of(1), NULL, PATIENT);

    brief_wait wait = {.stop = false};
    client one = client_of(net_door_url(secret.door) + strlen("tls+"), key_of(1));
    one.knock.waiting = end_wait;
    one.knock.context = &wait;
    one.knock.patience.stop = &wait.stop;
    knock_at(&one);
    CHECK_STATUS(one.status, STRADS_ERR_CLOSED);
    CHECK(strstr(wait.why, "one that takes TLS") != NULL);

    snprintf(url, sizeof(url), "tls+%s", net_door_url(plain.door));
    client other = client_of(url, key_of(1));
    other.knock.tls = &tls;
    check_refused(&plain, &other, "it is not TLS");
    CHECK(secret.n_came == 0 && plain.n_came == 0);
    close_host(&secret);
    close_host(&plain);
    strads_free(cert);
    strads_free(key);
}

/* Writes raw bytes at the door and reads what it answers. */
static void check_raw(host *self, const void *bytes, size_t n, const char *words)
{
    char why[NET_WHY], heard[512] = "";
    net_stream *stream = NULL;
    net_patience patience = streams_patience();
    REQUIRE_OK(net_stream_dial(&stream, net_door_url(self->door), NULL, &patience, why));
    REQUIRE_OK(net_stream_write(stream, bytes, n, &patience));
    REQUIRE_OK(net_stream_read(stream, heard, NET_HAND_HEAD, &patience));
    net_hand_kind kind;
    uint32_t length = 0;
    REQUIRE_OK(net_hand_check((unsigned char *) heard, NET_REFUSED, &kind, &length, why));
    REQUIRE(length < sizeof(heard));
    REQUIRE_OK(net_stream_read(stream, heard, length, &patience));
    heard[length] = '\0';
    CHECK(strstr(heard, words) != NULL);
    net_stream_destroy(stream);
}

static void strangers(void *context)
{
    host *self = context;
    unsigned char other[NET_HAND_HEAD + NET_HELLO_BYTES] = {0}, large[NET_HAND_HEAD],
                                        early[NET_HAND_HEAD];
    check_raw(self, "GET / HTTP/1.1\r\n\r\n", 18, "no message of strads");
    net_hand_head(other, NET_HELLO, NET_HELLO_BYTES);
    other[4] = NET_WIRE_VERSION + 1;
    check_raw(self, other, sizeof(other), "the wire versions differ");
    net_hand_head(large, NET_HELLO, UINT32_MAX);
    check_raw(self, large, sizeof(large), "does not belong here");
    net_hand_head(early, NET_PROOF, NET_MAC_BYTES);
    check_raw(self, early, sizeof(early), "does not belong here");
    net_hand_head(early, NET_READY, 0);
    check_raw(self, early, sizeof(early), "does not belong here");
}

static void strangers_are_told(void)
{
    host self = {.refusal = NULL};
    open_host(&self, "tcp://127.0.0.1:0", key_of(1), NULL, PATIENT);
    char *said = suite_stderr_of(strangers, &self);
    CHECK(strstr(said, "the wire versions differ: one side has 2, the other 1") != NULL);
    strads_free(said);
    CHECK(self.n_came == 0);
    close_host(&self);
}

static void silent_clients(void)
{
    enum { N_SILENT = 300 };
    host self = {.refusal = NULL};
    static net_stream *silent[N_SILENT];
    char why[NET_WHY], byte;
    const net_patience patience = streams_patience();
    open_host(&self, "tcp://127.0.0.1:0", key_of(1), NULL, 60.0);
    for (int k = 0; k < N_SILENT; k++) {
        REQUIRE_OK(net_stream_dial(&silent[k], net_door_url(self.door), NULL, &patience, why));
    }
    client one = client_of(net_door_url(self.door), key_of(1));
    knock_at(&one);
    CHECK_STATUS(one.status, STRADS_OK);
    client_fini(&one);
    /* The oldest had to make room. */
    CHECK_STATUS(net_stream_read(silent[0], &byte, 1, &patience), STRADS_ERR_CLOSED);
    for (int k = 0; k < N_SILENT; k++) {
        net_stream_destroy(silent[k]);
    }
    close_host(&self);
}

static void a_silent_client(void *context)
{
    host *self = context;
    char why[NET_WHY], byte;
    net_stream *stream = NULL;
    const net_patience patience = streams_patience();
    REQUIRE_OK(net_stream_dial(&stream, net_door_url(self->door), NULL, &patience, why));
    CHECK_STATUS(net_stream_read(stream, &byte, 1, &patience), STRADS_ERR_CLOSED);
    net_stream_destroy(stream);
}

static void silence_ends(void)
{
    host self = {.refusal = NULL};
    open_host(&self, "tcp://127.0.0.1:0", key_of(1), NULL, 0.05);
    char *said = suite_stderr_of(a_silent_client, &self);
    CHECK(strstr(said, "was turned away: no answer in time") != NULL);
    strads_free(said);
    close_host(&self);
}

/* ---- waiting ---- */

typedef struct late {
    host self;
    char url[200];
    uint32_t n_told;
} late;

/* The door opens when the client has been told that nobody is there. */
static void on_waiting(void *context, const char *why)
{
    late *self = context;
    if (self->n_told++ == 0) {
        CHECK(strstr(why, "nobody listens there") != NULL);
        open_host(&self->self, self->url, key_of(1), NULL, PATIENT);
    }
}

static void waits_for_a_door(void)
{
    late self = {.self = {.refusal = NULL}};
    snprintf(self.url, sizeof(self.url), "ipc://%s/late", suite_folder());
    client one = client_of(self.url, key_of(1));
    one.knock.waiting = on_waiting;
    one.knock.context = &self;
    knock_at(&one);
    CHECK_STATUS(one.status, STRADS_OK);
    CHECK(self.n_told == 1);
    client_fini(&one);
    close_host(&self.self);
}

static void gives_up(void)
{
    char url[200];
    snprintf(url, sizeof(url), "ipc://%s/nobody", suite_folder());
    client one = client_of(url, key_of(1));
    one.knock.patience.deadline = strads_now() + 0.01;
    char *said = suite_stderr_of(knock_at, &one);
    CHECK_STATUS(one.status, STRADS_ERR_IO);
    CHECK(strstr(said, "nobody was there in time: ") != NULL);
    strads_free(said);

    const _Atomic bool stop = true;
    one.knock.patience = (net_patience){.deadline = INFINITY, .stop = &stop};
    said = suite_stderr_of(knock_at, &one);
    CHECK_STATUS(one.status, STRADS_ERR_CLOSED);
    CHECK_TEXT(said, "");
    strads_free(said);
}

static void *knock_thread(void *context)
{
    knock_at(context);
    return NULL;
}

static void guests_that_wait(void)
{
    host self = {.keeps = true};
    _Atomic bool stop = false;
    pthread_t thread;
    char url[200];
    open_host(&self, "tcp://127.0.0.1:0", key_of(1), NULL, PATIENT);
    snprintf(url, sizeof(url), "%s", net_door_url(self.door));
    client one = client_of(url, key_of(1));
    one.knock.patience.stop = &stop;
    REQUIRE(pthread_create(&thread, NULL, knock_thread, &one) == 0);
    wait_for(&self, &self.n_came, 1);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    CHECK_STATUS(one.status, STRADS_ERR_CLOSED);
    wait_for(&self, &self.n_gone, 1);
    CHECK_STATUS(net_guest_welcome(self.guest, "x", 1, on_ready, &self), STRADS_ERR_CLOSED);

    atomic_store(&stop, false);
    REQUIRE(pthread_create(&thread, NULL, knock_thread, &one) == 0);
    wait_for(&self, &self.n_came, 2);
    close_host(&self); /* with a guest that nobody has answered */
    pthread_join(thread, NULL);
    CHECK_STATUS(one.status, STRADS_ERR_IO);
    CHECK(self.n_ready == 0);
}

SUITE("net/join", {"who shares the key comes in and is ready", joins},
      {"other keys are said on both sides", keys_differ}, {"a refusal arrives in words", refusals},
      {"who speaks TLS and who does not part with the reason", with_and_without_tls},
      {"a stranger is told what is wrong", strangers_are_told},
      {"hundreds of silent clients keep nobody out", silent_clients},
      {"a client that says nothing is dropped", silence_ends},
      {"a client waits for a door to open", waits_for_a_door},
      {"a client gives up in time, and when stopped", gives_up},
      {"a guest may hang up before it is answered", guests_that_wait})

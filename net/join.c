/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/join.c - the side of a handshake that knocks. */
#include "net/join.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "net/handshake.h"
#include "net/wait.h"

/* A try to join; `why` says what is wrong with it. */
typedef struct attempt {
    const net_knock *knock;
    net_stream *stream;
    net_handshake hand;
    char why[NET_REASON_MAX + 1];
} attempt;

static const double first_pause = 0.05, longest_pause = 1.0; /* seconds between attempts */

/* Fails with the stream's own words. */
static strads_status broken(attempt *self, strads_status status)
{
    const bool late = status == STRADS_ERR_IO && strads_now() >= self->knock->patience.deadline;
    snprintf(self->why, sizeof(self->why), "%s",
             late ? "no answer in time" : net_stream_why(self->stream));
    return status;
}

static strads_status say(attempt *self, const void *message, size_t n)
{
    const strads_status status = net_stream_write(self->stream, message, n, &self->knock->patience);
    return status == STRADS_OK ? status : broken(self, status);
}

/* Tells the other side why this one goes, as well as it can. */
static void say_refusal(attempt *self)
{
    unsigned char message[NET_HAND_HEAD + NET_WHY];
    const size_t n = strnlen(self->why, NET_WHY);
    net_hand_head(message, NET_REFUSED, (uint32_t) n);
    memcpy(message + NET_HAND_HEAD, self->why, n);
    const double soon = strads_now() + 1.0;
    const net_patience patience = {.deadline = fmin(soon, self->knock->patience.deadline)};
    unsigned char last;
    strads_status status = net_stream_write(self->stream, message, NET_HAND_HEAD + n, &patience);
    while (status == STRADS_OK) { /* until it hangs up */
        status = net_stream_read(self->stream, &last, 1, &patience);
    }
}

/* Receives the message that must come; its body is for strads_free. USAGE: it was
 * refused, or is none. */
static strads_status hear(attempt *self, net_hand_kind expected, unsigned char **body,
                          uint32_t *bytes)
{
    unsigned char head[NET_HAND_HEAD];
    const net_patience *patience = &self->knock->patience;
    net_hand_kind kind;
    strads_status status = net_stream_read(self->stream, head, sizeof(head), patience);
    if (status != STRADS_OK) {
        return broken(self, status);
    }
    if (net_hand_check(head, expected, &kind, bytes, self->why) != STRADS_OK) {
        say_refusal(self);
        return STRADS_ERR_USAGE;
    }
    *body = strads_alloc((size_t) *bytes + 1);
    if (*body == NULL) {
        snprintf(self->why, sizeof(self->why), "no memory");
        return STRADS_ERR_NOMEM;
    }
    status = net_stream_read(self->stream, *body, *bytes, patience);
    if (status == STRADS_OK && kind != NET_REFUSED) {
        return STRADS_OK;
    }
    if (status == STRADS_OK) {
        (*body)[*bytes] = '\0';
        snprintf(self->why, sizeof(self->why), "it was refused: %.*s", NET_REASON_MAX - 20,
                 (char *) *body);
        status = STRADS_ERR_USAGE;
    } else {
        status = broken(self, status);
    }
    strads_free(*body);
    *body = NULL;
    return status;
}

/* HELLO, and what comes back. */
static strads_status meet(attempt *self)
{
    unsigned char hello[NET_HAND_HEAD + NET_HELLO_BYTES], *body = NULL;
    uint32_t bytes = 0;
    strads_status status = net_hand_hello(&self->hand, hello);
    if (status == STRADS_OK) {
        status = say(self, hello, sizeof(hello));
    }
    if (status == STRADS_OK) {
        status = hear(self, NET_CHALLENGE, &body, &bytes);
    }
    if (status == STRADS_OK) {
        status = net_hand_take_challenge(&self->hand, body, self->why);
        if (status != STRADS_OK) {
            say_refusal(self);
        }
    }
    strads_free(body);
    return status;
}

static strads_status introduce(attempt *self)
{
    const size_t n = self->knock->bytes, all = NET_HAND_HEAD + NET_MAC_BYTES + n;
    unsigned char *message = strads_alloc(all);
    strads_status status = STRADS_ERR_NOMEM;
    if (message != NULL) {
        net_hand_head(message, NET_PROOF, (uint32_t) (NET_MAC_BYTES + n));
        memcpy(message + NET_HAND_HEAD + NET_MAC_BYTES, self->knock->introduction, n);
        status = net_hand_mac(&self->hand, NET_PROOF, self->knock->introduction, n,
                              message + NET_HAND_HEAD);
    }
    if (status == STRADS_OK) {
        status = say(self, message, all);
    } else {
        snprintf(self->why, sizeof(self->why), "no memory");
    }
    strads_free(message);
    return status;
}

/* Waits for WELCOME, and answers READY. */
static strads_status come_in(attempt *self, void **welcome, size_t *bytes)
{
    unsigned char *body = NULL, ready[NET_HAND_HEAD];
    uint32_t n = 0;
    strads_status status = hear(self, NET_WELCOME, &body, &n);
    if (status == STRADS_OK && !net_hand_is_proved(&self->hand, NET_WELCOME, body, n)) {
        snprintf(self->why, sizeof(self->why), "its welcome is not proved with the key");
        status = STRADS_ERR_USAGE;
    }
    if (status == STRADS_OK) {
        net_hand_head(ready, NET_READY, 0);
        status = say(self, ready, sizeof(ready));
    }
    if (status != STRADS_OK) {
        strads_free(body);
        return status;
    }
    *bytes = n - NET_MAC_BYTES;
    memmove(body, body + NET_MAC_BYTES, *bytes);
    *welcome = body;
    return STRADS_OK;
}

/* One attempt. AGAIN: nobody is there yet, and another may go better. */
static strads_status try(attempt *self, void **welcome, size_t *bytes)
{
    const net_knock *knock = self->knock;
    strads_status status =
        net_stream_dial(&self->stream, knock->url, knock->tls, &knock->patience, self->why);
    if (status != STRADS_OK) {
        return status == STRADS_ERR_IO ? STRADS_ERR_AGAIN : status;
    }
    const bool stoppable = knock->patience.stop != NULL;
    status = meet(self);
    if (status == STRADS_ERR_CLOSED && !(stoppable && atomic_load(knock->patience.stop))) {
        snprintf(self->why, sizeof(self->why),
                 "it hung up without a word; so does one that takes TLS, or another certificate");
        status = STRADS_ERR_AGAIN;
    }
    if (status == STRADS_OK) {
        status = introduce(self);
    }
    if (status == STRADS_OK) {
        status = come_in(self, welcome, bytes);
    }
    if (status != STRADS_OK) {
        net_stream_destroy(self->stream);
        self->stream = NULL;
    }
    return status;
}

/* Says what came of it, once: a run that was stopped knows. */
static strads_status conclude(const attempt *self, strads_status status)
{
    const net_knock *knock = self->knock;
    const bool stopped = knock->patience.stop != NULL && atomic_load(knock->patience.stop);
    if (status == STRADS_OK || (status == STRADS_ERR_CLOSED && stopped)) {
        return status;
    }
    if (status == STRADS_ERR_AGAIN) {
        strads_error("%s: nobody was there in time: %s", knock->url, self->why);
        return STRADS_ERR_IO;
    }
    strads_error("%s: cannot join: %s", knock->url, self->why);
    return status == STRADS_ERR_CLOSED ? STRADS_ERR_IO : status;
}

/* Tells the caller for what it waits, when that is new. An attempt that ran out of time
 * says less than the one before. */
static void tell(const attempt *self, char told[NET_REASON_MAX + 1])
{
    const net_knock *knock = self->knock;
    if (told[0] != '\0' && strads_now() >= knock->patience.deadline) {
        return;
    }
    if (knock->waiting != NULL && strcmp(told, self->why) != 0) {
        knock->waiting(knock->context, self->why);
    }
    memcpy(told, self->why, sizeof(self->why));
}

strads_status net_join(net_stream **out, void **welcome, size_t *bytes, const net_knock *knock)
{
    assert(out != NULL && welcome != NULL && bytes != NULL && knock != NULL);
    assert(knock->bytes <= NET_INTRODUCTION_MAX);
    attempt self = {.knock = knock, .hand.key = knock->key};
    char told[NET_REASON_MAX + 1] = "";
    double pause = first_pause;
    strads_status status = try(&self, welcome, bytes);
    while (status == STRADS_ERR_AGAIN) {
        tell(&self, told);
        const double now = strads_now(), deadline = knock->patience.deadline;
        if (now >= deadline) {
            memcpy(self.why, told, sizeof(told));
            break;
        }
        const net_patience rest = {.deadline = fmin(now + pause, deadline),
                                   .stop = knock->patience.stop,
                                   .look = knock->patience.look,
                                   .context = knock->patience.context};
        pause = fmin(2.0 * pause, longest_pause);
        status = net_wait_pause(&rest);
        if (status == STRADS_OK) {
            status = try(&self, welcome, bytes);
        }
    }
    status = conclude(&self, status);
    if (status == STRADS_OK) {
        *out = self.stream;
    }
    return status;
}

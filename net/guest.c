/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/guest.c - a client at the door: its messages one after the other. */
#include <math.h>
#include <string.h>

#include "net/door_state.h"

enum { WARNINGS = 16 }; /* about clients that were turned away; then silence */

/* ---- life ---- */

static void link_guest(net_door *door, net_guest *guest)
{
    guest->previous = door->last;
    *(door->last == NULL ? &door->first : &door->last->next) = guest;
    door->last = guest;
}

static void unlink_guest(net_door *door, net_guest *guest)
{
    *(guest->previous == NULL ? &door->first : &guest->previous->next) = guest->next;
    *(guest->next == NULL ? &door->last : &guest->next->previous) = guest->previous;
    if (door->first == NULL) {
        pthread_cond_signal(&door->empty);
    }
}

void guest_release_unlock(net_guest *guest)
{
    net_door *door = guest->door;
    const bool last = --guest->n_uses == 0;
    pthread_mutex_unlock(&door->lock);
    if (last) {
        net_stream_destroy(guest->stream);
        strads_free(guest->body);
        strads_free(guest->proof);
        strads_free(guest->word);
        pthread_mutex_lock(&door->lock);
        unlink_guest(door, guest);
        strads_free(guest);
        pthread_mutex_unlock(&door->lock);
    }
}

void guest_end_locked(net_guest *guest)
{
    if (!guest->ended) {
        guest->ended = true;
        guest->door->n_pending -= !guest->proved;
        net_stream_close(guest->stream);
    }
}

/* Gives the stream to the owner once it is welcome and ready, or NULL when the guest ends
 * before; then ends one use. Gives the lock back. */
static void finish_unlock(net_guest *guest)
{
    net_door *door = guest->door;
    const bool whole = guest->sent && guest->answered && !guest->ended;
    const net_guest_ready ready = guest->ready;
    if (ready == NULL || !(whole || guest->ended)) {
        guest_release_unlock(guest);
        return;
    }
    net_stream *stream = whole ? guest->stream : NULL;
    guest->ready = NULL;
    if (whole) {
        guest->stream = NULL;
        guest->ended = true;
    }
    pthread_mutex_unlock(&door->lock);
    ready(guest->ready_context, stream);
    pthread_mutex_lock(&door->lock);
    guest_release_unlock(guest);
}

/* ---- sending ---- */

static void on_sent(void *context, strads_status status, size_t n);

static void send_locked(net_guest *guest, unsigned char *message, size_t n)
{
    guest->n_uses++;
    guest->sending = true;
    guest->out = (struct iovec){message, n};
    net_stream_send(guest->stream, &guest->out, 1, on_sent, guest);
}

void guest_send_word_locked(net_guest *guest)
{
    guest->has_word = guest->sending;
    if (!guest->sending) {
        send_locked(guest, guest->word, guest->word_bytes);
    }
}

static void on_sent(void *context, strads_status status, size_t n)
{
    (void) n;
    net_guest *guest = context;
    pthread_mutex_lock(&guest->door->lock);
    guest->sending = false;
    if (status != STRADS_OK) {
        guest_end_locked(guest);
    } else if (guest->has_word) {
        guest_send_word_locked(guest);
    } else {
        guest->sent = guest->welcomed;
    }
    finish_unlock(guest);
}

void guest_refuse_locked(net_guest *guest, const char *why)
{
    const size_t all = strlen(why), n = all < NET_REASON_MAX ? all : NET_REASON_MAX;
    guest->refused = true;
    if (guest->proved) {
        guest->proved = false;
        guest->door->n_pending++;
    }
    guest->word = strads_alloc(NET_HAND_HEAD + n);
    if (guest->word == NULL) {
        guest_end_locked(guest);
        return;
    }
    guest->word_bytes = NET_HAND_HEAD + n;
    net_hand_head(guest->word, NET_REFUSED, (uint32_t) n);
    memcpy(guest->word + NET_HAND_HEAD, why, n);
    guest_send_word_locked(guest);
}

void guest_warn(net_guest *guest, const char *why)
{
    net_door *door = guest->door;
    pthread_mutex_lock(&door->lock);
    const uint32_t n = door->n_warnings += door->n_warnings <= WARNINGS;
    pthread_mutex_unlock(&door->lock);
    if (n <= WARNINGS) {
        strads_warn("%s: %s was turned away: %s%s", door->url, net_stream_peer(guest->stream), why,
                    n == WARNINGS ? " (of others nothing will be said)" : "");
    }
}

static void turn_away(net_guest *guest, const char *why)
{
    guest_warn(guest, why);
    pthread_mutex_lock(&guest->door->lock);
    if (!guest->ended && guest->word == NULL) {
        guest_refuse_locked(guest, why);
    } else {
        guest_end_locked(guest);
    }
    pthread_mutex_unlock(&guest->door->lock);
}

/* ---- receiving ---- */

static void on_received(void *context, strads_status status, size_t n);

/* What comes next is a head. */
static void expect(net_guest *guest, net_hand_kind kind)
{
    guest->expects = kind;
    strads_free(guest->body);
    guest->body = NULL;
    guest->bytes = NET_HAND_HEAD;
    guest->have = 0;
}

static void receive_locked(net_guest *guest)
{
    unsigned char *to = guest->body == NULL ? guest->head : guest->body;
    guest->n_uses++;
    guest->room = (struct iovec){to + guest->have, guest->bytes - guest->have};
    net_stream_recv(guest->stream, &guest->room, 1, on_received, guest);
}

static void challenge(net_guest *guest)
{
    const strads_status status = net_hand_challenge(&guest->hand, guest->challenge);
    pthread_mutex_lock(&guest->door->lock);
    if (status != STRADS_OK) {
        guest_end_locked(guest);
    } else if (!guest->ended) {
        expect(guest, NET_PROOF);
        send_locked(guest, guest->challenge, sizeof(guest->challenge));
    }
    pthread_mutex_unlock(&guest->door->lock);
}

/* Lets the owner know. What the guest says next is READY, whenever it is welcomed. */
static void introduce(net_guest *guest)
{
    net_door *door = guest->door;
    guest->proof = guest->body;
    guest->proof_bytes = guest->bytes;
    guest->body = NULL;
    expect(guest, NET_READY);
    pthread_mutex_lock(&door->lock);
    const bool alive = !guest->ended;
    if (alive) {
        door->n_pending--;
        guest->proved = guest->owned = true;
        guest->n_uses++;
        net_stream_set_deadline(guest->stream, INFINITY);
    }
    pthread_mutex_unlock(&door->lock);
    if (alive) {
        door->options.came(door->options.context, guest);
    }
}

/* The body of a message has come. */
static void take_body(net_guest *guest)
{
    char why[NET_WHY];
    if (guest->expects == NET_REFUSED) {
        snprintf(why, sizeof(why), "it says: %.*s", (int) guest->bytes, (char *) guest->body);
        guest_warn(guest, why);
        net_stream_close(guest->stream);
        expect(guest, NET_REFUSED);
    } else if (guest->expects == NET_PROOF) {
        if (net_hand_is_proved(&guest->hand, NET_PROOF, guest->body, guest->bytes)) {
            introduce(guest);
        } else {
            expect(guest, NET_PROOF);
            turn_away(guest, "it has not proved that it has the key");
        }
    } else if (net_hand_take_hello(&guest->hand, guest->body, why) == STRADS_OK) {
        challenge(guest);
    } else {
        expect(guest, NET_HELLO);
        turn_away(guest, why);
    }
}

/* A head has come: READY is whole with it, all else has a body. */
static void take_head(net_guest *guest)
{
    char why[NET_WHY];
    uint32_t bytes = 0;
    net_hand_kind kind;
    if (net_hand_check(guest->head, guest->expects, &kind, &bytes, why) != STRADS_OK) {
        expect(guest, guest->expects);
        turn_away(guest, why);
        return;
    }
    if (bytes > 0) {
        guest->body = strads_alloc(bytes);
        guest->expects = kind;
        guest->bytes = bytes;
        guest->have = 0;
    }
    pthread_mutex_lock(&guest->door->lock);
    guest->answered = kind == NET_READY && guest->welcomed;
    if (!guest->answered && guest->body == NULL) {
        guest_end_locked(guest); /* READY for nothing, REFUSED without words, or no memory */
    }
    pthread_mutex_unlock(&guest->door->lock);
}

static void take(net_guest *guest, bool refused, size_t n)
{
    guest->have += n;
    if (refused) {
        guest->have = 0;
    } else if (guest->have < guest->bytes) {
        return;
    } else if (guest->body == NULL) {
        take_head(guest);
    } else {
        take_body(guest);
    }
}

static void on_received(void *context, strads_status status, size_t n)
{
    net_guest *guest = context;
    net_door *door = guest->door;
    pthread_mutex_lock(&door->lock);
    const bool refused = guest->refused;
    pthread_mutex_unlock(&door->lock);
    if (status == STRADS_OK) {
        take(guest, refused, n);
    } else if (status != STRADS_ERR_CLOSED && !refused) {
        guest_warn(guest, net_stream_why(guest->stream));
    }
    pthread_mutex_lock(&door->lock);
    if (status != STRADS_OK) {
        guest_end_locked(guest);
    }
    const bool gone = guest->ended && guest->owned;
    if (!guest->ended && !guest->answered) {
        receive_locked(guest);
    }
    if (gone && door->options.gone != NULL) {
        pthread_mutex_unlock(&door->lock);
        door->options.gone(door->options.context, guest);
        pthread_mutex_lock(&door->lock);
    }
    finish_unlock(guest);
}

void guest_start_locked(net_guest *guest)
{
    expect(guest, NET_HELLO);
    link_guest(guest->door, guest);
    guest->door->n_pending++;
    receive_locked(guest);
}

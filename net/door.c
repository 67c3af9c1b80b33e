/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/door.c - the side of a handshake that listens: who comes in, and what they hear. */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "net/door_state.h"

/* ---- the owner's answer ---- */

const char *net_guest_peer(const net_guest *guest)
{
    return net_stream_peer(guest->stream);
}

const void *net_guest_introduction(const net_guest *guest, size_t *bytes)
{
    *bytes = guest->proof_bytes - NET_MAC_BYTES;
    return guest->proof + NET_MAC_BYTES;
}

/* WELCOME with its head and mac; NULL: no memory. */
static unsigned char *make_welcome(const net_guest *guest, const void *payload, size_t bytes)
{
    unsigned char *word = strads_alloc(NET_HAND_HEAD + NET_MAC_BYTES + bytes);
    if (word != NULL && net_hand_mac(&guest->hand, NET_WELCOME, payload, bytes,
                                     word + NET_HAND_HEAD) != STRADS_OK) {
        strads_free(word);
        word = NULL;
    }
    if (word != NULL) {
        net_hand_head(word, NET_WELCOME, (uint32_t) (NET_MAC_BYTES + bytes));
        memcpy(word + NET_HAND_HEAD + NET_MAC_BYTES, payload, bytes);
    }
    return word;
}

strads_status net_guest_welcome(net_guest *guest, const void *payload, size_t bytes,
                                net_guest_ready ready, void *context)
{
    assert(bytes <= NET_WELCOME_MAX && ready != NULL);
    unsigned char *word = make_welcome(guest, payload, bytes);
    strads_status status = word == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    pthread_mutex_lock(&guest->door->lock);
    assert(guest->owned);
    guest->owned = false;
    if (guest->ended || guest->refused) {
        status = STRADS_ERR_CLOSED;
    }
    if (status == STRADS_OK) {
        guest->word = word;
        guest->word_bytes = NET_HAND_HEAD + NET_MAC_BYTES + bytes;
        guest->ready = ready;
        guest->ready_context = context;
        guest->welcomed = true;
        guest_send_word_locked(guest);
    } else {
        guest_end_locked(guest);
        strads_free(word);
    }
    guest_release_unlock(guest);
    return status;
}

void net_guest_refuse(net_guest *guest, const char *reason)
{
    net_door *door = guest->door;
    pthread_mutex_lock(&door->lock);
    const bool gone = guest->ended || guest->refused;
    pthread_mutex_unlock(&door->lock);
    if (!gone) {
        guest_warn(guest, reason);
    }
    pthread_mutex_lock(&door->lock);
    assert(guest->owned);
    guest->owned = false;
    if (!guest->ended && !guest->refused) {
        guest_refuse_locked(guest, reason);
    }
    guest_release_unlock(guest);
}

/* ---- the door ---- */

/* Of those that have not proved themselves, or were refused, the one that has been there the
 * longest makes room. */
static void drop_oldest_locked(net_door *door)
{
    net_guest *guest = door->first;
    while (guest->ended || guest->proved) {
        guest = guest->next;
    }
    guest_end_locked(guest);
}

static void on_arrived(void *context, net_stream *stream)
{
    net_door *door = context;
    net_guest *guest = strads_calloc(1, sizeof(*guest));
    if (guest == NULL) {
        net_stream_destroy(stream);
        return;
    }
    guest->door = door;
    guest->stream = stream;
    guest->hand.key = door->options.key;
    net_stream_set_deadline(stream, strads_now() + door->options.seconds);
    pthread_mutex_lock(&door->lock);
    guest_start_locked(guest);
    while (door->n_pending > NET_DOOR_PENDING) {
        drop_oldest_locked(door);
    }
    pthread_mutex_unlock(&door->lock);
}

strads_status net_door_open(net_door **out, const net_door_options *options)
{
    assert(out != NULL && options->came != NULL && options->seconds > 0.0);
    net_door *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        strads_error("%s: no memory", options->url);
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = net_listener_open(&self->listener, options->url, options->tls);
    if (status != STRADS_OK) {
        strads_free(self);
        return status;
    }
    self->options = *options;
    snprintf(self->url, sizeof(self->url), "%s", net_listener_url(self->listener));
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->empty, NULL);
    net_listener_start(self->listener, on_arrived, self);
    *out = self;
    return STRADS_OK;
}

const char *net_door_url(const net_door *door)
{
    return door->url;
}

static net_guest *find_owned_locked(const net_door *door)
{
    net_guest *guest = door->first;
    while (guest != NULL && !guest->owned) {
        guest = guest->next;
    }
    return guest;
}

void net_door_close(net_door *door)
{
    if (door == NULL) {
        return;
    }
    net_listener_close(door->listener);
    pthread_mutex_lock(&door->lock);
    for (net_guest *guest = door->first; guest != NULL; guest = guest->next) {
        guest_end_locked(guest);
    }
    for (net_guest *guest = find_owned_locked(door); guest != NULL;
         guest = find_owned_locked(door)) {
        guest->owned = false;
        guest_release_unlock(guest);
        pthread_mutex_lock(&door->lock);
    }
    while (door->first != NULL) {
        pthread_cond_wait(&door->empty, &door->lock);
    }
    pthread_mutex_unlock(&door->lock);
    pthread_cond_destroy(&door->empty);
    pthread_mutex_destroy(&door->lock);
    memset(&door->options.key, 0, sizeof(door->options.key));
    strads_free(door);
}

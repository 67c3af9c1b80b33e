/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/links_send.c - what waits for a link becomes frames. */
#include <string.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "net/links_state.h"

/* A frame ends with the record that takes it to this, or with FRAME_RECORDS. */
static const size_t FRAME_ENOUGH = 256 * 1024;
/* Bodies up to this are copied beside the heads; others are lent to the stream. */
static const size_t COPY_BELOW = 4096;
/* Frames with more than this in bodies are sent by the link's thread: to wake it costs less. */
static const size_t HAND_ABOVE = 64 * 1024;

/* ---- records ---- */

record *links_record(const net_record *head, net_message *message)
{
    record *one = strads_alloc(sizeof(*one));
    if (one == NULL) {
        net_message_destroy(message);
        return NULL;
    }
    *one = (record){.head = *head, .message = message};
    return one;
}

void links_record_destroy(record *one)
{
    if (one != NULL) {
        net_message_destroy(one->message);
        strads_free(one);
    }
}

void links_records_add(records *list, record *one)
{
    one->next = NULL;
    if (list->first == NULL) {
        list->first = one;
    } else {
        list->last->next = one;
    }
    list->last = one;
}

record *links_records_take(records *list)
{
    record *one = list->first;
    if (one != NULL) {
        list->first = one->next;
    }
    return one;
}

void links_records_clear(records *list)
{
    for (record *one = links_records_take(list); one != NULL; one = links_records_take(list)) {
        links_record_destroy(one);
    }
}

/* ---- frames ---- */

static bool is_lent(const record *one)
{
    return one->head.bytes > COPY_BELOW;
}

/* Moves what goes into the next frame from the link's queues: its kind, 0: nothing does. */
static int choose_records_locked(net_connection *link, net_frame *frame)
{
    size_t bytes = 0;
    *frame = (net_frame){.kind = NET_FRAME_DATA, .sequence = link->n_frames};
    for (int i = 0; i < N_QUEUES; i++) {
        records *waiting = &link->waiting[i];
        while (waiting->first != NULL && frame->n_records < FRAME_RECORDS && bytes < FRAME_ENOUGH) {
            record *one = links_records_take(waiting);
            bytes += NET_RECORD_HEAD + (size_t) one->head.bytes;
            links_records_add(&link->out.records, one);
            frame->n_records++;
        }
    }
    if (frame->n_records > 0) {
        return NET_FRAME_DATA;
    }
    if (link->must_bye) {
        link->must_bye = false;
        link->said_bye = true;
        frame->kind = link->farewell == NULL ? NET_FRAME_BYE : NET_FRAME_ABORT;
        if (link->farewell != NULL) {
            links_records_add(&link->out.records, link->farewell);
            link->farewell = NULL;
            frame->n_records = 1;
        }
    } else if (link->must_beat && !link->said_bye) {
        frame->kind = NET_FRAME_HEARTBEAT;
    } else {
        return 0;
    }
    return (int) frame->kind;
}

/* Room for the heads of the chosen records, their padding and the bodies that are copied. */
static strads_status reserve_heads(sending *out)
{
    size_t bytes = NET_FRAME_HEAD;
    for (const record *one = out->records.first; one != NULL; one = one->next) {
        bytes += NET_RECORD_HEAD + net_record_padding(one->head.bytes) +
                 (is_lent(one) ? 0 : (size_t) one->head.bytes);
    }
    return strads_reserve(&out->heads, &out->heads_capacity, bytes, 1);
}

/* Adds n bytes of `heads` to the parts: to the last one when it ends there. */
static void extend_heads(sending *out, unsigned char *at, size_t n)
{
    struct iovec *last = out->n_parts == 0 ? NULL : &out->parts[out->n_parts - 1];
    if (last != NULL && (unsigned char *) last->iov_base + last->iov_len == at) {
        last->iov_len += n;
    } else if (n > 0) {
        out->parts[out->n_parts++] = (struct iovec){.iov_base = at, .iov_len = n};
    }
}

static void lay_out(sending *out)
{
    unsigned char *at = out->heads + NET_FRAME_HEAD;
    out->n_parts = 1;
    out->parts[0] = (struct iovec){.iov_base = at, .iov_len = 0};
    for (const record *one = out->records.first; one != NULL; one = one->next) {
        const size_t n = (size_t) one->head.bytes;
        const size_t padding = net_record_padding(n);
        net_record_encode(at, &one->head);
        size_t length = NET_RECORD_HEAD;
        if (!is_lent(one) && n > 0) {
            memcpy(at + length, one->message->body, n);
            length += n;
        }
        if (is_lent(one)) {
            extend_heads(out, at, length);
            out->parts[out->n_parts++] =
                (struct iovec){.iov_base = one->message->body, .iov_len = n};
            at += length;
            length = 0;
        }
        memset(at + length, 0, padding);
        extend_heads(out, at, length + padding);
        at += length + padding;
    }
    net_frame_encode(out->heads, &out->frame, out->parts, out->n_parts);
    out->parts[0].iov_base = out->heads;
    out->parts[0].iov_len += NET_FRAME_HEAD;
}

static bool is_waiting_locked(const net_connection *link)
{
    bool waiting = link->must_bye;
    for (int i = 0; i < N_QUEUES; i++) {
        waiting = waiting || link->waiting[i].first != NULL;
    }
    return waiting;
}

static size_t bytes_of(const records *list)
{
    size_t bytes = 0;
    for (const record *one = list->first; one != NULL; one = one->next) {
        bytes += (size_t) one->head.bytes;
    }
    return bytes;
}

/* The frame is out, or lost. */
static void end_frame(net_connection *link, strads_status status)
{
    links_records_clear(&link->out.records);
    pthread_mutex_lock(&link->lock);
    link->busy = false;
    const bool go_on = link->must_flush;
    if (link->said_bye) { /* who waits for parts need not wake */
        pthread_cond_broadcast(&link->changed);
    }
    pthread_mutex_unlock(&link->lock);
    if (status != STRADS_OK) {
        links_lose(link, net_stream_why(link->stream));
    } else if (go_on) {
        links_kick(link);
    }
}

static void on_sent(void *context, strads_status status, size_t n)
{
    (void) n;
    end_frame(context, status);
}

/* False: there is no memory for it, and the link is lost. */
static bool prepare(net_connection *link)
{
    if (reserve_heads(&link->out) != STRADS_OK) {
        links_lose(link, "there is no memory for a frame");
        return false;
    }
    lay_out(&link->out);
    return true;
}

/* ---- the thread of large frames ---- */

/* Waits for a large frame; false: there will be none. */
static bool take_frame(net_connection *link)
{
    sending *out = &link->out;
    pthread_mutex_lock(&link->lock);
    while (!out->handed && !out->over) {
        pthread_cond_wait(&out->told, &link->lock);
    }
    const bool taken = out->handed;
    out->handed = false;
    pthread_mutex_unlock(&link->lock);
    return taken;
}

static void *run_sender(void *argument)
{
    net_connection *link = argument;
    while (take_frame(link)) {
        if (prepare(link)) {
            end_frame(link, net_stream_send_all(link->stream, link->out.parts, link->out.n_parts));
        }
    }
    return NULL;
}

/* Hands the frame to the thread; false: it is not large, or there is no thread. */
static bool hand_locked(net_connection *link)
{
    sending *out = &link->out;
    if (link->busy_bytes <= HAND_ABOVE || out->over) {
        return false;
    }
    if (!out->runs) {
        out->runs = strads_thread_start(&out->thread, "strads-send", run_sender, link) == STRADS_OK;
    }
    out->over = !out->runs; /* it is not tried again */
    out->handed = out->runs;
    return out->runs;
}

void links_send_stop(net_connection *link)
{
    pthread_mutex_lock(&link->lock);
    link->out.over = true;
    const bool runs = link->out.runs;
    pthread_mutex_unlock(&link->lock);
    if (runs) {
        pthread_cond_signal(&link->out.told);
        pthread_join(link->out.thread, NULL);
    }
}

/* ---- what goes next ---- */

void links_kick(net_connection *link)
{
    sending *out = &link->out;
    bool handed = false;
    pthread_mutex_lock(&link->lock);
    const bool go = link->stream != NULL && !link->busy && !link->lost &&
                    choose_records_locked(link, &out->frame) != 0;
    link->must_flush = link->busy || is_waiting_locked(link);
    if (go) {
        link->busy = true;
        link->must_beat = false;
        link->n_frames++;
        link->busy_bytes = bytes_of(&out->records);
        link->busy_since = strads_now();
        link->last_sent = link->busy_since;
        handed = hand_locked(link);
    }
    pthread_mutex_unlock(&link->lock);
    if (handed) {
        pthread_cond_signal(&out->told);
    } else if (go && prepare(link)) {
        net_stream_send(link->stream, out->parts, out->n_parts, on_sent, link);
    }
}

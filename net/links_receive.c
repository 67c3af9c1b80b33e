/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/links_receive.c - what comes over a link: frames, taken apart and acted on. */
#include <string.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "net/links_state.h"

/* ---- what a record says ---- */

static bool is_of(net_id node, net_id first, net_id n)
{
    return node >= first && node - first < n;
}

/* Whether a record of a link makes sense; NULL: yes, else what is wrong. */
static const char *find_fault(const net_connection *link, const net_record *head)
{
    const net_links *links = link->links;
    const bool theirs = is_of(head->from, link->first, link->n);
    const bool ours = is_of(head->to, links->first, links->n);
    if (!theirs && head->kind != NET_RECORD_PART) {
        return "it speaks for a node that is not its own";
    }
    if (!ours && (head->kind == NET_RECORD_MESSAGE || head->kind == NET_RECORD_CREDIT ||
                  head->kind == NET_RECORD_TOLD)) {
        return "it speaks to a node that is not of this process";
    }
    if (head->lane >= NET_N_LANES) {
        return "there is no such lane";
    }
    if (head->type > UINT32_MAX - 1) {
        return "there is no such type of message";
    }
    return NULL;
}

static void take_credits(net_connection *link, const net_record *head)
{
    pthread_mutex_lock(&link->lock);
    uint32_t *used = &link->used[head->lane][links_pair(link, head->to, head->from)];
    const uint32_t n = head->type < *used ? (uint32_t) head->type : *used;
    *used -= n;
    link->n_owed -= n;
    pthread_mutex_unlock(&link->lock);
}

static bool take_part(net_connection *link, record *one)
{
    pthread_mutex_lock(&link->lock);
    const bool room = link->n_parts < MOST_PARTS;
    if (room) {
        links_records_add(&link->parts, one);
        link->n_parts++;
    }
    pthread_mutex_unlock(&link->lock);
    pthread_cond_broadcast(&link->changed); /* who wakes finds the lock free */
    return room;
}

static bool take_message(net_connection *link, record *one)
{
    const net_record *head = &one->head;
    pthread_mutex_lock(&link->lock);
    uint32_t *held = &link->held[head->lane][links_pair(link, head->to, head->from)];
    const bool room = *held < link->links->options.queue_messages;
    *held += room ? 1 : 0;
    pthread_mutex_unlock(&link->lock);
    if (room) {
        links_deliver(link->links, one);
    }
    return room;
}

/* Takes the record; false: its sender had no credit for it, and is lost. */
static bool act_on(net_connection *link, record *one)
{
    bool good = true;
    switch (one->head.kind) {
    case NET_RECORD_MESSAGE:
        good = take_message(link, one);
        break;
    case NET_RECORD_PART:
        good = take_part(link, one);
        break;
    case NET_RECORD_TOLD:
        links_deliver(link->links, one);
        break;
    case NET_RECORD_CREDIT:
        take_credits(link, &one->head);
        links_record_destroy(one);
        break;
    case NET_RECORD_LEAVE:
        links_hear_left(link->links, one->head.from);
        links_record_destroy(one);
        break;
    }
    if (!good) {
        links_record_destroy(one);
        links_lose(link, "it sent more than it may before what it has sent is handled");
    }
    return good;
}

/* ---- what a frame says ---- */

static void hear_bye(net_connection *link)
{
    pthread_mutex_lock(&link->lock);
    link->heard_bye = true;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

/* After an error that was told here it is the same again, or what came of it. */
static void hear_abort(net_connection *link)
{
    const bool known = strads_log_n_errors() > link->links->n_errors;
    const record *one = link->in.records.first;
    const int n = one == NULL || one->head.bytes > 1000 ? 0 : (int) one->head.bytes;
    strads_log(known ? STRADS_LOG_DEBUG : STRADS_LOG_ERROR, "%s gives up: %.*s", link->name, n,
               n == 0 ? "" : (const char *) one->message->body);
    links_fail(link);
    hear_bye(link);
    links_break(link->links);
}

/* The frame is whole. False: it is not what was sent, or no more is read. */
static bool end_frame(net_connection *link)
{
    receiving *in = &link->in;
    if (net_sum_end(&in->sum) != in->frame.sum) {
        links_lose(link, "it sent a frame whose checksum is wrong");
        return false;
    }
    if (in->n_records != in->frame.n_records) {
        links_lose(link, "it sent a frame with another number of records than it said");
        return false;
    }
    in->n_frames++;
    in->what = RECEIVING_FRAME;
    if (in->frame.kind == NET_FRAME_BYE) {
        in->what = RECEIVING_END;
    } else if (in->frame.kind == NET_FRAME_ABORT) {
        hear_abort(link);
        links_records_clear(&in->records);
    }
    for (record *one = links_records_take(&in->records); one != NULL;
         one = links_records_take(&in->records)) {
        if (!act_on(link, one)) {
            return false;
        }
    }
    return in->what != RECEIVING_END && in->frame.kind != NET_FRAME_ABORT;
}

/* ---- bytes ---- */

static size_t body_length(const receiving *in)
{
    const uint64_t bytes = in->records.last->head.bytes;
    return (size_t) bytes + net_record_padding(bytes);
}

static bool begin_frame(net_connection *link, const unsigned char *head)
{
    receiving *in = &link->in;
    char why[NET_WHY];
    if (net_frame_decode(&in->frame, head, in->n_frames, why) != STRADS_OK) {
        links_lose(link, why);
        return false;
    }
    if (in->frame.n_records > FRAME_RECORDS) {
        links_lose(link, "it sent a frame of more records than one may have");
        return false;
    }
    net_sum_start(&in->sum, head);
    in->left = in->frame.bytes;
    in->n_records = 0;
    in->what = RECEIVING_RECORD;
    return true;
}

/* A body has room for its padding, so that both come in one piece. */
static bool begin_record(net_connection *link, const unsigned char *bytes)
{
    receiving *in = &link->in;
    net_record head;
    char why[NET_WHY];
    const strads_status status =
        net_record_decode(&head, bytes, in->left - NET_RECORD_HEAD, link->links->n_nodes, why);
    const char *fault = status != STRADS_OK ? why : NULL;
    if (fault == NULL && in->frame.kind == NET_FRAME_DATA) {
        fault = find_fault(link, &head);
    }
    if (fault == NULL && in->n_records == in->frame.n_records) {
        fault = "it sent a frame with more records than it said";
    }
    if (fault != NULL) {
        links_lose(link, fault);
        return false;
    }
    net_message *message = NULL;
    if (head.kind == NET_RECORD_MESSAGE || head.kind == NET_RECORD_PART ||
        head.kind == NET_RECORD_TOLD || head.bytes > 0) {
        message = net_message_create((uint32_t) head.type, (net_lane) head.lane,
                                     (size_t) head.bytes + net_record_padding(head.bytes));
        if (message == NULL) {
            links_lose(link, "there is no memory for what it sends");
            return false;
        }
        message->bytes = (size_t) head.bytes;
        message->from = head.from;
        message->foreign = true;
    }
    record *one = links_record(&head, message);
    if (one == NULL) {
        links_lose(link, "there is no memory for what it sends");
        return false;
    }
    net_sum_add(&in->sum, bytes, NET_RECORD_HEAD);
    in->left -= NET_RECORD_HEAD;
    in->n_records++;
    in->body_have = 0;
    links_records_add(&in->records, one);
    in->what = body_length(in) > 0 ? RECEIVING_BODY : RECEIVING_RECORD;
    return true;
}

/* n more bytes of the body are in place. */
static void add_to_body(receiving *in, size_t n)
{
    net_sum_add(&in->sum, in->records.last->message->body + in->body_have, n);
    in->body_have += n;
    in->left -= n;
    if (in->body_have == body_length(in)) {
        in->what = RECEIVING_RECORD;
    }
}

/* Takes apart what is in the buffer; false: the link is lost. */
static bool take_apart(net_connection *link)
{
    receiving *in = &link->in;
    for (;;) {
        const unsigned char *at = in->buffer + in->begin;
        const size_t n = in->end - in->begin;
        if (in->what == RECEIVING_RECORD && in->left == 0) {
            if (!end_frame(link)) {
                return false;
            }
        } else if (in->what == RECEIVING_BODY && n > 0) {
            const size_t rest = body_length(in) - in->body_have;
            const size_t take = rest < n ? rest : n;
            memcpy(in->records.last->message->body + in->body_have, at, take);
            add_to_body(in, take);
            in->begin += take;
        } else if (in->what == RECEIVING_FRAME && n >= NET_FRAME_HEAD) {
            if (!begin_frame(link, at)) {
                return false;
            }
            in->begin += NET_FRAME_HEAD;
        } else if (in->what == RECEIVING_RECORD && in->left < NET_RECORD_HEAD) {
            links_lose(link, "it sent a frame that ends within a record");
            return false;
        } else if (in->what == RECEIVING_RECORD && n >= NET_RECORD_HEAD) {
            if (!begin_record(link, at)) {
                return false;
            }
            in->begin += NET_RECORD_HEAD;
        } else {
            return true; /* more must come */
        }
    }
}

/* Begins to receive the rest of a body where it belongs, and what follows into the buffer. */
static void begin_read(net_connection *link)
{
    receiving *in = &link->in;
    int n_parts = 0;
    if (in->begin > 0) {
        memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->begin = 0;
    }
    if (in->what == RECEIVING_BODY) { /* then the buffer is empty */
        in->parts[n_parts++] =
            (struct iovec){.iov_base = in->records.last->message->body + in->body_have,
                           .iov_len = body_length(in) - in->body_have};
    }
    in->parts[n_parts++] =
        (struct iovec){.iov_base = in->buffer + in->end, .iov_len = RECEIVE_BYTES - in->end};
    net_stream_begin_read(link->stream, in->parts, n_parts);
}

/* False: nothing came, for the link is lost. */
static bool end_read(net_connection *link, size_t *n)
{
    const strads_status status = net_stream_end_read(link->stream, n);
    if (status != STRADS_OK) {
        links_lose(link, status == STRADS_ERR_CLOSED ? "its connection has ended"
                                                     : net_stream_why(link->stream));
    }
    return status == STRADS_OK;
}

/* n bytes have come; false: no more will, for the link is lost, or it has said good-bye. */
static bool take_in(net_connection *link, size_t n)
{
    receiving *in = &link->in;
    atomic_store_explicit(&link->last_heard, strads_now(), memory_order_relaxed);
    if (in->what == RECEIVING_BODY) {
        const size_t rest = body_length(in) - in->body_have;
        const size_t take = rest < n ? rest : n;
        add_to_body(in, take);
        n -= take;
    }
    in->end += n;
    return take_apart(link);
}

static void hear_all_left(net_connection *link)
{
    for (net_id node = link->first; node < link->first + link->n; node++) {
        links_hear_left(link->links, node);
    }
}

/* The other side has said good-bye. Who has to answer stays until the other has closed: a read
 * waits for that from before the answer can be given, for one that begins later may not end. */
static void part(net_connection *link)
{
    const bool answers = links_answers(link);
    size_t n = 0;
    if (answers) {
        begin_read(link);
    }
    hear_bye(link);
    hear_all_left(link);
    if (answers && end_read(link, &n)) {
        links_lose(link, "it goes on after its good-bye");
    }
}

/* Until the link is lost, whoever found that out, or the other side has said good-bye. */
static void *run_receiver(void *argument)
{
    net_connection *link = argument;
    size_t n = 0;
    do {
        begin_read(link);
    } while (end_read(link, &n) && take_in(link, n));
    if (link->in.what == RECEIVING_END) {
        part(link);
    } else {
        hear_all_left(link);
    }
    return NULL;
}

strads_status links_receive_init(net_connection *link)
{
    link->in.buffer = strads_alloc(RECEIVE_BYTES);
    return link->in.buffer == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
}

strads_status links_receive_start(net_connection *link)
{
    const strads_status status =
        strads_thread_start(&link->in.thread, "strads-link", run_receiver, link);
    link->in.runs = status == STRADS_OK;
    return status;
}

void links_receive_stop(net_connection *link)
{
    if (link->in.runs) {
        pthread_join(link->in.thread, NULL);
        link->in.runs = false;
    }
}

void links_receive_fini(net_connection *link)
{
    links_records_clear(&link->in.records);
    strads_free(link->in.buffer);
}

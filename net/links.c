/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/links.c - what nodes and processes say over the links, and hear. */
#include <assert.h>

#include "base/clock.h"
#include "net/links_state.h"

uint32_t net_links_count(const net_links *links)
{
    return links->options.n_processes;
}

uint32_t net_links_me(const net_links *links)
{
    return links->options.me;
}

void net_links_nodes(const net_links *links, uint32_t process, net_id *first, net_id *n)
{
    *first = links->link[process].first;
    *n = links->link[process].n;
}

void net_links_set_cost(net_links *links, const net_links_cost *cost)
{
    links->cost = *cost;
}

const net_links_cost *net_links_cost_of(const net_links *links)
{
    return &links->cost;
}

struct net_shared *net_links_shared(const net_links *links)
{
    return links->options.shared;
}

const _Atomic bool *net_links_broken(const net_links *links)
{
    return &links->broken;
}

void net_links_waits(net_links *links, bool begins)
{
    if (begins) {
        atomic_store(&links->waiting_since, strads_now());
        atomic_fetch_add(&links->n_waiting, 1);
    } else {
        atomic_fetch_sub(&links->n_waiting, 1);
    }
}

/* That of another process's node. */
static net_connection *link_to(net_links *links, net_id node)
{
    uint32_t p = 0;
    while (node - links->link[p].first >= links->link[p].n) {
        p++;
    }
    assert(links->link[p].stream != NULL);
    return &links->link[p];
}

/* ---- what comes from others ---- */

static void keep_early(net_links *links, record *one)
{
    pthread_mutex_lock(&links->early_lock);
    links_records_add(&links->early, one);
    pthread_mutex_unlock(&links->early_lock);
}

/* Hands a record to the sink, and takes it; under the sink's lock. */
static void give(const net_sink *sink, record *one)
{
    if (one->head.kind == NET_RECORD_LEAVE) {
        sink->left(sink->context, one->head.from);
    } else if (one->head.kind == NET_RECORD_TOLD) {
        sink->serve(sink->context, one->head.to, one->message);
        one->message = NULL;
    } else {
        sink->deliver(sink->context, one->head.to, one->message);
        one->message = NULL;
    }
    links_record_destroy(one);
}

void links_deliver(net_links *links, record *one)
{
    pthread_rwlock_rdlock(&links->sink_lock);
    if (links->sink != NULL) {
        give(links->sink, one);
    } else if (links->detached) {
        links_record_destroy(one);
    } else {
        keep_early(links, one);
    }
    pthread_rwlock_unlock(&links->sink_lock);
}

void links_hear_left(net_links *links, net_id node)
{
    pthread_mutex_lock(&links->early_lock);
    const bool known = links->left[node];
    links->left[node] = true;
    pthread_mutex_unlock(&links->early_lock);
    if (known) {
        return;
    }
    if (node != NET_COORDINATOR) {
        links_break(links);
    }
    const net_record head = {.kind = NET_RECORD_LEAVE, .from = node};
    record *one = links_record(&head, NULL);
    if (one == NULL) {
        strads_error("out of memory: the loss of node %u is not heard of", node);
        return;
    }
    links_deliver(links, one);
}

void links_break(net_links *links)
{
    atomic_store(&links->broken, true);
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        net_connection *link = &links->link[p];
        pthread_mutex_lock(&link->lock);
        pthread_cond_broadcast(&link->changed);
        pthread_mutex_unlock(&link->lock);
    }
}

void links_fail(net_connection *link)
{
    net_links *links = link->links;
    const double heard = atomic_load(&link->last_heard);
    if (!atomic_load(&links->failed)) {
        atomic_store(&links->failed_at, heard);
        atomic_store(&links->failed, true);
    }
}

void links_lose(net_connection *link, const char *why)
{
    net_links *links = link->links;
    pthread_mutex_lock(&link->lock);
    const bool first = !link->lost;
    const bool well = link->heard_bye;
    if (first && !well) {
        links_fail(link); /* known before the loss is: who ends the links reads it then */
    }
    link->lost = true;
    pthread_mutex_unlock(&link->lock);
    if (!first) {
        return;
    }
    if (!well) {
        net_connection *none = NULL;
        atomic_compare_exchange_strong(&links->lost, &none, link);
        strads_error("%s is lost: %s; its last sign of life was %.1f s ago", link->name, why,
                     strads_now() - atomic_load(&link->last_heard));
    }
    pthread_mutex_lock(&link->lock);
    pthread_cond_broadcast(&link->changed); /* now that the reason was told */
    pthread_mutex_unlock(&link->lock);
    net_stream_close(link->stream); /* what is received ends, and then its nodes have left */
    if (!well) {
        links_break(links);
    }
}

void net_links_attach(net_links *links, const net_sink *sink)
{
    pthread_rwlock_wrlock(&links->sink_lock);
    links->kept = *sink;
    links->sink = &links->kept;
    for (record *one = links_records_take(&links->early); one != NULL;
         one = links_records_take(&links->early)) {
        give(links->sink, one);
    }
    pthread_rwlock_unlock(&links->sink_lock);
}

void net_links_detach(net_links *links)
{
    pthread_rwlock_wrlock(&links->sink_lock);
    links->sink = NULL;
    links->detached = true;
    pthread_rwlock_unlock(&links->sink_lock);
}

/* ---- what goes to others ---- */

static int queue_of(const net_record *head)
{
    return head->kind == NET_RECORD_CREDIT ? QUEUE_CREDITS
           : head->kind == NET_RECORD_TOLD ? QUEUE_TOLD
                                           : QUEUE_LANES + (int) head->lane;
}

/* Takes the message. CLOSED: the link is lost. */
static strads_status put(net_connection *link, const net_record *head, net_message *message)
{
    record *one = links_record(head, message);
    if (one == NULL) {
        return STRADS_ERR_NOMEM;
    }
    pthread_mutex_lock(&link->lock);
    const bool lost = link->lost || link->must_bye || link->said_bye;
    if (!lost) {
        links_records_add(&link->waiting[queue_of(head)], one);
    }
    pthread_mutex_unlock(&link->lock);
    if (lost) {
        links_record_destroy(one);
    }
    return lost ? STRADS_ERR_CLOSED : STRADS_OK;
}

strads_status net_links_post(net_links *links, uint32_t process, net_message *part)
{
    net_connection *link = &links->link[process];
    const net_record head = {.kind = NET_RECORD_PART,
                             .from = links->first,
                             .to = link->first,
                             .lane = NET_DATA,
                             .type = part->type,
                             .bytes = part->bytes};
    const strads_status status = put(link, &head, part);
    if (status == STRADS_OK) {
        links_kick(link);
    }
    return status;
}

strads_status net_links_take(net_links *links, uint32_t process, net_message **part)
{
    net_connection *link = &links->link[process];
    pthread_mutex_lock(&link->lock);
    while (link->parts.first == NULL && !link->lost && !atomic_load(&links->broken)) {
        link->waits_since = link->waits_since == 0.0 ? strads_now() : link->waits_since;
        pthread_cond_wait(&link->changed, &link->lock);
    }
    link->waits_since = 0.0;
    record *one = links_records_take(&link->parts);
    link->n_parts -= one != NULL ? 1 : 0;
    pthread_mutex_unlock(&link->lock);
    if (one == NULL) {
        return STRADS_ERR_CLOSED;
    }
    *part = one->message;
    one->message = NULL;
    links_record_destroy(one);
    return STRADS_OK;
}

strads_status net_links_send(net_links *links, net_id from, net_id to, net_message *message)
{
    net_connection *link = link_to(links, to);
    const net_record head = {.kind = NET_RECORD_MESSAGE,
                             .from = from,
                             .to = to,
                             .lane = message->lane,
                             .type = message->type,
                             .bytes = message->bytes};
    record *one = strads_alloc(sizeof(*one));
    if (one == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *one = (record){.head = head, .message = message};
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&link->lock);
    uint32_t *used = &link->used[message->lane][links_pair(link, from, to)];
    if (link->lost || link->said_bye) {
        status = STRADS_ERR_CLOSED;
    } else if (*used == links->options.queue_messages) {
        status = STRADS_ERR_AGAIN;
    } else {
        *used += 1;
        link->owed_since = link->n_owed++ == 0 ? strads_now() : link->owed_since;
        links_records_add(&link->waiting[queue_of(&head)], one);
    }
    pthread_mutex_unlock(&link->lock);
    if (status != STRADS_OK) {
        strads_free(one); /* the message is still the caller's */
    }
    return status;
}

strads_status net_links_tell(net_links *links, net_id from, net_id to, net_message *message)
{
    net_connection *link = link_to(links, to);
    const net_record head = {.kind = NET_RECORD_TOLD,
                             .from = from,
                             .to = to,
                             .lane = NET_DATA,
                             .type = message->type,
                             .bytes = message->bytes};
    const strads_status status = put(link, &head, message);
    if (status == STRADS_OK) {
        links_kick(link);
    }
    return status;
}

void net_links_done(net_links *links, net_id to, const net_message *message)
{
    net_connection *link = link_to(links, message->from);
    pthread_mutex_lock(&link->lock);
    link->held[message->lane][links_pair(link, to, message->from)]--;
    pthread_mutex_unlock(&link->lock);
    const net_record head = {.kind = NET_RECORD_CREDIT,
                             .from = to,
                             .to = message->from,
                             .lane = message->lane,
                             .type = 1};
    if (put(link, &head, NULL) == STRADS_ERR_NOMEM) {
        links_lose(link, "there is no memory to answer it");
    }
}

void net_links_leave(net_links *links, net_id node)
{
    const net_record head = {.kind = NET_RECORD_LEAVE, .from = node, .lane = NET_DATA};
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        net_connection *link = &links->link[p];
        if (link->stream != NULL && put(link, &head, NULL) == STRADS_ERR_NOMEM) {
            links_lose(link, "there is no memory to answer it");
        }
    }
    if (node != NET_COORDINATOR) {
        links_break(links);
    }
    net_links_flush(links);
}

void net_links_flush(net_links *links)
{
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        links_kick(&links->link[p]);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/links_life.c - how links begin, stay alive and end. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tasks.h"
#include "net/links_state.h"

/* How often a pulse looks in the time of a heartbeat, and at least. */
enum { LOOKS_A_BEAT = 4 };
static const double LONGEST_LOOK = 0.25;
/* For good-byes when something has failed. */
static const double PARTING_SECONDS = 0.4;
/* A frame may take the timeout, and its bytes at this rate. */
static const double SLOWEST_LINK = 1e6;

/* ---- the pulse ---- */

/* Looks after one link: is the other side alive, does it know that this one is? */
static void look_after(net_connection *link)
{
    const net_links_options *options = &link->links->options;
    const double now = strads_now();
    char why[NET_WHY];
    const char *lost = NULL;
    pthread_mutex_lock(&link->lock);
    const bool open = !link->lost && !link->heard_bye;
    if (open && now - atomic_load(&link->last_heard) > options->timeout) {
        snprintf(why, sizeof(why), "nothing was heard of it for %g s", options->timeout);
        lost = why;
    } else if (open && link->busy &&
               now - link->busy_since >
                   options->timeout + (double) link->busy_bytes / SLOWEST_LINK) {
        snprintf(why, sizeof(why), "it has not taken what it was sent for %.1f s",
                 now - link->busy_since);
        lost = why;
    } else if (!link->busy && now - link->last_sent >= options->heartbeat) {
        link->must_beat = true;
    }
    const bool beat = link->must_beat;
    pthread_mutex_unlock(&link->lock);
    if (lost != NULL) {
        links_lose(link, lost);
    } else if (beat) {
        links_kick(link);
    }
}

static void report(net_connection *link)
{
    const double now = strads_now();
    pthread_mutex_lock(&link->lock);
    const double waits = link->waits_since;
    const uint32_t n_owed = link->n_owed;
    const double owed_since = link->owed_since;
    const double heard = atomic_load(&link->last_heard);
    const char *state = link->lost ? " (lost)" : link->heard_bye ? " (has ended)" : "";
    pthread_mutex_unlock(&link->lock);
    strads_info("%s%s: last sign of life %.1f s ago", link->name, state, now - heard);
    if (waits > 0.0) {
        strads_info("  waiting for its part of an exchange for %.1f s", now - waits);
    }
    if (n_owed > 0) {
        strads_info("  waiting for %u message%s to be handled there for %.1f s", n_owed,
                    n_owed == 1 ? "" : "s", now - owed_since);
    }
}

static void report_all(net_links *links)
{
    const uint32_t n_waiting = atomic_load(&links->n_waiting);
    strads_info("this is process %u of %u", links->options.me, links->options.n_processes);
    if (n_waiting > 0) {
        strads_info("  %u of its workers waiting for a column or a row, the last for %.1f s",
                    n_waiting, strads_now() - atomic_load(&links->waiting_since));
    }
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        if (links->link[p].stream != NULL) {
            report(&links->link[p]);
        }
    }
}

/* What concerns all links. */
static void look_around(net_links *links)
{
    const net_links_options *options = &links->options;
    if (options->report != NULL && atomic_exchange(options->report, false)) {
        report_all(links);
    }
    if (options->stuck != NULL && atomic_load(&links->failed) && !links->told_stuck &&
        strads_now() > atomic_load(&links->failed_at) + options->timeout + NET_STUCK_SECONDS) {
        links->told_stuck = true;
        options->stuck();
    }
}

static void *run_pulse(void *argument)
{
    net_links *links = argument;
    const net_links_options *options = &links->options;
    const double shorter =
        options->heartbeat < options->timeout ? options->heartbeat : options->timeout;
    const double look =
        shorter / LOOKS_A_BEAT < LONGEST_LOOK ? shorter / LOOKS_A_BEAT : LONGEST_LOOK;
    pthread_mutex_lock(&links->pulse_lock);
    while (!links->ended) {
        pthread_mutex_unlock(&links->pulse_lock);
        look_around(links);
        for (uint32_t p = 0; p < options->n_processes; p++) {
            if (links->link[p].stream != NULL) {
                look_after(&links->link[p]);
            }
        }
        pthread_mutex_lock(&links->pulse_lock);
        if (!links->ended) {
            strads_cond_wait(&links->pulse_ended, &links->pulse_lock, look);
        }
    }
    pthread_mutex_unlock(&links->pulse_lock);
    return NULL;
}

/* ---- life ---- */

/* Its stream, what receives from it and what sends have ended; they may name other links. */
static void fini_link(net_connection *link)
{
    if (link->has_lock) {
        pthread_cond_destroy(&link->out.told);
        pthread_cond_destroy(&link->changed);
        pthread_mutex_destroy(&link->lock);
    }
    for (int i = 0; i < N_QUEUES; i++) {
        links_records_clear(&link->waiting[i]);
    }
    for (int lane = 0; lane < NET_N_LANES; lane++) {
        strads_free(link->used[lane]);
        strads_free(link->held[lane]);
    }
    links_records_clear(&link->out.records);
    links_records_clear(&link->parts);
    links_record_destroy(link->farewell);
    links_receive_fini(link);
    strads_free(link->out.heads);
    strads_free(link->name);
}

static strads_status init_link(net_connection *link)
{
    if (strads_cond_init(&link->changed) != STRADS_OK) {
        return STRADS_ERR_SYSTEM;
    }
    if (pthread_mutex_init(&link->lock, NULL) != 0 ||
        pthread_cond_init(&link->out.told, NULL) != 0) {
        return STRADS_ERR_SYSTEM; /* what is there needs no memory of its own */
    }
    link->has_lock = true;
    for (int lane = 0; lane < NET_N_LANES; lane++) {
        const size_t n_pairs = (size_t) link->links->n * link->n;
        link->used[lane] = strads_calloc(n_pairs, sizeof(*link->used[lane]));
        link->held[lane] = strads_calloc(n_pairs, sizeof(*link->held[lane]));
        if (link->used[lane] == NULL || link->held[lane] == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    link->last_sent = strads_now();
    atomic_store(&link->last_heard, link->last_sent);
    return links_receive_init(link);
}

/* Ends the streams, and what receives from them and sends. */
static void close_streams(net_links *links)
{
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        net_connection *link = &links->link[p];
        if (link->stream == NULL) {
            continue;
        }
        if (link->has_lock) {
            pthread_mutex_lock(&link->lock);
            link->heard_bye = true; /* that it ends now is no loss */
            pthread_mutex_unlock(&link->lock);
        }
        net_stream_close(link->stream);
    }
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        links_receive_stop(&links->link[p]);
        if (links->link[p].has_lock) {
            links_send_stop(&links->link[p]);
        }
    }
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        net_stream_destroy(links->link[p].stream);
    }
}

/* Frees the links, whose pulse has ended. */
static void destroy(net_links *links)
{
    close_streams(links);
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        fini_link(&links->link[p]);
    }
    if (links->has_locks) {
        pthread_cond_destroy(&links->pulse_ended);
        pthread_mutex_destroy(&links->pulse_lock);
        pthread_mutex_destroy(&links->early_lock);
        pthread_rwlock_destroy(&links->sink_lock);
    }
    links_records_clear(&links->early);
    strads_free(links->left);
    strads_free(links->link);
    strads_free(links);
}

static strads_status init_locks(net_links *links)
{
    if (strads_cond_init(&links->pulse_ended) != STRADS_OK) {
        return STRADS_ERR_SYSTEM;
    }
    if (pthread_mutex_init(&links->pulse_lock, NULL) != 0 ||
        pthread_mutex_init(&links->early_lock, NULL) != 0 ||
        pthread_rwlock_init(&links->sink_lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM; /* what is there needs no memory of its own */
    }
    links->has_locks = true;
    return STRADS_OK;
}

static strads_status start(net_links *links)
{
    strads_status status = init_locks(links);
    for (uint32_t p = 0; p < links->options.n_processes && status == STRADS_OK; p++) {
        status = init_link(&links->link[p]);
    }
    for (uint32_t p = 0; p < links->options.n_processes && status == STRADS_OK; p++) {
        if (links->link[p].stream != NULL) {
            status = links_receive_start(&links->link[p]);
        }
    }
    if (status == STRADS_OK) { /* the last: what fails before has no pulse to end */
        status = strads_thread_start(&links->pulse, "strads-pulse", run_pulse, links);
    }
    return status;
}

strads_status net_links_create(net_links **out, const net_links_options *options,
                               const net_peer *peers)
{
    net_links *links = strads_calloc(1, sizeof(*links));
    net_connection *link = strads_calloc(options->n_processes, sizeof(*link));
    if (links == NULL || link == NULL) {
        strads_free(links);
        strads_free(link);
        for (uint32_t p = 0; p < options->n_processes; p++) {
            net_stream_destroy(peers[p].stream);
            strads_free(peers[p].name);
        }
        return STRADS_ERR_NOMEM;
    }
    strads_mem_keep();
    links->options = *options;
    links->n_errors = strads_log_n_errors();
    strads_log_forget_first();
    links->link = link;
    for (uint32_t p = 0; p < options->n_processes; p++) {
        link[p].links = links;
        link[p].process = p;
        link[p].stream = peers[p].stream;
        link[p].name = peers[p].name;
        link[p].first = peers[p].first;
        link[p].n = peers[p].n;
        links->n_nodes += peers[p].n;
    }
    links->first = link[options->me].first;
    links->n = link[options->me].n;
    links->left = strads_calloc(links->n_nodes, sizeof(*links->left));
    const strads_status status = links->left == NULL ? STRADS_ERR_NOMEM : start(links);
    if (status != STRADS_OK) {
        destroy(links);
        return status;
    }
    *out = links;
    return STRADS_OK;
}

/* Why a process that ends with this status gives up, for the others. Those that were forked
 * share its stderr, where the error stands already. */
static record *farewell_of(const net_links *links, strads_status status)
{
    const net_connection *lost = atomic_load(&links->lost);
    char words[NET_WHY] = "";
    if (status == STRADS_ERR_CLOSED && lost != NULL) {
        snprintf(words, sizeof(words), "%s is lost", lost->name);
    } else if (links->options.shared == NULL) {
        strads_log_first(words, sizeof(words));
    }
    if (words[0] == '\0') {
        snprintf(words, sizeof(words), "%s", strads_status_name(status));
    }
    const size_t bytes = strlen(words);
    net_message *message = net_message_create(0, NET_CONTROL, bytes);
    if (message == NULL) {
        return NULL;
    }
    memcpy(message->body, words, bytes);
    const net_record head = {.kind = NET_RECORD_MESSAGE, .bytes = bytes};
    return links_record(&head, message);
}

/* Without memory for the reason nothing is said, as if all were well: the end of the
 * connection tells. */
static void say_bye(net_connection *link, strads_status status)
{
    record *farewell = status == STRADS_OK ? NULL : farewell_of(link->links, status);
    pthread_mutex_lock(&link->lock);
    link->must_bye = status == STRADS_OK || farewell != NULL;
    link->farewell = farewell;
    pthread_mutex_unlock(&link->lock);
    links_kick(link);
}

static bool has_heard(const net_connection *link)
{
    return link->heard_bye;
}

static bool has_parted(const net_connection *link)
{
    return link->heard_bye && link->said_bye && !link->busy;
}

static bool has_ended(const net_connection *link)
{
    return link->lost;
}

/* Waits until it is so, or the link is lost. */
static void wait_until(net_connection *link, bool (*is_so)(const net_connection *link),
                       double deadline)
{
    pthread_mutex_lock(&link->lock);
    while (!link->lost && !is_so(link) && strads_now() < deadline) {
        strads_cond_wait(&link->changed, &link->lock, deadline - strads_now());
    }
    pthread_mutex_unlock(&link->lock);
}

/* All is well. What is waited for in a step, others do in an earlier one. */
static void part_well(net_links *links)
{
    const double deadline = strads_now() + links->options.timeout;
    net_connection *first = links->link;
    net_connection *here = first + links->options.me;
    net_connection *end = first + links->options.n_processes;
    for (net_connection *link = first; link < here; link++) {
        say_bye(link, STRADS_OK);
    }
    for (net_connection *link = here + 1; link < end; link++) {
        wait_until(link, has_heard, deadline);
        say_bye(link, STRADS_OK);
    }
    for (net_connection *link = first; link < here; link++) {
        wait_until(link, has_parted, deadline);
        net_stream_close(link->stream);
    }
    for (net_connection *link = here + 1; link < end; link++) {
        wait_until(link, has_ended, deadline);
    }
}

/* Nobody waits long for anybody. */
static void part_at_once(net_links *links, strads_status status)
{
    const double deadline = strads_now() + PARTING_SECONDS;
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        if (p != links->options.me) {
            say_bye(&links->link[p], status);
        }
    }
    for (uint32_t p = 0; p < links->options.n_processes; p++) {
        if (p != links->options.me) {
            wait_until(&links->link[p], has_parted, deadline);
        }
    }
}

strads_status net_links_end(net_links *links, strads_status status)
{
    if (status == STRADS_OK && !atomic_load(&links->failed)) {
        part_well(links);
    } else {
        part_at_once(links, status);
    }
    pthread_mutex_lock(&links->pulse_lock);
    links->ended = true;
    pthread_cond_signal(&links->pulse_ended);
    pthread_mutex_unlock(&links->pulse_lock);
    pthread_join(links->pulse, NULL);
    const bool failed = atomic_load(&links->failed);
    destroy(links);
    return status == STRADS_OK && failed ? STRADS_ERR_CLOSED : status;
}

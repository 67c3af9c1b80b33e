/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/team.c - the coordinator forms a team, members join it. */
#include "net/team.h"

#include <string.h>

#include "net/room.h"
#include "net/trade.h"

/* The links with all whose streams are there; takes these. */
static strads_status link_up(net_links **out, room *self, const roster_entry *entries)
{
    const net_team_options *options = self->options;
    const net_links_options linked = {.n_processes = self->n_seats,
                                      .me = self->me,
                                      .queue_messages = options->queue_messages,
                                      .heartbeat = self->heartbeat,
                                      .timeout = self->timeout,
                                      .stuck = options->stuck,
                                      .shared = options->shared,
                                      .report = options->report};
    net_peer peers[NET_TEAM_MAX];
    bool whole = true;
    for (uint32_t p = 0; p < self->n_seats; p++) {
        peers[p] = (net_peer){.stream = self->seats[p].stream, .name = roster_name(&entries[p], p)};
        roster_nodes(entries, p, &peers[p].first, &peers[p].n);
        whole = whole && peers[p].name != NULL;
        self->seats[p].stream = NULL;
    }
    if (!whole) {
        for (uint32_t p = 0; p < self->n_seats; p++) {
            net_stream_destroy(peers[p].stream);
            strads_free(peers[p].name);
        }
        return STRADS_ERR_NOMEM;
    }
    net_links *links = NULL;
    strads_status status = net_links_create(&links, &linked, peers);
    if (status != STRADS_OK) {
        return status;
    }
    status = net_trade_measure(links);
    if (status != STRADS_OK) {
        (void) net_links_end(links, status);
        return status;
    }
    *out = links;
    return STRADS_OK;
}

/* ---- the coordinator ---- */

/* Says for whom the wait was in vain. */
static void say_who_is_missing(room *self, const net_team_plan *plan)
{
    const uint32_t n = plan->n_processes - 1;
    strads_error("%s: %u of %u processes have not come in time (strads worker --join %s starts "
                 "one; net.join_timeout says how long to wait)",
                 self->url, n - room_count(self), n, self->url);
}

/* What everybody is told: the entries, with the workers dealt out. */
static void fill_entries(const room *self, const net_team_plan *plan, roster_entry *entries)
{
    const uint32_t n = plan->n_processes;
    roster_self(&entries[0], self->options->n_workers);
    for (uint32_t p = 1; p < n; p++) {
        entries[p] = self->seats[p].who.self;
    }
    for (uint32_t p = 0; p < n && plan->n_workers > 0; p++) {
        entries[p].n_workers = (uint32_t) ((uint64_t) plan->n_workers * (p + 1) / n -
                                           (uint64_t) plan->n_workers * p / n);
    }
}

static strads_status welcome_all(room *self, const net_team_plan *plan, const roster_entry *entries)
{
    const size_t entries_bytes = plan->n_processes * sizeof(*entries);
    const size_t bytes = sizeof(welcome) + entries_bytes + plan->brief_bytes;
    char *payload = strads_alloc(bytes);
    if (payload == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(payload + sizeof(welcome), entries, entries_bytes);
    memcpy(payload + sizeof(welcome) + entries_bytes, plan->brief, plan->brief_bytes);
    strads_status status = STRADS_OK;
    for (uint32_t p = 1; p < plan->n_processes && status == STRADS_OK; p++) {
        const welcome head = {.job = self->job,
                              .n_processes = plan->n_processes,
                              .me = p,
                              .brief_bytes = plan->brief_bytes,
                              .heartbeat = self->heartbeat,
                              .timeout = self->timeout};
        memcpy(payload, &head, sizeof(head));
        status = room_welcome(self, p, payload, bytes);
    }
    strads_free(payload);
    return status;
}

/* Whether all who were waited for are there; says who is not. */
static strads_status check_answers(room *self, const roster_entry *entries)
{
    strads_status status = STRADS_OK;
    for (uint32_t p = self->me + 1; p < self->n_seats; p++) {
        const char *fault = room_fault(self, p);
        if (fault != NULL) {
            strads_error("process %u (pid %u on %s) %s", p, entries[p].pid, entries[p].host, fault);
            status = STRADS_ERR_CLOSED;
        }
    }
    return status;
}

/* The command that starts a member, as far as this process knows. */
static void say_how_to_come(const room *self, const net_team_plan *plan)
{
    const net_team_options *options = self->options;
    const bool tls = strncmp(self->url, "tls", 3) == 0;
    roster_entry here;
    roster_self(&here, 1);
    memcpy(here.url, self->url, sizeof(here.url));
    roster_see(&here, here.host); /* * is this machine */
    strads_log(options->quiet ? STRADS_LOG_DEBUG : STRADS_LOG_INFO,
               "waiting for %u process%s; to start one: strads worker --join %s%s%s%s",
               plan->n_processes - 1, plan->n_processes == 2 ? "" : "es", here.url,
               options->key.given ? " --key FILE" : "",
               tls ? " --set net.tls.ca=FILE --set net.tls.cert=FILE --set net.tls.key=FILE" : "",
               tls && options->tls.name != NULL ? " --set net.tls.name=NAME" : "");
}

static strads_status form(net_links **out, room *self, const net_team_plan *plan)
{
    roster_entry entries[NET_TEAM_MAX];
    uint64_t job = 0;
    self->n_seats = plan->n_processes;
    strads_status status = net_random(&job, sizeof(job));
    if (status == STRADS_OK) {
        status = room_open(self, self->options->url);
    }
    if (status != STRADS_OK) {
        return status;
    }
    say_how_to_come(self, plan);
    status = room_wait(self, false, plan);
    if (status == STRADS_ERR_AGAIN) {
        say_who_is_missing(self, plan);
        return STRADS_ERR_IO;
    }
    if (status != STRADS_OK) {
        return status;
    }
    room_settle(self, job | 1, plan->n_processes, 0);
    fill_entries(self, plan, entries);
    status = welcome_all(self, plan, entries);
    if (status == STRADS_OK) {
        room_hurry(self);
        status = room_wait(self, true, plan);
    }
    if (status == STRADS_OK || status == STRADS_ERR_AGAIN) {
        status = check_answers(self, entries);
    }
    room_close(self);
    return status == STRADS_OK ? link_up(out, self, entries) : status;
}

strads_status net_team_form(net_links **out, const net_team_options *options,
                            const net_team_plan *plan)
{
    room self;
    strads_status status = room_init(&self, options, true);
    if (status == STRADS_OK) {
        status = form(out, &self, plan);
        room_fini(&self);
    }
    return status;
}

/* ---- a member ---- */

static void tell_waiting(void *context, const char *why)
{
    strads_info("waiting for the coordinator at %s: %s", (const char *) context, why);
}

/* A door of another kind would be less private, or nobody's to find. */
static strads_status check_door(const char *door, const net_url *coordinator)
{
    net_url url;
    const strads_status status = net_url_read(&url, door, true);
    if (status == STRADS_OK && url.scheme != coordinator->scheme) {
        strads_error("%s: net.listen must be of the same kind as the coordinator's address", door);
        return STRADS_ERR_USAGE;
    }
    return status;
}

/* Where a member listens for others: where it was told to, or by where the coordinator does. */
static strads_status door_of(char out[NET_URL], const net_team_options *options)
{
    const char *coordinator = options->url;
    static const char *const local[] = {[NET_IPC] = "abstract://",
                                        [NET_ABSTRACT] = "abstract://",
                                        [NET_TCP] = "tcp://127.0.0.1:0",
                                        [NET_TLS] = "tls+tcp://127.0.0.1:0"};
    net_url url;
    const strads_status status = net_url_read(&url, coordinator, false);
    if (status != STRADS_OK) {
        return status;
    }
    if (!options->key.given && !net_url_is_local(&url)) {
        strads_error("%s is not of this machine alone: to join there takes the key of the run "
                     "(--key FILE, net.key_file or STRADS_KEY_FILE)",
                     coordinator);
        return STRADS_ERR_USAGE;
    }
    if (options->door != NULL) {
        snprintf(out, NET_URL, "%s", options->door);
        return check_door(options->door, &url);
    }
    const char *open = url.scheme == NET_TLS ? "tls+tcp://*:0" : "tcp://*:0";
    snprintf(out, NET_URL, "%s", net_url_is_local(&url) ? local[url.scheme] : open);
    return STRADS_OK;
}

/* Whom this process asks to let it in. */
typedef struct asked {
    _Atomic bool *report;
    const char *url;
} asked;

static void tell_asked(void *context)
{
    const asked *self = context;
    if (self->report != NULL && atomic_exchange(self->report, false)) {
        strads_info("waiting to be let in at %s", self->url);
    }
}

static strads_status knock(room *self, net_stream **stream, void **answer, size_t *bytes,
                           const introduction *who, const char *url, bool first)
{
    const net_team_options *options = self->options;
    asked whom = {.report = options->report, .url = url};
    net_knock request = {.url = url,
                         .tls = &options->tls,
                         .key = options->key,
                         .introduction = who,
                         .bytes = sizeof(*who),
                         .patience = self->patience,
                         .waiting = first && !options->quiet ? tell_waiting : NULL,
                         .context = (void *) url};
    request.patience.look = tell_asked;
    request.patience.context = &whom;
    return net_join(stream, answer, bytes, &request);
}

/* Lets the members after this one in. */
static strads_status let_in(room *self)
{
    strads_status status = room_wait(self, false, NULL);
    for (uint32_t p = self->me + 1; p < self->n_seats && status == STRADS_OK; p++) {
        status = room_welcome(self, p, "", 0);
    }
    return status == STRADS_OK ? room_wait(self, true, NULL) : status;
}

/* Knocks at the doors of the members before this one. */
static strads_status visit(room *self, const introduction *who, const roster_entry *entries)
{
    introduction here = *who;
    here.job = self->job;
    here.process = self->me;
    strads_status status = STRADS_OK;
    for (uint32_t p = 1; p < self->me && status == STRADS_OK; p++) {
        void *answer = NULL;
        size_t bytes = 0;
        status = knock(self, &self->seats[p].stream, &answer, &bytes, &here, entries[p].url, false);
        strads_free(answer);
        if (status != STRADS_OK && status != STRADS_ERR_CLOSED) {
            strads_error("process %u (pid %u on %s) has not let this one in", p, entries[p].pid,
                         entries[p].host);
        }
    }
    return status;
}

static strads_status meet(net_links **out, room *self, const introduction *who,
                          const roster_entry *entries)
{
    strads_status status = visit(self, who, entries);
    if (status == STRADS_OK) {
        status = let_in(self);
    }
    if (status == STRADS_OK || status == STRADS_ERR_AGAIN) {
        status = check_answers(self, entries);
    }
    room_close(self);
    return status == STRADS_OK ? link_up(out, self, entries) : status;
}

/* Takes its seat as the answer says. */
static strads_status sit_down(room *self, void *answer, size_t bytes, const roster_entry **entries,
                              const char **text, size_t *text_bytes)
{
    welcome head;
    if (!roster_welcome(&head, entries, text, answer, bytes) || head.n_processes > NET_TEAM_MAX ||
        head.me == 0) {
        strads_error("%s: the answer of the coordinator is not that of this version of strads",
                     self->options->url);
        return STRADS_ERR_USAGE;
    }
    *text_bytes = (size_t) head.brief_bytes;
    self->heartbeat = head.heartbeat;
    self->timeout = head.timeout;
    room_settle(self, head.job, head.n_processes, head.me);
    room_hurry(self);
    return STRADS_OK;
}

static strads_status join(net_links **out, void **brief, size_t *brief_bytes, room *self)
{
    const net_team_options *options = self->options;
    introduction who = {.program = options->program, .config = options->config};
    char door[NET_URL];
    strads_status status = door_of(door, options);
    if (status == STRADS_OK) {
        status = room_open(self, door);
    }
    if (status != STRADS_OK) {
        return status;
    }
    roster_self(&who.self, options->n_workers);
    memcpy(who.self.url, self->url, sizeof(self->url));
    void *answer = NULL;
    size_t bytes = 0;
    net_stream *first = NULL;
    status = knock(self, &first, &answer, &bytes, &who, options->url, true);
    if (status != STRADS_OK) {
        return status;
    }
    self->seats[0].stream = first;
    const roster_entry *entries = NULL;
    const char *text = NULL;
    char *copy = NULL;
    status = sit_down(self, answer, bytes, &entries, &text, brief_bytes);
    if (status == STRADS_OK) {
        copy = strads_alloc(*brief_bytes + 1);
        status = copy == NULL ? STRADS_ERR_NOMEM : meet(out, self, &who, entries);
    }
    if (status == STRADS_OK) {
        memcpy(copy, text, *brief_bytes);
        copy[*brief_bytes] = '\0';
        *brief = copy;
    } else {
        strads_free(copy);
    }
    strads_free(answer);
    return status;
}

strads_status net_team_join(net_links **out, void **brief, size_t *brief_bytes,
                            const net_team_options *options)
{
    room self;
    strads_status status = room_init(&self, options, false);
    if (status == STRADS_OK) {
        status = join(out, brief, brief_bytes, &self);
        room_fini(&self);
    }
    return status;
}

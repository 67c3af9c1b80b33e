/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/roster.c - entries, introductions, welcomes. */
#include "net/roster.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void roster_self(roster_entry *out, uint32_t n_workers)
{
    *out = (roster_entry){.n_workers = n_workers, .pid = (uint32_t) getpid()};
    if (gethostname(out->host, sizeof(out->host) - 1) != 0) {
        snprintf(out->host, sizeof(out->host), "a host without a name");
    }
}

static bool is_text(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

static bool is_entry(const roster_entry *entry)
{
    return is_text(entry->host, sizeof(entry->host)) && is_text(entry->url, sizeof(entry->url)) &&
           entry->n_workers > 0 && entry->n_workers <= UINT16_MAX;
}

bool roster_introduction(introduction *out, const void *from, size_t bytes)
{
    if (bytes != sizeof(*out)) {
        return false;
    }
    memcpy(out, from, sizeof(*out));
    return is_entry(&out->self);
}

bool roster_welcome(welcome *out, const roster_entry **entries, const char **brief,
                    const void *from, size_t bytes)
{
    if (bytes < sizeof(*out)) {
        return false;
    }
    memcpy(out, from, sizeof(*out));
    const size_t rest = bytes - sizeof(*out);
    if (!(out->heartbeat > 0.0) || !(out->timeout > out->heartbeat)) {
        return false;
    }
    if (out->me >= out->n_processes || out->n_processes > rest / sizeof(**entries) ||
        out->brief_bytes != rest - out->n_processes * sizeof(**entries)) {
        return false;
    }
    *entries = (const roster_entry *) ((const char *) from + sizeof(*out));
    *brief = (const char *) (*entries + out->n_processes);
    bool whole = true;
    for (uint32_t p = 0; p < out->n_processes; p++) {
        whole = whole && is_entry(&(*entries)[p]);
    }
    return whole;
}

void roster_see(roster_entry *entry, const char *peer)
{
    const char *star = strstr(entry->url, "://*:");
    const char *colon = strrchr(peer, ':');
    if (star == NULL) {
        return;
    }
    colon = colon == NULL ? peer + strlen(peer) : colon;
    char url[NET_URL];
    const int n = snprintf(url, sizeof(url), "%.*s://%.*s:%s", (int) (star - entry->url),
                           entry->url, (int) (colon - peer), peer, star + strlen("://*:"));
    if (n > 0 && (size_t) n < sizeof(url)) {
        memcpy(entry->url, url, (size_t) n + 1);
    }
}

char *roster_name(const roster_entry *entry, uint32_t process)
{
    char name[ROSTER_HOST + 64];
    snprintf(name, sizeof(name), "process %u (pid %u on %s)", process, entry->pid, entry->host);
    return strads_strdup(name);
}

void roster_nodes(const roster_entry *entries, uint32_t process, net_id *first, net_id *n)
{
    *first = process == 0 ? NET_COORDINATOR : 1;
    for (uint32_t p = 0; p < process; p++) {
        *first += entries[p].n_workers;
    }
    *n = entries[process].n_workers + (process == 0 ? 1 : 0);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_roster.c - introductions and welcomes from any bytes, as they are or as a
 * sound one differs by: what is taken can be named, and walked within its bytes.
 */
#include <string.h>

#include "net/roster.h"
#include "tests/fuzz/fuzz_file.h"

enum { MEMBERS = 3, BRIEF = 5, SOUND = sizeof(welcome) + MEMBERS * sizeof(roster_entry) + BRIEF };

static void check_entry(const roster_entry *entry)
{
    roster_entry seen = *entry;
    fuzz_require(memchr(entry->host, '\0', sizeof(entry->host)) != NULL && entry->n_workers > 0);
    roster_see(&seen, "10.1.2.3:99");
    fuzz_require(memchr(seen.url, '\0', sizeof(seen.url)) != NULL);
    char *name = roster_name(entry, 1);
    fuzz_require(name != NULL);
    strads_free(name);
}

static void check_welcome(const void *bytes, size_t n)
{
    welcome head;
    const roster_entry *entries = NULL;
    const char *brief = NULL;
    if (!roster_welcome(&head, &entries, &brief, bytes, n)) {
        return;
    }
    fuzz_require(head.me < head.n_processes && head.timeout > head.heartbeat);
    fuzz_require(brief + head.brief_bytes == (const char *) bytes + n);
    for (uint32_t p = 0; p < head.n_processes; p++) {
        net_id first = 0;
        net_id n_nodes = 0;
        check_entry(&entries[p]);
        roster_nodes(entries, p, &first, &n_nodes);
        fuzz_require(n_nodes > 0 && (first == NET_COORDINATOR) == (p == 0));
    }
}

static void check_introduction(const void *bytes, size_t n)
{
    introduction who;
    if (roster_introduction(&who, bytes, n)) {
        check_entry(&who.self);
    }
}

/* A sound one of SOUND bytes at most; how many. */
static size_t make_sound(unsigned char *to, bool welcomes)
{
    roster_entry entry;
    roster_self(&entry, 2);
    snprintf(entry.url, sizeof(entry.url), "tcp://*:4711");
    if (!welcomes) {
        const introduction who = {.program = 1, .self = entry};
        memcpy(to, &who, sizeof(who));
        return sizeof(who);
    }
    const welcome head = {.job = 1,
                          .n_processes = MEMBERS,
                          .me = 1,
                          .brief_bytes = BRIEF,
                          .heartbeat = 1.0,
                          .timeout = 5.0};
    memcpy(to, &head, sizeof(head));
    for (size_t p = 0; p < MEMBERS; p++) {
        memcpy(to + sizeof(head) + p * sizeof(entry), &entry, sizeof(entry));
    }
    return SOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) {
        return 0;
    }
    const bool welcomes = bytes[0] % 2 == 0, differs = bytes[0] / 2 % 2 == 0;
    const size_t most = n - 1 > SOUND ? n - 1 : SOUND;
    unsigned char *room = strads_calloc(1, most);
    fuzz_require(room != NULL);
    const size_t n_sound = differs ? make_sound(room, welcomes) : n - 1;
    for (size_t i = 0; i < n - 1 && i < n_sound; i++) {
        room[i] ^= bytes[i + 1];
    }
    unsigned char *body = strads_alloc(n_sound > 0 ? n_sound : 1); /* of just that size */
    fuzz_require(body != NULL);
    memcpy(body, room, n_sound);
    if (welcomes) {
        check_welcome(body, n_sound);
    } else {
        check_introduction(body, n_sound);
    }
    strads_free(body);
    strads_free(room);
    return 0;
}

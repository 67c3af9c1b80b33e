/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_roster.c - what processes say of themselves and are told. */
#include "net/roster.h"

#include <string.h>

#include "tests/support/suite.h"

enum { PROCESSES = 3, BRIEF = 5 };

typedef struct answer {
    welcome head;
    roster_entry entries[PROCESSES];
    char brief[BRIEF];
} answer;

/* Of which the first bytes are what is sent. */
static answer sound_answer(void)
{
    answer self;
    memset(&self, 0, sizeof(self));
    self.head = (welcome){.job = 7,
                          .n_processes = PROCESSES,
                          .me = 1,
                          .brief_bytes = BRIEF,
                          .heartbeat = 1.0,
                          .timeout = 5.0};
    for (uint32_t p = 0; p < PROCESSES; p++) {
        roster_self(&self.entries[p], p + 1);
    }
    memcpy(self.brief, "brief", BRIEF);
    return self;
}

static bool is_welcome(const answer *from, size_t bytes)
{
    welcome head;
    const roster_entry *entries = NULL;
    const char *brief = NULL;
    return roster_welcome(&head, &entries, &brief, from, bytes);
}

static const size_t WHOLE = offsetof(answer, brief) + BRIEF;

static void a_welcome_is_whole_and_sound(void)
{
    answer self = sound_answer();
    CHECK(is_welcome(&self, WHOLE));
    for (size_t bytes = 0; bytes < WHOLE; bytes++) {
        CHECK(!is_welcome(&self, bytes));
    }
    self.head.me = PROCESSES;
    CHECK(!is_welcome(&self, WHOLE));
    self = sound_answer();
    self.head.n_processes = UINT32_MAX;
    CHECK(!is_welcome(&self, WHOLE));
    self = sound_answer();
    self.head.brief_bytes = UINT64_MAX;
    CHECK(!is_welcome(&self, WHOLE));
    self = sound_answer();
    memset(self.entries[2].host, 'x', sizeof(self.entries[2].host));
    CHECK(!is_welcome(&self, WHOLE));
}

static void a_process_has_a_worker(void)
{
    answer self = sound_answer();
    self.entries[1].n_workers = 0;
    CHECK(!is_welcome(&self, WHOLE));
    introduction who = {.program = 1}, heard;
    CHECK(!roster_introduction(&heard, &who, sizeof(who)));
    who.self.n_workers = 1;
    CHECK(roster_introduction(&heard, &who, sizeof(who)));
}

static void a_timeout_is_longer_than_a_heartbeat(void)
{
    static const double bad[][2] = {{0.0, 5.0}, {1.0, 1.0}, {-1.0, 5.0}, {NAN, 5.0}, {1.0, NAN}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        answer self = sound_answer();
        self.head.heartbeat = bad[i][0];
        self.head.timeout = bad[i][1];
        CHECK(!is_welcome(&self, WHOLE));
    }
}

static void a_door_at_all_addresses_is_where_its_owner_came_from(void)
{
    static const struct {
        const char *url, *peer, *seen;
    } cases[] = {
        {"tcp://*:4711", "10.1.2.3:99", "tcp://10.1.2.3:4711"},
        {"tls+tcp://*:4711", "[fe80::1]:99", "tls+tcp://[fe80::1]:4711"},
        {"tcp://*:4711", "anna", "tcp://anna:4711"},
        {"tcp://bert:4711", "10.1.2.3:99", "tcp://bert:4711"},
        {"abstract://door", "process 99", "abstract://door"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        roster_entry entry;
        roster_self(&entry, 1);
        snprintf(entry.url, sizeof(entry.url), "%s", cases[i].url);
        roster_see(&entry, cases[i].peer);
        CHECK_TEXT(entry.url, cases[i].seen);
    }
}

static void nodes_are_dealt_in_order(void)
{
    const answer self = sound_answer();
    static const net_id firsts[] = {NET_COORDINATOR, 2, 4}, counts[] = {2, 2, 3};
    for (uint32_t p = 0; p < PROCESSES; p++) {
        net_id first = 0, n = 0;
        roster_nodes(self.entries, p, &first, &n);
        CHECK(first == firsts[p] && n == counts[p]);
    }
}

SUITE("net/roster", {"a welcome is whole and sound", a_welcome_is_whole_and_sound},
      {"a process has a worker", a_process_has_a_worker},
      {"a timeout is longer than a heartbeat", a_timeout_is_longer_than_a_heartbeat},
      {"a door at all addresses is where its owner came from",
       a_door_at_all_addresses_is_where_its_owner_came_from},
      {"nodes are dealt in order", nodes_are_dealt_in_order})

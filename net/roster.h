/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/roster.h - what processes say of themselves when they join, and what they are
 * told: the payloads of net/join.h. In the layout of the machine, which is the same on
 * all members, since they run the same program.
 */
#ifndef STRADS_NET_ROSTER_H
#define STRADS_NET_ROSTER_H

#include "net/links.h"
#include "net/url.h"

enum { ROSTER_HOST = 64 };

/* A process of the team. */
typedef struct roster_entry {
    uint32_t n_workers;
    uint32_t pid;
    char host[ROSTER_HOST];
    char url[NET_URL]; /* of its door for other members */
} roster_entry;

/* Who knocks. */
typedef struct introduction {
    uint64_t program; /* first, and of this type, in every version */
    uint64_t config;  /* 0: it was given none */
    uint64_t job;     /* at a member's door: which run; at the coordinator's 0 */
    uint64_t process; /* at a member's door: who */
    roster_entry self;
} introduction;

/* The coordinator's answer: this, n_processes entries, the brief. */
typedef struct welcome {
    uint64_t job;
    uint32_t n_processes, me;
    uint64_t brief_bytes;
    double heartbeat, timeout; /* of all links */
} welcome;

/* This process, without its door. */
void roster_self(roster_entry *out, uint32_t n_workers);

/* Copies an introduction of `bytes` bytes; false: it is none. */
bool roster_introduction(introduction *out, const void *from, size_t bytes);

/* Copies the head of a welcome and lends what follows; false: it is none. */
bool roster_welcome(welcome *out, const roster_entry **entries, const char **brief,
                    const void *from, size_t bytes);

/* The entry's door has this host: a URL that says * gets that of its peer, "HOST:PORT" or
 * "HOST". */
void roster_see(roster_entry *entry, const char *peer);

/* "process 1 (pid 4711 on anna)"; NULL: no memory. */
char *roster_name(const roster_entry *entry, uint32_t process);

/* The nodes of process p: node 0 is the first's, then come the workers. */
void roster_nodes(const roster_entry *entries, uint32_t process, net_id *first, net_id *n);

#endif

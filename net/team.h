/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/team.h - how the processes of a run find each other.
 *
 * The coordinator's process opens a door and waits for the members; when all have come
 * it welcomes them with the roster and a brief (the run's configuration), and closes
 * the door. Then each member knocks at the doors of the members before it. Who does not
 * share the key (net/join.h), or is another program, is turned away with the reason.
 */
#ifndef STRADS_NET_TEAM_H
#define STRADS_NET_TEAM_H

#include "net/join.h"
#include "net/links.h"

enum { NET_TEAM_MAX = 256 }; /* processes */

typedef struct net_team_options {
    const char *url;  /* where the coordinator is, or is to listen */
    const char *door; /* where a member is to listen for other members; NULL: any port */
    net_key key;
    net_tls tls;
    net_patience patience;     /* for all to have come */
    uint64_t program;          /* of the binary: must be the same everywhere */
    uint64_t config;           /* of the configuration; a member's 0: it was given none */
    bool quiet;                /* a member does not say for whom it waits */
    uint32_t n_workers;        /* that this process would host, > 0 */
    uint32_t queue_messages;   /* as net_links_options, alike heartbeat and timeout */
    double heartbeat, timeout; /* a member gets the coordinator's */
    void (*stuck)(void);       /* alike */
    struct net_shared *shared;
    _Atomic bool *report;
} net_team_options;

/* What the coordinator's process decides. */
typedef struct net_team_plan {
    uint32_t n_processes; /* 2 .. NET_TEAM_MAX */
    uint32_t n_workers;   /* in all, >= n_processes, dealt evenly; 0: what each would host */
    const void *brief;
    size_t brief_bytes;
    /* Asked now and then, while members are awaited, whether there is still hope (may be
     * NULL: there is); an error that it has logged ends the wait. */
    strads_status (*check)(void *context);
    void *context;
} net_team_plan;

/* Waits for the members. IO: they did not come in time; CLOSED: stopped. */
STRADS_MUST_CHECK strads_status net_team_form(net_links **out, const net_team_options *options,
                                              const net_team_plan *plan);

/* Joins a team; *brief is for strads_free, and ends with a 0 that is not counted. */
STRADS_MUST_CHECK strads_status net_team_join(net_links **out, void **brief, size_t *brief_bytes,
                                              const net_team_options *options);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/room.h - where the processes that knock at this one's door are seated until all
 * have come; private to net/team.c.
 */
#ifndef STRADS_NET_ROOM_H
#define STRADS_NET_ROOM_H

#include <pthread.h>

#include "net/roster.h"
#include "net/team.h"

/* A place in the team. */
typedef struct seat {
    struct room *room;
    introduction who;
    net_guest *guest;   /* waits for its answer; NULL: none does */
    net_stream *stream; /* to it; NULL: not yet, or it is this process */
    bool taken;         /* by a guest */
    bool answered;      /* the guest has hung up, or its stream is here */
} seat;

typedef struct room {
    const net_team_options *options;
    double heartbeat, timeout; /* the coordinator's */
    net_patience patience;     /* for all to come; once they have, for them to answer */
    bool is_first; /* the coordinator's: guests are seated as they come; else where they say,
                    * once the run is known */
    net_door *door;
    char url[NET_URL]; /* of the door */

    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t changed;
    seat *seats;      /* [NET_TEAM_MAX] */
    uint32_t n_seats; /* of the team; as many as can be while it is not known */
    uint32_t me;      /* guests are for seats after it */
    uint64_t job;     /* 0: not known */
    bool full;        /* nobody is seated any more */
} room;

STRADS_MUST_CHECK strads_status room_init(room *self, const net_team_options *options,
                                          bool is_first);
void room_fini(room *self);

/* Opens the door; USAGE when others than this machine could come in without a key. */
STRADS_MUST_CHECK strads_status room_open(room *self, const char *url);
void room_close(room *self);

/* The team is known now: who belongs to it is seated, who does not is turned away. */
void room_settle(room *self, uint64_t job, uint32_t n_seats, uint32_t me);

/* All have come: who is lost from now on must not be waited for longer than in the run. */
void room_hurry(room *self);

/* Waits until all seats after `me` are taken, or answered. AGAIN: too late; CLOSED:
 * stopped; else what `plan` says (NULL: nothing). */
STRADS_MUST_CHECK strads_status room_wait(room *self, bool answered, const net_team_plan *plan);
uint32_t room_count(room *self);

/* What is wrong with a process after `me` that was waited for, in words; NULL: its stream is
 * here. Not after room_close. */
const char *room_fault(room *self, uint32_t process);

/* Welcomes who is seated there; CLOSED, said with its name, when it has hung up. */
STRADS_MUST_CHECK strads_status room_welcome(room *self, uint32_t process, const void *payload,
                                             size_t bytes);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/ssp_history_state.h - what the parts of a history share: ssp_player.c is what a
 * session does and what its reads are judged by, ssp_history.c draws histories and runs them.
 */
#ifndef STRADS_TESTS_SSP_HISTORY_STATE_H
#define STRADS_TESTS_SSP_HISTORY_STATE_H

#include "base/random.h"
#include "ssp/place.h"
#include "tests/support/ssp_history.h"

enum {
    PLAYERS = 6,
    PARTS = 3, /* with links; of sim as many as players */
    TABLES = 2,
    ROWS = 24,
    PERIODS = 12,
    STEPS = 8,
    WIDE = 40, /* columns beyond those of the players stay 0: rows are sparse */
    ENTRIES = (PERIODS + 2) * STEPS * 4
};

/* What a session has added to a row: the sums in order, and how many were there at each of
 * its clocks. */
typedef struct row_log {
    double sums[ENTRIES + 1];
    uint32_t n;
    uint32_t at_clock[PERIODS + 3];
} row_log;

/* A read that is judged when all is over. */
typedef struct seen {
    uint32_t table, row;
    uint64_t bound;
    double values[PLAYERS];
} seen;

typedef struct history history;

typedef struct player {
    history *of;
    uint32_t rank;
    ssp_store *store;
    ssp_session *session;
    ssp_table *tables[TABLES];
    net *network;
    strads_random random;
    uint64_t clock;
    row_log log[TABLES][ROWS];
    double before[TABLES][ROWS][PLAYERS]; /* nothing goes back */
    seen *reads;                          /* [n_reads] where others are on other threads */
    size_t reads_capacity;
    char wrong[SSP_HISTORY_TEXT];
    uint64_t n_reads, hash;
    ssp_stats stats;
} player;

struct history {
    const ssp_history_mode *mode;
    uint64_t seed;
    uint32_t n, n_parts;
    uint32_t columns[TABLES];
    uint64_t bound_bytes; /* of the caches */
    double bandwidth;     /* of early increments */
    double work;          /* units a step, at most */
    bool checks_others;   /* all is on one thread: logs of others may be looked at */
    player *players;      /* [n] */
    uint32_t n_done;      /* of the coordinator */
};

/* Opens the player's session and tables, in its node's handler. */
STRADS_MUST_CHECK strads_status ssp_player_open(player *self);
/* Plays all periods, and checks what is there in the end. */
STRADS_MUST_CHECK strads_status ssp_player_play(player *self, net_node *node);
/* Judges the reads that were kept. */
void ssp_player_judge(player *self);

#endif

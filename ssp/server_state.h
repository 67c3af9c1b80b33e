/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/server_state.h - what the parts of a server share. server.c has its queue and its
 * requests, push.c the rows that it sends unasked.
 */
#ifndef STRADS_SSP_SERVER_STATE_H
#define STRADS_SSP_SERVER_STATE_H

#include "ssp/server.h"

/* A row that a session of another part has read, of an eager table. */
typedef struct ssp_wish {
    ssp_shared_row *row;
    uint64_t version; /* that the session was told */
} ssp_wish;

/* A table as a session of another part has opened it. */
typedef struct ssp_far_table {
    ssp_shared_table *shared; /* NULL: not yet opened */
    ssp_map wishes;           /* of ssp_wish, where it is eager */
} ssp_far_table;

/* What the server knows of a session of another part. */
typedef struct ssp_peer {
    uint32_t rank;
    ssp_far_table *tables; /* [n_tables] by the session's numbers */
    size_t n_tables, tables_capacity;
    uint32_t applied;      /* updates */
    ssp_lists heard, said; /* what it told, and was told */
} ssp_peer;

/* A GET, or an OPEN, that has to wait. */
typedef struct ssp_request {
    struct ssp_request *next;
    ssp_peer *peer;
    net_message *open; /* NULL: a GET, of which the rest is */
    uint32_t table, n;
    uint64_t clock;
    uint64_t *keys;        /* [n] */
    ssp_shared_row **rows; /* [n] */
} ssp_request;

struct ssp_server {
    ssp_store *store;
    ssp_peer *peers;   /* [sessions], those of this part unused */
    ssp_request *held; /* in the order they came */
    ssp_request **held_end;
    uint64_t pushed; /* slowest clock of which the eager tables were told */
    double *scratch; /* [scratch_capacity] zeros */
    size_t scratch_capacity;
    double units; /* of work, since it was last told */

    pthread_mutex_t lock; /* guards the rest */
    net_message *first, *last;
    bool runs, must_look;
};

/* Sends to the session. */
strads_status ssp_server_tell(ssp_server *server, const ssp_peer *peer, net_message *message);

/* Sends rows with these keys as they are; head: but for batch and keys. */
STRADS_MUST_CHECK strads_status ssp_server_send_rows(ssp_server *server, ssp_peer *peer,
                                                     const ssp_head *head, const uint64_t *keys,
                                                     ssp_shared_row *const *rows, uint32_t n);

/* ---- push.c ---- */

/* The session has been told the rows of an eager table: it will be told again. */
STRADS_MUST_CHECK strads_status ssp_push_note(ssp_far_table *table, const uint64_t *keys,
                                              ssp_shared_row *const *rows, uint32_t n);

/* Tells all sessions what has changed of the eager tables' rows that they have read. */
STRADS_MUST_CHECK strads_status ssp_push_all(ssp_server *server, uint64_t slowest);

#endif

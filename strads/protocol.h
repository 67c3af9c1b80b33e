/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/protocol.h - what the coordinator and the workers say to each other.
 *
 * Every body is flat: a head below, then the arrays it names, in that order, each
 * aligned to 8 bytes. docs/PROTOCOL.md has the table of who sends what when.
 */
#ifndef STRADS_STRADS_PROTOCOL_H
#define STRADS_STRADS_PROTOCOL_H

#include "net/net.h"
#include "strads/strads.h"

enum {
    MSG_READY,     /* worker: open_worker is done; msg_ready */
    MSG_SCAN,      /* coordinator: score these; msg_scan */
    MSG_SCORES,    /* worker: the answer; msg_scores */
    MSG_STAGE,     /* coordinator: strads_stage */
    MSG_CORRELATE, /* coordinator: msg_correlate */
    MSG_EDGES,     /* worker: msg_edges */
    MSG_PUSH,      /* coordinator: msg_push */
    MSG_DONE,      /* worker: the answer; msg_done */
    MSG_SYNC,      /* coordinator: committed values; msg_sync */
    MSG_CLOSE,     /* coordinator: close and leave; msg_close */
    MSG_FAILED,    /* worker: a callback failed, I leave; msg_failed */
    MSG_STOP,      /* worker: my process was asked to end; no body */
    MSG_LEND,      /* coordinator: lend these; msg_lend */
    MSG_DRAW,      /* coordinator: draw from your shard; msg_draw */
    MSG_DRAWN,     /* worker: the answer; msg_drawn */
    /* Of no concern to msg_check, for collect.c takes them at the end. */
    MSG_ROWS,  /* worker, when it is closed: the state of its rows; a strads_buffer */
    MSG_COLUMN /* then: the state of a column of a grid; a strads_buffer */
};

/* Bytes of `count` things of `size` bytes in a body. */
static inline size_t msg_pad(size_t count, size_t size)
{
    return (count * size + 7) / 8 * 8;
}

/* What a process found in its data, which has to be the same in all. */
typedef struct msg_ready {
    uint64_t n_vars; /* J */
    uint64_t partial_width;
    uint64_t n_shared; /* 0 where samples are split: each has its own */
    uint64_t n_measures;
} msg_ready;

typedef struct msg_scan {
    uint64_t whole;   /* 1: the worker's whole range; 0: vars */
    uint64_t n_pool;  /* answer only with about so many, those that score highest, and
                       * with vars; 0: with all that were scored. Only when whole. */
    uint64_t retired; /* 1: answer with a list of those that are STRADS_RETIRED. Only when whole,
                       * without n_pool */
    uint64_t totals;  /* 1: answer with what can be drawn of the shard. As retired */
    uint64_t n_vars;  /* uint32_t vars[n_vars], ascending, of the worker's range */
} msg_scan;

/* A prio_total. */
typedef struct msg_total {
    double sum;
    uint64_t n_positive, n_open;
} msg_total;

typedef struct msg_scores {
    double busy_seconds; /* in callbacks so far, waiting in exchanges apart */
    double ran, delayed; /* seconds: see worker_note_processor */
    double largest;      /* of all that were scored */
    uint64_t worst;      /* for totals: which has that; J: none is above 0 */
    msg_total total;     /* for totals: of the worker's shard */
    uint64_t n_measures; /* double measures[n_measures] */
    uint64_t listed;     /* 1: with vars: for n_pool, and for retired; else 0 */
    uint64_t n_vars;     /* float scores[n_vars], uint32_t vars[n_vars] if listed, ascending */
} msg_scores;

typedef struct msg_draw {
    uint64_t restart, back, fresh, claims, claimed; /* as prio_request */
    uint64_t n_draws;
    double floor;
    uint64_t n_vars; /* float scores[n_vars], uint32_t vars[n_vars], of the worker's shard */
} msg_draw;

typedef struct msg_drawn {
    msg_total left;  /* in the shard after the draws */
    uint64_t n_vars; /* float scores[n_vars], uint32_t vars[n_vars], in the order of the draws */
} msg_drawn;

typedef struct msg_correlate {
    double rho;         /* cosines of at most this size are left out of the answer */
    uint64_t max_edges; /* of each worker's answer: the largest cosines; 0: all */
    uint64_t first_new; /* as strads_pairs */
    uint64_t n_vars;    /* uint32_t vars[n_vars] */
} msg_correlate;

typedef struct msg_edge {
    uint32_t a, b; /* positions in the list asked about, b < a */
    double cosine; /* its absolute value, > rho */
} msg_edge;

typedef struct msg_edges {
    double busy_seconds;
    uint64_t n_edges; /* msg_edge edges[n_edges] */
} msg_edges;

typedef struct msg_push {
    uint64_t round;
    uint64_t solve;
    double target;
    uint64_t n_members; /* ranks below it take part in the round's exchanges */
    uint64_t lent;      /* 1: it may name others' variables, which were lent */
    uint64_t n_vars;    /* double values[n_vars], uint32_t vars[n_vars] */
} msg_push;

typedef struct msg_done {
    uint64_t round;
    double busy_seconds;
    uint64_t n_steps, n_guarded; /* of this push */
    uint64_t n_updates;          /* variables updated, every sweep counted */
    uint64_t n_doubles;          /* double partial[n_doubles] */
} msg_done;

typedef struct msg_sync {
    uint64_t n_vars; /* double values[n_vars], uint32_t vars[n_vars] */
} msg_sync;

typedef struct msg_close {
    uint64_t give; /* of a run that did not fail: on a grid its state is wanted */
} msg_close;

typedef struct msg_lend {
    uint64_t afresh, n_borrowers; /* as strads_loan */
    uint64_t n_vars;              /* uint32_t vars[n_vars] */
} msg_lend;

typedef struct msg_failed {
    uint64_t status; /* a strads_status, not OK */
} msg_failed;

/* ---- what a receiver checks ---- */

/* What a receiver knows, and a message from another process has to agree with. */
typedef struct msg_bounds {
    net_id to;      /* the receiver */
    uint32_t types; /* the messages that may come now: 1 << MSG_..., or-ed */
    msg_ready data; /* what it found itself */
    uint32_t n_workers;
    uint32_t first, n_range; /* the variables of the worker that receives or has sent */
    bool draws;              /* that worker draws, from its shard: */
    uint32_t shard_first, n_shard;
    bool own_only; /* PUSH names no others, unless they are lent */

    /* Of the coordinator: what it asked the sender for. */
    bool pool, retired;   /* SCORES name their variables: of a pool, among them */
    const uint32_t *kept; /* [n_kept] ascending, of the sender's range; of a pool */
    size_t n_kept;
    uint64_t n_scores;      /* of SCORES that are not listed */
    bool totals;            /* SCORES tell what can be drawn */
    msg_draw draw;          /* of DRAWN: the request */
    msg_correlate question; /* of EDGES */
    uint64_t round;         /* of DONE, with so many partials */
    uint64_t n_doubles;
} msg_bounds;

/* What a process with this structure and program says when it is ready. */
msg_ready msg_found(const strads_structure *structure, const strads_app *app);

/* Whether a message may be acted on: its type is due, its size is what its counts take, and
 * all counts, variables, positions and numbers in it are possible. Then nobody who walks
 * its body leaves it. DATA, with what is wrong and what would be right, otherwise. */
STRADS_MUST_CHECK strads_status msg_check(const net_message *message, const msg_bounds *bounds);

#endif

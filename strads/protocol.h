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
    MSG_READY,     /* worker: open_worker is done; no body */
    MSG_SCAN,      /* coordinator: score these; msg_scan */
    MSG_SCORES,    /* worker: the answer; msg_scores */
    MSG_STAGE,     /* coordinator: strads_stage */
    MSG_CORRELATE, /* coordinator: msg_correlate */
    MSG_EDGES,     /* worker: msg_edges */
    MSG_PUSH,      /* coordinator: msg_push */
    MSG_DONE,      /* worker: the answer; msg_done */
    MSG_SYNC,      /* coordinator: committed values; msg_sync */
    MSG_CLOSE,     /* coordinator: close and leave; no body */
    MSG_FAILED     /* worker: a callback failed, I leave; msg_failed */
};

/* Bytes of `count` things of `size` bytes in a body. */
static inline size_t msg_pad(size_t count, size_t size)
{
    return (count * size + 7) / 8 * 8;
}

typedef struct msg_scan {
    uint64_t whole;  /* 1: the worker's whole range; 0: vars */
    uint64_t n_pool; /* answer only with about so many, those that score highest, and
                      * with vars; 0: with all that were scored. Only when whole. */
    uint64_t n_vars; /* uint32_t vars[n_vars], ascending, of the worker's range */
} msg_scan;

typedef struct msg_scores {
    double busy_seconds; /* in callbacks so far, waiting in exchanges apart */
    double largest;      /* of all that were scored */
    uint64_t n_measures; /* double measures[n_measures] */
    uint64_t n_vars;     /* float scores[n_vars], and for n_pool uint32_t vars[n_vars] */
} msg_scores;

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

typedef struct msg_failed {
    uint64_t status; /* a strads_status */
} msg_failed;

#endif

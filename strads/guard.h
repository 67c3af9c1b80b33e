/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/guard.h - the guard: parallel steps that raise the objective are undone and
 * done again in sequence, and a run that needs this often goes on with fewer
 * parallel blocks.
 */
#ifndef STRADS_STRADS_GUARD_H
#define STRADS_STRADS_GUARD_H

#include "strads/strads.h"

/* One worker's side, for one push. Every member of the push decides alike, because
 * all decide from the same sums. */
typedef struct step_guard {
    bool off;       /* steps stand whatever they did */
    bool solve;     /* the push is of a working set, which can go on in another round */
    bool given_up;  /* it does nothing more: the next round has fewer members */
    double strikes; /* 2 for a step undone, minus 1/4 for one that stood */
    uint64_t n_steps, n_guarded;
    double n_updates;
    bool is_timed; /* since the first step of a solve with others: */
    double began, delayed;

    double *before, *own_before; /* undo: the state and own values before the step */
    double *base;                /* the shared state at the last exchange */
    double *tail;                /* the scalars of a step: see guard.c */
    size_t before_capacity, own_capacity, base_capacity, tail_capacity;
} step_guard;

/* Begins a push: no strikes, counters 0; keeps the buffers. */
void step_guard_start(step_guard *guard, bool solve);
void step_guard_fini(step_guard *guard);

/* strads_step_run. */
STRADS_MUST_CHECK strads_status step_guard_run(step_guard *guard, strads_worker *worker,
                                               const strads_step *step, double *farthest);

/* The share of a solve with others that this member was ready to run while other threads had the
 * processors; -1 when it was no such solve. */
double step_guard_delayed(const step_guard *guard);

/* The coordinator's side: how many blocks a round may have. */
typedef struct width_guard {
    uint32_t n_workers;
    uint32_t width;   /* 1 .. n_workers */
    uint32_t n_clean; /* rounds in a row that needed no undoing */
} width_guard;

width_guard width_guard_start(uint32_t n_workers);

/* Learns from a round that ran with `n_blocks` blocks. */
void width_guard_learn(width_guard *guard, uint32_t n_blocks, uint64_t n_steps, uint64_t n_guarded);

/* And how many of a working set: while one of its members waits for a processor that another
 * program has, all wait for it, at the next exchange. */
typedef struct crowd_guard {
    uint32_t width;    /* at most; UINT32_MAX: as many as there are */
    uint32_t n_rounds; /* narrow ones that are left */
    uint32_t patience; /* how many there are the next time */
} crowd_guard;

crowd_guard crowd_guard_start(void);

/* Learns from the solve of a set in `n_blocks` blocks, of whose members the most delayed was so for
 * a share of the time, or -1. */
void crowd_guard_learn(crowd_guard *guard, uint32_t n_blocks, double delayed);

/* ---- what the guard needs of its worker ---- */

/* strads_exchange, and beside it extra[n_extra] := the sum of the members'. */
STRADS_MUST_CHECK strads_status worker_exchange(strads_worker *worker, double *vector,
                                                const double *base, size_t n, double *extra,
                                                size_t n_extra);

#endif

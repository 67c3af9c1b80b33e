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
 * program has, all wait for it, at the next exchange. Scans tell, which all workers make whoever
 * solves the sets. */
typedef struct crowd_guard {
    uint32_t width;      /* at most; UINT32_MAX: as many as there are */
    double ran, delayed; /* seconds of all workers, of which older ones count less */
} crowd_guard;

crowd_guard crowd_guard_start(void);

/* Hears of a worker's part in a scan: how long it ran, and was ready to while others had the
 * processors. */
void crowd_guard_hear(crowd_guard *guard, double ran, double delayed);

/* Learns from a scan, all n_workers of which it has heard of. */
void crowd_guard_learn(crowd_guard *guard, uint32_t n_workers);

/* ---- what the guard needs of its worker ---- */

/* strads_exchange, and beside it extra[n_extra] := the sum of the members'. */
STRADS_MUST_CHECK strads_status worker_exchange(strads_worker *worker, double *vector,
                                                const double *base, size_t n, double *extra,
                                                size_t n_extra);

#endif

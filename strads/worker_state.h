/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/worker_state.h - what the parts of a worker share: its state, and what they
 * call of each other. worker.c turns messages into callbacks, worker_scan.c answers
 * scans, worker_correlate.c questions of the checker, worker_draw.c draws from its shard.
 */
#ifndef STRADS_STRADS_WORKER_STATE_H
#define STRADS_STRADS_WORKER_STATE_H

#include "strads/grid.h"
#include "strads/guard.h"
#include "strads/protocol.h"
#include "strads/worker.h"
#include "strads/worker_work.h"

struct strads_worker {
    worker_options options;
    net_node *node;     /* set by the first event */
    void *state;        /* the program's; NULL before open and after close */
    uint32_t n_members; /* of the exchanges of the callback that runs */
    bool stopping;      /* as of the last exchange */
    bool told_stop;     /* the coordinator, of the signal */
    double *values;     /* [n_vars] committed, of its range; NULL: the program has sync */

    float *scores; /* of the last scan */
    size_t scores_capacity;
    bool scored_all;                 /* that was of its whole range */
    prioritizer *shard;              /* NULL before the first draw */
    uint32_t *picked, *kept, *spare; /* [n_vars] positions, of a pool; NULL before the first */

    double range_units; /* of one update of each variable of the range; < 0: not yet known */
    double mean_units;  /* of an update of a variable of the block that is pushed */

    double entered;      /* when the running callback began */
    double busy_seconds; /* in callbacks */
    double waited;       /* of these, in exchanges */
    double ran, delayed; /* when it last answered: see worker_note_processor */
    step_guard guard;    /* of the running push */
    table_session tables;
};

/* Whether the coordinator takes its scores and partials: where samples are split all are alike. */
static inline bool worker_is_heard(const strads_worker *worker)
{
    return worker->options.structure.split != STRADS_SPLIT_SAMPLES || worker->options.rank == 0;
}

/* ---- worker.c ---- */

/* Around a callback: who shares its exchanges, and what time it takes. */
void worker_enter(strads_worker *worker, uint32_t n_members);
void worker_leave(strads_worker *worker);

/* Whether this worker was asked to end, or its time is over. */
bool worker_must_stop(const strads_worker *worker);

/* Sends the answer, whose fields the caller has filled in; takes it, sent or not. */
STRADS_MUST_CHECK strads_status worker_reply(strads_worker *worker, net_message *message);

/* ---- collect.c ---- */

/* Sends the state of the worker's rows to the coordinator. */
STRADS_MUST_CHECK strads_status worker_give_rows(strads_worker *worker);
/* Sends a buffer, which is empty then, as a message of this type. */
STRADS_MUST_CHECK strads_status worker_give(strads_worker *worker, strads_buffer *buffer,
                                            uint32_t type);

/* ---- worker_draw.c ---- */

STRADS_MUST_CHECK strads_status worker_draw(strads_worker *worker, const net_message *request);
/* What can be drawn of its shard, by the scores of the last scan. */
prio_total worker_drawable(const strads_worker *worker);

/* ---- worker_correlate.c ---- */

STRADS_MUST_CHECK strads_status worker_correlate(strads_worker *worker, const net_message *request);

/* ---- worker_scan.c ---- */

/* Notes how long the thread has run, and was ready to while others had the processors: the next
 * scan tells what comes on top. A set that only some share is not told, for they would count more;
 * and nothing of a single worker, with whom nobody shares. */
void worker_note_processor(strads_worker *worker);

STRADS_MUST_CHECK strads_status worker_scan(strads_worker *worker, const net_message *request);
void worker_scan_fini(strads_worker *worker);

#endif

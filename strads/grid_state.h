/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/grid_state.h - what the parts of a worker's grid share. grid_worker.c has its columns
 * and what their services say, grid_pass.c the passes, grid_hub.c who gets which column next
 * when they are free.
 */
#ifndef STRADS_STRADS_GRID_STATE_H
#define STRADS_STRADS_GRID_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "strads/buffer.h"
#include "strads/grid_worker.h"

/* What the services of the workers tell each other; the types before are those of tables. */
enum {
    GRID_FIRST = NET_SERVICE_TYPES,
    GRID_COLUMN, /* a strads_buffer */
    GRID_DONE,   /* to the hub: has worked on all of a step's cells */
    GRID_GO,     /* of the hub: all have; grid_word.value: how many steps */
    GRID_ASK,    /* to the hub: which column is next; value: the pass */
    GRID_FREE,   /* to the hub: grid_word.column is not worked on any more */
    GRID_NEXT,   /* of the hub: grid_word.column, as the pass's cell number value, from 0;
                  * n_columns: the pass is over */
    GRID_SEND    /* of the hub: grid_word.column, which lies there, goes to worker value */
};

typedef struct grid_word {
    uint64_t column, value;
} grid_word;

/* What the hub of schedule.kind: free has somebody do. */
typedef struct grid_order {
    uint32_t type; /* GRID_NEXT or GRID_SEND */
    uint32_t to;   /* a worker */
    grid_word word;
} grid_order;

/* The columns of all workers, as worker 0 knows them. */
typedef struct grid_hub {
    pthread_mutex_t lock; /* of all below; nothing is sent while it is held */
    uint32_t n_workers, n_columns;
    uint64_t pass;    /* the last that was asked for, and one */
    uint64_t n_cells; /* of the pass */
    uint64_t n_left;  /* ... that nobody was given yet */
    uint32_t n_over;  /* workers that have heard that it is over */
    uint32_t n_home;  /* columns sent home since */
    uint32_t *visits; /* [n_workers][n_columns] since the run began */
    uint32_t *holder; /* [n_columns] where it lies, or goes to */
    bool *busy;       /* [n_columns] it is worked on, or will be */
    bool *asks;       /* [n_workers] it waits for a column */
    bool has_second;  /* an order that goes with the last one */
    grid_order second;
    uint32_t n_done;  /* of slow_worker_agnostic: workers done with the step */
    uint64_t n_steps; /* that all have done */
} grid_hub;

STRADS_MUST_CHECK strads_status grid_hub_init(grid_hub *hub, uint32_t n_workers,
                                              uint32_t n_columns);
void grid_hub_fini(grid_hub *hub);

/* Worker `rank` asks, in pass `pass` of n_cells. */
void grid_hub_ask(grid_hub *hub, uint32_t rank, uint64_t pass, uint64_t n_cells);
void grid_hub_free(grid_hub *hub, uint32_t column);
/* What is to be done now; false: nothing. Each order is given once. */
bool grid_hub_decide(grid_hub *hub, grid_order *out);
/* Whether all columns were sent home, and no pass has begun since. */
bool grid_hub_is_done(grid_hub *hub);
/* One more worker is done with its step; true: all are, with *n_steps. */
bool grid_hub_done(grid_hub *hub, uint64_t *n_steps);

/* The worker where a column is between passes: the columns are dealt in order. */
static inline uint32_t grid_first(uint32_t n_columns, uint32_t n_workers, uint32_t rank)
{
    return (uint32_t) ((uint64_t) n_columns * rank / n_workers);
}

struct grid_worker {
    grid_options options;
    const strads_grid *grid;
    uint32_t n_rows;
    uint64_t n_passes;             /* begun */
    uint64_t n_steps;              /* of slow_worker_agnostic */
    _Atomic(net_message *) *slots; /* [n_columns] columns that lie here; NULL: not here */
    uint32_t *visits;              /* [n_columns] of free: by this worker, since the run began */
    strads_buffer *held;           /* [n_columns] of slow_worker_agnostic: of this step */
    _Atomic uint64_t go;           /* steps that all have done */
    _Atomic uint64_t next;         /* what the hub has answered, and one; 0: nothing yet */
    _Atomic uint64_t next_number;  /* of the cell, set before */
    _Atomic int failed;            /* a strads_status of a service */
    grid_hub hub;                  /* of worker 0 */
    bool has_columns;
};

/* ---- grid_worker.c ---- */

/* Waits for a column and takes it. */
STRADS_MUST_CHECK strads_status grid_take(grid_worker *self, strads_worker *worker, uint32_t column,
                                          strads_buffer *buffer);
/* A column goes to worker `to`, who may be this one. */
STRADS_MUST_CHECK strads_status grid_pass_on(grid_worker *self, uint32_t to, strads_buffer *buffer);
/* Tells the service of worker `to`, who may be this one. */
STRADS_MUST_CHECK strads_status grid_tell(grid_worker *self, uint32_t to, uint32_t type,
                                          grid_word word);
/* Waits until over(context); counts the time as waited. */
STRADS_MUST_CHECK strads_status grid_wait(grid_worker *self, strads_worker *worker, double seconds,
                                          bool (*over)(void *context), void *context);

#endif

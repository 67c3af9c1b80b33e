/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/grid.h - model programs whose data are a grid: matrix factorisation (users x items),
 * topic models (documents x words).
 *
 * The data are cut into blocks of rows and blocks of columns. A cell, the data of one row block
 * in one column block, needs the state of both for itself: cells that share neither can be
 * worked on side by side. Row blocks belong to workers and stay with them, in the worker's own
 * state; the state of a column block lies in a strads_buffer that travels from worker to worker,
 * by pointer in a process and in one message between processes.
 *
 * The program has a strads_grid; its describe tells STRADS_SPLIT_SAMPLES, and as n_vars the
 * number of column blocks, at least as many as there are workers (and twice as many for
 * schedule.kind: free). A round is a pass over the grid, a scan one that only measures. All
 * else is as strads/strads.h has it: measures are added up, next_stage judges by them, and says
 * when the run is done. The program needs no score and no push. One with a push may tell variables
 * too, for schedule.kind: cyclic, which then takes all of them in each round.
 *
 * schedule.kind: rotation (DSGD, Gemulla et al. 2011): the columns go round the workers, each
 * cell is worked on once, in an order that all runs have. With schedule.slow_worker_agnostic
 * (Fugue, Kumar et al. 2014) all pass on their columns at the same time, and who is done before
 * the slowest goes on with those it has. free (as LIBMF, Chin et al. 2015): a worker goes on with
 * the column that its rows have met least of those that are free; a pass ends after as many
 * cells as there are, whoever worked on them.
 */
#ifndef STRADS_GRID_H
#define STRADS_GRID_H

#include "strads/strads.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strads_buffer strads_buffer;

/* What to work on: a part of a cell. */
typedef struct strads_cell {
    uint32_t row;           /* block of the worker's rows, 0 .. n_rows - 1 */
    uint32_t column;        /* 0 .. n_vars - 1 */
    uint32_t part, n_parts; /* the part-th of n_parts, which make the cell */
    uint32_t visit;         /* 0; of slow_worker_agnostic, how often this part was worked on since
                             * the worker got the column: steps should be smaller then */
    uint64_t pass;          /* of the run, from 0; scans are not counted */
} strads_cell;

typedef struct strads_grid {
    /* How many blocks the rows of each worker are cut into, > 0: a column comes by so many
     * times in a pass. */
    uint32_t (*n_rows)(const void *site);
    /* Sizes and fills the state of a column block, on the worker that has it first. */
    strads_status (*open_column)(void *state, uint32_t column, strads_buffer *buffer);
    /* Updates the state of the cell's row block and column block. The buffer may have come from
     * another process: check its size before its contents are walked. */
    strads_status (*work)(void *state, const strads_cell *cell, strads_buffer *buffer);
    /* Adds to measures[n_measures] what this worker's rows have in the column block. Each worker
     * meets each column once, and first those that it has opened, which nobody has met before in
     * this scan: it may keep a copy, or put one back. */
    strads_status (*measure)(void *state, uint32_t column, strads_buffer *buffer, double *measures);
    /* At the end of the run, whatever its schedule: sizes and fills a buffer with the state of
     * the worker's rows. */
    strads_status (*give_rows)(void *state, strads_buffer *buffer);
    /* On the coordinator, before save: what give_rows of worker `rank` gave, once each; and the
     * columns. `data` is aligned to 16 bytes, lent for the call. */
    strads_status (*take_rows)(void *model, uint32_t rank, const void *data, size_t bytes);
    strads_status (*take_column)(void *model, uint32_t column, const void *data, size_t bytes);
    bool tables; /* with rotation and free workers share tables too: strads_grid_session */
} strads_grid;

/* The worker's session of tables (ssp/ssp.h) beside its columns, for a few rows that all workers
 * add to: the totals of a model. There in open_column, where tables are to be opened, and in work
 * and measure; NULL in a program without `tables`. The framework clocks and closes it; ssp.* say
 * how stale a read may be. There have to be as many columns as above.
 *
 * A period is a step of rotation, in which a worker meets the columns of one other; of free, the
 * time in which as many cells are begun as there are workers, whoever works on them. All meet at
 * a barrier once the columns are opened and at the end of each pass: a read within 0 in measure,
 * which must not increment, sees all of it. */
STRADS_API struct ssp_session *strads_grid_session(const strads_worker *worker);

/* Aligned to 64 bytes. */
STRADS_API void *strads_buffer_data(const strads_buffer *buffer);
STRADS_API size_t strads_buffer_bytes(const strads_buffer *buffer);
/* Keeps what fits; what is new is not set. The data may move. */
STRADS_API STRADS_MUST_CHECK strads_status strads_buffer_resize(strads_buffer *buffer,
                                                                size_t bytes);

#ifdef __cplusplus
}
#endif

#endif

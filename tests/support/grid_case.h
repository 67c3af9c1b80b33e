/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/grid_case.h - a model program on a grid that only counts: who has worked on
 * what, how often and in which order.
 */
#ifndef STRADS_TESTS_GRID_CASE_H
#define STRADS_TESTS_GRID_CASE_H

#include "strads/grid.h"
#include "strads/run.h"

enum { GRID_WORKERS = 8, GRID_ROWS = 4, GRID_COLUMNS = 136 };

typedef enum grid_callback {
    GRID_CALL_NONE,
    GRID_CALL_OPEN_COLUMN,
    GRID_CALL_WORK,
    GRID_CALL_MEASURE,
    GRID_CALL_GIVE_ROWS,
    GRID_CALL_TAKE_ROWS,
    GRID_CALL_TAKE_COLUMN,
    GRID_CALL_N
} grid_callback;

/* The state of a column block, as it is in its buffer; some bytes follow, more each visit. */
typedef struct grid_column {
    uint32_t column, in_use;
    uint64_t order; /* of all that has been done to it */
    uint32_t visits[GRID_WORKERS][GRID_ROWS], extras[GRID_WORKERS];
} grid_column;

/* That of a worker's rows. */
typedef struct grid_rows {
    uint64_t order;
    uint64_t clock; /* of the worker's session of tables, after its last scan; 0: it has none */
} grid_rows;

typedef struct grid_case {
    uint32_t n_columns, n_rows, n_passes;
    double units;        /* of work on a cell */
    grid_callback fails; /* in its `call`-th call (1: the first) */
    uint32_t call;
    size_t fail_allocation; /* the n-th of a run; 0: none */
    bool tables;            /* it counts in a table too (grid_tally.h) */
    void (*act)(void);      /* worker `actor` calls it in its visit-th visit, from 1 */
    uint32_t actor, visit;

    /* What came of the last run. */
    grid_column columns[GRID_COLUMNS];
    grid_rows rows[GRID_WORKERS];
    uint32_t n_columns_taken, n_rows_taken;
    double measured;   /* the last scan's sum: visits of all cells */
    double n_measured; /* of workers' columns */
    bool shared;       /* two worked on a column at a time, or one came twice or changed */
} grid_case;

/* The case in use, for tests to set before a run and to read after. */
extern grid_case grid_in_use;

const strads_app *grid_app(void);

/* Runs it with settings "key=value" [n], in a folder of the suite. */
strads_status grid_run(const char *const *settings, size_t n, strads_result *result);

#endif

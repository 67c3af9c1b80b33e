/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/worker.h - a worker of matrix factorisation: its rows, and what is done with them by
 * steps, whether columns travel (worker.c) or lie in a table (tables.c). Descent has factors of its
 * own (ccd.c), and lays them out in rows at each scan.
 */
#ifndef STRADS_MF_WORKER_H
#define STRADS_MF_WORKER_H

#include "apps/mf/mf.h"

/* What is kept of a column that was opened here. */
typedef struct mf_kept_column {
    float *last, *good; /* as the last scan met it, and the one before; NULL: nothing yet */
    bool mine;
} mf_kept_column;

typedef struct mf_worker {
    const mf_site *site;
    strads_worker *worker;
    struct mf_tables *tables; /* of schedule.kind: data_parallel; else NULL */
    struct mf_ccd *ccd;       /* of mf.method: ccd; else NULL */
    void *memory;             /* of rows */
    float *rows;              /* [user_blocks][n_each + 1][stride], aligned to 64 bytes */
    float *kept_rows;         /* alike, of each block that a pass has come to as the last one that
                               * was kept found it; NULL: of ccd */
    uint64_t *begun_blocks;   /* [user_blocks] the last pass that has come to it, and one */
    mf_kept_column *kept;     /* [n_columns] */
    uint32_t n_back;          /* how often the state was put back */
    bool puts_back;           /* in the scan that comes */
    double factor;            /* of the step */
    uint64_t n_scans;         /* of good states: the next pass is epoch n_scans - 1 */
    uint64_t pass;            /* that has begun, and one */
    double fitted;            /* of that pass: squared errors, in so many steps */
    double n_steps;
    double begun, ended; /* of that pass */
    uint32_t n_measured; /* columns that the scan has brought */
} mf_worker;

/* A block of rows, with its padding, from their places. */
void mf_start_block(const mf_site *site, const mf_cut *cut, uint32_t block, float *rows);

/* Copies n floats; *to is made when it is NULL. */
strads_status mf_keep(float **to, const float *from, size_t n);

/* Before the first step of a pass: what was before was judged good, or there would be none. */
void mf_begin_pass(mf_worker *self, uint64_t pass);

/* The step of this pass; visit as in strads_cell. */
mf_step mf_step_of(const mf_worker *self, uint32_t visit);

/* Works on a part of the groups of one of the worker's blocks of users. */
void mf_work_block(mf_worker *self, const strads_cell *cell, uint32_t b, float *columns,
                   const mf_step *step);

/* Adds up the errors of the worker's test ratings in a column. */
void mf_add_errors(mf_worker *self, uint32_t column, const float *columns, double *measures);

/* The rest of the measures, once a scan. */
void mf_end_scan(mf_worker *self, double *measures);

#endif

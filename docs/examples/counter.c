/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counter.c - workers that count together: each throws darts at the unit square, and the
 * share that falls into the quarter of a circle in it tells pi.
 */
#include <pthread.h>
#include <stdio.h>

#include "ssp/ssp.h"

enum { WORKERS = 4, PERIODS = 50, DARTS = 10000, ROW = 0, HITS = 0, THROWN = 1 };

typedef struct worker {
    ssp_store *store;
    uint32_t rank;
    uint64_t random;
    strads_status status;
} worker;

static double uniform(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double) (*random >> 11) / 9007199254740992.0; /* 2^53 */
}

static strads_status throw_darts(worker *self, ssp_table *table)
{
    strads_status status = ssp_inc(table, ROW, THROWN, DARTS);
    for (int i = 0; i < DARTS && status == STRADS_OK; i++) {
        const double x = uniform(&self->random);
        const double y = uniform(&self->random);
        if (x * x + y * y < 1.0) {
            status = ssp_inc(table, ROW, HITS, 1.0);
        }
    }
    return status;
}

/* The last read sees all periods of all workers: its staleness is 0. */
static strads_status count(worker *self, ssp_session *session)
{
    const ssp_table_options options = {.columns = 2, .staleness = 3};
    const double *view = NULL;
    ssp_table *table = NULL;
    strads_status status = ssp_table_open(&table, session, "darts", &options);
    for (int period = 0; period < PERIODS && status == STRADS_OK; period++) {
        status = throw_darts(self, table);
        if (status == STRADS_OK) {
            status = ssp_clock(session);
        }
    }
    if (status == STRADS_OK && self->rank == 0) {
        status = ssp_read_row_within(table, ROW, 0, &view);
        if (status == STRADS_OK) {
            printf("%.0f darts, pi is about %.2f\n", view[THROWN], 4.0 * view[HITS] / view[THROWN]);
        }
    }
    return status;
}

/* A worker that fails lets those go who wait for it. */
static void *work(void *argument)
{
    worker *self = argument;
    ssp_session *session = NULL;
    self->status = ssp_session_open(&session, self->store, self->rank);
    if (self->status == STRADS_OK) {
        self->status = count(self, session);
    }
    if (self->status != STRADS_OK) {
        ssp_store_abort(self->store);
    }
    ssp_session_close(session);
    return NULL;
}

int main(void)
{
    pthread_t threads[WORKERS];
    worker workers[WORKERS];
    ssp_store *store = NULL;
    int n_started = 0;
    if (ssp_store_create(&store, WORKERS) != STRADS_OK) {
        return 1;
    }
    for (; n_started < WORKERS; n_started++) {
        worker *self = &workers[n_started];
        *self = (worker){.store = store, .rank = n_started, .random = n_started};
        if (pthread_create(&threads[n_started], NULL, work, self) != 0) {
            ssp_store_abort(store);
            break;
        }
    }
    int failed = n_started < WORKERS;
    for (int i = 0; i < n_started; i++) {
        pthread_join(threads[i], NULL);
        failed |= workers[i].status != STRADS_OK;
    }
    ssp_store_destroy(store);
    return failed;
}

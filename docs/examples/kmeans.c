/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kmeans.c - k-means by data parallelism: workers share the sums of the points of each
 * cluster through a table, and none waits for all the others.
 *
 *   kmeans [STALENESS]
 *
 * A row of the table is a cluster: how many points it has, and their sum. In a period a
 * worker reads all rows, assigns each of its points to the nearest centre, and increments
 * the rows of two clusters for every point that has moved. So the table is exact whenever
 * all have clocked, and as stale as it may be in between.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ssp/ssp.h"

enum {
    WORKERS = 4,
    CLUSTERS = 5,
    DIMENSIONS = 2,
    POINTS = 2000, /* a worker */
    PERIODS = 40,
    COUNT = DIMENSIONS, /* the column behind the sums */
    COLUMNS = DIMENSIONS + 1
};

typedef struct worker {
    ssp_store *store;
    uint32_t rank, staleness;
    uint64_t random;
    double points[POINTS][DIMENSIONS];
    int cluster[POINTS]; /* -1: none yet */
    double squares;      /* of the distances to the centres, in the end */
    strads_status status;
} worker;

static double uniform(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double) (*random >> 11) / 9007199254740992.0; /* 2^53 */
}

/* Points around the corners of a pentagon of radius 10. */
static void draw_points(worker *self)
{
    for (int i = 0; i < POINTS; i++) {
        const double corner = 2.0 * 3.14159265358979 * (i % CLUSTERS) / CLUSTERS;
        self->points[i][0] = 10.0 * cos(corner) + uniform(&self->random) - 0.5;
        self->points[i][1] = 10.0 * sin(corner) + uniform(&self->random) - 0.5;
        self->cluster[i] = -1;
    }
}

static double distance(const double *point, const double *centre)
{
    double squares = 0.0;
    for (int d = 0; d < DIMENSIONS; d++) {
        squares += (point[d] - centre[d]) * (point[d] - centre[d]);
    }
    return squares;
}

/* A cluster's centre; one that has no points is at a point of the worker's. */
static void find_centres(const worker *self, const double *const *rows,
                         double centres[CLUSTERS][DIMENSIONS])
{
    for (int k = 0; k < CLUSTERS; k++) {
        for (int d = 0; d < DIMENSIONS; d++) {
            centres[k][d] = rows[k][COUNT] > 0.5 ? rows[k][d] / rows[k][COUNT] : self->points[k][d];
        }
    }
}

static int nearest(const double *point, double centres[CLUSTERS][DIMENSIONS])
{
    int best = 0;
    for (int k = 1; k < CLUSTERS; k++) {
        if (distance(point, centres[k]) < distance(point, centres[best])) {
            best = k;
        }
    }
    return best;
}

/* Moves the point's share from one row to another. */
static void move(double deltas[CLUSTERS][COLUMNS], const double *point, int from, int to)
{
    for (int d = 0; d < COLUMNS; d++) {
        const double value = d == COUNT ? 1.0 : point[d];
        deltas[to][d] += value;
        if (from >= 0) {
            deltas[from][d] -= value;
        }
    }
}

static strads_status run_period(worker *self, ssp_table *table)
{
    static const uint64_t keys[CLUSTERS] = {0, 1, 2, 3, 4};
    double deltas[CLUSTERS][COLUMNS] = {{0.0}};
    double centres[CLUSTERS][DIMENSIONS];
    const double *rows[CLUSTERS];
    const strads_status status = ssp_read_rows(table, keys, CLUSTERS, rows);
    if (status != STRADS_OK) {
        return status;
    }
    find_centres(self, rows, centres);
    self->squares = 0.0;
    for (int i = 0; i < POINTS; i++) {
        const int to = nearest(self->points[i], centres);
        if (to != self->cluster[i]) {
            move(deltas, self->points[i], self->cluster[i], to);
            self->cluster[i] = to;
        }
        self->squares += distance(self->points[i], centres[to]);
    }
    return ssp_inc_rows(table, keys, CLUSTERS, deltas[0]);
}

static strads_status cluster(worker *self, ssp_session *session)
{
    const ssp_table_options options = {.columns = COLUMNS, .staleness = self->staleness};
    ssp_table *table = NULL;
    strads_status status = ssp_table_open(&table, session, "clusters", &options);
    for (int period = 0; period < PERIODS && status == STRADS_OK; period++) {
        status = run_period(self, table);
        status = status == STRADS_OK ? ssp_clock(session) : status;
    }
    return status;
}

/* A worker that fails lets those go who wait for it. */
static void *work(void *argument)
{
    worker *self = argument;
    ssp_session *session = NULL;
    draw_points(self);
    self->status = ssp_session_open(&session, self->store, self->rank);
    if (self->status == STRADS_OK) {
        self->status = cluster(self, session);
    }
    if (self->status != STRADS_OK) {
        ssp_store_abort(self->store);
    }
    ssp_session_close(session);
    return NULL;
}

int main(int argc, char **argv)
{
    static worker workers[WORKERS];
    pthread_t threads[WORKERS];
    ssp_store *store = NULL;
    double squares = 0.0;
    int failed = 0;
    if (ssp_store_create(&store, WORKERS) != STRADS_OK) {
        return 1;
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (worker){.store = store,
                              .rank = i,
                              .staleness = argc > 1 ? (uint32_t) strtoul(argv[1], NULL, 10) : 2,
                              .random = i};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) {
            return 1;
        }
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        failed |= workers[i].status != STRADS_OK;
        squares += workers[i].squares;
    }
    ssp_store_destroy(store);
    printf("%d points, %.3f from their centres\n", WORKERS * POINTS,
           sqrt(squares / (WORKERS * POINTS)));
    return failed;
}

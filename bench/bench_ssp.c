/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_ssp.c - rows of a table read and incremented in a second, by threads that
 * clock after every PERIOD rows. One JSON line a case; asserts nothing.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/tasks.h"
#include "ssp/ssp.h"

enum { COLUMNS = 64, THREADS_MAX = 2, DRAWN = 1 << 20, PERIOD = 1 << 16, BATCH = 64 };

typedef struct bench_case {
    const char *keys; /* few: 16, in cache; zipf: 10^6, the k-th with chance about 1/k */
    uint32_t n_threads;
    uint32_t staleness;
    bool batches; /* of BATCH rows a call, not one */
    size_t n_rows;
} bench_case;

typedef struct member {
    ssp_store *store;
    const bench_case *bench;
    uint32_t rank;
    uint64_t *keys; /* [DRAWN] */
    double increment_seconds, read_seconds, sum;
} member;

static void must(strads_status status)
{
    if (status != STRADS_OK) {
        fprintf(stderr, "bench_ssp: %s\n", strads_status_name(status));
        exit(1);
    }
}

static void draw_keys(member *self)
{
    strads_random random = strads_random_start(1, self->rank);
    const bool zipf = self->bench->keys[0] == 'z';
    for (size_t i = 0; i < DRAWN; i++) {
        self->keys[i] = zipf ? (uint64_t) pow(1e6, strads_random_uniform(&random))
                             : strads_random_below(&random, 16);
    }
}

static double increment(member *self, ssp_session *session, ssp_table *table)
{
    static double deltas[BATCH * COLUMNS]; /* zeros cost what any numbers do */
    const size_t step = self->bench->batches ? BATCH : 1;
    const double start = strads_now();
    for (size_t i = 0; i < self->bench->n_rows; i += step) {
        must(step == 1 ? ssp_inc_row(table, self->keys[i % DRAWN], deltas)
                       : ssp_inc_rows(table, &self->keys[i % DRAWN], step, deltas));
        if ((i + step) % PERIOD == 0) {
            must(ssp_clock(session));
        }
    }
    must(ssp_clock(session));
    return strads_now() - start;
}

static double read_rows(member *self, ssp_session *session, ssp_table *table)
{
    const double *views[BATCH];
    const size_t step = self->bench->batches ? BATCH : 1;
    const double start = strads_now();
    for (size_t i = 0; i < self->bench->n_rows; i += step) {
        must(step == 1 ? ssp_read_row(table, self->keys[i % DRAWN], views)
                       : ssp_read_rows(table, &self->keys[i % DRAWN], step, views));
        for (size_t k = 0; k < step; k++) {
            self->sum += views[k][1];
        }
        if ((i + step) % PERIOD == 0) {
            must(ssp_clock(session));
        }
    }
    return strads_now() - start;
}

/* All rows are touched once before the time is taken. */
static void *work(void *argument)
{
    member *self = argument;
    const ssp_table_options options = {.columns = COLUMNS, .staleness = self->bench->staleness};
    const double *view = NULL;
    ssp_session *session = NULL;
    ssp_table *table = NULL;
    must(ssp_session_open(&session, self->store, self->rank));
    must(ssp_table_open(&table, session, "bench", &options));
    draw_keys(self);
    for (size_t i = 0; i < DRAWN; i++) {
        must(ssp_read_row(table, self->keys[i], &view));
    }
    must(ssp_clock(session));
    must(ssp_read_row_within(table, 0, 0, &view)); /* all begin together */
    self->increment_seconds = increment(self, session, table);
    must(ssp_read_row_within(table, 0, 0, &view));
    self->read_seconds = read_rows(self, session, table);
    ssp_session_close(session);
    return NULL;
}

static void run(const bench_case *bench)
{
    member members[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    ssp_store *store = NULL;
    double increments = 0.0;
    double reads = 0.0;
    must(ssp_store_create(&store, bench->n_threads));
    for (uint32_t i = 0; i < bench->n_threads; i++) {
        members[i] = (member){.store = store,
                              .bench = bench,
                              .rank = i,
                              .keys = strads_alloc_array(DRAWN, sizeof(uint64_t))};
        must(members[i].keys == NULL ? STRADS_ERR_NOMEM : STRADS_OK);
        must(strads_thread_start(&threads[i], "bench", work, &members[i]));
    }
    for (uint32_t i = 0; i < bench->n_threads; i++) {
        pthread_join(threads[i], NULL);
        increments += (double) bench->n_rows / members[i].increment_seconds;
        reads += (double) bench->n_rows / members[i].read_seconds;
        strads_free(members[i].keys);
    }
    ssp_store_destroy(store);
    printf("{\"bench\":\"ssp\",\"keys\":\"%s\",\"threads\":%u,\"staleness\":%u,\"columns\":%d,"
           "\"batch\":%d,"
           "\"increments_per_s\":%.4g,\"reads_per_s\":%.4g}\n",
           bench->keys, bench->n_threads, bench->staleness, COLUMNS, bench->batches ? BATCH : 1,
           increments, reads);
}

int main(void)
{
    for (uint32_t n = 1; n <= THREADS_MAX; n++) {
        for (int batches = 0; batches < 2; batches++) {
            run(&(bench_case){.keys = "few",
                              .n_threads = n,
                              .staleness = 1,
                              .batches = batches == 1,
                              .n_rows = 20 << 20});
            run(&(bench_case){.keys = "zipf",
                              .n_threads = n,
                              .staleness = 1,
                              .batches = batches == 1,
                              .n_rows = 5 << 20});
        }
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/grid_tally.c - what all have counted, and what they see of it. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "tests/support/grid_tally.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/support/grid_case.h"
#include "tests/support/suite.h"

enum { PERIODS = 4096 };

typedef struct tally {
    _Atomic uint32_t n_wrong;
    _Atomic uint32_t done[GRID_WORKERS];
    /* By the end of each period in which the worker has counted; 0: it has not. */
    _Atomic uint32_t ended[GRID_WORKERS][PERIODS];
} tally;

static tally *shared;

void grid_tally_begin(void)
{
    if (shared == NULL) {
        shared =
            // cppcheck-suppress invalidFunctionArg ; no file is -1
            mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(shared != MAP_FAILED);
    }
    memset(shared, 0, sizeof(*shared));
}

static strads_status open_table(ssp_session *session, ssp_table **table)
{
    ssp_table_options options = ssp_session_options(session);
    options.columns = GRID_WORKERS;
    return ssp_table_open(table, session, "tally", &options);
}

static void expect(bool holds)
{
    atomic_fetch_add(&shared->n_wrong, holds ? 0 : 1);
}

/* What a worker had counted in the periods before this one. */
static uint32_t before(uint32_t rank, uint64_t period)
{
    uint32_t n = 0;
    while (n == 0 && period > 0) {
        n = atomic_load(&shared->ended[rank][--period]);
    }
    return n;
}

strads_status grid_tally_count(ssp_session *session, uint32_t rank)
{
    const uint64_t clock = ssp_clock_own(session);
    const uint32_t staleness = ssp_session_options(session).staleness;
    const uint64_t needed = staleness < clock ? clock - staleness : 0;
    const double *seen = NULL;
    ssp_table *table = NULL;
    strads_status status = open_table(session, &table);
    const uint32_t mine = atomic_fetch_add(&shared->done[rank], 1) + 1;
    if (clock >= PERIODS) {
        return STRADS_ERR_APP;
    }
    atomic_store(&shared->ended[rank][clock], mine);
    if (status == STRADS_OK) {
        status = ssp_inc(table, 0, rank, 1.0);
    }
    if (status == STRADS_OK) {
        status = ssp_read_row(table, 0, &seen);
    }
    for (uint32_t k = 0; k < GRID_WORKERS && status == STRADS_OK; k++) {
        expect(seen[k] >= before(k, needed) && seen[k] <= atomic_load(&shared->done[k]));
        expect(k != rank || seen[k] == mine);
    }
    return status;
}

strads_status grid_tally_look(ssp_session *session)
{
    const double *seen = NULL;
    ssp_table *table = NULL;
    strads_status status = open_table(session, &table);
    if (status == STRADS_OK) {
        status = ssp_read_row_within(table, 0, 0, &seen);
    }
    for (uint32_t k = 0; k < GRID_WORKERS && status == STRADS_OK; k++) {
        expect(seen[k] == atomic_load(&shared->done[k]));
    }
    expect(ssp_clock_own(session) == ssp_clock_slowest(session));
    return status;
}

uint32_t grid_tally_n_counts(void)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < GRID_WORKERS; k++) {
        n += atomic_load(&shared->done[k]);
    }
    return n;
}

uint32_t grid_tally_n_wrong(void)
{
    return atomic_load(&shared->n_wrong);
}

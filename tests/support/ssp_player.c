/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/ssp_player.c - what a session of a history does, and the oracle. */
#include <string.h>

#include "tests/support/ssp_history_state.h"

/* ---- the oracle ---- */

static void complain(player *self, uint32_t table, uint32_t row, uint32_t writer, double value,
                     uint64_t bound)
{
    if (self->wrong[0] == '\0') {
        snprintf(self->wrong, sizeof(self->wrong),
                 "worker %u at clock %llu reads %g of worker %u in row %u of table %u; it must "
                 "have all of its periods before %llu",
                 self->rank, (unsigned long long) self->clock, value, writer, row, table,
                 (unsigned long long) bound);
    }
}

/* Whether `value` is what `writer` had added after some increments, of all periods before
 * `bound` at least. Sums grow, so that they name the moment. */
static bool is_allowed(const player *writer, uint32_t table, uint32_t row, double value,
                       uint64_t bound)
{
    const row_log *log = &writer->log[table][row];
    const uint64_t last = writer->clock < bound ? writer->clock : bound;
    for (uint32_t k = last == 0 ? 0 : log->at_clock[last]; k <= log->n; k++) {
        if (log->sums[k] == value) {
            return bound <= writer->clock;
        }
    }
    return false;
}

/* Keeps a read for ssp_player_judge. */
static void keep(player *self, uint32_t table, uint32_t row, const double *view, uint64_t bound)
{
    if (strads_reserve(&self->reads, &self->reads_capacity, self->n_reads + 1,
                       sizeof(*self->reads)) != STRADS_OK) {
        complain(self, table, row, self->rank, -1.0, bound);
        return;
    }
    seen *one = &self->reads[self->n_reads];
    *one = (seen){.table = table, .row = row, .bound = bound};
    memcpy(one->values, view, self->of->n * sizeof(*view));
}

void ssp_player_judge(player *self)
{
    for (uint64_t i = 0; i < self->n_reads && self->reads != NULL; i++) {
        const seen *one = &self->reads[i];
        for (uint32_t j = 0; j < self->of->n; j++) {
            if (j != self->rank && !is_allowed(&self->of->players[j], one->table, one->row,
                                               one->values[j], one->bound)) {
                complain(self, one->table, one->row, j, one->values[j], one->bound);
            }
        }
    }
    strads_free(self->reads);
    self->reads = NULL;
}

static void judge(player *self, uint32_t table, uint32_t row, const double *view, uint64_t bound)
{
    if (!self->of->checks_others) {
        keep(self, table, row, view, bound);
    }
    for (uint32_t j = 0; j < self->of->columns[table]; j++) {
        double *before = &self->before[table][row][j < PLAYERS ? j : 0];
        const player *writer = j < self->of->n ? &self->of->players[j] : NULL;
        bool right = false;
        if (writer == NULL) {
            right = view[j] == 0.0;
        } else if (writer == self) {
            right = view[j] == self->log[table][row].sums[self->log[table][row].n];
        } else {
            right = view[j] >= *before &&
                    (!self->of->checks_others || is_allowed(writer, table, row, view[j], bound));
            *before = view[j];
        }
        if (!right) {
            complain(self, table, row, j, view[j], bound);
        }
        self->hash = (self->hash ^ (uint64_t) view[j]) * UINT64_C(1099511628211);
    }
    self->n_reads++;
}

/* ---- steps ---- */

static uint64_t key_of(uint32_t row)
{
    return row * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t below(player *self, uint32_t n)
{
    return (uint32_t) strads_random_below(&self->random, n);
}

static uint64_t bound_of(const player *self, uint32_t staleness)
{
    const uint32_t tighter =
        staleness < self->of->mode->staleness ? staleness : self->of->mode->staleness;
    return tighter == SSP_ASYNC || self->clock < tighter ? 0 : self->clock - tighter;
}

static strads_status read_one(player *self, uint32_t table)
{
    const uint32_t row = below(self, ROWS);
    const uint32_t staleness = below(self, 3) == 0 ? below(self, 4) : SSP_ASYNC;
    const double *view = NULL;
    const strads_status status =
        ssp_read_row_within(self->tables[table], key_of(row), staleness, &view);
    if (status == STRADS_OK) {
        judge(self, table, row, view, bound_of(self, staleness));
    }
    return status;
}

static uint32_t draw_rows(player *self, uint32_t rows[ROWS], uint64_t keys[ROWS])
{
    const uint32_t first = below(self, ROWS);
    const uint32_t n = 1 + below(self, ROWS - first);
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = first + i;
        keys[i] = key_of(first + i);
    }
    return n;
}

static strads_status read_many(player *self, uint32_t table)
{
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const double *views[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    const strads_status status = ssp_read_rows(self->tables[table], keys, n, views);
    for (uint32_t i = 0; i < n && status == STRADS_OK; i++) {
        judge(self, table, rows[i], views[i], bound_of(self, SSP_ASYNC));
    }
    return status;
}

static void log_increment(player *self, uint32_t table, uint32_t row, double delta)
{
    row_log *log = &self->log[table][row];
    if (log->n < ENTRIES) {
        log->sums[log->n + 1] = log->sums[log->n] + delta;
        log->n++;
    } else {
        complain(self, table, row, self->rank, -1.0, 0);
    }
}

static strads_status increment_one(player *self, uint32_t table)
{
    const uint32_t row = below(self, ROWS);
    const double delta = 1.0 + below(self, 9);
    log_increment(self, table, row, delta);
    return ssp_inc(self->tables[table], key_of(row), self->rank, delta);
}

static strads_status increment_many(player *self, uint32_t table)
{
    static _Thread_local double deltas[ROWS * (PLAYERS + WIDE)];
    const uint32_t columns = self->of->columns[table];
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    memset(deltas, 0, sizeof(deltas));
    for (uint32_t i = 0; i < n; i++) {
        deltas[i * columns + self->rank] = 1.0 + i;
        log_increment(self, table, rows[i], 1.0 + i);
    }
    return ssp_inc_rows(self->tables[table], keys, n, deltas);
}

static strads_status prefetch(player *self, uint32_t table)
{
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    return ssp_prefetch(self->tables[table], keys, n);
}

static strads_status step(player *self)
{
    static strads_status (*const kinds[])(player *, uint32_t) = {
        read_one, read_one, read_many, increment_one, increment_one, increment_many, prefetch};
    const uint32_t table = below(self, TABLES);
    return kinds[below(self, sizeof(kinds) / sizeof(kinds[0]))](self, table);
}

/* The log of all rows at the clock that the player comes to now. */
static void log_clock(player *self)
{
    self->clock++;
    for (uint32_t t = 0; t < TABLES; t++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            self->log[t][row].at_clock[self->clock] = self->log[t][row].n;
        }
    }
}

/* What all have added is there in the end, once. */
static strads_status check_end(player *self)
{
    strads_status status = STRADS_OK;
    for (uint32_t t = 0; t < TABLES && status == STRADS_OK; t++) {
        for (uint32_t row = 0; row < ROWS && status == STRADS_OK; row++) {
            const double *view = NULL;
            status = ssp_read_row_within(self->tables[t], key_of(row), 0, &view);
            for (uint32_t j = 0; j < self->of->n && status == STRADS_OK; j++) {
                const row_log *log = &self->of->players[j].log[t][row];
                if (view[j] != log->sums[log->n]) {
                    complain(self, t, row, j, view[j], PERIODS + 1);
                }
            }
        }
    }
    return status;
}

strads_status ssp_player_play(player *self, net_node *node)
{
    strads_status status = STRADS_OK;
    for (int period = 0; period < PERIODS && status == STRADS_OK; period++) {
        for (uint32_t n = below(self, STEPS + 1); n > 0 && status == STRADS_OK; n--) {
            net_work(node, self->of->work * strads_random_uniform(&self->random));
            status = step(self);
        }
        log_clock(self);
        if (status == STRADS_OK) {
            status = ssp_clock(self->session);
        }
    }
    log_clock(self);
    if (status == STRADS_OK) {
        status = ssp_barrier(self->session);
    }
    return status == STRADS_OK ? check_end(self) : status;
}

strads_status ssp_player_open(player *self)
{
    const history *of = self->of;
    strads_status status = ssp_session_open(&self->session, self->store, self->rank);
    for (uint32_t t = 0; t < TABLES && status == STRADS_OK; t++) {
        const ssp_table_options options = {
            .columns = of->columns[t], .staleness = of->mode->staleness, .eager = of->mode->eager};
        status =
            ssp_table_open(&self->tables[t], self->session, t == 0 ? "first" : "second", &options);
    }
    if (status == STRADS_OK) {
        ssp_session_bound(self->session, of->bound_bytes);
    }
    return status;
}

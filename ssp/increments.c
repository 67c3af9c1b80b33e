/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/increments.c - increments: added up by row in the session's log until its clock. */
#include <math.h>
#include <string.h>

#include "ssp/session_state.h"

void ssp_log_fini(ssp_log *log)
{
    strads_free(log->rows);
    strads_free(log->deltas);
}

/* Those of other parts have been sent: their places are empty. */
static void apply_here(ssp_table *table)
{
    enum { AHEAD = 8, LINE = 64 / sizeof(double) };
    ssp_log *log = &table->log;
    const uint32_t columns = table->columns;
    ssp_stripe *held = NULL;
    for (size_t i = 0; i < log->n; i++) {
        if (log->rows[i] == NULL) {
            continue;
        }
        const ssp_own_row *far = i + 2 * AHEAD < log->n ? log->rows[i + 2 * AHEAD] : NULL;
        const ssp_own_row *near = i + AHEAD < log->n ? log->rows[i + AHEAD] : NULL;
        if (far != NULL) {
            __builtin_prefetch(&far->shared);
        }
        for (uint32_t j = 0; j < columns && near != NULL; j += LINE) {
            __builtin_prefetch(&near->shared->values[j], 1);
        }
        held = ssp_stripe_hold(held, log->rows[i]->shared->stripe);
        ssp_shared_row_apply(table->shared, log->rows[i]->shared, log->deltas + i * columns);
        log->rows[i]->logged = SSP_NOT_LOGGED;
    }
    (void) ssp_stripe_hold(held, NULL);
    log->n = 0;
}

strads_status ssp_log_publish(ssp_table *table)
{
    const strads_status status = ssp_remote_flush(table);
    if (status == STRADS_OK) {
        apply_here(table);
    }
    return status;
}

/* Gives the row a place in the log, of these deltas; NULL: of zeros. */
static strads_status log_row(ssp_table *table, ssp_own_row *row, const double *deltas)
{
    enum { EARLY_EACH = 16 }; /* rows that come into the log */
    ssp_log *log = &table->log;
    const size_t bytes = table->columns * sizeof(double);
    strads_status status =
        log->n > 0 && log->n % EARLY_EACH == 0 ? ssp_early_send(table) : STRADS_OK;
    if (status == STRADS_OK) {
        status = strads_reserve(&log->rows, &log->rows_capacity, log->n + 1, sizeof(*log->rows));
    }
    if (status == STRADS_OK) {
        status = strads_reserve(&log->deltas, &log->deltas_capacity, log->n + 1, bytes);
    }
    if (status != STRADS_OK) {
        return status;
    }
    double *place = log->deltas + log->n * table->columns;
    if (deltas != NULL) {
        memcpy(place, deltas, bytes);
    } else {
        memset(place, 0, bytes);
    }
    log->rows[log->n] = row;
    row->logged = log->n++;
    return STRADS_OK;
}

/* Whether an increment has to be added to the copy too; if not, the copy is outdated. A
 * rule is applied when the period ends, and its outcome copied after that. */
static bool shows_in_view(const ssp_table *table, ssp_own_row *row)
{
    if (row->shared == NULL) {
        return table->additive && row->version != SSP_OUTDATED;
    }
    if (row->period == table->session->clock) {
        return table->additive;
    }
    row->version = SSP_OUTDATED;
    return false;
}

static strads_status refuse_delta(const ssp_table *table, uint64_t key, uint32_t column,
                                  double delta)
{
    strads_error("table %s: row %llu, column %u: %g is not finite", table->shared->name,
                 (unsigned long long) key, column, delta);
    return STRADS_ERR_NUMERIC;
}

strads_status ssp_inc(ssp_table *table, uint64_t key, uint32_t column, double delta)
{
    if (column >= table->columns) {
        strads_error("table %s: column %u is not below %u", table->shared->name, column,
                     table->columns);
        return STRADS_ERR_APP;
    }
    if (!isfinite(delta)) {
        return refuse_delta(table, key, column, delta);
    }
    ssp_own_row *row = NULL;
    strads_status status = ssp_own_row_find(table, key, &row);
    if (status == STRADS_OK && row->logged == SSP_NOT_LOGGED) {
        status = log_row(table, row, NULL);
    }
    if (status != STRADS_OK) {
        return status;
    }
    table->log.deltas[row->logged * table->columns + column] += delta;
    if (shows_in_view(table, row)) {
        row->values[column] += delta;
    }
    return STRADS_OK;
}

/* One added to the exponent of a double reaches the sign bit when the exponent is the
 * highest, that of infinities and NaN. Whole numbers, for the compiler then checks several
 * at a time. */
bool ssp_all_finite(const double *values, size_t n)
{
    static const uint64_t EXPONENT = UINT64_C(0x7ff) << 52, ONE = UINT64_C(1) << 52;
    uint64_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof(bits));
        seen |= (bits & EXPONENT) + ONE;
    }
    return seen >> 63 == 0;
}

strads_status ssp_inc_row(ssp_table *table, uint64_t key, const double *deltas)
{
    const uint32_t columns = table->columns;
    if (!ssp_all_finite(deltas, columns)) {
        uint32_t column = 0;
        while (isfinite(deltas[column])) {
            column++;
        }
        return refuse_delta(table, key, column, deltas[column]);
    }
    ssp_own_row *row = NULL;
    strads_status status = ssp_own_row_find(table, key, &row);
    if (status == STRADS_OK && row->logged != SSP_NOT_LOGGED) {
        ssp_add(table->log.deltas + row->logged * columns, deltas, columns);
    } else if (status == STRADS_OK) {
        status = log_row(table, row, deltas);
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (shows_in_view(table, row)) {
        ssp_add(row->values, deltas, columns);
    }
    return STRADS_OK;
}

/* The deltas of rows that are in the log already. */
static void touch_deltas(const ssp_table *table, const uint64_t *keys, size_t n)
{
    enum { LINE = 64 / sizeof(double) };
    for (size_t i = 0; i < n; i++) {
        const ssp_own_row *row = ssp_map_find(&table->rows, keys[i]);
        if (row == NULL || row->logged == SSP_NOT_LOGGED) {
            continue;
        }
        const double *deltas = table->log.deltas + row->logged * table->columns;
        for (uint32_t j = 0; j < table->columns; j += LINE) {
            __builtin_prefetch(&deltas[j], 1);
        }
    }
}

strads_status ssp_inc_rows(ssp_table *table, const uint64_t *keys, size_t n, const double *deltas)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        if (i % SSP_AHEAD == 0) {
            const size_t ahead = n - i < SSP_AHEAD ? n - i : SSP_AHEAD;
            ssp_rows_touch(table, keys + i, ahead);
            touch_deltas(table, keys + i, ahead);
        }
        status = ssp_inc_row(table, keys[i], deltas + i * table->columns);
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/grid_pass.c - passes over a grid. */
#include <math.h>

#include "base/clock.h"
#include "strads/grid_state.h"
#include "strads/worker_state.h"

/* Of slow_worker_agnostic: what a worker goes on with is a cell's n-th part at a time. */
enum { PARTS = 8 };

/* What a pass does with each column that comes. */
typedef struct pass {
    grid_worker *self;
    strads_worker *worker;
    uint64_t index;
    double *measures; /* NULL: it works */
    uint64_t began;   /* the clock of the worker's session then */
} pass;

static uint32_t first_of(const grid_worker *self, uint32_t group)
{
    return grid_first(self->options.n_columns, self->options.n_workers, group);
}

/* Whoever was asked to end still passes its columns on. */
static strads_status visit(const pass *it, const strads_cell *cell, strads_buffer *buffer)
{
    void *state = it->worker->state;
    if (it->measures != NULL) {
        return it->self->grid->measure(state, cell->column, buffer, it->measures);
    }
    return worker_must_stop(it->worker) ? STRADS_OK : it->self->grid->work(state, cell, buffer);
}

static void drop(strads_buffer *buffer)
{
    net_message_destroy(buffer->message);
    buffer->message = NULL;
}

/* ---- periods ---- */

/* The periods of a pass end at the same clock on all workers, whatever each has worked on. They
 * are numbered by what the worker does next:
 *
 * - rotation: its steps. What a step needs comes from a neighbour's step before it;
 * - free: cells, as the hub gives them, so many to a period as there are workers. There are
 *   columns enough that who asks is given one at once, and it comes, since nobody works on it.
 *
 * So the session that is the slowest waits for nobody: none that is as slow holds what it needs,
 * and its reads are fresh enough. All others, who may wait for it in a read, go on in the end. */
static strads_status begin_period(const pass *it, uint64_t period)
{
    ssp_session *session = it->worker->tables.session;
    strads_status status = STRADS_OK;
    if (session == NULL || it->measures != NULL) {
        return STRADS_OK;
    }
    while (status == STRADS_OK && ssp_clock_own(session) < it->began + period) {
        status = ssp_clock(session);
    }
    return status;
}

/* With the last period: then all see what all have added. */
static strads_status end_periods(const pass *it)
{
    strads_worker *worker = it->worker;
    if (worker->tables.session == NULL || it->measures != NULL) {
        return STRADS_OK;
    }
    const strads_status status = ssp_barrier(worker->tables.session);
    return status == STRADS_OK ? table_session_add_up(worker) : status;
}

/* ---- between passes ---- */

/* Each worker has the columns of its own group at first, and after each pass. */
static strads_status open_columns(grid_worker *self, strads_worker *worker)
{
    const uint32_t rank = self->options.rank;
    const bool has_tables = self->options.store != NULL;
    strads_status status = has_tables ? table_session_open(worker) : STRADS_OK;
    for (uint32_t c = first_of(self, rank); c < first_of(self, rank + 1) && status == STRADS_OK;
         c++) {
        strads_buffer buffer = {.type = GRID_COLUMN, .index = c};
        status = self->grid->open_column(worker->state, c, &buffer);
        if (status == STRADS_OK && buffer.message == NULL) {
            status = strads_buffer_resize(&buffer, 0);
        }
        if (status == STRADS_OK) {
            status = grid_pass_on(self, rank, &buffer);
        }
        drop(&buffer);
    }
    if (status == STRADS_OK && has_tables) {
        status = ssp_barrier(worker->tables.session);
    }
    self->has_columns = status == STRADS_OK;
    return status;
}

/* Whether all columns of this worker are here, and no others. Until then its service has work
 * that may fail, and nobody else would hear of that. */
static bool are_home(void *context)
{
    grid_worker *self = context;
    const uint32_t first = first_of(self, self->options.rank);
    const uint32_t end = first_of(self, self->options.rank + 1);
    bool all = self->options.kind != SCHEDULE_FREE || self->options.rank != 0 ||
               grid_hub_is_done(&self->hub);
    for (uint32_t c = 0; c < self->options.n_columns; c++) {
        all = all && (atomic_load(&self->slots[c]) != NULL) == (c >= first && c < end);
    }
    return all || atomic_load(&self->failed) != STRADS_OK;
}

/* ---- rotation ---- */

/* A turn is n_workers steps, in which each row block meets all groups. From step to step they go
 * down by one worker, but not from turn to turn: the next begins with those that are here. So
 * row blocks meet the groups in unlike orders; and in every other turn, the columns of a group
 * in the reverse one. Columns that are always met in the same order are fitted worse: the first
 * ones are forgotten. */
typedef struct turn {
    uint32_t index;         /* in the pass */
    uint32_t group;         /* of the step */
    uint32_t first, n_each; /* its columns */
    bool down;              /* from the last to the first */
    uint32_t to;            /* who gets them: the next one, or, at the end, whose they are */
} turn;

static turn turn_of(const pass *it, uint32_t n_turns, uint32_t step)
{
    const grid_worker *self = it->self;
    const uint32_t n = self->options.n_workers;
    const uint32_t rank = self->options.rank;
    const uint32_t index = step / n;
    const uint32_t group = (rank + index * (n - 1) + step % n) % n;
    const bool ends = step % n == n - 1;
    return (turn){.index = index,
                  .group = group,
                  .first = first_of(self, group),
                  .n_each = first_of(self, group + 1) - first_of(self, group),
                  .down = (index + it->index) % 2 != 0,
                  .to = !ends                  ? (rank + n - 1) % n
                        : index == n_turns - 1 ? group
                                               : rank};
}

static uint32_t column_of(const turn *at, uint32_t k)
{
    return at->first + (at->down ? at->n_each - 1 - k : k);
}

static strads_status rotate(const pass *it, uint32_t n_turns)
{
    grid_worker *self = it->self;
    strads_cell cell = {.n_parts = 1, .pass = it->index};
    strads_status status = STRADS_OK;
    for (uint32_t step = 0; step < n_turns * self->options.n_workers && status == STRADS_OK;
         step++) {
        const turn at = turn_of(it, n_turns, step);
        cell.row = at.index;
        status = begin_period(it, step);
        for (uint32_t k = 0; k < at.n_each && status == STRADS_OK; k++) {
            strads_buffer buffer = {.message = NULL};
            cell.column = column_of(&at, k);
            status = grid_take(self, it->worker, cell.column, &buffer);
            if (status == STRADS_OK) {
                status = visit(it, &cell, &buffer);
            }
            if (status == STRADS_OK) {
                status = grid_pass_on(self, at.to, &buffer);
            }
            drop(&buffer);
        }
    }
    return status;
}

/* ---- rotation, agnostic of slow workers ---- */

static bool may_go(void *context)
{
    grid_worker *self = context;
    return atomic_load(&self->go) >= self->n_steps || atomic_load(&self->failed) != STRADS_OK;
}

/* One part of each column of the group. */
static strads_status work_parts(const pass *it, strads_cell *cell, const turn *at)
{
    grid_worker *self = it->self;
    strads_status status = STRADS_OK;
    for (uint32_t k = 0; k < at->n_each && status == STRADS_OK; k++) {
        const uint32_t c = column_of(at, k);
        cell->column = c;
        if (self->held[c].message == NULL) {
            status = grid_take(self, it->worker, c, &self->held[c]);
        }
        if (status == STRADS_OK) {
            status = visit(it, cell, &self->held[c]);
        }
    }
    return status;
}

/* On until all workers have done as much, which took this one so many seconds: for a little of
 * them it waits, so that who was the last does not go on. */
static strads_status work_on(const pass *it, strads_cell *cell, const turn *at, double seconds)
{
    grid_worker *self = it->self;
    strads_status status = grid_wait(
        self, it->worker, at->n_each == 0 ? INFINITY : seconds / (4 * PARTS), may_go, self);
    for (uint32_t extra = 0; status == STRADS_ERR_AGAIN; extra++) {
        cell->part = extra % PARTS;
        cell->visit = 1 + extra / PARTS;
        status = work_parts(it, cell, at);
        if (status == STRADS_OK) {
            status = grid_wait(self, it->worker, 0.0, may_go, self);
        }
    }
    return status;
}

/* The group, each part once. */
static strads_status work_step(const pass *it, const turn *at)
{
    grid_worker *self = it->self;
    const double start = strads_now();
    strads_cell cell = {.row = at->index, .n_parts = PARTS, .pass = it->index};
    strads_status status = STRADS_OK;
    for (cell.part = 0; cell.part < PARTS && status == STRADS_OK; cell.part++) {
        status = work_parts(it, &cell, at);
    }
    self->n_steps++;
    if (status == STRADS_OK) {
        status = grid_tell(self, 0, GRID_DONE, (grid_word){.column = 0});
    }
    if (status == STRADS_OK) {
        status = work_on(it, &cell, at, strads_now() - start);
    }
    for (uint32_t k = 0; k < at->n_each && status == STRADS_OK; k++) {
        status = grid_pass_on(self, at->to, &self->held[column_of(at, k)]);
    }
    return status;
}

static strads_status rotate_agnostic(const pass *it)
{
    grid_worker *self = it->self;
    const uint32_t n = self->options.n_workers;
    strads_status status = STRADS_OK;
    for (uint32_t step = 0; step < self->n_rows * n && status == STRADS_OK; step++) {
        const turn at = turn_of(it, self->n_rows, step);
        status = begin_period(it, step);
        if (status == STRADS_OK) {
            status = work_step(it, &at);
        }
    }
    return status;
}

/* ---- free ---- */

static bool is_answered(void *context)
{
    grid_worker *self = context;
    return atomic_load(&self->next) != 0 || atomic_load(&self->failed) != STRADS_OK;
}

static strads_status ask(const pass *it)
{
    return grid_tell(it->self, 0, GRID_ASK, (grid_word){.value = it->index});
}

/* Which column is next, once the hub has answered; n_columns: the pass is over. */
static strads_status hear_next(const pass *it, uint32_t *column, uint64_t *number)
{
    grid_worker *self = it->self;
    const strads_status status = grid_wait(self, it->worker, INFINITY, is_answered, self);
    if (status == STRADS_OK) {
        *number = atomic_load(&self->next_number);
        *column = (uint32_t) (atomic_exchange(&self->next, 0) - 1);
    }
    return status;
}

/* Works on a column, and asks for the next one before, so that it comes meanwhile. */
static strads_status work_free(const pass *it, uint32_t column)
{
    grid_worker *self = it->self;
    strads_buffer buffer = {.message = NULL};
    const strads_cell cell = {.row = self->visits[column]++ % self->n_rows,
                              .column = column,
                              .n_parts = 1,
                              .pass = it->index};
    strads_status status = grid_take(self, it->worker, column, &buffer);
    if (status == STRADS_OK) {
        status = ask(it);
    }
    if (status == STRADS_OK) {
        status = visit(it, &cell, &buffer);
    }
    if (status == STRADS_OK) {
        status = grid_pass_on(self, self->options.rank, &buffer);
    }
    drop(&buffer);
    return status == STRADS_OK ? grid_tell(self, 0, GRID_FREE, (grid_word){.column = column})
                               : status;
}

static strads_status roam(const pass *it)
{
    grid_worker *self = it->self;
    uint32_t column = 0;
    uint64_t number = 0;
    strads_status status = ask(it);
    if (status == STRADS_OK) {
        status = hear_next(it, &column, &number);
    }
    while (status == STRADS_OK && column < self->options.n_columns) {
        status = begin_period(it, number / self->options.n_workers);
        if (status == STRADS_OK) {
            status = work_free(it, column);
        }
        if (status == STRADS_OK) {
            status = hear_next(it, &column, &number);
        }
    }
    /* Who waits now for others to be done is not what they wait for. */
    const uint64_t n_periods = (uint64_t) self->options.n_columns * self->n_rows;
    return status == STRADS_OK ? begin_period(it, n_periods - 1) : status;
}

/* ---- passes ---- */

/* The status of a service that failed says more than that of a wait that it ended. */
static strads_status status_of(const grid_worker *self, strads_status status)
{
    const strads_status failed = (strads_status) atomic_load(&self->failed);
    return status != STRADS_OK && failed != STRADS_OK ? failed : status;
}

static strads_status run_pass(pass *it)
{
    grid_worker *self = it->self;
    strads_status status = STRADS_OK;
    worker_enter(it->worker, self->options.n_workers);
    if (!self->has_columns) {
        status = open_columns(self, it->worker);
    }
    if (status == STRADS_OK && self->options.store != NULL) {
        it->began = ssp_clock_own(it->worker->tables.session);
    }
    if (status == STRADS_OK && it->measures != NULL) {
        status = rotate(it, 1);
    } else if (status == STRADS_OK && self->options.kind == SCHEDULE_FREE) {
        status = roam(it);
    } else if (status == STRADS_OK) {
        status = self->options.agnostic ? rotate_agnostic(it) : rotate(it, self->n_rows);
    }
    if (status == STRADS_OK) {
        status = grid_wait(self, it->worker, INFINITY, are_home, self);
    }
    if (status == STRADS_OK) {
        status = end_periods(it);
    }
    worker_leave(it->worker);
    return status_of(self, status);
}

strads_status grid_train(grid_worker *self, strads_worker *worker)
{
    pass it = {.self = self, .worker = worker, .index = self->n_passes++};
    return run_pass(&it);
}

strads_status grid_measure(grid_worker *self, strads_worker *worker, double *measures)
{
    pass it = {.self = self, .worker = worker, .index = self->n_passes, .measures = measures};
    return run_pass(&it);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/guard.c - the guarded parallel step.
 *
 * A step costs a member two copies of the shared state. With its last exchange go the
 * scalars by which all members judge it alike:
 *
 *   tail = { own objective before, own objective after, move of rank 0, rank 1, ... }
 *
 * Each member adds its own objective and fills the slot of its rank, so that the sum
 * holds both totals and every member's move.
 */
#include "strads/guard.h"

#include <math.h>
#include <string.h>

#include "strads/worker_work.h"

enum { TAIL_BEFORE, TAIL_AFTER, TAIL_MOVES };

/* An undone step of a working set is done again in turn by up to so many members: each
 * turn takes an exchange. More of them give the push up, for a round of half as many. */
enum { MOST_TURNS = 8 };

static const double STRIKE = 2.0, FORGIVEN = 0.25, OUT = 6.0;
/* The objective may rise by rounding; a rise that is let through goes on, and a relative
 * suboptimality of 1e-13 is a gap of about 1e-6. */
static const double RISE = 1e-15;

void step_guard_start(step_guard *guard, bool solve)
{
    guard->solve = solve;
    guard->given_up = false;
    guard->strikes = 0.0;
    guard->n_steps = 0;
    guard->n_guarded = 0;
    guard->n_updates = 0;
}

void step_guard_fini(step_guard *guard)
{
    strads_free(guard->before);
    strads_free(guard->own_before);
    strads_free(guard->base);
    strads_free(guard->tail);
    *guard = (step_guard){.strikes = 0.0};
}

static strads_status reserve_all(step_guard *guard, const strads_step *step, uint32_t n_members)
{
    strads_status status =
        strads_reserve(&guard->before, &guard->before_capacity, step->n_shared, sizeof(double));
    if (status == STRADS_OK) {
        status =
            strads_reserve(&guard->base, &guard->base_capacity, step->n_shared, sizeof(double));
    }
    if (status == STRADS_OK) {
        status =
            strads_reserve(&guard->own_before, &guard->own_capacity, step->n_own, sizeof(double));
    }
    if (status == STRADS_OK) {
        status = strads_reserve(&guard->tail, &guard->tail_capacity,
                                TAIL_MOVES + (size_t) n_members, sizeof(double));
    }
    return status;
}

static void copy(double *to, const double *from, size_t n)
{
    if (n > 0) {
        memcpy(to, from, n * sizeof(double));
    }
}

/* One of n_parts of a sweep is done. */
static void count_updates(step_guard *guard, strads_worker *worker, const strads_step *step,
                          uint32_t n_parts)
{
    const double n = step->n_updates > 0 ? (double) step->n_updates : (double) step->n_own;
    guard->n_updates += n / n_parts;
    worker_count_updates(worker, n / n_parts);
}

/* Adds up the changes that the members made to the shared state since base; with the last
 * of a step's goes the tail. */
static strads_status add_up(step_guard *guard, strads_worker *worker, const strads_step *step,
                            bool last)
{
    const size_t n_tail = TAIL_MOVES + (size_t) strads_worker_members(worker);
    return worker_exchange(worker, step->shared, guard->base, step->n_shared, guard->tail,
                           last ? n_tail : 0);
}

static void fill_tail(step_guard *guard, strads_worker *worker, double before, double after,
                      double moved)
{
    const size_t n = TAIL_MOVES + (size_t) strads_worker_members(worker);
    memset(guard->tail, 0, n * sizeof(double));
    guard->tail[TAIL_BEFORE] = before;
    guard->tail[TAIL_AFTER] = after;
    guard->tail[TAIL_MOVES + strads_worker_rank(worker)] = moved;
}

static double farthest_of(const step_guard *guard, uint32_t n_members)
{
    double farthest = 0.0;
    for (uint32_t k = 0; k < n_members; k++) {
        farthest = fmax(farthest, guard->tail[TAIL_MOVES + k]);
    }
    return farthest;
}

/* One member after another, each on what the ones before it left: no step can
 * raise the objective but by its own fault. */
static strads_status run_in_turn(step_guard *guard, strads_worker *worker, const strads_step *step,
                                 double *farthest)
{
    const uint32_t n_members = strads_worker_members(worker);
    double moved = 0.0;
    for (uint32_t turn = 0; turn < n_members; turn++) {
        copy(guard->base, step->shared, step->n_shared);
        if (turn == strads_worker_rank(worker)) {
            moved = step->sweep(step->self, 0, 1);
            count_updates(guard, worker, step, 1);
        }
        const bool last = turn == n_members - 1;
        if (last) {
            fill_tail(guard, worker, 0.0, 0.0, moved);
        }
        const strads_status status = add_up(guard, worker, step, last);
        if (status != STRADS_OK) {
            return status;
        }
    }
    *farthest = farthest_of(guard, n_members);
    return STRADS_OK;
}

/* All members at once; *rise: by how much the objective did, relative. */
static strads_status run_in_parallel(step_guard *guard, strads_worker *worker,
                                     const strads_step *step, double *farthest, double *rise)
{
    worker_count_numbers(worker, step->n_shared); /* copies of it, and its objective twice */
    const double shared_before = step->shared_objective(step->self);
    const double own_before = step->own_objective(step->self);
    copy(guard->before, step->shared, step->n_shared);
    copy(guard->own_before, step->own, step->n_own);
    double moved = 0.0;
    const uint32_t n_parts = step->n_parts > 0 ? step->n_parts : 1;
    for (uint32_t part = 0; part < n_parts; part++) {
        copy(guard->base, step->shared, step->n_shared);
        moved = fmax(moved, step->sweep(step->self, part, n_parts));
        count_updates(guard, worker, step, n_parts);
        const bool last = part == n_parts - 1;
        if (last) {
            fill_tail(guard, worker, own_before, step->own_objective(step->self), moved);
        }
        const strads_status status = add_up(guard, worker, step, last);
        if (status != STRADS_OK) {
            return status;
        }
    }
    const double before = shared_before + guard->tail[TAIL_BEFORE];
    const double after = step->shared_objective(step->self) + guard->tail[TAIL_AFTER];
    *rise = isfinite(after) ? (after - before) / fmax(fabs(before), 1e-300) : INFINITY;
    *farthest = farthest_of(guard, strads_worker_members(worker));
    return STRADS_OK;
}

strads_status step_guard_run(step_guard *guard, strads_worker *worker, const strads_step *step,
                             double *farthest)
{
    *farthest = 0.0;
    if (guard->given_up) {
        return STRADS_OK;
    }
    guard->n_steps++;
    const uint32_t n_members = strads_worker_members(worker);
    if (n_members == 1) {
        *farthest = step->sweep(step->self, 0, 1);
        count_updates(guard, worker, step, 1);
        return STRADS_OK;
    }
    strads_status status = reserve_all(guard, step, n_members);
    if (status != STRADS_OK) {
        return status;
    }
    if (guard->strikes >= OUT) {
        return run_in_turn(guard, worker, step, farthest);
    }
    double rise = 0.0;
    status = run_in_parallel(guard, worker, step, farthest, &rise);
    if (status != STRADS_OK) {
        return status;
    }
    if (rise <= RISE || guard->off) {
        guard->strikes = fmax(0.0, guard->strikes - FORGIVEN);
        return STRADS_OK;
    }
    guard->n_guarded++;
    guard->strikes += STRIKE;
    copy(step->shared, guard->before, step->n_shared);
    copy(step->own, guard->own_before, step->n_own);
    guard->given_up = guard->solve && n_members > MOST_TURNS;
    *farthest = 0.0;
    return guard->given_up ? STRADS_OK : run_in_turn(guard, worker, step, farthest);
}

/* ---- the coordinator's side ---- */

enum { CLEAN_ROUNDS = 4 }; /* before the width is tried again at the double */

/* A worker whose scans took less than this tells little: it may have been woken late once. */
static const double GRACE = 2.5e-4;
/* What is kept of older scans at each. */
static const double KEPT = 0.75;

width_guard width_guard_start(uint32_t n_workers)
{
    return (width_guard){.n_workers = n_workers, .width = n_workers};
}

void width_guard_learn(width_guard *guard, uint32_t n_blocks, uint64_t n_steps, uint64_t n_guarded)
{
    const bool gave_up = n_guarded > 0 && n_blocks > MOST_TURNS;
    if ((n_guarded * 4 > n_steps || gave_up) && n_blocks > 1) {
        guard->width = n_blocks / 2;
        guard->n_clean = 0;
        return;
    }
    if (n_blocks < guard->width) {
        return; /* says nothing about more of them */
    }
    guard->n_clean = n_guarded == 0 ? guard->n_clean + 1 : 0;
    if (guard->n_clean >= CLEAN_ROUNDS && guard->width < guard->n_workers) {
        guard->width = 2 * guard->width < guard->n_workers ? 2 * guard->width : guard->n_workers;
        guard->n_clean = 0;
    }
}

crowd_guard crowd_guard_start(void)
{
    return (crowd_guard){.width = UINT32_MAX};
}

/* What another process tells may be any number. */
static double time_told(double seconds)
{
    static const double LONGEST = 1e9;
    return fmin(fmax(seconds, 0.0), LONGEST);
}

void crowd_guard_hear(crowd_guard *guard, double ran, double delayed)
{
    guard->ran += time_told(ran);
    guard->delayed += time_told(delayed);
}

void crowd_guard_learn(crowd_guard *guard, uint32_t n_workers)
{
    const double ran = guard->ran + n_workers * GRACE;
    const double processors = n_workers * ran / (ran + guard->delayed);
    guard->width = processors < 1.5 ? 1 : (uint32_t) (processors + 0.5);
    guard->ran *= KEPT;
    guard->delayed *= KEPT;
}

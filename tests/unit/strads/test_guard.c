/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/strads/test_guard.c - the guarded step, on the worst case there is:
 *
 *   F(x) = 1/2 (x_1 + ... + x_m - 1)^2
 *
 * where every member minimises over its own x_k, and all at once overshoot m-fold. The
 * workers are threads of this test with an exchange of a few lines.
 */
#include "strads/guard.h"

#include <string.h>

#include "base/mem.h"
#include "base/tasks.h"
#include "net/barrier.h"
#include "strads/worker_work.h"
#include "tests/support/suite.h"

enum { MEMBERS = 3, MANY = 9, MAX_STEPS = 40, MAX_N = 16 };

typedef struct crowd {
    uint32_t n_members;
    net_barrier barrier;
    double sum[MAX_N];
    const double *vectors[MANY];
} crowd;

struct strads_worker {
    crowd *all;
    uint32_t rank;
    uint32_t n_steps;
    bool solve;
    step_guard guard;
    double shared; /* sum of x - 1 */
    double own;    /* x of this member */
    double step_size;
    double farthest;
    strads_status status;
};

/* ---- the services that the guard asks for ---- */

uint32_t strads_worker_rank(const strads_worker *worker)
{
    return worker->rank;
}

uint32_t strads_worker_members(const strads_worker *worker)
{
    return worker->all->n_members;
}

void worker_count_updates(strads_worker *worker, double n)
{
    (void) worker;
    (void) n;
}

void worker_count_numbers(strads_worker *worker, size_t n)
{
    (void) worker;
    (void) n;
}

static strads_status add_up(strads_worker *worker, double *vector, const double *base, size_t n)
{
    crowd *all = worker->all;
    double sum[MAX_N];
    REQUIRE(n <= MAX_N);
    all->vectors[worker->rank] = vector;
    if (!net_barrier_wait(&all->barrier, all->n_members)) {
        return STRADS_ERR_CLOSED;
    }
    for (size_t i = 0; i < n; i++) {
        const double origin = base == NULL ? 0.0 : base[i];
        sum[i] = origin;
        for (uint32_t k = 0; k < all->n_members; k++) {
            sum[i] += all->vectors[k][i] - origin;
        }
    }
    if (!net_barrier_wait(&all->barrier, all->n_members)) {
        return STRADS_ERR_CLOSED;
    }
    memcpy(vector, sum, n * sizeof(*vector));
    return net_barrier_wait(&all->barrier, all->n_members) ? STRADS_OK : STRADS_ERR_CLOSED;
}

strads_status worker_exchange(strads_worker *worker, double *vector, const double *base, size_t n,
                              double *extra, size_t n_extra)
{
    const strads_status status = add_up(worker, vector, base, n);
    return status == STRADS_OK && n_extra > 0 ? add_up(worker, extra, NULL, n_extra) : status;
}

/* ---- the problem ---- */

static double sweep(void *self, uint32_t part, uint32_t n_parts)
{
    strads_worker *worker = self;
    const double move = -worker->step_size * worker->shared;
    if (part + 1 < n_parts) {
        return 0.0; /* the only variable is in the last slice */
    }
    worker->own += move;
    worker->shared += move;
    return fabs(move);
}

static double shared_objective(void *self)
{
    const strads_worker *worker = self;
    return 0.5 * worker->shared * worker->shared;
}

static double own_objective(void *self)
{
    (void) self;
    return 0.0;
}

static void *run_member(void *argument)
{
    strads_worker *worker = argument;
    const strads_step step = {.self = worker,
                              .shared = &worker->shared,
                              .n_shared = 1,
                              .own = &worker->own,
                              .n_own = 1,
                              .n_updates = 1,
                              .sweep = sweep,
                              .n_parts = 1,
                              .shared_objective = shared_objective,
                              .own_objective = own_objective};
    step_guard_start(&worker->guard, worker->solve);
    for (uint32_t i = 0; i < worker->n_steps && worker->status == STRADS_OK; i++) {
        worker->shared = worker->n_steps > 1 ? -1.0 : worker->shared; /* the same each time */
        worker->status = step_guard_run(&worker->guard, worker, &step, &worker->farthest);
    }
    return NULL;
}

static void run(strads_worker *workers, uint32_t n_members, uint32_t n_steps, double step_size)
{
    static crowd all;
    pthread_t threads[MANY];
    all = (crowd){.n_members = n_members};
    REQUIRE_OK(net_barrier_init(&all.barrier));
    for (uint32_t k = 0; k < n_members; k++) {
        workers[k] = (strads_worker){.all = &all,
                                     .rank = k,
                                     .n_steps = n_steps,
                                     .solve = n_steps != 1,
                                     .shared = -1.0,
                                     .step_size = step_size};
        REQUIRE_OK(strads_thread_start(&threads[k], "member", run_member, &workers[k]));
    }
    for (uint32_t k = 0; k < n_members; k++) {
        pthread_join(threads[k], NULL);
        CHECK_STATUS(workers[k].status, STRADS_OK);
    }
    net_barrier_fini(&all.barrier);
}

static void done(strads_worker *workers, uint32_t n_members)
{
    for (uint32_t k = 0; k < n_members; k++) {
        step_guard_fini(&workers[k].guard);
    }
}

static void a_step_that_raises_the_objective_is_undone_and_done_in_turn(void)
{
    strads_worker workers[MEMBERS];
    run(workers, MEMBERS, 1, 1.0);
    for (uint32_t k = 0; k < MEMBERS; k++) {
        CHECK_NEAR(workers[k].shared, 0.0, 0.0);
        CHECK_NEAR(workers[k].own, k == 0 ? 1.0 : 0.0, 0.0); /* the first took it all */
        CHECK_NEAR(workers[k].farthest, 1.0, 0.0);
        CHECK(workers[k].guard.n_guarded == 1 && workers[k].guard.n_steps == 1);
        CHECK(workers[k].guard.n_updates == 2); /* in vain, and in turn */
    }
    done(workers, MEMBERS);
}

static void a_step_that_lowers_it_stands(void)
{
    strads_worker workers[MEMBERS];
    run(workers, MEMBERS, 1, 1.0 / MEMBERS);
    for (uint32_t k = 0; k < MEMBERS; k++) {
        CHECK_NEAR(workers[k].shared, 0.0, 1e-15);
        CHECK_NEAR(workers[k].own, 1.0 / MEMBERS, 1e-15);
        CHECK(workers[k].guard.n_guarded == 0 && workers[k].guard.n_updates == 1);
    }
    done(workers, MEMBERS);
}

static void after_three_strikes_steps_go_in_turn_at_once(void)
{
    strads_worker workers[MEMBERS];
    run(workers, MEMBERS, MAX_STEPS, 1.0);
    for (uint32_t k = 0; k < MEMBERS; k++) {
        CHECK(workers[k].guard.n_steps == MAX_STEPS);
        CHECK(workers[k].guard.n_guarded == 3);
        CHECK(workers[k].guard.n_updates == MAX_STEPS + 3);
        CHECK_NEAR(workers[k].shared, 0.0, 0.0);
    }
    done(workers, MEMBERS);
}

static void more_than_eight_leave_the_step_undone_and_give_the_push_up(void)
{
    strads_worker workers[MANY];
    run(workers, MANY, 5, 1.0);
    for (uint32_t k = 0; k < MANY; k++) {
        CHECK_NEAR(workers[k].shared, -1.0, 0.0);
        CHECK_NEAR(workers[k].own, 0.0, 0.0);
        CHECK_NEAR(workers[k].farthest, 0.0, 0.0);
        CHECK(workers[k].guard.n_steps == 1 && workers[k].guard.n_guarded == 1);
        CHECK(workers[k].guard.n_updates == 1);
    }
    done(workers, MANY);
}

static void of_a_drawn_round_many_do_it_in_turn_too(void)
{
    strads_worker workers[MANY];
    run(workers, MANY, 1, 1.0);
    for (uint32_t k = 0; k < MANY; k++) {
        CHECK_NEAR(workers[k].shared, 0.0, 0.0);
        CHECK(workers[k].guard.n_guarded == 1 && workers[k].guard.n_updates == 2);
    }
    done(workers, MANY);
}

static void who_is_alone_is_neither_checked_nor_copied(void)
{
    strads_worker worker;
    const size_t live_before = strads_mem_live();
    run(&worker, 1, 1, 3.0); /* overshoots, and nobody minds */
    CHECK_NEAR(worker.shared, 2.0, 0.0);
    CHECK(worker.guard.n_guarded == 0);
    CHECK(strads_mem_live() == live_before);
    done(&worker, 1);
}

static void a_wide_round_that_was_given_up_is_followed_by_a_narrower_one(void)
{
    width_guard guard = width_guard_start(64);
    width_guard_learn(&guard, 64, 100, 1);
    CHECK(guard.width == 32);
    guard = width_guard_start(8);
    width_guard_learn(&guard, 8, 100, 1);
    CHECK(guard.width == 8);
    guard = width_guard_start(64); /* of fewer blocks than there might have been */
    width_guard_learn(&guard, 4, 10, 10);
    CHECK(guard.width == 2);
    for (int i = 0; i < 100; i++) {
        width_guard_learn(&guard, 1, 10, 0);
    }
    CHECK(guard.width == 2); /* a single block tells nothing of two */
}

static void often_undone_rounds_get_fewer_blocks_and_clean_ones_more_again(void)
{
    width_guard guard = width_guard_start(8);
    CHECK(guard.width == 8);
    width_guard_learn(&guard, 8, 10, 2); /* one in five: no */
    CHECK(guard.width == 8);
    width_guard_learn(&guard, 8, 10, 3);
    CHECK(guard.width == 4);
    width_guard_learn(&guard, 4, 10, 10);
    width_guard_learn(&guard, 2, 10, 10);
    CHECK(guard.width == 1);
    width_guard_learn(&guard, 1, 10, 10); /* a single block is not to blame */
    CHECK(guard.width == 1);
    for (int i = 0; i < 4; i++) {
        CHECK(guard.width == 1);
        width_guard_learn(&guard, 1, 10, 0);
    }
    CHECK(guard.width == 2);
    for (int i = 0; i < 100; i++) {
        width_guard_learn(&guard, guard.width, 10, 0);
    }
    CHECK(guard.width == 8);
}

/* A scan of n workers, each of which ran for `ran` and was delayed for `delayed`. */
static void hear_of_scan(crowd_guard *guard, uint32_t n, double ran, double delayed)
{
    for (uint32_t k = 0; k < n; k++) {
        crowd_guard_hear(guard, ran, delayed);
    }
    crowd_guard_learn(guard, n);
}

static void a_set_goes_to_as_many_workers_as_had_a_processor_in_scans(void)
{
    crowd_guard guard = crowd_guard_start();
    CHECK(guard.width == UINT32_MAX);
    hear_of_scan(&guard, 8, 0.01, 0.0001);
    CHECK(guard.width == 8);
    guard = crowd_guard_start(); /* four on two processors */
    hear_of_scan(&guard, 4, 0.01, 0.01);
    CHECK(guard.width == 2);
    guard = crowd_guard_start(); /* two, one of which shares its processor */
    crowd_guard_hear(&guard, 0.01, 0.0);
    crowd_guard_hear(&guard, 0.01, 0.01);
    crowd_guard_learn(&guard, 2);
    CHECK(guard.width == 1);
    guard = crowd_guard_start();
    hear_of_scan(&guard, 2, 0.0, 100.0);
    CHECK(guard.width == 1);
    guard = crowd_guard_start(); /* no other process need be believed */
    hear_of_scan(&guard, 2, -1.0, -1.0);
    CHECK(guard.width == 2);
    hear_of_scan(&guard, 2, 1e308, 1e308);
    CHECK(guard.width == 1);
}

static void short_scans_narrow_sets_only_together(void)
{
    crowd_guard guard = crowd_guard_start();
    hear_of_scan(&guard, 2, 5e-5, 5e-5); /* woken late once */
    CHECK(guard.width == 2);
    int n_scans = 1;
    for (; n_scans < 100 && guard.width == 2; n_scans++) {
        hear_of_scan(&guard, 2, 5e-5, 5e-5);
    }
    CHECK(guard.width == 1 && n_scans < 10);
}

static void sets_are_shared_again_soon_after_the_others_have_left(void)
{
    crowd_guard guard = crowd_guard_start();
    for (int i = 0; i < 100; i++) {
        hear_of_scan(&guard, 2, 0.01, 0.01);
        CHECK(guard.width == 1);
    }
    int n_scans = 0;
    for (; n_scans < 100 && guard.width == 1; n_scans++) {
        hear_of_scan(&guard, 2, 0.01, 0.0);
    }
    CHECK(guard.width == 2 && n_scans > 1 && n_scans < 10);
    hear_of_scan(&guard, 2, 0.01, 0.002); /* for a moment */
    CHECK(guard.width == 2);
}

SUITE("strads/guard",
      {"a step that raises the objective is undone and done in turn",
       a_step_that_raises_the_objective_is_undone_and_done_in_turn},
      {"a step that lowers it stands", a_step_that_lowers_it_stands},
      {"after three strikes steps go in turn at once",
       after_three_strikes_steps_go_in_turn_at_once},
      {"more than eight leave the step undone, and give the push up",
       more_than_eight_leave_the_step_undone_and_give_the_push_up},
      {"of a drawn round many do it in turn, too", of_a_drawn_round_many_do_it_in_turn_too},
      {"who is alone is neither checked nor copied", who_is_alone_is_neither_checked_nor_copied},
      {"a wide round that was given up is followed by a narrower one",
       a_wide_round_that_was_given_up_is_followed_by_a_narrower_one},
      {"often undone rounds get fewer blocks, and clean ones more again",
       often_undone_rounds_get_fewer_blocks_and_clean_ones_more_again},
      {"a set goes to as many workers as had a processor in scans",
       a_set_goes_to_as_many_workers_as_had_a_processor_in_scans},
      {"short scans narrow sets only together", short_scans_narrow_sets_only_together},
      {"sets are shared again soon after the others have left",
       sets_are_shared_again_soon_after_the_others_have_left})

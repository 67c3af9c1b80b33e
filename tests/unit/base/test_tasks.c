/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_tasks.c - threads with signals blocked, and parallel loops. */
#define _GNU_SOURCE /* pthread_getname_np */
#include "base/tasks.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

enum { MAX_N = 100 };

typedef struct loop {
    _Atomic int visits[MAX_N];
    _Atomic int n_calls;
} loop;

static strads_status visit(void *context, size_t first, size_t last)
{
    loop *job = context;
    atomic_fetch_add(&job->n_calls, 1);
    for (size_t i = first; i < last; i++) {
        atomic_fetch_add(&job->visits[i], 1);
    }
    return STRADS_OK;
}

static void every_index_is_visited_exactly_once(void)
{
    for (uint32_t n_threads = 1; n_threads <= 5; n_threads++) {
        for (size_t n = 0; n <= MAX_N; n += n < 12 ? 1 : 11) {
            loop job = {.n_calls = 0};
            const int expected = (int) (n < n_threads ? n : n_threads);
            REQUIRE_OK(strads_parallel_for(n_threads, n, visit, &job));
            CU_ASSERT_EQUAL(job.n_calls, expected);
            for (size_t i = 0; i < MAX_N; i++) {
                CU_ASSERT_EQUAL(job.visits[i], i < n ? 1 : 0);
            }
        }
    }
}

static strads_status note_lengths(void *context, size_t first, size_t last)
{
    size_t *lengths = context;
    lengths[first] = last - first;
    return STRADS_OK;
}

static void the_ranges_are_balanced(void)
{
    size_t lengths[10] = {0};
    const size_t expected[10] = {4, 0, 0, 0, 3, 0, 0, 3, 0, 0};
    REQUIRE_OK(strads_parallel_for(3, 10, note_lengths, lengths));
    CU_ASSERT_EQUAL(memcmp(lengths, expected, sizeof(expected)), 0);
}

static strads_status fail_by_place(void *context, size_t first, size_t last)
{
    const size_t *fail_from = context;
    (void) last;
    if (first < *fail_from) {
        return STRADS_OK;
    }
    return first == *fail_from ? STRADS_ERR_DATA : STRADS_ERR_IO;
}

static void the_lowest_range_that_fails_decides(void)
{
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(strads_parallel_for(4, 4, fail_by_place, &i), STRADS_ERR_DATA);
    }
    size_t nowhere = 4;
    CHECK_STATUS(strads_parallel_for(4, 4, fail_by_place, &nowhere), STRADS_OK);
}

static strads_status note_thread(void *context, size_t first, size_t last)
{
    pthread_t *threads = context;
    (void) last;
    threads[first] = pthread_self();
    return STRADS_OK;
}

static void the_first_range_runs_on_the_callers_thread(void)
{
    pthread_t threads[2];
    REQUIRE_OK(strads_parallel_for(2, 2, note_thread, threads));
    CHECK(pthread_equal(threads[0], pthread_self()));
    CHECK(!pthread_equal(threads[1], pthread_self()));
}

static void no_memory_is_a_status(void)
{
    loop job = {.n_calls = 0};
    strads_mem_fail_after(1);
    CHECK_STATUS(strads_parallel_for(2, 2, visit, &job), STRADS_ERR_NOMEM);
    CU_ASSERT_EQUAL(job.n_calls, 0);
}

static void *look_around(void *argument)
{
    pthread_sigmask(SIG_BLOCK, NULL, argument);
    return NULL;
}

static void a_thread_leaves_signals_to_the_first_one(void)
{
    sigset_t inside;
    sigset_t before;
    sigset_t after;
    pthread_t thread;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    REQUIRE_OK(strads_thread_start(&thread, "a-name-of-15-by", look_around, &inside));
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    CHECK(sigismember(&inside, SIGINT) == 1);
    CHECK(sigismember(&inside, SIGTERM) == 1);
    CU_ASSERT_EQUAL(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

static void *wait_for_it(void *argument)
{
    pthread_barrier_wait(argument);
    return NULL;
}

static void a_thread_has_its_name(void)
{
    pthread_t thread;
    pthread_barrier_t barrier;
    char name[16] = "";
    REQUIRE(pthread_barrier_init(&barrier, NULL, 2) == 0);
    REQUIRE_OK(strads_thread_start(&thread, "strads-test", wait_for_it, &barrier));
    CU_ASSERT_EQUAL(pthread_getname_np(thread, name, sizeof(name)), 0);
    CHECK_TEXT(name, "strads-test");
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&barrier);
}

SUITE("base/tasks", {"every index is visited exactly once", every_index_is_visited_exactly_once},
      {"the ranges are balanced", the_ranges_are_balanced},
      {"the lowest range that fails decides", the_lowest_range_that_fails_decides},
      {"the first range runs on the caller's thread", the_first_range_runs_on_the_callers_thread},
      {"no memory is a status", no_memory_is_a_status},
      {"a thread leaves signals to the first one", a_thread_leaves_signals_to_the_first_one},
      {"a thread has its name", a_thread_has_its_name})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/tasks.c - named threads and parallel loops. */
#define _GNU_SOURCE /* pthread_setname_np, sched_getaffinity */
#include "base/tasks.h"

#include <assert.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

uint32_t strads_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    const int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (uint32_t) n;
}

strads_status strads_thread_start(pthread_t *out, const char *name, void *(*body)(void *),
                                  void *argument)
{
    assert(strlen(name) <= 15);
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int refused = pthread_create(&thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (refused != 0) {
        strads_error("cannot start thread %s: %s", name, strerrordesc_np(refused));
        return STRADS_ERR_SYSTEM;
    }
    pthread_setname_np(thread, name);
    *out = thread;
    return STRADS_OK;
}

strads_status strads_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    const bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made ? STRADS_OK : STRADS_ERR_SYSTEM;
}

/* strads_now is the monotonic clock: only simulated runs replace it, and they have no
 * second thread. */
void strads_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, double seconds)
{
    const double until = strads_now() + seconds;
    const double whole = floor(until);
    const struct timespec moment = {.tv_sec = (time_t) whole,
                                    .tv_nsec = (long) (1e9 * (until - whole))};
    pthread_cond_timedwait(cond, lock, &moment);
}

typedef struct range {
    strads_status (*body)(void *context, size_t first, size_t last);
    void *context;
    size_t first, last;
    strads_status status;
    pthread_t thread;
} range;

static void *run_range(void *argument)
{
    range *task = argument;
    task->status = task->body(task->context, task->first, task->last);
    return NULL;
}

/* Cuts [0, n) into ranges whose lengths differ by at most one, the longer first. */
static void cut_ranges(range *ranges, size_t n_ranges, size_t n, const range *model)
{
    size_t first = 0;
    for (size_t i = 0; i < n_ranges; i++) {
        ranges[i] = *model;
        ranges[i].first = first;
        first += n / n_ranges + (i < n % n_ranges ? 1 : 0);
        ranges[i].last = first;
    }
}

/* Runs range 0 on this thread and the others on threads of their own. */
static strads_status run_ranges(range *ranges, size_t n_ranges)
{
    strads_status status = STRADS_OK;
    size_t n_started = 1;
    while (n_started < n_ranges && status == STRADS_OK) {
        status = strads_thread_start(&ranges[n_started].thread, "strads-task", run_range,
                                     &ranges[n_started]);
        n_started += status == STRADS_OK ? 1 : 0;
    }
    if (status == STRADS_OK) {
        run_range(&ranges[0]);
    }
    for (size_t i = 1; i < n_started; i++) {
        pthread_join(ranges[i].thread, NULL);
    }
    for (size_t i = 0; i < n_ranges && status == STRADS_OK; i++) {
        status = ranges[i].status;
    }
    return status;
}

strads_status strads_parallel_for(uint32_t n_threads, size_t n,
                                  strads_status (*body)(void *context, size_t first, size_t last),
                                  void *context)
{
    assert(n_threads > 0);
    if (n == 0) {
        return STRADS_OK;
    }
    if (n_threads == 1 || n == 1) {
        return body(context, 0, n);
    }
    const size_t n_ranges = n < n_threads ? n : n_threads;
    range *ranges = strads_calloc(n_ranges, sizeof(*ranges));
    if (ranges == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const range model = {.body = body, .context = context};
    cut_ranges(ranges, n_ranges, n, &model);
    const strads_status status = run_ranges(ranges, n_ranges);
    strads_free(ranges);
    return status;
}

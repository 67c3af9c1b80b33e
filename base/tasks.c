/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/tasks.c - named threads and parallel loops. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "base/tasks.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

strads_status strads_thread_start(pthread_t *out, const char *name, void *(*body)(void *),
                                  void *argument)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int refused = pthread_create(out, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (refused != 0) {
        strads_error("cannot start thread %s: %s", name, strerrordesc_np(refused));
        return STRADS_ERR_SYSTEM;
    }
    pthread_setname_np(*out, name);
    return STRADS_OK;
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

strads_status strads_parallel_for(uint32_t n_threads, size_t n,
                                  strads_status (*body)(void *context, size_t first, size_t last),
                                  void *context)
{
    assert(n_threads > 0);
    if (n_threads == 1 || n <= 1) {
        return body(context, 0, n);
    }
    const size_t n_ranges = n < n_threads ? n : n_threads;
    range *ranges = strads_calloc(n_ranges, sizeof(*ranges));
    if (ranges == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = STRADS_OK;
    size_t n_started = 1; /* range 0 is the caller's own */
    for (size_t i = 0; i < n_ranges; i++) {
        ranges[i] = (range){.body = body,
                            .context = context,
                            .first = n / n_ranges * i + (i < n % n_ranges ? i : n % n_ranges)};
        ranges[i].last = ranges[i].first + n / n_ranges + (i < n % n_ranges ? 1 : 0);
    }
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
    for (size_t i = 0; i < n_started && status == STRADS_OK; i++) {
        status = ranges[i].status;
    }
    strads_free(ranges);
    return status;
}

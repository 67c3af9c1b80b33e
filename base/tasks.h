/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/tasks.h - threads for work outside the rounds: loading, generating; and waiting
 * with a limit.
 *
 * With net/'s drivers the only place that creates threads.
 */
#ifndef STRADS_BASE_TASKS_H
#define STRADS_BASE_TASKS_H

#include <pthread.h>

#include "base/base.h"

/* The cores that this process may use, at least 1. */
STRADS_API uint32_t strads_cores(void);

/* Starts a named thread (name: at most 15 bytes) running body(argument), with all
 * signals blocked, so that the process's first thread takes them. */
STRADS_MUST_CHECK strads_status strads_thread_start(pthread_t *out, const char *name,
                                                    void *(*body)(void *), void *argument);

/* A condition to wait on by strads_cond_wait. */
STRADS_MUST_CHECK strads_status strads_cond_init(pthread_cond_t *cond);
/* As pthread_cond_wait, for at most so many seconds (real ones). */
void strads_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, double seconds);

/* Calls body(context, first, last) over [0, n) cut into at most n_threads
 * contiguous ranges, and returns when all are done: OK, or the status of the
 * lowest range that failed, or SYSTEM when a thread cannot start (some ranges have
 * run then). The first range runs on the caller's thread; n = 0 calls nothing. */
STRADS_API STRADS_MUST_CHECK strads_status
strads_parallel_for(uint32_t n_threads, size_t n,
                    strads_status (*body)(void *context, size_t first, size_t last), void *context);

#endif

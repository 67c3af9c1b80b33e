/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/clock.c - the monotonic clock, replaceable. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static double (*source)(void *context);
static void *source_context;

static double read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

double strads_now(void)
{
    return source != NULL ? source(source_context) : read_clock(CLOCK_MONOTONIC);
}

double strads_thread_seconds(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* Linux's, per thread: nanoseconds on a processor, those waiting for one, and how often. */
double strads_thread_delayed(void)
{
    uint64_t delayed = 0;
    FILE *file = source == NULL ? fopen("/proc/thread-self/schedstat", "r") : NULL;
    if (file != NULL) {
        if (fscanf(file, "%*u %" SCNu64, &delayed) != 1) {
            delayed = 0;
        }
        (void) fclose(file);
    }
    return 1e-9 * (double) delayed;
}

void strads_clock_set_source(double (*replacement)(void *context), void *context)
{
    source = replacement;
    source_context = context;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/clock.c - the monotonic clock, replaceable. */
#include "base/clock.h"

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

void strads_clock_set_source(double (*replacement)(void *context), void *context)
{
    source = replacement;
    source_context = context;
}

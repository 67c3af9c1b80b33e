/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/clock.c - the monotonic clock, replaceable. */
#include "base/clock.h"

#include <time.h>

static double (*source)(void *context);
static void *source_context;

static double system_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

double strads_now(void)
{
    return source != NULL ? source(source_context) : system_now();
}

void strads_clock_set_source(double (*replacement)(void *context), void *context)
{
    source = replacement;
    source_context = context;
}

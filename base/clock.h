/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/clock.h - the one place where time is read.
 *
 * The source can be replaced, so that a simulated cluster or a test decides what
 * time it is.
 */
#ifndef STRADS_BASE_CLOCK_H
#define STRADS_BASE_CLOCK_H

#include "base/base.h"

/* Seconds since an arbitrary start; never goes back. Any thread. */
STRADS_API double strads_now(void);

/* Seconds of a processor that the calling thread has used; always real. */
double strads_thread_seconds(void);

/* Seconds that the calling thread was ready to run while others had the processors; 0 where
 * the system does not tell, and while strads_now is replaced. Takes some microseconds. */
double strads_thread_delayed(void);

/* Makes strads_now return source(context); NULL restores the system's monotonic
 * clock. Call while no other thread reads the clock. */
void strads_clock_set_source(double (*source)(void *context), void *context);

#endif

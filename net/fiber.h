/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/fiber.h - a function with a stack of its own, which may wait in the middle and
 * be taken up again. All on the caller's thread: a hand-over is a switch of context.
 *
 * A fiber runs one body after another. Its stack is touched as far as it is used, and
 * a page below it turns an overflow into a fault.
 */
#ifndef STRADS_NET_FIBER_H
#define STRADS_NET_FIBER_H

#include "base/base.h"

typedef struct net_fiber net_fiber;

STRADS_MUST_CHECK strads_status net_fiber_create(net_fiber **out);

/* NULL is allowed. No body may be waiting. */
void net_fiber_destroy(net_fiber *fiber);

/* Runs body(argument) until it waits (false) or returns (true). The one before must
 * have returned. */
STRADS_MUST_CHECK bool net_fiber_call(net_fiber *fiber, void (*body)(void *argument),
                                      void *argument);

/* Goes on where the body waits; returns as net_fiber_call. */
STRADS_MUST_CHECK bool net_fiber_resume(net_fiber *fiber);

/* Called by the body: returns once somebody resumes it. */
void net_fiber_wait(net_fiber *fiber);

#endif

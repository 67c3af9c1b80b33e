/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/trace.h - the schedule of each round, to be read: lines of the log at level
 * STRADS_LOG_TRACE. A long round is shortened. A priority below 0 is told as 0.
 *
 *   round 3: 8 candidates for 4 places, 4 in flight
 *     taken    variable 17, priority 0.131, cost 205
 *     rejected variable 31, priority 0.09, cost 205: correlated with 17, r = 0.83, over the cap
 *     rejected variable 8, priority 0.02, cost 205: correlated with 29 in flight, r = 0.41
 *     spare    variable 99, priority 0.01, cost 205: the round is full
 *   round 3: worker 0, cost 410: [17] [5 30]
 */
#ifndef STRADS_STRADS_TRACE_H
#define STRADS_STRADS_TRACE_H

#include "strads/planner.h"

/* Whether anybody reads: the functions below are for nothing then. */
static inline bool trace_is_on(void)
{
    return strads_log_get_level() >= STRADS_LOG_TRACE;
}

/* The candidates of the drawn round that plan->blocks were made from, with what became
 * of each. n_in_flight: of plan->in_flight, those that were checked. */
void trace_candidates(const planner *plan, size_t n_in_flight);

/* Who does what in round `round`. */
void trace_assignment(const planner *plan, uint64_t round, const assignment *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/planner_parts.h - what the parts of the planner call of each other. */
#ifndef STRADS_STRADS_PLANNER_PARTS_H
#define STRADS_STRADS_PLANNER_PARTS_H

#include "strads/planner.h"

/* ---- planner.c ---- */

/* plan->costs[i] := the cost of vars[i]; *total: their sum. */
STRADS_MUST_CHECK strads_status planner_find_costs(planner *plan, const uint32_t *vars, size_t n,
                                                   double *total);

/* Asks the checker about vars; READY when it knows them all. */
STRADS_MUST_CHECK strads_status planner_ask(planner *plan, const uint32_t *vars, size_t n,
                                            plan_outcome *outcome);

/* ---- planner_set.c ---- */

/* planner_begin for working sets. */
STRADS_MUST_CHECK strads_status planner_begin_set(planner *plan, const double *values, double worst,
                                                  plan_outcome *outcome);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/planned.h - a plan under test, whose shards are the test's. */
#ifndef STRADS_TESTS_PLANNED_H
#define STRADS_TESTS_PLANNED_H

#include "strads/planner.h"
#include "tests/support/local_shards.h"
#include "tests/support/suite.h"

static planner plan;
static local_shards locals;

static inline void finish(void)
{
    planner_fini(&plan);
    local_shards_fini(&locals);
}

/* Lets the plan go on until it waits for no draw. */
static inline strads_status draw_all(plan_outcome *outcome)
{
    uint32_t twice = 0;
    strads_status status = STRADS_OK;
    while (*outcome == PLAN_WAIT && status == STRADS_OK) {
        status = local_shards_answer(&locals, plan.shards, &twice);
        if (status == STRADS_OK) {
            status = planner_go_on(&plan, outcome);
        }
    }
    return status;
}

/* Whether the round has the variable. */
static inline bool holds(uint32_t var)
{
    for (size_t i = 0; i < plan.blocks.n_vars; i++) {
        if (plan.blocks.vars[i] == var) {
            return true;
        }
    }
    return false;
}

#endif

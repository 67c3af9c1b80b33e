/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/planner_set.c - who solves the next working set, and how it is cut. */
#include <math.h>

#include "strads/planner_parts.h"

enum {
    CHECK_FROM_WIDTH = 4, /* a contiguous cut of a working set is as good below */
    EXCHANGES = 5,        /* in a sweep: of four slices, and of the objective */
    SWEEPS = 20           /* over a set, at least, once it is lent */
};

/* A working set is checked once the worst score has fallen to this share of the
 * first: before, it changes too much from round to round to repay the check. */
static const double CHECK_LATE = 0.1;

/* By how many of at most `most` workers a sweep over a set that costs `total` is done
 * soonest, exchanges included, and `lending` for fewer than all workers. So as not to depend
 * on the network, a deterministic run takes them all. */
static uint32_t width_that_pays(const planner *plan, double total, uint32_t most, double lending)
{
    if (plan->node == NULL || plan->options.run.deterministic) {
        return most;
    }
    uint32_t best = most;
    double least = INFINITY;
    for (uint32_t width = most; width > 0; width /= 2) {
        const double exchange =
            net_exchange_units(plan->node, width, plan->options.structure.n_shared);
        const double time = total / width + EXCHANGES * exchange + (width < most ? lending : 0.0);
        if (time < least) {
            least = time;
            best = width;
        }
    }
    return best;
}

/* How many may share the set at most. A deterministic run does not look at the time. */
static uint32_t width_allowed(const planner *plan)
{
    const uint32_t width = plan->width.width;
    return plan->options.run.deterministic || plan->crowd.width > width ? width : plan->crowd.width;
}

/* Where variables are split each worker takes part with its own, in one block for all, or
 * fewer borrow the others'. */
static strads_status choose_borrowers(planner *plan)
{
    const uint32_t n_workers = plan->options.run.n_workers;
    double total = 0.0;
    plan->set_width = 1;
    if (plan->loans.lent == NULL || plan->node == NULL) {
        return STRADS_OK;
    }
    strads_status status = planner_find_costs(plan, plan->set.vars, plan->set.n, &total);
    if (status == STRADS_OK) {
        status = loan_find(&plan->loans, 1, plan->set.vars, plan->costs, plan->set.n);
    }
    if (status != STRADS_OK) {
        return status;
    }
    /* About two numbers for each unit of an update's work: a value, and where it is. */
    const double lending =
        net_exchange_units(plan->node, n_workers, (size_t) (2.0 * plan->loans.next_cost));
    const uint32_t width = width_that_pays(plan, total, n_workers, lending / SWEEPS);
    plan->lends = width < n_workers;
    if (!plan->lends) {
        return STRADS_OK;
    }
    plan->set_width = width < width_allowed(plan) ? width : width_allowed(plan);
    return loan_find(&plan->loans, plan->set_width, plan->set.vars, plan->costs, plan->set.n);
}

/* How many solve the working set. */
static strads_status choose_width(planner *plan)
{
    plan->lends = false;
    if (plan->options.structure.split != STRADS_SPLIT_NONE) {
        return choose_borrowers(plan);
    }
    double total = 0.0;
    plan->set_width = width_allowed(plan);
    if (plan->set_width == 1) {
        return STRADS_OK;
    }
    const strads_status status = planner_find_costs(plan, plan->set.vars, plan->set.n, &total);
    plan->set_width = total < plan->options.structure.parallel_cost
                          ? 1
                          : width_that_pays(plan, total, plan->set_width, 0.0);
    return status;
}

strads_status planner_begin_set(planner *plan, const double *values, double worst,
                                plan_outcome *outcome)
{
    working_set *set = &plan->set;
    working_set_choose(set, values);
    if (set->n == 0) {
        *outcome = PLAN_NONE;
        return STRADS_OK;
    }
    strads_status status = choose_width(plan);
    if (status != STRADS_OK) {
        return status;
    }
    const uint32_t width = plan->set_width;
    if (width == 1) {
        *outcome = PLAN_READY;
        return strads_round_add(&plan->blocks, set->vars, set->n);
    }
    if (width < CHECK_FROM_WIDTH || plan->check == NULL || worst > CHECK_LATE) {
        *outcome = PLAN_READY;
        return round_cut(&plan->blocks, set->vars, plan->costs, set->n, width);
    }
    status = planner_ask(plan, set->vars, set->n, outcome);
    if (status == STRADS_OK && *outcome == PLAN_READY) {
        status = planner_finish(plan, outcome);
    }
    return status;
}

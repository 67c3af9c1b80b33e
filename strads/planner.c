/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/planner.c - the configured schedule; working sets are in planner_set.c. */
#include "strads/planner_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "strads/trace.h"

enum {
    MAX_REFILLS = 2,    /* draws for slots that the check emptied */
    KNOWN = 2,          /* rounds that the checker remembers */
    STUCK = 3,          /* scans without progress: priorities by movement are made afresh */
    SET_EDGES = 1 << 20 /* strongest pairs of a working set that a worker names */
};

static prio_policy policy_of(const run_options *run)
{
    switch (run->kind) {
    case SCHEDULE_RANDOM:
        return PRIO_UNIFORM;
    case SCHEDULE_CYCLIC:
    case SCHEDULE_DATA_PARALLEL: /* all of them */
    case SCHEDULE_ROTATION:
    case SCHEDULE_FREE:
        return PRIO_CYCLIC;
    default:
        return run->greedy ? PRIO_GREEDY : PRIO_SAMPLED;
    }
}

static strads_status init_drawing(planner *plan)
{
    const run_options *run = &plan->options.run;
    const prio_options options = {.policy = policy_of(run),
                                  .n_vars = plan->options.structure.n_vars,
                                  .eta = run->eta,
                                  .seed = run->seed};
    const strads_status status = prio_create(&plan->prio, &options);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t most = run->candidates > run->round ? run->candidates : run->round;
    const size_t room = most * (1 + MAX_REFILLS);
    const size_t in_flight = (size_t) run->round * (1 + run->pipeline);
    plan->candidates = strads_alloc_array(room, sizeof(*plan->candidates));
    plan->picked = strads_alloc_array(room, sizeof(*plan->picked));
    plan->asked = strads_alloc_array(room + in_flight, sizeof(*plan->asked));
    return plan->candidates == NULL || plan->picked == NULL || plan->asked == NULL
               ? STRADS_ERR_NOMEM
               : STRADS_OK;
}

static bool wants_check(const planner_options *options)
{
    return options->run.kind == SCHEDULE_STRUCTURE_AWARE && options->app->correlate != NULL &&
           options->run.check != CHECK_OFF && options->run.rho < 1.0 &&
           options->run.n_workers > 1 && options->structure.split != STRADS_SPLIT_SAMPLES;
}

/* Lending depends on the network, which a deterministic run must not. */
static bool may_lend(const planner_options *options)
{
    return options->structure.split == STRADS_SPLIT_VARIABLES && options->app->lend != NULL &&
           options->run.n_workers > 1 && !options->run.deterministic;
}

/* Variables that the first question of a drawn round may name. */
static size_t n_asked(const run_options *run)
{
    const size_t in_flight = run->check == CHECK_IN_FLIGHT ? run->pipeline : 0;
    return run->candidates + in_flight * run->round;
}

strads_status planner_init(planner *plan, const planner_options *options)
{
    *plan = (planner){.options = *options,
                      .width = width_guard_start(options->run.n_workers),
                      .crowd = crowd_guard_start(),
                      .urgent = options->structure.n_vars};
    strads_status status = STRADS_OK;
    if (schedule_takes_all(options->run.kind) ||
        schedule_makes_passes(options->run.kind, options->app)) {
        plan->options.run.round = plan->options.run.candidates = options->structure.n_vars;
    }
    if (options->run.solve) {
        status = working_set_init(&plan->set, options->structure.n_vars);
        if (status == STRADS_OK && may_lend(options)) {
            status = loan_init(&plan->loans, options->structure.n_vars);
        }
    } else if (options->run.kind != SCHEDULE_CUSTOM) {
        status = init_drawing(plan);
    }
    if (status == STRADS_OK && wants_check(options)) {
        const dependency_options check = {.rho = options->run.rho,
                                          .max_known = KNOWN * n_asked(&options->run)};
        status = dependency_create(&plan->check, &check);
    }
    if (status != STRADS_OK) {
        planner_fini(plan);
    }
    return status;
}

void planner_fini(planner *plan)
{
    prio_destroy(plan->prio);
    working_set_fini(&plan->set);
    loan_fini(&plan->loans);
    dependency_destroy(plan->check);
    round_fini(&plan->blocks);
    strads_free(plan->candidates);
    strads_free(plan->costs);
    strads_free(plan->picked);
    strads_free(plan->asked);
    *plan = (planner){.n_candidates = 0};
}

strads_status planner_restart(planner *plan)
{
    const planner_options options = plan->options;
    planner_fini(plan);
    return planner_init(plan, &options);
}

/* Whether priorities by movement have come to an end: none is left, and no floor. */
static bool has_run_dry(const planner *plan)
{
    bool dry = plan->options.run.eta == 0.0;
    for (uint32_t var = 0; dry && var < plan->options.structure.n_vars; var++) {
        dry = !(prio_score(plan->prio, var) > 0.0F);
    }
    return dry;
}

/* The variable with the largest score; n_vars when none is above 0. */
static uint32_t worst_of(const float *scores, uint32_t n_vars)
{
    uint32_t worst = n_vars;
    float largest = 0.0F;
    for (uint32_t var = 0; var < n_vars; var++) {
        if (scores[var] > largest) {
            worst = var;
            largest = scores[var];
        }
    }
    return worst;
}

double planner_draws_above(const planner *plan)
{
    const run_options *run = &plan->options.run;
    /* Whether priorities by movement have run dry is asked of whatever draws. */
    const bool by_score = run->kind == SCHEDULE_STRUCTURE_AWARE || run->by_delta;
    return plan->prio != NULL && by_score ? 0.0 : INFINITY;
}

void planner_scan_all(planner *plan, const float *scores, uint64_t n_stalled)
{
    const run_options *run = &plan->options.run;
    const uint32_t n_vars = plan->options.structure.n_vars;
    if (plan->prio == NULL) {
        return;
    }
    const bool stuck = n_stalled > 0 && n_stalled % STUCK == 0;
    if (!run->by_delta || stuck || has_run_dry(plan)) {
        prio_set_range(plan->prio, 0, n_vars, scores);
    }
    const bool rescues = run->kind == SCHEDULE_STRUCTURE_AWARE && n_stalled > 0;
    plan->urgent = rescues ? worst_of(scores, n_vars) : n_vars;
}

void planner_commit(planner *plan, const uint32_t *vars, size_t n, const float *moved)
{
    if (plan->prio != NULL) {
        prio_update(plan->prio, vars, n, moved);
        prio_return(plan->prio, vars, n);
    }
}

strads_status planner_find_costs(planner *plan, const uint32_t *vars, size_t n, double *total)
{
    if (n > plan->costs_capacity) {
        double *grown = strads_realloc(plan->costs, 2 * n * sizeof(*grown));
        if (grown == NULL) {
            return STRADS_ERR_NOMEM;
        }
        plan->costs = grown;
        plan->costs_capacity = 2 * n;
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const strads_status status =
            round_cost(plan->options.app, plan->options.site, vars[i], &plan->costs[i]);
        if (status != STRADS_OK) {
            return status;
        }
        sum += plan->costs[i];
    }
    *total = sum;
    return STRADS_OK;
}

strads_status planner_ask(planner *plan, const uint32_t *vars, size_t n, plan_outcome *outcome)
{
    const strads_status status = dependency_ask(plan->check, vars, n, &plan->question);
    if (status == STRADS_OK) {
        *outcome = plan->question.n > 0 ? PLAN_ASK : PLAN_READY;
    }
    return status;
}

/* ---- drawn rounds ---- */

/* Draws n more candidates, what is urgent first; false when there are none. */
static bool draw(planner *plan, size_t n)
{
    size_t n_drawn = 0;
    uint32_t *vars = plan->candidates + plan->n_candidates;
    const uint32_t urgent = plan->urgent;
    plan->urgent = plan->options.structure.n_vars;
    if (urgent < plan->options.structure.n_vars && prio_claim(plan->prio, urgent)) {
        vars[n_drawn++] = urgent;
    }
    n_drawn += prio_draw(plan->prio, n - n_drawn, vars + n_drawn);
    plan->n_candidates += n_drawn;
    return n_drawn > 0;
}

/* Variables in flight that candidates must not be correlated with. */
static size_t n_checked_in_flight(const planner *plan)
{
    return plan->options.run.check == CHECK_IN_FLIGHT ? plan->n_in_flight : 0;
}

static strads_status ask_about_candidates(planner *plan, plan_outcome *outcome)
{
    memcpy(plan->asked, plan->candidates, plan->n_candidates * sizeof(*plan->asked));
    const size_t n_in_flight = n_checked_in_flight(plan);
    if (n_in_flight > 0) {
        memcpy(plan->asked + plan->n_candidates, plan->in_flight,
               n_in_flight * sizeof(*plan->asked));
    }
    strads_status status =
        planner_ask(plan, plan->asked, plan->n_candidates + n_in_flight, outcome);
    if (status == STRADS_OK && *outcome == PLAN_READY) {
        status = planner_finish(plan, outcome);
    }
    return status;
}

static strads_status begin_drawn(planner *plan, plan_outcome *outcome)
{
    const run_options *run = &plan->options.run;
    plan->n_candidates = 0;
    plan->n_refills = 0;
    if (!draw(plan, plan->check != NULL ? run->candidates : run->round)) {
        *outcome = PLAN_NONE;
        return STRADS_OK;
    }
    if (plan->check != NULL) {
        return ask_about_candidates(plan, outcome);
    }
    double total = 0.0;
    const strads_status status =
        planner_find_costs(plan, plan->candidates, plan->n_candidates, &total);
    if (status == STRADS_OK && trace_is_on()) {
        trace_candidates(plan, 0);
    }
    *outcome = PLAN_READY;
    return status != STRADS_OK ? status
                               : round_cut(&plan->blocks, plan->candidates, plan->costs,
                                           plan->n_candidates, plan->width.width);
}

/* Gives back the candidates that were not picked. */
static void return_the_rest(planner *plan)
{
    for (size_t i = 0; i < plan->n_candidates; i++) {
        if (!plan->picked[i]) {
            prio_return(plan->prio, &plan->candidates[i], 1);
        }
    }
}

/* Workers that alone can update their variables; 0: any can. */
static uint32_t n_owners(const planner *plan)
{
    return plan->options.structure.split == STRADS_SPLIT_VARIABLES ? plan->options.run.n_workers
                                                                   : 0;
}

static strads_status finish_drawn(planner *plan, plan_outcome *outcome)
{
    const run_options *run = &plan->options.run;
    double total = 0.0;
    strads_status status = planner_find_costs(plan, plan->candidates, plan->n_candidates, &total);
    if (status != STRADS_OK) {
        return status;
    }
    const double mean = total / (double) plan->n_candidates;
    const dependency_candidates candidates = {.vars = plan->candidates,
                                              .costs = plan->costs,
                                              .n = plan->n_candidates,
                                              .limit = run->round,
                                              .cost_cap = mean * run->round / plan->width.width,
                                              .in_flight = plan->in_flight,
                                              .n_in_flight = n_checked_in_flight(plan),
                                              .n_owners = n_owners(plan),
                                              .firsts = plan->options.firsts};
    round_clear(&plan->blocks);
    status = dependency_pick(plan->check, &candidates, &plan->blocks, plan->picked);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_missing = run->round - plan->blocks.n_vars;
    if (n_missing > 0 && plan->n_refills < MAX_REFILLS) {
        plan->n_refills++;
        if (draw(plan, 2 * n_missing < run->candidates ? 2 * n_missing : run->candidates)) {
            return ask_about_candidates(plan, outcome);
        }
    }
    if (trace_is_on()) {
        trace_candidates(plan, n_checked_in_flight(plan));
    }
    return_the_rest(plan);
    *outcome = plan->blocks.n_vars > 0 ? PLAN_READY : PLAN_NONE;
    return STRADS_OK;
}

/* ---- the program's own schedule ---- */

static int by_index(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *) left;
    const uint32_t b = *(const uint32_t *) right;
    return (a > b) - (a < b);
}

/* Whether the program has named only variables that there are and that are free. */
static strads_status check_named(const planner *plan, const uint32_t *sorted, size_t n)
{
    const char *name = plan->options.app->name;
    for (size_t i = 0; i < n; i++) {
        if (sorted[i] >= plan->options.structure.n_vars) {
            strads_error("%s: schedule named variable %u of %u", name, sorted[i],
                         plan->options.structure.n_vars);
            return STRADS_ERR_APP;
        }
        if (i > 0 && sorted[i] == sorted[i - 1]) {
            strads_error("%s: schedule named variable %u twice in one round", name, sorted[i]);
            return STRADS_ERR_APP;
        }
    }
    for (size_t i = 0; i < plan->n_in_flight; i++) {
        if (bsearch(&plan->in_flight[i], sorted, n, sizeof(*sorted), by_index) != NULL) {
            strads_error("%s: schedule named variable %u, which the round before still holds "
                         "(schedule.pipeline is %u)",
                         name, plan->in_flight[i], plan->options.run.pipeline);
            return STRADS_ERR_APP;
        }
    }
    return STRADS_OK;
}

static strads_status check_blocks(const planner *plan)
{
    const size_t n = plan->blocks.n_vars;
    uint32_t *sorted = strads_alloc_array(n, sizeof(*sorted));
    if (sorted == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(sorted, plan->blocks.vars, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_index);
    const strads_status status = check_named(plan, sorted, n);
    strads_free(sorted);
    return status;
}

static strads_status begin_custom(planner *plan, const double *values, plan_outcome *outcome)
{
    strads_status status =
        plan->options.app->schedule(plan->options.model, plan->round, values, &plan->blocks);
    if (status == STRADS_OK && plan->blocks.n_vars > 0) {
        status = check_blocks(plan);
    }
    if (status == STRADS_OK) {
        *outcome = plan->blocks.n_vars > 0 ? PLAN_READY : PLAN_NONE;
    }
    return status;
}

/* ---- */

strads_status planner_begin(planner *plan, uint64_t round, const double *values, double worst,
                            plan_outcome *outcome)
{
    plan->round = round;
    round_clear(&plan->blocks);
    if (plan->options.run.solve) {
        return planner_begin_set(plan, values, worst, outcome);
    }
    return plan->options.run.kind == SCHEDULE_CUSTOM ? begin_custom(plan, values, outcome)
                                                     : begin_drawn(plan, outcome);
}

strads_status planner_finish(planner *plan, plan_outcome *outcome)
{
    if (!plan->options.run.solve) {
        return finish_drawn(plan, outcome);
    }
    *outcome = PLAN_READY;
    return dependency_cut(plan->check, plan->set.vars, plan->costs, plan->set.n, plan->set_width,
                          &plan->blocks);
}

size_t planner_question_edges(const planner *plan)
{
    return plan->options.run.solve ? SET_EDGES : 0;
}

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

prio_policy planner_policy(const run_options *run)
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

bool planner_has_shards(const run_options *run)
{
    return run->kind == SCHEDULE_STRUCTURE_AWARE && !run->solve;
}

/* Variables that the first draw of a round is to find. */
static size_t n_first_drawn(const planner *plan)
{
    const run_options *run = &plan->options.run;
    return plan->check != NULL ? run->candidates : run->round;
}

/* Each worker has a shard: its range; where all have everything, an even share. */
static strads_status open_shards(planner *plan)
{
    const run_options *run = &plan->options.run;
    const uint32_t n_workers = run->n_workers;
    uint32_t *firsts = strads_alloc_array((size_t) n_workers + 1, sizeof(*firsts));
    if (firsts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t k = 0; k <= n_workers; k++) {
        firsts[k] = round_shard_first(&plan->options.structure, plan->options.firsts, n_workers, k);
    }
    const prio_shards_options options = {.policy = planner_policy(run),
                                         .n_shards = n_workers,
                                         .firsts = firsts,
                                         .eta = run->eta,
                                         .seed = run->seed,
                                         .most = n_first_drawn(plan),
                                         .ahead = run->pipeline};
    const strads_status status = prio_shards_create(&plan->shards, &options);
    strads_free(firsts);
    return status;
}

static strads_status open_prioritizer(planner *plan)
{
    const run_options *run = &plan->options.run;
    const prio_options options = {
        .policy = planner_policy(run), .n_vars = plan->options.structure.n_vars, .seed = run->seed};
    return prio_create(&plan->prio, &options);
}

static strads_status init_drawing(planner *plan)
{
    const run_options *run = &plan->options.run;
    const strads_status status =
        planner_has_shards(run) ? open_shards(plan) : open_prioritizer(plan);
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
                      .crowd = crowd_guard_start()};
    strads_status status = STRADS_OK;
    if (schedule_takes_all(options->run.kind) ||
        schedule_makes_passes(options->run.kind, options->app)) {
        plan->options.run.round = plan->options.run.candidates = options->structure.n_vars;
    }
    if (wants_check(options)) {
        const dependency_options check = {.rho = options->run.rho,
                                          .max_known = KNOWN * n_asked(&options->run)};
        status = dependency_create(&plan->check, &check);
    }
    if (status == STRADS_OK && options->run.solve) {
        status = working_set_init(&plan->set, options->structure.n_vars);
        if (status == STRADS_OK && may_lend(options)) {
            status = loan_init(&plan->loans, options->structure.n_vars);
        }
    } else if (status == STRADS_OK && options->run.kind != SCHEDULE_CUSTOM) {
        status = init_drawing(plan);
    }
    if (status != STRADS_OK) {
        planner_fini(plan);
    }
    return status;
}

void planner_fini(planner *plan)
{
    prio_destroy(plan->prio);
    prio_shards_destroy(plan->shards);
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

/* ---- scans and commits ---- */

strads_status planner_scan_all(planner *plan, const plan_scan *scan)
{
    const run_options *run = &plan->options.run;
    if (plan->shards == NULL) {
        return STRADS_OK;
    }
    const bool stuck = scan->n_stalled > 0 && scan->n_stalled % STUCK == 0;
    const bool dry = run->eta == 0.0 && prio_shards_left(plan->shards).n_positive == 0;
    const bool fresh = !run->by_delta || stuck || dry;
    const strads_status status = prio_shards_scanned(plan->shards, fresh ? scan->totals : NULL);
    if (status == STRADS_OK && scan->n_stalled > 0 &&
        scan->worst < plan->options.structure.n_vars) {
        prio_shards_urge(plan->shards, scan->worst);
    }
    return status;
}

void planner_retire(planner *plan, const uint32_t *vars, size_t n)
{
    const float retired = PRIO_RETIRED;
    for (size_t i = 0; i < n && plan->prio != NULL; i++) {
        prio_update(plan->prio, &vars[i], 1, &retired);
    }
}

void planner_commit(planner *plan, const uint32_t *vars, size_t n, const float *moved)
{
    if (plan->shards != NULL) {
        prio_shards_return(plan->shards, vars, n, moved);
    } else if (plan->prio != NULL) {
        prio_return(plan->prio, vars, n); /* which looks at no score */
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

/* Draws candidates until all that are wanted are there, or there are no more; *waits: the
 * shards have to be asked before. */
static strads_status draw(planner *plan, bool *waits)
{
    uint32_t *vars = plan->candidates + plan->n_candidates;
    const size_t n = plan->n_wanted - plan->n_candidates;
    size_t n_drawn = 0;
    strads_status status = STRADS_OK;
    *waits = false;
    if (plan->shards != NULL) {
        status = prio_shards_draw(plan->shards, n, vars, &n_drawn, waits);
    } else {
        n_drawn = prio_draw(plan->prio, n, 0.0, vars);
    }
    plan->n_candidates += n_drawn;
    return status;
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

/* Blocks of unchecked candidates. */
static strads_status take_all(planner *plan, plan_outcome *outcome)
{
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

/* Gives back the candidates that were not picked; of a check, which only shards have. */
static void return_the_rest(planner *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->n_candidates; i++) {
        plan->asked[n] = plan->candidates[i];
        n += plan->picked[i] ? 0 : 1;
    }
    prio_shards_return(plan->shards, plan->asked, n, NULL);
}

/* The blocks are as full as they get. */
static void settle(planner *plan, plan_outcome *outcome)
{
    if (plan->n_candidates > 0 && trace_is_on()) {
        trace_candidates(plan, n_checked_in_flight(plan));
    }
    if (plan->n_candidates > 0) {
        return_the_rest(plan);
    }
    *outcome = plan->blocks.n_vars > 0 ? PLAN_READY : PLAN_NONE;
}

/* Draws, and goes on with what was drawn. */
static strads_status draw_on(planner *plan, plan_outcome *outcome)
{
    bool waits = false;
    const strads_status status = draw(plan, &waits);
    if (status != STRADS_OK) {
        return status;
    }
    if (waits) {
        *outcome = PLAN_WAIT;
        return STRADS_OK;
    }
    if (plan->n_candidates == plan->n_known) {
        settle(plan, outcome);
        return STRADS_OK;
    }
    return plan->check != NULL ? ask_about_candidates(plan, outcome) : take_all(plan, outcome);
}

static strads_status begin_drawn(planner *plan, plan_outcome *outcome)
{
    plan->n_candidates = plan->n_known = 0;
    plan->n_refills = 0;
    plan->n_wanted = n_first_drawn(plan);
    return draw_on(plan, outcome);
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
    plan->n_known = plan->n_candidates;
    if (n_missing > 0 && plan->n_refills < MAX_REFILLS) {
        plan->n_refills++;
        plan->n_wanted = plan->n_candidates +
                         (2 * n_missing < run->candidates ? 2 * n_missing : run->candidates);
        return draw_on(plan, outcome);
    }
    settle(plan, outcome);
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

strads_status planner_go_on(planner *plan, plan_outcome *outcome)
{
    return draw_on(plan, outcome);
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/trace.c - the schedule of each round, to be read. */
#include "strads/trace.h"

#include <math.h>
#include <string.h>

enum { MAX_CANDIDATES = 40, MAX_WORKERS = 40, LINE_BYTES = 400 };

#define TRACE(...) strads_log(STRADS_LOG_TRACE, __VA_ARGS__)

/* ---- candidates ---- */

typedef enum fate { TAKEN, REJECTED, SPARE, N_FATES } fate;

/* The candidates as trace_candidates looks at them. */
typedef struct review {
    const planner *plan;
    size_t n_in_flight;
    size_t n_seen; /* by the check, which ends when the round is full */
    uint32_t *taken;
    size_t n_taken; /* of those before the one that is looked at */
} review;

static bool is_taken(const planner *plan, size_t i)
{
    return plan->check == NULL || plan->picked[i] != 0;
}

/* What the check said of the candidate, which it saw and did not take. */
static void tell_why(const review *of, uint32_t var, char text[LINE_BYTES])
{
    const planner *plan = of->plan;
    uint32_t other = 0;
    double cosine = 0.0;
    if (dependency_strongest(plan->check, var, plan->in_flight, of->n_in_flight, &other, &cosine)) {
        snprintf(text, LINE_BYTES, ": correlated with %u in flight, r = %.3g", other, cosine);
    } else if (dependency_strongest(plan->check, var, of->taken, of->n_taken, &other, &cosine)) {
        snprintf(text, LINE_BYTES, ": correlated with %u, r = %.3g, over the cap", other, cosine);
    }
}

static fate trace_candidate(review *of, size_t i, bool print)
{
    static const char *const names[] = {
        [TAKEN] = "taken   ", [REJECTED] = "rejected", [SPARE] = "spare   "};
    const planner *plan = of->plan;
    const uint32_t var = plan->candidates[i];
    const fate met = is_taken(plan, i) ? TAKEN : i < of->n_seen ? REJECTED : SPARE;
    char why[LINE_BYTES] = "";
    char priority[64] = "";
    if (print && met == REJECTED) {
        tell_why(of, var, why);
    } else if (met == SPARE) {
        snprintf(why, sizeof(why), ": the round is full");
    } else if (met == TAKEN) {
        of->taken[of->n_taken++] = var;
    }
    if (plan->options.run.kind == SCHEDULE_STRUCTURE_AWARE) {
        snprintf(priority, sizeof(priority), ", priority %.3g",
                 fmax(prio_shards_score(plan->shards, var), 0.0)); /* by how much is not told */
    }
    if (print) {
        TRACE("  %s variable %u%s, cost %.6g%s", names[met], var, priority, plan->costs[i], why);
    }
    return met;
}

/* Once as many are taken as are wanted, the check looks no further. */
static size_t count_seen(const planner *plan)
{
    size_t n_left = plan->options.run.round;
    size_t i = 0;
    while (i < plan->n_candidates && n_left > 0) {
        n_left -= is_taken(plan, i++) ? 1 : 0;
    }
    return i;
}

void trace_candidates(const planner *plan, size_t n_in_flight)
{
    const size_t n = plan->n_candidates;
    review of = {.plan = plan, .n_in_flight = n_in_flight, .n_seen = count_seen(plan)};
    size_t n_more[N_FATES] = {0};
    of.taken = strads_alloc_array(n, sizeof(*of.taken));
    if (of.taken == NULL) {
        return; /* the round itself will have no memory either */
    }
    TRACE("round %llu: %zu candidates for %u places, %zu in flight",
          (unsigned long long) plan->round, n, plan->options.run.round, plan->n_in_flight);
    for (size_t i = 0; i < n; i++) {
        const bool print = i < MAX_CANDIDATES;
        n_more[trace_candidate(&of, i, print)] += print ? 0 : 1;
    }
    if (n > MAX_CANDIDATES) {
        TRACE("  and %zu taken, %zu rejected, %zu spare", n_more[TAKEN], n_more[REJECTED],
              n_more[SPARE]);
    }
    strads_free(of.taken);
}

/* ---- blocks ---- */

/* The block that begins with `var`. */
static size_t block_of(const strads_round *blocks, uint32_t var)
{
    size_t b = 0;
    while (blocks->vars[blocks->starts[b]] != var) {
        b++;
    }
    return b;
}

static double cost_of(const planner *plan, uint32_t var)
{
    const strads_app *app = plan->options.app;
    return app->cost == NULL ? 1.0 : app->cost(plan->options.site, var);
}

static void trace_worker(const planner *plan, uint64_t round, const assignment *to, uint32_t rank)
{
    const strads_round *blocks = &plan->blocks;
    char text[LINE_BYTES] = "";
    size_t length = 0;
    size_t end = to->starts[rank]; /* of the block */
    double cost = 0.0;
    size_t n_told = 0;
    for (size_t i = to->starts[rank]; i < to->starts[rank + 1]; i++) {
        const bool first = i == end;
        if (first) {
            const size_t b = block_of(blocks, to->vars[i]);
            end += blocks->starts[b + 1] - blocks->starts[b];
        }
        cost += cost_of(plan, to->vars[i]);
        if (length + 32 < LINE_BYTES) {
            length += (size_t) snprintf(text + length, LINE_BYTES - length, "%s%u%s",
                                        first ? " [" : " ", to->vars[i], i + 1 == end ? "]" : "");
            n_told++;
        }
    }
    const size_t n = to->starts[rank + 1] - to->starts[rank];
    char more[32] = "";
    if (n_told < n) {
        snprintf(more, sizeof(more), " and %zu more", n - n_told);
    }
    TRACE("round %llu: worker %u, cost %.6g:%s%s", (unsigned long long) round, rank, cost,
          n > 0 ? text : " idle", more);
}

void trace_assignment(const planner *plan, uint64_t round, const assignment *to)
{
    const uint32_t n_workers = plan->options.run.n_workers;
    if (plan->options.run.solve) {
        TRACE("round %llu: a working set of %zu variables from a pool of %zu",
              (unsigned long long) round, plan->blocks.n_vars, plan->set.n_pool);
    }
    for (uint32_t k = 0; k < n_workers && k < MAX_WORKERS; k++) {
        trace_worker(plan, round, to, k);
    }
    if (n_workers > MAX_WORKERS) {
        TRACE("round %llu: and %u workers more", (unsigned long long) round,
              n_workers - MAX_WORKERS);
    }
}

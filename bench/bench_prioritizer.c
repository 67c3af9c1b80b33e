/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench/bench_prioritizer.c - a round of the prioritizer: draw, return, update
 * with new scores; and the bulk set of all scores. The same from shards, all of them in this
 * process, what is drawn ahead included. One JSON line a case.
 *
 * Scores are exponentially distributed, as violations are after a few rounds. The
 * median is the figure; the minimum says how much of it is the machine's noise.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "prioritizer/shards.h"

enum { ROUNDS_MAX = 4000, ROUNDS_MIN = 20, N_MAX = 4000 };

static const double seconds_max = 1.0; /* a case, set-up excluded */

typedef struct bench_case {
    const char *name;
    prio_policy policy;
    uint32_t n_vars;
    size_t n; /* variables a round */
    double eta;
} bench_case;

static const bench_case cases[] = {
    {"sampled", PRIO_SAMPLED, 1000000, 128, 1e-3},
    {"sampled", PRIO_SAMPLED, 10000000, 128, 1e-3},
    {"sampled", PRIO_SAMPLED, 100000000, 128, 1e-3},
    {"sampled, eta 1", PRIO_SAMPLED, 100000000, 128, 1.0},
    {"greedy", PRIO_GREEDY, 500000, 4000, 0.0},
    {"greedy", PRIO_GREEDY, 1000000, 128, 0.0},
    {"greedy", PRIO_GREEDY, 10000000, 128, 0.0},
    {"greedy", PRIO_GREEDY, 100000000, 128, 0.0},
    {"uniform", PRIO_UNIFORM, 1000000, 128, 0.0},
    {"uniform", PRIO_UNIFORM, 10000000, 128, 0.0},
    {"uniform", PRIO_UNIFORM, 100000000, 128, 0.0},
    {"cyclic", PRIO_CYCLIC, 1000000, 128, 0.0},
    {"cyclic", PRIO_CYCLIC, 10000000, 128, 0.0},
    {"cyclic", PRIO_CYCLIC, 100000000, 128, 0.0},
};

static float exponential(strads_random *random)
{
    return (float) -log1p(-strads_random_uniform(random));
}

/* Sets all scores, in chunks; returns the seconds that prio_set_range took. */
static double set_all(prioritizer *prio, uint32_t n_vars, strads_random *random)
{
    enum { CHUNK = 1 << 16 };
    static float scores[CHUNK];
    double seconds = 0.0;
    for (uint32_t first = 0; first < n_vars; first += CHUNK) {
        const uint32_t n = n_vars - first < CHUNK ? n_vars - first : CHUNK;
        for (uint32_t i = 0; i < n; i++) {
            scores[i] = exponential(random);
        }
        const double start = strads_now();
        prio_set_range(prio, first, n, scores);
        seconds += strads_now() - start;
    }
    return seconds;
}

static double round_seconds(prioritizer *prio, const bench_case *bench, strads_random *random)
{
    static uint32_t vars[N_MAX];
    static float scores[N_MAX];
    for (size_t i = 0; i < bench->n; i++) {
        scores[i] = exponential(random);
    }
    const double start = strads_now();
    const prio_total left = prio_left(prio);
    const size_t n_drawn = prio_draw(prio, bench->n, prio_floor(&left, bench->eta), vars);
    prio_return(prio, vars, n_drawn);
    prio_update(prio, vars, n_drawn, scores);
    return strads_now() - start;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *) a;
    const double y = *(const double *) b;
    return (x > y) - (x < y);
}

static void run(const bench_case *bench)
{
    static double seconds[ROUNDS_MAX];
    prioritizer *prio = NULL;
    const prio_options options = {.policy = bench->policy, .n_vars = bench->n_vars, .seed = 1};
    if (prio_create(&prio, &options) != STRADS_OK) {
        exit(1);
    }
    strads_random random = strads_random_start(2, 0);
    const double set_seconds = set_all(prio, bench->n_vars, &random);
    const double start = strads_now();
    size_t n_rounds = 0;
    while (n_rounds < ROUNDS_MIN || (n_rounds < ROUNDS_MAX && strads_now() - start < seconds_max)) {
        seconds[n_rounds++] = round_seconds(prio, bench, &random);
    }
    qsort(seconds, n_rounds, sizeof(seconds[0]), by_value);
    printf("{\"bench\": \"prioritizer\", \"case\": \"%s\", \"variables\": %u, \"drawn\": %zu, "
           "\"rounds\": %zu, \"median_us\": %.1f, \"min_us\": %.1f, \"bulk_set_ms\": %.2f, "
           "\"bytes_per_variable\": %.3f}\n",
           bench->name, (unsigned) bench->n_vars, bench->n, n_rounds, seconds[n_rounds / 2] * 1e6,
           seconds[0] * 1e6, set_seconds * 1e3, (double) prio_bytes(prio) / bench->n_vars);
    fflush(stdout);
    prio_destroy(prio);
}

/* ---- shards ---- */

enum { SHARDS = 4, DRAWN = 128 };

static const double eta = 1e-3;

typedef struct sharded {
    prio_shards *shards;
    prioritizer *locals[SHARDS];
    uint32_t firsts[SHARDS + 1];
} sharded;

static void must(strads_status status)
{
    if (status != STRADS_OK) {
        exit(1);
    }
}

/* The shards have scores of their own, and do not hear of those that come back. */
static void answer(sharded *all, uint32_t s, const prio_request *ask)
{
    static uint32_t vars[N_MAX];
    static float scores[N_MAX];
    uint32_t twice = 0;
    prioritizer *local = all->locals[s];
    prio_answer given = {.vars = vars, .scores = scores};
    given.n = prio_draw(local, ask->n_draws, ask->floor, vars);
    for (size_t i = 0; i < given.n; i++) {
        scores[i] = prio_score(local, vars[i]);
        vars[i] += all->firsts[s];
    }
    given.left = prio_left(local);
    must(prio_shards_take(all->shards, s, &given, &twice));
}

static void answer_all(sharded *all)
{
    for (uint32_t s = 0; s < SHARDS; s++) {
        prio_request ask;
        if (prio_shards_ask(all->shards, s, &ask)) {
            answer(all, s, &ask);
        }
    }
}

static double sharded_seconds(sharded *all, strads_random *random)
{
    uint32_t vars[DRAWN];
    float scores[DRAWN];
    size_t n = 0;
    for (size_t i = 0; i < DRAWN; i++) {
        scores[i] = exponential(random);
    }
    const double start = strads_now();
    for (bool waits = true; waits;) {
        size_t n_more = 0;
        must(prio_shards_draw(all->shards, DRAWN - n, vars + n, &n_more, &waits));
        n += n_more;
        answer_all(all); /* what it waits for, or ahead */
    }
    prio_shards_return(all->shards, vars, n, scores);
    return strads_now() - start;
}

static void run_sharded(uint32_t n_vars)
{
    static double seconds[ROUNDS_MAX];
    sharded all;
    strads_random random = strads_random_start(2, 0);
    size_t bytes = 0;
    for (uint32_t s = 0; s <= SHARDS; s++) {
        all.firsts[s] = (uint32_t) ((uint64_t) n_vars * s / SHARDS);
    }
    for (uint32_t s = 0; s < SHARDS; s++) {
        const uint32_t n = all.firsts[s + 1] - all.firsts[s];
        const prio_options local = {
            .policy = PRIO_SAMPLED, .n_vars = n, .seed = 1, .stream = PRIO_FIRST_STREAM + s};
        must(prio_create(&all.locals[s], &local));
        set_all(all.locals[s], n, &random);
        bytes += prio_bytes(all.locals[s]);
    }
    const prio_shards_options options = {.policy = PRIO_SAMPLED,
                                         .n_shards = SHARDS,
                                         .firsts = all.firsts,
                                         .eta = eta,
                                         .seed = 1,
                                         .most = DRAWN};
    must(prio_shards_create(&all.shards, &options));
    const double start = strads_now();
    double sum = 0.0;
    size_t n_rounds = 0;
    while (n_rounds < ROUNDS_MIN || (n_rounds < ROUNDS_MAX && strads_now() - start < seconds_max)) {
        seconds[n_rounds] = sharded_seconds(&all, &random);
        sum += seconds[n_rounds++];
    }
    qsort(seconds, n_rounds, sizeof(seconds[0]), by_value);
    printf("{\"bench\": \"prioritizer\", \"case\": \"sampled, %d shards\", \"variables\": %u, "
           "\"drawn\": %d, \"rounds\": %zu, \"median_us\": %.1f, \"mean_us\": %.1f, "
           "\"bytes_per_variable\": %.3f}\n",
           SHARDS, (unsigned) n_vars, DRAWN, n_rounds, seconds[n_rounds / 2] * 1e6,
           sum / (double) n_rounds * 1e6, (double) bytes / n_vars);
    fflush(stdout);
    prio_shards_destroy(all.shards);
    for (uint32_t s = 0; s < SHARDS; s++) {
        prio_destroy(all.locals[s]);
    }
}

int main(void)
{
    static const uint32_t sharded_sizes[] = {1000000, 10000000, 100000000};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run(&cases[i]);
    }
    for (size_t i = 0; i < sizeof(sharded_sizes) / sizeof(sharded_sizes[0]); i++) {
        run_sharded(sharded_sizes[i]);
    }
    return 0;
}

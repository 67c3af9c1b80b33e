/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/property/test_clusters.c - whole runs on random small clusters, each drawn from
 * a seed with its problem, faults and schedule (tests/support/cluster_case.h).
 *
 *   test_clusters            runs the seeds 1 .. STRADS_CASES (500)
 *   test_clusters SEED       runs one, and tells what it was and what came of it
 */
#include <inttypes.h>
#include <string.h>

#include "tests/support/cluster_case.h"
#include "tests/support/suite.h"

enum { N_CASES = 500, ENOUGH = 100, N_REPLAYED = 12 };

/* Seeds that have found a bug, beyond those that are always run. */
static const uint64_t once_wrong[] = {
    19756, /* the check refused a variable each time that it was drawn */
    23536, /* a loss was judged by its time as drawn, not as written */
};

static const char *program;
static uint64_t asked_for;
/* Of the cases so far. */
static uint64_t n_converged, n_lost, n_lending, n_drawing, n_ahead;

static void print_case(const cluster_case *drawn, const cluster_outcome *outcome)
{
    printf("%s of %u rows and %u variables:", drawn->lasso ? "lasso" : "toy", drawn->n_rows,
           drawn->n_vars);
    for (size_t i = 0; i < drawn->n_settings; i++) {
        printf(" '%s'", drawn->settings[i]);
    }
    printf("\n%s", outcome->said);
    printf("seed %" PRIu64 ": %s at %.17g, %" PRIu64 " rounds, %" PRIu64 " messages, %" PRIu64
           " exchanges, hash %016" PRIx64 "\n",
           drawn->seed, outcome->verdict_text, outcome->seen.end, outcome->seen.n_rounds,
           outcome->seen.n_messages, outcome->seen.n_exchanges, outcome->seen.hash);
}

/* Runs a seed; prints it when it is wrong, or `always`. Returns its hash. */
static uint64_t try_seed(uint64_t seed, bool always)
{
    const cluster_case drawn = cluster_case_draw(seed);
    cluster_outcome outcome = cluster_case_run(&drawn);
    const bool wrong = outcome.wrong[0] != '\0';
    if (wrong || always) {
        print_case(&drawn, &outcome);
    }
    if (wrong) {
        printf("seed %" PRIu64 ": %s\nreplay: %s %" PRIu64 "\n", seed, outcome.wrong, program,
               seed);
    }
    fflush(stdout);
    n_converged += outcome.status == STRADS_OK && outcome.result.verdict == STRADS_CONVERGED;
    n_lost += outcome.status == STRADS_ERR_CLOSED;
    n_lending += outcome.seen.n_lent > 0;
    n_drawing += outcome.seen.n_drawn > 0;
    n_ahead += outcome.seen.n_ahead > 0;
    CHECK(!wrong);
    strads_free(outcome.said);
    return outcome.seen.hash;
}

static void any_cluster_schedule_and_faults_keep_the_promises(void)
{
    const char *n = getenv("STRADS_CASES");
    const uint64_t n_cases = n == NULL ? N_CASES : strtoull(n, NULL, 10);
    for (uint64_t seed = 1; seed <= n_cases; seed++) {
        try_seed(seed % 5 == 0 ? CLUSTER_WIDE + seed : seed, false);
    }
    printf("%" PRIu64 " cases: %" PRIu64 " converged, %" PRIu64 " lost a machine, the others met "
           "a limit; %" PRIu64 " lent variables, %" PRIu64 " drew from shards, %" PRIu64
           " again between scans\n",
           n_cases, n_converged, n_lost, n_lending, n_drawing, n_ahead);
    CHECK(n_cases < ENOUGH ||
          (2 * n_converged >= n_cases && 20 * n_lost >= n_cases && 200 * n_lending >= n_cases &&
           5 * n_drawing >= n_cases && 50 * n_ahead >= n_cases));
}

static void what_was_wrong_once_is_right(void)
{
    for (size_t i = 0; i < sizeof(once_wrong) / sizeof(once_wrong[0]); i++) {
        try_seed(once_wrong[i], false);
    }
}

static void one_seed(void)
{
    try_seed(asked_for, true);
}

/* The hash that the program itself prints for a seed. */
static uint64_t replay(uint64_t seed)
{
    char command[400], line[400];
    uint64_t hash = 0;
    snprintf(command, sizeof(command), "%s %" PRIu64, program, seed);
    FILE *pipe = popen(command, "r");
    REQUIRE(pipe != NULL);
    while (fgets(line, sizeof(line), pipe) != NULL) {
        const char *told = strstr(line, "hash ");
        hash = told != NULL ? strtoull(told + strlen("hash "), NULL, 16) : hash;
    }
    CHECK(pclose(pipe) == 0);
    return hash;
}

static void the_command_that_replays_a_seed_gives_the_same_bits(void)
{
    for (uint64_t seed = 1; seed <= N_REPLAYED; seed++) {
        CHECK(replay(seed) == try_seed(seed, false));
    }
}

int main(int argc, char **argv)
{
    static const suite_case all[] = {{"any cluster, schedule and faults keep the promises",
                                      any_cluster_schedule_and_faults_keep_the_promises},
                                     {"what was wrong once is right", what_was_wrong_once_is_right},
                                     {"the command that replays a seed gives the same bits",
                                      the_command_that_replays_a_seed_gives_the_same_bits}};
    static const suite_case one[] = {{"the seed that was asked for keeps the promises", one_seed}};
    program = argv[0];
    if (argc > 1) {
        asked_for = strtoull(argv[1], NULL, 10);
        return suite_main("property/clusters", one, 1);
    }
    return suite_main("property/clusters", all, sizeof(all) / sizeof(all[0]));
}

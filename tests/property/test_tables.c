/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/property/test_tables.c - random histories of tables on small simulated clusters,
 * each drawn from a seed, for every mode (tests/support/ssp_history.h).
 *
 *   test_tables            runs the seeds 1 .. STRADS_CASES (300) of every mode
 *   test_tables MODE SEED  runs one, and tells what came of it
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/ssp_history.h"
#include "tests/support/suite.h"

enum { N_CASES = 300, N_REPLAYED = 12 };

static const ssp_history_mode modes[] = {
    {"bsp", 0, false},
    {"1", 1, false},
    {"3", 3, false},
    {"async", SSP_ASYNC, false},
    {"eager-0", 0, true},
    {"eager-2", 2, true},
    {"eager-async", SSP_ASYNC, true},
};

enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

static const char *program;
static const ssp_history_mode *asked_mode;
static uint64_t asked_seed;

static ssp_history_outcome try_seed(const ssp_history_mode *mode, uint64_t seed, bool always)
{
    const size_t live = strads_mem_live();
    const ssp_history_outcome outcome = ssp_history_play(seed, mode, SSP_HISTORY_SIM);
    const bool wrong = outcome.wrong[0] != '\0';
    if (wrong || always) {
        printf("%s, seed %" PRIu64 ": %" PRIu64 " reads, %" PRIu64 " fetched, %" PRIu64
               " waits, %" PRIu64 " forgotten, %" PRIu64 " bytes, hash %016" PRIx64 "\n",
               mode->name, seed, outcome.n_reads, outcome.n_fetched, outcome.n_waits,
               outcome.n_forgotten, outcome.bytes, outcome.hash);
    }
    if (wrong) {
        printf("%s, seed %" PRIu64 ": %s\nreplay: %s %s %" PRIu64 "\n", mode->name, seed,
               outcome.wrong, program, mode->name, seed);
    }
    fflush(stdout);
    CHECK(!wrong);
    CHECK(strads_mem_live() == live);
    return outcome;
}

static void every_read_sees_what_its_bound_demands(void)
{
    const char *n = getenv("STRADS_CASES");
    const uint64_t n_cases = n == NULL ? N_CASES : strtoull(n, NULL, 10);
    for (size_t m = 0; m < N_MODES; m++) {
        uint64_t n_reads = 0, n_fetched = 0, n_forgotten = 0;
        for (uint64_t seed = 1; seed <= n_cases; seed++) {
            const ssp_history_outcome outcome = try_seed(&modes[m], seed, false);
            n_reads += outcome.n_reads;
            n_fetched += outcome.n_fetched;
            n_forgotten += outcome.n_forgotten;
        }
        printf("%s: %" PRIu64 " histories, %" PRIu64 " reads, %" PRIu64 " fetched, %" PRIu64
               " rows forgotten\n",
               modes[m].name, n_cases, n_reads, n_fetched, n_forgotten);
        CHECK(n_reads > 50 * n_cases && n_fetched > n_cases);
    }
}

static void one_seed(void)
{
    (void) try_seed(asked_mode, asked_seed, true);
}

static void the_same_seed_gives_the_same_bits(void)
{
    for (size_t m = 0; m < N_MODES; m++) {
        for (uint64_t seed = 1; seed <= N_REPLAYED; seed++) {
            CHECK(try_seed(&modes[m], seed, false).hash == try_seed(&modes[m], seed, false).hash);
        }
    }
}

int main(int argc, char **argv)
{
    static const suite_case all[] = {
        {"every read sees what its bound demands", every_read_sees_what_its_bound_demands},
        {"the same seed gives the same bits", the_same_seed_gives_the_same_bits}};
    static const suite_case one[] = {{"the seed that was asked for is right", one_seed}};
    program = argv[0];
    for (size_t m = 0; m < N_MODES && argc > 2; m++) {
        asked_mode = strcmp(modes[m].name, argv[1]) == 0 ? &modes[m] : asked_mode;
    }
    if (asked_mode != NULL) {
        asked_seed = strtoull(argv[2], NULL, 10);
        return suite_main("property/tables", one, 1);
    }
    return suite_main("property/tables", all, sizeof(all) / sizeof(all[0]));
}

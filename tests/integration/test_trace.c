/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_trace.c - `strads run --trace` tells the schedule of each round. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <string.h>

#include "tests/support/command.h"

enum { N_VARS = 300, MOST_CANDIDATES = 40 };

static const char drawn[] = "--set schedule.round=6 --set schedule.candidates=12"
                            " --set schedule.pipeline=2 --set stop.rounds=9";

/* The example configuration on three simulated machines. */
static int run_example(const char *settings, const char *flag)
{
    char *config = realpath("configs/lasso.yaml", NULL);
    REQUIRE(config != NULL);
    const int code = command_run("run %s --workers 3 --set run.driver=sim --out out %s %s", config,
                                 settings, flag);
    free(config);
    return code;
}

/* What the trace says of the round that is being read. */
typedef struct told {
    bool taken[N_VARS], dealt[N_VARS];
    unsigned n_taken, n_dealt, n_rejected, n_lines;
} told;

/* A worker's line: "worker 0, cost 18: [3 207] [5]". */
static void read_blocks(told *of, const char *text)
{
    for (text = strchr(text, ':'); text != NULL && *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9') {
            char *end = NULL;
            const unsigned long var = strtoul(text, &end, 10);
            REQUIRE(var < N_VARS);
            CHECK(!of->dealt[var]);
            of->dealt[var] = true;
            of->n_dealt++;
            text = end - 1;
        }
    }
}

static void read_candidate(told *of, const char *text)
{
    unsigned var = 0;
    double priority = -1.0, cost = 0.0;
    char fate[16] = "";
    REQUIRE(sscanf(text, " %15s variable %u, priority %lg, cost %lg", fate, &var, &priority,
                   &cost) == 4);
    REQUIRE(var < N_VARS);
    CHECK(cost > 0.0);
    of->n_lines++;
    if (strcmp(fate, "taken") == 0) {
        of->taken[var] = true;
        of->n_taken++;
    } else if (strcmp(fate, "rejected") == 0) {
        CHECK(strstr(text, ": correlated with ") != NULL && strstr(text, ", r = 0.") != NULL);
        of->n_rejected++;
    } else {
        CHECK(strstr(text, ": the round is full") != NULL);
    }
}

static void what_is_taken_is_dealt_and_what_is_rejected_has_a_reason(void)
{
    unsigned n_rounds = 0, n_rejected = 0;
    told of = {.n_taken = 0};
    CHECK(run_example(drawn, "--trace") == 6);
    for (char *line = strtok(command_err, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned round = 0, rank = 0;
        const char *text = strstr(line, "trace: ");
        if (text == NULL) {
            continue;
        }
        if (strncmp(text, "trace:   ", 9) == 0) {
            read_candidate(&of, text + 7);
        } else if (sscanf(text, "trace: round %u: worker %u", &round, &rank) == 2) {
            read_blocks(&of, strstr(text, "worker"));
            if (rank == 2) {
                CHECK(round == n_rounds);
                CHECK(of.n_taken > 0 && of.n_taken <= 6 && of.n_dealt == of.n_taken);
                CHECK(memcmp(of.taken, of.dealt, sizeof(of.taken)) == 0);
                n_rejected += of.n_rejected;
                n_rounds++;
                of = (told){.n_taken = 0};
            }
        }
    }
    CHECK(n_rounds == 9);
    CHECK(n_rejected > 0);
}

static void a_working_set_is_told_too_and_long_rounds_are_shortened(void)
{
    CHECK(run_example("--set stop.rounds=1", "--trace") == 6);
    CHECK_HAS(command_err, "trace: round 0: a working set of ");
    CHECK_HAS(command_err, "trace: round 0: worker 2, cost ");
    CHECK(run_example("--set schedule.round=100 --set schedule.candidates=200"
                      " --set stop.rounds=1",
                      "--trace") == 6);
    unsigned n_lines = 0;
    for (const char *at = command_err; (at = strstr(at, "trace:   ")) != NULL; at++) {
        n_lines++;
    }
    CHECK(n_lines == MOST_CANDIDATES + 1);
    CHECK_HAS(command_err, "trace:   and ");
}

static void without_the_flag_nothing_is_told_and_the_run_is_the_same(void)
{
    char with[COMMAND_TEXT_BYTES], without[COMMAND_TEXT_BYTES];
    CHECK(run_example(drawn, "--trace") == 6);
    command_read("out/coefficients.csv", with);
    CHECK(run_example(drawn, "") == 6);
    command_read("out/coefficients.csv", without);
    CHECK_LACKS(command_err, "trace");
    CHECK(without[0] != '\0');
    CHECK_TEXT(with, without);
}

static void a_trace_is_for_one_run_that_is_not_quiet(void)
{
    CHECK(run_example("--quiet", "--trace") == 2);
    CHECK_HAS(command_err, "--quiet and --trace contradict each other");
    CHECK(run_example("--csv no.csv", "--trace") == 2);
    CHECK_HAS(command_err, "--trace is for one run");
}

SUITE("integration/trace",
      {"what is taken is dealt, and what is rejected has a reason",
       what_is_taken_is_dealt_and_what_is_rejected_has_a_reason},
      {"a working set is told too, and long rounds are shortened",
       a_working_set_is_told_too_and_long_rounds_are_shortened},
      {"without the flag nothing is told and the run is the same",
       without_the_flag_nothing_is_told_and_the_run_is_the_same},
      {"a trace is for one run that is not quiet", a_trace_is_for_one_run_that_is_not_quiet})

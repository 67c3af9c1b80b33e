/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_sweep_run.c - what is made of the process of a case that ended. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/sweep.h"
#include "tests/support/suite.h"

#define SUMMARY "{\"app\": \"lasso\", \"status\": \"stopped\", \"seconds\": {\"load\": 0.5}}\n"
#define JOURNAL "{\"round\":0,\"gap\":null}\n{\"round\":4,\"gap\":0.5}\n"

/* The wait status of a process that exits, or gets the signal. */
static int ended(int code, int number)
{
    int wait_status = 0;
    const pid_t process = fork();
    REQUIRE(process >= 0);
    if (process == 0) {
        raise(number);
        _exit(code);
    }
    REQUIRE(waitpid(process, &wait_status, 0) == process);
    return wait_status;
}

typedef struct left_behind {
    const char *messages, *summary, *journal;
    int code, number; /* of the exit and the signal; 0: none */
} left_behind;

/* Finishes the only case of a plan without swept keys. */
static strads_status finish(const left_behind *left, bool curve, sweep_outcome *outcome)
{
    sweep_plan plan = {.first_seed = 1, .n_seeds = 1, .n_cases = 1, .curve = curve};
    char folder[256];
    snprintf(folder, sizeof(folder), "%s", suite_folder());
    sweep_run run = {.folder = folder, .messages = tmpfile()};
    REQUIRE(run.messages != NULL);
    fputs(left->messages, run.messages);
    strads_free(suite_file("summary.json", left->summary));
    strads_free(suite_file("journal.jsonl", left->journal));
    const int wait_status = ended(left->code, left->number);
    const strads_status status = sweep_run_finish(&run, &plan, wait_status, outcome);
    fclose(run.messages);
    return status;
}

static void how_a_process_ended_is_the_status_and_the_error(void)
{
    static const struct {
        left_behind left;
        const char *status, *error;
    } cases[] = {
        {{"", SUMMARY, "", 0, 0}, "stopped", ""},
        {{"", SUMMARY, "", CLI_LIMIT, 0}, "stopped", ""},
        {{"strads: error: not counted\n", SUMMARY, "", 0, 0}, "stopped", ""},
        {{"", "", "", 0, 0}, "failed", "summary.json has no status"},
        {{"", "{\"app\": \"x\"}", "", 0, 0}, "failed", "summary.json has no status"},
        {{"", "{\"status\": ", "", 0, 0}, "failed", "summary.json cannot be read"},
        {{"strads: warning: a\nstrads: error: b: c\nstrads: error: d\n", "", "", CLI_DATA, 0},
         "failed",
         "b: c"},
        {{"", SUMMARY, "", CLI_FAILED, 0}, "failed", "ended with exit code 1"},
        {{"other words\n", SUMMARY, "", 130, 0}, "failed", "ended with exit code 130"},
        {{"strads: error: b\n", "", "", 0, SIGKILL}, "failed", "ended by signal 9 (Killed)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sweep_outcome outcome;
        REQUIRE_OK(finish(&cases[i].left, false, &outcome));
        CHECK_TEXT(outcome.status, cases[i].status);
        CHECK_TEXT(outcome.error, cases[i].error);
        REQUIRE(outcome.records.n == 1);
        const sweep_record *record = &outcome.records.items[0];
        CHECK_TEXT(sweep_record_find(record, "status"), cases[i].status);
        CHECK_TEXT(sweep_record_find(record, "error"), cases[i].error);
        CHECK_TEXT(sweep_record_find(record, "run.seed"), "1");
        sweep_outcome_fini(&outcome);
    }
}

static void a_summary_follows_the_columns_of_the_plan(void)
{
    static const char *const names[] = {"run.seed", "status", "error", "app", "seconds.load"};
    const left_behind left = {"", SUMMARY, "", 0, 0};
    sweep_outcome outcome;
    REQUIRE_OK(finish(&left, false, &outcome));
    const sweep_record *record = &outcome.records.items[0];
    REQUIRE(record->names.n == 5);
    for (size_t i = 0; i < 5; i++) {
        CHECK_TEXT(record->names.items[i], names[i]);
    }
    sweep_outcome_fini(&outcome);
}

static void a_curve_keeps_what_a_failed_run_measured(void)
{
    const left_behind lefts[] = {{"", SUMMARY, JOURNAL, 0, 0},
                                 {"", "", JOURNAL "{\"rou", CLI_FAILED, 0},
                                 {"", SUMMARY, JOURNAL "{\"rou", 0, 0},
                                 {"", "", "", CLI_FAILED, 0}};
    for (size_t i = 0; i < 4; i++) {
        sweep_outcome outcome;
        REQUIRE_OK(finish(&lefts[i], true, &outcome));
        REQUIRE(outcome.records.n == (i < 3 ? 2 : 1));
        const sweep_record *last = &outcome.records.items[outcome.records.n - 1];
        CHECK_TEXT(sweep_record_find(last, "measurement"), i < 3 ? "2" : "");
        CHECK_TEXT(sweep_record_find(last, "status"), outcome.status);
        CHECK(strcmp(outcome.status, i == 0 ? "stopped" : "failed") == 0);
        CHECK((sweep_record_find(last, "round") != NULL) == (i < 3));
        CHECK(sweep_record_find(last, "app") == NULL);
        sweep_outcome_fini(&outcome);
    }
}

static void every_allocation_may_fail(void)
{
    const left_behind left = {"", SUMMARY, JOURNAL, 0, 0};
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n = 0;
    while (n < 100 && status == STRADS_ERR_NOMEM) {
        sweep_plan plan = {.first_seed = 1, .n_seeds = 1, .n_cases = 1, .curve = true};
        sweep_run run = {.folder = (char *) suite_folder(), .messages = tmpfile()};
        sweep_outcome outcome;
        strads_free(suite_file("summary.json", left.summary));
        strads_free(suite_file("journal.jsonl", left.journal));
        strads_mem_fail_after(++n);
        status = sweep_run_finish(&run, &plan, 0, &outcome);
        strads_mem_fail_after(0);
        fclose(run.messages);
        sweep_outcome_fini(&outcome);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(n > 10);
}

SUITE("cli/sweep_run",
      {"how a process ended is the status and the error",
       how_a_process_ended_is_the_status_and_the_error},
      {"a summary follows the columns of the plan", a_summary_follows_the_columns_of_the_plan},
      {"a curve keeps what a failed run measured", a_curve_keeps_what_a_failed_run_measured},
      {"every allocation may fail", every_allocation_may_fail})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_sweep.c - sweeps with the real command: what the table holds,
 * and that nothing is lost or run twice however a sweep ends. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tasks.h"
#include "cli/sweep.h"
#include "tests/support/command.h"

/* ---- reading tables ---- */

typedef struct table {
    sweep_records rows;
    cli_texts columns;
} table;

static table read_table(const char *name)
{
    static char text[COMMAND_TEXT_BYTES];
    table read = {0};
    cli_texts cells = {0};
    command_read(name, text);
    const char *at = text, *end = text + strlen(text);
    REQUIRE_OK(sweep_csv_read(&at, end, &read.columns));
    while (at < end) {
        REQUIRE_OK(sweep_csv_read(&at, end, &cells));
        REQUIRE(cells.n == read.columns.n);
        sweep_record *row = sweep_records_add(&read.rows);
        REQUIRE(row != NULL);
        for (size_t i = 0; i < cells.n; i++) {
            REQUIRE_OK(sweep_record_put(row, read.columns.items[i], cells.items[i]));
        }
    }
    cli_texts_fini(&cells);
    return read;
}

static void table_fini(table *read)
{
    cli_texts_fini(&read->columns);
    sweep_records_fini(&read->rows);
}

static const char *cell(const table *read, size_t row, const char *name)
{
    const char *text = row < read->rows.n ? sweep_record_find(&read->rows.items[row], name) : NULL;
    return text != NULL ? text : "(missing)";
}

/* How many rows have that cell. */
static size_t count(const table *read, const char *name, const char *wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < read->rows.n; i++) {
        n += strcmp(cell(read, i, name), wanted) == 0 ? 1 : 0;
    }
    return n;
}

/* ---- what is written ---- */

static void a_row_for_every_combination_and_seed(void)
{
    static const char *const first[] = {"lasso.lambda_ratio", "schedule.kind", "run.seed", "status",
                                        "error"};
    command_set_up();
    CHECK(command_run("run small.yaml --sweep lasso.lambda_ratio=0.1,0.5"
                      " --sweep schedule.kind=random,cyclic --repeat 2 --set run.seed=5"
                      " --csv rows.csv") == 0);
    CHECK_TEXT(command_out, "");
    CHECK_HAS(command_err, "8 of 8: lasso.lambda_ratio=0.5 schedule.kind=cyclic run.seed=6: "
                           "converged in ");
    table read = read_table("rows.csv");
    CHECK(read.rows.n == 8);
    for (size_t i = 0; i < 5; i++) {
        CHECK_TEXT(read.columns.items[i], first[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        CHECK(atof(cell(&read, i, "lasso.lambda_ratio")) == (i < 4 ? 0.1 : 0.5));
        CHECK_TEXT(cell(&read, i, "schedule.kind"), i / 2 % 2 == 0 ? "random" : "cyclic");
        CHECK(atoi(cell(&read, i, "run.seed")) == (i % 2 == 0 ? 5 : 6));
        CHECK(atoi(cell(&read, i, "seed")) == (i % 2 == 0 ? 5 : 6));
        CHECK_TEXT(cell(&read, i, "status"), "converged");
        CHECK_TEXT(cell(&read, i, "error"), "");
        CHECK_TEXT(cell(&read, i, "workers"), "2");
        CHECK(atof(cell(&read, i, "gap")) <= 1e-6);
        CHECK(atof(cell(&read, i, "seconds.total")) > 0.0);
    }
    CHECK(atof(cell(&read, 0, "objective")) < atof(cell(&read, 4, "objective")));
    table_fini(&read);
}

static void the_folders_are_kept_where_out_says_so(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --sweep stop.gap=1e-3 --csv kept.csv --out kept --quiet") ==
          0);
    CHECK_TEXT(command_err, "");
    CHECK(command_left("kept/stop.gap=1e-3,run.seed=1/coefficients.npy"));
    static char summary[COMMAND_TEXT_BYTES];
    command_read("kept/stop.gap=1e-3,run.seed=1/summary.json", summary);
    table read = read_table("kept.csv");
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "\"updates\": %s", cell(&read, 0, "updates"));
    CHECK_HAS(summary, wanted);
    table_fini(&read);
    CHECK(command_run("run small.yaml --csv gone.csv --quiet") == 0);
    CHECK(!command_left("runs"));
}

static void a_curve_has_a_row_for_every_line_of_the_journal(void)
{
    static char journal[COMMAND_TEXT_BYTES];
    command_set_up();
    CHECK(command_run("run small.yaml --curve --repeat 2 --csv curve.csv --out curves") == 0);
    table read = read_table("curve.csv");
    size_t row = 0;
    for (int seed = 1; seed <= 2; seed++) {
        char name[64];
        snprintf(name, sizeof(name), "curves/run.seed=%d/journal.jsonl", seed);
        command_read(name, journal);
        size_t measurement = 1;
        for (char *line = strtok(journal, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            char wanted[64];
            CHECK(atoi(cell(&read, row, "run.seed")) == seed);
            CHECK((size_t) atoi(cell(&read, row, "measurement")) == measurement++);
            snprintf(wanted, sizeof(wanted), "\"updates\":%s", cell(&read, row, "updates"));
            CHECK_HAS(line, wanted);
            row++;
        }
    }
    CHECK(row == read.rows.n && row > 4);
    CHECK_TEXT(read.columns.items[1], "measurement");
    table_fini(&read);
    CHECK(command_run("run small.yaml --curve --repeat 2 --csv curve.csv") == 0);
    CHECK_HAS(command_err, "curve.csv has 2 of 2 cases already");
}

/* ---- what fails ---- */

static void what_is_wrong_is_said_before_anything_runs(void)
{
    static const struct {
        const char *arguments, *part;
    } cases[] = {
        {"--sweep lasso.lamda=1,2 --csv no.csv", "lasso.lamda: unknown key, did you mean lasso."},
        {"--sweep stop.gap=1e-3,-1 --csv no.csv", "stop.gap: '-1' is not a number from 0 to 1"},
        {"--sweep schedule.kind=cyclic,cylic --csv no.csv", "did you mean cyclic?"},
        {"--sweep app=lasso,laso --csv no.csv", "'laso'"},
        {"--sweep stop.gap= --csv no.csv", "expected key=a,b,c"},
        {"--sweep stop.gap=1e-3 --set stop.gap=1 --csv no.csv", "stop.gap=1"},
        {"--sweep run.seed=1,2 --csv no.csv", "--repeat"},
        {"--set run.seed=9007199254740991 --repeat 2 --csv no.csv", "beyond 2^53"},
        {"--sweep stop.gap=1e-3", "need --csv FILE"},
        {"--repeat 3", "need --csv FILE"},
        {"--curve", "need --csv FILE"},
        {"--repeat 0 --csv no.csv", "--repeat: '0'"},
        {"--csv no.csv --print-config", "--print-config is for one run"},
        {"--csv no.csv --verbose", "--verbose is for one run"}};
    command_set_up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(command_run("run small.yaml %s", cases[i].arguments) == 2);
        CHECK_HAS(command_err, cases[i].part);
        CHECK(strchr(command_err, '\n') == strrchr(command_err, '\n'));
        CHECK(!command_left("no.csv"));
    }
    CHECK(command_run("run small.yaml --sweep stop.gap=x,y --csv no.csv") == 2);
    CHECK(command_run("run small.yaml --csv none/no.csv") == 4);
}

static void a_case_that_fails_is_kept_and_the_rest_goes_on(void)
{
    command_set_up();
    strads_free(suite_file("bad.libsvm", "1 1:2\n1 2:\"x\n"));
    for (int again = 0; again < 2; again++) {
        CHECK(command_run("run small.yaml --csv failing.csv"
                          " --sweep data.path=none.libsvm,bad.libsvm,small.libsvm") == 1);
        CHECK_HAS(command_err, "failing.csv: 2 of 3 cases failed");
        table read = read_table("failing.csv");
        CHECK(read.rows.n == 3);
        CHECK_TEXT(cell(&read, 0, "status"), "failed");
        CHECK_HAS(cell(&read, 0, "error"), "none.libsvm");
        CHECK_TEXT(cell(&read, 1, "status"), "failed");
        CHECK_HAS(cell(&read, 1, "error"), "bad.libsvm:2");
        CHECK_TEXT(cell(&read, 2, "status"), "converged");
        CHECK_TEXT(cell(&read, 2, "error"), "");
        table_fini(&read);
    }
    CHECK_LACKS(command_err, "1 of 3:");
}

static void a_limit_is_no_failure_and_a_bad_combination_is_one(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --sweep stop.gap=0,1e-3 --sweep stop.rounds=0,2"
                      " --set schedule.kind=random --csv limits.csv") == 1);
    table read = read_table("limits.csv");
    CHECK(read.rows.n == 4);
    CHECK_TEXT(cell(&read, 0, "status"), "failed");
    CHECK_HAS(cell(&read, 0, "error"), "the run has no end");
    CHECK_TEXT(cell(&read, 1, "status"), "completed");
    CHECK_TEXT(cell(&read, 2, "status"), "converged");
    CHECK_TEXT(cell(&read, 3, "status"), "stopped");
    table_fini(&read);
}

/* ---- what is interrupted ---- */

/* Starts a sweep of cyclic runs that have no other end than stop.rounds, and waits until
 * it says `awaited`. *alive is then the end of a pipe that all its processes hold open. */
static pid_t start(const char *csv, const char *driver, const char *rounds, const char *awaited,
                   int *alive)
{
    static char said[COMMAND_TEXT_BYTES];
    int messages[2], held[2];
    REQUIRE(pipe(messages) == 0 && pipe(held) == 0);
    const pid_t process = fork();
    REQUIRE(process >= 0);
    if (process == 0) {
        close(held[0]);
        if (chdir(suite_folder()) == 0 && dup2(messages[1], STDERR_FILENO) >= 0 &&
            setenv("TMPDIR", suite_folder(), 1) == 0) {
            close(messages[0]);
            close(messages[1]);
            execl(command_binary(), "strads", "run", "small.yaml", "--set", "stop.gap=0", "--set",
                  "schedule.kind=cyclic", "--set", driver, "--sweep", rounds, "--csv", csv,
                  (char *) NULL);
        }
        _exit(127);
    }
    close(messages[1]);
    close(held[1]);
    size_t n = 0;
    said[0] = '\0';
    for (ssize_t taken = 1; taken > 0 && strstr(said, awaited) == NULL;) {
        taken = read(messages[0], said + n, sizeof(said) - 1 - n);
        n += taken > 0 ? (size_t) taken : 0;
        said[n] = '\0';
    }
    CHECK_HAS(said, awaited);
    close(messages[0]);
    *alive = held[0];
    return process;
}

/* Two cases that end at once, and a third that would run for long. */
static pid_t start_long(const char *csv, int *alive)
{
    return start(csv, "run.driver=threads", "stop.rounds=1,2,1e15", "2 of 3: ", alive);
}

/* Waits until no process of the sweep is left. */
static void await_end(int alive)
{
    char byte;
    CHECK(read(alive, &byte, 1) == 0);
    close(alive);
}

/* The first two cases are there, once, and the sweep can be gone on with. */
static void check_goes_on(const char *csv)
{
    table read = read_table(csv);
    CHECK(read.rows.n == 2);
    table_fini(&read);
    CHECK(command_run("run small.yaml --set stop.gap=0 --set schedule.kind=cyclic"
                      " --sweep stop.rounds=1,2,3 --csv %s",
                      csv) == 0);
    char said[64];
    snprintf(said, sizeof(said), "%s has 2 of 3 cases already", csv);
    CHECK_HAS(command_err, said);
    read = read_table(csv);
    CHECK(read.rows.n == 3);
    CHECK(count(&read, "status", "completed") == 3);
    CHECK(count(&read, "stop.rounds", "1") == 1);
    CHECK(count(&read, "stop.rounds", "2") == 1);
    CHECK(count(&read, "stop.rounds", "3") == 1);
    table_fini(&read);
}

static void a_sweep_that_was_killed_goes_on_where_it_was(void)
{
    int alive = -1, status = 0;
    command_set_up();
    const pid_t process = start_long("killed.csv", &alive);
    CHECK(kill(process, SIGKILL) == 0);
    CHECK(waitpid(process, &status, 0) == process);
    CHECK(WIFSIGNALED(status));
    await_end(alive);
    check_goes_on("killed.csv");
}

static void a_signal_ends_the_case_that_runs_and_keeps_the_rest(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    static const char *const names[] = {"interrupted.csv", "terminated.csv"};
    command_set_up();
    for (size_t i = 0; i < 2; i++) {
        int alive = -1, status = 0;
        const pid_t process = start_long(names[i], &alive);
        CHECK(kill(process, signals[i]) == 0);
        CHECK(waitpid(process, &status, 0) == process);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + signals[i]);
        await_end(alive);
        check_goes_on(names[i]);
    }
}

/* The first would run for long: the second can end only beside it. */
static void simulated_cases_run_side_by_side(void)
{
    int alive = -1, status = 0;
    command_set_up();
    if (strads_cores() < 2) {
        printf("skipped: there is one core only\n");
        return;
    }
    const pid_t process =
        start("beside.csv", "run.driver=sim", "stop.rounds=1e15,1", "1 of 2: ", &alive);
    CHECK(kill(process, SIGINT) == 0);
    CHECK(waitpid(process, &status, 0) == process);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    await_end(alive);
    table read = read_table("beside.csv");
    CHECK(read.rows.n == 1);
    CHECK_TEXT(cell(&read, 0, "stop.rounds"), "1");
    CHECK_TEXT(cell(&read, 0, "driver"), "sim");
    table_fini(&read);
}

static void a_list_is_one_value(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --set run.driver=sim --sweep 'cluster.speed=[1, 2],3'"
                      " --csv lists.csv") == 0);
    CHECK_HAS(command_err, "1 of 2: cluster.speed=");
    table read = read_table("lists.csv");
    CHECK(read.rows.n == 2);
    CHECK(count(&read, "cluster.speed", "[1, 2]") == 1);
    CHECK(count(&read, "cluster.speed", "3") == 1);
    CHECK(count(&read, "status", "converged") == 2);
    table_fini(&read);
}

static void a_file_of_another_sweep_is_left_alone(void)
{
    static char before[COMMAND_TEXT_BYTES], after[COMMAND_TEXT_BYTES];
    command_set_up();
    REQUIRE(command_run("run small.yaml --sweep stop.gap=1e-3 --csv mine.csv") == 0);
    command_read("mine.csv", before);
    CHECK(command_run("run small.yaml --sweep schedule.rho=0.1 --csv mine.csv") == 2);
    CHECK_HAS(command_err, "column 1 is stop.gap, here it would be schedule.rho");
    CHECK(command_run("run small.yaml --sweep stop.gap=1e-3 --curve --csv mine.csv") == 2);
    CHECK_HAS(command_err, "column 3 is status, here it would be measurement");
    command_read("mine.csv", after);
    CHECK_TEXT(after, before);
}

SUITE("integration/sweep",
      {"a row for every combination and seed", a_row_for_every_combination_and_seed},
      {"the folders are kept where --out says so", the_folders_are_kept_where_out_says_so},
      {"a curve has a row for every line of the journal",
       a_curve_has_a_row_for_every_line_of_the_journal},
      {"what is wrong is said before anything runs", what_is_wrong_is_said_before_anything_runs},
      {"a case that fails is kept, and the rest goes on",
       a_case_that_fails_is_kept_and_the_rest_goes_on},
      {"a limit is no failure, and a bad combination is one",
       a_limit_is_no_failure_and_a_bad_combination_is_one},
      {"a sweep that was killed goes on where it was",
       a_sweep_that_was_killed_goes_on_where_it_was},
      {"a signal ends the case that runs, and keeps the rest",
       a_signal_ends_the_case_that_runs_and_keeps_the_rest},
      {"simulated cases run side by side", simulated_cases_run_side_by_side},
      {"a list is one value", a_list_is_one_value},
      {"a file of another sweep is left alone", a_file_of_another_sweep_is_left_alone})

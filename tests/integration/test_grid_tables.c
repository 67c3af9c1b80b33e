/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_grid_tables.c - tables beside a grid: every read sees what its staleness
 * promises, every scan all that was done, and nobody waits for ever.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/grid_case.h"
#include "tests/support/grid_tally.h"
#include "tests/support/suite.h"

enum { N_SETTINGS = 10, TEXT = 100, MANY_COLUMNS = 16 };

static const char agnostic[] = "schedule.slow_worker_agnostic=true";

/* A machine that takes four times as long. */
static const char one_is_slow[] = "cluster.speed=[1, 1, 0.25, 1]";

/* What a run is asked for. */
typedef struct asked {
    const char *kind, *driver, *staleness; /* NULL: rotation, threads, the default */
    const char *more[4];                   /* NULL: nothing */
    uint32_t workers, processes;           /* 0: 4 and 1 */
} asked;

/* What came of a run in a process of its own. */
typedef struct outcome {
    strads_status status;
    strads_result result;
    grid_case seen;
} outcome;

/* A program has one run of several processes, so each has one of its own. */
static strads_status run_apart(const char *const *settings, size_t n, strads_result *result)
{
    int ends[2];
    outcome came = {.status = STRADS_ERR_SYSTEM};
    REQUIRE(pipe(ends) == 0);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        came.status = grid_run(settings, n, &came.result);
        came.seen = grid_in_use;
        _exit(write(ends[1], &came, sizeof(came)) == sizeof(came) ? 0 : 1);
    }
    close(ends[1]);
    CHECK(read(ends[0], &came, sizeof(came)) == sizeof(came));
    close(ends[0]);
    CHECK(waitpid(child, NULL, 0) == child);
    grid_in_use = came.seen;
    *result = came.result;
    return came.status;
}

static strads_status run(const asked *it, strads_result *result)
{
    char texts[5][TEXT];
    const char *settings[N_SETTINGS];
    size_t n = 0;
    grid_tally_begin();
    snprintf(texts[0], TEXT, "schedule.kind=%s", it->kind == NULL ? "rotation" : it->kind);
    snprintf(texts[1], TEXT, "run.driver=%s", it->driver == NULL ? "threads" : it->driver);
    snprintf(texts[2], TEXT, "run.workers=%u", it->workers == 0 ? 4 : it->workers);
    snprintf(texts[3], TEXT, "run.processes=%u", it->processes == 0 ? 1 : it->processes);
    snprintf(texts[4], TEXT, "ssp.staleness=%s", it->staleness == NULL ? "1" : it->staleness);
    for (; n < 5; n++) {
        settings[n] = texts[n];
    }
    for (size_t i = 0; i < 4 && it->more[i] != NULL; i++) {
        settings[n++] = it->more[i];
    }
    return it->processes > 1 ? run_apart(settings, n, result) : grid_run(settings, n, result);
}

static void shape(uint32_t n_columns, uint32_t n_rows, uint32_t n_passes)
{
    grid_in_use = (grid_case){.n_columns = n_columns,
                              .n_rows = n_rows,
                              .n_passes = n_passes,
                              .units = 1e5,
                              .tables = true};
}

static uint32_t visits(uint32_t rank)
{
    uint32_t sum = 0;
    for (uint32_t c = 0; c < grid_in_use.n_columns; c++) {
        sum += grid_in_use.columns[c].extras[rank];
        for (uint32_t r = 0; r < GRID_ROWS; r++) {
            sum += grid_in_use.columns[c].visits[rank][r];
        }
    }
    return sum;
}

/* All reads were as they must, all that was done is counted, and all clocks are where as many
 * passes come to. */
static void check_sound(uint32_t workers, uint32_t n_periods)
{
    uint32_t n = grid_in_use.n_columns;
    CHECK(!grid_in_use.shared);
    CHECK(grid_tally_n_wrong() == 0);
    for (uint32_t k = 0; k < workers; k++) {
        n += visits(k);
        CHECK(grid_in_use.rows[k].clock == 1 + n_periods * grid_in_use.n_passes);
    }
    CHECK(grid_tally_n_counts() == n);
}

static void check_run(const asked *it)
{
    const uint32_t workers = it->workers == 0 ? 4 : it->workers;
    const bool roams = it->kind != NULL && strcmp(it->kind, "free") == 0;
    strads_result result = {.verdict = STRADS_FAILED};
    CHECK_STATUS(run(it, &result), STRADS_OK);
    CHECK(result.verdict == STRADS_COMPLETED);
    check_sound(workers, grid_in_use.n_rows * (roams ? grid_in_use.n_columns : workers));
}

/* ---- what reads see ---- */

static const char *const bounds[] = {"0", "1", "inf"};

static void reads_see_what_their_staleness_promises(void)
{
    static const char *const drivers[] = {"threads", "sim"};
    for (size_t i = 0; i < 6; i++) {
        for (uint32_t workers = 1; workers <= 5; workers += 2) {
            asked it = {.driver = drivers[i / 3], .staleness = bounds[i % 3], .workers = workers};
            shape(11, 1 + workers % 3, 3);
            check_run(&it);
            it.kind = "free";
            check_run(&it);
            it.kind = "rotation";
            it.more[0] = agnostic;
            check_run(&it);
        }
    }
}

static void reads_do_so_beside_a_straggler(void)
{
    static const char *const eager[] = {"ssp.eager=false", "ssp.eager=true"};
    for (size_t i = 0; i < 6; i++) {
        asked it = {.driver = "sim",
                    .staleness = bounds[i % 3],
                    .more = {one_is_slow, "cluster.jitter=1", eager[i / 3]}};
        shape(9, 2, 3);
        grid_in_use.units = 1e6;
        check_run(&it);
        it.kind = "free";
        check_run(&it);
        it.kind = "rotation";
        it.more[3] = agnostic;
        check_run(&it);
    }
}

static void reads_do_so_in_several_processes(void)
{
    for (size_t i = 0; i < 3; i++) {
        asked it = {.staleness = bounds[i], .processes = 2 + i % 2};
        shape(8, 2, 3);
        check_run(&it);
        it.kind = "free";
        check_run(&it);
        it.kind = "rotation";
        it.more[0] = agnostic;
        check_run(&it);
    }
}

/* Machines of any speed, far from each other. */
static void random_grids_on_random_clusters_keep_the_promise(void)
{
    static const char *const kinds[] = {"rotation", "free"};
    const uint64_t n_cases = SUITE_SANITIZED ? 20 : 200;
    for (uint64_t seed = 1; seed <= n_cases; seed++) {
        strads_random random = strads_random_start(seed, 0);
        char latency[TEXT], faults[TEXT];
        const uint32_t workers = 2 + (uint32_t) strads_random_below(&random, 5);
        const uint32_t n_columns =
            2 * workers + (uint32_t) strads_random_below(&random, MANY_COLUMNS - 2 * workers + 1);
        const asked it = {.kind = kinds[strads_random_below(&random, 2)],
                          .driver = "sim",
                          .staleness = bounds[strads_random_below(&random, 3)],
                          .more = {latency, faults, "cluster.jitter=2",
                                   strads_random_below(&random, 2) == 0 ? NULL : "ssp.eager=true"},
                          .workers = workers};
        snprintf(latency, TEXT, "cluster.latency=%g", 1e-2 * strads_random_uniform(&random));
        snprintf(faults, TEXT, "cluster.faults=[straggle workers by %g every 0.01 for 0.01]",
                 1.0 + 9.0 * strads_random_uniform(&random));
        shape(n_columns, 1 + (uint32_t) strads_random_below(&random, 3), 2);
        grid_in_use.units = 1e7 * strads_random_uniform(&random);
        check_run(&it);
    }
}

/* ---- who waits for whom ---- */

/* Of free, by how much the fast worker is ahead of the slow one. */
static double lead(const char *staleness)
{
    const asked it = {
        .kind = "free", .driver = "sim", .staleness = staleness, .more = {one_is_slow}};
    shape(16, 4, 2);
    grid_in_use.units = 1e7;
    check_run(&it);
    return (double) visits(1) / visits(2);
}

static void free_workers_wait_for_a_slow_one_as_far_as_reads_need_it(void)
{
    const double bound = lead("0"), unbound = lead("inf");
    CHECK(bound < 2.0);
    CHECK(unbound > 3.0);
}

static void what_tables_came_to_is_summed_up(void)
{
    char folder[TEXT], text[4000] = "";
    const asked it = {.driver = "sim", .staleness = "0", .more = {one_is_slow, folder}};
    snprintf(folder, TEXT, "run.out=%s/summed", suite_folder());
    shape(8, 1, 2);
    check_run(&it);
    snprintf(text, sizeof(text), "%s/summary.json", folder + strlen("run.out="));
    FILE *file = fopen(text, "r");
    REQUIRE(file != NULL);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    CHECK(strstr(text, "\"ssp_reads_behind_0\": ") != NULL);
    CHECK(strstr(text, "\"ssp_reads_behind_1\": ") == NULL);
    CHECK(strstr(text, "\"ssp_waits\": ") != NULL && strstr(text, "\"ssp_waits\": 0.0") == NULL);
    CHECK(strstr(text, "\"ssp_waited_most_for\": ") != NULL);
}

/* ---- runs that end early ---- */

static const asked endings[] = {
    {.staleness = "0"},
    {.staleness = "0", .kind = "free"},
    {.staleness = "0", .more = {agnostic}},
    {.staleness = "1", .processes = 2},
    {.staleness = "0", .kind = "free", .processes = 2},
    {.staleness = "0", .more = {agnostic}, .processes = 2},
    {.staleness = "0", .driver = "sim"},
    {.staleness = "0", .kind = "free", .driver = "sim"},
};

enum { N_ENDINGS = sizeof(endings) / sizeof(endings[0]), MANY = 1000 };

/* Clocks are equal at the end, though workers saw at different times that they had to stop. */
static void check_stopped(const asked *it)
{
    strads_result result = {.verdict = STRADS_FAILED};
    CHECK_STATUS(run(it, &result), STRADS_OK);
    CHECK(result.verdict == STRADS_STOPPED);
    CHECK(!grid_in_use.shared);
    CHECK(grid_tally_n_wrong() == 0);
    for (uint32_t k = 1; k < 4; k++) {
        CHECK(grid_in_use.rows[k].clock == grid_in_use.rows[0].clock);
    }
}

static void who_is_asked_to_stop_keeps_the_clocks_equal(void)
{
    for (size_t i = 0; i < N_ENDINGS; i++) {
        shape(8, 1, MANY);
        grid_in_use.act = strads_stop_all;
        grid_in_use.actor = 3;
        grid_in_use.visit = 21;
        check_stopped(&endings[i]);
    }
}

static void the_end_of_the_time_keeps_the_clocks_equal(void)
{
    for (size_t i = 0; i < N_ENDINGS; i++) {
        asked it = endings[i];
        it.more[it.more[0] == NULL ? 0 : 1] = "stop.seconds=0.02";
        shape(8, 1, UINT32_MAX);
        grid_in_use.units = 1e6;
        check_stopped(&it);
    }
}

static void what_fails_ends_the_run_for_those_who_wait(void)
{
    const size_t live = strads_mem_live();
    for (size_t i = 0; i < N_ENDINGS; i++) {
        for (uint32_t call = 1; call <= 30; call += 29) {
            strads_result result;
            shape(8, 1, 30);
            grid_in_use.fails = call == 1 ? GRID_CALL_OPEN_COLUMN : GRID_CALL_WORK;
            grid_in_use.call = call;
            CHECK_STATUS(run(&endings[i], &result), STRADS_ERR_APP);
        }
    }
    CHECK(strads_mem_live() == live);
}

static void die(void)
{
    raise(SIGKILL);
}

static void a_process_that_is_lost_ends_the_run(void)
{
    for (size_t i = 0; i < N_ENDINGS; i++) {
        strads_result result;
        shape(8, 1, MANY);
        grid_in_use.act = die;
        grid_in_use.actor = 3;
        grid_in_use.visit = 21;
        if (endings[i].processes == 2) {
            CHECK_STATUS(run(&endings[i], &result), STRADS_ERR_CLOSED);
        }
    }
}

static void a_machine_that_is_lost_ends_the_run(void)
{
    static const char *const kinds[] = {"rotation", "free"};
    for (size_t i = 0; i < 2; i++) {
        const asked it = {.kind = kinds[i],
                          .driver = "sim",
                          .staleness = "0",
                          .more = {"cluster.faults=[lose worker 1 at 0.02]"}};
        strads_result result;
        shape(8, 1, MANY);
        grid_in_use.units = 1e6;
        CHECK_STATUS(run(&it, &result), STRADS_ERR_CLOSED);
    }
}

/* Where memory is lacking, those who wait may hear of it first. */
static void without_memory_a_run_ends_cleanly(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; status != STRADS_OK; n++) {
        const asked it = {.kind = n % 2 == 0 ? "free" : "rotation", .staleness = "0", .workers = 2};
        strads_result result;
        shape(4, 1, 1);
        grid_in_use.fail_allocation = n;
        status = run(&it, &result);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
}

/* ---- refusals ---- */

static void refuse(void *context)
{
    strads_result result;
    CHECK_STATUS(run(context, &result), STRADS_ERR_USAGE);
}

static void check_refused(asked it, const char *words)
{
    char *text = suite_stderr_of(refuse, &it);
    CHECK(strstr(text, words) != NULL);
    strads_free(text);
}

static void what_cannot_be_kept_is_refused(void)
{
    const asked alone = {.more = {"run.deterministic=true"}, .workers = 1};
    shape(7, 1, 1);
    check_run(&alone);
    check_refused((asked){.more = {"run.deterministic=true"}}, "shares tables among its 4 workers");
    check_refused((asked){.driver = "sim", .more = {"run.deterministic=true"}},
                  "shares tables among its 4 workers");
    check_refused((asked){.kind = "free"}, "7 column blocks are too few");
    check_refused((asked){.workers = 8}, "needs 8 with 8 workers");
    check_refused((asked){.staleness = "2.5"}, "2.5 is not a whole number");
    check_refused((asked){.more = {"ssp.periods=7"}}, "has no rounds of so many periods");
    grid_in_use.tables = false;
    check_refused((asked){.staleness = "3"}, "has no tables with schedule.kind: rotation");
}

SUITE("integration/grid_tables",
      {"reads see what their staleness promises", reads_see_what_their_staleness_promises},
      {"reads do so beside a straggler", reads_do_so_beside_a_straggler},
      {"reads do so in several processes", reads_do_so_in_several_processes},
      {"random grids on random clusters keep the promise",
       random_grids_on_random_clusters_keep_the_promise},
      {"free workers wait for a slow one as far as reads need it",
       free_workers_wait_for_a_slow_one_as_far_as_reads_need_it},
      {"what tables came to is summed up", what_tables_came_to_is_summed_up},
      {"who is asked to stop keeps the clocks equal", who_is_asked_to_stop_keeps_the_clocks_equal},
      {"the end of the time keeps the clocks equal", the_end_of_the_time_keeps_the_clocks_equal},
      {"what fails ends the run for those who wait", what_fails_ends_the_run_for_those_who_wait},
      {"a process that is lost ends the run", a_process_that_is_lost_ends_the_run},
      {"a machine that is lost ends the run", a_machine_that_is_lost_ends_the_run},
      {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly},
      {"what cannot be kept is refused", what_cannot_be_kept_is_refused})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_grid.c - passes over a grid: each column with one worker at a time,
 * each cell worked on as often as its schedule says. */
#include <string.h>

#include "base/mem.h"
#include "tests/support/grid_case.h"
#include "tests/support/suite.h"

/* What slow_worker_agnostic cuts a cell into. */
enum { PARTS = 8 };

enum { N_SETTINGS = 6, N_FIXED = 4, TEXT = 60 };

/* What a run is asked for. */
typedef struct asked {
    const char *kind, *driver;
    const char *more[N_SETTINGS - N_FIXED]; /* NULL: nothing */
    uint32_t workers, processes;
} asked;

static strads_status run(const asked *it, strads_result *result)
{
    char texts[N_FIXED][TEXT];
    const char *settings[N_SETTINGS];
    snprintf(texts[0], TEXT, "schedule.kind=%s", it->kind);
    snprintf(texts[1], TEXT, "run.driver=%s", it->driver == NULL ? "threads" : it->driver);
    snprintf(texts[2], TEXT, "run.workers=%u", it->workers);
    snprintf(texts[3], TEXT, "run.processes=%u", it->processes == 0 ? 1 : it->processes);
    size_t n = 0;
    for (; n < N_FIXED; n++) {
        settings[n] = texts[n];
    }
    for (; n < N_SETTINGS && it->more[n - N_FIXED] != NULL; n++) {
        settings[n] = it->more[n - N_FIXED];
    }
    return grid_run(settings, n, result);
}

static void shape(uint32_t n_columns, uint32_t n_rows, uint32_t n_passes)
{
    grid_in_use =
        (grid_case){.n_columns = n_columns, .n_rows = n_rows, .n_passes = n_passes, .units = 1e5};
}

/* How often the rows of a worker have met the column. */
static uint32_t visits(uint32_t column, uint32_t rank)
{
    uint32_t sum = 0;
    for (uint32_t r = 0; r < GRID_ROWS; r++) {
        sum += grid_in_use.columns[column].visits[rank][r];
    }
    return sum;
}

static void check_whole(uint32_t workers, const strads_result *result)
{
    CHECK(result->verdict == STRADS_COMPLETED);
    CHECK(!grid_in_use.shared);
    CHECK(grid_in_use.n_rows_taken == workers);
    CHECK(grid_in_use.n_columns_taken == grid_in_use.n_columns);
    CHECK(grid_in_use.n_measured == (double) workers * grid_in_use.n_columns);
}

static void check_once_a_pass(uint32_t workers, uint32_t each)
{
    for (uint32_t c = 0; c < grid_in_use.n_columns; c++) {
        for (uint32_t k = 0; k < workers; k++) {
            for (uint32_t r = 0; r < grid_in_use.n_rows; r++) {
                CHECK(grid_in_use.columns[c].visits[k][r] == each * grid_in_use.n_passes);
            }
        }
    }
}

static void rotation_works_on_each_cell_once_a_pass_in_the_same_order(void)
{
    static const char *const drivers[] = {"threads", "sim"};
    for (uint32_t workers = 1; workers <= 5; workers++) {
        for (uint32_t n_columns = 1; n_columns <= 11; n_columns += 5) {
            uint64_t columns[2] = {0};
            uint64_t rows[2] = {0};
            for (int d = 0; d < 2; d++) {
                const asked it = {.kind = "rotation", .driver = drivers[d], .workers = workers};
                strads_result result;
                shape(n_columns, 1 + workers % 3, 3);
                REQUIRE_OK(run(&it, &result));
                check_whole(workers, &result);
                check_once_a_pass(workers, 1);
                CHECK(grid_in_use.measured == 3.0 * workers * n_columns * grid_in_use.n_rows);
                for (uint32_t c = 0; c < n_columns; c++) {
                    columns[d] = columns[d] * 31 + grid_in_use.columns[c].order;
                }
                for (uint32_t k = 0; k < workers; k++) {
                    rows[d] = rows[d] * 31 + grid_in_use.rows[k].order;
                }
            }
            CHECK(columns[0] == columns[1]);
            CHECK(rows[0] == rows[1]);
        }
    }
}

static void free_workers_make_as_many_visits_as_there_are_cells(void)
{
    static const char *const drivers[] = {"threads", "sim"};
    for (uint32_t workers = 1; workers <= 5; workers++) {
        for (uint32_t n_columns = 1; n_columns <= 13; n_columns += 4) {
            for (int d = 0; d < 2; d++) {
                const asked it = {.kind = "free", .driver = drivers[d], .workers = workers};
                strads_result result;
                uint32_t sum = 0;
                shape(n_columns, 2, 3);
                REQUIRE_OK(run(&it, &result));
                check_whole(workers, &result);
                for (uint32_t c = 0; c < n_columns; c++) {
                    for (uint32_t k = 0; k < workers; k++) {
                        sum += visits(c, k);
                    }
                }
                CHECK(sum == 3 * workers * n_columns * 2);
            }
        }
    }
}

/* A machine that takes four times as long. */
static const char one_is_slow[] = "cluster.speed=[1, 1, 0.25, 1]";

static void free_workers_do_not_wait_for_a_slow_one(void)
{
    const asked it = {.kind = "free", .driver = "sim", .more = {one_is_slow}, .workers = 4};
    strads_result result;
    shape(16, 4, 4);
    grid_in_use.units = 1e7;
    REQUIRE_OK(run(&it, &result));
    check_whole(4, &result);
    uint32_t slow = 0;
    uint32_t fast = 0;
    for (uint32_t c = 0; c < 16; c++) {
        slow += visits(c, 2);
        fast += visits(c, 1);
    }
    CHECK(fast > 3 * slow && fast < 5 * slow);
}

static void who_is_done_first_goes_on_with_what_it_has(void)
{
    static const char agnostic[] = "schedule.slow_worker_agnostic=true";
    const asked it = {
        .kind = "rotation", .driver = "sim", .more = {one_is_slow, agnostic}, .workers = 4};
    strads_result result;
    uint32_t slow = 0;
    uint32_t fast = 0;
    shape(8, 2, 3);
    grid_in_use.units = 1e7;
    REQUIRE_OK(run(&it, &result));
    check_whole(4, &result);
    check_once_a_pass(4, PARTS);
    for (uint32_t c = 0; c < 8; c++) {
        slow += grid_in_use.columns[c].extras[2];
        fast += grid_in_use.columns[c].extras[1];
    }
    CHECK(slow == 0);
    CHECK(fast > 2 * 3 * 8 * 2 * PARTS && fast < 4 * 3 * 8 * 2 * PARTS);
    const asked alike = {.kind = "rotation", .more = {agnostic}, .workers = 3};
    shape(8, 2, 3);
    REQUIRE_OK(run(&alike, &result));
    check_whole(3, &result);
    check_once_a_pass(3, PARTS);
}

static void processes_rotate_as_threads_do(void)
{
    uint64_t order[2] = {0};
    for (uint32_t i = 0; i < 2; i++) {
        const asked it = {.kind = "rotation", .workers = 4, .processes = i == 0 ? 1 : 3};
        strads_result result;
        shape(GRID_COLUMNS, 2, 3);
        REQUIRE_OK(run(&it, &result));
        check_whole(4, &result);
        check_once_a_pass(4, 1);
        for (uint32_t c = 0; c < GRID_COLUMNS; c++) {
            order[i] = order[i] * 31 + grid_in_use.columns[c].order;
        }
    }
    CHECK(order[0] == order[1]);
}

/* At the end a worker gives all of its columns, which nobody takes before it is done with that. */
static void a_worker_gives_any_number_of_columns(void)
{
    const asked them[] = {{.kind = "rotation", .workers = 1},
                          {.kind = "rotation", .driver = "sim", .workers = 2},
                          {.kind = "free", .workers = 2}};
    for (size_t i = 0; i < sizeof(them) / sizeof(*them); i++) {
        strads_result result;
        shape(GRID_COLUMNS, 1, 2);
        REQUIRE_OK(run(&them[i], &result));
        check_whole(them[i].workers, &result);
    }
}

static void what_fails_ends_the_run(void)
{
    const size_t live = strads_mem_live();
    for (int callback = GRID_CALL_OPEN_COLUMN; callback < GRID_CALL_N; callback++) {
        for (uint32_t call = 1; call <= 4; call++) {
            const asked it = {.kind = call % 2 == 0 ? "free" : "rotation", .workers = 3};
            strads_result result;
            shape(6, 2, 2);
            grid_in_use.fails = (grid_callback) callback;
            grid_in_use.call = call;
            const bool comes =
                call <= 3 || (callback != GRID_CALL_GIVE_ROWS && callback != GRID_CALL_TAKE_ROWS);
            CHECK_STATUS(run(&it, &result), comes ? STRADS_ERR_APP : STRADS_OK);
        }
    }
    CHECK(strads_mem_live() == live);
}

static void without_memory_a_run_ends_cleanly(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t n = 1; status != STRADS_OK; n++) {
        const asked it = {.kind = n % 2 == 0 ? "free" : "rotation", .workers = 2};
        strads_result result;
        shape(4, 1, 1);
        grid_in_use.fail_allocation = n;
        status = run(&it, &result);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
}

static void refuse_kind(void *kind)
{
    const asked it = {.kind = kind, .workers = 2};
    strads_result result;
    shape(4, 1, 1);
    CHECK_STATUS(run(&it, &result), STRADS_ERR_USAGE);
}

static void refuse_determinism(void *kind)
{
    const asked it = {.kind = kind, .workers = 2, .more = {"run.deterministic=true"}};
    strads_result result;
    shape(4, 1, 1);
    CHECK_STATUS(run(&it, &result), STRADS_ERR_USAGE);
}

static void other_schedules_are_refused(void)
{
    static char kinds[][20] = {"structure_aware", "random", "cyclic"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char *text = suite_stderr_of(refuse_kind, kinds[i]);
        CHECK(strstr(text, "which works on a grid: rotation or free") != NULL);
        strads_free(text);
    }
    static char roams[] = "free";
    char *text = suite_stderr_of(refuse_determinism, roams);
    CHECK(strstr(text, "only run.driver: sim can repeat them") != NULL);
    strads_free(text);
}

SUITE("integration/grid",
      {"rotation works on each cell once a pass, in the same order",
       rotation_works_on_each_cell_once_a_pass_in_the_same_order},
      {"free workers make as many visits as there are cells",
       free_workers_make_as_many_visits_as_there_are_cells},
      {"free workers do not wait for a slow one", free_workers_do_not_wait_for_a_slow_one},
      {"who is done first goes on with what it has", who_is_done_first_goes_on_with_what_it_has},
      {"processes rotate as threads do", processes_rotate_as_threads_do},
      {"a worker gives any number of columns", a_worker_gives_any_number_of_columns},
      {"what fails ends the run", what_fails_ends_the_run},
      {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly},
      {"other schedules are refused", other_schedules_are_refused})

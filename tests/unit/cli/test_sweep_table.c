/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_sweep_table.c - the CSV file of a sweep. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/sweep.h"
#include "tests/support/suite.h"

enum { N_CASES = 4, TEXT_BYTES = 4096 };

/* The values a and [b,c] of k, and two seeds. */
static sweep_plan small_plan(bool curve)
{
    static const char text[] = "k=a,[b,c]";
    sweep_plan plan;
    cli_texts sweeps = {0};
    REQUIRE_OK(cli_texts_add(&sweeps, text, strlen(text)));
    REQUIRE_OK(sweep_plan_init(&plan, &sweeps, 2, curve));
    cli_texts_fini(&sweeps);
    REQUIRE(plan.n_cases == N_CASES);
    return plan;
}

static void read_back(const char *path, char text[TEXT_BYTES])
{
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
    fclose(file);
}

/* Adds n records of a case, with one more field where `name` is given. */
static strads_status add(sweep_table *table, const sweep_plan *plan, size_t index,
                         const char *status, const char *name, size_t n)
{
    sweep_record records[3] = {0};
    const sweep_facts facts = {"1", status, "so \"it\" is"};
    strads_status result = STRADS_OK;
    for (size_t i = 0; result == STRADS_OK && i < n; i++) {
        result = sweep_plan_record(plan, index, &facts, &records[i]);
        if (result == STRADS_OK && name != NULL) {
            result = sweep_record_put(&records[i], name, "7");
        }
    }
    result = result == STRADS_OK ? sweep_table_add(table, records, n) : result;
    for (size_t i = 0; i < n; i++) {
        sweep_record_fini(&records[i]);
    }
    return result;
}

static void cells_are_quoted_where_they_must_be_and_read_back(void)
{
    static const char *const cells[] = {"",   "a",      "a b", "a,b", "\"",    "a\"b\"\"",
                                        "\n", "a\r\nb", ",",   "'",   "\",\"", " "};
    enum { N = sizeof(cells) / sizeof(cells[0]) };
    char text[TEXT_BYTES] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");
    REQUIRE(to != NULL);
    for (size_t i = 0; i < N; i++) {
        fputs(i > 0 ? "," : "", to);
        sweep_csv_write(to, cells[i]);
    }
    fputs("\r\nnext,\"\"\n", to);
    fclose(to);
    CHECK(strstr(text, ",a b,\"a,b\",\"\"\"\",\"a\"\"b\"\"\"\"\",") != NULL);
    cli_texts read = {0};
    const char *at = text;
    REQUIRE_OK(sweep_csv_read(&at, text + strlen(text), &read));
    REQUIRE(read.n == N);
    for (size_t i = 0; i < N; i++) {
        CHECK_TEXT(read.items[i], cells[i]);
    }
    REQUIRE_OK(sweep_csv_read(&at, text + strlen(text), &read));
    CHECK(read.n == 2 && *at == '\0');
    CHECK_TEXT(read.items[0], "next");
    CHECK_TEXT(read.items[1], "");
    cli_texts_fini(&read);
}

static void what_is_no_record_is_refused_where_it_begins(void)
{
    static const char *const texts[] = {"",       "a",         "a,b", "\"a\n",
                                        "a\rb\n", "\"a\"\"\n", "a\r", "a,"};
    cli_texts cells = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *at = texts[i];
        CHECK_STATUS(sweep_csv_read(&at, at + strlen(at), &cells), STRADS_ERR_DATA);
        CHECK(at == texts[i]);
    }
    cli_texts_fini(&cells);
}

static void a_table_says_what_has_been_done(void)
{
    sweep_plan plan = small_plan(false);
    sweep_table table;
    uint8_t states[N_CASES] = {0};
    char *path = suite_file("done.csv", "");
    char text[TEXT_BYTES];
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    CHECK(states[0] + states[1] + states[2] + states[3] == 0);
    REQUIRE_OK(add(&table, &plan, 2, "converged", NULL, 1));
    REQUIRE_OK(add(&table, &plan, 1, "failed", NULL, 1));
    sweep_table_close(&table);
    read_back(path, text);
    CHECK_TEXT(text, "k,run.seed,status,error\n"
                     "\"[b,c]\",1,converged,\"so \"\"it\"\" is\"\n"
                     "a,2,failed,\"so \"\"it\"\" is\"\n");
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    CHECK(states[0] == SWEEP_TODO && states[1] == SWEEP_FAILED);
    CHECK(states[2] == SWEEP_DONE && states[3] == SWEEP_TODO);
    sweep_table_close(&table);

    strads_free(suite_file("done.csv", "k,run.seed,status,error,x\nother,1,converged,,\n"));
    memset(states, 0, sizeof(states));
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    CHECK(states[0] + states[1] + states[2] + states[3] == 0);
    sweep_table_close(&table);
    strads_free(path);
    sweep_plan_fini(&plan);
}

static void new_names_become_columns_and_earlier_records_stay(void)
{
    sweep_plan plan = small_plan(false);
    sweep_table table;
    uint8_t states[N_CASES] = {0};
    char *path = suite_file("wide.csv", "");
    char text[TEXT_BYTES];
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    REQUIRE_OK(add(&table, &plan, 0, "failed", NULL, 1));
    REQUIRE_OK(add(&table, &plan, 2, "converged", "gap", 1));
    REQUIRE_OK(add(&table, &plan, 1, "converged", "se,cs", 1));
    REQUIRE_OK(add(&table, &plan, 3, "stopped", "gap", 1));
    sweep_table_close(&table);
    read_back(path, text);
    CHECK_TEXT(text, "k,run.seed,status,error,gap,\"se,cs\"\n"
                     "a,1,failed,\"so \"\"it\"\" is\",,\n"
                     "\"[b,c]\",1,converged,\"so \"\"it\"\" is\",7,\n"
                     "a,2,converged,\"so \"\"it\"\" is\",,7\n"
                     "\"[b,c]\",2,stopped,\"so \"\"it\"\" is\",7,\n");
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    CHECK(table.columns.n == 6);
    sweep_table_close(&table);
    strads_free(path);
    sweep_plan_fini(&plan);
}

/* Writes all cases, cuts the file everywhere, and opens what is left: of a curve no
 * case may be there in part. */
static void check_cuts(bool curve)
{
    const size_t n_each = curve ? 3 : 1;
    sweep_plan plan = small_plan(curve);
    sweep_table table;
    uint8_t states[N_CASES] = {0};
    char text[TEXT_BYTES], left[TEXT_BYTES];
    char *path = suite_file("cut.csv", "");
    size_t ends[N_CASES]; /* bytes with i + 1 cases */
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    for (size_t i = 0; i < N_CASES; i++) {
        REQUIRE_OK(add(&table, &plan, i, "converged", NULL, n_each));
        read_back(path, text);
        ends[i] = strlen(text);
    }
    sweep_table_close(&table);
    const size_t header = (size_t) (strchr(text, '\n') + 1 - text);
    for (size_t n = header; n < strlen(text); n++) {
        if (curve && text[n - 1] == '\n') {
            continue; /* a file that ends in a whole line was not cut */
        }
        snprintf(left, sizeof(left), "%.*s", (int) n, text);
        strads_free(suite_file("cut.csv", left));
        memset(states, 0, sizeof(states));
        REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
        sweep_table_close(&table);
        read_back(path, left);
        size_t n_done = 0;
        while (n_done < N_CASES && states[n_done] == SWEEP_DONE) {
            n_done++;
        }
        CHECK(strlen(left) == (n_done > 0 ? ends[n_done - 1] : header));
        CHECK(memcmp(left, text, strlen(left)) == 0);
        size_t n_whole = 0;
        while (n_whole < N_CASES && ends[n_whole] <= n) {
            n_whole++;
        }
        CHECK(n_done == n_whole || (curve && n_done + 1 == n_whole));
    }
    strads_free(path);
    sweep_plan_fini(&plan);
}

static void a_line_that_was_cut_short_is_dropped(void)
{
    check_cuts(false);
}

static void of_a_curve_that_was_cut_short_nothing_stays(void)
{
    check_cuts(true);
}

typedef struct refusal {
    const char *text, *part;
    bool curve;
} refusal;

static void try_refusal(void *context)
{
    const refusal *wrong = context;
    sweep_plan plan = small_plan(wrong->curve);
    sweep_table table;
    uint8_t states[N_CASES] = {0};
    char left[TEXT_BYTES];
    char *path = suite_file("other.csv", wrong->text);
    CHECK_STATUS(sweep_table_open(&table, path, &plan, states), STRADS_ERR_USAGE);
    read_back(path, left);
    CHECK_TEXT(left, wrong->text);
    strads_free(path);
    sweep_plan_fini(&plan);
}

static void files_of_something_else_are_refused_and_left_alone(void)
{
    refusal cases[] = {{"k,run.seed,error\n", "column 3 is error, here it would be status", false},
                       {"k,run.seed,status\n", "column 4 is missing", false},
                       {"x,y\n1,2\n", "column 1 is x, here it would be k", false},
                       {"k,run.seed,status,error\n", "here it would be measurement", true},
                       {"k,run.seed,measurement,status,error\n", "column 3 is measurement", false},
                       {"k,run.seed,status,error\na,1,converged\n", "3 cells under 4", false},
                       {"k,run.seed,status,error\n\na,1,converged,\n", "1 cells under 4", false},
                       {"k,run.seed,status,error\n\"a,1,converged,\n", "not CSV", false},
                       {"notes without a line end", "not CSV", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *said = suite_stderr_of(try_refusal, &cases[i]);
        CHECK(strstr(said, cases[i].part) != NULL);
        CHECK(strstr(said, "other.csv: ") != NULL);
        CHECK(strchr(said, '\n') == strrchr(said, '\n'));
        strads_free(said);
    }
}

static void two_sweeps_cannot_write_to_one_file(void)
{
    sweep_plan plan = small_plan(false);
    sweep_table table;
    uint8_t states[N_CASES] = {0};
    char *path = suite_file("shared.csv", "");
    REQUIRE_OK(sweep_table_open(&table, path, &plan, states));
    for (int i = 0; i < 2; i++) {
        int wait_status = 0;
        const pid_t child = fork();
        if (child == 0) {
            sweep_table second;
            strads_log_set_level(STRADS_LOG_ERROR);
            if (freopen("/dev/null", "w", stderr) == NULL) {
                _exit(1);
            }
            _exit(sweep_table_open(&second, path, &plan, states) == STRADS_ERR_USAGE ? 0 : 1);
        }
        CHECK(waitpid(child, &wait_status, 0) == child);
        CHECK(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
        REQUIRE_OK(add(&table, &plan, 0, "failed", "new", 1)); /* written anew, and still held */
    }
    sweep_table_close(&table);
    strads_free(path);
    sweep_plan_fini(&plan);
}

static void every_allocation_may_fail(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n = 0;
    while (n < 300 && status == STRADS_ERR_NOMEM) {
        sweep_plan plan = small_plan(false);
        uint8_t states[N_CASES] = {0};
        sweep_table table = {.fd = -1};
        char *path = suite_file("fail.csv", "k,run.seed,status,error\na,1,failed,\n");
        char text[TEXT_BYTES];
        strads_mem_fail_after(++n);
        status = sweep_table_open(&table, path, &plan, states);
        if (status == STRADS_OK) {
            status = add(&table, &plan, 2, "converged", "gap", 1);
        }
        strads_mem_fail_after(0);
        read_back(path, text);
        CHECK(strstr(text, "\na,1,failed,") != NULL && text[strlen(text) - 1] == '\n');
        CHECK((strstr(text, "converged") != NULL) == (status == STRADS_OK));
        sweep_table_close(&table);
        strads_free(path);
        sweep_plan_fini(&plan);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(n > 20);
}

SUITE("cli/sweep_table",
      {"cells are quoted where they must be, and read back",
       cells_are_quoted_where_they_must_be_and_read_back},
      {"what is no record is refused where it begins",
       what_is_no_record_is_refused_where_it_begins},
      {"a table says what has been done", a_table_says_what_has_been_done},
      {"new names become columns, and earlier records stay",
       new_names_become_columns_and_earlier_records_stay},
      {"a line that was cut short is dropped", a_line_that_was_cut_short_is_dropped},
      {"of a curve that was cut short nothing stays", of_a_curve_that_was_cut_short_nothing_stays},
      {"files of something else are refused and left alone",
       files_of_something_else_are_refused_and_left_alone},
      {"two sweeps cannot write to one file", two_sweeps_cannot_write_to_one_file},
      {"every allocation may fail", every_allocation_may_fail})

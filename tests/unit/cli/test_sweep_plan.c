/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_sweep_plan.c - the cases of a sweep. */
#include <string.h>

#include "base/mem.h"
#include "cli/sweep.h"
#include "tests/support/suite.h"

static strads_status make(sweep_plan *plan, uint64_t n_seeds, const char *first, const char *second)
{
    const char *const texts[] = {first, second};
    cli_texts sweeps = {0};
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < 2; i++) {
        status = texts[i] != NULL ? cli_texts_add(&sweeps, texts[i], strlen(texts[i])) : STRADS_OK;
    }
    if (status == STRADS_OK) {
        status = sweep_plan_init(plan, &sweeps, n_seeds, false);
    }
    cli_texts_fini(&sweeps);
    return status;
}

static void values_are_split_at_commas_outside_of_brackets(void)
{
    static const struct {
        const char *text;
        size_t n;
        const char *values[3];
    } cases[] = {{"k=1", 1, {"1"}},
                 {"k=1,22,3", 3, {"1", "22", "3"}},
                 {"k= 1 , 2\t", 2, {"1", "2"}},
                 {"k=[1, 2],[3]", 2, {"[1, 2]", "[3]"}},
                 {"k=[[1,2],[3]],4", 2, {"[[1,2],[3]]", "4"}},
                 {"k=a=b,]c,d", 3, {"a=b", "]c", "d"}},
                 {"k=[1,2", 1, {"[1,2"}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sweep_plan plan;
        REQUIRE_OK(make(&plan, 1, cases[i].text, NULL));
        CHECK(plan.n_cases == cases[i].n);
        CHECK_TEXT(plan.axes[0].key, "k");
        for (size_t k = 0; k < cases[i].n; k++) {
            CHECK_TEXT(sweep_plan_value(&plan, k, 0), cases[i].values[k]);
        }
        sweep_plan_fini(&plan);
    }
}

typedef struct refusal {
    const char *first, *second, *part;
    uint64_t n_seeds;
} refusal;

static void try_refusal(void *context)
{
    const refusal *wrong = context;
    sweep_plan plan;
    CHECK_STATUS(make(&plan, wrong->n_seeds, wrong->first, wrong->second), STRADS_ERR_USAGE);
}

static void wrong_sweeps_are_refused_in_a_line(void)
{
    refusal cases[] = {{"k", NULL, "'k': expected key=a,b,c", 1},
                       {"=1", NULL, "'=1': expected", 1},
                       {"", NULL, "'': expected", 1},
                       {"k=", NULL, "'k=': expected", 1},
                       {"k=1,", NULL, "--sweep k: an empty value", 1},
                       {"k= ,1", NULL, "--sweep k: an empty value", 1},
                       {"k=1,2,1", NULL, "--sweep k: 1 is given twice", 1},
                       {"k=1", "k=2", "--sweep k: swept twice", 1},
                       {"run.seed=1,2", NULL, "--repeat N", 1},
                       {"run.out=a,b", NULL, "--out DIR", 1},
                       {"k=1,2", NULL, "more than 1000000 cases", 500001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *said = suite_stderr_of(try_refusal, &cases[i]);
        CHECK(strstr(said, cases[i].part) != NULL);
        CHECK(strchr(said, '\n') == strrchr(said, '\n'));
        strads_free(said);
    }
}

static void cases_are_the_product_with_the_seeds_turning_fastest(void)
{
    sweep_plan plan;
    char seed[SWEEP_SEED_BYTES];
    REQUIRE_OK(make(&plan, 2, "a=x,y", "b=1,2,3"));
    plan.first_seed = 9;
    REQUIRE(plan.n_cases == 12);
    for (size_t i = 0; i < 12; i++) {
        CHECK_TEXT(sweep_plan_value(&plan, i, 0), i < 6 ? "x" : "y");
        CHECK(atoi(sweep_plan_value_of(&plan, i, "b")) == (int) (i / 2 % 3) + 1);
        CHECK(atoi(sweep_plan_seed(&plan, i, seed)) == (int) (9 + i % 2));
    }
    CHECK(sweep_plan_value_of(&plan, 0, "c") == NULL);
    sweep_plan_fini(&plan);
}

static void without_swept_keys_the_seeds_are_the_cases(void)
{
    sweep_plan plan;
    char *name = NULL;
    REQUIRE_OK(make(&plan, 3, NULL, NULL));
    CHECK(plan.n_cases == 3);
    REQUIRE_OK(sweep_plan_name(&plan, 2, true, &name));
    CHECK_TEXT(name, "run.seed=3");
    strads_free(name);
    sweep_plan_fini(&plan);
}

static void a_case_is_found_by_its_cells_and_others_are_not(void)
{
    sweep_plan plan;
    REQUIRE_OK(make(&plan, 2, "a=x,y", "b=1,2,3"));
    plan.first_seed = 9;
    for (size_t i = 0; i < plan.n_cases; i++) {
        sweep_record record = {0};
        const sweep_facts facts = {NULL, "stopped", ""};
        REQUIRE_OK(sweep_plan_record(&plan, i, &facts, &record));
        CHECK(sweep_plan_find(&plan, record.cells.items) == i);
        sweep_record_fini(&record);
    }
    static char *const others[][3] = {{"z", "1", "9"},   {"x", "1.0", "9"}, {"x", "1", "8"},
                                      {"x", "1", "11"},  {"x", "1", ""},    {"x", "1", "9x"},
                                      {"x", "1", "+9"},  {"", "", ""},      {"x", "1", "-1"},
                                      {"x", "1", "1e1"}, {"1", "x", "9"},   {"x", "", "9"}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CHECK(sweep_plan_find(&plan, others[i]) == plan.n_cases);
    }
    sweep_plan_fini(&plan);
}

static void records_begin_with_keys_seed_status_and_error(void)
{
    static const char *const names[] = {"a", "b", "run.seed", "measurement", "status", "error"};
    static const char *const cells[] = {"y", "3", "2", "17", "failed", "no memory"};
    sweep_plan plan;
    REQUIRE_OK(make(&plan, 2, "a=x,y", "b=1,2,3"));
    for (int curve = 0; curve < 2; curve++) {
        plan.curve = curve == 1;
        sweep_record record = {0};
        const sweep_facts facts = {"17", "failed", "no memory"};
        REQUIRE_OK(sweep_plan_record(&plan, 11, &facts, &record));
        REQUIRE(record.names.n == (curve == 1 ? 6 : 5));
        for (size_t i = 0; i < record.names.n; i++) {
            const size_t k = curve == 0 && i > 2 ? i + 1 : i;
            CHECK_TEXT(record.names.items[i], names[k]);
            CHECK_TEXT(record.cells.items[i], cells[k]);
        }
        sweep_record_fini(&record);
    }
    sweep_plan_fini(&plan);
}

static void names_of_cases_are_file_names_and_distinct(void)
{
    static const char *const names[] = {
        "data.path=..%2Fa%20b%25.npy,run.seed=1", "data.path=..%252Fa,run.seed=1",
        "data.path=%5B1%2C%202%5D,run.seed=1", "data.path=-1.5e+3_,run.seed=1"};
    sweep_plan plan;
    REQUIRE_OK(make(&plan, 1, "data.path=../a b%.npy,..%2Fa,[1, 2],-1.5e+3_", NULL));
    for (size_t i = 0; i < plan.n_cases; i++) {
        char *name = NULL;
        REQUIRE_OK(sweep_plan_name(&plan, i, true, &name));
        CHECK_TEXT(name, names[i]);
        strads_free(name);
    }
    char *plain = NULL;
    REQUIRE_OK(sweep_plan_name(&plan, 0, false, &plain));
    CHECK_TEXT(plain, "data.path=../a b%.npy run.seed=1");
    strads_free(plain);
    sweep_plan_fini(&plan);
}

static void a_case_whose_name_is_too_long_for_a_file_has_a_number(void)
{
    char axis[400], *name = NULL;
    memset(axis, 'v', sizeof(axis));
    memcpy(axis, "a=b,", 4);
    axis[sizeof(axis) - 1] = '\0';
    sweep_plan plan;
    REQUIRE_OK(make(&plan, 1, axis, NULL));
    REQUIRE_OK(sweep_plan_name(&plan, 1, true, &name));
    CHECK_TEXT(name, "case-2");
    strads_free(name);
    REQUIRE_OK(sweep_plan_name(&plan, 0, true, &name));
    CHECK_TEXT(name, "a=b,run.seed=1");
    strads_free(name);
    sweep_plan_fini(&plan);
}

/* Makes a plan, a record and a name, the n-th allocation failing. */
static strads_status make_all(size_t nth)
{
    sweep_plan plan = {0};
    sweep_record record = {0};
    char *name = NULL;
    const sweep_facts facts = {"", "", ""};
    strads_mem_fail_after(nth);
    strads_status status = make(&plan, 2, "a=x,y", "b=[1,2],2");
    if (status == STRADS_OK) {
        status = sweep_plan_record(&plan, 3, &facts, &record);
    }
    if (status == STRADS_OK) {
        status = sweep_plan_name(&plan, 3, true, &name);
    }
    strads_mem_fail_after(0);
    sweep_record_fini(&record);
    strads_free(name);
    sweep_plan_fini(&plan);
    return status;
}

static void every_allocation_may_fail(void)
{
    const size_t live = strads_mem_live();
    size_t n = 1;
    while (n < 200 && make_all(n) == STRADS_ERR_NOMEM) {
        CHECK(strads_mem_live() == live);
        n++;
    }
    CHECK(n > 10 && n < 200);
    CHECK(strads_mem_live() == live);
}

SUITE("cli/sweep_plan",
      {"values are split at commas outside of brackets",
       values_are_split_at_commas_outside_of_brackets},
      {"wrong sweeps are refused in a line", wrong_sweeps_are_refused_in_a_line},
      {"cases are the product, with the seeds turning fastest",
       cases_are_the_product_with_the_seeds_turning_fastest},
      {"without swept keys the seeds are the cases", without_swept_keys_the_seeds_are_the_cases},
      {"a case is found by its cells, and others are not",
       a_case_is_found_by_its_cells_and_others_are_not},
      {"records begin with keys, seed, status and error",
       records_begin_with_keys_seed_status_and_error},
      {"names of cases are file names, and distinct", names_of_cases_are_file_names_and_distinct},
      {"a case whose name is too long for a file has a number",
       a_case_whose_name_is_too_long_for_a_file_has_a_number},
      {"every allocation may fail", every_allocation_may_fail})

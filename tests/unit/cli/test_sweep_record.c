/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_sweep_record.c - records, and how JSON becomes them. */
#include <string.h>

#include "base/mem.h"
#include "cli/sweep.h"
#include "tests/support/suite.h"

/* Reads `text` as a file. */
static strads_status read_text(sweep_records *records, const char *text, bool *whole)
{
    char *path = suite_file("read.json", text);
    const strads_status status = sweep_json_read(records, path, whole);
    strads_free(path);
    return status;
}

static void a_name_keeps_its_first_cell(void)
{
    sweep_record record = {0};
    REQUIRE_OK(sweep_record_put(&record, "a", "1"));
    REQUIRE_OK(sweep_record_put(&record, "b", "2"));
    REQUIRE_OK(sweep_record_put(&record, "a", "3"));
    CHECK(record.names.n == 2 && record.cells.n == 2);
    CHECK_TEXT(sweep_record_find(&record, "a"), "1");
    CHECK(sweep_record_find(&record, "c") == NULL);
    sweep_record_fini(&record);
}

static void objects_and_lists_are_flattened_in_order(void)
{
    static const char text[] = "{\"status\": \"converged\", \"seconds\": {\"load\": 0.5, \"solve\":"
                               " {\"x\": 2}}, \"waits\": [1, [2, 3]], \"gap\": null,"
                               " \"sure\": true, \"not\": false, \"none\": {}, \"empty\": []}\n";
    static const char *const pairs[][2] = {{"status", "converged"},
                                           {"seconds.load", "0.5"},
                                           {"seconds.solve.x", "2"},
                                           {"waits.0", "1"},
                                           {"waits.1.0", "2"},
                                           {"waits.1.1", "3"},
                                           {"gap", ""},
                                           {"sure", "true"},
                                           {"not", "false"}};
    sweep_records records = {0};
    bool whole = false;
    REQUIRE_OK(read_text(&records, text, &whole));
    CHECK(whole);
    REQUIRE(records.n == 1);
    REQUIRE(records.items[0].names.n == 9);
    for (size_t i = 0; i < 9; i++) {
        CHECK_TEXT(records.items[0].names.items[i], pairs[i][0]);
        CHECK_TEXT(records.items[0].cells.items[i], pairs[i][1]);
    }
    sweep_records_fini(&records);
}

static void numbers_are_as_short_as_they_can_be_and_exact(void)
{
    static const char *const numbers[] = {"0.1",  "1e-06",  "9007199254740993",
                                          "-2.5", "1e+300", "0.30000000000000004"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char text[64];
        sweep_records records = {0};
        bool whole = false;
        snprintf(text, sizeof(text), "{\"x\": %s}", numbers[i]);
        REQUIRE_OK(read_text(&records, text, &whole));
        REQUIRE(whole && records.n == 1);
        CHECK_TEXT(sweep_record_find(&records.items[0], "x"), numbers[i]);
        sweep_records_fini(&records);
    }
}

static void a_journal_is_read_as_far_as_it_goes(void)
{
    static const struct {
        const char *text;
        size_t n;
        bool whole;
    } cases[] = {{"", 0, true},
                 {" \n", 0, true},
                 {"{\"a\":1}\n{\"a\":2}\n", 2, true},
                 {"{\"a\":1}\n{\"a\":2}", 2, true},
                 {"{\"a\":1}\n{\"a\":", 1, false},
                 {"{\"a\":1}\n[2]\n", 1, false},
                 {"{\"a\":1}\nx\n{\"a\":2}\n", 1, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sweep_records records = {0};
        bool whole = !cases[i].whole;
        REQUIRE_OK(read_text(&records, cases[i].text, &whole));
        CHECK(whole == cases[i].whole);
        CHECK(records.n == cases[i].n);
        sweep_records_fini(&records);
    }
}

static void what_is_not_there_or_too_long_is_not_whole(void)
{
    sweep_records records = {0};
    bool whole = true;
    REQUIRE_OK(sweep_json_read(&records, "none/summary.json", &whole));
    CHECK(!whole && records.n == 0);
    char text[600];
    memset(text, 'n', sizeof(text));
    memcpy(text, "{\"", 2);
    snprintf(text + 300, sizeof(text) - 300, "\": 1}");
    whole = true;
    REQUIRE_OK(read_text(&records, text, &whole));
    CHECK(!whole);
    sweep_records_fini(&records);
}

static void every_allocation_may_fail(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t n = 0;
    while (n < 100 && status == STRADS_ERR_NOMEM) {
        sweep_records records = {0};
        bool whole = false;
        char *path = suite_file("read.json", "{\"a\": {\"b\": 1}}\n{\"a\": [\"x\", null]}\n");
        strads_mem_fail_after(++n);
        status = sweep_json_read(&records, path, &whole);
        strads_mem_fail_after(0);
        strads_free(path);
        sweep_records_fini(&records);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(n > 5);
}

SUITE("cli/sweep_record", {"a name keeps its first cell", a_name_keeps_its_first_cell},
      {"objects and lists are flattened in order", objects_and_lists_are_flattened_in_order},
      {"numbers are as short as they can be, and exact",
       numbers_are_as_short_as_they_can_be_and_exact},
      {"a journal is read as far as it goes", a_journal_is_read_as_far_as_it_goes},
      {"what is not there or too long is not whole", what_is_not_there_or_too_long_is_not_whole},
      {"every allocation may fail", every_allocation_may_fail})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_wire.c - messages of tables: what is written is read, and what is wrong
 * is refused. */
#include "ssp/wire.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

enum { COLUMNS = 20, ROWS = 6 };

static const uint64_t keys[ROWS] = {7, 0, UINT64_MAX, 3, 4, 5};

/* Row i has i * 4 columns that are not 0: from sparse to dense. */
static void fill(double rows[ROWS][COLUMNS])
{
    memset(rows, 0, ROWS * sizeof(rows[0]));
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < 4 * i; j++) {
            rows[i][COLUMNS - 1 - j] = i - 0.5 * j;
        }
    }
}

static net_message *write_rows(double rows[ROWS][COLUMNS], ssp_lists *said)
{
    const ssp_head head = {.table = 3, .batch = 9, .n_keys = ROWS, .clock = 5};
    net_message *message = ssp_message_create(SSP_UPDATE, &head, keys, said, COLUMNS);
    REQUIRE(message != NULL);
    for (uint32_t i = 0; i < ROWS; i++) {
        ssp_message_put(message, i, rows[i], COLUMNS);
    }
    return message;
}

static strads_status read_rows(const net_message *message, ssp_lists *heard, ssp_rows *rows)
{
    const char *why = NULL;
    ssp_head head;
    if (!ssp_message_read(message, &head)) {
        return STRADS_ERR_DATA;
    }
    const strads_status status =
        ssp_message_read_rows(message, &head, heard, COLUMNS, true, rows, &why);
    CHECK(status != STRADS_ERR_DATA || (why != NULL && why[0] != '\0'));
    return status;
}

static void compare(ssp_rows *rows, double expected[ROWS][COLUMNS])
{
    double scratch[COLUMNS] = {0.0};
    for (uint32_t i = 0; i < ROWS; i++) {
        const double *row = ssp_rows_next(rows, scratch, COLUMNS);
        CHECK(rows->list->keys[i] == keys[i]);
        CHECK(memcmp(row, expected[i], sizeof(scratch)) == 0);
        CHECK((row == scratch) == (i < 4)); /* 16 of 20 take more than all */
        memset(scratch, 0, sizeof(scratch));
    }
}

static void rows_are_read_as_they_were_written_and_keys_told_once(void)
{
    const size_t live = strads_mem_live();
    ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
    double expected[ROWS][COLUMNS];
    size_t bytes[2];
    fill(expected);
    for (int i = 0; i < 2; i++) {
        ssp_rows rows;
        net_message *message = write_rows(expected, &said);
        REQUIRE_OK(read_rows(message, &heard, &rows));
        compare(&rows, expected);
        bytes[i] = message->bytes;
        net_message_destroy(message);
    }
    CHECK(bytes[0] == bytes[1] + sizeof(keys));
    ssp_lists_fini(&heard);
    ssp_lists_fini(&said);
    CHECK(strads_mem_live() == live);
}

static void keys_that_were_never_told_are_refused(void)
{
    ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
    double rows[ROWS][COLUMNS];
    ssp_rows read;
    fill(rows);
    net_message_destroy(write_rows(rows, &said));
    net_message *message = write_rows(rows, &said);
    CHECK_STATUS(read_rows(message, &heard, &read), STRADS_ERR_DATA);
    net_message_destroy(message);
    ssp_lists_fini(&heard);
    ssp_lists_fini(&said);
}

/* Whoever hears keeps the rows that it has found by them, which are of that table. */
static void keys_that_were_told_of_another_table_are_refused(void)
{
    ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
    double rows[ROWS][COLUMNS];
    ssp_rows read;
    fill(rows);
    for (int i = 0; i < 2; i++) {
        net_message *message = write_rows(rows, &said);
        message->body[0] ^= (unsigned char) i;
        CHECK_STATUS(read_rows(message, &heard, &read), i == 0 ? STRADS_OK : STRADS_ERR_DATA);
        net_message_destroy(message);
    }
    ssp_lists_fini(&heard);
    ssp_lists_fini(&said);
}

/* Each length below the whole, and each byte of head, keys and counts changed. */
static void what_is_cut_or_changed_is_refused(void)
{
    double rows[ROWS][COLUMNS];
    ssp_rows read;
    ssp_lists said = {.other = {.n = 0}};
    fill(rows);
    net_message *message = write_rows(rows, &said);
    const size_t bytes = message->bytes;
    for (size_t n = 0; n < bytes; n++) {
        ssp_lists heard = {.other = {.n = 0}};
        message->bytes = n;
        CHECK_STATUS(read_rows(message, &heard, &read), STRADS_ERR_DATA);
        ssp_lists_fini(&heard);
    }
    message->bytes = bytes;
    const size_t fixed = sizeof(ssp_head) + sizeof(keys) + ROWS * sizeof(uint32_t);
    for (size_t i = 0; i < fixed; i++) {
        const bool is_free = (i >= 4 && i < 8) || (i >= 16 && i < 24); /* batch, clock */
        ssp_lists heard = {.other = {.n = 0}};
        message->body[i] ^= 0x41;
        const strads_status status = read_rows(message, &heard, &read);
        CHECK(status == STRADS_ERR_DATA || is_free || (i >= 12 && i < 16)); /* other flags */
        message->body[i] ^= 0x41;
        ssp_lists_fini(&heard);
    }
    ssp_lists_fini(&said);
    net_message_destroy(message);
}

static void numbers_that_are_not_finite_are_refused(void)
{
    for (int i = 1; i < ROWS; i++) {
        ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
        double rows[ROWS][COLUMNS];
        ssp_rows read;
        fill(rows);
        rows[i][COLUMNS - 1] = i % 2 == 0 ? INFINITY : NAN;
        net_message *message = write_rows(rows, &said);
        CHECK_STATUS(read_rows(message, &heard, &read), STRADS_ERR_DATA);
        net_message_destroy(message);
        ssp_lists_fini(&heard);
        ssp_lists_fini(&said);
    }
}

static void a_table_is_described_as_it_is(void)
{
    const ssp_table_options options = {
        .columns = 5, .staleness = 2, .eager = true, .rule = ssp_rule_adagrad(0.5, 0.25)};
    const char *name = NULL, *rule = NULL, *why = NULL;
    ssp_open open;
    net_message *message = ssp_message_open(4, "weights", &options);
    REQUIRE(message != NULL);
    REQUIRE_OK(ssp_message_read_open(message, &open, &name, &rule, &why));
    CHECK(open.columns == 5 && open.staleness == 2 && open.eager == 1 && open.n_states == 1);
    CHECK(open.params[0] == 0.5 && open.params[1] == 0.25);
    CHECK(open.name_bytes == 7 && memcmp(name, "weights", 7) == 0);
    CHECK(open.rule_bytes == 7 && memcmp(rule, "adagrad", 7) == 0);
    const size_t bytes = message->bytes;
    for (size_t n = 0; n < bytes; n++) {
        message->bytes = n;
        CHECK_STATUS(ssp_message_read_open(message, &open, &name, &rule, &why), STRADS_ERR_DATA);
    }
    net_message_destroy(message);
}

SUITE("ssp/wire",
      {"rows are read as they were written, and keys told once",
       rows_are_read_as_they_were_written_and_keys_told_once},
      {"keys that were never told are refused", keys_that_were_never_told_are_refused},
      {"keys that were told of another table are refused",
       keys_that_were_told_of_another_table_are_refused},
      {"what is cut or changed is refused", what_is_cut_or_changed_is_refused},
      {"numbers that are not finite are refused", numbers_that_are_not_finite_are_refused},
      {"a table is described as it is", a_table_is_described_as_it_is})

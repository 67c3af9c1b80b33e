/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_ssp.c - messages of tables: what passes the checks can be walked, and
 * written again comes to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "ssp/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 5 };

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Rows that were read are written to a message of their own, and read from it. */
static void walk(ssp_rows *rows, const ssp_head *given)
{
    double scratch[COLUMNS] = {0.0};
    ssp_lists said = {.other = {.n = 0}}, heard = {.other = {.n = 0}};
    ssp_rows again;
    const char *why = NULL;
    ssp_head head = *given;
    head.flags = 0;
    double *copies = strads_calloc(head.n_keys, sizeof(scratch));
    net_message *message = ssp_message_create(SSP_ROWS, &head, rows->list->keys, &said, COLUMNS);
    require(copies != NULL && message != NULL);
    for (uint32_t i = 0; i < head.n_keys; i++) {
        const double *row = ssp_rows_next(rows, scratch, COLUMNS);
        memcpy(copies + (size_t) i * COLUMNS, row, sizeof(scratch));
        ssp_message_put(message, i, row, COLUMNS);
        memset(scratch, 0, sizeof(scratch));
    }
    require(ssp_message_read(message, &head));
    require(ssp_message_read_rows(message, &head, &heard, COLUMNS, true, &again, &why) ==
            STRADS_OK);
    for (uint32_t i = 0; i < head.n_keys; i++) {
        const double *row = ssp_rows_next(&again, scratch, COLUMNS);
        for (uint32_t j = 0; j < COLUMNS; j++) {
            require(row[j] == copies[(size_t) i * COLUMNS + j]);
        }
        memset(scratch, 0, sizeof(scratch));
    }
    net_message_destroy(message);
    strads_free(copies);
    ssp_lists_fini(&heard);
    ssp_lists_fini(&said);
}

/* The first byte is the type, the second the length of the first of two messages: the second
 * may leave out keys that the first has told. */
static void read_one(const uint8_t *data, size_t size, uint32_t type, ssp_lists *heard)
{
    ssp_head head;
    ssp_open open;
    ssp_rows rows;
    const char *name = NULL, *rule = NULL, *why = NULL;
    net_message *message = net_message_create(type, NET_DATA, size);
    require(message != NULL);
    memcpy(message->body, data, size);
    if (ssp_message_read(message, &head)) {
        if (type == SSP_OPEN) {
            const strads_status status = ssp_message_read_open(message, &open, &name, &rule, &why);
            require(status == STRADS_OK || why != NULL);
            require(status != STRADS_OK ||
                    (const uint8_t *) rule + open.rule_bytes == message->body + size);
        } else {
            /* The sum stands in for a sender that reckons it rightly. */
            const uint64_t *keys = (const uint64_t *) (const void *) (message->body + sizeof(head));
            if ((head.flags & SSP_KNOWN) == 0 &&
                head.n_keys <= (size - sizeof(head)) / sizeof(uint64_t)) {
                head.sum = ssp_keys_sum(head.table, keys, head.n_keys);
            }
            const strads_status status =
                ssp_message_read_rows(message, &head, heard, COLUMNS, type != SSP_GET, &rows, &why);
            require(status == STRADS_OK || why != NULL);
            if (status == STRADS_OK && type != SSP_GET) {
                walk(&rows, &head);
            }
        }
    }
    net_message_destroy(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ssp_lists heard = {.other = {.n = 0}};
    if (size < 2) {
        return 0;
    }
    const uint32_t type = data[0] % SSP_N_TYPES;
    const size_t first = data[1] < size - 2 ? data[1] : size - 2;
    read_one(data + 2, first, type, &heard);
    read_one(data + 2 + first, size - 2 - first, type, &heard);
    ssp_lists_fini(&heard);
    return 0;
}

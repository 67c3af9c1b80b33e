/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/wire.c - messages of tables: written, and read as if anything could be in them. */
#include "ssp/wire.h"

#include <assert.h>
#include <string.h>

#include "ssp/session_state.h"

static size_t counts_bytes(uint32_t n)
{
    return ((size_t) n + 1) / 2 * 2 * sizeof(uint32_t);
}

size_t ssp_batch_rows(uint32_t columns)
{
    const size_t n = SSP_BATCH_BYTES / (columns * sizeof(double) + sizeof(uint64_t));
    return n > 0 ? n : 1;
}

/* ---- writing ---- */

net_message *ssp_message_head(ssp_type type, const ssp_head *head)
{
    net_message *message = net_message_create(type, NET_DATA, sizeof(*head));
    if (message != NULL) {
        memcpy(message->body, head, sizeof(*head));
    }
    return message;
}

net_message *ssp_message_open(uint32_t number, const char *name, const ssp_table_options *options)
{
    const ssp_rule *rule = &options->rule;
    const char *rule_name = rule->name == NULL ? "" : rule->name;
    const ssp_head head = {.table = number};
    const ssp_open open = {.columns = options->columns,
                           .staleness = options->staleness,
                           .eager = options->eager,
                           .n_states = rule->n_states,
                           .params = {rule->params[0], rule->params[1]},
                           .name_bytes = (uint32_t) strlen(name),
                           .rule_bytes = (uint32_t) strlen(rule_name)};
    net_message *message = net_message_create(
        SSP_OPEN, NET_DATA, sizeof(head) + sizeof(open) + open.name_bytes + open.rule_bytes);
    if (message != NULL) {
        unsigned char *at = message->body;
        memcpy(at, &head, sizeof(head));
        memcpy(at + sizeof(head), &open, sizeof(open));
        memcpy(at + sizeof(head) + sizeof(open), name, open.name_bytes);
        memcpy(at + sizeof(head) + sizeof(open) + open.name_bytes, rule_name, open.rule_bytes);
    }
    return message;
}

/* While it is written, message->bytes is where the next row goes. */
net_message *ssp_message_create(ssp_type type, const ssp_head *given, const uint64_t *keys,
                                ssp_lists *said, uint32_t columns)
{
    ssp_head head = *given;
    const uint32_t n = head.n_keys;
    const size_t row_bytes = type == SSP_GET ? 0 : columns * sizeof(double);
    head.sum = ssp_keys_sum(head.table, keys, n);
    ssp_list *known = ssp_lists_find(said, head.sum, n);
    head.flags |= known != NULL ? SSP_KNOWN : 0;
    const size_t keys_bytes = known != NULL ? 0 : n * sizeof(*keys);
    const size_t start = sizeof(head) + keys_bytes + (type == SSP_GET ? 0 : counts_bytes(n));
    net_message *message = net_message_create(type, NET_DATA, start + n * row_bytes);
    if (message == NULL) {
        return NULL;
    }
    if (known != NULL) {
        ssp_lists_again(said, known);
    } else {
        ssp_lists_say(said, head.sum, n);
    }
    memcpy(message->body, &head, sizeof(head));
    memcpy(message->body + sizeof(head), keys, keys_bytes);
    memset(message->body + sizeof(head) + keys_bytes, 0, start - sizeof(head) - keys_bytes);
    message->bytes = start;
    return message;
}

static size_t sparse_bytes(uint32_t n)
{
    return counts_bytes(n) + n * sizeof(double);
}

/* Copies all columns, and counts those that are not 0: whose bits but the sign are not. Whole
 * numbers, for the compiler then takes several at a time. */
static uint32_t copy_counting(double *restrict to, const double *restrict values, uint32_t columns)
{
    uint64_t n = 0;
    for (uint32_t j = 0; j < columns; j++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[j], sizeof(bits));
        bits <<= 1;
        n += (bits | (0 - bits)) >> 63;
        to[j] = values[j];
    }
    return (uint32_t) n;
}

static uint32_t *counts_of(net_message *message, const ssp_head *head)
{
    const size_t keys_bytes = (head->flags & SSP_KNOWN) != 0 ? 0 : head->n_keys * sizeof(uint64_t);
    return (uint32_t *) (void *) (message->body + sizeof(*head) + keys_bytes);
}

/* There is room for all columns of every row: if telling some takes less, they go over them. */
void ssp_message_put(net_message *message, uint32_t i, const double *values, uint32_t columns)
{
    ssp_head head;
    memcpy(&head, message->body, sizeof(head));
    assert(i < head.n_keys);
    unsigned char *at = message->body + message->bytes;
    const uint32_t n = copy_counting((double *) (void *) at, values, columns);
    if (sparse_bytes(n) >= columns * sizeof(double)) {
        counts_of(message, &head)[i] = SSP_DENSE;
        message->bytes += columns * sizeof(double);
        return;
    }
    counts_of(message, &head)[i] = n;
    memset(at, 0, counts_bytes(n));
    uint32_t *which = (uint32_t *) (void *) at;
    double *what = (double *) (void *) (at + counts_bytes(n));
    for (uint32_t j = 0; j < columns; j++) {
        if (values[j] != 0.0) {
            *which++ = j;
            *what++ = values[j];
        }
    }
    message->bytes += sparse_bytes(n);
}

/* ---- reading ---- */

bool ssp_message_read(const net_message *message, ssp_head *head)
{
    if (message->type == 0 || message->type >= SSP_N_TYPES || message->bytes < sizeof(*head)) {
        return false;
    }
    memcpy(head, message->body, sizeof(*head));
    return true;
}

strads_status ssp_message_read_open(const net_message *message, ssp_open *open, const char **name,
                                    const char **rule, const char **why)
{
    const size_t start = sizeof(ssp_head) + sizeof(*open);
    *why = "its size is wrong";
    if (message->bytes < start) {
        return STRADS_ERR_DATA;
    }
    memcpy(open, message->body + sizeof(ssp_head), sizeof(*open));
    if (open->name_bytes > SSP_NAME_MAX || open->rule_bytes > SSP_NAME_MAX ||
        message->bytes != start + open->name_bytes + open->rule_bytes) {
        return STRADS_ERR_DATA;
    }
    *name = (const char *) message->body + start;
    *rule = *name + open->name_bytes;
    return STRADS_OK;
}

/* The bytes of a row of which `count` columns are told, `left` at `at`; 0: it is wrong. */
static size_t check_row(const unsigned char *at, size_t left, uint32_t count, uint32_t columns)
{
    if (count == SSP_DENSE) {
        const size_t bytes = columns * sizeof(double);
        return bytes <= left && ssp_all_finite((const double *) (const void *) at, columns) ? bytes
                                                                                            : 0;
    }
    const size_t bytes = sparse_bytes(count);
    if (count > columns || bytes > left) {
        return 0;
    }
    const uint32_t *which = (const uint32_t *) (const void *) at;
    for (uint32_t j = 0; j < count; j++) {
        if (which[j] >= columns || (j > 0 && which[j] <= which[j - 1])) {
            return 0;
        }
    }
    const double *what = (const double *) (const void *) (at + counts_bytes(count));
    return ssp_all_finite(what, count) ? bytes : 0;
}

static bool check_rows(const unsigned char *at, size_t left, const uint32_t *counts, uint32_t n,
                       uint32_t columns)
{
    for (uint32_t i = 0; i < n; i++) {
        const size_t bytes = check_row(at, left, counts[i], columns);
        if (bytes == 0 && counts[i] != 0) {
            return false;
        }
        at += bytes;
        left -= bytes;
    }
    return left == 0;
}

/* The keys, and in *start where they end in the message. */
static strads_status read_keys(const net_message *message, const ssp_head *head, ssp_lists *heard,
                               ssp_list **list, size_t *start, const char **why)
{
    const uint32_t n = head->n_keys;
    *start = sizeof(*head);
    if ((head->flags & SSP_KNOWN) != 0) {
        *list = ssp_lists_find(heard, head->sum, n);
        if (*list == NULL || (*list)->table != head->table) {
            *why = "its keys were not told before";
            return STRADS_ERR_DATA;
        }
        ssp_lists_again(heard, *list);
        return STRADS_OK;
    }
    *why = "it is too short for its keys";
    if (n > (message->bytes - *start) / sizeof(uint64_t)) {
        return STRADS_ERR_DATA;
    }
    const uint64_t *keys = (const uint64_t *) (const void *) (message->body + *start);
    *why = "the sum of its keys is wrong";
    if (head->sum != ssp_keys_sum(head->table, keys, n)) {
        return STRADS_ERR_DATA;
    }
    *start += n * sizeof(uint64_t);
    const strads_status status = ssp_lists_hear(heard, head->sum, keys, n, list);
    if (status == STRADS_OK) {
        (*list)->table = head->table;
    }
    return status;
}

strads_status ssp_message_read_rows(const net_message *message, const ssp_head *head,
                                    ssp_lists *heard, uint32_t columns, bool has_rows,
                                    ssp_rows *rows, const char **why)
{
    size_t start = 0;
    ssp_list *list = NULL;
    const strads_status status = read_keys(message, head, heard, &list, &start, why);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t left = message->bytes - start;
    const size_t counts = has_rows ? counts_bytes(head->n_keys) : 0;
    *rows = (ssp_rows){.list = list,
                       .counts = (const uint32_t *) (const void *) (message->body + start),
                       .data = message->body + start + counts};
    *why = "its rows are wrong";
    return left < counts || !check_rows(rows->data, left - counts, rows->counts,
                                        has_rows ? head->n_keys : 0, columns)
               ? STRADS_ERR_DATA
               : STRADS_OK;
}

const double *ssp_rows_next(ssp_rows *rows, double *scratch, uint32_t columns)
{
    const uint32_t count = rows->counts[rows->next++];
    const unsigned char *at = rows->data;
    if (count == SSP_DENSE) {
        rows->data += columns * sizeof(double);
        return (const double *) (const void *) at;
    }
    const uint32_t *which = (const uint32_t *) (const void *) at;
    const double *what = (const double *) (const void *) (at + counts_bytes(count));
    for (uint32_t j = 0; j < count; j++) {
        scratch[which[j]] = what[j];
    }
    rows->data += sparse_bytes(count);
    return scratch;
}

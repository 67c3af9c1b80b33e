/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/sweep_record.c - records of a sweep, and how JSON becomes them. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sweep.h"

enum { NUMBER_BYTES = 32, NAME_BYTES = 256 };

/* ---- records ---- */

strads_status sweep_record_put(sweep_record *record, const char *name, const char *cell)
{
    if (cli_texts_find(&record->names, name) < record->names.n) {
        return STRADS_OK;
    }
    strads_status status = cli_texts_add(&record->cells, cell, strlen(cell));
    if (status == STRADS_OK) {
        status = cli_texts_add(&record->names, name, strlen(name));
        if (status != STRADS_OK) {
            strads_free(record->cells.items[--record->cells.n]);
        }
    }
    return status;
}

strads_status sweep_record_put_all(sweep_record *record, const sweep_record *other)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < other->names.n; i++) {
        status = sweep_record_put(record, other->names.items[i], other->cells.items[i]);
    }
    return status;
}

const char *sweep_record_find(const sweep_record *record, const char *name)
{
    const size_t i = cli_texts_find(&record->names, name);
    return i < record->names.n ? record->cells.items[i] : NULL;
}

void sweep_record_fini(sweep_record *record)
{
    cli_texts_fini(&record->names);
    cli_texts_fini(&record->cells);
}

sweep_record *sweep_records_add(sweep_records *records)
{
    if (strads_reserve(&records->items, &records->room, records->n + 1, sizeof(*records->items)) !=
        STRADS_OK) {
        return NULL;
    }
    records->items[records->n] = (sweep_record){0};
    return &records->items[records->n++];
}

void sweep_records_fini(sweep_records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        sweep_record_fini(&records->items[i]);
    }
    strads_free(records->items);
    *records = (sweep_records){0};
}

/* ---- JSON ---- */

/* The shortest text that reads back as the same number. */
static void print_real(double value, char text[NUMBER_BYTES])
{
    int digits = 15;
    do {
        snprintf(text, NUMBER_BYTES, "%.*g", digits, value);
    } while (strtod(text, NULL) != value && ++digits <= 17);
}

static strads_status put_leaf(sweep_record *record, const char *name, const json_t *value)
{
    char text[NUMBER_BYTES] = "";
    if (json_is_string(value)) {
        return sweep_record_put(record, name, json_string_value(value));
    }
    if (json_is_boolean(value)) {
        return sweep_record_put(record, name, json_is_true(value) ? "true" : "false");
    }
    if (json_is_integer(value)) {
        snprintf(text, sizeof(text), "%lld", (long long) json_integer_value(value));
    } else if (json_is_real(value)) {
        print_real(json_real_value(value), text);
    }
    return sweep_record_put(record, name, text);
}

static strads_status put_all(sweep_record *record, char name[NAME_BYTES], size_t n, json_t *value);

/* Puts an item of an object or a list. DATA: its name has no room. */
static strads_status put_item(sweep_record *record, char name[NAME_BYTES], size_t n,
                              const char *part, json_t *item)
{
    const size_t room = NAME_BYTES - n;
    const int more = snprintf(name + n, room, "%s%s", n > 0 ? "." : "", part);
    return more > 0 && (size_t) more < room ? put_all(record, name, n + (size_t) more, item)
                                            : STRADS_ERR_DATA;
}

/* Puts what is in `value` under names that begin with name[n]; as deep as the JSON,
 * which its reader bounds. */
static strads_status put_all(sweep_record *record, char name[NAME_BYTES], size_t n, json_t *value)
{
    strads_status status = STRADS_OK;
    if (json_is_object(value)) {
        const char *key;
        json_t *item;
        json_object_foreach(value, key, item)
        {
            status = status == STRADS_OK ? put_item(record, name, n, key, item) : status;
        }
        return status;
    }
    if (json_is_array(value)) {
        for (size_t i = 0; status == STRADS_OK && i < json_array_size(value); i++) {
            char key[NUMBER_BYTES];
            snprintf(key, sizeof(key), "%zu", i);
            status = put_item(record, name, n, key, json_array_get(value, i));
        }
        return status;
    }
    name[n] = '\0';
    return put_leaf(record, name, value);
}

static bool skip_blanks(FILE *file)
{
    int byte;
    while ((byte = getc(file)) == ' ' || byte == '\n' || byte == '\r' || byte == '\t') {
    }
    return byte != EOF && ungetc(byte, file) != EOF;
}

strads_status sweep_json_read(sweep_records *records, const char *path, bool *whole)
{
    FILE *file = fopen(path, "r");
    strads_status status = file != NULL ? STRADS_OK : STRADS_ERR_DATA;
    while (status == STRADS_OK && skip_blanks(file)) {
        char name[NAME_BYTES];
        json_t *value = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        sweep_record *record = json_is_object(value) ? sweep_records_add(records) : NULL;
        if (record != NULL) {
            status = put_all(record, name, 0, value);
        } else {
            status = json_is_object(value) ? STRADS_ERR_NOMEM : STRADS_ERR_DATA;
        }
        json_decref(value);
    }
    if (file != NULL) {
        status = status == STRADS_OK && ferror(file) ? STRADS_ERR_DATA : status;
        fclose(file);
    }
    if (status == STRADS_ERR_NOMEM) {
        return status;
    }
    *whole = status == STRADS_OK;
    return STRADS_OK;
}

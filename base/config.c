/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/config.c - a configuration's life: what was given, and the getters. */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* ---- what was given ---- */

strads_status config_entry_add(config_entry *entry, const char *text, const char *place)
{
    if (entry->n_items == CONFIG_MAX_ITEMS) {
        strads_error("%s: %s: more than %d items", place, entry->key, CONFIG_MAX_ITEMS);
        return STRADS_ERR_USAGE;
    }
    config_item *items = strads_realloc(entry->items, (entry->n_items + 1) * sizeof(*items));
    if (items == NULL) {
        return STRADS_ERR_NOMEM;
    }
    entry->items = items;
    const config_item item = {strads_strdup(text), strads_strdup(place)};
    if (item.text == NULL || item.place == NULL) {
        strads_free(item.text);
        strads_free(item.place);
        return STRADS_ERR_NOMEM;
    }
    items[entry->n_items++] = item;
    return STRADS_OK;
}

void config_entry_clear(config_entry *entry)
{
    for (size_t i = 0; i < entry->n_items; i++) {
        strads_free(entry->items[i].text);
        strads_free(entry->items[i].place);
    }
    strads_free(entry->items);
    entry->items = NULL;
    entry->n_items = 0;
}

static void entry_fini(config_entry *entry)
{
    config_entry_clear(entry);
    strads_free(entry->key);
    strads_free(entry->text);
    strads_free(entry->place);
}

static strads_status entry_copy(config_entry *out, const config_entry *entry)
{
    assert(entry->n_items == 0);
    config_entry copy = {.section = entry->section, .list = entry->list};
    copy.key = strads_strdup(entry->key);
    copy.place = strads_strdup(entry->place);
    copy.text = entry->text != NULL ? strads_strdup(entry->text) : NULL;
    if (copy.key == NULL || copy.place == NULL || (entry->text != NULL && copy.text == NULL)) {
        entry_fini(&copy);
        return STRADS_ERR_NOMEM;
    }
    *out = copy;
    return STRADS_OK;
}

strads_status config_list_add(config_list *list, const config_entry *entry)
{
    if (list->n == CONFIG_MAX_KEYS) {
        strads_error("%s: %s: more than %d keys", entry->place, entry->key, CONFIG_MAX_KEYS);
        return STRADS_ERR_USAGE;
    }
    config_entry *items = strads_realloc(list->items, (list->n + 1) * sizeof(*items));
    if (items == NULL) {
        return STRADS_ERR_NOMEM;
    }
    list->items = items;
    const strads_status status = entry_copy(&items[list->n], entry);
    list->n += status == STRADS_OK ? 1 : 0;
    return status;
}

config_entry *config_list_find(const config_list *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].key, key) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

void config_list_fini(config_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        entry_fini(&list->items[i]);
    }
    strads_free(list->items);
    *list = (config_list){0};
}

const config_entry *config_entry_of(const strads_config *config, const char *key)
{
    const config_entry *entry = config_list_find(&config->set, key);
    return entry != NULL ? entry : config_list_find(&config->file, key);
}

bool config_is_null(const char *text)
{
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

/* ---- life ---- */

strads_status strads_config_create(strads_config **out)
{
    strads_config *config = strads_calloc(1, sizeof(*config));
    if (config == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *out = config;
    return STRADS_OK;
}

void strads_config_destroy(strads_config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->n_values; i++) {
        strads_free(config->values[i].path);
    }
    strads_free(config->values);
    strads_free(config->folder);
    config_list_fini(&config->file);
    config_list_fini(&config->set);
    strads_free(config);
}

/* ---- loading ---- */

strads_status config_load_text(strads_config *config, const char *name, const char *text,
                               size_t n_bytes)
{
    assert(!config->resolved);
    assert(config->folder == NULL); /* at most one file */

    char *folder = strads_strdup(name);
    if (folder == NULL) {
        return STRADS_ERR_NOMEM;
    }
    char *slash = strrchr(folder, '/');
    *(slash != NULL ? slash + 1 : folder) = '\0';

    config_list list = {0};
    const strads_status status = config_yaml_parse(&list, name, text, n_bytes);
    if (status != STRADS_OK) {
        config_list_fini(&list);
        strads_free(folder);
        return status;
    }
    config->file = list;
    config->folder = folder;
    return STRADS_OK;
}

/* Reads at most CONFIG_MAX_BYTES + 1 bytes into `text`. */
static strads_status read_file(const char *path, char *text, size_t *n_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        strads_error("%s: cannot open: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    const size_t n = fread(text, 1, CONFIG_MAX_BYTES + 1, file);
    if (ferror(file)) {
        strads_error("%s: cannot read: %s", path, strerror(errno));
        fclose(file);
        return STRADS_ERR_IO;
    }
    fclose(file);
    *n_bytes = n;
    return STRADS_OK;
}

strads_status strads_config_load(strads_config *config, const char *path)
{
    char *text = strads_alloc(CONFIG_MAX_BYTES + 1);
    if (text == NULL) {
        return STRADS_ERR_NOMEM;
    }
    size_t n_bytes = 0;
    strads_status status = read_file(path, text, &n_bytes);
    if (status == STRADS_OK && n_bytes > CONFIG_MAX_BYTES) {
        strads_error("%s: longer than %d bytes, not a configuration", path, CONFIG_MAX_BYTES);
        status = STRADS_ERR_USAGE;
    }
    if (status == STRADS_OK) {
        status = config_load_text(config, path, text, n_bytes);
    }
    strads_free(text);
    return status;
}

strads_status strads_config_load_text(strads_config *config, const char *name, const char *text)
{
    return config_load_text(config, name, text, strlen(text));
}

/* Adds the entry, or replaces the one of the same key. */
static strads_status put(config_list *list, const config_entry *entry)
{
    config_entry *earlier = config_list_find(list, entry->key);
    if (earlier == NULL) {
        return config_list_add(list, entry);
    }
    config_entry copy;
    const strads_status status = entry_copy(&copy, entry);
    if (status == STRADS_OK) {
        entry_fini(earlier);
        *earlier = copy;
    }
    return status;
}

strads_status strads_config_set(strads_config *config, const char *assignment)
{
    assert(!config->resolved);
    const char *equals = strchr(assignment, '=');
    const size_t key_bytes = equals != NULL ? (size_t) (equals - assignment) : 0;
    if (key_bytes == 0 || key_bytes > CONFIG_MAX_KEY) {
        strads_error("--set: '%s': expected key=value", assignment);
        return STRADS_ERR_USAGE;
    }
    char key[CONFIG_MAX_KEY + 1];
    memcpy(key, assignment, key_bytes);
    key[key_bytes] = '\0';

    char place[] = "--set";
    char *text = strads_strdup(equals + 1);
    if (text == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const config_entry entry = {
        .key = key, .text = config_is_null(text) ? NULL : text, .place = place};
    const strads_status status = put(&config->set, &entry);
    strads_free(text);
    return status;
}

const char *strads_config_peek(const strads_config *config, const char *key)
{
    const config_entry *entry = config_entry_of(config, key);
    return entry != NULL ? entry->text : NULL;
}

const char *strads_config_peek_kind(const strads_config *config, const char *key,
                                    const char **place)
{
    const config_entry *entry = config_entry_of(config, key);
    *place = entry != NULL ? entry->place : NULL;
    return entry == NULL         ? "not given"
           : entry->section      ? "a section of keys"
           : entry->list         ? "a list"
           : entry->text == NULL ? "nothing"
                                 : "a text";
}

char *config_join_path(const strads_config *config, const config_entry *entry)
{
    const bool from_file = config_list_find(&config->file, entry->key) == entry;
    const char *folder = from_file && entry->text[0] != '/' ? config->folder : "";
    const size_t bytes = strlen(folder) + strlen(entry->text) + 1;
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s%s", folder, entry->text);
    }
    return path;
}

strads_status strads_config_peek_path(const strads_config *config, const char *key, char **out)
{
    const config_entry *entry = config_entry_of(config, key);
    char *path = NULL;
    if (entry != NULL && entry->text != NULL) {
        path = config_join_path(config, entry);
        if (path == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    *out = path;
    return STRADS_OK;
}

/* ---- getters ---- */

config_value *config_value_of(const strads_config *config, const char *key)
{
    for (size_t i = 0; i < config->n_values; i++) {
        if (strcmp(config->values[i].option->key, key) == 0) {
            return &config->values[i];
        }
    }
    return NULL;
}

static const config_value *resolved_value(const strads_config *config, const char *key)
{
    assert(config->resolved);
    const config_value *value = config_value_of(config, key);
    assert(value != NULL);
    return value;
}

static double number_of(const strads_config *config, const char *key, strads_option_type type)
{
    const config_value *value = resolved_value(config, key);
    assert(value->option->type == type);
    assert(value->text != NULL);
    return value->number;
}

double strads_config_real(const strads_config *config, const char *key)
{
    return number_of(config, key, STRADS_REAL);
}

int64_t strads_config_int(const strads_config *config, const char *key)
{
    return (int64_t) number_of(config, key, STRADS_INT);
}

bool strads_config_bool(const strads_config *config, const char *key)
{
    return number_of(config, key, STRADS_BOOL) != 0.0;
}

const char *strads_config_text(const strads_config *config, const char *key)
{
    const config_value *value = resolved_value(config, key);
    const strads_option_type type = value->option->type;
    assert(type == STRADS_TEXT || type == STRADS_PATH || type == STRADS_CHOICE);
    return value->text;
}

static const config_value *list_value(const strads_config *config, const char *key)
{
    const config_value *value = resolved_value(config, key);
    assert(config_is_list(value->option));
    return value;
}

size_t config_n_items(const config_value *value)
{
    const size_t n_default = value->text != NULL ? 1 : 0;
    return value->given != NULL ? value->given->n_items : n_default;
}

const char *config_item_text(const config_value *value, size_t i)
{
    assert(i < config_n_items(value));
    return value->given != NULL ? value->given->items[i].text : value->text;
}

size_t strads_config_list_size(const strads_config *config, const char *key)
{
    return config_n_items(list_value(config, key));
}

const char *strads_config_list_item(const strads_config *config, const char *key, size_t i)
{
    return config_item_text(list_value(config, key), i);
}

double strads_config_list_real(const strads_config *config, const char *key, size_t i)
{
    const config_value *value = list_value(config, key);
    double number = 0.0;
    assert(value->option->type == STRADS_REALS);
    const bool accepted = config_accepts(value->option, config_item_text(value, i), &number);
    assert(accepted);
    return number;
}

const char *strads_config_list_place(const strads_config *config, const char *key, size_t i)
{
    const config_value *value = list_value(config, key);
    assert(i < config_n_items(value));
    return value->given != NULL ? value->given->items[i].place : "default";
}

bool strads_config_given(const strads_config *config, const char *key)
{
    return resolved_value(config, key)->given != NULL;
}

const char *strads_config_place(const strads_config *config, const char *key)
{
    const config_entry *given = resolved_value(config, key)->given;
    return given != NULL ? given->place : "default";
}

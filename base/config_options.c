/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/config_options.c - option tables, and checking what was given against them. */
#include "base/config.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_BYTES = 80 }; /* of a value in a message */

/* ---- declaring ---- */

size_t config_section_bytes(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? (size_t) (dot - key) + 1 : 0;
}

size_t config_shared_bytes(const char *a, const char *b)
{
    size_t shared = 0;
    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
        if (a[i] == '.') {
            shared = i + 1;
        }
    }
    return shared;
}

bool config_lies_below(const char *key, const char *section)
{
    const size_t bytes = strlen(section);
    return strncmp(key, section, bytes) == 0 && key[bytes] == '.';
}

/* Where `key` goes so that the keys of a section stay together: behind the last one
 * of its own section, else behind the section that encloses both most closely. */
static size_t place_for(const strads_config *config, const char *key)
{
    const size_t own = config_section_bytes(key);
    size_t place = config->n_values;
    size_t best = 1;
    for (size_t i = 0; i < config->n_values; i++) {
        const char *other = config->values[i].option->key;
        const size_t shared = config_shared_bytes(key, other);
        const bool siblings = shared == own && config_section_bytes(other) == own;
        const size_t nearness = 2 * shared + (siblings ? 1 : 0);
        if (nearness >= best) {
            best = nearness;
            place = i + 1;
        }
    }
    return place;
}

static void assert_well_formed(const strads_option *option)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    double number = 0.0;
    char phrase[CONFIG_PHRASE_BYTES];
    assert(option->key != NULL && option->help != NULL);
    assert(strlen(option->key) <= CONFIG_MAX_KEY);
    assert(strspn(option->key, letters) == strlen(option->key));
    if (option->type == STRADS_INT || option->type == STRADS_REAL || option->type == STRADS_REALS) {
        assert(option->min < option->max); /* also finds a range that was left out */
    }
    assert((option->type == STRADS_CHOICE) == (option->choices != NULL));
    config_allowed(option, phrase);
    assert(option->fallback == NULL || config_accepts(option, option->fallback, &number));
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether `option` is declared already: programs may share a key that means the same. */
static bool is_declared(const strads_config *config, const strads_option *option)
{
    for (size_t k = 0; k < config->n_values; k++) {
        const strads_option *other = config->values[k].option;
        if (strcmp(option->key, other->key) == 0) {
            assert(option->type == other->type && is_same_text(option->fallback, other->fallback) &&
                   is_same_text(option->choices, other->choices) &&
                   is_same_text(option->help, other->help) && option->min == other->min &&
                   option->max == other->max && option->above_min == other->above_min);
            return true;
        }
        assert(!config_lies_below(option->key, other->key) &&
               !config_lies_below(other->key, option->key));
    }
    return false;
}

strads_status strads_config_declare(strads_config *config, const strads_option *options,
                                    size_t n_options)
{
    assert(!config->resolved);
    const size_t n_all = config->n_values + n_options;
    config_value *values = strads_realloc(config->values, n_all * sizeof(*values));
    if (values == NULL) {
        return STRADS_ERR_NOMEM;
    }
    config->values = values;
    for (size_t i = 0; i < n_options; i++) {
        assert_well_formed(&options[i]);
        if (is_declared(config, &options[i])) {
            continue;
        }
        const size_t at = place_for(config, options[i].key);
        memmove(&values[at + 1], &values[at], (config->n_values - at) * sizeof(*values));
        values[at] = (config_value){.option = &options[i]};
        config->n_values++;
    }
    return STRADS_OK;
}

bool config_is_section(const strads_config *config, const char *key)
{
    for (size_t i = 0; i < config->n_values; i++) {
        if (config_lies_below(config->values[i].option->key, key)) {
            return true;
        }
    }
    return false;
}

/* ---- what an option allows ---- */

/* Decimal notation only: strtod alone would take "nan", "inf", "0x1" and " 1". */
bool strads_parse_number(const char *text, double *number)
{
    char *end = NULL;
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') {
        return false;
    }
    const double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value)) {
        return false;
    }
    *number = value;
    return true;
}

static bool parse_bool(const char *text, double *number)
{
    static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};
    for (int i = 0; i < 6; i++) {
        if (strcasecmp(text, words[i / 3][i % 3]) == 0) {
            *number = i / 3;
            return true;
        }
    }
    return false;
}

static bool is_choice(const strads_option *option, const char *text)
{
    size_t length = 0;
    const char *rest = option->choices;
    for (const char *word; (word = config_next_choice(&rest, &length)) != NULL;) {
        if (strlen(text) == length && memcmp(text, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool in_range(const strads_option *option, double number)
{
    return number <= option->max &&
           (option->above_min ? number > option->min : number >= option->min);
}

bool config_is_list(const strads_option *option)
{
    return option->type == STRADS_LIST || option->type == STRADS_REALS;
}

bool config_accepts(const strads_option *option, const char *text, double *number)
{
    static const double exact = 9007199254740992.0; /* 2^53: from here on texts are rounded */
    switch (option->type) {
    case STRADS_INT:
        return strads_parse_number(text, number) && fabs(*number) < exact &&
               floor(*number) == *number && in_range(option, *number);
    case STRADS_REAL:
    case STRADS_REALS:
        return strads_parse_number(text, number) && in_range(option, *number);
    case STRADS_BOOL:
        return parse_bool(text, number);
    case STRADS_CHOICE:
        return is_choice(option, text);
    case STRADS_PATH:
        return text[0] != '\0';
    case STRADS_TEXT:
    case STRADS_LIST:
        return true;
    }
    return false;
}

static void allowed_number(const strads_option *option, char out[CONFIG_PHRASE_BYTES])
{
    const bool whole = option->type == STRADS_INT;
    const bool several = option->type == STRADS_REALS;
    const bool lower = option->min > -INFINITY;
    const bool upper = option->max < INFINITY;
    const char *noun = whole ? "whole number" : lower || upper ? "number" : "finite number";
    char from[64] = "";
    char to[64] = "";
    if (lower) {
        const char *word = option->above_min ? "above" : upper ? "from" : "of at least";
        snprintf(from, sizeof(from), " %s %.*g", word, whole ? 16 : 12, option->min);
    }
    if (upper) {
        const char *word = !lower ? "of at most" : option->above_min ? "and at most" : "to";
        snprintf(to, sizeof(to), " %s %.*g", word, whole ? 16 : 12, option->max);
    }
    snprintf(out, CONFIG_PHRASE_BYTES, "a %s%s%s%s%s", several ? "list of " : "", noun,
             several ? "s" : "", from, to);
}

static void allowed_choices(const strads_option *option, char out[CONFIG_PHRASE_BYTES])
{
    size_t n = (size_t) snprintf(out, CONFIG_PHRASE_BYTES, "one of");
    size_t length = 0;
    const char *rest = option->choices;
    for (const char *word; (word = config_next_choice(&rest, &length)) != NULL;) {
        n += (size_t) snprintf(out + n, CONFIG_PHRASE_BYTES - n, "%s %.*s",
                               word == option->choices ? "" : ",", (int) length, word);
        assert(n < CONFIG_PHRASE_BYTES);
    }
}

void config_allowed(const strads_option *option, char out[CONFIG_PHRASE_BYTES])
{
    static const char *const phrases[] = {
        [STRADS_BOOL] = "true or false",
        [STRADS_TEXT] = "text",
        [STRADS_PATH] = "a file name",
        [STRADS_LIST] = "a list of texts",
    };
    switch (option->type) {
    case STRADS_INT:
    case STRADS_REAL:
    case STRADS_REALS:
        allowed_number(option, out);
        break;
    case STRADS_CHOICE:
        allowed_choices(option, out);
        break;
    case STRADS_BOOL:
    case STRADS_TEXT:
    case STRADS_PATH:
    case STRADS_LIST:
        snprintf(out, CONFIG_PHRASE_BYTES, "%s", phrases[option->type]);
        break;
    }
}

/* ---- resolving ---- */

static strads_status refuse_key(const strads_config *config, const config_entry *entry)
{
    for (size_t i = 0; i < config->n_values; i++) {
        const char *known = config->values[i].option->key;
        if (config_lies_below(entry->key, known)) {
            strads_error("%s: %s: unknown key, %s is a single value", entry->place, entry->key,
                         known);
            return STRADS_ERR_USAGE;
        }
    }
    const char *nearest = config_nearest_key(config, entry->key);
    strads_error("%s: %s: unknown %s%s%s%s", entry->place, entry->key,
                 entry->section ? "section" : "key", nearest != NULL ? ", did you mean " : "",
                 nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return STRADS_ERR_USAGE;
}

static strads_status refuse_value(const config_entry *entry, const strads_option *option)
{
    char allowed[CONFIG_PHRASE_BYTES];
    size_t length = 0;
    const char *nearest =
        option->type == STRADS_CHOICE ? config_nearest_choice(option, entry->text, &length) : NULL;
    const char *cut = strlen(entry->text) > SHOWN_BYTES ? "..." : "";
    config_allowed(option, allowed);
    strads_error("%s: %s: '%.*s%s' is not %s%s%.*s%s", entry->place, entry->key, SHOWN_BYTES,
                 entry->text, cut, allowed, nearest != NULL ? "; did you mean " : "", (int) length,
                 nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return STRADS_ERR_USAGE;
}

static bool has_keys_below(const config_list *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++) {
        if (config_lies_below(list->items[i].key, key)) {
            return true;
        }
    }
    return false;
}

/* An entry whose key is not an option: a section, or a mistake. */
static strads_status check_other(const strads_config *config, const config_entry *entry)
{
    if (!config_is_section(config, entry->key)) {
        return refuse_key(config, entry);
    }
    if (entry->list) {
        strads_error("%s: %s: a list, but %s is a section of keys", entry->place, entry->key,
                     entry->key);
        return STRADS_ERR_USAGE;
    }
    if (!entry->section && entry->text != NULL) {
        strads_error("%s: %s: '%.*s' is a single value, but %s is a section of keys", entry->place,
                     entry->key, SHOWN_BYTES, entry->text, entry->key);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status take_value(const strads_config *config, config_value *value,
                                const config_entry *entry)
{
    double number = 0.0;
    if (!config_accepts(value->option, entry->text, &number)) {
        return refuse_value(entry, value->option);
    }
    if (value->option->type == STRADS_PATH) {
        value->path = config_join_path(config, entry);
        if (value->path == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    value->given = entry;
    value->text = value->path != NULL ? value->path : entry->text;
    value->number = number;
    return STRADS_OK;
}

/* All items that are wrong are reported. */
static strads_status check_items(const strads_option *option, const config_entry *entry)
{
    strads_option item_option = *option;
    item_option.type = option->type == STRADS_REALS ? STRADS_REAL : STRADS_TEXT;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < entry->n_items; i++) {
        const config_item *item = &entry->items[i];
        double number = 0.0;
        if (!config_accepts(&item_option, item->text, &number)) {
            const config_entry alone = {
                .key = entry->key, .text = item->text, .place = item->place};
            status = refuse_value(&alone, &item_option);
        }
    }
    return status;
}

/* A value that is no list is a list of one. */
static strads_status take_list(config_value *value, config_entry *entry, bool is_set)
{
    strads_status status = STRADS_OK;
    if (!entry->list) {
        status = is_set && entry->text[0] == '['
                     ? config_yaml_parse_items(entry)
                     : config_entry_add(entry, entry->text, entry->place);
        entry->list = status == STRADS_OK;
    }
    if (status == STRADS_OK) {
        status = check_items(value->option, entry);
    }
    if (status == STRADS_OK) {
        value->given = entry;
        value->text = NULL;
    }
    return status;
}

static strads_status check_entry(strads_config *config, const config_list *list,
                                 config_entry *entry)
{
    /* The keys inside a section that should not be one are refused one by one. */
    if (entry->section && has_keys_below(list, entry->key)) {
        return STRADS_OK;
    }
    config_value *value = config_value_of(config, entry->key);
    if (value == NULL) {
        return check_other(config, entry);
    }
    if (entry->section) {
        strads_error("%s: %s: a section of keys, but %s is a single value", entry->place,
                     entry->key, entry->key);
        return STRADS_ERR_USAGE;
    }
    const bool absent = entry->text == NULL && !entry->list;
    if (absent || config_entry_of(config, entry->key) != entry) {
        return STRADS_OK;
    }
    if (config_is_list(value->option)) {
        return take_list(value, entry, list == &config->set);
    }
    if (entry->list) {
        strads_error("%s: %s: a list where a single value is expected", entry->place, entry->key);
        return STRADS_ERR_USAGE;
    }
    return take_value(config, value, entry);
}

static void take_default(config_value *value)
{
    strads_free(value->path); /* of an earlier attempt that failed */
    *value = (config_value){.option = value->option, .text = value->option->fallback};
    if (value->text != NULL) {
        const bool accepted = config_accepts(value->option, value->text, &value->number);
        assert(accepted);
    }
}

strads_status strads_config_resolve(strads_config *config)
{
    assert(!config->resolved);
    for (size_t i = 0; i < config->n_values; i++) {
        take_default(&config->values[i]);
    }
    const config_list *const lists[] = {&config->file, &config->set};
    strads_status first = STRADS_OK;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->n; i++) {
            const strads_status status = check_entry(config, lists[k], &lists[k]->items[i]);
            first = first == STRADS_OK ? status : first;
        }
    }
    config->resolved = first == STRADS_OK;
    return first;
}

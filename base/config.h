/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/config.h - the inside of a configuration, shared by base/config*.c.
 *
 * YAML text becomes a list of (dotted key, text or items, place); the --set texts are a
 * second list, which wins. Tables become one row of values an option. Resolving
 * brings the two together.
 */
#ifndef STRADS_BASE_CONFIG_H
#define STRADS_BASE_CONFIG_H

#include "base/base.h"

enum {
    CONFIG_MAX_KEY = 255,       /* bytes of a dotted key */
    CONFIG_MAX_KEYS = 1024,     /* keys in one list */
    CONFIG_MAX_DEPTH = 8,       /* nested sections */
    CONFIG_MAX_ITEMS = 4096,    /* of a value that is a list */
    CONFIG_MAX_BYTES = 1 << 20, /* of a file */
    CONFIG_PHRASE_BYTES = 1024  /* of what config_allowed writes */
};

/* One item of a value that is a list. */
typedef struct config_item {
    char *text, *place;
} config_item;

/* One key as it was given. */
typedef struct config_entry {
    char *key;
    char *text;  /* NULL: unset (null, ~ or nothing), a section, or a list from the file */
    char *place; /* "FILE:LINE:COLUMN" or "--set" */
    bool section;
    bool list; /* the value is `items`, for an option that is a list once it is resolved */
    config_item *items;
    size_t n_items;
} config_entry;

typedef struct config_list {
    config_entry *items;
    size_t n;
} config_list;

/* One declared option and, once resolved, its value. */
typedef struct config_value {
    const strads_option *option;
    const config_entry *given; /* NULL: the default holds */
    const char *text;          /* NULL: unset */
    char *path;                /* owned: what `text` is for a PATH from a file */
    double number;             /* INT, REAL and BOOL (0, 1) that are set */
} config_value;

struct strads_config {
    config_list file, set;
    char *folder; /* of the file, with its last slash; NULL: none was loaded */
    config_value *values;
    size_t n_values; /* in the order declared, but the keys of a section together */
    bool resolved;
};

/* Appends a copy, which has no items yet; `text` may be NULL. USAGE beyond
 * CONFIG_MAX_KEYS. */
STRADS_MUST_CHECK strads_status config_list_add(config_list *list, const config_entry *entry);
config_entry *config_list_find(const config_list *list, const char *key);
void config_list_fini(config_list *list);

/* Appends copies to the entry's items. USAGE beyond CONFIG_MAX_ITEMS. */
STRADS_MUST_CHECK strads_status config_entry_add(config_entry *entry, const char *text,
                                                 const char *place);
void config_entry_clear(config_entry *entry); /* its items */

/* The entry that decides on `key`: from --set before the file; or NULL. */
const config_entry *config_entry_of(const strads_config *config, const char *key);

/* The row of `key`, or NULL. */
config_value *config_value_of(const strads_config *config, const char *key);

/* Whether an option's key begins with `key` and a dot. */
bool config_is_section(const strads_config *config, const char *key);

/* Loads YAML from memory; `name` stands for the file in messages and paths. */
STRADS_MUST_CHECK strads_status config_load_text(strads_config *config, const char *name,
                                                 const char *text, size_t n_bytes);

/* Appends the keys of a YAML text to `out`, which a failure leaves with part of them. */
STRADS_MUST_CHECK strads_status config_yaml_parse(config_list *out, const char *name,
                                                  const char *text, size_t n_bytes);

/* Reads the entry's text, "[a, b]", into its items; a failure leaves it without. */
STRADS_MUST_CHECK strads_status config_yaml_parse_items(config_entry *entry);

/* What unquoted YAML and --set write for "no value": nothing, ~ or null. */
bool config_is_null(const char *text);

/* Copies `text`, which names a file, taking a relative one from the configuration's
 * folder when `entry` is from the file. Owned by the caller; NULL: no memory. */
char *config_join_path(const strads_config *config, const config_entry *entry);

/* The bytes of `key` up to and with its last dot; 0: none. */
size_t config_section_bytes(const char *key);

/* The bytes of the longest common beginning of two keys that ends with a dot. */
size_t config_shared_bytes(const char *a, const char *b);

/* Whether `key` is `section` followed by a dot and more. */
bool config_lies_below(const char *key, const char *section);

bool config_is_list(const strads_option *option);

/* How many items a list has, and the text of one. */
size_t config_n_items(const config_value *value);
const char *config_item_text(const config_value *value, size_t i);

/* Whether `text` is a value, or an item, of `option`; sets *number for numbers and BOOL. */
bool config_accepts(const strads_option *option, const char *text, double *number);

/* Writes what `option` allows, "a number above 0" for example. */
void config_allowed(const strads_option *option, char out[CONFIG_PHRASE_BYTES]);

/* The first word of "a | b | c", its bytes in *length; *rest goes behind it. NULL at
 * the end. */
const char *config_next_choice(const char **rest, size_t *length);

/* Edits (insert, delete, replace, swap of neighbours) between two texts of at most
 * CONFIG_MAX_KEY bytes. */
size_t config_distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

/* The declared key that the user may have meant, by its last part or as a whole, or
 * NULL. */
const char *config_nearest_key(const strads_config *config, const char *key);

/* The choice that the user may have meant, its bytes in *length, or NULL. */
const char *config_nearest_choice(const strads_option *option, const char *text, size_t *length);

/* OK when all that was written to the stream left it; else IO, having said so. */
STRADS_MUST_CHECK strads_status config_end_of_output(FILE *to);

#endif

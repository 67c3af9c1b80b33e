/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/config_yaml.c - YAML text to a list of keys, and a configuration to YAML:
 * the only source that knows libyaml.
 *
 * Of YAML only what a configuration needs is taken: one document of nested
 * mappings whose values are scalars or lists of scalars. Lists of lists, anchors,
 * aliases and tags are refused where they stand.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/config.h"

/* ---- reading ---- */

typedef struct reader {
    yaml_parser_t parser;
    config_list *out;
    const char *name; /* of the file, for messages; NULL: a --set text, which has no lines */
    const char *text;
    size_t n_bytes;

    size_t n_documents;
    size_t depth;                          /* mappings that are open */
    size_t prefix_bytes[CONFIG_MAX_DEPTH]; /* for each: of its section's name, with the dot */
    char key[CONFIG_MAX_KEY + 1];          /* the dotted key read last */
    yaml_mark_t key_mark;                  /* where it stands */
    bool value_next;                       /* `key` waits for its value, or the rest of it */
    config_entry *list;                    /* the value that is open and a list, or NULL */
} reader;

/* In memory of the caller's; NULL: no memory. */
static char *place_of(const reader *in, yaml_mark_t at)
{
    if (in->name == NULL) {
        return strads_strdup("--set");
    }
    const size_t bytes = strlen(in->name) + 48;
    char *place = strads_alloc(bytes);
    if (place != NULL) {
        snprintf(place, bytes, "%s:%zu:%zu", in->name, at.line + 1, at.column + 1);
    }
    return place;
}

static strads_status refuse(const reader *in, yaml_mark_t at, const char *what)
{
    char *place = place_of(in, at);
    if (place == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_error("%s: %s%s%s", place, in->value_next ? in->key : "", in->value_next ? ": " : "",
                 what);
    strads_free(place);
    return STRADS_ERR_USAGE;
}

/* Adds the pending key, whose other fields are in `value`. */
static strads_status add_entry(reader *in, config_entry value)
{
    char *place = place_of(in, in->key_mark);
    if (place == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = STRADS_ERR_USAGE;
    const config_entry *earlier = config_list_find(in->out, in->key);
    if (earlier != NULL) {
        strads_error("%s: %s: given twice, first at %s", place, in->key, earlier->place);
    } else {
        value.key = in->key;
        value.place = place;
        status = config_list_add(in->out, &value);
    }
    strads_free(place);
    return status;
}

static strads_status take_key(reader *in, const char *word, size_t bytes, yaml_mark_t at)
{
    const size_t prefix = in->prefix_bytes[in->depth - 1];
    if (bytes == 0) {
        return refuse(in, at, "an empty key");
    }
    if (prefix + bytes > CONFIG_MAX_KEY) {
        return refuse(in, at, "a key that is too long");
    }
    memcpy(in->key + prefix, word, bytes);
    in->key[prefix + bytes] = '\0';
    in->key_mark = at;
    in->value_next = true;
    return STRADS_OK;
}

static strads_status take_item(reader *in, const char *text, bool unset, yaml_mark_t at)
{
    if (unset) {
        return refuse(in, at, "an empty item in a list");
    }
    char *place = place_of(in, at);
    if (place == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = config_entry_add(in->list, text, place);
    strads_free(place);
    return status;
}

static strads_status take_scalar(reader *in, const yaml_event_t *event)
{
    char *text = (char *) event->data.scalar.value;
    const size_t bytes = event->data.scalar.length;
    const yaml_mark_t at = event->start_mark;
    const bool unset = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && config_is_null(text);

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        return refuse(in, at, "anchors and tags are not used here");
    }
    if (memchr(text, '\0', bytes) != NULL) {
        return refuse(in, at, "a zero byte in the text");
    }
    if (in->list != NULL) {
        return take_item(in, text, unset, at);
    }
    if (in->depth == 0) {
        return unset ? STRADS_OK : refuse(in, at, "text where 'key: value' is expected");
    }
    if (!in->value_next) {
        return take_key(in, text, bytes, at);
    }
    const strads_status status = add_entry(in, (config_entry){.text = unset ? NULL : text});
    in->value_next = false;
    return status;
}

static strads_status open_section(reader *in, const yaml_event_t *event)
{
    const yaml_mark_t at = event->start_mark;
    if (event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL) {
        return refuse(in, at, "anchors and tags are not used here");
    }
    if (in->list != NULL) {
        return refuse(in, at, "a section inside a list; quote a text that has ': ' in it");
    }
    if (in->depth > 0 && !in->value_next) {
        return refuse(in, at, "a section where a key is expected");
    }
    if (in->depth == CONFIG_MAX_DEPTH) {
        return refuse(in, at, "sections are nested too deeply");
    }
    size_t prefix = 0;
    if (in->value_next) {
        const strads_status status = add_entry(in, (config_entry){.section = true});
        if (status != STRADS_OK) {
            return status;
        }
        prefix = strlen(in->key);
        if (prefix == CONFIG_MAX_KEY) {
            return refuse(in, at, "a key that is too long");
        }
        in->key[prefix++] = '.';
    }
    in->prefix_bytes[in->depth++] = prefix;
    in->value_next = false;
    return STRADS_OK;
}

static strads_status open_list(reader *in, const yaml_event_t *event)
{
    const yaml_mark_t at = event->start_mark;
    if (event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL) {
        return refuse(in, at, "anchors and tags are not used here");
    }
    if (in->list != NULL) {
        return refuse(in, at, "a list inside a list");
    }
    if (!in->value_next) {
        return refuse(in, at,
                      in->depth == 0 ? "a list where 'key: value' is expected"
                                     : "a list where a key is expected");
    }
    const strads_status status = add_entry(in, (config_entry){.list = true});
    if (status == STRADS_OK) {
        in->list = &in->out->items[in->out->n - 1];
    }
    return status;
}

static strads_status close_list(reader *in)
{
    in->list = NULL;
    in->value_next = false;
    return STRADS_OK;
}

static strads_status take_event(reader *in, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return in->n_documents++ == 0
                   ? STRADS_OK
                   : refuse(in, event->start_mark, "a second document; a file holds one");
    case YAML_ALIAS_EVENT:
        return refuse(in, event->start_mark, "aliases are not used here");
    case YAML_SEQUENCE_START_EVENT:
        return open_list(in, event);
    case YAML_SEQUENCE_END_EVENT:
        return close_list(in);
    case YAML_SCALAR_EVENT:
        return take_scalar(in, event);
    case YAML_MAPPING_START_EVENT:
        return open_section(in, event);
    case YAML_MAPPING_END_EVENT:
        in->depth--;
        return STRADS_OK;
    default:
        return STRADS_OK;
    }
}

/* Whether a tab stands in the indentation of line `line`, counted from 0. */
static bool indented_by_tab(const reader *in, size_t line)
{
    const char *at = in->text;
    const char *end = in->text + in->n_bytes;
    for (; line > 0 && at != NULL; line--) {
        at = memchr(at, '\n', (size_t) (end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    while (at != NULL && at < end && *at == ' ') {
        at++;
    }
    return at != NULL && at < end && *at == '\t';
}

/* libyaml knows only the byte at which the text stopped being text. */
static yaml_mark_t mark_of_byte(const reader *in, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < in->n_bytes; i++) {
        mark.column++;
        if (in->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static strads_status refuse_syntax(reader *in)
{
    const yaml_parser_t *parser = &in->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    in->value_next = in->name == NULL; /* else the place says enough */
    if (parser->error == YAML_MEMORY_ERROR) {
        return STRADS_ERR_NOMEM;
    }
    if (parser->error == YAML_READER_ERROR) {
        return refuse(in, mark_of_byte(in, parser->problem_offset), problem);
    }
    if (indented_by_tab(in, parser->problem_mark.line)) {
        return refuse(in, parser->problem_mark, "a tab in the indentation; use spaces");
    }
    return refuse(in, parser->problem_mark, problem);
}

static strads_status read_text(reader *in)
{
    if (!yaml_parser_initialize(&in->parser)) {
        return STRADS_ERR_NOMEM;
    }
    yaml_parser_set_input_string(&in->parser, (const unsigned char *) in->text, in->n_bytes);

    strads_status status = STRADS_OK;
    bool ended = false;
    while (status == STRADS_OK && !ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&in->parser, &event)) {
            status = refuse_syntax(in);
            break;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        status = take_event(in, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&in->parser);
    return status;
}

strads_status config_yaml_parse(config_list *out, const char *name, const char *text,
                                size_t n_bytes)
{
    reader in = {.out = out, .name = name, .text = text, .n_bytes = n_bytes};
    return read_text(&in);
}

/* The text is read as if its key stood before it. */
strads_status config_yaml_parse_items(config_entry *entry)
{
    config_list found = {0};
    reader in = {
        .out = &found, .text = entry->text, .n_bytes = strlen(entry->text), .value_next = true};
    memcpy(in.key, entry->key, strlen(entry->key) + 1);
    const strads_status status = read_text(&in);
    if (status == STRADS_OK) {
        entry->items = found.items[0].items;
        entry->n_items = found.items[0].n_items;
        found.items[0].n_items = 0;
        found.items[0].items = NULL;
    }
    config_list_fini(&found);
    return status;
}

/* ---- writing ---- */

/* After the first failure nothing more is written, and `status` keeps it. */
typedef struct writer {
    yaml_emitter_t emitter;
    const char *folder; /* the working directory */
    strads_status status;
} writer;

static int write_to_stream(void *stream, unsigned char *bytes, size_t n_bytes)
{
    return fwrite(bytes, 1, n_bytes, stream) == n_bytes;
}

/* Sends an event that was initialized (or, where false, could not be). */
static void emit(writer *to, yaml_event_t *event, int initialized)
{
    if (!initialized) {
        to->status = to->status == STRADS_OK ? STRADS_ERR_NOMEM : to->status;
    } else if (to->status != STRADS_OK) {
        yaml_event_delete(event);
    } else if (!yaml_emitter_emit(&to->emitter, event)) {
        assert(to->emitter.error != YAML_EMITTER_ERROR);
        to->status = STRADS_ERR_NOMEM;
        if (to->emitter.error == YAML_WRITER_ERROR) {
            strads_error("cannot write the configuration: %s", strerror(errno));
            to->status = STRADS_ERR_IO;
        }
    }
}

/* File names and --set texts may be no UTF-8: then no YAML can hold them. */
static void emit_scalar(writer *to, const char *text, size_t bytes, yaml_scalar_style_t style)
{
    yaml_event_t event;
    const int initialized = yaml_scalar_event_initialize(
        &event, NULL, NULL, (const yaml_char_t *) text, (int) bytes, 1, 1, style);
    if (!initialized && to->status == STRADS_OK) {
        strads_error("cannot write '%.*s' as YAML: not UTF-8 text", (int) bytes, text);
        to->status = STRADS_ERR_USAGE;
    }
    emit(to, &event, initialized);
}

static void emit_mapping_start(writer *to)
{
    yaml_event_t event;
    emit(to, &event,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static void emit_mapping_end(writer *to)
{
    yaml_event_t event;
    emit(to, &event, yaml_mapping_end_event_initialize(&event));
}

/* Ends one mapping for each dot in `sections`. */
static void close_sections(writer *to, const char *sections)
{
    for (const char *at = sections; (at = strchr(at, '.')) != NULL; at++) {
        emit_mapping_end(to);
    }
}

/* Closes the sections that `key` is not in, opens its own, and writes its last part. */
static void emit_key(writer *to, const char *previous, const char *key)
{
    const size_t shared = config_shared_bytes(previous, key);
    close_sections(to, previous + shared);
    const char *word = key + shared;
    for (const char *dot; (dot = strchr(word, '.')) != NULL; word = dot + 1) {
        emit_scalar(to, word, (size_t) (dot - word), YAML_ANY_SCALAR_STYLE);
        emit_mapping_start(to);
    }
    emit_scalar(to, word, strlen(word), YAML_ANY_SCALAR_STYLE);
}

/* A text that looks like "no value" is quoted, or it would be read as none. */
static void emit_text(writer *to, const char *text)
{
    emit_scalar(to, text, strlen(text),
                config_is_null(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);
}

/* Numbers stand side by side, texts one a line. */
static void emit_list(writer *to, const config_value *value)
{
    yaml_event_t event;
    const yaml_sequence_style_t style =
        value->option->type == STRADS_REALS ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    emit(to, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
    for (size_t i = 0; i < config_n_items(value); i++) {
        emit_text(to, config_item_text(value, i));
    }
    emit(to, &event, yaml_sequence_end_event_initialize(&event));
}

/* Writes an absolute path, which means the same file from any folder. */
static void emit_path(writer *to, const char *path)
{
    const bool absolute = path[0] == '/';
    const size_t bytes = strlen(to->folder) + strlen(path) + 2;
    char *whole = strads_alloc(bytes);
    if (whole == NULL) {
        to->status = STRADS_ERR_NOMEM;
        return;
    }
    snprintf(whole, bytes, "%s%s%s", absolute ? "" : to->folder, absolute ? "" : "/", path);
    emit_text(to, whole);
    strads_free(whole);
}

static void emit_value(writer *to, const config_value *value)
{
    if (config_is_list(value->option)) {
        emit_list(to, value);
    } else if (value->text == NULL) {
        emit_scalar(to, "null", 4, YAML_PLAIN_SCALAR_STYLE);
    } else if (value->option->type == STRADS_PATH) {
        emit_path(to, value->text);
    } else {
        emit_text(to, value->text);
    }
}

static void emit_document(writer *to, const strads_config *config,
                          bool (*wanted)(const strads_option *))
{
    yaml_event_t event;
    emit(to, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(to, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit_mapping_start(to);
    const char *previous = "";
    for (size_t i = 0; i < config->n_values; i++) {
        const strads_option *option = config->values[i].option;
        if (wanted(option)) {
            emit_key(to, previous, option->key);
            emit_value(to, &config->values[i]);
            previous = option->key;
        }
    }
    close_sections(to, previous);
    emit_mapping_end(to);
    emit(to, &event, yaml_document_end_event_initialize(&event, 1));
    emit(to, &event, yaml_stream_end_event_initialize(&event));
}

strads_status strads_config_print_some(const strads_config *config, FILE *to,
                                       bool (*wanted)(const strads_option *))
{
    char folder[PATH_MAX];
    assert(config->resolved);
    if (getcwd(folder, sizeof(folder)) == NULL) {
        strads_error("cannot tell the working directory: %s", strerror(errno));
        return STRADS_ERR_IO;
    }
    writer out = {.folder = folder};
    if (!yaml_emitter_initialize(&out.emitter)) {
        return STRADS_ERR_NOMEM;
    }
    yaml_emitter_set_output(&out.emitter, write_to_stream, to);
    yaml_emitter_set_unicode(&out.emitter, 1);
    yaml_emitter_set_width(&out.emitter, -1);
    emit_document(&out, config, wanted);
    yaml_emitter_delete(&out.emitter);
    return out.status == STRADS_OK ? config_end_of_output(to) : out.status;
}

static bool any(const strads_option *option)
{
    (void) option;
    return true;
}

strads_status strads_config_print(const strads_config *config, FILE *to)
{
    return strads_config_print_some(config, to, any);
}

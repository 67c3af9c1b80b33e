/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/config_help.c - the option tables as text: help and docs/CONFIG.md. */
#include <errno.h>
#include <string.h>

#include "base/config.h"

enum { HELP_COLUMNS = 78, HELP_INDENT = 4 };

strads_status config_end_of_output(FILE *to)
{
    if (fflush(to) != 0 || ferror(to)) {
        strads_error("cannot write: %s", strerror(errno));
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}

/* Writes `text` word by word, broken and indented. */
static void write_wrapped(const char *text, FILE *to)
{
    size_t column = 0;
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > HELP_COLUMNS) {
            fputc('\n', to);
            column = 0;
        }
        column +=
            (size_t) fprintf(to, "%*s%.*s", column == 0 ? HELP_INDENT : 1, "", (int) length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

/* The default as the user would write it; NULL: none. */
static const char *default_of(const strads_option *option)
{
    return option->fallback == NULL && config_is_list(option) ? "[]" : option->fallback;
}

static void write_help(const strads_option *option, FILE *to)
{
    char allowed[CONFIG_PHRASE_BYTES];
    config_allowed(option, allowed);
    fprintf(to, "%s: %s%s%s", option->key, allowed, option->unit != NULL ? ", in " : "",
            option->unit != NULL ? option->unit : "");
    if (default_of(option) != NULL) {
        fprintf(to, " (default: %s)\n", default_of(option));
    } else {
        fprintf(to, " (no default)\n");
    }
    write_wrapped(option->help, to);
}

strads_status strads_config_help(const strads_config *config, const char *key, FILE *to)
{
    size_t n_found = 0;
    for (size_t i = 0; i < config->n_values; i++) {
        const strads_option *option = config->values[i].option;
        if (key == NULL || strcmp(option->key, key) == 0 || config_lies_below(option->key, key)) {
            write_help(option, to);
            n_found++;
        }
    }
    if (n_found == 0 && key != NULL) {
        const char *nearest = config_nearest_key(config, key);
        strads_error("%s: unknown key%s%s%s", key, nearest != NULL ? ", did you mean " : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
        return STRADS_ERR_USAGE;
    }
    return config_end_of_output(to);
}

/* Text inside a cell of a Markdown table. */
static void write_cell(const char *text, FILE *to)
{
    for (; *text != '\0'; text++) {
        if (strchr("|<*_\\", *text) != NULL) {
            fputc('\\', to);
        }
        fputc(*text, to);
    }
}

static void write_row(const strads_option *option, FILE *to)
{
    char allowed[CONFIG_PHRASE_BYTES];
    config_allowed(option, allowed);
    fprintf(to, "| `%s` | ", option->key);
    write_cell(allowed, to);
    if (default_of(option) != NULL) {
        fprintf(to, " | `%s` | ", default_of(option));
    } else {
        fprintf(to, " | | ");
    }
    write_cell(option->unit != NULL ? option->unit : "", to);
    fprintf(to, "%s| ", option->unit != NULL ? " " : "");
    write_cell(option->help, to);
    fprintf(to, " |\n");
}

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "This page is printed by the program from its option tables; it is not edited by hand.\n"
    "\n"
    "A configuration is a YAML file of sections and keys. `schedule.round` below is the key\n"
    "`round` in the section `schedule`:\n"
    "\n"
    "```yaml\n"
    "schedule:\n"
    "  round: 64\n"
    "```\n"
    "\n"
    "* The command line overrides the file: `--set schedule.round=64`.\n"
    "* A key that is absent, empty, `~` or `null` has its default; `--set schedule.round=` takes\n"
    "  the file's value back.\n"
    "* A file name that is not absolute is taken from the folder of the configuration file; one\n"
    "  from `--set`, from the working directory.\n"
    "* Whole numbers may be written like `1e6`; `yes`, `on`, `no` and `off` stand for `true` and\n"
    "  `false`.\n"
    "* A list is `[a, b]`, or its items one a line, each behind `- `; a single value is a list of\n"
    "  one. On the command line: `--set 'key=[a, b]'`.\n"
    "* Unknown or repeated keys, values out of range, anchors and tags are errors.\n";

static void write_heading(const char *key, size_t section_bytes, FILE *to)
{
    if (section_bytes == 0) {
        fprintf(to, "\n## Outside of sections\n\n");
    } else {
        fprintf(to, "\n## %.*s\n\n", (int) section_bytes - 1, key);
    }
    fprintf(to, "| key | value | default | unit | meaning |\n|---|---|---|---|---|\n");
}

strads_status strads_config_document(const strads_config *config, FILE *to)
{
    const char *previous = NULL;
    fputs(introduction, to);
    for (size_t i = 0; i < config->n_values; i++) {
        const char *key = config->values[i].option->key;
        const size_t section = config_section_bytes(key);
        if (previous == NULL || config_section_bytes(previous) != section ||
            config_shared_bytes(previous, key) != section) {
            write_heading(key, section, to);
        }
        write_row(config->values[i].option, to);
        previous = key;
    }
    return config_end_of_output(to);
}

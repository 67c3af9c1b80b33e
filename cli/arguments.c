/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/arguments.c - the options of a command, from one table: parsing and --help. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* What getopt_long returns for flag i is FIRST_FLAG + i: apart from all letters. */
enum { FIRST_FLAG = 256 };

/* ---- help ---- */

static void print_help(const cli_usage *usage)
{
    printf("usage: strads %s", usage->command);
    for (size_t i = 0; i < CLI_MAX_OPERANDS && usage->operands[i] != NULL; i++) {
        printf(" %s", usage->operands[i]);
    }
    printf(" [options]\n\n%s\noptions:\n", usage->help);
    for (size_t i = 0; i < usage->n_flags; i++) {
        const cli_flag *flag = &usage->flags[i];
        char left[40];
        snprintf(left, sizeof(left), "--%s %s", flag->name, flag->value ? flag->value : "");
        printf("  %-20s %s%s\n", left, flag->help, flag->required ? " (required)" : "");
    }
    printf("  %-20s this text\n", "--help");
}

/* ---- values ---- */

static strads_status take_count(const cli_flag *flag, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char) text[0]) || *end != '\0' || errno != 0 ||
        (double) value < flag->min || (double) value > flag->max) {
        strads_error("--%s: '%s' is not a whole number from %.0f to %.0f", flag->name, text,
                     flag->min, flag->max);
        return STRADS_ERR_USAGE;
    }
    *flag->count = value;
    return STRADS_OK;
}

static strads_status take_real(const cli_flag *flag, const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < flag->min || value > flag->max ||
        (flag->below_max && value >= flag->max)) {
        strads_error("--%s: '%s' is not a number from %g to %s%g", flag->name, text, flag->min,
                     flag->below_max ? "below " : "", flag->max);
        return STRADS_ERR_USAGE;
    }
    *flag->real = value;
    return STRADS_OK;
}

strads_status cli_texts_add(cli_texts *texts, const char *text, size_t n_bytes)
{
    const strads_status status =
        strads_reserve(&texts->items, &texts->room, texts->n + 1, sizeof(*texts->items));
    char *copy = status == STRADS_OK ? strads_alloc(n_bytes + 1) : NULL;
    if (copy == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    texts->items[texts->n++] = copy;
    return STRADS_OK;
}

size_t cli_texts_find(const cli_texts *texts, const char *text)
{
    size_t i = 0;
    while (i < texts->n && strcmp(texts->items[i], text) != 0) {
        i++;
    }
    return i;
}

void cli_texts_clear(cli_texts *texts)
{
    while (texts->n > 0) {
        strads_free(texts->items[--texts->n]);
    }
}

void cli_texts_fini(cli_texts *texts)
{
    cli_texts_clear(texts);
    strads_free(texts->items);
    *texts = (cli_texts){0};
}

static strads_status take_text(const cli_flag *flag, const char *text)
{
    const char *key = flag->key != NULL ? flag->key : "";
    const size_t bytes = strlen(key) + strlen(text) + 2;
    char *whole = strads_alloc(bytes);
    if (whole == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(whole, bytes, "%s%s%s", key, flag->key != NULL ? "=" : "", text);
    const strads_status status = flag->config != NULL
                                     ? strads_config_set(flag->config, whole)
                                     : cli_texts_add(flag->texts, whole, strlen(whole));
    strads_free(whole);
    return status;
}

static strads_status take(const cli_flag *flag, const char *text)
{
    if (flag->on != NULL) {
        *flag->on = true;
        return STRADS_OK;
    }
    if (flag->text != NULL) {
        *flag->text = text;
        return STRADS_OK;
    }
    if (flag->count != NULL) {
        return take_count(flag, text);
    }
    return flag->real != NULL ? take_real(flag, text) : take_text(flag, text);
}

/* ---- parsing ---- */

static void list_options(const cli_usage *usage, struct option *options)
{
    assert(usage->n_flags <= CLI_MAX_FLAGS);
    for (size_t i = 0; i < usage->n_flags; i++) {
        const cli_flag *flag = &usage->flags[i];
        options[i] = (struct option){.name = flag->name,
                                     .has_arg = flag->on ? no_argument : required_argument,
                                     .val = FIRST_FLAG + (int) i};
    }
    options[usage->n_flags] = (struct option){.name = "help", .val = 'h'};
    options[usage->n_flags + 1] = (struct option){0};
}

static void report_unknown(const cli_usage *usage, const char *given)
{
    const char *names[CLI_MAX_FLAGS];
    for (size_t i = 0; i < usage->n_flags; i++) {
        names[i] = usage->flags[i].name;
    }
    char name[64];
    snprintf(name, sizeof(name), "%s", given + strspn(given, "-"));
    name[strcspn(name, "=")] = '\0';
    const char *nearest = strads_nearest(name, names, usage->n_flags);
    if (nearest != NULL) {
        strads_error("%s: unknown option %s, did you mean --%s?", usage->command, given, nearest);
    } else {
        strads_error("%s: unknown option %s; see strads help %s", usage->command, given,
                     usage->command);
    }
}

/* getopt returned '?' or ':'. */
static void report_refused(const cli_usage *usage, int answer, const char *given)
{
    if (optopt < FIRST_FLAG) {
        report_unknown(usage, given);
        return;
    }
    const cli_flag *flag = &usage->flags[optopt - FIRST_FLAG];
    if (answer == ':') {
        strads_error("%s: --%s needs a value, %s", usage->command, flag->name, flag->value);
    } else {
        strads_error("%s: --%s takes no value", usage->command, flag->name);
    }
}

/* Sets bit i of *given for flag i. Returns CLI_GO_ON or an exit code. */
static int parse_flags(const cli_usage *usage, int argc, char **argv, uint32_t *given)
{
    struct option options[CLI_MAX_FLAGS + 2];
    list_options(usage, options);
    optind = 0; /* makes the GNU getopt start afresh */
    opterr = 0;
    int answer;
    while ((answer = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (answer == 'h') {
            print_help(usage);
            return CLI_DONE;
        }
        if (answer < FIRST_FLAG) {
            report_refused(usage, answer, argv[optind - 1]);
            return CLI_USAGE;
        }
        const strads_status status = take(&usage->flags[answer - FIRST_FLAG], optarg);
        if (status != STRADS_OK) {
            return cli_exit_of(status);
        }
        *given |= 1U << (answer - FIRST_FLAG);
    }
    return CLI_GO_ON;
}

static int parse_operands(const cli_usage *usage, int n, char **given, const char **operands)
{
    int taken = 0;
    while (taken < CLI_MAX_OPERANDS && usage->operands[taken] != NULL) {
        if (taken == n && usage->operands[taken][0] == '[') {
            operands[taken] = NULL;
            return CLI_GO_ON;
        }
        if (taken == n) {
            strads_error("%s: %s is missing; see strads help %s", usage->command,
                         usage->operands[taken], usage->command);
            return CLI_USAGE;
        }
        operands[taken] = given[taken];
        taken++;
    }
    if (taken < n) {
        strads_error("%s: '%s' is one argument too many; see strads help %s", usage->command,
                     given[taken], usage->command);
        return CLI_USAGE;
    }
    return CLI_GO_ON;
}

int cli_parse(const cli_usage *usage, int argc, char **argv, const char **operands)
{
    uint32_t given = 0;
    int code = parse_flags(usage, argc, argv, &given);
    if (code != CLI_GO_ON) {
        return code;
    }
    code = parse_operands(usage, argc - optind, argv + optind, operands);
    for (size_t i = 0; code == CLI_GO_ON && i < usage->n_flags; i++) {
        if (usage->flags[i].required && !(given >> i & 1U)) {
            strads_error("%s: --%s %s is missing; see strads help %s", usage->command,
                         usage->flags[i].name, usage->flags[i].value, usage->command);
            code = CLI_USAGE;
        }
    }
    return code;
}

void cli_set_level(bool quiet, bool verbose, bool trace)
{
    if (quiet) {
        strads_log_set_level(STRADS_LOG_WARN);
    } else if (trace) {
        strads_log_set_level(STRADS_LOG_TRACE);
    } else if (verbose) {
        strads_log_set_level(STRADS_LOG_DEBUG);
    }
}

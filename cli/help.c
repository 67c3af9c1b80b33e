/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/help.c - `strads help`: commands, configuration keys, and docs/CONFIG.md. */
#include <string.h>

#include "cli/cli.h"

static void print_overview(void)
{
    size_t n_commands = 0, n_codes = 0;
    const cli_command *commands = cli_commands(&n_commands);
    const cli_exit_row *codes = cli_exit_rows(&n_codes);
    printf("usage: strads COMMAND [arguments]\n\ncommands:\n");
    for (size_t i = 0; i < n_commands; i++) {
        printf("  %-11s %s\n", commands[i].name, commands[i].help);
    }
    printf("\nstrads help COMMAND   explains a command\n"
           "strads help KEY       explains a key of a configuration, or a section of them\n"
           "strads help keys      explains all keys of a configuration\n"
           "\nexit codes:\n");
    for (size_t i = 0; i < n_codes; i++) {
        printf("  %-4d %s\n", codes[i].code, codes[i].meaning);
    }
}

/* Declares the options of the framework and of all built-in model programs. */
static strads_status declare_all(strads_config *config)
{
    size_t n_options = 0, n_apps = 0;
    const strads_option *options = strads_options(&n_options);
    const strads_app *const *apps = cli_apps(&n_apps);
    strads_status status = strads_config_declare(config, options, n_options);
    for (size_t i = 0; status == STRADS_OK && i < n_apps; i++) {
        status = strads_config_declare(config, apps[i]->options, apps[i]->n_options);
    }
    return status;
}

static strads_status print_markdown(const strads_config *config)
{
    const strads_status status = strads_config_document(config, stdout);
    size_t n_codes = 0;
    const cli_exit_row *codes = cli_exit_rows(&n_codes);
    printf("\n## Exit codes of the command\n\n| code | meaning |\n|---|---|\n");
    for (size_t i = 0; i < n_codes; i++) {
        printf("| %d | %s |\n", codes[i].code, codes[i].meaning);
    }
    return status;
}

/* Explains a key, a section, or everything (NULL); or prints docs/CONFIG.md. */
static strads_status explain_keys(const char *key, bool markdown)
{
    strads_config *config = NULL;
    strads_status status = strads_config_create(&config);
    if (status != STRADS_OK) {
        return status;
    }
    status = declare_all(config);
    if (status == STRADS_OK) {
        status = markdown ? print_markdown(config) : strads_config_help(config, key, stdout);
    }
    strads_config_destroy(config);
    return status;
}

static int explain(const char *topic)
{
    const cli_command *command = cli_command_find(topic);
    if (command != NULL) {
        char name[16], help[] = "--help";
        snprintf(name, sizeof(name), "%s", command->name);
        char *arguments[] = {name, help, NULL};
        return command->run(2, arguments);
    }
    const bool all = strcmp(topic, "keys") == 0;
    const char *nearest = all ? NULL : cli_command_nearest(topic);
    if (nearest != NULL) {
        strads_error("help: %s: unknown, did you mean %s?", topic, nearest);
        return CLI_USAGE;
    }
    return cli_exit_of(explain_keys(all ? NULL : topic, false));
}

int cli_help(int argc, char **argv)
{
    bool markdown = false;
    const cli_flag flags[] = {
        {"markdown", NULL, "prints docs/CONFIG.md: every key and the exit codes", .on = &markdown},
    };
    const cli_usage usage = {
        .command = "help",
        .operands = {"[COMMAND | KEY | SECTION | keys]"},
        .help = "Explains a command, a key of a configuration, all keys of a section, or\n"
                "all keys there are (keys).\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (markdown) {
        return cli_exit_of(explain_keys(NULL, true));
    }
    if (operands[0] != NULL) {
        return explain(operands[0]);
    }
    print_overview();
    return CLI_DONE;
}

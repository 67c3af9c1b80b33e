/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/main.c - the command `strads`: finds the command named and runs it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static int version(int argc, char **argv)
{
    const char *operands[CLI_MAX_OPERANDS];
    const cli_usage usage = {.command = "version", .help = "Prints the version of strads.\n"};
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code == CLI_GO_ON) {
        printf("strads %s\n", STRADS_VERSION);
        return CLI_DONE;
    }
    return code;
}

static const cli_command commands[] = {
    {"run", "solve the problem that a configuration describes", cli_run},
    {"coordinator", "the same, with processes that others start", cli_coordinator},
    {"worker", "help in a run that a coordinator leads", cli_worker},
    {"key", "make the key that the processes of a run share", cli_key},
    {"check", "check a configuration and estimate the memory it needs", cli_check},
    {"predict", "apply the model of a run to a data file", cli_predict},
    {"generate", "write a generated problem with a known answer", cli_generate},
    {"words", "turn lines of text into a sparse problem", cli_words},
    {"help", "explain a command or a configuration key", cli_help},
    {"version", "print the version", version},
};

const cli_command *cli_commands(size_t *n)
{
    *n = sizeof(commands) / sizeof(commands[0]);
    return commands;
}

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

const char *cli_command_nearest(const char *name)
{
    enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    return strads_nearest(name, names, N_COMMANDS);
}

static int report_unknown(const char *name)
{
    const char *nearest = cli_command_nearest(name);
    if (nearest != NULL) {
        strads_error("%s: unknown command, did you mean %s?", name, nearest);
    } else {
        strads_error("%s: unknown command; strads help lists them", name);
    }
    return CLI_USAGE;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        strads_error("no command is given; strads help lists them");
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const cli_command *command = cli_command_find(name);
    return command != NULL ? command->run(argc - 1, argv + 1) : report_unknown(name);
}

/* OpenBLAS starts a thread a core as it is loaded, and these spin for a tenth of a second in case
 * there is work, just when ratings are read on all cores. This ends them, as before a fork; the
 * first product that wants threads starts them again. Weak, for another BLAS has none. */
extern int blas_thread_shutdown_(void) __attribute__((weak));

int main(int argc, char **argv)
{
    if (blas_thread_shutdown_ != NULL) {
        (void) blas_thread_shutdown_();
    }
    /* A reader that goes away is an error of a write, not a death. */
    signal(SIGPIPE, SIG_IGN);
    const int code = dispatch(argc, argv);
    if (code >= CLI_FAILED && code <= CLI_NOMEM && strads_log_n_errors() == 0) {
        strads_error("%s", code == CLI_NOMEM ? "out of memory" : "failed");
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_DONE) {
        strads_error("the standard output cannot be written: %s", strerror(errno));
        return CLI_IO;
    }
    return code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/command.c - the command in a temporary folder. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "tests/support/command.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char small_config[] = "app: lasso\n"
                                   "data:\n"
                                   "  path: small.libsvm\n"
                                   "lasso:\n"
                                   "  lambda_ratio: 0.1\n"
                                   "run:\n"
                                   "  workers: 2\n";

char command_out[COMMAND_TEXT_BYTES], command_err[COMMAND_TEXT_BYTES];

void command_read(const char *name, char text[COMMAND_TEXT_BYTES])
{
    char path[COMMAND_BYTES];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    FILE *file = fopen(path, "r");
    const size_t n = file != NULL ? fread(text, 1, COMMAND_TEXT_BYTES - 1, file) : 0;
    text[n] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

bool command_left(const char *name)
{
    char path[COMMAND_BYTES];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return access(path, F_OK) == 0;
}

const char *command_path(const char *folder, const char *name)
{
    static char path[COMMAND_BYTES];
    snprintf(path, sizeof(path), "%s/%s%s%s", suite_folder(), folder, *folder == '\0' ? "" : "/",
             name);
    return path;
}

double command_number(const char *folder, const char *key)
{
    char path[COMMAND_BYTES]; /* that of command_path may be in use */
    snprintf(path, sizeof(path), "%s/%s/summary.json", suite_folder(), folder);
    json_t *summary = json_load_file(path, 0, NULL);
    REQUIRE(summary != NULL);
    const json_t *value = json_object_get(summary, key);
    const double number = json_is_number(value) ? json_number_value(value) : (double) NAN;
    json_decref(summary);
    return number;
}

const char *command_binary(void)
{
    static char path[COMMAND_BYTES];
    const char *named = getenv("STRADS_BIN");
    if (path[0] == '\0' && (named == NULL || realpath(named, path) == NULL)) {
        fprintf(stderr, "STRADS_BIN must name the strads command\n");
        exit(2);
    }
    return path;
}

int command_run(const char *arguments, ...)
{
    char given[COMMAND_BYTES / 2], command[2 * COMMAND_BYTES];
    va_list list;
    va_start(list, arguments);
    vsnprintf(given, sizeof(given), arguments, list);
    va_end(list);
    snprintf(command, sizeof(command), "cd %s && { %s %s; } >out.txt 2>err.txt </dev/null",
             suite_folder(), command_binary(), given);
    const int status = system(command);
    command_read("out.txt", command_out);
    command_read("err.txt", command_err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void command_set_up(void)
{
    if (!command_left("small.yaml")) {
        REQUIRE(command_run("generate lasso --rows 60 --cols 200 --entries 20 --informative 5"
                            " --correlation 0.3 --out small") == 0);
        REQUIRE(command_left("small.libsvm"));
        strads_free(suite_file("small.yaml", small_config));
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/check.c - `strads check`: is a configuration right, and does it fit the machine? */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"

/* Bytes of memory in the machine; 0: not known. */
static double machine_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (double) pages * (double) page_bytes : 0.0;
}

/* Bytes that could be had without swapping; 0: not known. Linux alone says so. */
static double available_bytes(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    if (file == NULL) {
        return 0.0;
    }
    char line[128];
    unsigned long long kib = 0;
    while (fgets(line, sizeof(line), file) != NULL &&
           sscanf(line, "MemAvailable: %llu kB", &kib) != 1) {
    }
    fclose(file);
    return (double) kib * 1024.0;
}

static strads_status compare_memory(const char *path, double bytes)
{
    char needed[CLI_SHORT_BYTES], available[CLI_SHORT_BYTES], total[CLI_SHORT_BYTES];
    cli_short(bytes, needed);
    cli_short(available_bytes(), available);
    cli_short(machine_bytes(), total);
    if (machine_bytes() > 0.0 && bytes > machine_bytes()) {
        strads_error("%s: the run needs about %sB of memory, the machine has %sB", path, needed,
                     total);
        return STRADS_ERR_NOMEM;
    }
    printf("memory: about %sB needed; %sB available of %sB\n", needed, available, total);
    if (available_bytes() > 0.0 && bytes > available_bytes()) {
        strads_warn("%s: the run needs more memory than is available now", path);
    }
    return STRADS_OK;
}

static strads_status check(cli_session *session, const char *path)
{
    strads_status status = cli_session_load(session, path);
    if (status != STRADS_OK) {
        return status;
    }
    size_t bytes = 0;
    status = strads_estimate(session->app, session->config, &bytes);
    if (status == STRADS_OK && bytes == 0) {
        printf("memory: %s cannot estimate it\n", session->app->name);
    } else if (status == STRADS_OK) {
        status = compare_memory(path, (double) bytes);
    }
    if (status == STRADS_OK) {
        printf("%s: in order\n", path);
    }
    return status;
}

int cli_check(int argc, char **argv)
{
    cli_session session;
    strads_status status = cli_session_init(&session);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    const cli_flag flags[] = {
        {"set", "KEY=VALUE", "overrides a key of CONFIG; repeatable", .config = session.config}};
    const cli_usage usage = {
        .command = "check",
        .operands = {"CONFIG"},
        .help =
            "Checks every key of the YAML file CONFIG, reads the sizes of its data, and compares\n"
            "the memory that a run would need with what the machine has.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    int code = cli_parse(&usage, argc, argv, operands);
    if (code == CLI_GO_ON) {
        code = cli_exit_of(check(&session, operands[0]));
    }
    cli_session_close(&session);
    return code;
}

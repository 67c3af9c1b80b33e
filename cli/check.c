/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/check.c - `strads check`: is a configuration right, and does it fit the machine? */
#include "cli/cli.h"
#include "cli/progress.h"

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

/* What this machine has is compared with what all its processes need. */
static strads_status compare_memory(const cli_session *session, const char *path,
                                    const strads_memory *memory)
{
    const bool forked = strads_config_text(session->config, "net.listen") == NULL;
    const double all = (double) memory->bytes * memory->n_processes;
    const double here = forked ? all : (double) memory->bytes;
    char needed[CLI_SHORT_BYTES], by_each[CLI_SHORT_BYTES], available[CLI_SHORT_BYTES],
        total[CLI_SHORT_BYTES];
    cli_short(all, needed);
    cli_short((double) memory->bytes, by_each);
    cli_short(available_bytes(), available);
    cli_short(strads_machine_bytes(), total);
    if (strads_machine_bytes() > 0.0 && here > strads_machine_bytes()) {
        strads_error("%s: %s about %sB of memory, the machine has %sB", path,
                     forked ? "the run needs" : "each process needs", forked ? needed : by_each,
                     total);
        return STRADS_ERR_NOMEM;
    }
    printf("memory: about %sB needed", needed);
    if (memory->n_processes > 1) {
        printf(", %sB by each of %u processes", by_each, memory->n_processes);
    }
    printf("; %sB available of %sB%s\n", available, total, forked ? "" : " here");
    if (available_bytes() > 0.0 && here > available_bytes()) {
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
    strads_memory memory;
    status = strads_estimate(session->app, session->config, &memory);
    if (status == STRADS_OK && memory.bytes == 0) {
        printf("memory: %s cannot estimate it\n", session->app->name);
    } else if (status == STRADS_OK) {
        status = compare_memory(session, path, &memory);
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
        {"workers", "N", "as --set run.workers=N", .config = session.config, .key = "run.workers"},
        {"processes", "N", "as --set run.processes=N", .config = session.config,
         .key = "run.processes"},
        {"set", "KEY=VALUE", "overrides a key of CONFIG; repeatable", .config = session.config}};
    const cli_usage usage = {
        .command = "check",
        .operands = {"CONFIG"},
        .help =
            "Checks every key of the YAML file CONFIG, reads the sizes of its data, and compares\n"
            "the memory that a run would need, and each of its processes, with what the machine\n"
            "has.\n",
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

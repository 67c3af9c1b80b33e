/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/exit.c - the exit codes, in one table. */
#include <signal.h>

#include "cli/cli.h"

static const cli_exit_row rows[] = {
    {CLI_DONE, "the goal was met (converged), or the work asked for is done (completed); of a "
               "worker: its run ended well, also at a limit or by Ctrl-C"},
    {CLI_FAILED, "failed for another reason: the model program, the system, a value not finite; "
                 "a run of a sweep; a process was lost"},
    {CLI_USAGE, "the command line or the configuration is wrong"},
    {CLI_DATA, "the content of an input file is wrong"},
    {CLI_IO, "a file cannot be opened, read or written"},
    {CLI_NOMEM, "out of memory"},
    {CLI_LIMIT, "a limit (stop.rounds, stop.seconds) ended the run before its goal, or a signal to "
                "another of its processes"},
    {CLI_SIGNAL + SIGHUP, "ended by SIGHUP (a closed terminal); what the run had found is written"},
    {CLI_SIGNAL + SIGINT, "ended by SIGINT (Ctrl-C); what the run had found is written"},
    {CLI_SIGNAL + SIGTERM, "ended by SIGTERM; what the run had found is written"},
};

const cli_exit_row *cli_exit_rows(size_t *n)
{
    *n = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

int cli_exit_of(strads_status status)
{
    switch (status) {
    case STRADS_OK:
        return CLI_DONE;
    case STRADS_ERR_USAGE:
        return CLI_USAGE;
    case STRADS_ERR_DATA:
        return CLI_DATA;
    case STRADS_ERR_IO:
        return CLI_IO;
    case STRADS_ERR_NOMEM:
        return CLI_NOMEM;
    default:
        return CLI_FAILED;
    }
}

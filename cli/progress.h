/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli/progress.h - how a run is going: one line redrawn on a terminal, a message now
 * and then elsewhere.
 */
#ifndef STRADS_CLI_PROGRESS_H
#define STRADS_CLI_PROGRESS_H

#include "strads/run.h"

typedef struct cli_progress {
    FILE *terminal;   /* NULL: messages at info level instead */
    int width;        /* columns of the terminal */
    double shown;     /* seconds of the run at the last line; below 0: none yet */
    uint64_t updates; /* as of the last line */
} cli_progress;

/* For stderr, which is a terminal or not. */
void cli_progress_init(cli_progress *progress);

/* A listener for strads_run; context is the cli_progress. */
void cli_progress_listen(void *context, const strads_progress *now);

/* Clears the redrawn line. */
void cli_progress_end(cli_progress *progress);

enum { CLI_SHORT_BYTES = 16 };

/* Writes a number >= 0 in at most five characters and a letter: 987, 12.3k, 4.56M. */
const char *cli_short(double value, char out[CLI_SHORT_BYTES]);

#endif

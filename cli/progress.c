/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/progress.c - the progress of a run, see progress.h. */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Seconds between two lines. */
static const double redraw_interval = 0.1;
static const double message_interval = 1.0;

enum { LINE_BYTES = 160, DEFAULT_WIDTH = 80 };

const char *cli_short(double value, char out[CLI_SHORT_BYTES])
{
    static const char letters[] = " kMGTP";
    size_t power = 0;
    /* 999.5 would be rounded to four digits. */
    while (value >= 999.5 && letters[power + 1] != '\0') {
        value /= 1000.0;
        power++;
    }
    const int decimals = power == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    const int length = snprintf(out, CLI_SHORT_BYTES, "%.*f", decimals, value);
    if (power > 0 && length > 0 && length < CLI_SHORT_BYTES - 1) {
        out[length] = letters[power];
        out[length + 1] = '\0';
    }
    return out;
}

void cli_progress_init(cli_progress *progress)
{
    *progress = (cli_progress){.shown = -1.0, .width = DEFAULT_WIDTH};
    const char *kind = getenv("TERM");
    if (isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0) {
        struct winsize size;
        progress->terminal = stderr;
        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            progress->width = size.ws_col;
        }
    }
}

static void format_line(char line[LINE_BYTES], const cli_progress *progress,
                        const strads_progress *now)
{
    const bool first = progress->shown < 0.0;
    const double seconds = now->seconds - (first ? 0.0 : progress->shown);
    const uint64_t updates = now->updates - progress->updates;
    char rate[CLI_SHORT_BYTES], active[CLI_SHORT_BYTES];
    char objective[32] = "", gap[32] = "";
    if (!isnan(now->objective)) {
        snprintf(objective, sizeof(objective), "  objective %.7g", now->objective);
    }
    if (isfinite(now->gap)) {
        snprintf(gap, sizeof(gap), "  gap %.1e", now->gap);
    }
    snprintf(line, LINE_BYTES, "round %llu%s%s  active %s  %s updates/s  %.1f s",
             (unsigned long long) now->round, objective, gap,
             cli_short((double) now->active, active),
             cli_short(seconds > 0.0 ? (double) updates / seconds : 0.0, rate), now->seconds);
}

void cli_progress_listen(void *context, const strads_progress *now)
{
    cli_progress *progress = context;
    const double interval = progress->terminal != NULL ? redraw_interval : message_interval;
    if (progress->shown >= 0.0 && now->seconds - progress->shown < interval) {
        return;
    }
    char line[LINE_BYTES];
    format_line(line, progress, now);
    progress->shown = now->seconds;
    progress->updates = now->updates;
    if (progress->terminal == NULL) {
        strads_info("%s", line);
        return;
    }
    /* The cursor waits at the start, so that a message overwrites the line; the last
     * column stays free, or some terminals would wrap. */
    fprintf(progress->terminal, "%.*s\033[K\r", progress->width - 1, line);
    fflush(progress->terminal);
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->terminal != NULL) {
        fprintf(progress->terminal, "\033[K");
        fflush(progress->terminal);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_progress.c - the line that shows how a run is going. */
#define _XOPEN_SOURCE 700 /* open_memstream */
#include "cli/progress.h"

#include <string.h>

#include "tests/support/suite.h"

static strads_progress at(double seconds)
{
    return (strads_progress){.round = 12,
                             .updates = (uint64_t) (seconds * 4e6),
                             .seconds = seconds,
                             .objective = NAN,
                             .gap = 0.25,
                             .active = 1234};
}

static void numbers_keep_three_digits(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},        {987, "987"},     {999.4, "999"},  {999.5, "1.00k"},
                 {1234, "1.23k"}, {9994, "9.99k"},  {9996, "10.0k"}, {99940, "99.9k"},
                 {99960, "100k"}, {999499, "999k"}, {1e6, "1.00M"},  {2.5e9, "2.50G"},
                 {1e12, "1.00T"}, {4e15, "4.00P"},  {1e18, "1000P"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CLI_SHORT_BYTES];
        CHECK_TEXT(cli_short(cases[i].value, text), cases[i].text);
    }
}

static void listen_four_times(void *context)
{
    static const double seconds[] = {0.0, 0.5, 0.99, 1.0};
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        const strads_progress now = at(seconds[i]);
        cli_progress_listen(context, &now);
    }
}

static void without_a_terminal_there_is_a_message_a_second(void)
{
    cli_progress progress = {.shown = -1.0};
    char *said = suite_stderr_of(listen_four_times, &progress);
    CHECK_TEXT(said, "strads: round 12  gap 2.5e-01  active 1.23k  0 updates/s  0.0 s\n"
                     "strads: round 12  gap 2.5e-01  active 1.23k  4.00M updates/s  1.0 s\n");
    strads_free(said);
}

static void a_terminal_gets_lines_that_fit_ten_times_a_second(void)
{
    char *drawn = NULL;
    size_t bytes = 0;
    FILE *terminal = open_memstream(&drawn, &bytes);
    REQUIRE(terminal != NULL);
    cli_progress progress = {.terminal = terminal, .width = 20, .shown = -1.0};
    for (int i = 0; i <= 10; i++) {
        const strads_progress now = at(0.02 * i);
        cli_progress_listen(&progress, &now);
    }
    cli_progress_end(&progress);
    fclose(terminal);
    CHECK_TEXT(drawn, "round 12  gap 2.5e-\033[K\r"
                      "round 12  gap 2.5e-\033[K\r"
                      "round 12  gap 2.5e-\033[K\r"
                      "\033[K");
    free(drawn);
}

SUITE("cli/progress", {"numbers keep three digits", numbers_keep_three_digits},
      {"without a terminal there is a message a second",
       without_a_terminal_there_is_a_message_a_second},
      {"a terminal gets lines that fit, ten times a second",
       a_terminal_gets_lines_that_fit_ten_times_a_second})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/signals.c - what the signals of the user and the system do to a run. */
#include <signal.h>
#include <stdatomic.h>

#include "cli/cli.h"

/* Atomic, since a library's thread may be the one that a signal interrupts. */
static atomic_int caught;

static void on_end(int number)
{
    atomic_store(&caught, number);
    strads_stop_all();
}

static void on_question(int number)
{
    (void) number;
    strads_report_all();
}

int cli_caught_signal(void)
{
    return atomic_load(&caught);
}

void cli_catch_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct sigaction before;
        sigaction(ends[i], NULL, &before);
        if (ends[i] != SIGHUP || before.sa_handler != SIG_IGN) {
            sigaction(ends[i], &action, NULL);
        }
    }
    action = (struct sigaction){.sa_handler = on_question, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_cli_signals.c - the real command under signals and on a
 * terminal. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/command.h"

/* Starts a run of its own process group that ends only after a long time, stderr
 * going to `to`. */
static pid_t start_endless(int to)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        if (chdir(suite_folder()) == 0 && dup2(to, STDERR_FILENO) >= 0 &&
            dup2(open("out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO) >= 0) {
            execl(command_binary(), "strads", "run", "small.yaml", "--out", "endless", "--set",
                  "stop.gap=0", "--set", "stop.seconds=100", "--set", "schedule.kind=cyclic",
                  (char *) NULL);
        }
        _exit(127);
    }
    return child;
}

/* Reads until the run has shown that it runs; returns the bytes read. */
static void await_progress(int from, char text[COMMAND_TEXT_BYTES])
{
    size_t n = 0;
    text[0] = '\0';
    while (n < COMMAND_TEXT_BYTES - 1 && strstr(text, "updates/s") == NULL) {
        const ssize_t taken = read(from, text + n, COMMAND_TEXT_BYTES - 1 - n);
        if (taken <= 0) {
            break;
        }
        n += (size_t) taken;
        text[n] = '\0';
    }
}

static void a_signal_ends_the_run_with_what_it_has(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    static char said[COMMAND_TEXT_BYTES], summary[COMMAND_TEXT_BYTES];
    command_set_up();
    for (size_t i = 0; i < 2; i++) {
        int ends[2], status = 0;
        REQUIRE(pipe(ends) == 0);
        const pid_t child = start_endless(ends[1]);
        close(ends[1]);
        await_progress(ends[0], said);
        CHECK_HAS(said, "updates/s");
        CHECK(kill(child, signals[i]) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + signals[i]);
        CHECK(kill(-child, 0) != 0 && errno == ESRCH);
        close(ends[0]);
        command_read("endless/summary.json", summary);
        CHECK_HAS(summary, "\"stopped\"");
        CHECK(command_left("endless/coefficients.npy"));
        command_read("out.txt", command_out);
        CHECK_HAS(command_out, "stopped: interrupted");
    }
}

static void a_terminal_sees_one_line_redrawn(void)
{
    command_set_up();
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        printf("skipped: there are no terminals here\n");
        return;
    }
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    setenv("TERM", "xterm", 1);
    const pid_t child = start_endless(terminal);
    close(terminal);
    static char said[COMMAND_TEXT_BYTES];
    await_progress(master, said);
    CHECK_HAS(said, "round ");
    const char *line = strstr(said, "updates/s");
    CHECK(line != NULL && strchr(said, '\n') == NULL);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    close(master);
}

SUITE("integration/cli_signals",
      {"a signal ends the run with what it has", a_signal_ends_the_run_with_what_it_has},
      {"a terminal sees one line redrawn", a_terminal_sees_one_line_redrawn})

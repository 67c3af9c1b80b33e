/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/crew.c - starting, hearing and waiting for processes. */
#include "tests/support/crew.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How long anything may take. */
static const double PATIENCE = 60.0;
static const double LOOK_MS = 5.0;

void crew_pause(double milliseconds)
{
    const long long ns = (long long) (1e6 * milliseconds);
    const struct timespec time = {.tv_sec = (time_t) (ns / 1000000000),
                                  .tv_nsec = (long) (ns % 1000000000)};
    nanosleep(&time, NULL);
}

/* ---- starting ---- */

static void redirect(const char *name, const char *what, int to)
{
    char file[CREW_NAME + 8];
    snprintf(file, sizeof(file), "%s.%s", name, what);
    const int from = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    if (from < 0 || dup2(from, to) < 0) {
        _exit(126);
    }
    close(from);
}

crew crew_start_in(const crew *leader, const char *name, const char *binary, const char *arguments)
{
    crew one;
    char command[2 * COMMAND_BYTES], stale[COMMAND_BYTES]; /* words of an earlier one */
    snprintf(one.name, sizeof(one.name), "%s", name);
    snprintf(command, sizeof(command), "exec %s %s", binary != NULL ? binary : command_binary(),
             arguments);
    snprintf(stale, sizeof(stale), "%s/%s.err", suite_folder(), name);
    unlink(stale);
    one.pid = fork();
    REQUIRE(one.pid >= 0);
    const pid_t group = leader != NULL ? leader->pid : 0;
    if (one.pid > 0) {
        setpgid(one.pid, group); /* both do, whoever is first */
        return one;
    }
    setpgid(0, group);
    signal(SIGHUP, SIG_DFL); /* under nohup it is ignored, and the command keeps to that */
    if (chdir(suite_folder()) != 0) {
        _exit(126);
    }
    redirect(name, "out", STDOUT_FILENO);
    redirect(name, "err", STDERR_FILENO);
    close(STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *) NULL);
    _exit(127);
}

crew crew_start(const char *name, const char *arguments, ...)
{
    char given[COMMAND_BYTES];
    va_list list;
    va_start(list, arguments);
    vsnprintf(given, sizeof(given), arguments, list);
    va_end(list);
    return crew_start_in(NULL, name, NULL, given);
}

/* ---- hearing ---- */

const char *crew_words(const crew *one)
{
    static char words[COMMAND_TEXT_BYTES];
    char name[CREW_NAME + 8];
    snprintf(name, sizeof(name), "%s.err", one->name);
    command_read(name, words);
    return words;
}

static bool has_ended(const crew *one)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t) one->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

bool crew_says(const crew *one, const char *words)
{
    const double deadline = strads_now() + PATIENCE;
    bool ended = false;
    while (strstr(crew_words(one), words) == NULL) {
        if (ended || strads_now() > deadline) {
            fprintf(stderr, "%s does not say '%s', but: %s\n", one->name, words, crew_words(one));
            return false;
        }
        ended = has_ended(one);
        crew_pause(LOOK_MS);
    }
    return true;
}

bool crew_url(const crew *coordinator, char url[COMMAND_BYTES])
{
    static const char before[] = "--join ";
    url[0] = '\0';
    if (!crew_says(coordinator, before)) {
        return false;
    }
    const char *at = strstr(crew_words(coordinator), before) + strlen(before);
    snprintf(url, COMMAND_BYTES, "%.*s", (int) strcspn(at, " \n"), at);
    return true;
}

/* ---- waiting ---- */

int crew_wait(crew *one)
{
    const double deadline = strads_now() + PATIENCE;
    while (!has_ended(one) && strads_now() < deadline) {
        crew_pause(LOOK_MS);
    }
    const bool late = !has_ended(one);
    if (late) {
        fprintf(stderr, "%s does not end; it has said: %s\n", one->name, crew_words(one));
        kill(one->pid, SIGKILL);
    }
    CHECK(!late);
    int status = 0;
    CHECK(waitpid(one->pid, &status, 0) == one->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool crew_group_is_gone(const crew *leader)
{
    const double deadline = strads_now() + PATIENCE;
    while (kill(-leader->pid, 0) == 0 && strads_now() < deadline) {
        crew_pause(LOOK_MS); /* orphans are waited for by another */
    }
    return kill(-leader->pid, 0) != 0 && errno == ESRCH;
}

/* ---- the rest ---- */

int crew_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(probe >= 0);
    REQUIRE(bind(probe, (const struct sockaddr *) &address, bytes) == 0);
    REQUIRE(getsockname(probe, (struct sockaddr *) &address, &bytes) == 0);
    close(probe);
    return ntohs(address.sin_port);
}

int crew_journal_lines(const char *name)
{
    static char line[COMMAND_TEXT_BYTES];
    snprintf(line, sizeof(line), "%s/%s", suite_folder(), name);
    FILE *file = fopen(line, "r");
    int n = 0;
    while (file != NULL && n >= 0 && fgets(line, sizeof(line), file) != NULL) {
        json_t *object = json_loads(line, 0, NULL);
        if (json_is_object(object)) {
            n++;
        } else {
            fprintf(stderr, "%s: %s\n", name, line);
            n = -1;
        }
        json_decref(object);
    }
    if (file != NULL) {
        fclose(file);
    }
    return n;
}

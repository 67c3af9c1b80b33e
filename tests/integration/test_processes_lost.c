/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_processes_lost.c - runs of several processes that end before their
 * goal: one of them is killed, stopped, or asked to end, at any moment.
 *
 * STRADS_CASES above its default of 2000 makes it kill 50 times instead of 12.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/crew.h"

enum { PROCESSES = 3, FEW = 12, MANY = 50, USUAL_CASES = 2000 };

/* Has no end of its own. */
static const char ENDLESS[] = "small.yaml --out endless --workers 3 --set stop.gap=0"
                              " --set stop.seconds=300 --set schedule.kind=cyclic"
                              " --set net.heartbeat=0.2 --set net.timeout=2"
                              " --set net.join_timeout=4";
/* From a loss to the end of the others: the timeout and a second, and what a machine with
 * much else to do adds to it. */
static const double LONGEST = 20.0;

/* ---- three processes ---- */

/* all[0] coordinates; they share its group. */
static void start_all(crew all[PROCESSES])
{
    char arguments[COMMAND_BYTES];
    const int port = crew_free_port();
    snprintf(arguments, sizeof(arguments),
             "coordinator %s --processes 3 --listen tcp://127.0.0.1:%d", ENDLESS, port);
    all[0] = crew_start_in(NULL, "p0", NULL, arguments);
    snprintf(arguments, sizeof(arguments),
             "worker --join tcp://127.0.0.1:%d --set net.join_timeout=4", port);
    all[1] = crew_start_in(&all[0], "p1", NULL, arguments);
    all[2] = crew_start_in(&all[0], "p2", NULL, arguments);
}

static void await_solving(const crew *coordinator)
{
    CHECK(crew_says(coordinator, "updates/s"));
}

/* Whether it has said why it ends: who was lost, or, when that was before all had come, that
 * somebody is missing. */
static bool gave_reason(const crew *one, const crew *victim)
{
    static const char *const early[] = {"in time", "has hung up", "cannot join"};
    char name[32];
    const char *words = crew_words(one);
    snprintf(name, sizeof(name), "(pid %d on ", (int) victim->pid);
    if (strstr(words, "is lost: ") != NULL || strstr(words, "gives up: ") != NULL) {
        return strstr(words, name) != NULL;
    }
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        if (strstr(words, early[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void check_others_end(crew all[PROCESSES], int victim, double since)
{
    for (int i = 0; i < PROCESSES; i++) {
        if (i == victim) {
            continue;
        }
        const int code = crew_wait(&all[i]);
        const bool good = code > 0 && code < 128 && gave_reason(&all[i], &all[victim]);
        CHECK(good);
        if (!good) {
            fprintf(stderr, "%s, when %s was lost, ended with %d and said: %s\n", all[i].name,
                    all[victim].name, code, crew_words(&all[i]));
        }
    }
    CHECK(strads_now() - since < LONGEST);
    CHECK(crew_journal_lines("endless/journal.jsonl") >= 0);
}

static void forget_run(void)
{
    char command[256];
    snprintf(command, sizeof(command), "rm -rf %s/endless", suite_folder());
    CHECK(system(command) == 0);
}

/* ---- loss ---- */

static int n_moments(void)
{
    const char *cases = getenv("STRADS_CASES");
    return cases != NULL && atoi(cases) > USUAL_CASES ? MANY : FEW;
}

static void whoever_is_killed_at_any_moment_the_others_end_and_say_so(void)
{
    const int n = n_moments();
    command_set_up();
    for (int i = 0; i < n; i++) {
        crew all[PROCESSES];
        const int victim = i % PROCESSES;
        forget_run();
        start_all(all);
        if (i % 4 == 3) { /* joining and loading are short */
            await_solving(&all[0]);
        }
        crew_pause(700.0 * i / n);
        const double then = strads_now();
        CHECK(kill(all[victim].pid, SIGKILL) == 0);
        CHECK(crew_wait(&all[victim]) == 128 + SIGKILL);
        check_others_end(all, victim, then);
        CHECK(crew_group_is_gone(&all[0]));
    }
}

/* The first child of a process; 0: it has none. */
static pid_t first_child(pid_t parent)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) parent, (int) parent);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%d", &child) != 1) {
            child = 0;
        }
        fclose(file);
    }
    return child;
}

static void forked_processes_end_with_each_other(void)
{
    const int n = n_moments();
    command_set_up();
    for (int i = 0; i < n; i++) {
        forget_run();
        crew one = crew_start("forked", "run %s --processes 3", ENDLESS);
        if (i % 3 == 2) {
            await_solving(&one);
        } else {
            crew_pause(250.0 * i / n);
        }
        const pid_t child = first_child(one.pid);
        const bool parent = i % 2 == 0 || child <= 1;
        CHECK(kill(parent ? one.pid : child, SIGKILL) == 0);
        CHECK(crew_wait(&one) == (parent ? 128 + SIGKILL : 1));
        CHECK(crew_group_is_gone(&one));
        CHECK(parent || strstr(crew_words(&one), "error: ") != NULL);
    }
}

static void a_process_that_stands_still_is_lost(void)
{
    command_set_up();
    for (int victim = 0; victim < 2; victim++) {
        crew all[PROCESSES];
        start_all(all);
        await_solving(&all[0]);
        const double then = strads_now();
        CHECK(kill(all[victim].pid, SIGSTOP) == 0);
        check_others_end(all, victim, then);
        CHECK(kill(all[victim].pid, SIGCONT) == 0);
        CHECK(crew_wait(&all[victim]) == 1);
        CHECK_HAS(crew_words(&all[victim]), "is lost: ");
    }
}

static void a_socket_file_of_a_killed_coordinator_is_in_nobodys_way(void)
{
    command_set_up();
    for (int i = 0; i < 2; i++) {
        crew one = crew_start("p0", "coordinator %s --processes 2 --listen ipc://%s/door", ENDLESS,
                              suite_folder());
        CHECK(crew_says(&one, "--join"));
        CHECK(kill(one.pid, i == 0 ? SIGKILL : SIGTERM) == 0);
        CHECK(crew_wait(&one) == 128 + (i == 0 ? SIGKILL : SIGTERM));
    }
    CHECK(!command_left("door"));
}

/* ---- being asked to end ---- */

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_ENDS = sizeof(ends) / sizeof(ends[0]) };

static void check_stopped(void)
{
    static char summary[COMMAND_TEXT_BYTES];
    command_read("endless/summary.json", summary);
    CHECK_HAS(summary, "\"stopped\"");
    CHECK(command_left("endless/coefficients.npy"));
    CHECK(crew_journal_lines("endless/journal.jsonl") > 0);
}

/* `whom` of the processes gets the signal; -1: all do. */
static void ask(int whom, int number)
{
    crew all[PROCESSES];
    forget_run();
    start_all(all);
    await_solving(&all[0]);
    CHECK(kill(whom < 0 ? -all[0].pid : all[whom].pid, number) == 0);
    for (int i = 0; i < PROCESSES; i++) {
        const int others = i == 0 ? 6 : 0; /* a limit, for the coordinator */
        const int code = crew_wait(&all[i]);
        CHECK(code == (whom < 0 || whom == i ? 128 + number : others));
        CHECK_LACKS(crew_words(&all[i]), "error");
    }
    check_stopped();
}

static void a_signal_to_any_of_them_ends_the_run_in_good_order(void)
{
    command_set_up();
    for (int i = 0; i < N_ENDS; i++) {
        ask(0, ends[i]);
        ask(1, ends[i]);
        ask(-1, ends[i]);
    }
}

static void a_signal_to_the_group_ends_a_run_that_forks(void)
{
    command_set_up();
    for (int i = 0; i < N_ENDS; i++) {
        forget_run();
        crew one = crew_start("forked", "run %s --processes 3", ENDLESS);
        await_solving(&one);
        CHECK(kill(-one.pid, ends[i]) == 0);
        CHECK(crew_wait(&one) == 128 + ends[i]);
        CHECK(crew_group_is_gone(&one));
        CHECK_LACKS(crew_words(&one), "error");
        check_stopped();
    }
}

static void a_wait_for_others_can_be_ended(void)
{
    command_set_up();
    crew waits = crew_start("p0",
                            "coordinator %s --processes 3 --listen tcp://127.0.0.1:0"
                            " --set net.join_timeout=100",
                            ENDLESS);
    char url[COMMAND_BYTES];
    CHECK(crew_url(&waits, url));
    crew early = crew_start("p1", "worker --join tcp://127.0.0.1:%d", crew_free_port());
    CHECK(crew_says(&early, "waiting for the coordinator"));
    CHECK(kill(early.pid, SIGTERM) == 0);
    CHECK(crew_wait(&early) == 128 + SIGTERM);
    crew first = crew_start("p1", "worker --join %s", url);
    CHECK(crew_says(&waits, "1 of 2 are here"));
    CHECK(kill(first.pid, SIGUSR1) == 0);
    CHECK(crew_says(&first, "waiting to be let in at "));
    CHECK(kill(waits.pid, SIGUSR1) == 0);
    CHECK(crew_says(&waits, "waiting for 1 of 2 processes"));
    CHECK(kill(first.pid, SIGINT) == 0);
    CHECK(crew_wait(&first) == 128 + SIGINT);
    CHECK(crew_says(&waits, "has hung up: 0 of 2 are here"));
    CHECK(kill(waits.pid, SIGINT) == 0);
    CHECK(crew_wait(&waits) == 128 + SIGINT);
    CHECK_LACKS(crew_words(&waits), "error");
}

SUITE("integration/processes_lost",
      {"whoever is killed at any moment, the others end and say so",
       whoever_is_killed_at_any_moment_the_others_end_and_say_so},
      {"forked processes end with each other", forked_processes_end_with_each_other},
      {"a process that stands still is lost", a_process_that_stands_still_is_lost},
      {"a socket file of a killed coordinator is in nobody's way",
       a_socket_file_of_a_killed_coordinator_is_in_nobodys_way},
      {"a signal to any of them ends the run in good order",
       a_signal_to_any_of_them_ends_the_run_in_good_order},
      {"a signal to the group ends a run that forks", a_signal_to_the_group_ends_a_run_that_forks},
      {"a wait for others can be ended", a_wait_for_others_can_be_ended})

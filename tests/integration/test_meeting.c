/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_meeting.c - a process that ends after all have come, and before
 * they have met. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/crew.h"

/* Less than net.join_timeout, more than a loaded machine needs beyond net.timeout. */
static const double LONGEST = 30.0;

/* Says so of process 1, which is lost. */
static void check_named(const crew *one, const crew *lost, const char *words)
{
    char name[32];
    const char *said = crew_words(one);
    snprintf(name, sizeof(name), "process 1 (pid %d on ", (int) lost->pid);
    CHECK_HAS(said, name);
    CHECK_HAS(said, words);
}

static void nobody_waits_for_who_is_lost_between_coming_and_meeting(void)
{
    static const char *const ends[] = {"killed", "stopped"};
    static const char *const words[] = {"has hung up", "has not answered in time"};
    command_set_up();
    for (int i = 0; i < 2; i++) {
        char url[COMMAND_BYTES];
        crew coordinator = crew_start("c",
                                      "coordinator small.yaml --processes 3 --workers 3 --out %s"
                                      " --listen tcp://127.0.0.1:0 --set net.timeout=2",
                                      ends[i]);
        CHECK(crew_url(&coordinator, url));
        crew lost = crew_start("w1", "worker --join %s", url);
        CHECK(crew_says(&coordinator, "1 of 2 are here"));
        CHECK(kill(lost.pid, SIGSTOP) == 0);
        crew other = crew_start("w2", "worker --join %s", url);
        CHECK(crew_says(&coordinator, "2 of 2 are here"));
        crew_pause(300.0); /* it knows where to knock */
        if (i == 0) {
            CHECK(kill(lost.pid, SIGKILL) == 0);
        }
        const double since = strads_now();
        CHECK(crew_wait(&coordinator) != 0);
        check_named(&coordinator, &lost, words[i]);
        CHECK(crew_wait(&other) != 0);
        check_named(&other, &lost, "has not let this one in");
        CHECK(strads_now() - since < LONGEST);
        kill(lost.pid, SIGCONT);
        CHECK(crew_wait(&lost) != 0);
    }
}

SUITE("integration/meeting", {"nobody waits for who is lost between coming and meeting",
                              nobody_waits_for_who_is_lost_between_coming_and_meeting})

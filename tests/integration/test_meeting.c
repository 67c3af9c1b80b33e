/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_meeting.c - a process that ends after all have come, and before
 * they have met. */
#include <signal.h>

#include "base/clock.h"
#include "tests/support/crew.h"

/* Less than net.join_timeout, more than a loaded machine needs beyond net.timeout. */
static const double LONGEST = 30.0;

static void nobody_waits_for_who_is_lost_between_coming_and_meeting(void)
{
    static const char *const ends[] = {"killed", "stopped"};
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
        CHECK_HAS(crew_words(&coordinator), "has hung up");
        CHECK(crew_wait(&other) != 0);
        CHECK(strads_now() - since < LONGEST);
        kill(lost.pid, SIGCONT);
        CHECK(crew_wait(&lost) != 0);
    }
}

SUITE("integration/meeting", {"nobody waits for who is lost between coming and meeting",
                              nobody_waits_for_who_is_lost_between_coming_and_meeting})

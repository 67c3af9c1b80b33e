/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_team.c - a coordinator and a member find each other, or end. */
#include "net/team.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/tasks.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

static const char brief[] = "what to do";

/* Two processes of a run; who fails stops the other. */
typedef struct pair {
    net_team_options options;
    _Atomic bool stop;
    size_t fails; /* this allocation; 0: none does */
    strads_status formed, joined;
    bool briefed;
} pair;

static strads_status end(pair *self, net_links *links, strads_status status)
{
    if (status != STRADS_OK) {
        atomic_store(&self->stop, true);
        return status;
    }
    return net_links_end(links, STRADS_OK);
}

static void *join(void *argument)
{
    pair *self = argument;
    net_links *links = NULL;
    void *heard = NULL;
    size_t bytes = 0;
    const strads_status status = net_team_join(&links, &heard, &bytes, &self->options);
    self->briefed =
        status == STRADS_OK && bytes == sizeof(brief) && memcmp(heard, brief, sizeof(brief)) == 0;
    if (status == STRADS_OK) {
        strads_free(heard);
    }
    self->joined = end(self, links, status);
    return NULL;
}

static void meet(void *context)
{
    pair *self = context;
    const net_team_plan plan = {
        .n_processes = 2, .n_workers = 3, .brief = brief, .brief_bytes = sizeof(brief)};
    net_links *links = NULL;
    pthread_t thread;
    REQUIRE_OK(strads_thread_start(&thread, "member", join, self));
    strads_mem_fail_after(self->fails);
    const strads_status status = net_team_form(&links, &self->options, &plan);
    self->formed = end(self, links, status);
    pthread_join(thread, NULL);
    strads_mem_fail_after(0);
}

/* Meets while the n-th allocation fails. */
static void meet_short_of_memory(pair *self, size_t n)
{
    char url[200];
    snprintf(url, sizeof(url), "ipc://%s/door", suite_folder());
    memset(self, 0, sizeof(*self));
    self->options = (net_team_options){
        .url = url,
        .patience = {.deadline = streams_patience().deadline, .stop = &self->stop},
        .program = 5,
        .quiet = true,
        .n_workers = 1,
        .queue_messages = 2,
        .heartbeat = 1.0,
        .timeout = 60.0};
    self->fails = n;
    strads_free(suite_stderr_of(meet, self));
}

static void both_hear_of_each_other_and_the_member_of_its_task(void)
{
    pair self;
    meet_short_of_memory(&self, 0);
    CHECK_STATUS(self.formed, STRADS_OK);
    CHECK_STATUS(self.joined, STRADS_OK);
    CHECK(self.briefed);
}

/* What a stream holds may be freed a moment after its last callback. */
static bool all_is_freed(size_t live)
{
    enum { LOOKS = 20000 };
    const struct timespec nap = {.tv_nsec = 1000000};
    for (int i = 0; i < LOOKS && strads_mem_live() != live; i++) {
        nanosleep(&nap, NULL);
    }
    return strads_mem_live() == live;
}

static void whichever_allocation_fails_both_end(void)
{
    enum { STEP = 3, ENOUGH = 10, MOST = 2000 }; /* two threads share the count anyway */
    const size_t live = strads_mem_live();
    size_t n_well = 0; /* in a row: there are no more that could fail */
    size_t n = 1;
    for (; n_well < ENOUGH && n < MOST; n += STEP) {
        pair self;
        meet_short_of_memory(&self, n);
        CHECK(self.joined != STRADS_OK || self.briefed);
        CHECK((self.formed == STRADS_OK) == (self.joined == STRADS_OK));
        CHECK(all_is_freed(live));
        n_well = self.formed == STRADS_OK ? n_well + 1 : 0;
    }
    CHECK(n > 2 * STEP * ENOUGH && n < MOST);
}

SUITE("net/team",
      {"both hear of each other, and the member of its task",
       both_hear_of_each_other_and_the_member_of_its_task},
      {"whichever allocation fails, both end", whichever_allocation_fails_both_end})

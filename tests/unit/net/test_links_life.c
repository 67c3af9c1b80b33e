/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_links_life.c - two processes part; the test itself is one of them, frame
 * by frame. */
#include "net/frame.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "net/links.h"
#include "tests/support/links_case.h"
#include "tests/support/suite.h"

/* A process that ends its links on a thread of its own, and its other end. */
typedef struct parting {
    net_links *links;
    net_stream *other;
    strads_status status, ended;
    _Atomic bool has_ended;
    uint64_t n_frames; /* that the test has sent */
    pthread_t thread;
} parting;

static void *run_end(void *argument)
{
    parting *self = argument;
    self->ended = net_links_end(self->links, self->status);
    atomic_store(&self->has_ended, true);
    return NULL;
}

/* Process `me` of two ends with `status`. */
static void begin(parting *out, uint32_t me, strads_status status)
{
    net_stream *ends[2];
    links_case_streams(ends);
    const net_links_options options = {
        .n_processes = 2, .me = me, .queue_messages = 2, .heartbeat = 0.02, .timeout = 60.0};
    net_peer peers[2] = {{.name = strads_strdup("process 0"), .n = 1},
                         {.name = strads_strdup("process 1"), .first = 1, .n = 1}};
    peers[1 - me].stream = ends[0];
    *out = (parting){.other = ends[1], .status = status};
    REQUIRE_OK(net_links_create(&out->links, &options, peers));
    pthread_create(&out->thread, NULL, run_end, out);
}

static void finish(parting *self)
{
    pthread_join(self->thread, NULL);
    net_stream_destroy(self->other);
}

static strads_status hear(parting *self, net_frame_kind *kind)
{
    const net_patience patience = {.deadline = INFINITY};
    unsigned char head[NET_FRAME_HEAD];
    net_frame frame;
    char why[NET_WHY];
    const strads_status status = net_stream_read(self->other, head, sizeof(head), &patience);
    if (status == STRADS_OK) {
        const uint64_t sequence = head[24]; /* few come */
        REQUIRE_OK(net_frame_decode(&frame, head, sequence, why));
        REQUIRE(frame.kind != NET_FRAME_DATA);
        *kind = frame.kind;
    }
    return status;
}

/* Whatever but heartbeats. */
static net_frame_kind hear_more_than_life(parting *self)
{
    net_frame_kind kind = NET_FRAME_HEARTBEAT;
    while (kind == NET_FRAME_HEARTBEAT) {
        REQUIRE_OK(hear(self, &kind));
    }
    return kind;
}

static void say(parting *self, net_frame_kind kind)
{
    const net_patience patience = {.deadline = INFINITY};
    const net_frame frame = {.kind = kind, .sequence = self->n_frames++};
    unsigned char head[NET_FRAME_HEAD];
    net_frame_encode(head, &frame, NULL, 0);
    REQUIRE_OK(net_stream_write(self->other, head, sizeof(head), &patience));
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = 50000000};
    nanosleep(&time, NULL);
}

static void the_later_one_closes_when_it_is_answered(void)
{
    parting self;
    net_frame_kind kind;
    begin(&self, 1, STRADS_OK);
    CHECK(hear_more_than_life(&self) == NET_FRAME_BYE);
    nap();
    CHECK(!atomic_load(&self.has_ended));
    say(&self, NET_FRAME_BYE);
    CHECK_STATUS(hear(&self, &kind), STRADS_ERR_CLOSED);
    finish(&self);
    CHECK_STATUS(self.ended, STRADS_OK);
}

static void the_earlier_one_answers_and_closes_last(void)
{
    enum { A_FEW = 4 };
    parting self;
    begin(&self, 0, STRADS_OK);
    for (int i = 0; i < A_FEW; i++) {
        net_frame_kind kind = NET_FRAME_BYE;
        REQUIRE_OK(hear(&self, &kind));
        CHECK(kind == NET_FRAME_HEARTBEAT);
    }
    say(&self, NET_FRAME_BYE);
    CHECK(hear_more_than_life(&self) == NET_FRAME_BYE);
    nap();
    CHECK(!atomic_load(&self.has_ended));
    net_stream_close(self.other);
    finish(&self);
    CHECK_STATUS(self.ended, STRADS_OK);
}

static void who_gives_up_waits_for_nobody(void)
{
    for (uint32_t me = 0; me < 2; me++) {
        parting self;
        begin(&self, me, STRADS_ERR_DATA);
        CHECK(hear_more_than_life(&self) == NET_FRAME_ABORT);
        finish(&self); /* unanswered */
        CHECK_STATUS(self.ended, STRADS_ERR_DATA);
    }
}

/* It has answered nothing yet, so that what it has heard may not be all. */
static void lose_before_the_answer(void *context)
{
    parting *self = context;
    begin(self, 1, STRADS_OK);
    CHECK(hear_more_than_life(self) == NET_FRAME_BYE);
    net_stream_close(self->other);
    finish(self);
}

static void who_does_not_answer_is_lost(void)
{
    parting self;
    char *text = suite_stderr_of(lose_before_the_answer, &self);
    CHECK_STATUS(self.ended, STRADS_ERR_CLOSED);
    CHECK(text[0] != '\0');
    strads_free(text);
}

/* A report while a node waits, or no longer does. */
static void wait_and_report(void *context)
{
    static _Atomic bool must_report;
    const net_links_options asked = {
        .queue_messages = 2, .heartbeat = 0.02, .timeout = 60.0, .report = &must_report};
    const bool *still_waits = context;
    net_links *links[2];
    strads_status ends[2];
    links_case_make(links, 2, 2, &asked);
    for (int p = 0; p < 2; p++) { /* either of them answers */
        net_links_waits(links[p], true);
        net_links_waits(links[p], true);
        net_links_waits(links[p], false);
        if (!*still_waits) {
            net_links_waits(links[p], false);
        }
    }
    atomic_store(&must_report, true);
    while (atomic_load(&must_report)) {
        nap();
    }
    links_case_end(links, 2, ends);
}

static void a_report_has_who_waits_for_a_service(void)
{
    for (int still = 0; still < 2; still++) {
        bool waits = still == 1;
        char *text = suite_stderr_of(wait_and_report, &waits);
        CHECK(strstr(text, "this is process ") != NULL);
        CHECK((strstr(text, "  1 of its workers waiting for a column or a row") != NULL) == waits);
        strads_free(text);
    }
}

static void many_part_at_any_time(void)
{
    const net_links_options usual = {.queue_messages = 2, .heartbeat = 0.05, .timeout = 60.0};
    enum { MOST = 9, TIMES = 5 };
    for (uint32_t n = 2; n <= MOST; n++) {
        for (int i = 0; i < TIMES; i++) {
            net_links *links[MOST];
            strads_status ends[MOST];
            links_case_make(links, n, n, &usual);
            links_case_end(links, n, ends);
            for (uint32_t p = 0; p < n; p++) {
                CHECK_STATUS(ends[p], STRADS_OK);
            }
        }
    }
}

SUITE("net/links_life",
      {"the later one closes when it is answered", the_later_one_closes_when_it_is_answered},
      {"the earlier one answers, and closes last", the_earlier_one_answers_and_closes_last},
      {"who gives up waits for nobody", who_gives_up_waits_for_nobody},
      {"who does not answer is lost", who_does_not_answer_is_lost},
      {"a report has who waits for a service", a_report_has_who_waits_for_a_service},
      {"many part at any time", many_part_at_any_time})

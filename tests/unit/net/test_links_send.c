/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_links_send.c - what goes in a frame, and in which order; the test itself
 * is the other process. */
#include "net/frame.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "net/links.h"
#include "tests/support/links_case.h"
#include "tests/support/suite.h"

/* More than ends a frame, more than a connection takes that nobody reads; records. */
enum { LARGE = 300 * 1024, UNDER_WAY = 1 << 26, MOST = 4 };

typedef struct pair {
    net_links *links;
    net_stream *other;
} pair;

static void make(pair *out)
{
    net_stream *ends[2];
    links_case_streams(ends);
    const net_links_options options = {
        .n_processes = 2, .queue_messages = MOST, .heartbeat = 60.0, .timeout = 120.0};
    const net_peer peers[2] = {
        {.name = strads_strdup("process 0"), .n = 1},
        {.stream = ends[0], .name = strads_strdup("process 1"), .first = 1, .n = 1}};
    REQUIRE_OK(net_links_create(&out->links, &options, peers));
    out->other = ends[1];
}

static void finish(pair *self)
{
    net_stream_close(self->other);
    CHECK_STATUS(net_links_end(self->links, STRADS_OK), STRADS_ERR_CLOSED);
    net_stream_destroy(self->other);
}

static void send(pair *self, uint32_t type, net_lane lane, size_t bytes)
{
    net_message *message = net_message_create(type, lane, bytes);
    REQUIRE(message != NULL);
    memset(message->body, 0, bytes);
    REQUIRE_OK(net_links_send(self->links, 0, 1, message));
}

/* Takes a frame that has just the messages of these types. */
static void check_frame(pair *self, uint64_t sequence, const uint32_t *types, uint32_t n)
{
    const net_patience patience = {.deadline = INFINITY};
    unsigned char head[NET_FRAME_HEAD];
    char why[NET_WHY];
    net_frame frame;
    REQUIRE_OK(net_stream_read(self->other, head, sizeof(head), &patience));
    REQUIRE_OK(net_frame_decode(&frame, head, sequence, why));
    CHECK(frame.n_records == n);
    unsigned char *payload = strads_alloc((size_t) frame.bytes);
    REQUIRE(payload != NULL);
    REQUIRE_OK(net_stream_read(self->other, payload, (size_t) frame.bytes, &patience));
    const unsigned char *at = payload;
    uint64_t left = frame.bytes;
    for (uint32_t i = 0; i < n && i < frame.n_records; i++) {
        net_record record;
        left -= NET_RECORD_HEAD;
        REQUIRE_OK(net_record_decode(&record, at, left, 2, why));
        CHECK(record.type == types[i]);
        const size_t length = (size_t) record.bytes + net_record_padding(record.bytes);
        at += NET_RECORD_HEAD + length;
        left -= length;
    }
    CHECK(left == 0);
    strads_free(payload);
}

static void send_a_round(void *context)
{
    static const uint32_t types[] = {2, 1, 3};
    pair self;
    (void) context;
    make(&self);
    send(&self, 1, NET_DATA, 8);
    send(&self, 2, NET_CONTROL, 0);
    send(&self, 3, NET_DATA, 5000);
    net_links_flush(self.links);
    check_frame(&self, 0, types, 3);
    finish(&self);
}

static void a_rounds_messages_go_in_one_frame_and_control_first(void)
{
    strads_free(suite_stderr_of(send_a_round, NULL));
}

static void send_large_ones(void *context)
{
    static const uint32_t types[] = {1, 2, 3};
    pair self;
    (void) context;
    make(&self);
    send(&self, 1, NET_DATA, 8);
    send(&self, 2, NET_DATA, LARGE);
    send(&self, 3, NET_DATA, 8);
    net_links_flush(self.links);
    check_frame(&self, 0, types, 2);
    check_frame(&self, 1, types + 2, 1);
    finish(&self);
}

static void a_large_message_ends_its_frame(void)
{
    strads_free(suite_stderr_of(send_large_ones, NULL));
}

/* Nobody reads it, so that its thread waits in the middle of it. */
static void end_amid_a_large_one(void *context)
{
    pair self;
    (void) context;
    make(&self);
    net_message *part = net_message_create(1, NET_DATA, UNDER_WAY);
    REQUIRE(part != NULL);
    memset(part->body, 0, UNDER_WAY);
    REQUIRE_OK(net_links_post(self.links, 1, part));
    CHECK_STATUS(net_links_end(self.links, STRADS_ERR_DATA), STRADS_ERR_DATA);
    net_stream_destroy(self.other);
}

static void who_ends_does_not_wait_for_a_large_one(void)
{
    const size_t live = strads_mem_live();
    strads_free(suite_stderr_of(end_amid_a_large_one, NULL));
    CHECK(strads_mem_live() == live);
}

SUITE("net/links_send",
      {"who ends does not wait for a large message", who_ends_does_not_wait_for_a_large_one},
      {"a round's messages go in one frame, and control first",
       a_rounds_messages_go_in_one_frame_and_control_first},
      {"a large message ends its frame", a_large_message_ends_its_frame})

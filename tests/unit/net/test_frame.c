/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames and records: to bytes and back, and what is refused. */
#include "net/frame.h"

#include <string.h>

#include "base/random.h"
#include "net/net.h"
#include "tests/support/suite.h"

static const net_record message = {
    .kind = NET_RECORD_MESSAGE, .from = 1, .to = 2, .lane = NET_DATA, .type = 9, .bytes = 5};

/* The head of a good frame of one message, whose body is "hello". */
static void make(unsigned char head[NET_FRAME_HEAD], unsigned char payload[NET_RECORD_HEAD + 16])
{
    const net_frame frame = {.kind = NET_FRAME_DATA, .n_records = 1, .sequence = 3};
    memset(payload, 0, NET_RECORD_HEAD + 16);
    net_record_encode(payload, &message);
    memcpy(payload + NET_RECORD_HEAD, "hello", 5);
    const struct iovec parts[] = {{payload, 7}, {payload + 7, 0}, {payload + 7, 41}};
    net_frame_encode(head, &frame, parts, 3);
}

static void round_trip(void)
{
    unsigned char head[NET_FRAME_HEAD], payload[NET_RECORD_HEAD + 16];
    char why[NET_WHY];
    net_frame frame;
    net_record record;
    make(head, payload);
    REQUIRE_OK(net_frame_decode(&frame, head, 3, why));
    CHECK(frame.kind == NET_FRAME_DATA && frame.n_records == 1 && frame.sequence == 3);
    CHECK(frame.bytes == sizeof(payload));
    REQUIRE_OK(net_record_decode(&record, payload, 16, 3, why));
    CHECK(memcmp(&record, &message, sizeof(record)) == 0);
    for (size_t cut = 0; cut <= sizeof(payload); cut++) {
        net_sum sum;
        net_sum_start(&sum, head);
        net_sum_add(&sum, payload, cut);
        net_sum_add(&sum, payload + cut, sizeof(payload) - cut);
        CHECK(net_sum_end(&sum) == frame.sum);
    }
    CHECK(net_record_padding(0) == 0 && net_record_padding(1) == 15);
    CHECK(net_record_padding(16) == 0 && net_record_padding(17) == 15);
}

/* The bytes of a frame are the same on every machine. */
static void layout(void)
{
    static const unsigned char expected[NET_FRAME_HEAD - 8] = {
        'S', 'T', 'R', 'F', 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        48,  0,   0,   0,   0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    static const unsigned char expected_record[NET_RECORD_HEAD] = {1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0,
                                                                   0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0,
                                                                   0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
    unsigned char head[NET_FRAME_HEAD], payload[NET_RECORD_HEAD + 16];
    make(head, payload);
    CHECK(memcmp(head, expected, sizeof(expected)) == 0);
    CHECK(memcmp(payload, expected_record, sizeof(expected_record)) == 0);
}

/* Every bit of a frame is under its sum, or refused before. */
static void corruption(void)
{
    unsigned char head[NET_FRAME_HEAD], payload[NET_RECORD_HEAD + 16];
    char why[NET_WHY];
    for (size_t bit = 0; bit < 8 * (sizeof(head) + sizeof(payload)); bit++) {
        net_frame frame;
        net_sum sum;
        make(head, payload);
        unsigned char *byte =
            bit / 8 < sizeof(head) ? &head[bit / 8] : &payload[bit / 8 - sizeof(head)];
        *byte ^= (unsigned char) (1U << bit % 8);
        if (net_frame_decode(&frame, head, 3, why) == STRADS_OK) {
            net_sum_start(&sum, head);
            net_sum_add(&sum, payload, sizeof(payload));
            CHECK(net_sum_end(&sum) != frame.sum);
        }
    }
}

static void check_frame(size_t at, unsigned char value, const char *words)
{
    unsigned char head[NET_FRAME_HEAD], payload[NET_RECORD_HEAD + 16];
    char why[NET_WHY] = "";
    net_frame frame = {.sequence = 77};
    make(head, payload);
    head[at] = value;
    CHECK_STATUS(net_frame_decode(&frame, head, 3, why), STRADS_ERR_DATA);
    CHECK(frame.sequence == 77);
    if (strstr(why, words) == NULL) {
        printf("byte %zu: %s\n", at, why);
        CHECK(false);
    }
}

static void frames_refused(void)
{
    check_frame(0, 'X', "magic");
    check_frame(4, 2, "wire version 2, not 1");
    check_frame(6, 0, "kind 0");
    check_frame(6, 5, "kind 5");
    check_frame(6, NET_FRAME_HEARTBEAT, "1 records in 48 bytes");
    check_frame(6, NET_FRAME_BYE, "1 records in 48 bytes");
    check_frame(8, 0, "0 records in 48 bytes");
    check_frame(8, 2, "2 records in 48 bytes");
    check_frame(12, 1, "reserved");
    check_frame(16, 31, "1 records in 31 bytes");
    check_frame(21, 0x02, "above 1099511627776");
    check_frame(23, 0x80, "above 1099511627776");
    check_frame(24, 4, "frame 4 where 3 must come");
}

static void check_record(size_t at, unsigned char value, uint64_t left, const char *words)
{
    unsigned char head[NET_RECORD_HEAD];
    char why[NET_WHY] = "";
    net_record record;
    net_record_encode(head, &message);
    head[at] = value;
    CHECK_STATUS(net_record_decode(&record, head, left, 3, why), STRADS_ERR_DATA);
    if (strstr(why, words) == NULL) {
        printf("byte %zu: %s\n", at, why);
        CHECK(false);
    }
}

static void records_refused(void)
{
    check_record(0, 0, 16, "kind 0");
    check_record(0, 6, 16, "kind 6");
    check_record(3, 1, 16, "kind 16777217");
    check_record(0, NET_RECORD_CREDIT, 16, "5 bytes");
    check_record(0, NET_RECORD_LEAVE, 16, "5 bytes");
    check_record(4, 3, 16, "from node 3");
    check_record(8, 3, 16, "to node 3 of 3");
    check_record(12, 2, 16, "lane 2 of 2");
    check_record(20, 1, 16, "type 4294967305");
    check_record(24, 5, 15, "5 bytes with 15 left");
    check_record(24, 17, 31, "17 bytes with 31 left");
    check_record(31, 0xff, 16, "left");
}

static void random_bytes(void)
{
    char why[NET_WHY];
    strads_random random = strads_random_start(1, 0);
    for (int k = 0; k < 100000; k++) {
        unsigned char bytes[NET_FRAME_HEAD];
        net_frame frame;
        net_record record;
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (unsigned char) strads_random_below(&random, 256);
        }
        CHECK_STATUS(net_frame_decode(&frame, bytes, 0, why), STRADS_ERR_DATA);
        CHECK_STATUS(net_record_decode(&record, bytes, 1000, 10, why), STRADS_ERR_DATA);
    }
}

SUITE("net/frame", {"a frame comes back as it was", round_trip},
      {"the bytes of a frame are what is documented", layout},
      {"every flipped bit is noticed", corruption},
      {"frames that cannot be are refused", frames_refused},
      {"records that cannot be are refused", records_refused},
      {"random bytes are no frame", random_bytes})

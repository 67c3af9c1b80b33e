/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames and records from any bytes, walked as a receiver walks them. */
#include <string.h>

#include "net/frame.h"
#include "tests/fuzz/fuzz_file.h"

/* The fuzzer cannot guess a sum: it is checked that it can be reckoned, no more. */
static void walk(const net_frame *frame, const uint8_t *head, const uint8_t *payload)
{
    enum { N_NODES = 4 };
    char why[NET_WHY];
    net_sum sum;
    net_record record;
    uint64_t left = frame->bytes;
    net_sum_start(&sum, head);
    while (left >= NET_RECORD_HEAD) {
        left -= NET_RECORD_HEAD;
        if (net_record_decode(&record, payload, left, N_NODES, why) != STRADS_OK) {
            fuzz_require(strlen(why) > 0);
            return;
        }
        const size_t n = (size_t) record.bytes + net_record_padding(record.bytes);
        fuzz_require(record.from < N_NODES && record.to < N_NODES && n <= left);
        uint8_t again[NET_RECORD_HEAD];
        net_record_encode(again, &record);
        fuzz_require(memcmp(again, payload, sizeof(again)) == 0);
        net_sum_add(&sum, payload, NET_RECORD_HEAD + n);
        payload += NET_RECORD_HEAD + n;
        left -= n;
    }
    (void) net_sum_end(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char why[NET_WHY];
    net_frame frame;
    if (n < NET_FRAME_HEAD) {
        return 0;
    }
    if (net_frame_decode(&frame, bytes, 0, why) != STRADS_OK) {
        fuzz_require(strlen(why) > 0);
    } else if (frame.bytes <= n - NET_FRAME_HEAD) {
        walk(&frame, bytes, bytes + NET_FRAME_HEAD);
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/frame.c - frames and records, to bytes and back. */
#include "net/frame.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the same sums, by the widest instructions there are */
#endif

#include "net/net.h"

enum { SUMMED = 32, SUM_AT = 32 }; /* bytes of a frame's head under the sum; where it is */

static const unsigned char magic[4] = {'S', 'T', 'R', 'F'};

/* ---- numbers ---- */

static void put(unsigned char *to, uint64_t value, int n_bytes)
{
    for (int k = 0; k < n_bytes; k++) {
        to[k] = (unsigned char) (value >> (8 * k));
    }
}

static uint64_t get(const unsigned char *from, int n_bytes)
{
    uint64_t value = 0;
    for (int k = 0; k < n_bytes; k++) {
        value |= (uint64_t) from[k] << (8 * k);
    }
    return value;
}

/* ---- the sum ---- */

static_assert(sizeof(XXH3_state_t) <= sizeof(net_sum), "a net_sum holds the library's state");
static_assert(_Alignof(XXH3_state_t) <= _Alignof(net_sum), "a net_sum is aligned for it");

void net_sum_start(net_sum *self, const unsigned char head[NET_FRAME_HEAD])
{
    XXH3_state_t *state = (XXH3_state_t *) self->state;
    XXH3_INITSTATE(state);
    XXH3_64bits_reset(state);
    net_sum_add(self, head, SUMMED);
}

void net_sum_add(net_sum *self, const void *bytes, size_t n)
{
    XXH3_64bits_update((XXH3_state_t *) self->state, bytes, n);
}

uint64_t net_sum_end(const net_sum *self)
{
    return XXH3_64bits_digest((const XXH3_state_t *) self->state);
}

/* ---- encoding ---- */

void net_record_encode(unsigned char head[NET_RECORD_HEAD], const net_record *record)
{
    put(head, record->kind, 4);
    put(head + 4, record->from, 4);
    put(head + 8, record->to, 4);
    put(head + 12, record->lane, 4);
    put(head + 16, record->type, 8);
    put(head + 24, record->bytes, 8);
}

void net_frame_encode(unsigned char head[NET_FRAME_HEAD], const net_frame *frame,
                      const struct iovec *payload, int n_parts)
{
    uint64_t bytes = 0;
    for (int k = 0; k < n_parts; k++) {
        bytes += payload[k].iov_len;
    }
    assert(bytes <= NET_FRAME_MAX);
    memcpy(head, magic, sizeof(magic));
    put(head + 4, NET_WIRE_VERSION, 2);
    put(head + 6, frame->kind, 2);
    put(head + 8, frame->n_records, 4);
    put(head + 12, 0, 4);
    put(head + 16, bytes, 8);
    put(head + 24, frame->sequence, 8);
    net_sum sum = {{0}};
    net_sum_start(&sum, head);
    for (int k = 0; k < n_parts; k++) {
        net_sum_add(&sum, payload[k].iov_base, payload[k].iov_len);
    }
    put(head + SUM_AT, net_sum_end(&sum), 8);
}

/* ---- decoding ---- */

static strads_status refuse(char why[NET_WHY], const char *format, ...) STRADS_PRINTF(2, 3);

static strads_status refuse(char why[NET_WHY], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, NET_WHY, format, arguments);
    va_end(arguments);
    return STRADS_ERR_DATA;
}

/* How many records a frame of that kind has, and of what size. */
static bool is_consistent(uint64_t kind, const net_frame *frame)
{
    switch (kind) {
    case NET_FRAME_DATA:
        return frame->n_records > 0 && frame->n_records <= frame->bytes / NET_RECORD_HEAD;
    case NET_FRAME_ABORT:
        return frame->n_records == 1 && frame->bytes >= NET_RECORD_HEAD;
    default:
        return frame->n_records == 0 && frame->bytes == 0;
    }
}

strads_status net_frame_decode(net_frame *out, const unsigned char head[NET_FRAME_HEAD],
                               uint64_t sequence, char why[NET_WHY])
{
    if (memcmp(head, magic, sizeof(magic)) != 0) {
        return refuse(why, "a frame does not begin with its magic");
    }
    const uint64_t version = get(head + 4, 2), kind = get(head + 6, 2);
    if (version != NET_WIRE_VERSION) {
        return refuse(why, "a frame of wire version %" PRIu64 ", not %d", version,
                      NET_WIRE_VERSION);
    }
    if (kind < NET_FRAME_DATA || kind > NET_FRAME_ABORT) {
        return refuse(why, "a frame of kind %" PRIu64 ", which there is not", kind);
    }
    const net_frame frame = {.kind = (net_frame_kind) kind,
                             .n_records = (uint32_t) get(head + 8, 4),
                             .bytes = get(head + 16, 8),
                             .sequence = get(head + 24, 8),
                             .sum = get(head + SUM_AT, 8)};
    if (get(head + 12, 4) != 0) {
        return refuse(why, "a frame whose reserved bytes are not 0");
    }
    if (frame.bytes > NET_FRAME_MAX) {
        return refuse(why, "a frame of %" PRIu64 " bytes, above %" PRIu64, frame.bytes,
                      NET_FRAME_MAX);
    }
    if (!is_consistent(kind, &frame)) {
        return refuse(why, "a frame of kind %" PRIu64 " with %u records in %" PRIu64 " bytes", kind,
                      frame.n_records, frame.bytes);
    }
    if (frame.sequence != sequence) {
        return refuse(why, "frame %" PRIu64 " where %" PRIu64 " must come", frame.sequence,
                      sequence);
    }
    *out = frame;
    return STRADS_OK;
}

strads_status net_record_decode(net_record *out, const unsigned char head[NET_RECORD_HEAD],
                                uint64_t left, uint32_t n_nodes, char why[NET_WHY])
{
    const uint64_t kind = get(head, 4);
    if (kind < NET_RECORD_MESSAGE || kind > NET_RECORD_TOLD) {
        return refuse(why, "a record of kind %" PRIu64 ", which there is not", kind);
    }
    const net_record record = {.kind = (net_record_kind) kind,
                               .from = (uint32_t) get(head + 4, 4),
                               .to = (uint32_t) get(head + 8, 4),
                               .lane = (uint32_t) get(head + 12, 4),
                               .type = get(head + 16, 8),
                               .bytes = get(head + 24, 8)};
    if (record.from >= n_nodes || record.to >= n_nodes) {
        return refuse(why, "a record from node %u to node %u of %u", record.from, record.to,
                      n_nodes);
    }
    if (record.lane >= NET_N_LANES) {
        return refuse(why, "a record on lane %u of %d", record.lane, NET_N_LANES);
    }
    if (record.bytes > left || record.bytes + net_record_padding(record.bytes) > left) {
        return refuse(why, "a record of %" PRIu64 " bytes with %" PRIu64 " left", record.bytes,
                      left);
    }
    const bool bodiless = kind == NET_RECORD_CREDIT || kind == NET_RECORD_LEAVE;
    if ((bodiless && record.bytes > 0) || record.type > UINT32_MAX) {
        return refuse(why,
                      "a record of kind %" PRIu64 " with type %" PRIu64 " and %" PRIu64 " bytes",
                      kind, record.type, record.bytes);
    }
    *out = record;
    return STRADS_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/frame.h - what goes over a wire: frames, and the records in them. No I/O.
 *
 * All numbers are little endian. A frame is a head of 40 bytes and a payload:
 *   u32 magic, u16 wire version, u16 kind, u32 number of records, u32 0,
 *   u64 bytes of payload, u64 sequence (from 0, a direction),
 *   u64 XXH3-64 of the first 32 bytes and the payload.
 * The payload is its records, one after the other. A record is a head of 32 bytes,
 *   u32 kind, u32 from node, u32 to node, u32 lane, u64 type, u64 bytes of body,
 * and its body, followed by zeros to a multiple of 16 bytes.
 */
#ifndef STRADS_NET_FRAME_H
#define STRADS_NET_FRAME_H

#include "net/stream.h"

enum { NET_WIRE_VERSION = 1, NET_FRAME_HEAD = 40, NET_RECORD_HEAD = 32, NET_RECORD_ALIGN = 16 };

/* A payload has at most so many bytes: more than any machine has room for. */
#define NET_FRAME_MAX ((uint64_t) 1 << 40)

typedef enum net_frame_kind {
    NET_FRAME_DATA = 1,  /* at least one record */
    NET_FRAME_HEARTBEAT, /* no record */
    NET_FRAME_BYE,       /* no record: the sender ends, and all is well */
    NET_FRAME_ABORT      /* one record, whose body says in words why the run ends */
} net_frame_kind;

typedef struct net_frame {
    net_frame_kind kind;
    uint32_t n_records;
    uint64_t bytes; /* of the payload */
    uint64_t sequence;
    uint64_t sum;
} net_frame;

typedef enum net_record_kind {
    NET_RECORD_MESSAGE = 1, /* type: the message's */
    NET_RECORD_CREDIT,      /* type: how many; no body */
    NET_RECORD_LEAVE,       /* `from` has left; no body */
    NET_RECORD_PART,        /* of an exchange; type: its place */
    NET_RECORD_TOLD         /* a message to a service; type: the message's */
} net_record_kind;

typedef struct net_record {
    net_record_kind kind;
    uint32_t from, to; /* nodes */
    uint32_t lane;
    uint64_t type;
    uint64_t bytes; /* of the body, without its padding */
} net_record;

/* The bytes that the padding takes after a body of so many. */
static inline size_t net_record_padding(uint64_t bytes)
{
    return (size_t) (-bytes & (NET_RECORD_ALIGN - 1));
}

/* ---- encoding ---- */

void net_record_encode(unsigned char head[NET_RECORD_HEAD], const net_record *record);

/* The head of a frame with that kind, records and sequence, and this payload (heads,
 * bodies and padding, cut anywhere), whose bytes and sum it reckons. */
void net_frame_encode(unsigned char head[NET_FRAME_HEAD], const net_frame *frame,
                      const struct iovec *payload, int n_parts);

/* ---- decoding: DATA, and what is wrong in `why` ---- */

/* `sequence` is the one that must come. The sum is not checked: it is in out->sum. */
STRADS_MUST_CHECK strads_status net_frame_decode(net_frame *out,
                                                 const unsigned char head[NET_FRAME_HEAD],
                                                 uint64_t sequence, char why[NET_WHY]);

/* `left` bytes of the payload follow the head; nodes are below n_nodes. */
STRADS_MUST_CHECK strads_status net_record_decode(net_record *out,
                                                  const unsigned char head[NET_RECORD_HEAD],
                                                  uint64_t left, uint32_t n_nodes,
                                                  char why[NET_WHY]);

/* ---- the sum of a frame, over any number of pieces ---- */

typedef struct net_sum {
    _Alignas(64) unsigned char state[576];
} net_sum;

void net_sum_start(net_sum *self, const unsigned char head[NET_FRAME_HEAD]);
void net_sum_add(net_sum *self, const void *bytes, size_t n);
uint64_t net_sum_end(const net_sum *self);

#endif

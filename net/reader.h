/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/reader.h - bytes in, checked frames out. No I/O.
 *
 * A reader says where the next bytes are to go: large bodies straight to their message,
 * all else to a buffer, out of which many small frames are taken at once. What it hands
 * over has passed every check, the sum included.
 */
#ifndef STRADS_NET_READER_H
#define STRADS_NET_READER_H

#include "net/frame.h"
#include "net/net.h"

/* A record that came. MESSAGE, PART and ABORT's have a message, with from, lane, type and
 * body set; who takes it puts NULL here. Others have none. */
typedef struct net_arrival {
    net_record record;
    net_message *message;
} net_arrival;

/* A frame that came, with frame->n_records arrivals. false: no more is to be read. */
typedef bool (*net_frame_came)(void *context, const net_frame *frame, net_arrival *arrivals);

typedef struct net_reader net_reader;

/* `came` is called within net_reader_take. Nodes are below n_nodes. */
STRADS_MUST_CHECK strads_status net_reader_create(net_reader **out, uint32_t n_nodes,
                                                  net_frame_came came, void *context);
void net_reader_destroy(net_reader *self);

/* Where the next bytes go: one part or two, for net_stream_recv. Valid until take. */
int net_reader_room(net_reader *self, struct iovec parts[2]);

/* n bytes have come there. DATA: they are no frame, `why` says in which way; NOMEM;
 * CLOSED: `came` said so. After a failure a reader is good for nothing. */
STRADS_MUST_CHECK strads_status net_reader_take(net_reader *self, size_t n, char why[NET_WHY]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/buffer.h - state that travels: a strads_buffer is a message, so that it is sent as it
 * is.
 */
#ifndef STRADS_STRADS_BUFFER_H
#define STRADS_STRADS_BUFFER_H

#include "net/net.h"
#include "strads/grid.h"

struct strads_buffer {
    net_message *message; /* NULL: empty */
    uint32_t type;        /* of the message when it is made */
    uint64_t index;       /* which of the senders' it is */
};

/* What is before the data in the message's body; the data follow at the next multiple of 64
 * bytes in memory. */
typedef struct buffer_head {
    uint64_t index;
    uint64_t bytes;  /* of the data */
    uint64_t offset; /* where the data begin in the body */
    uint64_t zero;
} buffer_head;

enum { BUFFER_ALIGN = 64 };

static inline const buffer_head *buffer_head_of(const net_message *message)
{
    return (const buffer_head *) message->body;
}

static inline void *buffer_data_of(const net_message *message)
{
    return (void *) (message->body + buffer_head_of(message)->offset);
}

/* Whether a message is a buffer at all, with an index below `end`. Its data are aligned to 16
 * bytes then. */
bool buffer_is_sound(const net_message *message, uint64_t end);
/* What has come from another process lies elsewhere than it did there: moves the data to where
 * they are aligned to 64 bytes. */
void buffer_align(net_message *message);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/message_case.h - messages of every type: sound ones, what a receiver
 * knows when they come, and a slow look at whether any other is sound.
 */
#ifndef STRADS_TESTS_MESSAGE_CASE_H
#define STRADS_TESTS_MESSAGE_CASE_H

#include "strads/protocol.h"

enum {
    MESSAGE_TYPES = MSG_DRAWN + 1,
    MESSAGE_J = 50,
    MESSAGE_WORKERS = 3,
    MESSAGE_FIRST = 10, /* the range of worker 1, who receives or has sent */
    MESSAGE_RANGE = 20,
    MESSAGE_SHARD = 8, /* its shard begins with the range */
    MESSAGE_BODY = 512 /* bytes that hold any sound body */
};

/* What the receiver of such a message knows; of SCORES that it asked for a pool. */
msg_bounds message_bounds(uint32_t type);

/* Writes a sound body of this type, and returns its size. */
size_t message_sound(uint32_t type, unsigned char body[MESSAGE_BODY]);

/* A message to that receiver, with no byte to spare, so that a sanitizer sees who reads
 * past its end; for strads_free. Ends the program when there is no memory. */
net_message *message_of(uint32_t type, const void *body, size_t bytes);

/* Whether the message is sound, read number by number. */
bool message_is_sound(const net_message *message, const msg_bounds *bounds);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_protocol.c - any bytes as a message from another process: reading it
 * never leaves the body, and it passes just when a reader that trusts nothing finds it
 * sound. The first byte is the type; the second what the receiver knows, and whether the
 * rest is the body or what a sound one differs by.
 */
#include <string.h>

#include "tests/fuzz/fuzz_file.h"
#include "tests/support/message_case.h"

enum {
    NO_POOL = 1,
    NOT_DUE = 2,
    NO_RANGE = 4,
    ANY_EDGES = 8,
    DIFFERS = 16,
    OWN_ONLY = 32,
    RETIRED = 64,
    TOTALS = 128
};

static msg_bounds bounds_of(uint32_t type, uint8_t flags)
{
    msg_bounds bounds = message_bounds(type);
    bounds.pool = (flags & NO_POOL) == 0;
    bounds.types = (flags & NOT_DUE) != 0 ? 0 : bounds.types;
    bounds.n_range = (flags & NO_RANGE) != 0 ? 0 : bounds.n_range;
    bounds.n_shard = (flags & NO_RANGE) != 0 ? 0 : bounds.n_shard;
    bounds.question.max_edges = (flags & ANY_EDGES) != 0 ? 0 : bounds.question.max_edges;
    bounds.retired = (flags & RETIRED) != 0;
    bounds.totals = (flags & TOTALS) != 0;
    bounds.own_only = (flags & OWN_ONLY) != 0;
    return bounds;
}

/* A sound message, changed by bytes[n]. */
static net_message *differing(uint32_t type, const uint8_t *bytes, size_t n)
{
    unsigned char body[MESSAGE_BODY];
    const size_t n_sound = message_sound(type, body);
    for (size_t i = 0; i < n && i < n_sound; i++) {
        body[i] ^= bytes[i];
    }
    return message_of(type, body, n_sound);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2) {
        return 0;
    }
    const size_t live = strads_mem_live();
    const uint32_t type = bytes[0] % (MESSAGE_TYPES + 1);
    const msg_bounds bounds = bounds_of(type, bytes[1]);
    net_message *message = (bytes[1] & DIFFERS) != 0 && type < MESSAGE_TYPES
                               ? differing(type, bytes + 2, n - 2)
                               : message_of(type, bytes + 2, n - 2);
    fuzz_require((msg_check(message, &bounds) == STRADS_OK) == message_is_sound(message, &bounds));
    net_message_destroy(message);
    fuzz_require(strads_mem_live() == live);
    return 0;
}

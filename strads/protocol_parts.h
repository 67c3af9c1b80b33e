/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/protocol_parts.h - what the parts of msg_check call of each other: protocol.c
 * has what all messages are held to and the requests to workers, protocol_answers.c what
 * the coordinator is sent, protocol_draws.c draws from shards.
 */
#ifndef STRADS_STRADS_PROTOCOL_PARTS_H
#define STRADS_STRADS_PROTOCOL_PARTS_H

#include "strads/protocol.h"

enum { MSG_NODE_TEXT = 32 };

/* A message and what it has to agree with. */
typedef struct msg_checked {
    const net_message *message;
    const msg_bounds *bounds;
} msg_checked;

/* ---- protocol.c ---- */

/* The node in words; `text` is room for them. */
const char *msg_node_name(char text[MSG_NODE_TEXT], net_id id);

/* Says what is wrong with the message, and who sent it; DATA. */
STRADS_MUST_CHECK strads_status msg_refuse(const msg_checked *it, const char *format, ...)
    STRADS_PRINTF(2, 3);

/* Whether the body is long enough for its head; whether it is just as long as it has to be. */
STRADS_MUST_CHECK strads_status msg_check_head(const msg_checked *it, size_t bytes);
STRADS_MUST_CHECK strads_status msg_check_size(const msg_checked *it, size_t bytes);

/* Whether a number, called `what`, is at most `most`; is the one that is due. */
STRADS_MUST_CHECK strads_status msg_check_most(const msg_checked *it, const char *what, uint64_t n,
                                               uint64_t most);
STRADS_MUST_CHECK strads_status msg_check_equal(const msg_checked *it, const char *what, uint64_t n,
                                                uint64_t due);

/* Whether vars[n] ascend and are of the worker's range. */
STRADS_MUST_CHECK strads_status msg_check_own(const msg_checked *it, const uint32_t *vars,
                                              size_t n);

STRADS_MUST_CHECK strads_status msg_check_finite(const msg_checked *it, const char *what,
                                                 const double *numbers, size_t n);

/* The same for what follows a head: scores[n], finite, and the variables that have them, of the
 * worker's shard. */
STRADS_MUST_CHECK strads_status msg_check_scored(const msg_checked *it, size_t head, size_t n);

/* ---- protocol_draws.c ---- */

STRADS_MUST_CHECK strads_status msg_check_draw(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_drawn(const msg_checked *it);

/* Whether it can be what can be drawn of so many variables. */
STRADS_MUST_CHECK strads_status msg_check_total(const msg_checked *it, const msg_total *total,
                                                uint64_t n_vars);

/* ---- protocol_answers.c ---- */

STRADS_MUST_CHECK strads_status msg_check_ready(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_scores(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_edges(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_done(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_failed(const msg_checked *it);
STRADS_MUST_CHECK strads_status msg_check_stop(const msg_checked *it);

#endif

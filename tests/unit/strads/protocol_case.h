/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/protocol_case.h - one message of another process, checked. */
#ifndef STRADS_TESTS_PROTOCOL_CASE_H
#define STRADS_TESTS_PROTOCOL_CASE_H

#include <string.h>

#include "tests/support/message_case.h"
#include "tests/support/suite.h"

/* Checks a body of this type; the refusals are not shown. */
typedef struct attempt {
    uint32_t type;
    const void *body;
    size_t bytes;
    msg_bounds bounds;
    strads_status status;
    bool sound; /* as the slow reader has it */
} attempt;

static inline void check_it(void *context)
{
    attempt *it = context;
    net_message *message = message_of(it->type, it->body, it->bytes);
    it->status = msg_check(message, &it->bounds);
    it->sound = message_is_sound(message, &it->bounds);
    net_message_destroy(message);
}

/* What it says, for strads_free; "" when the message is sound. */
static inline char *words_of(attempt *it)
{
    const size_t n_errors = strads_log_n_errors();
    char *words = suite_stderr_of(check_it, it);
    CHECK(strads_log_n_errors() == n_errors + (it->status == STRADS_OK ? 0 : 1));
    CHECK(it->status == STRADS_OK || it->status == STRADS_ERR_DATA);
    CHECK(it->sound == (it->status == STRADS_OK));
    return words;
}

static inline bool passes(uint32_t type, const void *body, size_t bytes)
{
    attempt it = {.type = type, .body = body, .bytes = bytes, .bounds = message_bounds(type)};
    strads_free(words_of(&it));
    return it.status == STRADS_OK;
}

/* A number in a body. */
typedef enum form { COUNT, REAL, INDEX, SCORE, BYTE } form;

static inline void put(unsigned char *at, form as, double number)
{
    const uint64_t count = as == COUNT ? (uint64_t) number : 0;
    const uint32_t index = as == INDEX ? (uint32_t) number : 0;
    const float score = (float) number;
    if (as == COUNT) {
        memcpy(at, &count, sizeof(count));
    } else if (as == REAL) {
        memcpy(at, &number, sizeof(number));
    } else if (as == INDEX) {
        memcpy(at, &index, sizeof(index));
    } else if (as == SCORE) {
        memcpy(at, &score, sizeof(score));
    } else {
        *at = (unsigned char) number;
    }
}

/* The i-th number of `size` bytes after a head and what follows it. */
#define AFTER(head, skipped, i, size) (sizeof(head) + (skipped) + (i) * (size))
#define FIELD(head, name) offsetof(head, name)

#endif

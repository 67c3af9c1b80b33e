/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_buffer.c - state that travels keeps its bytes, and lies aligned. */
#include "strads/buffer.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

static void fill(strads_buffer *buffer, size_t from)
{
    unsigned char *data = strads_buffer_data(buffer);
    for (size_t i = from; i < strads_buffer_bytes(buffer); i++) {
        data[i] = (unsigned char) (i * 7 + 1);
    }
}

static bool holds(const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (((const unsigned char *) data)[i] != (unsigned char) (i * 7 + 1)) {
            return false;
        }
    }
    return true;
}

static void what_is_in_it_stays_when_its_size_changes(void)
{
    static const size_t sizes[] = {1, 100, 64, 65, 4096, 3, 100000, 0, 17};
    strads_buffer buffer = {.type = 1, .index = 2};
    size_t before = 0;
    CHECK(strads_buffer_data(&buffer) == NULL && strads_buffer_bytes(&buffer) == 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        REQUIRE_OK(strads_buffer_resize(&buffer, sizes[i]));
        CHECK(strads_buffer_bytes(&buffer) == sizes[i]);
        CHECK((uintptr_t) strads_buffer_data(&buffer) % BUFFER_ALIGN == 0);
        CHECK(holds(strads_buffer_data(&buffer), before < sizes[i] ? before : sizes[i]));
        CHECK(buffer_is_sound(buffer.message, 3));
        fill(&buffer, 0);
        before = sizes[i];
    }
    net_message_destroy(buffer.message);
}

static void without_memory_it_is_as_it_was(void)
{
    strads_buffer buffer = {.type = 1};
    REQUIRE_OK(strads_buffer_resize(&buffer, 50));
    fill(&buffer, 0);
    strads_mem_fail_after(1);
    CHECK_STATUS(strads_buffer_resize(&buffer, 100), STRADS_ERR_NOMEM);
    CHECK_STATUS(strads_buffer_resize(&buffer, SIZE_MAX - 10), STRADS_ERR_NOMEM);
    CHECK(strads_buffer_bytes(&buffer) == 50 && holds(strads_buffer_data(&buffer), 50));
    net_message_destroy(buffer.message);
}

/* As it comes over a wire: the same bytes elsewhere. */
static void what_has_moved_is_aligned_again(void)
{
    enum { BYTES = 1000, PLACES = 8 };
    strads_buffer buffer = {.type = 1, .index = 5};
    REQUIRE_OK(strads_buffer_resize(&buffer, BYTES));
    fill(&buffer, 0);
    for (int i = 0; i < PLACES; i++) { /* allocations that stay, so that places differ */
        net_message *other =
            net_message_create(1, NET_DATA, buffer.message->bytes + 16 * (size_t) i);
        REQUIRE(other != NULL);
        other->bytes = buffer.message->bytes;
        memcpy(other->body, buffer.message->body, other->bytes);
        REQUIRE(buffer_is_sound(other, 6));
        buffer_align(other);
        CHECK((uintptr_t) buffer_data_of(other) % BUFFER_ALIGN == 0);
        CHECK(holds(buffer_data_of(other), BYTES));
        net_message_destroy(buffer.message);
        buffer.message = other;
    }
    net_message_destroy(buffer.message);
}

static void what_is_no_buffer_is_refused(void)
{
    strads_buffer buffer = {.type = 1, .index = 5};
    REQUIRE_OK(strads_buffer_resize(&buffer, 40));
    net_message *message = buffer.message;
    buffer_head *head = (buffer_head *) message->body;
    const buffer_head good = *head;
    CHECK(buffer_is_sound(message, 6));
    CHECK(!buffer_is_sound(message, 5));
    const buffer_head bad[] = {
        {.index = 5, .bytes = 41, .offset = good.offset},
        {.index = 5, .bytes = UINT64_MAX - 50, .offset = good.offset},
        {.index = 5, .bytes = 40, .offset = 16},
        {.index = 5, .bytes = 40, .offset = good.offset + 1},
        {.index = 5, .bytes = 40, .offset = 112},
        {.index = UINT64_MAX, .bytes = 40, .offset = good.offset},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *head = bad[i];
        CHECK(!buffer_is_sound(message, 6));
    }
    *head = good;
    message->bytes = 20;
    CHECK(!buffer_is_sound(message, 6));
    net_message_destroy(message);
}

SUITE("strads/buffer",
      {"what is in it stays when its size changes", what_is_in_it_stays_when_its_size_changes},
      {"without memory it is as it was", without_memory_it_is_as_it_was},
      {"what has moved is aligned again", what_has_moved_is_aligned_again},
      {"what is no buffer is refused", what_is_no_buffer_is_refused})

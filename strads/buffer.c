/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/buffer.c - flat state that can be sent. */
#include "strads/buffer.h"

#include <string.h>

enum { SLACK = BUFFER_ALIGN - 1 };

/* Where the data of a message begin in its body. */
static uint64_t offset_in(const net_message *message)
{
    const uintptr_t after = (uintptr_t) message->body + sizeof(buffer_head);
    return sizeof(buffer_head) + (uint64_t) (-after & SLACK);
}

void *strads_buffer_data(const strads_buffer *buffer)
{
    return buffer->message == NULL ? NULL : buffer_data_of(buffer->message);
}

size_t strads_buffer_bytes(const strads_buffer *buffer)
{
    return buffer->message == NULL ? 0 : (size_t) buffer_head_of(buffer->message)->bytes;
}

strads_status strads_buffer_resize(strads_buffer *buffer, size_t bytes)
{
    net_message *next =
        bytes > SIZE_MAX - sizeof(buffer_head) - SLACK
            ? NULL
            : net_message_create(buffer->type, NET_DATA, sizeof(buffer_head) + SLACK + bytes);
    if (next == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const size_t before = strads_buffer_bytes(buffer);
    memset(next->body, 0, sizeof(buffer_head) + SLACK);
    *(buffer_head *) next->body =
        (buffer_head){.index = buffer->index, .bytes = bytes, .offset = offset_in(next)};
    if (before > 0 && bytes > 0) {
        memcpy(buffer_data_of(next), strads_buffer_data(buffer), before < bytes ? before : bytes);
    }
    memset((unsigned char *) buffer_data_of(next) + bytes, 0,
           next->bytes - bytes - (size_t) buffer_head_of(next)->offset);
    net_message_destroy(buffer->message);
    buffer->message = next;
    return STRADS_OK;
}

bool buffer_is_sound(const net_message *message, uint64_t end)
{
    const buffer_head *head = buffer_head_of(message);
    return message->bytes >= sizeof(*head) + SLACK && head->index < end &&
           head->bytes == message->bytes - sizeof(*head) - SLACK && head->offset >= sizeof(*head) &&
           head->offset <= sizeof(*head) + SLACK && head->offset % 16 == 0;
}

void buffer_align(net_message *message)
{
    buffer_head *head = (buffer_head *) message->body;
    const uint64_t offset = offset_in(message);
    if (head->offset != offset) {
        memmove(message->body + offset, message->body + head->offset, (size_t) head->bytes);
        head->offset = offset;
    }
}

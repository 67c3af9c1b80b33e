/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A buffer of a grid from any bytes: what is accepted can be aligned and walked. */
#include <string.h>

#include "strads/buffer.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum { COLUMNS = 4 };
    net_message *message = net_message_create(0, NET_DATA, n);
    if (message == NULL) {
        return 0;
    }
    if (n > 0) {
        memcpy(message->body, bytes, n);
    }
    message->foreign = true;
    if (buffer_is_sound(message, COLUMNS)) {
        const uint64_t n_data = buffer_head_of(message)->bytes;
        fuzz_require(buffer_head_of(message)->index < COLUMNS);
        buffer_align(message);
        fuzz_require(buffer_is_sound(message, COLUMNS));
        fuzz_require(buffer_head_of(message)->bytes == n_data);
        fuzz_require((uintptr_t) buffer_data_of(message) % BUFFER_ALIGN == 0);
        memset(buffer_data_of(message), 7, (size_t) n_data);
    }
    net_message_destroy(message);
    return 0;
}

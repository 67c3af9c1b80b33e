/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/stream.c - the blocking side of streams: reads and writes that wait with patience. */
#include "net/stream.h"

#include <assert.h>

#include "net/wait.h"

static void wake(void *context, strads_status status, size_t n)
{
    net_wait_end(context, status, n);
}

/* Waits for the operation under way; gives the stream up when patience ends. */
static strads_status finish(net_stream *stream, net_wait *wait, const net_patience *patience,
                            size_t *n)
{
    const strads_status impatient = net_wait_for(wait, patience);
    if (impatient != STRADS_OK) {
        net_stream_close(stream);
        (void) net_wait_for(wait, NULL);
    }
    const strads_status status = net_wait_fini(wait, n);
    return status != STRADS_OK && impatient != STRADS_OK ? impatient : status;
}

strads_status net_stream_read(net_stream *stream, void *buffer, size_t n,
                              const net_patience *patience)
{
    assert(stream != NULL && patience != NULL);
    for (size_t done = 0; done < n;) {
        net_wait wait;
        net_wait_init(&wait);
        const struct iovec part = {(char *) buffer + done, n - done};
        net_stream_recv(stream, &part, 1, wake, &wait);
        size_t got = 0;
        const strads_status status = finish(stream, &wait, patience, &got);
        if (status != STRADS_OK) {
            return status;
        }
        done += got;
    }
    return STRADS_OK;
}

strads_status net_stream_write(net_stream *stream, const void *bytes, size_t n,
                               const net_patience *patience)
{
    assert(stream != NULL && patience != NULL && n > 0);
    net_wait wait;
    net_wait_init(&wait);
    const struct iovec part = {(void *) bytes, n};
    net_stream_send(stream, &part, 1, wake, &wait);
    size_t sent = 0;
    return finish(stream, &wait, patience, &sent);
}

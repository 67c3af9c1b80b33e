/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/swap.c - long messages, piece by piece. */
#include "strads/swap.h"

#include <string.h>

/* A frame has a limit, and who is ahead of another fills its memory: long messages go in
 * pieces, each when the one before has come from the other side too. */
enum { PIECE = 4 << 20 };

static size_t piece_at(size_t bytes, size_t at)
{
    const size_t left = bytes > at ? bytes - at : 0;
    return left < PIECE ? left : PIECE;
}

static strads_status post(net_links *links, uint32_t process, const void *out, size_t bytes)
{
    net_message *message = net_message_create(0, NET_DATA, bytes);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (bytes > 0) {
        memcpy(message->body, out, bytes);
    }
    return net_links_post(links, process, message);
}

/* Takes exactly so many bytes. */
static strads_status take(net_links *links, uint32_t process, void *in, size_t bytes)
{
    net_message *message = NULL;
    const strads_status status = net_links_take(links, process, &message);
    if (status != STRADS_OK) {
        return status;
    }
    const bool expected = message->bytes == bytes;
    if (expected && bytes > 0) {
        memcpy(in, message->body, bytes);
    } else if (!expected) {
        strads_error(
            "process %u sent %zu bytes where %zu were due: the processes do not load alike",
            process, message->bytes, bytes);
    }
    net_message_destroy(message);
    return expected ? STRADS_OK : STRADS_ERR_APP;
}

/* What goes to each process, and comes from each. */
typedef struct swapping {
    net_links *links;
    const void *const *out;
    const size_t *out_bytes;
    void **in;
    size_t *in_bytes;
} swapping;

static strads_status swap_sizes(const swapping *self)
{
    const uint32_t n = net_links_count(self->links);
    const uint32_t me = net_links_me(self->links);
    strads_status status = STRADS_OK;
    self->in_bytes[me] = self->out_bytes[me];
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        const uint32_t p = (me + i) % n;
        status = post(self->links, p, &self->out_bytes[p], sizeof(self->out_bytes[p]));
    }
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        const uint32_t p = (me + i) % n;
        status = take(self->links, p, &self->in_bytes[p], sizeof(self->in_bytes[p]));
    }
    for (uint32_t p = 0; p < n && status == STRADS_OK; p++) {
        self->in[p] = self->in_bytes[p] > 0 ? strads_alloc(self->in_bytes[p]) : NULL;
        status = self->in_bytes[p] > 0 && self->in[p] == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    return status;
}

/* The pieces that begin at `at`: both sides send one while either has any. *more: there was
 * one. */
static strads_status swap_pieces(const swapping *self, size_t at, bool *more)
{
    const uint32_t n = net_links_count(self->links);
    const uint32_t me = net_links_me(self->links);
    strads_status status = STRADS_OK;
    *more = false;
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        const uint32_t p = (me + i) % n;
        if (at < self->out_bytes[p] || at < self->in_bytes[p]) {
            const size_t bytes = piece_at(self->out_bytes[p], at);
            const char *from = bytes > 0 ? (const char *) self->out[p] + at : NULL;
            status = post(self->links, p, from, bytes);
            *more = true;
        }
    }
    for (uint32_t i = 1; i < n && status == STRADS_OK; i++) {
        const uint32_t p = (me + i) % n;
        if (at < self->out_bytes[p] || at < self->in_bytes[p]) {
            const size_t bytes = piece_at(self->in_bytes[p], at);
            char *to = bytes > 0 ? (char *) self->in[p] + at : NULL;
            status = take(self->links, p, to, bytes);
        }
    }
    return status;
}

strads_status swap_with_all(void *context, const void *const *out, const size_t *out_bytes,
                            void **in, size_t *in_bytes)
{
    net_links *links = context;
    const uint32_t n = net_links_count(links);
    const uint32_t me = net_links_me(links);
    const swapping all = {links, out, out_bytes, in, in_bytes};
    for (uint32_t p = 0; p < n; p++) {
        in[p] = NULL;
    }
    strads_status status = swap_sizes(&all);
    if (status == STRADS_OK && in_bytes[me] > 0) {
        memcpy(in[me], out[me], in_bytes[me]);
    }
    bool more = true;
    for (size_t at = 0; more && status == STRADS_OK; at += PIECE) {
        status = swap_pieces(&all, at, &more);
    }
    for (uint32_t p = 0; p < n && status != STRADS_OK; p++) {
        strads_free(in[p]);
        in[p] = NULL;
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_swap.c - messages of any length between processes. */
#include "strads/swap.h"

#include <pthread.h>
#include <string.h>

#include "tests/support/links_case.h"
#include "tests/support/suite.h"

enum { PROCESSES = 3, SWAPS = 2 };

/* Around one piece, and some of them. */
static const size_t PIECE = 4 << 20;

/* What `from` tells `to` in a swap. */
static size_t length_of(uint32_t from, uint32_t to, uint32_t swap)
{
    const size_t lengths[] = {0, 3 * PIECE + 5, 1, PIECE, PIECE - 1, PIECE + 1, 2 * PIECE};
    return lengths[(from * PROCESSES + to + 2 * swap) % (sizeof(lengths) / sizeof(lengths[0]))];
}

static unsigned char byte_of(uint32_t from, uint32_t to, size_t i)
{
    return (unsigned char) (from * 31 + to * 7 + i + i / 256 + i / 65536);
}

static void check(uint32_t from, uint32_t to, const unsigned char *in, size_t bytes)
{
    size_t n_wrong = 0;
    for (size_t i = 0; i < bytes; i++) {
        n_wrong += in[i] != byte_of(from, to, i);
    }
    CHECK(n_wrong == 0);
}

static void swap_once(net_links *links, uint32_t swap)
{
    const uint32_t me = net_links_me(links);
    unsigned char *out[PROCESSES];
    void *in[PROCESSES];
    size_t out_bytes[PROCESSES], in_bytes[PROCESSES];
    for (uint32_t p = 0; p < PROCESSES; p++) {
        out_bytes[p] = length_of(me, p, swap);
        out[p] = strads_alloc(out_bytes[p] + 1);
        REQUIRE(out[p] != NULL);
        for (size_t i = 0; i < out_bytes[p]; i++) {
            out[p][i] = byte_of(me, p, i);
        }
    }
    REQUIRE_OK(swap_with_all(links, (const void *const *) out, out_bytes, in, in_bytes));
    for (uint32_t p = 0; p < PROCESSES; p++) {
        CHECK(in_bytes[p] == length_of(p, me, swap));
        check(p, me, in[p], in_bytes[p]);
        strads_free(in[p]);
        strads_free(out[p]);
    }
}

static void *swap_some(void *links)
{
    for (uint32_t swap = 0; swap < SWAPS; swap++) {
        swap_once(links, swap);
    }
    return NULL;
}

static void what_is_longer_than_a_piece_arrives_whole(void)
{
    const net_links_options usual = {.queue_messages = 2, .heartbeat = 1.0, .timeout = 60.0};
    net_links *links[PROCESSES];
    pthread_t threads[PROCESSES];
    strads_status ends[PROCESSES];
    links_case_make(links, PROCESSES, PROCESSES, &usual);
    for (int p = 0; p < PROCESSES; p++) {
        pthread_create(&threads[p], NULL, swap_some, links[p]);
    }
    for (int p = 0; p < PROCESSES; p++) {
        pthread_join(threads[p], NULL);
    }
    links_case_end(links, PROCESSES, ends);
    for (int p = 0; p < PROCESSES; p++) {
        CHECK_STATUS(ends[p], STRADS_OK);
    }
}

SUITE("strads/swap",
      {"what is longer than a piece arrives whole", what_is_longer_than_a_piece_arrives_whole})

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_guest.c - clients that do not go when they were refused. */
#include <string.h>

#include "net/handshake.h"
#include "net/join.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

static const char words[] = "it is of another run";

static void refuse(void *context, net_guest *guest)
{
    (void) context;
    net_guest_refuse(guest, words);
}

/* A client that proves itself, is refused, and stays. */
static net_stream *stay(const char *url)
{
    enum { HEAD = NET_HAND_HEAD, PROOF = HEAD + NET_MAC_BYTES };
    unsigned char hello[HEAD + NET_HELLO_BYTES], challenge[HEAD + NET_CHALLENGE_BYTES];
    unsigned char proof[PROOF + 1] = {[PROOF] = 'x'}, answer[HEAD];
    char why[NET_WHY];
    uint32_t n = 0;
    net_hand_kind kind = NET_READY;
    net_handshake hand = {.key = {.given = false}};
    net_stream *stream = NULL;
    const net_patience patience = streams_patience();
    REQUIRE_OK(net_stream_dial(&stream, url, NULL, &patience, why));
    REQUIRE_OK(net_hand_hello(&hand, hello));
    REQUIRE_OK(net_stream_write(stream, hello, sizeof(hello), &patience));
    REQUIRE_OK(net_stream_read(stream, challenge, sizeof(challenge), &patience));
    REQUIRE_OK(net_hand_take_challenge(&hand, challenge + HEAD, why));
    net_hand_head(proof, NET_PROOF, NET_MAC_BYTES + 1);
    REQUIRE_OK(net_hand_mac(&hand, NET_PROOF, proof + PROOF, 1, proof + HEAD));
    REQUIRE_OK(net_stream_write(stream, proof, sizeof(proof), &patience));
    REQUIRE_OK(net_stream_read(stream, answer, sizeof(answer), &patience));
    REQUIRE_OK(net_hand_check(answer, NET_WELCOME, &kind, &n, why));
    CHECK(kind == NET_REFUSED && n == strlen(words));
    return stream;
}

static void stay_and_make_room(void *context)
{
    enum { N_MORE = 10, N_STAY = NET_DOOR_PENDING + N_MORE };
    static net_stream *streams[N_STAY];
    const net_door_options options = {.url = "abstract://", .seconds = 60.0, .came = refuse};
    const net_patience patience = streams_patience();
    char heard[sizeof(words)];
    net_door *door = NULL;
    (void) context;
    REQUIRE_OK(net_door_open(&door, &options));
    for (uint32_t k = 0; k < N_STAY; k++) {
        streams[k] = stay(net_door_url(door));
    }
    for (uint32_t k = 0; k < N_MORE; k++) { /* the first ones had to make room */
        REQUIRE_OK(net_stream_read(streams[k], heard, strlen(words), &patience));
        CHECK_STATUS(net_stream_read(streams[k], heard, 1, &patience), STRADS_ERR_CLOSED);
    }
    for (uint32_t k = 0; k < N_STAY; k++) {
        net_stream_destroy(streams[k]);
    }
    net_door_close(door);
}

static void hundreds_that_stay_keep_nobody_out(void)
{
    enum { TOLD = 16 }; /* of those that were turned away */
    uint32_t n = 0;
    char *said = suite_stderr_of(stay_and_make_room, NULL);
    for (const char *at = strstr(said, words); at != NULL; at = strstr(at + 1, words)) {
        n++;
    }
    CHECK(n == TOLD);
    strads_free(said);
}

SUITE("net/guest", {"hundreds that were refused and stay keep nobody out, and are told of 16 times",
                    hundreds_that_stay_keep_nobody_out})

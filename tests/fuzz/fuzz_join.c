/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The messages of joining from any bytes: one side of a handshake, chosen by the first
 * byte, hears the rest. Nothing that was not made with the key is taken as proved. */
#include <string.h>

#include "net/handshake.h"
#include "tests/fuzz/fuzz_file.h"

static void hear_hello(net_handshake *hand, const uint8_t *body)
{
    unsigned char message[NET_HAND_HEAD + NET_CHALLENGE_BYTES];
    char why[NET_WHY];
    if (net_hand_take_hello(hand, body, why) == STRADS_OK) {
        fuzz_require(net_hand_challenge(hand, message) == STRADS_OK);
    } else {
        fuzz_require(strlen(why) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char why[NET_WHY];
    net_hand_kind kind;
    uint32_t length = 0;
    net_handshake hand = {.key = {.given = true, .bytes = {1, 2, 3}}};
    if (n < 1 + NET_HAND_HEAD) {
        return 0;
    }
    const net_hand_kind expected = (net_hand_kind) (NET_HELLO + bytes[0] % NET_READY);
    const uint8_t *body = bytes + 1 + NET_HAND_HEAD;
    if (net_hand_check(bytes + 1, expected, &kind, &length, why) != STRADS_OK) {
        fuzz_require(strlen(why) > 0);
    } else if (length > n - 1 - NET_HAND_HEAD) {
        return 0; /* the rest never comes */
    } else if (kind == NET_HELLO) {
        hear_hello(&hand, body);
    } else if (kind == NET_CHALLENGE) {
        fuzz_require(net_hand_take_challenge(&hand, body, why) == STRADS_ERR_USAGE);
    } else if (kind == NET_PROOF || kind == NET_WELCOME) {
        fuzz_require(!net_hand_is_proved(&hand, kind, body, length));
    }
    return 0;
}

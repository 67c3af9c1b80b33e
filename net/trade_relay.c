/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/trade_relay.c - few numbers among many processes: a tree instead of a star.
 *
 * In hop s a process sends all blocks that it has, 2^s, its own first, to the process 2^s
 * before it, and is sent as many by that 2^s behind it; in the last only what is missing. So
 * after ceil(log2 P) hops, a message each way in each, all have all blocks, and add them up
 * in order of rank (Bruck et al., IEEE Trans. Parallel Distrib. Syst. 8, 1997).
 */
#include <string.h>

#include "net/trade_state.h"

/* The bytes of the blocks of n processes from the i-th after this one on. */
static size_t bytes_of_blocks(const net_trade *trade, const net_exchange *exchange, uint32_t i,
                              uint32_t n)
{
    size_t bytes = 0;
    for (uint32_t k = i; k < i + n; k++) {
        const trade_head head = trade_head_of(trade, trade_peer(trade, k), exchange, exchange->n);
        bytes += trade_bytes_of(&head);
    }
    return bytes;
}

/* Whether a part is the blocks of n processes from the i-th on. */
static strads_status check_blocks(const net_trade *trade, const net_exchange *exchange, uint32_t i,
                                  uint32_t n, const net_message *part)
{
    const size_t bytes = bytes_of_blocks(trade, exchange, i, n);
    bool right = part->type == TRADE_RELAYED && part->bytes == bytes;
    const unsigned char *block = part->body;
    for (uint32_t k = i; k < i + n && right; k++) {
        const trade_head head = trade_head_of(trade, trade_peer(trade, k), exchange, exchange->n);
        right = memcmp(block, &head, sizeof(head)) == 0;
        block += trade_bytes_of(&head);
    }
    if (!right) {
        strads_error("process %u relayed %zu bytes for an exchange of %zu and %zu numbers, of %u "
                     "processes, which take %zu: the members do not make the same exchanges",
                     trade_peer(trade, i), part->bytes, exchange->n, exchange->n_extra, n, bytes);
    }
    return right ? STRADS_OK : STRADS_ERR_APP;
}

/* One hop: the first n blocks go to the i-th process before this one, and those of the i-th
 * after it are put behind the i that `all` has. */
static strads_status relay(net_trade *trade, const net_exchange *exchange, uint32_t i, uint32_t n,
                           net_message *all)
{
    net_message *mine =
        net_message_create(TRADE_RELAYED, NET_DATA, bytes_of_blocks(trade, exchange, 0, n));
    net_message *theirs = NULL;
    if (mine == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(mine->body, all->body, mine->bytes);
    strads_status status = net_links_post(trade->links, trade_peer(trade, trade->n_in - i), mine);
    if (status == STRADS_OK) {
        status = net_links_take(trade->links, trade_peer(trade, i), &theirs);
    }
    if (status != STRADS_OK) {
        return status;
    }
    status = check_blocks(trade, exchange, i, n, theirs);
    if (status == STRADS_OK) {
        memcpy(all->body + bytes_of_blocks(trade, exchange, 0, i), theirs->body, theirs->bytes);
    }
    net_message_destroy(theirs);
    return status;
}

strads_status trade_by_relay(net_trade *trade, const net_exchange *exchange, const net_lent *lent)
{
    const uint32_t me = net_links_me(trade->links);
    net_message *all = net_message_create(TRADE_RELAYED, NET_DATA,
                                          bytes_of_blocks(trade, exchange, 0, trade->n_in));
    if (all == NULL) {
        return STRADS_ERR_NOMEM;
    }
    net_message_destroy(trade->parts[me]);
    trade->parts[me] = all;
    trade_write(trade, exchange, lent, 0, exchange->n, all->body);
    strads_status status = STRADS_OK;
    for (uint32_t i = 1; i < trade->n_in && status == STRADS_OK; i *= 2) {
        const uint32_t n = i < trade->n_in - i ? i : trade->n_in - i;
        status = relay(trade, exchange, i, n, all);
    }
    unsigned char *block = all->body;
    for (uint32_t k = 0; k < trade->n_in && status == STRADS_OK; k++) {
        const uint32_t process = trade_peer(trade, k);
        const trade_head head = trade_head_of(trade, process, exchange, exchange->n);
        trade_read(trade, process, exchange, lent->votes, block);
        block += trade_bytes_of(&head);
    }
    return status;
}

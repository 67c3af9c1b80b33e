/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_cluster.c - any text as a fault and as links of a cluster, of as
 * many workers as the first byte says. What is accepted keeps the promises of
 * net/cluster.h. Run with -close_fd_mask=2: refusals are many.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/cluster_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void check_fault(const net_fault *fault, uint32_t n_workers)
{
    assert(fault->first <= fault->last && fault->last <= n_workers);
    assert(fault->from >= 0.0 && isfinite(fault->from) && fault->from <= fault->to);
    assert(fault->factor >= 1.0 && isfinite(fault->factor));
    assert(fault->kind != NET_FAULT_STRAGGLE ||
           (fault->span > 0.0 && fault->span <= fault->every && isfinite(fault->every)));
}

static void check_links(const net_link_rule *links, uint32_t n_workers)
{
    assert(links->a.first <= links->a.last && links->a.last <= n_workers);
    assert(links->b.first <= links->b.last && links->b.last <= n_workers);
    assert(links->link.latency >= 0.0 && isfinite(links->link.latency));
    assert(links->link.bandwidth > 0.0 && isfinite(links->link.bandwidth));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    assert(text != NULL);
    memcpy(text, bytes, n_bytes);
    text[n_bytes] = '\0';
    const uint32_t n_workers = 1 + (n_bytes > 0 ? bytes[0] % 16 : 0);
    const net_sentence sentence = {.place = "--set",
                                   .key = "key",
                                   .text = n_bytes > 0 ? text + 1 : "",
                                   .n_workers = n_workers};
    net_fault fault;
    net_link_rule links;
    if (net_fault_read(&fault, &sentence) == STRADS_OK) {
        check_fault(&fault, n_workers);
    }
    if (net_link_rule_read(&links, &sentence, (net_link){1e-4, NET_GBIT}) == STRADS_OK) {
        check_links(&links, n_workers);
    }
    free(text);
    return 0;
}

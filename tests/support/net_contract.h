/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/net_contract.h - what every driver of net/net.h must keep.
 *
 * A test program defines net_contract_driver, and the number of processes that the nodes
 * are dealt to, and has these cases in its suite.
 */
#ifndef STRADS_TESTS_NET_CONTRACT_H
#define STRADS_TESTS_NET_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

extern const char net_contract_driver[];
extern uint32_t net_contract_processes;
extern bool net_contract_shares; /* these have memory in common */

void net_contract_order(void);
void net_contract_credits(void);
void net_contract_losses(void);
void net_contract_sums(void);
void net_contract_closed_exchange(void);
void net_contract_services(void);
void net_contract_closed_wait(void);

#define NET_CONTRACT_CASES                                                                         \
    {"control passes data and data keeps its order", net_contract_order},                          \
        {"a credit comes back when the receiver has handled", net_contract_credits},               \
        {"a loss is told after the last message", net_contract_losses},                            \
        {"an exchange adds up in order of rank on all members", net_contract_sums},                \
        {"an exchange with someone who has left is closed", net_contract_closed_exchange},         \
        {"services answer in order while their nodes wait, each its types",                        \
         net_contract_services},                                                                   \
    {                                                                                              \
        "who waits for a service hears that a worker has left", net_contract_closed_wait           \
    }

#endif

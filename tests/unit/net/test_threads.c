/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_threads.c - the driver threads keeps the contract. */
#include "tests/support/net_contract.h"
#include "tests/support/suite.h"

const char net_contract_driver[] = "threads";
uint32_t net_contract_processes = 1;
bool net_contract_shares = false;

SUITE("net/threads", NET_CONTRACT_CASES)

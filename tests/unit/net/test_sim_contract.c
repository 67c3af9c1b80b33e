/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_contract.c - the driver sim keeps the contract. */
#include "tests/support/net_contract.h"
#include "tests/support/suite.h"

const char net_contract_driver[] = "sim";
uint32_t net_contract_processes = 1;
bool net_contract_shares = false;

SUITE("net/sim_contract", NET_CONTRACT_CASES)

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/sim.h - what the driver sim can tell of its machines after a run. */
#ifndef STRADS_NET_SIM_H
#define STRADS_NET_SIM_H

#include "net/net.h"

/* In virtual seconds. The first four add up to the machine's own time at its end. */
typedef struct net_sim_account {
    double computing;
    double idle;       /* no event to take */
    double waiting;    /* in exchanges, for the other members, and for services */
    double exchanging; /* in exchanges, for the network */
    double sending;    /* its outgoing interface was busy with messages, whatever it did else */
    double serving;    /* its service worked, whatever it did else */
    uint64_t n_messages, n_bytes; /* sent, with headers; its share of exchanges is counted */
} net_sim_account;

/* Of a net of the driver sim, between net_run and net_destroy. */
net_sim_account net_sim_report(const net *network, net_id machine);

#endif

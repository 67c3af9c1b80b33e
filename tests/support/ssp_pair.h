/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/ssp_pair.h - two simulated machines, each with a part of a store, whose
 * workers do what a case says.
 */
#ifndef STRADS_TESTS_SSP_PAIR_H
#define STRADS_TESTS_SSP_PAIR_H

#include "net/cluster.h"
#include "ssp/session_state.h"

typedef struct ssp_pair ssp_pair;

typedef struct ssp_member {
    ssp_pair *of;
    uint32_t rank;
    ssp_store *store;
    ssp_session *session;
    ssp_table *table;
    strads_status status; /* of what it did */
} ssp_member;

typedef strads_status ssp_pair_act(ssp_member *self, net_node *node);

struct ssp_pair {
    net *network;
    ssp_pair_act *act;
    ssp_member members[2];
    uint32_t n_done;
    strads_status ended; /* the run */
};

/* Both workers open a session and do `act`; sessions and stores are gone after it.
 * bandwidth: as of ssp_place. */
void ssp_pair_run_within(ssp_pair *self, const net_cluster *cluster, double bandwidth,
                         ssp_pair_act *act);
void ssp_pair_run(ssp_pair *self, const net_cluster *cluster, ssp_pair_act *act);

/* Opens the member's table "t". */
STRADS_MUST_CHECK strads_status ssp_pair_open(ssp_member *self, const ssp_table_options *options);

/* The least key from `first` on that the part has. */
uint64_t ssp_pair_key_from(const ssp_member *self, uint32_t part, uint64_t first);
uint64_t ssp_pair_key(const ssp_member *self, uint32_t part);

#endif

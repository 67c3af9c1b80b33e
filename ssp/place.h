/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/place.h - a store that is one of several parts, each in a process (of sim: a machine)
 * of its own, which serve each other's sessions over a net.
 */
#ifndef STRADS_SSP_PLACE_H
#define STRADS_SSP_PLACE_H

#include "net/net.h"
#include "ssp/ssp.h"

typedef struct ssp_place {
    net *network;
    uint32_t n_parts, me;
    const uint32_t *firsts; /* [n_parts + 1] the session that each begins with, lent for the
                             * store's life. Session `rank` is that of node rank + 1 */
    double bandwidth;       /* bytes a second that increments may take of the way to another
                             * part before their clock; 0: they wait for it */
} ssp_place;

/* The part `me` of a store whose sessions are those of all parts. Between net_create and
 * net_run: the nodes' services of the first types are the store's. Sessions are opened and used in
 * the handlers of their nodes, and closed there or after net_run, as the store is destroyed. */
STRADS_MUST_CHECK strads_status ssp_store_create_at(ssp_store **out, const ssp_place *place);

#endif

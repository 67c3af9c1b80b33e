/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/server.h - a part's server: it does for the sessions of other parts what those of its
 * own do themselves. Private to ssp/.
 *
 * Who brings it something runs it, one at a time: if it runs already, on another thread,
 * that one goes on with what was brought. So it needs no locks but that of its queue, and
 * what it tells a session leaves in the order in which it was found.
 */
#ifndef STRADS_SSP_SERVER_H
#define STRADS_SSP_SERVER_H

#include "ssp/place.h"
#include "ssp/store.h"
#include "ssp/wire.h"

typedef struct ssp_server ssp_server;

/* For the sessions of other parts than `me`. */
STRADS_MUST_CHECK strads_status ssp_server_create(ssp_server **out, ssp_store *store);
void ssp_server_destroy(ssp_server *server);

/* Takes a request of another part's session. `node` is the one it came to. */
void ssp_server_take(ssp_server *server, net_node *node, net_message *message);

/* The slowest clock has moved, or there is a new table: what was held back may be due. */
void ssp_server_look(ssp_server *server);

#endif

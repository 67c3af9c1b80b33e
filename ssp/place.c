/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/place.c - a store among others: which part has what, and who hears what. */
#include "ssp/place.h"

#include <assert.h>

#include "ssp/server.h"

/* From another part to a session of this one. */
static void put(ssp_store *store, net_id node, net_message *message)
{
    ssp_inbox *inbox = &store->inboxes[node - 1];
    message->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    *(inbox->first == NULL ? &inbox->first : &inbox->last->next) = message;
    inbox->last = message;
    atomic_fetch_add(&inbox->n, 1);
    pthread_mutex_unlock(&inbox->lock);
    net_wake(store->place.network, node);
}

_Static_assert((int) SSP_N_TYPES <= (int) NET_SERVICE_TYPES, "what is told to tables is one range");

/* The service of every node of this part, of the first range of types. */
static void take(void *self, net_node *node, net_message *message)
{
    ssp_store *store = self;
    const uint32_t type = message->type;
    if (type == SSP_OPENED || type == SSP_ROWS || type == SSP_ACK || type == SSP_ABORT) {
        put(store, net_node_id(node), message);
    } else if (message->from == NET_COORDINATOR) {
        net_message_destroy(message);
    } else {
        ssp_server_take(store->server, node, message);
    }
}

static void serve_nodes(ssp_store *store)
{
    const ssp_place *place = &store->place;
    for (uint32_t rank = place->firsts[place->me]; rank < place->firsts[place->me + 1]; rank++) {
        net_serve(place->network, rank + 1, 0, take, store);
    }
}

static strads_status create_inboxes(ssp_store *store)
{
    const uint32_t n = store->clocks.n;
    store->inboxes = strads_calloc(n, sizeof(*store->inboxes));
    if (store->inboxes == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t rank = 0; rank < n; rank++) {
        if (pthread_mutex_init(&store->inboxes[rank].lock, NULL) != 0) {
            while (rank > 0) {
                pthread_mutex_destroy(&store->inboxes[--rank].lock);
            }
            strads_free(store->inboxes);
            store->inboxes = NULL;
            return STRADS_ERR_SYSTEM;
        }
    }
    return STRADS_OK;
}

strads_status ssp_store_create_at(ssp_store **out, const ssp_place *place)
{
    assert(place->n_parts > 0 && place->n_parts <= SSP_SLOTS && place->me < place->n_parts);
    ssp_store *store = NULL;
    strads_status status = ssp_store_create(&store, place->firsts[place->n_parts]);
    if (status != STRADS_OK) {
        return status;
    }
    store->place = *place;
    for (uint32_t slot = 0; slot < SSP_SLOTS; slot++) {
        store->slots[slot] = (uint16_t) (slot % place->n_parts);
    }
    status = create_inboxes(store);
    if (status == STRADS_OK) {
        status = ssp_server_create(&store->server, store);
    }
    if (status != STRADS_OK) {
        ssp_store_destroy(store);
        return status;
    }
    serve_nodes(store);
    *out = store;
    return STRADS_OK;
}

void ssp_place_fini(ssp_store *store)
{
    ssp_server_destroy(store->server);
    for (uint32_t rank = 0; rank < store->clocks.n && store->inboxes != NULL; rank++) {
        ssp_inbox *inbox = &store->inboxes[rank];
        while (inbox->first != NULL) {
            net_message *message = inbox->first;
            inbox->first = message->next;
            net_message_destroy(message);
        }
        pthread_mutex_destroy(&inbox->lock);
    }
    strads_free(store->inboxes);
}

void ssp_store_wake(ssp_store *store)
{
    const ssp_place *place = &store->place;
    if (store->inboxes == NULL) {
        return;
    }
    for (uint32_t rank = place->firsts[place->me]; rank < place->firsts[place->me + 1]; rank++) {
        if (atomic_load(&store->inboxes[rank].waits)) {
            net_wake(place->network, rank + 1);
        }
    }
}

void ssp_store_advance(ssp_store *store, uint32_t rank, uint64_t to)
{
    if (ssp_clocks_advance(&store->clocks, rank, to) && store->server != NULL) {
        ssp_store_wake(store);
        ssp_server_look(store->server);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/driver.h - what a driver of net/net.h provides; private to net/.
 */
#ifndef STRADS_NET_DRIVER_H
#define STRADS_NET_DRIVER_H

#include "net/net.h"

/* Each function keeps the promise of its namesake in net.h. */
typedef struct net_driver {
    const char *name; /* as run.driver names it */
    strads_status (*create)(net **out, const net_options *options);
    void (*destroy)(net *network);
    void (*attach)(net *network, net_id id, net_handler handler, void *self);
    strads_status (*run)(net *network);
    strads_status (*send)(net_node *node, net_id to, net_message *message);
    void (*leave)(net_node *node);
    strads_status (*exchange)(net_node *node, const net_exchange *exchange);
    double (*exchange_units)(const net *network, uint32_t n_members, size_t n); /* NULL: 0 */
    void (*work)(net_node *node, double units); /* where a net counts work */
    net_node *(*node_of)(net *network, net_id id);
    strads_status (*tell)(net *network, net_id id, net_id to, net_message *message);
    strads_status (*wait)(net *network, net_id id, double seconds, bool (*over)(void *context),
                          void *context);
    void (*wake)(net *network, net_id id);
} net_driver;

/* The heads of a driver's own structs. */
struct net {
    const net_driver *driver;
    net_options options;
    bool counts_work; /* false: time is real */
};

struct net_node {
    net *network;
    net_id id;
    struct {
        net_service serve; /* NULL: none; set before the run */
        void *self;
    } services[NET_N_SERVICES];
};

/* Gives a message that was told to the service that takes its type; takes it. */
void net_node_serve(net_node *node, net_message *message);

extern const net_driver net_threads;
extern const net_driver net_sim;

#endif

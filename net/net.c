/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/net.c - messages, and the way from net.h to a driver. */
#include "net/net.h"

#include <assert.h>
#include <string.h>

#include "net/driver.h"

static const net_driver *const drivers[] = {&net_threads, &net_sim};

net_message *net_message_create(uint32_t type, net_lane lane, size_t bytes)
{
    size_t total = 0;
    if (__builtin_add_overflow(sizeof(net_message), bytes, &total)) {
        return NULL;
    }
    net_message *message = strads_alloc(total);
    if (message != NULL) {
        *message = (net_message){.lane = lane, .type = type, .bytes = bytes};
    }
    return message;
}

void net_message_destroy(net_message *message)
{
    strads_free(message);
}

strads_status net_create(net **out, const char *driver, const net_options *options)
{
    assert(options->n_nodes >= 2 && options->queue_messages > 0);
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(drivers[i]->name, driver) == 0) {
            return drivers[i]->create(out, options);
        }
    }
    strads_error("no driver is called %s", driver);
    return STRADS_ERR_USAGE;
}

void net_destroy(net *network)
{
    if (network != NULL) {
        network->driver->destroy(network);
    }
}

void net_attach(net *network, net_id id, net_handler handler, void *self)
{
    assert(id < network->options.n_nodes && handler != NULL);
    network->driver->attach(network, id, handler, self);
}

strads_status net_run(net *network)
{
    return network->driver->run(network);
}

net_id net_node_id(const net_node *node)
{
    return node->id;
}

bool net_counts_work(const net_node *node)
{
    return node->network->counts_work;
}

double net_exchange_units(const net_node *node, uint32_t n_members, size_t n)
{
    const net_driver *driver = node->network->driver;
    return driver->exchange_units == NULL || n_members < 2
               ? 0.0
               : driver->exchange_units(node->network, n_members, n);
}

void net_work(net_node *node, double units)
{
    assert(units >= 0.0);
    if (net_counts_work(node)) {
        node->network->driver->work(node, units);
    }
}

strads_status net_send(net_node *node, net_id to, net_message *message)
{
    assert(to < node->network->options.n_nodes && to != node->id);
    return node->network->driver->send(node, to, message);
}

void net_leave(net_node *node)
{
    node->network->driver->leave(node);
}

strads_status net_exchange_sum(net_node *node, const net_exchange *exchange)
{
    assert(node->id != NET_COORDINATOR && node->id <= exchange->n_members);
    assert(exchange->n_members < node->network->options.n_nodes);
    return node->network->driver->exchange(node, exchange);
}

void net_serve(net *network, net_id id, uint32_t first, net_service service, void *self)
{
    const uint32_t range = first / NET_SERVICE_TYPES;
    assert(id < network->options.n_nodes && service != NULL);
    assert(first % NET_SERVICE_TYPES == 0 && range < NET_N_SERVICES);
    net_node *node = network->driver->node_of(network, id);
    node->services[range].serve = service;
    node->services[range].self = self;
}

void net_node_serve(net_node *node, net_message *message)
{
    const uint32_t range = message->type / NET_SERVICE_TYPES;
    if (range < NET_N_SERVICES && node->services[range].serve != NULL) {
        node->services[range].serve(node->services[range].self, node, message);
    } else {
        net_message_destroy(message);
    }
}

strads_status net_tell(net *network, net_id id, net_id to, net_message *message)
{
    assert(id < network->options.n_nodes && to < network->options.n_nodes && to != id);
    message->lane = NET_SERVICE;
    return network->driver->tell(network, id, to, message);
}

strads_status net_wait_until(net *network, net_id id, double seconds, bool (*over)(void *context),
                             void *context)
{
    assert(id != NET_COORDINATOR && id < network->options.n_nodes && seconds >= 0.0);
    return network->driver->wait(network, id, seconds, over, context);
}

void net_wake(net *network, net_id id)
{
    network->driver->wake(network, id);
}

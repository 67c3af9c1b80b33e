/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/script_net.c - a driver of which only the coordinator's side is there. */
#include "tests/support/script_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/driver.h"

typedef struct inbox {
    net_message *first, *last, *taken;
    bool lost;
} inbox;

struct script_net {
    net head;
    net_node node;
    net_handler handler;
    void *self;
    bool left, foreign;
    inbox *workers; /* [n_nodes - 1] */
};

static void *must(void *memory)
{
    if (memory == NULL) {
        perror("script_net");
        exit(2);
    }
    return memory;
}

static strads_status script_send(net_node *node, net_id to, net_message *message)
{
    script_net *script = (script_net *) node->network;
    inbox *box = &script->workers[to - 1];
    assert(!script->left);
    if (box->lost) {
        return STRADS_ERR_CLOSED;
    }
    message->next = NULL;
    *(box->first == NULL ? &box->first : &box->last->next) = message;
    box->last = message;
    return STRADS_OK;
}

static void script_leave(net_node *node)
{
    script_net *script = (script_net *) node->network;
    assert(!script->left);
    script->left = true;
}

static const net_driver driver = {.name = "script", .send = script_send, .leave = script_leave};

script_net *script_net_create(uint32_t n_workers, net_handler handler, void *self)
{
    script_net *script = must(calloc(1, sizeof(*script)));
    script->head.driver = &driver;
    script->head.options.n_nodes = n_workers + 1;
    script->node = (net_node){.network = &script->head, .id = NET_COORDINATOR};
    script->handler = handler;
    script->self = self;
    script->workers = must(calloc(n_workers, sizeof(*script->workers)));
    const net_event event = {.kind = NET_STARTED};
    handler(self, &script->node, &event);
    return script;
}

void script_net_destroy(script_net *script)
{
    for (uint32_t rank = 0; rank + 1 < script->head.options.n_nodes; rank++) {
        while (script_net_take(script, rank) != NULL) {
        }
    }
    free(script->workers);
    free(script);
}

const net_message *script_net_take(script_net *script, uint32_t rank)
{
    inbox *box = &script->workers[rank];
    net_message_destroy(box->taken);
    box->taken = box->first;
    if (box->first != NULL) {
        box->first = box->first->next;
    }
    return box->taken;
}

uint32_t script_net_peek(const script_net *script, uint32_t rank)
{
    const net_message *first = script->workers[rank].first;
    return first == NULL ? UINT32_MAX : first->type;
}

void script_net_set_foreign(script_net *script, bool foreign)
{
    script->foreign = foreign;
}

void script_net_say(script_net *script, uint32_t rank, uint32_t type, const void *body,
                    size_t bytes)
{
    assert(!script->left && !script->workers[rank].lost);
    net_message *message = must(calloc(1, sizeof(*message) + bytes));
    *message = (net_message){.from = rank + 1,
                             .lane = NET_DATA,
                             .foreign = script->foreign,
                             .type = type,
                             .bytes = bytes};
    if (bytes > 0) {
        memcpy(message->body, body, bytes);
    }
    const net_event event = {.kind = NET_MESSAGE, .peer = rank + 1, .message = message};
    script->handler(script->self, &script->node, &event);
    free(message);
}

void script_net_lose(script_net *script, uint32_t rank)
{
    assert(!script->left && !script->workers[rank].lost);
    script->workers[rank].lost = true;
    const net_event event = {.kind = NET_LOST, .peer = rank + 1};
    script->handler(script->self, &script->node, &event);
}

bool script_net_lost(const script_net *script, uint32_t rank)
{
    return script->workers[rank].lost;
}

bool script_net_left(const script_net *script)
{
    return script->left;
}

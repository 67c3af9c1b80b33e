/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/script_net.h - a net with the coordinator alone on it: the test is all
 * the workers, hands over their events in any order, and takes what was sent to them.
 */
#ifndef STRADS_TESTS_SCRIPT_NET_H
#define STRADS_TESTS_SCRIPT_NET_H

#include "net/net.h"

typedef struct script_net script_net;

/* Starts the node; ends the program when there is no memory, as do the others. Not
 * counted by base/mem. */
script_net *script_net_create(uint32_t n_workers, net_handler handler, void *self);
void script_net_destroy(script_net *script);

/* What was sent to worker `rank` first and not yet taken, until the next call; NULL:
 * nothing. */
const net_message *script_net_take(script_net *script, uint32_t rank);
/* The type of what take would give; UINT32_MAX: nothing. */
uint32_t script_net_peek(const script_net *script, uint32_t rank);

/* Whether what the workers say from now on comes from another process; false at first. */
void script_net_set_foreign(script_net *script, bool foreign);

/* Hands the coordinator a message from worker `rank`, or its end. Not after it left. */
void script_net_say(script_net *script, uint32_t rank, uint32_t type, const void *body,
                    size_t bytes);
void script_net_lose(script_net *script, uint32_t rank);

/* Whether worker `rank` was lost, and whether the coordinator has left. */
bool script_net_lost(const script_net *script, uint32_t rank);
bool script_net_left(const script_net *script);

#endif

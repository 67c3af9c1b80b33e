/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/watch_state.h - what the parts of the observer share: watch.c, at
 * the net's calls, watch_rounds.c, which reads what the messages say, and watch_draws.c,
 * which reads draws from shards.
 */
#ifndef STRADS_TESTS_WATCH_STATE_H
#define STRADS_TESTS_WATCH_STATE_H

#include "net/net.h"
#include "strads/protocol.h"
#include "strads/strads.h"
#include "tests/support/watch.h"

enum { WATCH_WORKERS = 16, WATCH_FLIGHTS = 8, WATCH_VARS = 256 };

extern watch_terms watch_held_to;
extern watch_report watch_found;
extern uint32_t watch_n_workers;

/* Keeps the first complaint. */
void watch_complain(const char *format, ...) STRADS_PRINTF(1, 2);

uint64_t watch_mix(uint64_t hash, const void *data, size_t bytes);

/* ---- watch_rounds.c: a fresh run, and what happens in it ---- */

void watch_rounds_start(void);

/* `message` was sent; `reading`: what the sender's handler was called with, NULL: no
 * message. trail: the exchanges that the handler has made. */
void watch_rounds_sent(net_id from, net_id to, const net_message *message,
                       const net_message *reading, uint64_t trail);

/* The handler of `id` returned from `message`, NULL: from its start. left: it will not be
 * called again. */
void watch_rounds_handled(net_id id, const net_message *message, bool left);

/* A worker joins an exchange while it handles `message`. */
void watch_rounds_exchange(net_id id, const net_message *message, const net_exchange *exchange);

/* What is left open after a run that ended well. */
void watch_rounds_end(void);

/* The bytes of a body that say something, without the padding. */
uint64_t watch_rounds_hash(const net_message *message);

/* ---- watch_draws.c ---- */

void watch_draws_start(void);
/* busy: while rounds are in flight, or it scans. */
void watch_draws_asked(uint32_t rank, const msg_draw *draw, bool busy);
void watch_draws_told(uint32_t rank, const msg_drawn *reply);
void watch_draws_pushed(uint32_t var, uint64_t round);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/watch.h - an observer of whole runs. It stands between the nodes and
 * the net, sees every event, message and exchange, and says which promise was broken.
 *
 * A test program that links it has the calls of net/net.h go through it, by the
 * linker's --wrap (see the Makefile); the product knows nothing of it. One run at a
 * time, of the driver sim.
 */
#ifndef STRADS_TESTS_WATCH_H
#define STRADS_TESTS_WATCH_H

#include "base/base.h"

enum { WATCH_TEXT = 240 };

/* What the run is held to. */
typedef struct watch_terms {
    uint32_t n_vars;
    uint32_t partial_width; /* doubles a variable in push's answer, its value first */
    uint32_t pipeline;
    double rho;            /* 1: rounds are not checked */
    bool in_flight;        /* checked against rounds not yet committed too */
    bool owners;           /* variables are split: all workers exchange in CORRELATE too */
    bool alike;            /* samples are split: all workers are given the same blocks */
    const double *cosines; /* [n_vars][n_vars] absolute values, lent until watch_end */
} watch_terms;

typedef struct watch_report {
    char complaint[WATCH_TEXT]; /* the first promise that was broken; "": none */
    uint64_t hash;              /* of all that happened, times and numbers to the last bit */
    double end;                 /* virtual seconds, of the last thing that happened */
    uint64_t n_rounds, n_messages, n_exchanges;
    uint64_t n_lent;  /* variables */
    uint64_t n_drawn; /* variables drawn from shards */
    uint64_t n_ahead; /* requests to draw beside those after a scan */
} watch_report;

/* Watches the next run. The promises are:
 *   - a node's first event is its start; there is none after it has left, and nothing is
 *     sent by it then. After CLOSE a worker is sent nothing more;
 *   - messages of a pair arrive in the order of their lane, control before data, and never
 *     are there more of them than there are credits, or than the pipeline explains;
 *   - a node's clock never goes back, nor does that of the whole;
 *   - SCAN, DRAW, CORRELATE and PUSH are answered exactly once by whom they were sent to, and
 *     an edge is above the bar, of a pair that was asked about;
 *   - a variable that a shard has drawn is not drawn again before all are given back, and a
 *     round that is drawn from shards has no other;
 *   - what is pushed to who does not own it was lent to it before, once;
 *   - no variable is in two rounds in flight, or twice in one; a push has the values that
 *     were committed last, and a commit those that were pushed; where samples are split all
 *     members are pushed the same, and hear of the same;
 *   - no more than pipeline + 1 rounds are in flight, none during a scan, and they are
 *     committed in order;
 *   - variables of different workers in a round are not correlated above rho, nor is one
 *     with a variable in flight;
 *   - all members of a round or scan make the same exchanges, with the same outcome to
 *     the bit, and count the same steps. */
void watch_begin(const watch_terms *terms);

/* So far; "": none. */
const char *watch_complaint(void);

/* After the run. completed: it ended well, so nothing may be left open. */
watch_report watch_end(bool completed);

#endif

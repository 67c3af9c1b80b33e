/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/shards_state.h - what shards.c, which asks and is answered, shares with
 * shards_draw.c, which draws. */
#ifndef STRADS_PRIORITIZER_SHARDS_STATE_H
#define STRADS_PRIORITIZER_SHARDS_STATE_H

#include "base/random.h"
#include "prioritizer/hand.h"
#include "prioritizer/shards.h"
#include "prioritizer/stock.h"
#include "prioritizer/wheel.h"

#define PRIO_NONE UINT32_MAX /* no variable, no source */

/* A shard. */
typedef struct prio_source {
    prio_stock stock;
    bool begun;    /* it was asked before */
    bool due;      /* it has to be asked before the next draw */
    bool asked;    /* and has not answered */
    double hunger; /* how much more it is asked for: draws had to wait for it since the scan */
} prio_source;

struct prio_shards {
    prio_shards_options options;
    uint32_t *firsts;
    strads_random random;
    prio_hand hand;
    prio_source *sources; /* [n_shards] */
    prio_stock own;       /* drawn ahead from the hand, within a draw */
    prio_wheel wheel;     /* [n_shards + 1] while variables are drawn; the last is the hand */
    bool amid;            /* a draw waits for shards, amid its variables */
    double floor;         /* of the last draw, or for the first since a scan */
    double weight;        /* of everything, then */
    bool fresh;           /* the shards are to take the scores of the last scan */
    uint32_t urgent;      /* PRIO_NONE: none is */
    uint32_t chosen;      /* the source that a draw waits for; PRIO_NONE: for none */

    uint32_t *back_vars; /* what goes back, by shard */
    float *back_scores;
    size_t *back_starts; /* [n_shards + 1] */
};

/* What a draw goes by, of what is left somewhere. */
double prio_shards_weight(const prio_shards *shards, prio_total left);

/* Finds the floor, and the weight of everything. */
void prio_shards_look(prio_shards *shards);

#endif

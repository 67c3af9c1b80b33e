/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/hand.h - the variables in hand: a few of very many, drawn from shards
 * (prioritizer/shards.h), with a prioritizer of their own.
 *
 * That counts slots, which are dealt in order as variables come; it grows with them.
 */
#ifndef STRADS_PRIORITIZER_HAND_H
#define STRADS_PRIORITIZER_HAND_H

#include "prioritizer/prioritizer.h"

typedef struct prio_hand {
    prioritizer *prio; /* over slots; those from n on are out */
    uint32_t *slot_of; /* [n_vars] 1 + slot; 0: not known; EXPECTED (hand.c); pages that no variable
                        * of which is known are never touched */
    uint32_t *vars;    /* [capacity] by slot */
    uint32_t n_vars, n, capacity;
} prio_hand;

/* An empty hand for variables below n_vars > 0; pair with fini. `options` are those of its
 * prioritizer, but for n_vars. */
STRADS_MUST_CHECK strads_status prio_hand_init(prio_hand *hand, uint32_t n_vars,
                                               const prio_options *options);
void prio_hand_fini(prio_hand *hand);

/* Makes room for n more, or for all that there are. */
STRADS_MUST_CHECK strads_status prio_hand_reserve(prio_hand *hand, size_t n);

/* Notes a variable that is to come; false when it is in hand, or noted already. */
STRADS_MUST_CHECK bool prio_hand_expect(prio_hand *hand, uint32_t var);
/* Takes the note back. */
void prio_hand_expect_no_more(prio_hand *hand, uint32_t var);
/* One that was expected has come, and is out; there is room. */
void prio_hand_add(prio_hand *hand, uint32_t var, float score);
bool prio_hand_has(const prio_hand *hand, uint32_t var);

/* As those of a prioritizer. scores: new ones, or NULL. */
STRADS_MUST_CHECK bool prio_hand_claim(prio_hand *hand, uint32_t var);
size_t prio_hand_draw(prio_hand *hand, size_t n, double floor, uint32_t *vars);
void prio_hand_return(prio_hand *hand, const uint32_t *vars, size_t n, const float *scores);
float prio_hand_score(const prio_hand *hand, uint32_t var);

/* Empties the hand. */
void prio_hand_clear(prio_hand *hand);

#endif

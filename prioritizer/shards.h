/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/shards.h - draws from variables whose scores are kept elsewhere, in shards:
 * prioritizers over a range of the variables each, at the workers, say.
 *
 * Of a shard is known what can be drawn there in all, and a stock of variables that it has
 * drawn ahead. A draw goes to a shard with a chance by that total, and takes the next of
 * its stock; when there is none, it waits for the shard to draw more. What was drawn is
 * then in hand and competes with the shards by what is learned of its score, until
 * everything goes back at the next scan. So until then nothing comes to a shard, and
 * nothing leaves it but by its stock: however far ahead that was drawn, draws have the law
 * of one prioritizer over all variables. Two things are not the same: PRIO_SAMPLED's floor
 * orders a stock as it was when the stock was asked for, and PRIO_GREEDY takes those of
 * equal score in any order.
 *
 * Nothing is sent here: the caller carries requests to the shards and answers back.
 */
#ifndef STRADS_PRIORITIZER_SHARDS_H
#define STRADS_PRIORITIZER_SHARDS_H

#include "prioritizer/prioritizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PRIO_FIRST_STREAM = 2 }; /* of random numbers: of shard 0; those below are used here */

typedef struct prio_shards prio_shards;

typedef struct prio_shards_options {
    prio_policy policy; /* PRIO_SAMPLED or PRIO_GREEDY */
    uint32_t n_shards;
    const uint32_t *firsts; /* [n_shards + 1] shard s has the variables firsts[s] .. firsts[s+1]-1;
                             * copied; the first is 0, the last J > 0 */
    double eta;             /* finite, >= 0; PRIO_SAMPLED: the floor, as prio_floor has it */
    uint64_t seed;
    size_t most;  /* variables that a round is expected to draw, */
    size_t ahead; /* and rounds that are drawn before an answer is taken: the measure of stocks */
} prio_shards_options;

/* What a shard is to do, in this order. */
typedef struct prio_request {
    bool restart;         /* begin anew: all scores are 1, none is out or retired */
    bool back;            /* all that is out is back, */
    size_t n;             /* and these of them have new scores; lent until the next scan */
    const uint32_t *vars; /* [n] */
    const float *scores;  /* [n] */
    bool fresh;           /* or all take the scores of the last scan */
    bool claims;          /* this one is drawn before all others, unless it is retired */
    uint32_t claimed;
    uint32_t n_draws; /* and so many more are drawn, */
    double floor;     /* with this floor */
} prio_request;

typedef struct prio_answer {
    prio_total left;      /* after the draws */
    size_t n;             /* how many were drawn; fewer than n_draws only when no more can be */
    const uint32_t *vars; /* [n] in the order of the draws */
    const float *scores;  /* [n] */
} prio_answer;

/* All scores start at 1. Pair with prio_shards_destroy. */
STRADS_API STRADS_MUST_CHECK strads_status prio_shards_create(prio_shards **out,
                                                              const prio_shards_options *options);
/* NULL is allowed. */
STRADS_API void prio_shards_destroy(prio_shards *shards);

/* After a scan: everything goes back to its shard, and none may be out. fresh[n_shards]: what
 * the scan found to draw, whose scores the shards take; NULL: they take none. The next draw
 * waits until all have been asked and have answered. */
STRADS_API STRADS_MUST_CHECK strads_status prio_shards_scanned(prio_shards *shards,
                                                               const prio_total *fresh);
/* Then: the next draw begins with this variable, unless it is retired. */
STRADS_API void prio_shards_urge(prio_shards *shards, uint32_t var);

/* Draws up to n variables into vars, as prio_draw, most urgent first for PRIO_GREEDY. *waits:
 * shards have to be asked, and to answer, before it can go on with the others. */
STRADS_API STRADS_MUST_CHECK strads_status prio_shards_draw(prio_shards *shards, size_t n,
                                                            uint32_t *vars, size_t *n_drawn,
                                                            bool *waits);

/* What shard s is to be asked for, now or ahead; false: nothing. It has to answer then. */
STRADS_API STRADS_MUST_CHECK bool prio_shards_ask(prio_shards *shards, uint32_t s,
                                                  prio_request *request);

/* The answer of shard s. DATA, not logged, when it has drawn variable *twice, which was drawn
 * before, or, *twice being J, when what it has drawn and has left is not what it had: the shards
 * cannot be used any more then. */
STRADS_API STRADS_MUST_CHECK strads_status prio_shards_take(prio_shards *shards, uint32_t s,
                                                            const prio_answer *answer,
                                                            uint32_t *twice);

/* Gives back drawn variables, with new scores or, if NULL, with those that they had. */
STRADS_API void prio_shards_return(prio_shards *shards, const uint32_t *vars, size_t n,
                                   const float *scores);

/* The score of a variable that was drawn since the last scan. */
STRADS_API float prio_shards_score(const prio_shards *shards, uint32_t var);

/* What can be drawn in all, as far as is known. */
STRADS_API prio_total prio_shards_left(const prio_shards *shards);

#ifdef __cplusplus
}
#endif

#endif

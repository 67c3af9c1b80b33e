/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/dependency.h - the dependency checker: which variables may move side by
 * side.
 *
 * It remembers, for a bounded set of variables, all pairs whose |cosine| is above
 * rho. Variables that are new to it are asked about (the caller passes the question
 * to the workers and the answers to dependency_learn); then
 *
 * - dependency_pick cuts candidates into blocks: connected components of the graph
 *   |cosine| > rho, capped by cost. What would overflow a cap, or is correlated with
 *   a variable in flight or of another owner, is rejected for this round;
 * - dependency_cut cuts a whole working set into a given number of blocks of about
 *   equal cost, correlated variables together as far as that allows; nothing is
 *   rejected.
 */
#ifndef STRADS_STRADS_DEPENDENCY_H
#define STRADS_STRADS_DEPENDENCY_H

#include "strads/protocol.h"
#include "strads/round.h"

typedef struct dependency dependency;

typedef struct dependency_options {
    double rho;       /* [0, 1] */
    size_t max_known; /* variables remembered before it starts afresh */
} dependency_options;

STRADS_MUST_CHECK strads_status dependency_create(dependency **out,
                                                  const dependency_options *options);
void dependency_destroy(dependency *check);

/* The question to ask before vars (distinct) can be judged: pairs->n is 0 when all
 * are known. The list is lent until the next call; answers name its positions. */
STRADS_MUST_CHECK strads_status dependency_ask(dependency *check, const uint32_t *vars, size_t n,
                                               strads_pairs *pairs);

/* Takes a worker's answer. */
STRADS_MUST_CHECK strads_status dependency_learn(dependency *check, const msg_edge *edges,
                                                 size_t n_edges);

/* What dependency_pick decides from; costs[i] is that of vars[i]. */
typedef struct dependency_candidates {
    const uint32_t *vars; /* [n] in order of preference; known */
    const double *costs;  /* [n] */
    size_t n;
    size_t limit;              /* variables wanted */
    double cost_cap;           /* of a block of more than one variable */
    const uint32_t *in_flight; /* [n_in_flight] */
    size_t n_in_flight;
    uint32_t n_owners;      /* workers that alone can update their ranges; 0: any can */
    const uint32_t *firsts; /* [n_owners + 1] of the ranges */
} dependency_candidates;

/* Adds the blocks to `blocks`; picked[i] becomes 1 for the candidates in them, else 0. */
STRADS_MUST_CHECK strads_status dependency_pick(dependency *check,
                                                const dependency_candidates *candidates,
                                                strads_round *blocks, uint8_t *picked);

/* Of others[n], known, the one that is most correlated with `var`, and how much; false:
 * none is above rho. Slow, for the trace. */
STRADS_MUST_CHECK bool dependency_strongest(const dependency *check, uint32_t var,
                                            const uint32_t *others, size_t n, uint32_t *other,
                                            double *cosine);

/* Cuts vars[n] (ascending, known) into n_blocks blocks. */
STRADS_MUST_CHECK strads_status dependency_cut(dependency *check, const uint32_t *vars,
                                               const double *costs, size_t n, uint32_t n_blocks,
                                               strads_round *blocks);

#endif

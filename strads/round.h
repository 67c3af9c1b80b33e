/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/round.h - a round's blocks, and the dispatcher that deals them to workers.
 */
#ifndef STRADS_STRADS_ROUND_H
#define STRADS_STRADS_ROUND_H

#include "strads/strads.h"

/* Blocks, one after the other: block b is vars[starts[b]] .. vars[starts[b+1] - 1]. */
struct strads_round {
    uint32_t *vars;
    size_t n_vars, vars_capacity;
    size_t *starts; /* [n_blocks + 1] */
    size_t n_blocks, starts_capacity;
};

void round_fini(strads_round *round);
void round_clear(strads_round *round); /* keeps the memory */

/* What each worker does in a round: worker k's variables are vars[starts[k]] ..
 * vars[starts[k+1] - 1]. */
typedef struct assignment {
    uint32_t *vars;
    size_t vars_capacity;
    size_t *starts; /* [n_workers + 1], of the creator's size */
} assignment;

/* The cost of `var`, 1 where the program tells none. APP or NUMERIC when it is not above 0
 * or not finite. */
STRADS_MUST_CHECK strads_status round_cost(const strads_app *app, const void *site, uint32_t var,
                                           double *cost);

/* Deals blocks to n_parts <= n_workers workers, the most costly first, each to the
 * worker with the least so far (longest processing time first: Graham, SIAM J. Appl.
 * Math. 17, 1969). cost may be NULL: 1 a variable. Workers from n_parts on get
 * nothing. */
STRADS_MUST_CHECK strads_status dispatch(const strads_round *round, assignment *to,
                                         uint32_t n_parts, uint32_t n_workers,
                                         double (*cost)(const void *site, uint32_t var),
                                         const void *site);

/* The same where variables are split: each goes to the worker whose range firsts[n_workers
 * + 1] it is in. */
STRADS_MUST_CHECK strads_status dispatch_to_owners(const strads_round *round, assignment *to,
                                                   const uint32_t *firsts, uint32_t n_workers);

/* The worker whose range of firsts[n_workers + 1] has the variable. */
uint32_t round_owner(const uint32_t *firsts, uint32_t n_workers, uint32_t var);

/* Cuts vars[n] with costs[n] into n_parts contiguous blocks of about equal cost. */
STRADS_MUST_CHECK strads_status round_cut(strads_round *round, const uint32_t *vars,
                                          const double *costs, size_t n, uint32_t n_parts);

/* Where the shard of rank k begins, k <= n_workers: with its range of firsts[n_workers + 1], or,
 * where samples are split, with an even share of all. */
uint32_t round_shard_first(const strads_structure *structure, const uint32_t *firsts,
                           uint32_t n_workers, uint32_t k);

#endif

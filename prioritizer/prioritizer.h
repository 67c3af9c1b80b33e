/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/prioritizer.h - which variables next: draws from J variables, J up
 * to 10^8, by a policy.
 *
 * A policy keeps a score a variable. The score is what the model program says of
 * it: how far the variable is from its optimum (>= 0 and larger: farther; below
 * 0: at its optimum by that margin), or PRIO_RETIRED: never again.
 * Between scans the caller updates the scores of the variables that moved.
 *
 * A drawn variable is out: it is not drawn again until prio_return gives it back.
 * Draws depend only on the options, the calls made, and the seed. One thread at a
 * time.
 */
#ifndef STRADS_PRIORITIZER_H
#define STRADS_PRIORITIZER_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A score that retires a variable for good (screening): it is never drawn again by
 * any policy, and later scores of it are ignored. */
#define PRIO_RETIRED (-__builtin_inff())

typedef enum prio_policy {
    PRIO_SAMPLED, /* with probability ~ max(score, 0) + floor; floor: prio_draw */
    PRIO_GREEDY,  /* the largest scores; only variables with score > 0 */
    PRIO_UNIFORM, /* each with equal probability, scores ignored */
    PRIO_CYCLIC   /* 0, 1, ... J-1, 0, ..., scores ignored */
} prio_policy;

typedef struct prio_options {
    prio_policy policy;
    uint32_t n_vars;       /* J > 0 */
    uint64_t seed, stream; /* those of one seed draw independently when their streams differ */
} prio_options;

/* Of the variables that can be drawn: neither out nor retired. */
typedef struct prio_total {
    double sum;          /* of the scores above 0; PRIO_SAMPLED only, else 0 */
    uint32_t n_positive; /* those with a score above 0 */
    uint32_t n_open;     /* all */
} prio_total;

typedef struct prioritizer prioritizer;

/* All scores start at 1. At most 9 bytes a variable when J is large. Pair with prio_destroy. */
STRADS_API STRADS_MUST_CHECK strads_status prio_create(prioritizer **out,
                                                       const prio_options *options);
/* NULL is allowed. */
STRADS_API void prio_destroy(prioritizer *prio);

/* Replaces the scores of variables first .. first+n-1: the bulk set of a scan,
 * O(n). Scores are below infinity and not NaN (asserted). Variables that are out
 * stay out and come back with their new score. */
STRADS_API void prio_set_range(prioritizer *prio, uint32_t first, uint32_t n, const float *scores);

/* Replaces the scores of n variables, in this order, O(n log J); as prio_set_range. */
STRADS_API void prio_update(prioritizer *prio, const uint32_t *vars, size_t n, const float *scores);

/* Draws up to n distinct variables into vars, without replacement, most urgent
 * first for PRIO_GREEDY; returns how many, fewer when no more can be drawn. `floor`,
 * finite and >= 0, is what PRIO_SAMPLED adds to each weight, the others ignore it. */
STRADS_API size_t prio_draw(prioritizer *prio, size_t n, double floor, uint32_t *vars);

/* What can be drawn. */
STRADS_API prio_total prio_left(const prioritizer *prio);

/* The floor that is eta >= 0 times the mean positive score; where none is positive any
 * floor makes all equally likely: 1, or 0 for an eta of 0. Finite. */
STRADS_API double prio_floor(const prio_total *left, double eta);

/* Draws this variable, whatever its score; false when it is out or retired. */
STRADS_API STRADS_MUST_CHECK bool prio_claim(prioritizer *prio, uint32_t var);

/* Gives drawn variables back; they must be out (asserted). One that was retired
 * meanwhile is not drawn again. */
STRADS_API void prio_return(prioritizer *prio, const uint32_t *vars, size_t n);

/* Gives back all that are out. */
STRADS_API void prio_return_all(prioritizer *prio);

/* The score of one variable. */
STRADS_API float prio_score(const prioritizer *prio, uint32_t var);

/* Bytes held. */
STRADS_API size_t prio_bytes(const prioritizer *prio);

/* positions[n] takes, ascending, those of the scores that are above `bar` or not a number;
 * returns how many. */
STRADS_API size_t prio_select_above(const float *scores, size_t n, float bar, uint32_t *positions);

/* A bar that, by a sample, about k to 1.5 k of the n scores are above; not below
 * `above`. O(1). */
STRADS_API float prio_guess_bar(const float *scores, size_t n, size_t k, float above);

/* positions[n] takes, ascending, those of the k largest of scores that are above `above`;
 * returns how many. Scores are not NaN; ties go to the lower position, and scores
 * that differ by less than a part in 2^14 count as tied. O(n). */
STRADS_API size_t prio_select_top(const float *scores, size_t n, size_t k, float above,
                                  uint32_t *positions);

#ifdef __cplusplus
}
#endif

#endif

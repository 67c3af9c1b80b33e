/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lda_law.h - with which chance a few tokens have which topics, by trying all.
 *
 * A state is the topics z of n_tokens tokens; its number is the sum of z_t n_topics^t.
 */
#ifndef STRADS_TESTS_LDA_LAW_H
#define STRADS_TESTS_LDA_LAW_H

#include "tests/support/lda_case.h"

enum { LDA_LAW_TOKENS = 12, LDA_LAW_TOPICS = 8 }; /* at most */

uint32_t lda_law_n_states(const lda_case_design *design);
uint32_t lda_law_number(const lda_case_design *design, const uint16_t *topics);
void lda_law_topics(const lda_case_design *design, uint32_t state, uint16_t *topics);

/* p(z | w) of all states, for strads_free. */
double *lda_law_posterior(const lda_case_design *design);

/* What a sweep does: it draws the topics of n tokens one after another. */
typedef struct lda_law_sweep {
    const uint16_t *from; /* [n_tokens] the topics before; NULL: none has one */
    uint32_t n;
    struct {
        uint32_t token;
        uint32_t sees; /* bit i: the totals that it goes by hold what draw i has changed */
    } draws[2 * LDA_LAW_TOKENS];
} lda_law_sweep;

/* The chance of each state after a sweep that draws every token once, for strads_free. Documents
 * and words have the counts of all draws before. */
double *lda_law_of(const lda_case_design *design, const lda_law_sweep *sweep);

/* The chance that states fall as far from `law` as the n that were counted (Pearson's chi-square;
 * states that are expected less than ten times are taken together). */
double lda_law_p_value(const double *law, const double *counted, uint32_t n_states, double n);

/* Half of the sum of |law - counted / n|. */
double lda_law_distance(const double *law, const double *counted, uint32_t n_states, double n);

#endif

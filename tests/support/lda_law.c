/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lda_law.c - laws of topics, enumerated. */
#include "tests/support/lda_law.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#include "tests/support/suite.h"

uint32_t lda_law_n_states(const lda_case_design *design)
{
    uint32_t n = 1;
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        n *= design->n_topics;
    }
    return n;
}

uint32_t lda_law_number(const lda_case_design *design, const uint16_t *topics)
{
    uint32_t state = 0;
    for (uint32_t t = design->n_tokens; t-- > 0;) {
        state = state * design->n_topics + topics[t];
    }
    return state;
}

void lda_law_topics(const lda_case_design *design, uint32_t state, uint16_t *topics)
{
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        topics[t] = (uint16_t) (state % design->n_topics);
        state /= design->n_topics;
    }
}

static double alpha_of(const lda_case_design *design, uint32_t k)
{
    return design->alpha != NULL ? design->alpha[k] : 0.1;
}

static double *numbers(uint32_t n)
{
    double *it = strads_calloc(n, sizeof(*it));
    REQUIRE(it != NULL);
    return it;
}

/* How many of the tokens with a topic are in document `doc` (UINT32_MAX: any), are word `word`
 * (the same), and have topic k. */
static double n_tokens_of(const lda_case_design *design, const uint16_t *topics, uint32_t doc,
                          uint32_t word, uint32_t k)
{
    double n = 0.0;
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        n += topics[t] == k && (doc == UINT32_MAX || design->tokens[t].doc == doc) &&
             (word == UINT32_MAX || design->tokens[t].word == word);
    }
    return n;
}

/* log p(w, z), but for what is the same for all z. */
static double log_joint(const lda_case_design *design, const uint16_t *topics)
{
    const double beta = design->beta;
    double sum = 0.0;
    for (uint32_t k = 0; k < design->n_topics; k++) {
        sum -=
            lgamma(n_tokens_of(design, topics, UINT32_MAX, UINT32_MAX, k) + beta * design->n_words);
        for (uint32_t w = 0; w < design->n_words; w++) {
            sum += lgamma(n_tokens_of(design, topics, UINT32_MAX, w, k) + beta);
        }
        for (uint32_t d = 0; d < design->n_docs; d++) {
            sum += lgamma(n_tokens_of(design, topics, d, UINT32_MAX, k) + alpha_of(design, k));
        }
    }
    return sum;
}

double *lda_law_posterior(const lda_case_design *design)
{
    const uint32_t n = lda_law_n_states(design);
    double *law = numbers(n);
    uint16_t topics[LDA_LAW_TOKENS];
    double sum = 0.0;
    for (uint32_t state = 0; state < n; state++) {
        lda_law_topics(design, state, topics);
        law[state] = exp(log_joint(design, topics));
        sum += law[state];
    }
    for (uint32_t state = 0; state < n; state++) {
        law[state] /= sum;
    }
    return law;
}

/* The chance that draw i gives its token the topic that it has in `to`; `now` are the topics when
 * it is drawn. */
static double chance_of(const lda_case_design *design, const lda_law_sweep *sweep, uint32_t i,
                        const uint16_t *now, const uint16_t *to)
{
    const uint32_t token = sweep->draws[i].token;
    const lda_case_token *it = &design->tokens[token];
    uint16_t without[LDA_LAW_TOKENS];
    uint16_t seen[LDA_LAW_TOKENS];
    double chances[LDA_LAW_TOPICS] = {0.0};
    double sum = 0.0;
    memcpy(without, now, sizeof(without));
    without[token] = UINT16_MAX;
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        seen[t] = sweep->from != NULL ? sweep->from[t] : UINT16_MAX;
    }
    for (uint32_t j = 0; j < i; j++) {
        if (sweep->draws[i].sees >> j & 1) {
            seen[sweep->draws[j].token] = to[sweep->draws[j].token];
        }
    }
    seen[token] = UINT16_MAX;
    for (uint32_t k = 0; k < design->n_topics; k++) {
        chances[k] =
            (n_tokens_of(design, without, it->doc, UINT32_MAX, k) + alpha_of(design, k)) *
            (n_tokens_of(design, without, UINT32_MAX, it->word, k) + design->beta) /
            (n_tokens_of(design, seen, UINT32_MAX, UINT32_MAX, k) + design->beta * design->n_words);
        sum += chances[k];
    }
    return chances[to[token]] / sum;
}

double *lda_law_of(const lda_case_design *design, const lda_law_sweep *sweep)
{
    const uint32_t n = lda_law_n_states(design);
    double *law = numbers(n);
    uint16_t now[LDA_LAW_TOKENS];
    uint16_t to[LDA_LAW_TOKENS];
    for (uint32_t state = 0; state < n; state++) {
        lda_law_topics(design, state, to);
        memset(now, 0xff, sizeof(now));
        if (sweep->from != NULL) {
            memcpy(now, sweep->from, design->n_tokens * sizeof(*now));
        }
        law[state] = 1.0;
        for (uint32_t i = 0; i < sweep->n; i++) {
            law[state] *= chance_of(design, sweep, i, now, to);
            now[sweep->draws[i].token] = to[sweep->draws[i].token];
        }
    }
    return law;
}

double lda_law_p_value(const double *law, const double *counted, uint32_t n_states, double n)
{
    const double least = 10.0;
    double rare[2] = {0.0};
    double sum = 0.0;
    double n_cells = 0.0;
    for (uint32_t state = 0; state < n_states; state++) {
        const double expected = law[state] * n;
        if (expected < least) {
            rare[0] += expected;
            rare[1] += counted[state];
        } else {
            sum += (counted[state] - expected) * (counted[state] - expected) / expected;
            n_cells += 1.0;
        }
    }
    if (rare[0] >= least) {
        sum += (rare[1] - rare[0]) * (rare[1] - rare[0]) / rare[0];
        n_cells += 1.0;
    }
    return gsl_cdf_chisq_Q(sum, n_cells - 1.0);
}

double lda_law_distance(const double *law, const double *counted, uint32_t n_states, double n)
{
    double sum = 0.0;
    for (uint32_t state = 0; state < n_states; state++) {
        sum += fabs(law[state] - counted[state] / n);
    }
    return sum / 2.0;
}

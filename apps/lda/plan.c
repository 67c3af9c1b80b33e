/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/plan.c - what each pass over the grid does. */
#include <math.h>
#include <string.h>

#include "apps/lda/lda.h"

/* The growing start: the documents of its first stage are swept so often, those of a later one so
 * often, and each stage has so many times the documents of the one before. It begins with as many
 * as tell topics apart: from too few it would not come to what a corpus has. */
enum { FIRST_SWEEPS = 60, MORE_SWEEPS = 10, GROWTH = 4, N_STAGES = 3, FIRST_DOCUMENTS = 2000 };

/* Where a topic has at most so many documents of the first stage, these begin with all of their
 * tokens in one topic: topics come apart sooner in documents of few topics than documents come to
 * few topics. With more documents a topic would begin as the mean of all. */
enum { TOGETHER_DOCUMENTS = 5 };

/* Until all documents take part words are smoothed by so much of what a word has of a topic in the
 * first documents, on average. With less, topics stay as chance began them; with much more there
 * are none. */
static const double SMOOTHING = 0.5;
static const double SMOOTHING_TOGETHER = 0.3; /* ... where chance has begun less of them */

/* Documents that come later begin with fewer topics than lda.alpha alone would give them; sweeps
 * over them are then made with more of it, in which topics change sooner. */
static const double ALPHA_OF_LATER = 0.3;
static const double ALPHA_OF_MORE_SWEEPS = 2.0;

/* Of all documents, how many are foretold before the last sweep. With 1000 topics a token that is
 * foretold takes as long as some fifty that are sampled. */
static const double FORETOLD_SHARE = 0.01;

/* A prior is learnt so often, and not before: it would keep topics as they began. */
enum { LEARN_EVERY = 10 };

bool lda_plan_is_random(const strads_config *config)
{
    return strcmp(strads_config_text(config, "lda.start"), "random") == 0;
}

uint32_t lda_plan_n_stages(const strads_config *config, size_t n_documents)
{
    uint32_t n = 1;
    while (!lda_plan_is_random(config) && n < N_STAGES && n_documents / GROWTH >= FIRST_DOCUMENTS) {
        n_documents /= GROWTH;
        n++;
    }
    return n;
}

bool lda_plan_is_together(const lda_site *site)
{
    return site->n_stages > 1 && (double) site->n_documents * lda_plan_share(site, 0) <=
                                     (double) TOGETHER_DOCUMENTS * site->n_topics;
}

double lda_plan_share(const lda_site *site, uint32_t stage)
{
    return pow(GROWTH, (double) stage + 1 - site->n_stages);
}

double lda_plan_beta(const lda_site *site, const lda_pass *plan)
{
    if (plan->sweep > 0 || plan->counts) {
        return site->beta;
    }
    const double mean = (double) site->n_tokens * lda_plan_share(site, 0) /
                        ((double) site->n_topics * site->words.n);
    /* Beside that, the documents so far stand for all: beta is to their counts what it is then. */
    const double smoothing = lda_plan_is_together(site) ? SMOOTHING_TOGETHER : SMOOTHING;
    return fmax(smoothing * mean, site->beta * lda_plan_share(site, plan->stage));
}

double lda_plan_alpha(const lda_pass *plan)
{
    if (plan->stage == 0 || plan->counts) {
        return 1.0;
    }
    if (plan->first) {
        return ALPHA_OF_LATER;
    }
    return plan->sweep == 0 ? ALPHA_OF_MORE_SWEEPS : 1.0;
}

lda_pass lda_plan_pass(const lda_site *site, uint64_t pass)
{
    if (lda_plan_is_random(site->config)) {
        return (lda_pass){.counts = pass == 0, .sweep = (uint32_t) pass};
    }
    if (pass == 0 && lda_plan_is_together(site)) {
        return (lda_pass){.counts = true};
    }
    for (uint32_t stage = 0; stage < site->n_stages - 1; stage++) {
        const uint32_t n = 1 + (stage == 0 ? FIRST_SWEEPS : MORE_SWEEPS);
        if (pass < n) {
            return (lda_pass){.first = pass == 0, .stage = stage};
        }
        pass -= n;
    }
    return (lda_pass){
        .first = pass == 0, .stage = site->n_stages - 1, .sweep = (uint32_t) pass + 1};
}

void lda_plan_documents(const lda_pass *plan, const lda_sub *sub, uint32_t *low, uint32_t *high)
{
    const uint64_t first = plan->first && plan->stage > 0 ? sub->ends[plan->stage - 1] : 0;
    const uint64_t n = sub->ends[plan->stage] - first;
    const uint32_t n_parts = plan->n_parts > 0 ? plan->n_parts : 1;
    *low = (uint32_t) (first + n * plan->part / n_parts);
    *high = (uint32_t) (first + n * (plan->part + 1) / n_parts);
}

bool lda_plan_evaluates(const strads_config *config, uint32_t sweep)
{
    return sweep > 0 &&
           (sweep == 1 || sweep % strads_config_int(config, "lda.evaluate_every") == 0 ||
            sweep >= strads_config_int(config, "lda.sweeps"));
}

uint32_t lda_plan_foretells(const strads_config *config, uint32_t sweep)
{
    const double held_out = strads_config_real(config, "lda.heldout_fraction");
    const bool ends = sweep >= strads_config_int(config, "lda.sweeps");
    return ends ? 1 : (uint32_t) fmax(1.0, round(held_out / FORETOLD_SHARE));
}

bool lda_plan_learns(const lda_site *site, uint64_t pass)
{
    const uint32_t sweep = pass > 0 ? lda_plan_pass(site, pass - 1).sweep : 0;
    return strads_config_bool(site->config, "lda.optimize_alpha") && sweep > 0 &&
           sweep % LEARN_EVERY == 0;
}

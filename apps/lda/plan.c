/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/plan.c - what each pass over the grid does. */
#include <math.h>
#include <string.h>

#include "apps/lda/lda.h"

/* The growing start: its first share of the documents, how often they are swept, how much it
 * grows each time, how often what is there is swept then. */
static const double FIRST_SHARE = 1.0 / 16.0, GROWTH = 4.0;
enum { FIRST_SWEEPS = 30, MORE_SWEEPS = 5, N_STAGES = 3 };

/* Of all documents, how many are foretold before the last sweep. With 1000 topics a token that is
 * foretold takes as long as some fifty that are sampled. */
static const double FORETOLD_SHARE = 0.01;

/* A prior is learnt so often, and not before: it would keep topics as they began. */
enum { LEARN_EVERY = 10 };

bool lda_plan_is_random(const strads_config *config)
{
    return strcmp(strads_config_text(config, "lda.start"), "random") == 0;
}

uint32_t lda_plan_n_stages(const strads_config *config)
{
    return lda_plan_is_random(config) ? 1 : N_STAGES;
}

double lda_plan_share(const strads_config *config, uint32_t stage)
{
    double share = FIRST_SHARE;
    for (uint32_t i = 0; i < stage; i++) {
        share *= GROWTH;
    }
    return stage + 1 >= lda_plan_n_stages(config) ? 1.0 : share;
}

lda_pass lda_plan_pass(const strads_config *config, uint64_t pass)
{
    if (lda_plan_is_random(config)) {
        return (lda_pass){.counts = pass == 0, .sweep = (uint32_t) pass};
    }
    for (uint32_t stage = 0; stage < N_STAGES - 1; stage++) {
        const uint32_t n = 1 + (stage == 0 ? FIRST_SWEEPS : MORE_SWEEPS);
        if (pass < n) {
            return (lda_pass){.first = pass == 0, .stage = stage};
        }
        pass -= n;
    }
    return (lda_pass){.first = pass == 0, .stage = N_STAGES - 1, .sweep = (uint32_t) pass + 1};
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

bool lda_plan_learns(const strads_config *config, uint64_t pass)
{
    const uint32_t sweep = pass > 0 ? lda_plan_pass(config, pass - 1).sweep : 0;
    return strads_config_bool(config, "lda.optimize_alpha") && sweep > 0 &&
           sweep % LEARN_EVERY == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/local_shards.c - a prioritizer a shard. */
#include "tests/support/local_shards.h"

#include "tests/support/suite.h"

static uint32_t size_of(const local_shards *locals, uint32_t s)
{
    return locals->firsts[s + 1] - locals->firsts[s];
}

void local_shards_fini(local_shards *locals)
{
    for (uint32_t s = 0; s < locals->n; s++) {
        prio_destroy(locals->of[s]);
        locals->of[s] = NULL;
    }
}

void local_shards_totals(const local_shards *locals, prio_total *fresh)
{
    for (uint32_t s = 0; s < locals->n; s++) {
        fresh[s] = (prio_total){.sum = 0.0};
        for (uint32_t var = locals->firsts[s]; var < locals->firsts[s + 1]; var++) {
            const float score = locals->scanned[var];
            fresh[s].sum += score > 0.0F ? (double) score : 0.0;
            fresh[s].n_positive += score > 0.0F;
            fresh[s].n_open += score != PRIO_RETIRED;
        }
    }
}

/* What a shard does of a request before it draws. */
static strads_status obey(local_shards *locals, uint32_t s, const prio_request *ask)
{
    const uint32_t first = locals->firsts[s];
    const prio_options options = {.policy = locals->policy,
                                  .n_vars = size_of(locals, s),
                                  .seed = locals->seed,
                                  .stream = PRIO_FIRST_STREAM + s};
    if (ask->restart) {
        prio_destroy(locals->of[s]);
        locals->of[s] = NULL;
    }
    const strads_status status = ask->restart ? prio_create(&locals->of[s], &options) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    REQUIRE(locals->of[s] != NULL);
    if (ask->back) {
        prio_return_all(locals->of[s]);
    }
    for (size_t i = 0; i < ask->n; i++) {
        const uint32_t var = ask->vars[i] - first;
        prio_update(locals->of[s], &var, 1, &ask->scores[i]);
    }
    if (ask->fresh) {
        prio_set_range(locals->of[s], 0, options.n_vars, locals->scanned + first);
    }
    return STRADS_OK;
}

/* Has shard s draw; the arrays have room for all of it. */
static prio_answer draw(local_shards *locals, uint32_t s, const prio_request *ask, uint32_t *vars,
                        float *scores)
{
    const uint32_t first = locals->firsts[s];
    prioritizer *of = locals->of[s];
    prio_answer given = {.vars = vars, .scores = scores};
    if (ask->claims && prio_claim(of, ask->claimed - first)) {
        vars[given.n++] = ask->claimed - first;
    }
    const uint32_t most = locals->most > 0 ? locals->most : UINT32_MAX;
    given.n += prio_draw(of, ask->n_draws < most ? ask->n_draws : most, ask->floor, vars + given.n);
    for (size_t i = 0; i < given.n; i++) {
        scores[i] = prio_score(of, vars[i]);
        vars[i] += first;
    }
    given.left = prio_left(of);
    return given;
}

static strads_status answer(local_shards *locals, prio_shards *shards, uint32_t s,
                            const prio_request *ask, uint32_t *twice)
{
    const size_t n = (size_t) size_of(locals, s) + 1;
    uint32_t *vars = NULL;
    float *scores = NULL;
    locals->n_asked++;
    if (n == 1) { /* nothing to be a prioritizer of */
        const prio_answer none = {.n = 0};
        REQUIRE(ask->n_draws == 0 && !ask->claims);
        return prio_shards_take(shards, s, &none, twice);
    }
    strads_status status = obey(locals, s, ask);
    if (status == STRADS_OK) {
        vars = strads_alloc_array(n, sizeof(*vars));
        scores = strads_alloc_array(n, sizeof(*scores));
        status = vars != NULL && scores != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        const prio_answer given = draw(locals, s, ask, vars, scores);
        status = prio_shards_take(shards, s, &given, twice);
    }
    strads_free(vars);
    strads_free(scores);
    return status;
}

strads_status local_shards_answer(local_shards *locals, prio_shards *shards, uint32_t *twice)
{
    strads_status status = STRADS_OK;
    for (uint32_t s = 0; s < locals->n && status == STRADS_OK; s++) {
        prio_request request;
        if (prio_shards_ask(shards, s, &request)) {
            status = answer(locals, shards, s, &request, twice);
        }
    }
    return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/prioritizer.c - scores, the pool, and the dispatch to a policy. */
#include "prioritizer/prioritizer.h"

#include <assert.h>
#include <math.h>

#include "prioritizer/cache.h"
#include "prioritizer/policy.h"

static const prio_policy_table *const policies[] = {
    [PRIO_SAMPLED] = &prio_sampled,
    [PRIO_GREEDY] = &prio_greedy,
    [PRIO_UNIFORM] = &prio_uniform,
    [PRIO_CYCLIC] = &prio_cyclic,
};

/* ---- life ---- */

static size_t scores_bytes(uint32_t n_vars)
{
    return ((size_t) n_vars + PRIO_STRIP - 1) / PRIO_STRIP * PRIO_STRIP * sizeof(float);
}

static strads_status alloc_scores(prioritizer *prio)
{
    const uint32_t n_vars = prio->options.n_vars;
    void *scores = NULL;
    prio->scores_memory = prio_alloc_lines(scores_bytes(n_vars), &scores);
    if (prio->scores_memory == NULL) {
        return STRADS_ERR_NOMEM;
    }
    prio->scores = scores;
    for (uint32_t var = 0; var < n_vars; var++) {
        prio->scores[var] = 1.0F;
    }
    prio->n_positive = n_vars;
    return STRADS_OK;
}

static strads_status init(prioritizer *prio)
{
    strads_status status = alloc_scores(prio);
    if (status != STRADS_OK) {
        return status;
    }
    status = prio_pool_init(&prio->pool, prio->options.n_vars);
    if (status != STRADS_OK) {
        goto err_free_scores;
    }
    status = prio->policy->init != NULL ? prio->policy->init(prio) : STRADS_OK;
    if (status != STRADS_OK) {
        goto err_fini_pool;
    }
    return STRADS_OK;

err_fini_pool:
    prio_pool_fini(&prio->pool);
err_free_scores:
    strads_free(prio->scores_memory);
    return status;
}

strads_status prio_create(prioritizer **out, const prio_options *options)
{
    assert(out != NULL && options != NULL && options->n_vars > 0);
    assert(options->policy <= PRIO_CYCLIC);

    strads_status status = STRADS_ERR_NOMEM;
    prioritizer *prio = strads_calloc(1, sizeof(*prio));
    if (prio != NULL) {
        prio->options = *options;
        prio->policy = policies[options->policy];
        prio->random = strads_random_start(options->seed, options->stream);
        status = init(prio);
    }
    if (status != STRADS_OK) {
        strads_error("prioritizer: no memory for %u variables", (unsigned) options->n_vars);
        strads_free(prio);
        return status;
    }
    *out = prio;
    return STRADS_OK;
}

void prio_destroy(prioritizer *prio)
{
    if (prio == NULL) {
        return;
    }
    if (prio->policy->fini != NULL) {
        prio->policy->fini(prio);
    }
    prio_pool_fini(&prio->pool);
    strads_free(prio->scores_memory);
    strads_free(prio);
}

size_t prio_bytes(const prioritizer *prio)
{
    const size_t own = prio->policy->bytes != NULL ? prio->policy->bytes(prio) : 0;
    const size_t scores = scores_bytes(prio->options.n_vars) + PRIO_LINE_BYTES;
    return sizeof(*prio) + scores + prio->pool.bytes + own;
}

/* ---- scores ---- */

float prio_score(const prioritizer *prio, uint32_t var)
{
    assert(var < prio->options.n_vars);
    return prio->scores[var];
}

/* Replaces a score, unless the variable is retired. */
static inline void set_score(prioritizer *prio, uint32_t var, float score)
{
    const float old = prio->scores[var];
    assert(score < INFINITY); /* false for NaN too */
    if (old == PRIO_RETIRED) {
        return;
    }
    prio->scores[var] = score;
    if ((old > 0.0F) != (score > 0.0F) && prio_pool_has(&prio->pool, var)) {
        prio->n_positive += score > 0.0F ? 1U : -1U;
    }
    if (score == PRIO_RETIRED && prio_pool_has(&prio->pool, var)) {
        prio_pool_close(&prio->pool, var);
    }
}

void prio_set_range(prioritizer *prio, uint32_t first, uint32_t n, const float *scores)
{
    assert(first <= prio->options.n_vars && n <= prio->options.n_vars - first);
    for (uint32_t i = 0; i < n; i++) {
        set_score(prio, first + i, scores[i]);
    }
    if (prio->policy->range_changed != NULL) {
        prio->policy->range_changed(prio, first, n);
    }
}

/* ---- lists of variables, a batch at a time ---- */

static size_t batch_of(size_t n_left)
{
    return n_left < PRIO_BATCH ? n_left : PRIO_BATCH;
}

static void prefetch(const prioritizer *prio, const uint32_t *vars, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert(vars[i] < prio->options.n_vars);
        __builtin_prefetch(&prio->scores[vars[i]]);
        __builtin_prefetch(&prio->pool.words[vars[i] / 64]);
    }
}

static void tell_policy(prioritizer *prio, const uint32_t *vars, size_t n)
{
    if (prio->policy->vars_changed != NULL) {
        prio->policy->vars_changed(prio, vars, n);
    }
}

void prio_update(prioritizer *prio, const uint32_t *vars, size_t n, const float *scores)
{
    for (size_t done = 0; done < n; done += PRIO_BATCH) {
        const size_t n_batch = batch_of(n - done);
        prefetch(prio, vars + done, n_batch);
        for (size_t i = done; i < done + n_batch; i++) {
            set_score(prio, vars[i], scores[i]);
        }
        tell_policy(prio, vars + done, n_batch);
    }
}

void prio_take(prioritizer *prio, uint32_t var)
{
    prio_pool_close(&prio->pool, var);
    prio->n_positive -= prio->scores[var] > 0.0F;
}

size_t prio_draw(prioritizer *prio, size_t n, double floor, uint32_t *vars)
{
    const size_t n_open = prio->pool.n_open;
    assert(isfinite(floor) && floor >= 0.0);
    return prio->policy->draw(prio, n < n_open ? n : n_open, floor, vars);
}

prio_total prio_left(const prioritizer *prio)
{
    return (prio_total){.sum = prio->policy->sum != NULL ? prio->policy->sum(prio) : 0.0,
                        .n_positive = prio->n_positive,
                        .n_open = prio->pool.n_open};
}

/* A floor above this, times 2^32 variables and more, would no longer be a number. */
static const double HIGHEST_FLOOR = 1e290;

double prio_floor(const prio_total *left, double eta)
{
    if (left->n_positive == 0) {
        return eta > 0.0 ? 1.0 : 0.0;
    }
    return fmin(eta * (left->sum / left->n_positive), HIGHEST_FLOOR);
}

bool prio_claim(prioritizer *prio, uint32_t var)
{
    assert(var < prio->options.n_vars);
    if (!prio_pool_has(&prio->pool, var)) {
        return false;
    }
    prio_take(prio, var);
    tell_policy(prio, &var, 1);
    return true;
}

void prio_return(prioritizer *prio, const uint32_t *vars, size_t n)
{
    for (size_t done = 0; done < n; done += PRIO_BATCH) {
        const size_t n_batch = batch_of(n - done);
        prefetch(prio, vars + done, n_batch);
        for (size_t i = done; i < done + n_batch; i++) {
            if (prio->scores[vars[i]] != PRIO_RETIRED) {
                prio_pool_open(&prio->pool, vars[i]); /* asserts that it is out */
                prio->n_positive += prio->scores[vars[i]] > 0.0F;
            }
        }
        tell_policy(prio, vars + done, n_batch);
    }
}

void prio_return_all(prioritizer *prio)
{
    const uint32_t n_vars = prio->options.n_vars;
    for (size_t word = 0; word < ((size_t) n_vars + 63) / 64; word++) {
        uint64_t closed = ~prio->pool.words[word];
        for (; closed != 0; closed &= closed - 1) {
            const size_t var = 64 * word + (size_t) __builtin_ctzll(closed);
            if (var < n_vars && prio->scores[var] != PRIO_RETIRED) {
                prio_pool_open(&prio->pool, (uint32_t) var);
                prio->n_positive += prio->scores[var] > 0.0F;
            }
        }
    }
    if (prio->policy->range_changed != NULL) {
        prio->policy->range_changed(prio, 0, n_vars);
    }
}
